"""Does ngspice, a circuit simulator that nobody here wrote, find what our circuit finds?

A resistor and a capacitor first, to see what TRNOISE's numbers mean; then a network with mismatch,
three ways: ngspice, our circuit in substeps, and the exact law. Run by `nox -s spice` and nightly,
where ngspice is installed: `apt-get install ngspice`.

Deviations are in sigmas of the readings' own statistics (`Spice.spread`), which count how far
readings are correlated. Of some ten numbers the largest passes 4.5 once in ten thousand runs.
"""

import subprocess
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from gibbsite.driver import Driver
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.langevin_float import Protocol, Segment
from gibbsite_sim.analog.circuit import Circuit, Drive
from gibbsite_sim.analog.device import AnalogDevice, AnalogStream
from gibbsite_sim.analog.law import stationary
from gibbsite_sim.analog.parameters import DEFAULT_SET, SETS
from gibbsite_sim.analog.spice import Spice, find_ngspice

pytestmark = pytest.mark.nightly

SIGMAS = 4.5
KT, DT = 0.6, 0.2
STEPS = 30_000
BUILD = LangevinParameters(units=4, constraints=0, multipliers=4, pairs=64)
FINE = replace(SETS[DEFAULT_SET], drift=0.0, adc_bits=20)
"""The default mismatch, read finely and without drift, neither of which a netlist has."""
SPACING = 0.1
"""Of noise samples, in steps: as long as the buffers' time constant, so that both tell."""


@dataclass(frozen=True)
class Case:
    """A network on a chip."""

    stream: AnalogStream
    compiled: CompiledPotential
    circuit: Circuit
    drive: Drive

    def spice(self, gain: float = 1.0) -> Spice:
        """Its netlist."""
        return Spice(self.circuit, self.drive, FINE.step_seconds, SPACING, gain)


@cache
def case() -> Case:
    """Three coupled wells on chip 5."""
    rng = np.random.default_rng(5)
    J = np.triu(rng.uniform(-1, 1, (3, 3)), 1)
    potential = Potential.build(3, J2=rng.uniform(1, 2, 3), b=rng.uniform(-1, 1, 3), J=J + J.T)
    compiled = compile_potential(potential, BUILD)
    stream = AnalogStream(BUILD, circuit=FINE, mismatch=5, exact=False)
    program = compiled.program
    circuit = Circuit(stream.chip, Weights.of(program), program.conditions)
    drive = Drive(DT / compiled.scales.energy, np.sqrt(2 * KT * DT), (1.0,) * 6)
    return Case(stream, compiled, circuit, drive)


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """States of the network by ngspice, once a step, the first 40 steps left out."""
    return case().spice().run(STEPS, 7, tmp_path_factory.mktemp("spice"))[40:]


def deviations(readings: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """The largest deviation of a mean or covariance, in sigmas of this many readings."""
    of_mean, of_covariance = case().spice().spread(covariance, len(readings))
    means = np.abs(readings.mean(axis=0) - mean) / of_mean
    entries = np.abs(np.cov(readings.T) - covariance) / of_covariance
    return float(max(means.max(), entries.max()))


def test_noise_of_ngspice_has_the_density_that_netlists_assume(tmp_path: Path) -> None:
    # 1 nF and 1 kohm, samples of 1 mA each 50 ns: S = NA^2 TS, variance S R / (2 C) = 25 mV^2
    # less TS/(2 R C) = 2.5 % where samples join
    points = 60_000
    text = f"""* one resistor, one capacitor
I0 0 a DC 0 TRNOISE(1e-3 50e-9 0 0)
R0 a 0 1k
C0 a 0 1n
.control
setseed 11
tran 1e-6 {points}e-6 0 50e-9
linearize v(a)
set wr_singlescale
wrdata out.txt v(a)
quit 0
.endc
.end
"""
    (tmp_path / "rc.cir").write_text(text, encoding="ascii")
    subprocess.run(
        [find_ngspice(), "-b", "rc.cir"], cwd=tmp_path, check=True, capture_output=True, timeout=600
    )
    v = np.loadtxt(tmp_path / "out.txt")[20:, 1]
    white = (1e-3) ** 2 * 50e-9 * 1e3 / (2 * 1e-9)
    wanted = white * (1 - 0.025)
    # readings one R C apart: sum of squared correlations, coth(1) = 1.313; 0.66 % at 60,000
    sigma = wanted * np.sqrt(2 * 1.313 / len(v))
    assert abs(v.var() - wanted) < 4 * sigma
    # twice the density, as if the two-sided spectrum were meant by the one-sided formula
    assert abs(v.var() - 2 * wanted) > 4 * sigma


def test_ngspice_finds_the_exact_law(readings: np.ndarray) -> None:
    mean, white = stationary(case().circuit, case().drive)
    wanted = case().spice().covariance()
    assert deviations(readings, mean, wanted) < SIGMAS
    # its noise is joined by straight lines, which takes less than 4 % of the variance
    assert np.abs(wanted - white).max() < 0.04 * np.diag(white).max()


def test_ngspice_and_our_circuit_agree(readings: np.ndarray) -> None:
    built = case()
    opened = AnalogDevice(Driver(built.stream), built.stream)
    opened.load(built.compiled.program)
    chains, draws = 200, 60
    request = built.compiled.request(
        Protocol(1.0, [Segment(60, kT=KT, dt=DT)]), seed=3, chains=chains, draws=draws
    )
    ours = np.array(opened.run(request).states).reshape(chains * draws, 3) / 2.0**28
    mean, white = stationary(built.circuit, built.drive)
    assert deviations(ours, mean, white) < SIGMAS
    # beside each other: what straight lines take is put back, and both have their own spread
    of_mean, of_covariance = built.spice().spread(white, 1)
    both = np.sqrt(1 / len(ours) + 1 / len(readings))
    lost = white - built.spice().covariance()
    entries = np.cov(ours.T) - np.cov(readings.T) - lost
    assert np.abs((ours.mean(axis=0) - readings.mean(axis=0)) / of_mean).max() < SIGMAS * both
    assert np.abs(entries / of_covariance).max() < SIGMAS * both


def test_a_planted_fault_is_seen(readings: np.ndarray, tmp_path: Path) -> None:
    mean, _ = stationary(case().circuit, case().drive)
    # the program's own law, as if the chip had no mismatch
    program = case().compiled.held
    ideal = KT * np.linalg.inv(program.hessian(np.zeros(3)))
    assert deviations(readings, mean, ideal) > SIGMAS
    # noise a tenth too large
    loud = case().spice(gain=1.1).run(4000, 9, tmp_path)[40:]
    assert deviations(loud, mean, case().spice().covariance()) > SIGMAS

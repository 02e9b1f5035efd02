"""Is what the circuits sample what they should, and does calibration bring it near the program?

Oracles: the exact Gaussian of a chip with its mismatch (`law`), quadrature, enumeration, and for
calibration the program's own Gaussian. Planted faults: another chip's law, another temperature,
another beta; trims that do not act are in ``tests/unit/test_analog_calibrate.py``.
"""

from dataclasses import replace

import dimod
import numpy as np
import pytest

from gibbsite.compiler import compile_model
from gibbsite.driver import Driver
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite.slot_model import MixedModel
from gibbsite_hw.spec.device_parameters import Build
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.energies.potential import Potential
from gibbsite_models.exact.langevin import gaussian, well
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.langevin_float import Protocol, Segment
from gibbsite_sim.analog.calibrate import calibrate
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.circuit import Circuit, Drive
from gibbsite_sim.analog.device import AnalogDevice, AnalogStream
from gibbsite_sim.analog.law import stationary
from gibbsite_sim.analog.parameters import DEFAULT_SET, SETS

STILL = replace(SETS[DEFAULT_SET], drift=0.0)
"""Without drift, which would move the means of a run by what no law holds."""
LSB = 8 / 127
DT = 0.03
SIGMAS = 5.0
"""Of the largest of some tens of deviations: a correct circuit fails once in a ten thousand."""


def device(build: Build, **fields: object) -> AnalogDevice:
    stream = AnalogStream(build, **fields)
    return AnalogDevice(Driver(stream), stream)


def network(seed: int, most: int = 12) -> tuple[Potential, float]:
    """Coupled quadratic wells, 4 to ``most`` units, and a kT; nothing that calibration measures."""
    rng = np.random.default_rng([2026, seed])
    n = int(rng.integers(4, most + 1))
    J = np.triu(rng.uniform(-1, 1, (n, n)), 1) / np.sqrt(n)
    potential = Potential.build(n, J2=rng.uniform(1, 2, n), b=rng.uniform(-1, 1, n), J=J + J.T)
    return potential, float(rng.uniform(0.3, 0.8))


def law(compiled: CompiledPotential, chip: Chip, kT: float, dt: float = DT) -> tuple:
    """Mean and covariance of the chip that runs a program."""
    circuit = Circuit(chip, Weights.of(compiled.program), compiled.program.conditions)
    rate = dt / compiled.scales.energy
    return stationary(circuit, Drive(rate, np.sqrt(2 * kT * dt), (1.0,) * 6))


def deviation(samples: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """The largest deviation of moments in sigmas of independent samples ``[count, n]``."""
    count = len(samples)
    variances = np.diag(covariance)
    means = (samples.mean(axis=0) - mean) / np.sqrt(variances / count)
    spread = np.sqrt((np.outer(variances, variances) + covariance**2) / count)
    found = np.cov(samples.T) - LSB**2 / 12 * np.eye(len(mean))
    return float(max(np.abs(means).max(), np.abs((found - covariance) / spread).max()))


@pytest.mark.parametrize(
    ("resolution", "exact", "chains"), [(4, True, 8000), (4, False, 2000), (8, False, 1500)]
)
def test_samples_follow_the_law_of_the_chip(resolution: int, exact: bool, chains: int) -> None:
    build = LangevinParameters(units=5, constraints=0, multipliers=4)
    potential, kT = network(3, most=5)
    opened = device(build, circuit=STILL, mismatch=11, resolution=resolution, exact=exact)
    compiled = compile_potential(potential, build)
    opened.load(compiled.program)
    # the slowest mode relaxes in 1/(0.03 1.3) = 26 steps, so one draw a chain at step 260
    request = compiled.request(Protocol(1.0, [Segment(260, kT=kT, dt=DT)]), seed=5, chains=chains)
    samples = np.array(opened.run(request).states).reshape(chains, -1) / 2.0**28
    chip = Chip(STILL, AnalogStream(build).parameters, 11)
    assert deviation(samples, *law(compiled, chip, kT)) < SIGMAS
    other = Chip(STILL, AnalogStream(build).parameters, 12)
    assert deviation(samples, *law(compiled, other, kT)) > SIGMAS


def test_a_double_well_follows_its_quadrature() -> None:
    build = LangevinParameters(units=2, constraints=0, multipliers=4)
    opened = device(build, circuit="matched-2026.1")
    potential = Potential.build(2, J2=[-0.8, 0.5], J4=[0.4, 0.3], b=[0.2, -0.4])
    kT, chains = 0.7, 3000
    compiled = compile_potential(potential, build)
    opened.load(compiled.program)
    protocol = Protocol(1.0, [Segment(300, kT=kT, dt=0.04)])
    result = opened.run(compiled.request(protocol, seed=2, chains=chains, spread=1.0))
    samples = np.array(result.states).reshape(chains, 2) / 2.0**28 * compiled.scales.length
    for unit in range(2):
        exact = well(compiled.held, kT, clamps={1 - unit: 0.0})
        z = samples[:, unit]
        for order in (1, 2, 4):
            spread = np.sqrt((exact.moment(2 * order) - exact.moment(order) ** 2) / chains)
            assert abs((z**order).mean() - exact.moment(order)) < 4 * spread, (unit, order)
    # a wrong temperature is seen: the second moment of the single well at 0.9
    hot = well(compiled.held, 0.9, clamps={0: 0.0})
    spread = np.sqrt((hot.moment(4) - hot.moment(2) ** 2) / chains)
    assert abs((samples[:, 1] ** 2).mean() - hot.moment(2)) > 4 * spread


def test_constraints_pull_as_their_penalty_says() -> None:
    build = LangevinParameters(units=3, constraints=2, multipliers=4)
    opened = device(build, circuit="matched-2026.1", exact=False)
    K, kT, chains = np.array([[1.0, 1.0, -1.0], [0.0, 1.0, 1.0]]), 0.5, 3000
    potential = Potential.build(3, J2=[0.6, 0.8, 1.0], K=K, d=[0.5, -0.25], lam=[1.0, 0.7])
    compiled = compile_potential(potential, build)
    opened.load(compiled.program)
    protocol = Protocol(1.0, [Segment(250, kT=kT, dt=0.03)])
    result = opened.run(compiled.request(protocol, seed=8, chains=chains))
    samples = np.array(result.states).reshape(chains, 3) / 2.0**28 * compiled.scales.length
    exact = gaussian(compiled.held, kT)
    # its buffers change the covariance by rate lambda k^2 lag, 0.03 2 3 0.1 = 2 %, half a sigma
    chip = Chip(SETS["matched-2026.1"], AnalogStream(build).parameters)
    assert deviation(samples, *law(compiled, chip, kT)) < SIGMAS
    assert np.abs(law(compiled, chip, kT)[0] - exact.mean).max() < 0.01


def frequencies(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean spins and their one sigma."""
    mean = values.mean(axis=0)
    return mean, np.sqrt((1 - mean**2) / len(values))


def test_p_bits_follow_the_sigmoids_of_their_comparators() -> None:
    build = GraphParameters(lanes=4, rows=8, words=32)
    stream = AnalogStream(build, mismatch=4)
    opened = AnalogDevice(Driver(stream), stream)
    fields = np.linspace(-8, 8, 12)
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from({f"s{k}": float(h) for k, h in enumerate(fields)})
    compiled = compile_model(model, build)
    opened.load(compiled.program)
    result = opened.run(RunRequest(compiled.betas([0.15]), seed=6, chains=20_000))
    values = compiled.decode(result).values
    slots = [compiled.address(f"s{k}") for k in range(12)]
    biases = np.array(compiled.program.conditions.biases)[slots]
    chip, reference = stream.chip, np.abs(biases).max()
    beta = 0.15 * fields[-1] / biases[-1]
    sensed = biases + reference * chip.comparator[slots]
    wanted = -np.tanh(chip.slope[slots] * beta * sensed)
    mean, sigma = frequencies(values)
    # beta and biases stand behind converters of 8 bits: 1.4 % of the slope, 1/254 of the reference
    leeway = (1 - wanted**2) * (0.014 * np.abs(beta * sensed) + beta * reference / 254)
    assert (np.abs(mean - wanted) < 4 * sigma + leeway).all()
    ideal = -np.tanh(beta * biases)
    assert (np.abs(mean - ideal) > 4 * sigma + leeway).any(), "mismatch must show"


def test_matched_comparators_sample_a_mixed_model() -> None:
    build = GraphParameters(lanes=4, rows=16, words=64)
    opened = device(build, circuit="matched-2026.1")
    spins = dimod.BinaryQuadraticModel({"a": 1.0, "b": -2.0}, {("a", "b"): 1.5}, 0.0, "SPIN")
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(3, "g")
    choices.set_linear("g", [0.5, -1.0, 0.0])
    compiled = compile_model(MixedModel(spins, choices, {("a", "g", 2): 2.0}), build)
    opened.load(compiled.program)
    beta, reads = 0.5, 20_000
    request = RunRequest(compiled.betas([beta]), sweeps_per_step=30, seed=1, chains=reads)
    out = compiled.decode(opened.run(request))
    at = {name: out.values[:, k] for k, name in enumerate(compiled.variables)}
    counts = np.zeros((2, 2, 3))
    np.add.at(counts, ((at["a"] + 1) // 2, (at["b"] + 1) // 2, at["g"]), 1)
    a, b, g = np.meshgrid([-1, 1], [-1, 1], [0, 1, 2], indexing="ij")
    energy = a - 2 * b + 1.5 * a * b + np.array([0.5, -1.0, 0.0])[g] + 2 * a * (g == 2)
    wanted = np.exp(-beta * energy)
    wanted *= reads / wanted.sum()
    # 11 degrees of freedom: chi-square above 36 once in 6,000; beta's step errs by up to 1.4 %,
    # which adds about reads (0.014 beta)^2 Var(E) = 20,000 4.9e-5 2.5 = 2.5
    chi = ((counts - wanted) ** 2 / wanted).sum()
    assert chi < 36 + 2.5
    wrong = np.exp(-1.2 * beta * energy)
    wrong *= reads / wrong.sum()
    assert ((counts - wrong) ** 2 / wrong).sum() > 36 + 2.5


# --- calibration ---------------------------------------------------------------------------------


def exact_errors(stream: AnalogStream, compiled: CompiledPotential, kT: float) -> np.ndarray:
    """Root mean square errors of means and covariances, in units of the exact spreads."""
    mean, covariance = law(compiled, stream.chip, kT)
    wanted = gaussian(compiled.potential, kT)
    spread = np.sqrt(np.diag(wanted.covariance))
    means = (mean - wanted.mean) / spread
    entries = (covariance - wanted.covariance) / np.outer(spread, spread)
    return np.sqrt([(means**2).mean(), (entries**2).mean()])


def sampled_errors(opened: AnalogDevice, compiled: CompiledPotential, kT: float) -> np.ndarray:
    """The same from readings, without what sampling adds: two runs, errors of one times the other.

    ``E[(m1 - m)(m2 - m)] = (E m1 - m)^2`` for independent m1, m2 of one law.
    """
    n = compiled.potential.size
    first, second = np.triu_indices(n)
    pairs = [(i, None) for i in range(n)] + list(zip(first.tolist(), second.tolist(), strict=True))
    protocol = Protocol(
        1.0,
        [Segment(160, kT=kT, dt=DT, measure=False), Segment(1000, kT=kT, dt=DT)],
    )
    wanted = gaussian(compiled.potential, kT)
    spread = np.sqrt(np.diag(wanted.covariance))
    errors = []
    opened.load(compiled.program)
    for seed in (101, 102):
        request = compiled.request(
            protocol, seed=seed, chains=1000, samples=False, pairs=pairs, moment_every=20
        )
        moments = compiled.decode(opened.run(request), request).moments
        assert moments is not None
        mean, products = np.split(moments.mean(axis=0), [n])
        entries = np.zeros((n, n))
        entries[first, second] = entries[second, first] = products
        entries -= np.outer(mean, mean)
        scaled = (entries - wanted.covariance) / np.outer(spread, spread)
        errors.append(((mean - wanted.mean) / spread, scaled))
    (m1, c1), (m2, c2) = errors
    return np.sqrt(np.maximum([(m1 * m2).mean(), (c1 * c2).mean()], 1e-8))


def test_calibration_shrinks_the_errors_of_unseen_programs() -> None:
    # the law of the chip itself, so nothing of this is sampling noise but the calibration's own
    build = LangevinParameters(units=5, constraints=0, multipliers=4, pairs=32)
    ratios = []
    for seed in range(5):
        stream = AnalogStream(build, mismatch=1000 + seed)
        opened = AnalogDevice(Driver(stream), stream)
        potential, kT = network(seed, most=5)
        compiled = compile_potential(potential, build)
        before = exact_errors(stream, compiled, kT)
        calibrate(opened, potential.size, seed=seed)
        ratios.append(before / exact_errors(stream, compiled, kT))
    assert (np.median(ratios, axis=0) >= 5).all(), ratios
    assert np.min(ratios) > 1.5, "no chip may be left as it was"


@pytest.mark.nightly
def test_calibration_shrinks_what_twenty_chips_give_five_times() -> None:
    build = LangevinParameters(units=12, constraints=0, multipliers=4, pairs=128)
    ratios = []
    for seed in range(20):
        opened = device(build, mismatch=seed)
        potential, kT = network(100 + seed)
        compiled = compile_potential(potential, build)
        before = sampled_errors(opened, compiled, kT)
        calibrate(opened, 12, seed=seed)
        after = sampled_errors(opened, compiled, kT)
        ratios.append([*(before / after), np.hypot(*before) / np.hypot(*after)])
    means, covariances, both = np.median(ratios, axis=0)
    print(f"median shrinkage: means {means:.1f}, covariances {covariances:.1f}, both {both:.1f}")
    assert min(means, covariances, both) >= 5, ratios

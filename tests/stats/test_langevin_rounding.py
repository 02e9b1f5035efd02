r"""What rounding states to 28 bits does to drift and temperature, seen in units of the last bit.

A step is summed with 8 bits below the state's last one (LSB) and rounded stochastically. With f the
fraction of an LSB that the sum ends in,

    E[z' - z] = drift exactly,          Var[z' - z | sum] = f (1 - f) LSB^2.

Where the noise spreads f evenly the mean of ``f (1 - f)`` is 1/6: kT seems higher by
``LSB^2/(12 mu kT dt)`` of itself. Derived in docs/langevin-engine.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from gibbsite.langevin_compiler import compile_potential
from gibbsite_hw.spec.langevin_formats import STATE_FRAC
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.langevin_float import Protocol, Segment

UNITS = 256
LINEAR = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0)
"""Only the bias acts: the drift is the same in every state."""
DT, MU = 1e-3, 1.3


class Truncated(LangevinEngine):
    """Rounds down: no dither."""

    def draw(self, streams):
        xi, dither = super().draw(streams)
        return xi, 0 * dither


class Nearest(LangevinEngine):
    """Rounds to nearest."""

    def draw(self, streams):
        xi, dither = super().draw(streams)
        return xi, 0 * dither + 128


def slopes(largest: float) -> tuple[object, np.ndarray]:
    """A program whose units drift by 0 to ``largest`` LSB a step, and these drifts.

    The device rounds a drift to 1/256 LSB, once, whatever the state: that is the drift it has.
    """
    lsb = 2.0**-STATE_FRAC
    drift = np.linspace(-largest, largest, UNITS)
    potential = Potential.build(UNITS, J2=1e-7, b=-drift * lsb / (MU * DT))
    compiled = compile_potential(potential, LangevinParameters())
    assert compiled.scales.length == 1
    held = -compiled.held.b * MU * DT / lsb
    assert np.abs(held - drift).max() < 1e-4
    return compiled, np.rint(held * 256) / 256


def displacement(bench, compiled, steps: int, chains: int, noise: float = 0.0) -> np.ndarray:
    """``[chains, units]`` in LSB, after so many steps with ``noise`` LSB of noise.

    The compiler refuses a bath as cold as that, so its noise is put into the schedule here.
    """
    request = compiled.request(
        Protocol(MU, [Segment(steps, 0.0, DT, LINEAR)]), chains=chains, seed=3
    )
    shift = STATE_FRAC + 16
    request.schedule = [replace(request.schedule[0], noise=(round(noise * 2**16), shift))]
    bench.device.load(compiled.program)
    return compiled.decode(bench.device.run(request), request).states[:, 0] * 2.0**STATE_FRAC


def drift_gap(bench) -> tuple[float, float]:
    """Of mean and spread of displacements at kT = 0 from a binomial law, in standard errors."""
    compiled, drift = slopes(0.97)
    steps, chains = 200, 128
    z = displacement(bench, compiled, steps, chains)
    f = drift % 1
    moves = (f > 0) & (f < 1)
    wanted = steps * (f * (1 - f))[moves]
    squares = ((z - steps * drift)[:, moves] ** 2 / wanted).mean(axis=0)
    # each of 255 units gives a squared deviation of mean 1, of variance near 2, and so do the means
    means = (z.mean(axis=0) - steps * drift)[moves] ** 2 / (wanted / chains)
    count = moves.sum()
    return (
        float((means.mean() - 1) / (2 / count) ** 0.5),
        float((squares.mean() - 1) / (2 / (count * chains)) ** 0.5),
    )


def test_drifts_below_the_last_bit_are_unbiased_without_noise(bench) -> None:
    # 4.5 standard errors: 1.4e-5 for the two. 255 chi-squares of one degree are near normal
    assert np.abs(drift_gap(bench())).max() < 4.5


@pytest.mark.parametrize("engine", [Truncated, Nearest])
def test_other_roundings_lose_such_drifts(bench, engine) -> None:
    assert np.abs(drift_gap(bench(engine))).max() > 100


def dithered(f: np.ndarray) -> np.ndarray:
    return f % 1 * (1 - f % 1)


def added_variance(drift: np.ndarray, noise: float) -> float:
    """The mean of ``f (1 - f)`` over noise of so many LSB, in LSB^2: about 1/6 from 0.5 LSB on."""
    xi = np.linspace(-8, 8, 20_001)
    weight = np.exp(-xi * xi / 2)
    return float(np.average(dithered(drift[:, None] + noise * xi), axis=1, weights=weight).mean())


def noise_gap(bench, noise: float) -> tuple[float, float]:
    """Of the measured variance of a step from noise^2 + E f(1-f), in standard errors; E f(1-f)."""
    compiled, drift = slopes(0.4)
    z = displacement(bench, compiled, 1, 1500, noise) - drift
    added = added_variance(drift, noise)
    error = (z**2).std() / z.size**0.5
    return float(((z**2).mean() - noise**2 - added) / error), added


@pytest.mark.parametrize("noise", [0.2, 0.5, 1.0, 2.0])
def test_rounding_warms_by_the_stated_amount(bench, noise: float) -> None:
    # 384,000 steps know their variance to 0.23 %; rounding adds 17 % of it at 1 LSB, 4 % at 2 LSB
    gap, added = noise_gap(bench(), noise)
    assert abs(gap) < 4.5  # 7e-6
    if noise >= 0.5:
        assert added == pytest.approx(1 / 6, abs=2e-3)
        # the same, as a part of kT: LSB^2/(12 mu kT dt)
        kT = noise**2 / (2 * MU * DT)  # with lengths in LSB
        assert added / noise**2 == pytest.approx(1 / (12 * MU * kT * DT), rel=0.012)


def test_rounding_to_nearest_would_warm_by_half_as_much(bench) -> None:
    gap, _ = noise_gap(bench(Nearest), 1.0)
    assert gap < -20


@pytest.mark.parametrize("start", [5.0, 0.05])
def test_a_slow_decay_without_noise_is_exact_to_the_operand(bench, start: float) -> None:
    # mu k dt = 1e-4: a step from 0.05 is 1/12 of the last bit of the operand that forces see
    k, steps = 0.1, 1000
    compiled = compile_potential(Potential.build(UNITS, J2=k / 2), LangevinParameters())
    protocol = Protocol(1.0, [Segment(steps, 0.0, 1e-3)])
    z = bench().run(compiled, protocol, start=start, chains=4).states
    a = 1 - 2 * compiled.held.J2[0] * 1e-3
    # an operand is off by 2^-15 at most, for which the force makes up as it decays; each step
    # rounds the state with a spread of 2^-29 at most, and drifts are rounded to 2^-36
    bound = 2.0**-15 * (1 - a**steps) + 2.0**-37 * steps
    spread = 4.5 * 2.0**-29 * (steps / z.size) ** 0.5
    assert abs(z.mean() - start * a**steps) < bound + spread

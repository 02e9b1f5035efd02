r"""Small steps survive in fixed point: k = 0.1, 1 and 10 at kT = 0.5, mu = 1, dt = 1e-3.

A step moves a state by ``mu k dt`` = 1e-4 of itself at k = 0.1. With ``a = 1 - mu k dt``, the mean
m and the stationary variance ``v = kT/(k (1 - mu k dt/2))``, Euler-Maruyama has exactly

    mean_n - m = a^n (mean_0 - m),        variance_n - v = a^(2n) (variance_0 - v).

Programs are diagonal: 256 independent units with biases, so every unit of every chain counts.
"""

import numpy as np
import pytest

from gibbsite.devices import open as open_device
from gibbsite.langevin_compiler import compile_potential
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment

UNITS = 256
KT, DT = 0.5, 1e-3
BIAS = {0.1: 0.05, 1.0: -0.6, 10.0: 3.0}
REACH = {0.1: 16.0, 1.0: 7.5, 10.0: 7.5}
"""At k = 0.1 a state strays to 0.5 + 7 * 2.24: the default reach would cut it off."""


def well(k: float) -> Potential:
    return Potential.build(UNITS, J2=k / 2, b=BIAS[k])


def program(k: float):
    return compile_potential(well(k), LangevinParameters(), reach=REACH[k])


def stationary(compiled, mu: float) -> tuple[float, float]:
    """Mean and variance of what the codes stand for."""
    k, b = 2 * compiled.held.J2[0], compiled.held.b[0]
    return -b / k, KT / (k * (1 - mu * k * DT / 2))


def stationary_variance(
    bench, k: float, steps: int, chains: int, draws: int
) -> tuple[float, float]:
    """Variance over the exact one of chains that start at the exact law; its standard error.

    The draws of a unit of a chain are averaged first: these averages are independent.
    """
    compiled = program(k)
    mean, variance = stationary(compiled, 1.0)
    first = steps // 3 if draws > 1 else steps
    thin = max((steps - first) // max(draws - 1, 1), 1)
    samples = bench.run(
        compiled,
        Protocol(1.0, [Segment(first, KT, DT, measure=False)]),
        start=mean,
        spread=variance**0.5,
        chains=chains,
        draws=draws,
        thin=thin,
        seed=31,
    )
    assert samples.steps[-1] == first + (draws - 1) * thin
    squares = ((samples.states - mean) ** 2).mean(axis=1).ravel() / variance
    return float(squares.mean()), float(squares.std() / squares.size**0.5)


@pytest.mark.parametrize(
    ("k", "steps", "chains", "draws"),
    [
        (1.0, 3000, 420, 5),  # 3 relaxation times 1/(mu k) of the mean, 6 of the variance
        (10.0, 900, 320, 7),  # 9 and 18
    ],
)
def test_the_stationary_variance_stays(bench, k, steps, chains, draws) -> None:
    ratio, error = stationary_variance(bench(), k, steps, chains, draws)
    assert 1.96 * error <= 0.01
    # it is near 0.5 %, so that 1 % are 3.9 standard errors or more: 1e-4
    assert abs(ratio - 1) <= 0.01, (ratio, error)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("k", "steps", "chains", "draws"),
    [
        (0.1, 30_000, 600, 9),  # 3 relaxation times of the mean, 6 of the variance
        (1.0, 6000, 600, 9),
        (10.0, 3000, 300, 31),
    ],
)
def test_the_stationary_variance_stays_for_long(bench, k, steps, chains, draws) -> None:
    ratio, error = stationary_variance(bench(), k, steps, chains, draws)
    assert 1.96 * error <= 0.005
    assert abs(ratio - 1) <= 0.01, (ratio, error)


def fixed_point(bench, k: float, runs: int, steps: int = 300) -> tuple[float, float]:
    """The variance that steps leave as it is, over the exact one; its standard error.

    A line through z_n against z_0 has the slope b = a^n, and about it lies the variance R that n
    steps add, whatever the start: chains that are far from their law tell it,

        v = b^2 v + R  =  R / (1 - b^2),    (error of v / v)^2 = 2/N + (2 b / (1 - b^2))^2 R/(N S)

    over N walkers with starts of mean square S, here from one end of the reach to the other.
    """
    compiled = program(k)
    _, variance = stationary(compiled, 1.0)
    z0 = 0.8 * REACH[k] * np.cos(np.pi * (np.arange(UNITS) + 0.5) / UNITS)
    protocol = Protocol(1.0, [Segment(steps, KT, DT, measure=False)])
    z = np.concatenate(
        [
            bench.run(
                compiled, protocol, start=z0, chains=300, first_chain=300 * at, seed=43
            ).states[:, 0]
            for at in range(runs)
        ]
    )
    b = float((z @ z0).sum() / (len(z) * z0 @ z0))  # starts add up to 0
    R = float((z - z.mean() - b * z0).var())
    slope = 2 * b / (1 - b * b) * (R / (len(z) * float(z0 @ z0))) ** 0.5
    ratio = R / (1 - b * b) / variance
    return ratio, ratio * (2 / z.size + slope**2) ** 0.5


def test_the_smallest_steps_keep_the_right_variance(bench) -> None:
    ratio, error = fixed_point(bench(), 0.1, 12)
    # 921,600 walkers know it to 0.254 %, so that 1 % are 3.9 standard errors: 1e-4
    assert 3.9 * error <= 0.01
    assert abs(ratio - 1) <= 0.01, (ratio, error)


@pytest.mark.parametrize("fault", [{"noise": 1.04**0.5}, {"drift": 0.96}])
def test_a_bath_4_percent_too_warm_fails_at_the_smallest_steps(bench, fault) -> None:
    ratio, error = fixed_point(bench(**fault), 0.1, 3)
    # it is 1.04 to 0.5 %, 6 standard errors beyond the bar of the sound one
    assert ratio - 1 > 0.01, (ratio, error)
    assert abs(ratio - (1.04 if "noise" in fault else 1 / 0.96)) < 4.5 * error


def deviations(bench, k: float, mu: float, chains: int) -> tuple[float, float]:
    """Of mean and variance of chains that all start far out, 500 steps later; standard errors."""
    compiled, steps = program(k), 500
    mean, variance = stationary(compiled, mu)
    far = 0.9 * REACH[k]
    samples = bench.run(
        compiled,
        Protocol(mu, [Segment(steps, KT, DT, measure=False)]),
        start=far,
        chains=chains,
        seed=round(17 * k * 10),
    )
    left = (1 - mu * 2 * compiled.held.J2[0] * DT) ** steps
    wanted = variance * (1 - left**2)
    z = samples.states.ravel()
    at = (z.mean() - mean - left * (far - mean)) / (wanted / z.size) ** 0.5
    return float(at), float((z.var() / wanted - 1) / (2 / z.size) ** 0.5)


@pytest.mark.parametrize(("k", "mu"), [(0.1, 1.0), (1.0, 1.0), (10.0, 1.0), (0.1, 1.7)])
def test_the_drift_is_right_far_from_rest(bench, k: float, mu: float) -> None:
    # 65,536 walkers. At k = 0.1 the mean comes 0.73 nearer, known to 0.0027: the drift to 0.4 %;
    # the variance is known to 0.6 %. One of two deviations is beyond 4.5 with probability 1.4e-5
    assert np.abs(deviations(bench(), k, mu, 256)).max() < 4.5


@pytest.mark.parametrize(
    ("fault", "chains"),
    [
        ({"noise": 1.03**0.5}, 512),
        ({"drift": 0.5}, 32),
        ({"drift": 0.97}, 256),
        ({"drift": 1 / 1.7}, 32),
    ],
)
def test_a_wrong_bath_or_drift_is_seen(bench, fault: dict[str, float], chains: int) -> None:
    # 3 % too warm; half and 97 % of the drift; and mu = 1.7 in the noise alone
    assert np.abs(deviations(bench(**fault), 0.1, 1.7, chains)).max() > 4.5


def test_a_halved_drift_leaves_the_stationary_variance(bench) -> None:
    # it grows by 1 - exp(-mu k t) = 9.5 %, known here to 0.9 %
    ratio, error = stationary_variance(bench(drift=0.5), 0.1, 1000, 100, 1)
    assert ratio - 1 > 0.01 + 4 * error


@pytest.mark.sim
@pytest.mark.parametrize("k", sorted(BIAS))
def test_the_rtl_takes_the_same_small_steps(k: float) -> None:
    compiled = program(k)
    mean, variance = stationary(compiled, 1.0)
    request = compiled.request(
        Protocol(1.0, [Segment(300, KT, DT)]),
        start=mean,
        spread=variance**0.5,
        seed=31,
        trajectory=True,
        thin=20,
        draws=16,
    )
    found = []
    for uri in ("golden:?engines=langevin", "sim:?engines=langevin"):
        with open_device(uri) as device:
            device.load(compiled.program)
            found.append(device.run(request))
    golden, rtl = found
    assert golden.steps[-1] == 300
    assert (golden.states, golden.heat, golden.counters) == (rtl.states, rtl.heat, rtl.counters)

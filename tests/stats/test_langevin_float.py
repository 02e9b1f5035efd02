"""Langevin dynamics in float against theory: order of convergence, wells, currents, work.

Standard errors are of chains, which are independent; a mean may miss by 4 of them (6e-5 of all
normal draws do) unless a line says otherwise.
"""

from collections.abc import Callable

import numpy as np
import pytest

from gibbsite_models.energies.potential import Array, Potential
from gibbsite_models.exact.langevin import Well, gaussian, well
from gibbsite_models.langevin_float import Protocol, Segment, Trajectories, ramp, simulate

SIGMAS = 4


def coupled() -> Potential:
    """Three coupled units with biases, a force and a square constraint."""
    return Potential.build(
        3,
        J2=[0.5, 1.0, 1.5],
        b=[0.8, -0.5, 0.3],
        J={(0, 1): 0.4, (1, 2): -0.7},
        K=[[1, 1, -1]],
        d=0.5,
        lam=0.6,
        force=[0.3, 0, 0],
    )


def test_the_weak_order_of_a_coupled_well_is_one() -> None:
    # mean and variance a fixed time after a start far from rest, against continuous time
    p, mu, kT, time, chains = coupled(), 0.9, 0.6, 0.8, 500_000
    start, steps = np.array([6.0, -4.5, 3.0]), np.array([10, 16, 26])
    mean, covariance = gaussian(p, kT).relaxed(mu, time, start)
    errors = np.zeros((2, 3))
    for k, count in enumerate(steps):
        protocol = Protocol(mu, [Segment(int(count), kT, time / count)])
        z = simulate(p, protocol, chains, 4 + k, start=start).z
        errors[0, k] = mean[0] - z[:, 0].mean()
        errors[1, k] = z[:, 2].var() / covariance[2, 2] - 1
    # the recursion itself gives 0.12 to 0.044 and 0.142 to 0.049, orders 1.05 and 1.12; the noise,
    # 0.6/sqrt(5e5) = 0.0009 and sqrt(2/5e5) = 0.0020, moves them by 0.02 and 0.045
    order = -np.polyfit(np.log(steps), np.log(errors).T, 1)[0]
    assert np.abs(order - 1).max() < 0.25, (order, errors)


@pytest.mark.nightly
def test_the_weak_order_of_a_double_well_is_one() -> None:
    p, mu, kT = Potential.build(1, J2=-1.0, J4=0.5, b=0.8), 1.3, 0.7
    law, dts, errors = well(p, kT), np.array([0.01, 0.02, 0.04]), np.zeros((2, 3))
    for k, dt in enumerate(dts.tolist()):
        segments = [Segment(int(n / dt), kT, dt, measure=n > 10) for n in (10, 100)]
        found = simulate(p, Protocol(mu, segments), 20_000, 9 + k, moments=True, reach=1.5)
        errors[0, k] = found.mean.mean() - law.mean
        errors[1, k] = law.moment(2) - found.second[0, 0]
    # 20,000 chains of some 70 independent states: z and z^2 are known to 0.0006 of 0.007 to 0.032,
    # which moves the order by 0.06; the second order in dt adds 0.14
    order = np.polyfit(np.log(dts), np.log(errors).T, 1)[0]
    assert np.abs(order - 1).max() < 0.25, (order, errors)


@pytest.mark.parametrize(
    ("arguments", "kT"),
    [
        ({"J2": -1.5, "J4": 1.0, "b": 0.2}, 0.5),
        ({"J4": 0.3, "b": -0.6}, 1.8),
        ({"J2": 0.2, "b": 0.5, "K": [[1]], "d": 0.3, "lam": 2.0, "hinge": True}, 0.4),
    ],
)
def test_wells_against_quadrature(arguments: dict[str, float], kT: float) -> None:
    p, dt, chains = Potential.build(1, **arguments), 2e-3, 10_000
    law = well(p, kT)
    protocol = Protocol(1.5, [Segment(3000, kT, dt)])
    z = simulate(p, protocol, chains, 21, start=law.mean, start_sigma=law.variance**0.5, reach=2).z
    # a step shifts moments by order mu k dt / 2 relative: 1.5 * 6 * 0.002 / 2 < 1 % of a variance
    for order in (1, 2):
        values = (z[:, 0] - law.mean) ** order
        bound = SIGMAS * values.std() / chains**0.5 + 0.01 * law.variance ** (order / 2)
        assert abs(values.mean() - law.moment(order, law.mean)) < bound
    edges = np.concatenate(
        [[-np.inf], law.mean + law.variance**0.5 * np.linspace(-2, 2, 9), [np.inf]]
    )
    weight, change, second = at_dt(p, law, 1.5, kT, dt, edges)
    seen = np.histogram(z[:, 0], edges)[0] / chains
    assert (np.abs(seen - weight - change) < SIGMAS * np.sqrt(weight / chains) + second).all()
    # a bath 25 % too warm would be seen in these bins
    warm = well(p, 1.25 * kT).probability(edges) - weight
    assert (np.abs(warm) > SIGMAS * np.sqrt(weight / chains) + second).any()


def at_dt(
    p: Potential, law: Well, mu: float, kT: float, dt: float, edges: Array
) -> tuple[Array, Array, Array]:
    """Weights between edges, and how a step dt changes them to first and to second order.

    Euler-Maruyama is, to weak order 1, the diffusion with ``b' = b - dt/2 (b b_x + mu kT b_xx)``
    and ``D' = mu kT (1 - dt b_x)``, b = -mu V_x, whose density is the law's times 1 + g - <g>,

        g = mu dt (V_x^2 / (4 kT) - V_xx / 2).
    """
    x, weight = law.z, law.density * np.gradient(law.z)
    slope = p.gradient(x[:, None])[:, 0]
    g = mu * dt * (slope**2 / (4 * kT) - np.gradient(slope, x) / 2)
    g -= (weight * g).sum()
    parts = np.histogram(x, edges, weights=weight * g)[0]
    squares = np.histogram(x, edges, weights=weight * g * g)[0]
    return law.probability(edges), parts, squares


def gap(p: Potential, kT: float, mu: float, dt: float, tilt: float = 1.0) -> float:
    """The largest deviation of the covariance at dt from theory, in standard errors."""
    law, chains = gaussian(p, kT), 20_000
    protocol = Protocol(mu, [Segment(250, kT * tilt, dt)])
    z = simulate(p, protocol, chains, 5, start=law.mean).z
    exact = law.covariance_at(mu, dt)
    found = np.cov(z.T)
    error = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / chains)
    means = np.abs(z.mean(axis=0) - law.mean) / np.sqrt(np.diag(exact) / chains)
    return float(max((np.abs(found - exact) / error).max(), means.max()))


@pytest.mark.parametrize(("kT", "dt"), [(0.4, 0.2), (2.5, 0.1)])
def test_a_coupled_well_has_the_exact_law_at_its_dt(kT: float, dt: float) -> None:
    assert gap(coupled(), kT, 0.7, dt) < SIGMAS
    # 20,000 chains see a bath that is 5 % too warm
    assert gap(coupled(), kT, 0.7, dt, tilt=1.05) > SIGMAS


def test_no_current_flows_in_a_stationary_state() -> None:
    # the mean area that z_0 dz_1 - z_1 dz_0 sweeps is zero in equilibrium, and not under a curl
    p, mu, kT, dt, chains = coupled(), 0.8, 0.5, 0.02, 4000
    law = gaussian(p, kT)
    protocol = Protocol(mu, [Segment(200, kT, dt, measure=False), Segment(100, kT, dt)])
    z = simulate(p, protocol, chains, 3, start=law.mean, start_sigma=0.5, every=1).states[:, 200:]
    z = z - law.mean
    area = (z[:, :-1, 0] * z[:, 1:, 1] - z[:, :-1, 1] * z[:, 1:, 0]).sum(axis=1)
    assert abs(area.mean()) < SIGMAS * area.std() / chains**0.5
    curl = area + mu * dt * 0.2 * (z[:, :-1, 0] ** 2 + z[:, :-1, 1] ** 2).sum(axis=1)
    assert abs(curl.mean()) > SIGMAS * curl.std() / chains**0.5


def stiffen(p: Potential, kT: float, dt: float, forward: bool, chains: int) -> Trajectories:
    """Drive from soft to stiff or back, from equilibrium."""
    soft, stiff = (1, 1, 1, 1, 1, 0.0), (3.0, 1, 1, 1, 1, 1.0)
    ends = [Segment(1, kT, dt, soft), Segment(1, kT, dt, stiff)]
    first, last = ends if forward else ends[::-1]
    rest = Segment(int(8 / dt), kT, dt, first.strengths, measure=False)
    protocol = Protocol(1.0, [rest, *ramp(first, last, int(0.6 / dt))])
    return simulate(p, protocol, chains, 7 + forward, start_sigma=0.7, reach=2)


@pytest.mark.parametrize(
    ("arguments", "exact"),
    [
        ({"J2": 0.6, "b": 0.3, "force": 2.5}, gaussian),
        ({"J2": 0.4, "J4": 0.5, "b": 0.3, "force": 3.5}, well),
    ],
)
def test_work_obeys_jarzynski_and_crooks(
    arguments: dict[str, float], exact: Callable[..., object]
) -> None:
    p, kT, dt, chains = Potential.build(1, **arguments), 0.7, 0.01, 10_000
    soft, stiff = exact(p, kT, (1, 1, 1, 1, 1, 0)), exact(p, kT, (3, 1, 1, 1, 1, 1))
    change = stiff.free_energy - soft.free_energy
    forward, reverse = (stiffen(p, kT, dt, way, chains).work for way in (True, False))
    dissipated = float(forward.mean() - change)
    assert kT < dissipated < 3 * kT
    for work, sign in ((forward, 1), (reverse, -1)):
        weight = np.exp(-(work - sign * change) / kT)
        # dt = 0.01 changes the law by order mu k dt/2 with k up to 4: 2 %, of what is ln here
        assert abs(np.log(weight.mean())) < SIGMAS * weight.std() / chains**0.5 + 0.02
    assert abs(crossing(forward, reverse, kT) - change) < 0.05 * kT + SIGMAS * error_of(
        forward, reverse, kT
    )


def crossing(forward: Array, reverse: Array, kT: float) -> float:
    """Bennett's free energy from Crooks' relation, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        left = (1 / (1 + np.exp((forward - middle) / kT))).mean()
        right = (1 / (1 + np.exp((reverse + middle) / kT))).mean()
        low, high = (low, middle) if left > right else (middle, high)
    return (low + high) / 2


def error_of(forward: Array, reverse: Array, kT: float) -> float:
    """Its bootstrap error."""
    random, size = np.random.default_rng(1), forward.size
    found = [
        crossing(
            forward[random.integers(size, size=size)], reverse[random.integers(size, size=size)], kT
        )
        for _ in range(20)
    ]
    return float(np.std(found))

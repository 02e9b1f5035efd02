r"""Quartic single and double wells, and a hinge, in fixed point against quadrature.

At a small dt the law is ``exp(-V/kT)/Z`` by quadrature. At a larger one it is the fixed point of
the step itself,

    rho(z') = integral N(z'; z - mu dt V'(z), 2 mu kT dt) rho(z) dz,

which the trapezoid rule solves to all digits: a bias of the device cannot hide behind that of dt.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gibbsite_models.energies.potential import Potential
from gibbsite_models.exact.langevin import Well, well
from gibbsite_models.langevin_float import Protocol, Segment

MU, UNITS = 1.5, 16
CELLS = 12


@dataclass(frozen=True)
class Case:
    """A well of one unit; ``time`` is a few of its relaxation times."""

    kT: float
    terms: dict
    dt: float
    time: float

    def one(self) -> Potential:
        return Potential.build(1, **self.terms)

    def many(self) -> Potential:
        """Independent copies."""
        terms = dict(self.terms)
        if "K" in terms:
            terms["K"] = terms["K"][0][0] * np.eye(UNITS)
        return Potential.build(UNITS, **terms)


CASES = {
    "single": Case(1.8, {"J2": 0.2, "J4": 0.3, "b": -0.6}, 0.02, 2.0),
    "double": Case(0.5, {"J2": -1.5, "J4": 1.0, "b": 0.2}, 0.02, 6.0),
    "hinge": Case(
        0.4,
        {"J2": 0.4, "b": 0.5, "K": [[1.5]], "d": 0.3, "lam": 2.0, "hinge": True},
        0.1,
        4.0,
    ),
}


def at_a_step(one: Potential, kT: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """The stationary density of Euler-Maruyama at dt on a grid."""
    law = well(one, kT)
    spread = 5 * law.variance**0.5
    grid = np.linspace(law.mean - 1.6 * spread, law.mean + 1.6 * spread, 601)
    inside = (grid > law.z[0]) & (grid < law.z[-1])
    grid = grid[inside]
    ahead = grid - MU * dt * one.gradient(grid[:, None])[:, 0]
    kernel = np.exp(-((grid[:, None] - ahead) ** 2) / (4 * MU * kT * dt))
    kernel /= kernel.sum(axis=0)
    density = np.interp(grid, law.z, law.density)
    for _ in range(4):  # kernel^16 a turn: 64 steps
        kernel = kernel @ kernel
    for _ in range(200):
        density = kernel @ density
    return grid, density / np.trapezoid(density, grid)


def spread_out(law: Well) -> np.ndarray:
    """Starts of the units that cover the law: both wells get their share."""
    below = np.concatenate(
        [[0.0], np.cumsum((law.density[1:] + law.density[:-1]) / 2 * np.diff(law.z))]
    )
    return np.interp((np.arange(UNITS) + 0.5) / UNITS, below, law.z)


def held_one(bench, case: Case) -> Potential:
    """The first unit of what the program holds."""
    held = bench.compile(case.many()).held
    terms = {name: getattr(held, name)[:1] for name in ("J2", "J4", "b", "d", "lam", "hinge")}
    return Potential.build(1, **terms, K=held.K[:1, :1])


def drawn(bench, case: Case, dt: float, chains: int, time: float, seed: int = 5) -> np.ndarray:
    compiled = bench.compile(case.many())
    protocol = Protocol(MU, [Segment(round(time / dt), case.kT, dt, measure=False)])
    start = spread_out(well(case.one(), case.kT))
    return bench.run(compiled, protocol, start=start, chains=chains, seed=seed).states.ravel()


def moments(z: np.ndarray, centre: float) -> tuple[np.ndarray, np.ndarray]:
    """Means of z - c, its square and its fourth power, and their standard errors."""
    powers = np.stack([(z - centre) ** order for order in (1, 2, 4)])
    return powers.mean(axis=1), powers.std(axis=1) / z.size**0.5


def worst(z: np.ndarray, grid: np.ndarray, density: np.ndarray) -> float:
    """The largest deviation of moments and of the weight of cells, in standard errors."""
    centre = np.trapezoid(density * grid, grid)
    found, error = moments(z, centre)
    wanted = [np.trapezoid(density * (grid - centre) ** order, grid) for order in (1, 2, 4)]
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(grid))])
    edges = np.interp(np.arange(1, CELLS) / CELLS, below, grid)
    counts = np.bincount(np.searchsorted(edges, z), minlength=CELLS)
    cells = (counts / z.size - 1 / CELLS) / (1 / CELLS * (1 - 1 / CELLS) / z.size) ** 0.5
    return float(max(np.abs((found - wanted) / error).max(), np.abs(cells).max()))


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_well_has_the_law_of_its_steps(bench, name: str) -> None:
    case = CASES[name]
    held = held_one(bench(), case)
    z = drawn(bench(), case, case.dt, 4096, case.time)
    # 65,536 draws; the largest of 15 deviations is beyond 5 with probability 9e-6
    assert worst(z, *at_a_step(held, case.kT, case.dt)) < 5
    # and the step is large enough to matter: the law of dt -> 0 is refused
    law = well(held, case.kT)
    assert worst(z, law.z, law.density) > 5


@pytest.mark.parametrize("name", sorted(CASES))
def test_small_steps_reach_quadrature_and_halving_them_moves_nothing(bench, name: str) -> None:
    case, chains = CASES[name], 1024
    law = well(held_one(bench(), case), case.kT)
    found = []
    # a step of dt shifts a variance by mu k dt/2, up to 0.3 % here; 16,384 draws know it to 1.1 %
    for dt, seed in ((1e-3, 11), (5e-4, 12)):
        z = drawn(bench(), case, dt, chains, case.time / 4, seed)
        assert worst(z, law.z, law.density) < 5
        found.append(moments(z, law.mean))
    (one, error_one), (half, error_half) = found
    # three estimates: one moves beyond 4.5 standard errors of the difference with probability 2e-5
    assert (np.abs(one - half) < 4.5 * np.hypot(error_one, error_half)).all()


@pytest.mark.parametrize("fault", [{"drift": 0.5}, {"drift": 1 / MU}, {"noise": 1.05**0.5}])
def test_a_wrong_drift_mobility_or_bath_is_seen(bench, fault: dict[str, float]) -> None:
    case = CASES["single"]
    z = drawn(bench(**fault), case, case.dt, 8192, case.time)
    assert worst(z, *at_a_step(case.one(), case.kT, case.dt)) > 5


def test_a_quartic_term_three_percent_off_is_seen(bench) -> None:
    case = CASES["double"]
    z = drawn(
        bench(),
        Case(case.kT, case.terms | {"J4": 0.97}, case.dt, case.time),
        case.dt,
        4096,
        case.time,
    )
    assert worst(z, *at_a_step(case.one(), case.kT, case.dt)) > 5

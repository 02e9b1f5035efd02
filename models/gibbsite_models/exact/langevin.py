r"""Stationary laws of the langevin engine that are known exactly: Gaussians, and wells of one unit.

**Gaussian.** Without quartic terms and hinges ``V = V(m) + 1/2 (z - m).A (z - m)``, so that

    law exp(-V/kT):             mean m, covariance kT A^-1
    Euler-Maruyama at dt:       mean m, covariance kT A^-1 (1 - mu dt A/2)^-1
    free energy -kT ln Z:       V(m) - kT/2 ln((2 pi kT)^n / det A)

over the free units; a mode of curvature k has variance ``kT/(k (1 - mu k dt/2))`` at dt. V is
counted as `Potential.energy` counts it, constants of the constraints included.

**Well.** One free unit with any terms: density, moments and free energy by the trapezoid rule,
which converges faster than any power for a smooth V that grows at both ends; a hinge's kink leaves
an error of third order in the spacing.

Source: C. Gardiner, Handbook of Stochastic Methods, 2004, section 4.5 (Ornstein-Uhlenbeck);
L. Trefethen and J. Weideman, The exponentially convergent trapezoidal rule, 2014.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import TERMS, Array, Potential, require_clamps

__all__ = ["Gaussian", "Well", "gaussian", "well"]

POINTS = 20_001
"""Of the grid of a well: its spacing is near 1/1000 of the width that carries weight."""
DEPTH = 60.0
"""In units of kT above the minimum; beyond, a density below exp(-60) is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """The law of the free units ``units[f]``: ``mean[f]``, ``curvature[f, f]`` = A, V(mean), kT."""

    units: tuple[int, ...]
    mean: Array
    curvature: Array
    lowest: float
    kT: float

    @property
    def covariance(self) -> Array:
        """``kT A^-1``: of the law itself, and of dynamics in continuous time."""
        return np.asarray(self.kT * np.linalg.inv(self.curvature), dtype=np.float64)

    def covariance_at(self, mu: float, dt: float) -> Array:
        """Of Euler-Maruyama's stationary law at a finite dt.

        Raises: ProgramError where dt is not stable.
        """
        values, vectors = np.linalg.eigh(self.curvature)
        if mu * dt * values[-1] >= 2:
            raise ProgramError(
                f"dt must be below {2 / (mu * values[-1]):.6g} to have a stationary law and is "
                f"{dt:g}"
            )
        modes = self.kT / (values * (1 - mu * dt * values / 2))
        return np.asarray((vectors * modes) @ vectors.T)

    @property
    def free_energy(self) -> float:
        """``-kT ln Z``."""
        logarithm = float(np.linalg.slogdet(self.curvature)[1])
        size = self.mean.size
        return self.lowest - 0.5 * self.kT * (size * float(np.log(2 * np.pi * self.kT)) - logarithm)

    def relaxed(self, mu: float, time: float, start: Array) -> tuple[Array, Array]:
        """Mean and covariance in continuous time, a time after all chains were at ``start[f]``."""
        values, vectors = np.linalg.eigh(self.curvature)
        decay = np.exp(-mu * values * time)
        mean = self.mean + (vectors * decay) @ (vectors.T @ (start - self.mean))
        return mean, np.asarray((vectors * (self.kT / values * (1 - decay**2))) @ vectors.T)


def gaussian(
    potential: Potential,
    kT: float,
    strengths: ArrayLike | None = None,
    clamps: Mapping[int, float] | None = None,
) -> Gaussian:
    """The exact law of a potential without quartic terms and hinges (at these strengths).

    Raises: ProgramError where V is not quadratic or not normalizable, or kT is not above 0.
    """
    s = np.ones(len(TERMS)) if strengths is None else np.asarray(strengths, dtype=np.float64)
    _require_temperature(kT)
    if (s[1] * potential.J4).any() or (s[4] * potential.lam * potential.hinge).any():
        raise ProgramError(
            "a Gaussian law needs a potential without quartic terms and hinges and this one has "
            "some; use `well` for one unit, or a long run"
        )
    potential.check(s, clamps)
    pinned = require_clamps(potential, clamps)
    free = [i for i in range(potential.size) if i not in pinned]
    z = np.zeros(potential.size)
    z[list(pinned)] = list(pinned.values())
    A = potential.hessian(z, s)[np.ix_(free, free)]
    z[free] = -np.linalg.solve(A, potential.gradient(z, s)[free])
    return Gaussian(tuple(free), z[free], A, float(potential.energy(z, s)), kT)


@dataclass(frozen=True, slots=True, eq=False)
class Well:
    """The law of one free unit on a grid: ``z``, normalized ``density``, ``-kT ln Z`` and kT."""

    z: Array
    density: Array
    free_energy: float
    kT: float

    def average(self, values: Array) -> float:
        """The mean of a function that is given on the grid."""
        return float(np.trapezoid(self.density * values, self.z))

    def moment(self, order: int, about: float = 0.0) -> float:
        """The mean of ``(z - about)^order``."""
        return self.average((self.z - about) ** order)

    @property
    def mean(self) -> float:
        """The mean of z."""
        return self.moment(1)

    @property
    def variance(self) -> float:
        """The variance of z."""
        return self.moment(2, self.mean)

    def probability(self, edges: Array) -> Array:
        """The weight between neighbouring edges ``[k + 1]``: ``[k]``."""
        steps = 0.5 * (self.density[1:] + self.density[:-1]) * np.diff(self.z)
        return np.diff(np.interp(edges, self.z, np.concatenate([[0.0], np.cumsum(steps)])))


def well(
    potential: Potential,
    kT: float,
    strengths: ArrayLike | None = None,
    clamps: Mapping[int, float] | None = None,
) -> Well:
    """The exact law of a potential with one unit that is free.

    Raises: ProgramError where V has more free units or is not normalizable, or kT is not above 0.
    """
    pinned = require_clamps(potential, clamps)
    _require_temperature(kT)
    free = [i for i in range(potential.size) if i not in pinned]
    if len(free) != 1:
        raise ProgramError(f"a well has exactly 1 free unit and this one has {len(free)}")
    potential.check(strengths, clamps)

    def energy(values: Array) -> Array:
        z = np.zeros((values.size, potential.size))
        z[:, list(pinned)] = list(pinned.values())
        z[:, free[0]] = values
        return potential.energy(z, strengths)

    reach = 2.0 ** np.arange(-30, 31)
    rough = np.concatenate([-reach[::-1], [0.0], reach])
    inside = np.flatnonzero(energy(rough) < energy(rough).min() + DEPTH * kT)
    low, high = rough[max(inside[0] - 1, 0)], rough[min(inside[-1] + 1, rough.size - 1)]
    for _ in range(4):  # each pass narrows the grid to what carries weight, so that it resolves it
        grid = np.linspace(low, high, POINTS)
        values = energy(grid)
        inside = np.flatnonzero(values < values.min() + DEPTH * kT)
        low, high = grid[max(inside[0] - 1, 0)], grid[min(inside[-1] + 1, grid.size - 1)]
    weight = np.exp(-(values - values.min()) / kT)
    total = float(np.trapezoid(weight, grid))
    return Well(grid, weight / total, float(values.min()) - kT * float(np.log(total)), kT)


def _require_temperature(kT: float) -> None:
    if not (np.isfinite(kT) and kT > 0):
        raise ProgramError(f"a stationary law needs a finite kT above 0 and has {kT}")

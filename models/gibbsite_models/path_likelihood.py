r"""The likelihood of reverse paths, its gradient and heat, from sums over noising paths.

    -log P = sum_k sum_i (-dx_i + mu d_i V(x') dt)^2 / (4 mu kT dt) + constant,     dx = x' - x,

x' the END of noising step k, i over the free units; clamped ones are given. With
``r_i = (-dx_i + mu d_i V(x') dt) / (2 kT)`` its gradient is ``sum r_i`` for b_i, ``sum 2 r_i x'_i``
for J2_i, ``sum 4 r_i x'_i^3`` for J4_i and ``sum (r_i x'_j + r_j x'_i)`` for J_ij.

V is linear in its parameters, hence the loss quadratic: sums of products of ``(1, x', x'^3)`` and
dx over all paths give loss, heat and gradient at every parameter, exactly.

Source: S. Whitelam, Generative thermodynamic computing, arXiv:2506.15121.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential

__all__ = ["Gradient", "PathSums", "path_loss"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """One number for each parameter: ``J2, J4, b[n]`` and symmetric ``J[n, n]``.

    ``J[i, j] = J[j, i]`` is the derivative by the one parameter J_ij of the pair.
    """

    J2: Array
    J4: Array
    b: Array
    J: Array

    def dot(self, other: "Gradient") -> float:
        """The inner product over parameters; a pair counts once."""
        own, others = (self.J2, self.J4, self.b), (other.J2, other.J4, other.b)
        return float(sum(a @ b for a, b in zip(own, others, strict=True))) + 0.5 * float(
            (self.J * other.J).sum()
        )

    def plus(self, factor: float, other: "Gradient") -> "Gradient":
        """``self + factor other``."""
        return Gradient(
            self.J2 + factor * other.J2,
            self.J4 + factor * other.J4,
            self.b + factor * other.b,
            self.J + factor * other.J,
        )

    def over(self, other: "Gradient") -> "Gradient":
        """``self / other`` number by number."""
        return Gradient(self.J2 / other.J2, self.J4 / other.J4, self.b / other.b, self.J / other.J)


@dataclass(frozen=True, slots=True, eq=False)
class PathSums:
    """Sums over all steps of all paths, a path: what loss, heat and gradient need to know of them.

    With ``phi(x) = (1, x, x^3)``, 2 n + 1 numbers: ``phi_phi = sum phi(x') phi(x')^T``,
    ``dx_after = sum dx phi(x')^T``, ``dx_before = sum dx phi(x)^T``, ``dx_dx[n] = sum dx^2``.
    All steps have one mu, kT and dt. Add with `plus`, which sums ``paths`` too.
    """

    mu: float
    kT: float
    dt: float
    paths: int
    phi_phi: Array
    dx_after: Array
    dx_before: Array
    dx_dx: Array

    @classmethod
    def of(cls, paths: ArrayLike, mu: float, kT: float, dt: float) -> "PathSums":
        """Of noising paths ``paths[path, step, n]``, the data first.

        Raises: ProgramError for a wrong shape, numbers that are not finite, mu, kT or dt not
        above 0.
        """
        x = np.asarray(paths, dtype=np.float64)
        if x.ndim != 3 or x.shape[1] < 2 or x.shape[0] < 1:
            raise ProgramError(
                f"noising paths must have shape [paths, 2 states or more, units] and have {x.shape}"
            )
        if not np.isfinite(x).all():
            raise ProgramError("noising paths must be finite and hold numbers that are not")
        for name, value in (("mu", mu), ("kT", kT), ("dt", dt)):
            if not (np.isfinite(value) and value > 0):
                raise ProgramError(f"{name} of noising paths must be above 0 and is {value}")
        n = x.shape[2]
        before, after = x[:, :-1].reshape(-1, n), x[:, 1:].reshape(-1, n)
        dx, phi = after - before, _features(after)
        return cls(
            mu,
            kT,
            dt,
            len(x),
            phi.T @ phi,
            dx.T @ phi,
            dx.T @ _features(before),
            (dx * dx).sum(axis=0),
        )

    def plus(self, other: "PathSums") -> "PathSums":
        """The sums of both sets of paths."""
        return replace(
            self,
            paths=self.paths + other.paths,
            phi_phi=self.phi_phi + other.phi_phi,
            dx_after=self.dx_after + other.dx_after,
            dx_before=self.dx_before + other.dx_before,
            dx_dx=self.dx_dx + other.dx_dx,
        )

    def loss(self, potential: Potential, free: Mask) -> float:
        """``-log P`` a path without its constant."""
        F = _force_matrix(potential)
        rate = self.mu * self.dt
        square = self.dx_dx - 2 * rate * (F * self.dx_after).sum(axis=1)
        square += rate**2 * ((F @ self.phi_phi) * F).sum(axis=1)
        return float(square[free].sum()) / (4 * rate * self.kT * self.paths)

    def gradient(self, potential: Potential, free: Mask) -> Gradient:
        """The loss's derivative by every parameter of V."""
        r_phi = self.mu * self.dt * (_force_matrix(potential) @ self.phi_phi) - self.dx_after
        return _parameters(r_phi * (free / (2 * self.kT * self.paths))[:, None])

    def curved(self, direction: Gradient, free: Mask) -> Gradient:
        """The Hessian of the loss times a direction in the space of parameters."""
        r_phi = self.mu * self.dt * (_matrix(direction) @ self.phi_phi)
        return _parameters(r_phi * (free / (2 * self.kT * self.paths))[:, None])

    def scale(self, free: Mask) -> Gradient:
        """The Hessian's diagonal, the preconditioner; 1 where it is 0."""
        n = len(free)
        d = np.diag(self.phi_phi) * self.mu * self.dt / (2 * self.kT * self.paths)
        x2, x6 = d[1 : n + 1], d[n + 1 :]
        J = np.outer(free, x2) + np.outer(x2, free)
        g = Gradient(4 * x2 * free, 16 * x6 * free, d[0] * free, J)
        return Gradient(*(np.where(v > 0, v, 1.0) for v in (g.J2, g.J4, g.b, g.J)))

    def heat(self, potential: Potential) -> float:
        """Heat in units of kT that a path gives to the bath on its way back, by Stratonovich.

        ``Q = sum 1/2 (grad V(x') + grad V(x)).dx``; clamped units have dx = 0.
        """
        both = self.dx_after + self.dx_before
        return float((_force_matrix(potential) * both).sum()) / (2 * self.kT * self.paths)

    def heat_gradient(self) -> Gradient:
        """The derivative of `heat` by every parameter; heat is linear in them."""
        return _parameters((self.dx_after + self.dx_before) / (2 * self.kT * self.paths))


def path_loss(
    potential: Potential, paths: ArrayLike, mu: float, kT: float, dt: float, free: ArrayLike
) -> float:
    """``-log P`` a path, straight from its definition: the slow twin of `PathSums.loss`."""
    x = np.asarray(paths, dtype=np.float64)
    dx, after = np.diff(x, axis=1), x[:, 1:]
    residual = -dx + mu * dt * potential.gradient(after)
    square = (residual**2)[..., np.asarray(free, dtype=bool)].sum()
    return float(square) / (4 * mu * kT * dt * len(x))


def _features(x: Array) -> Array:
    return np.concatenate([np.ones((len(x), 1)), x, x**3], axis=1)


def _matrix(p: Gradient | Potential) -> Array:
    """F with ``grad V(x) = F phi(x)``, ``[n, 2 n + 1]``."""
    n = len(p.b)
    F = np.zeros((n, 2 * n + 1))
    F[:, 0], F[:, 1 : n + 1] = p.b, p.J
    i = np.arange(n)
    F[i, 1 + i] += 2 * p.J2
    F[i, 1 + n + i] += 4 * p.J4
    return F


def _force_matrix(potential: Potential) -> Array:
    if potential.rows or potential.force.any():
        raise ProgramError(
            "training knows J2, J4, b and J; train without constraints and forces, add them after"
        )
    return _matrix(potential)


def _parameters(G: Array) -> Gradient:
    """From derivatives by F to those by parameters."""
    n = len(G)
    i = np.arange(n)
    pairs = G[:, 1 : n + 1] + G[:, 1 : n + 1].T
    pairs[i, i] = 0
    return Gradient(2 * G[i, 1 + i], 4 * G[i, 1 + n + i], G[:, 0].copy(), pairs)

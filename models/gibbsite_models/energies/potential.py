r"""The potential of the langevin engine, its gradient, Hessian and limits, in float.

    V(z; c) = sum_i (J2_i z_i^2 + J4_i z_i^4 + b_i z_i) + sum_(i<j) J_ij z_i z_j
            + sum_a lambda_a phi(k_a.z - d_a) - sum_i f_i z_i,

phi(r) is ``r^2`` or, for a hinge, ``max(r, 0)^2``. A schedule weighs the six terms, in the order of
`TERMS`, by strengths: ``V(z; s) = sum_m s_m V_m(z)``. The law it is sampled from is
``exp(-V / kT)``. Conditions c are b, d, lambda and clamped units; J2, J4, J and k are couplings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.normalizable import unheld_direction

__all__ = ["TERMS", "Array", "Condition", "Potential"]

Array = NDArray[np.float64]

TERMS = ("quadratic", "quartic", "bias", "coupling", "constraint", "force")
"""The terms of V in the order of strengths, of `Potential.terms` and of `Potential.forces`."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """What may be streamed without touching couplings: full arrays, or None to keep what stands.

    ``clamps`` maps a unit to the value at which it is held.
    """

    bias: Array | None = None
    d: Array | None = None
    lam: Array | None = None
    clamps: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Potential:
    """``V(z; c)`` over n units and m constraints; arrays float64, read-only.

    ``J2, J4, b, force[n]``, ``J[n, n]`` symmetric with zero diagonal, ``K[m, n]``, ``d, lam[m]``,
    ``hinge[m]`` bool, ``names[n]``. `build` fills in what is not given.

    Raises: ProgramError for wrong shapes, numbers that are not finite, an asymmetric J.
    """

    J2: Array
    J4: Array
    b: Array
    J: Array
    K: Array
    d: Array
    lam: Array
    hinge: NDArray[np.bool_]
    force: Array
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        n, m = np.shape(self.J2)[0] if np.ndim(self.J2) == 1 else -1, np.shape(self.K)[0]
        if n < 1:
            raise ProgramError(
                f"J2 must be one number a unit, at least 1, and has shape {np.shape(self.J2)}"
            )
        shapes = {"J2": (n,), "J4": (n,), "b": (n,), "J": (n, n), "K": (m, n), "d": (m,)}
        shapes |= {"lam": (m,), "force": (n,), "hinge": (m,)}
        for name, shape in shapes.items():
            value = np.array(getattr(self, name), dtype=bool if name == "hinge" else np.float64)
            if value.shape != shape:
                raise ProgramError(
                    f"{name} must have shape {shape} for {n} units and {m} constraints and has "
                    f"{value.shape}"
                )
            if not np.isfinite(value).all():
                at = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
                raise ProgramError(f"{name}{list(at)} is {value[at]}; all numbers must be finite")
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if (self.J != self.J.T).any() or np.diag(self.J).any():
            i, j = (
                int(k) for k in np.argwhere((self.J != self.J.T) | (np.eye(n) * self.J != 0))[0]
            )
            raise ProgramError(
                f"J must be symmetric with zero diagonal and holds J[{i},{j}] = {self.J[i, j]}, "
                f"J[{j},{i}] = {self.J[j, i]}; give (J + J.T)/2 and put the diagonal into J2"
            )
        if len(self.names) != n or len(set(self.names)) != n:
            raise ProgramError(f"{n} units need {n} different names, {len(self.names)} were given")

    @classmethod
    def build(
        cls,
        n: int,
        J2: ArrayLike = 0.0,
        J4: ArrayLike = 0.0,
        b: ArrayLike = 0.0,
        J: ArrayLike | Mapping[tuple[int, int], float] | None = None,
        K: ArrayLike | None = None,
        d: ArrayLike = 0.0,
        lam: ArrayLike = 1.0,
        hinge: ArrayLike = False,
        force: ArrayLike = 0.0,
        names: Sequence[str] | None = None,
    ) -> "Potential":
        """The potential of n units; a scalar stands for all units or constraints.

        ``J`` is a symmetric array or a mapping (i, j) -> J_ij of pairs.
        """
        pairs = J if isinstance(J, Mapping) else {}
        coupling = np.zeros((n, n)) if J is None or isinstance(J, Mapping) else np.array(J, float)
        for (i, j), value in pairs.items():
            if not (0 <= i < n and 0 <= j < n and i != j):
                raise ProgramError(f"a coupling joins units {i} and {j}; units are 0 to {n - 1}")
            coupling[i, j] += value
            coupling[j, i] += value
        rows = np.zeros((0, n)) if K is None else np.array(K, dtype=np.float64)
        m = rows.shape[0]

        def filled(value: ArrayLike, size: int) -> Array:
            array = np.array(value, dtype=np.float64)
            return np.full(size, float(array)) if array.ndim == 0 else array

        return cls(
            filled(J2, n),
            filled(J4, n),
            filled(b, n),
            coupling,
            rows,
            filled(d, m),
            filled(lam, m),
            filled(hinge, m).astype(bool),
            filled(force, n),
            tuple(names) if names is not None else tuple(f"z{i}" for i in range(n)),
        )

    @property
    def size(self) -> int:
        """The number of units."""
        return int(self.J2.size)

    @property
    def rows(self) -> int:
        """The number of constraints."""
        return int(self.d.size)

    def residuals(self, z: Array) -> Array:
        """``phi``'s argument, ``k_a.z - d_a`` and for hinges its positive part: ``[..., m]``."""
        r = z @ self.K.T - self.d
        return np.where(self.hinge, np.maximum(r, 0), r)

    def terms(self, z: Array) -> Array:
        """Energies of the terms at states ``z[..., n]``: ``[..., 6]``."""
        square = z * z
        return np.stack(
            [
                square @ self.J2,
                (square * square) @ self.J4,
                z @ self.b,
                0.5 * ((z @ self.J) * z).sum(axis=-1),
                (self.residuals(z) ** 2) @ self.lam,
                -(z @ self.force),
            ],
            axis=-1,
        )

    def energy(self, z: Array, strengths: ArrayLike | None = None) -> Array:
        """``V(z; s)`` of states ``z[..., n]``: ``[...]``."""
        result: Array = self.terms(z) @ _strengths(strengths)
        return result

    def forces(self, z: Array) -> Array:
        """Gradients of the terms, uphill, at states ``z[..., n]``: ``[..., 6, n]``."""
        return np.stack(
            [
                2 * self.J2 * z,
                4 * self.J4 * z**3,
                np.broadcast_to(self.b, z.shape),
                z @ self.J,
                (2 * self.lam * self.residuals(z)) @ self.K,
                np.broadcast_to(-self.force, z.shape),
            ],
            axis=-2,
        )

    def gradient(self, z: Array, strengths: ArrayLike | None = None) -> Array:
        """``grad V(z; s)`` at states ``z[..., n]``: ``[..., n]``."""
        s = _strengths(strengths)
        linear = s[2] * self.b - s[5] * self.force
        result = np.asarray((2 * s[0] * self.J2 + (4 * s[1] * self.J4) * (z * z)) * z)
        result += linear
        if s[3]:
            result += s[3] * (z @ self.J)
        if self.rows and s[4]:
            result += (2 * s[4] * self.lam * self.residuals(z)) @ self.K
        return result

    def hessian(self, z: Array, strengths: ArrayLike | None = None) -> Array:
        """Second derivatives at ``z[..., n]``: ``[..., n, n]``; a hinge counts where r > 0."""
        s = _strengths(strengths)
        active = ~self.hinge | (z @ self.K.T > self.d)
        weights = 2 * s[4] * self.lam * active
        diagonal = 2 * s[0] * self.J2 + 12 * s[1] * self.J4 * z * z
        pairs = s[3] * self.J + np.einsum("...a,ai,aj->...ij", weights, self.K, self.K)
        return np.asarray(pairs + diagonal[..., None] * np.eye(self.size))

    def laplacian(self, z: Array, strengths: ArrayLike | None = None) -> Array:
        """The trace of the Hessian at states ``z[..., n]``: ``[...]``."""
        s = _strengths(strengths)
        active = ~self.hinge | (z @ self.K.T > self.d)
        wells = (2 * s[0] * self.J2 + 12 * s[1] * self.J4 * z * z).sum(axis=-1)
        result: Array = wells + active @ (2 * s[4] * self.lam * (self.K**2).sum(axis=1))
        return result

    def conditioned(self, condition: Condition) -> "Potential":
        """This potential under other conditions; couplings stay, clamps are the caller's to pass.

        Raises: ProgramError for arrays of the wrong shape and clamps on units that do not exist.
        """
        require_clamps(self, condition.clamps)
        return replace(
            self,
            b=self.b if condition.bias is None else condition.bias,
            d=self.d if condition.d is None else condition.d,
            lam=self.lam if condition.lam is None else condition.lam,
        )

    def largest_curvature(self, reach: float, strengths: ArrayLike | None = None) -> float:
        """An upper bound of the Hessian's eigenvalues over ``|z_i| <= reach``.

        The largest eigenvalue grows with every positive semidefinite part, so that of all hinges
        active and every z_i^2 at ``reach^2`` bounds it; what a strength makes negative counts 0.
        """
        s = _strengths(strengths)
        quartic = 12 * np.maximum(s[1] * self.J4, 0) * reach * reach
        stiffness = 2 * s[4] * self.lam
        stiffness = np.where(self.hinge, np.maximum(stiffness, 0), stiffness)
        top = s[3] * self.J + (self.K.T * stiffness) @ self.K
        top = top + np.diag(2 * s[0] * self.J2 + quartic)
        return float(np.linalg.eigvalsh(top)[-1])

    def largest_stable_dt(
        self, mu: float, reach: float, strengths: ArrayLike | None = None
    ) -> float:
        """``2 / (mu h)`` with h of `largest_curvature`; Euler-Maruyama is stable below it."""
        curvature = self.largest_curvature(reach, strengths)
        return 2 / (mu * curvature) if curvature > 0 else float("inf")

    def check(
        self, strengths: ArrayLike | None = None, clamps: Mapping[int, float] | None = None
    ) -> None:
        """Refuse what cannot be sampled: ``exp(-V/kT)`` must be normalizable over the free units.

        The argument is `gibbsite_models.energies.normalizable`'s.

        Raises: ProgramError for negative J4 or lambda, and for a V that is unbounded below or not
        normalizable, naming the unit that is most involved.
        """
        s, pinned = _strengths(strengths), dict(clamps or {})
        require_clamps(self, pinned)
        for name, values in (("J4", s[1] * self.J4), ("lambda", s[4] * self.lam)):
            if (values < 0).any():
                at = int(np.argmax(values < 0))
                raise ProgramError(
                    f"{name} must be at least 0 and is {values[at]:g} at {at}; V would be unbounded"
                )
        value = np.zeros(self.size)
        value[list(pinned)] = list(pinned.values())
        free = np.array([i not in pinned for i in range(self.size)])
        stiffness = s[4] * self.lam
        square, hinge = ~self.hinge & (stiffness > 0), self.hinge & (stiffness > 0)
        K, weight = self.K[square], 2 * stiffness[square]
        full = s[3] * self.J + (K.T * weight) @ K + np.diag(2 * s[0] * self.J2)
        linear = s[2] * self.b - s[5] * self.force - (weight * self.d[square]) @ K + full @ value
        x, y = free & ~(s[1] * self.J4 > 0), free & (s[1] * self.J4 > 0)
        found = unheld_direction(
            full[np.ix_(x, x)], linear[x], full[np.ix_(x, y)], self.K[hinge][:, x], stiffness[hinge]
        )
        if found is not None:
            direction, reason = found
            unit = int(np.flatnonzero(x)[np.abs(direction).argmax()])
            raise ProgramError(
                f"the potential must be bounded below and normalizable and is not: there is a "
                f"direction, most of it unit {unit} ({self.names[unit]}), where {reason}; "
                f"give it J2 or J4 > 0, or constraints that close it"
            )


def require_clamps(potential: Potential, clamps: Mapping[int, float]) -> None:
    """Refuse clamps on units that do not exist and at values that are not finite."""
    for unit, value in clamps.items():
        if not 0 <= unit < potential.size:
            raise ProgramError(
                f"a clamp names unit {unit}; units are 0 to {potential.size - 1}, clamp one of them"
            )
        if not np.isfinite(value):
            raise ProgramError(f"unit {unit} is clamped at {value}; give a finite value")


def _strengths(strengths: ArrayLike | None) -> Array:
    if strengths is None:
        return np.ones(len(TERMS))
    result = np.array(strengths, dtype=np.float64)
    if result.shape != (len(TERMS),) or not np.isfinite(result).all():
        raise ProgramError(
            f"strengths must be {len(TERMS)} finite numbers, one for each of {', '.join(TERMS)}, "
            f"and are {strengths!r}"
        )
    return result

r"""The potential of the langevin engine, its gradient, Hessian and limits, in float.

    V(z; c) = sum_i (J2_i z_i^2 + J4_i z_i^4 + b_i z_i) + sum_(i<j) J_ij z_i z_j
            + sum_a lambda_a phi(k_a.z - d_a) - sum_i f_i z_i,

phi(r) is ``r^2`` or, for a hinge, ``max(r, 0)^2``. A schedule weighs the six terms, in the order of
`TERMS`, by strengths: ``V(z; s) = sum_m s_m V_m(z)``. The law it is sampled from is
``exp(-V / kT)``. Conditions c are b, d, lambda and clamped units; J2, J4, J and k are couplings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import (
    clamped,
    count,
    different_names,
    filled,
    flags,
    number,
    numbers,
    one_a_unit,
    states,
    symmetric,
)
from gibbsite_models.energies.conditions import TERMS, Condition, require_strengths
from gibbsite_models.energies.normalizable import unheld_unit
from gibbsite_models.energies.potential_arrays import require_arrays

__all__ = ["TERMS", "Array", "Condition", "Potential", "require_clamps"]

Array = NDArray[np.float64]


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
        arrays: dict[str, Array | NDArray[np.bool_]] = {}
        for name in ("J2", "J4", "b", "J", "K", "d", "lam", "force", "hinge"):
            value = (flags if name == "hinge" else numbers)(name, getattr(self, name))
            value.setflags(write=False)
            object.__setattr__(self, name, value)
            arrays[name] = value
        n = require_arrays(arrays)
        object.__setattr__(self, "names", different_names(self.names, n))

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

        ``J`` is a symmetric array or a mapping (i, j) -> J_ij of pairs, each given once: (0, 1)
        and (1, 0) are one pair.

        Raises: ProgramError for what is no number and pairs given twice, besides what the class
        refuses.
        """
        n = count("n", n)
        coupling = symmetric("J", n, J)
        rows = np.zeros((0, n)) if K is None else numbers("K", K)
        m = len(rows) if rows.ndim == 2 else 0
        return cls(
            one_a_unit("J2", J2, n),
            filled("J4", J4, n),
            filled("b", b, n),
            coupling,
            rows,
            filled("d", d, m),
            filled("lam", lam, m),
            flags("hinge", filled("hinge", hinge, m)),
            filled("force", force, n),
            tuple(f"z{i}" for i in range(n)) if names is None else different_names(names, n),
        )

    @property
    def size(self) -> int:
        """The number of units."""
        return int(self.J2.size)

    @property
    def rows(self) -> int:
        """The number of constraints."""
        return int(self.d.size)

    def _free(self, clamps: Mapping[int, float]) -> NDArray[np.bool_]:
        """Which units ``[n]`` no clamp holds."""
        free = np.ones(self.size, dtype=bool)
        free[list(clamps)] = False
        return free

    def residuals(self, z: Array) -> Array:
        """``phi``'s argument, ``k_a.z - d_a`` and for hinges its positive part: ``[..., m]``."""
        r = z @ self.K.T - self.d
        return np.where(self.hinge, np.maximum(r, 0), r)

    def terms(self, z: ArrayLike) -> Array:
        """Energies of the terms at states ``z[..., n]``: ``[..., 6]``.

        Raises: ProgramError, here and wherever states are taken, for another last dimension.
        """
        z = states(z, self.size)
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

    def energy(self, z: ArrayLike, strengths: ArrayLike | None = None) -> Array:
        """``V(z; s)`` of states ``z[..., n]``: ``[...]``."""
        result: Array = self.terms(z) @ require_strengths(strengths)
        return result

    def forces(self, z: ArrayLike) -> Array:
        """Gradients of the terms, uphill, at states ``z[..., n]``: ``[..., 6, n]``."""
        z = states(z, self.size)
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

    def gradient(self, z: ArrayLike, strengths: ArrayLike | None = None) -> Array:
        """``grad V(z; s)`` at states ``z[..., n]``: ``[..., n]``."""
        z, s = states(z, self.size), require_strengths(strengths)
        linear = s[2] * self.b - s[5] * self.force
        result = np.asarray((2 * s[0] * self.J2 + (4 * s[1] * self.J4) * (z * z)) * z)
        result += linear
        if s[3]:
            result += s[3] * (z @ self.J)
        if self.rows and s[4]:
            result += (2 * s[4] * self.lam * self.residuals(z)) @ self.K
        return result

    def hessian(self, z: ArrayLike, strengths: ArrayLike | None = None) -> Array:
        """Second derivatives at ``z[..., n]``: ``[..., n, n]``; a hinge counts where r > 0."""
        z, s = states(z, self.size), require_strengths(strengths)
        active = ~self.hinge | (z @ self.K.T > self.d)
        weights = 2 * s[4] * self.lam * active
        diagonal = 2 * s[0] * self.J2 + 12 * s[1] * self.J4 * z * z
        pairs = s[3] * self.J + np.einsum("...a,ai,aj->...ij", weights, self.K, self.K)
        return np.asarray(pairs + diagonal[..., None] * np.eye(self.size))

    def laplacian(self, z: ArrayLike, strengths: ArrayLike | None = None) -> Array:
        """The trace of the Hessian at states ``z[..., n]``: ``[...]``."""
        z, s = states(z, self.size), require_strengths(strengths)
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

    def largest_curvature(
        self,
        reach: float,
        strengths: ArrayLike | None = None,
        clamps: Mapping[int, float] | None = None,
    ) -> float:
        """An upper bound of the Hessian's eigenvalues over ``|z_i| <= reach``, free units only.

        The largest eigenvalue grows with every positive semidefinite part, so that of all hinges
        active and every z_i^2 at ``reach^2`` bounds it; what a strength makes negative counts 0.
        A clamped unit does not move: its row and column are left out; 0 where no unit is free.

        Raises: ProgramError for a reach below 0 and for clamps and strengths that are none.
        """
        s, free = require_strengths(strengths), self._free(require_clamps(self, clamps))
        if not free.any():
            return 0.0
        quartic = 12 * np.maximum(s[1] * self.J4, 0) * number("reach", reach, least=0) ** 2
        stiffness = 2 * s[4] * self.lam
        stiffness = np.where(self.hinge, np.maximum(stiffness, 0), stiffness)
        K = self.K[:, free]
        top = s[3] * self.J[np.ix_(free, free)] + (K.T * stiffness) @ K
        top = top + np.diag((2 * s[0] * self.J2 + quartic)[free])
        return float(np.linalg.eigvalsh(top)[-1])

    def largest_stable_dt(
        self,
        mu: float,
        reach: float,
        strengths: ArrayLike | None = None,
        clamps: Mapping[int, float] | None = None,
    ) -> float:
        """``2 / (mu h)`` with h of `largest_curvature`; Euler-Maruyama is stable below it."""
        curvature = self.largest_curvature(reach, strengths, clamps)
        return 2 / (number("mu", mu, above=0) * curvature) if curvature > 0 else float("inf")

    def check(
        self, strengths: ArrayLike | None = None, clamps: Mapping[int, float] | None = None
    ) -> None:
        """Refuse what cannot be sampled: ``exp(-V/kT)`` must be normalizable over the free units.

        The argument is `gibbsite_models.energies.normalizable`'s.

        Raises: ProgramError for negative J4 or lambda, and for a V that is unbounded below or not
        normalizable, naming the unit that is most involved.
        """
        s, pinned = require_strengths(strengths), require_clamps(self, clamps)
        for name, values in (("J4", s[1] * self.J4), ("lambda", s[4] * self.lam)):
            if (values < 0).any():
                at = int(np.argmax(values < 0))
                raise ProgramError(
                    f"{name} must be at least 0 and is {values[at]:g} at {at}; V would be "
                    "unbounded, give it the other sign"
                )
        found = unheld_unit(
            s[0] * self.J2,
            s[1] * self.J4,
            [s[2] * self.b, -s[5] * self.force],
            s[3] * self.J,
            self.K,
            self.d,
            s[4] * self.lam,
            self.hinge,
            pinned,
        )
        if found is not None:
            unit, reason = found
            raise ProgramError(
                f"the potential must be bounded below and normalizable and is not: there is a "
                f"direction, most of it unit {unit} ({self.names[unit]}), where {reason}; "
                f"give it J2 or J4 > 0, or constraints that close it"
            )


def require_clamps(
    potential: Potential, clamps: Mapping[int, float] | None = None
) -> dict[int, float]:
    """Clamps as a dict of ints and floats.

    Raises: ProgramError for units that do not exist and values that are not finite.
    """
    return clamped(clamps, potential.size)

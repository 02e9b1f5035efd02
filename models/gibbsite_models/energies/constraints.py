r"""Energies that are made of penalties, with penalties as data and strengths that may be learned.

    V(z; c) = sum_(linear a) w_a k_a.z + sum_(row a) lambda_a phi(s_a (k_a.z - d_a/scale)),

one penalty a row: ``k_a.v <= d_a`` and ``>=`` are hinges, s = +1 and -1, ``k_a.v = d_a`` a square.
Values ``v = scale z`` are in the problem's own unit, z is what the engine holds. What
a row says is a `gibbsite_models.energies.penalties.Penalty`.

**Learning lambda.** At rest, a hard row is pushed by the rest of V with a force that does not
depend on its own stiffness, ``2 lambda_a v_a = p_a``: its violation v_a is ``p_a / (2 lambda_a)``.
So, with the mean violation over samples and the tolerance t of the plan, `ConstraintEnergy.tighten`
sets

    lambda_a <- min(largest, lambda_a clip(v_a / t, 1, growth))

for rows that may be learned, which brings v_a to t in one step where growth allows, and never
softens. (The part of v_a that is thermal, of order ``sqrt(kT/lambda)``, takes the square: use
samples of the cold end.) A penalty with ``learnable=False``, and soft ones by default, keep theirs.

Source: D. Bertsekas, Constrained Optimization and Lagrange Multiplier Methods, 1982, section 2.1
(the quadratic penalty and its multipliers).
"""

import copy
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import (
    amounts,
    different_names,
    instances,
    number,
    numbers,
    states,
)
from gibbsite_models.energies.penalties import KINDS, Penalty
from gibbsite_models.energies.potential import Array, Condition, Potential

__all__ = ["ConstraintEnergy"]


class ConstraintEnergy:
    """Named variables under penalties; `potential` is what the engine runs.

    ``rows`` are the penalties with a row, in order; ``lam[m]`` their current strengths. Variables
    are units in the order of ``names``.

    Raises: ProgramError for unknown kinds and variables, labels used twice, numbers that are not
    finite, strengths below 0, rows without a variable.
    """

    def __init__(
        self, names: Sequence[str], penalties: Sequence[Penalty], scale: float = 1.0
    ) -> None:
        self.names = different_names(names)
        self.scale = number("the scale", scale, above=0)
        penalties = instances("penalties", penalties, Penalty)
        self._place = {name: i for i, name in enumerate(self.names)}
        labels = set[str]()
        for penalty in penalties:
            self._require(penalty, labels)
            labels.add(penalty.label)
        self.rows = tuple(p for p in penalties if p.rule.sense != "linear")
        self._row = {penalty.label: a for a, penalty in enumerate(self.rows)}
        self.bias = np.zeros(len(self.names))
        for penalty in penalties:
            if penalty.rule.sense == "linear":
                self.bias += penalty.weight * self._vector(penalty.coefficients)
        signs = np.array([-1.0 if p.rule.sense == ">=" else 1.0 for p in self.rows])
        vectors = [self._vector(penalty.coefficients) for penalty in self.rows]
        self._K = signs[:, None] * np.array(vectors).reshape(-1, len(self.names))
        self._d = signs * [penalty.bound / self.scale for penalty in self.rows]
        self.lam = np.array([penalty.weight for penalty in self.rows], dtype=np.float64)
        self.hinge = np.array([penalty.rule.sense != "=" for penalty in self.rows], dtype=bool)
        self.hard = np.array([penalty.rule.hard for penalty in self.rows], dtype=bool)
        self.learnable = np.array(
            [p.rule.hard if p.learnable is None else p.learnable for p in self.rows], dtype=bool
        )

    @property
    def active(self) -> NDArray[np.bool_]:
        """The rows ``[m]`` that count; a subclass may hold rows that conditions switch on."""
        return np.ones(len(self.rows), dtype=bool)

    @property
    def potential(self) -> Potential:
        """``V`` at the current strengths."""
        return Potential.build(
            len(self.names),
            b=self.bias,
            K=self._K,
            d=self._d,
            lam=self.lam * self.active,
            hinge=self.hinge,
            names=self.names,
        )

    def energy(self, z: ArrayLike) -> Array:
        """``V`` of states ``z[..., n]``: ``[...]``."""
        return self.potential.energy(z)

    def gradient(self, z: ArrayLike) -> Array:
        """``grad V`` of states ``z[..., n]``: ``[..., n]``."""
        return self.potential.gradient(z)

    def states(self, values: Mapping[str, float]) -> Array:
        """The state ``z[n]`` of values in the problem's unit; what is not named is 0.

        Raises: ProgramError for variables that do not exist and numbers that are not finite.
        """
        return self._vector(amounts("the value", values)) / self.scale

    def values(self, z: ArrayLike) -> dict[str, float]:
        """Values in the problem's unit of one state ``z[n]``.

        Raises: ProgramError for another shape.
        """
        state = states(z, len(self.names))
        if state.ndim != 1:
            raise ProgramError(
                f"values are of one state [{len(self.names)}] and have shape {state.shape}; give "
                "one row of it"
            )
        return dict(zip(self.names, (state * self.scale).tolist(), strict=True))

    def violations(self, z: ArrayLike) -> Array:
        """By how much states miss each row, in the problem's unit, at least 0: ``[..., m]``.

        Raises: ProgramError for another last dimension than n.
        """
        r = states(z, len(self.names)) @ self._K.T - self._d
        missed = np.where(self.hinge, np.maximum(r, 0), np.abs(r))
        return np.asarray(missed * self.scale * self.active)

    def feasible(self, z: ArrayLike, tolerance: float) -> NDArray[np.bool_]:
        """Whether no hard row is missed by more than the tolerance, in the problem's unit."""
        return np.asarray((self.violations(z)[..., self.hard] <= tolerance).all(axis=-1))

    def tighten(
        self,
        samples: ArrayLike,
        tolerance: float,
        growth: float = 4.0,
        largest: float = float("inf"),
    ) -> Self:
        """This energy with learnable strengths raised by what ``samples[reads, n]`` violate.

        Raises: ProgramError for a tolerance or growth that makes no step, and samples of another
        shape, none, or not finite.
        """
        tolerance = number("the tolerance of tightening", tolerance, above=0)
        growth = number("the growth of tightening", growth, above=1)
        reads = np.atleast_2d(numbers("samples", samples))
        if reads.ndim != 2 or not reads.size or not np.isfinite(reads).all():
            raise ProgramError(
                f"tightening needs finite samples [reads, {len(self.names)}], at least 1, and has "
                f"shape {reads.shape}; give states of that shape without NaN"
            )
        missed = self.violations(reads).mean(axis=0)
        raised = np.minimum(self.lam * np.clip(missed / tolerance, 1, growth), largest)
        other = copy.copy(self)
        # a strength that was given above `largest` stays: nothing is softened
        other.lam = np.where(self.learnable, np.maximum(raised, self.lam), self.lam)
        return other

    def condition(
        self,
        bounds: Mapping[str, float] = MappingProxyType({}),
        strengths: Mapping[str, float] = MappingProxyType({}),
        bias: Mapping[str, float] = MappingProxyType({}),
        clamps: Mapping[str, float] = MappingProxyType({}),
    ) -> Condition:
        """What to stream so that rows of these labels, and these variables, change; the rest stays.

        ``bounds`` and ``clamps`` are in the problem's unit.

        Raises: ProgramError for labels and variables that do not exist, and numbers out of range.
        """
        d, lam = self._d.copy(), self.lam * self.active
        for label, value in amounts("the bound", bounds).items():
            a = self._row_of(label)
            sign = -1 if self.rows[a].rule.sense == ">=" else 1
            d[a] = sign * value / self.scale
        for label, value in amounts("the strength", strengths, least=0).items():
            lam[self._row_of(label)] = value
        linear = self.bias.copy()
        for name, value in amounts("the bias", bias).items():
            linear[self._unit_of(name)] = value
        held = amounts("the clamp", clamps)
        pinned = {self._unit_of(name): value / self.scale for name, value in held.items()}
        return Condition(linear, d, lam, pinned)

    def _require(self, penalty: Penalty, labels: set[str]) -> None:
        label = penalty.label
        if penalty.kind not in KINDS:
            raise ProgramError(
                f"penalty {label!r} is of kind {penalty.kind!r}; known are {', '.join(KINDS)}"
            )
        if label in labels:
            raise ProgramError(f"the label {label!r} stands on two penalties; give each its own")
        for name in penalty.coefficients:
            self._unit_of(name)
        if not any(penalty.coefficients.values()):
            raise ProgramError(f"penalty {label!r} has no coefficient; name at least one variable")

    def _vector(self, coefficients: Mapping[str, float]) -> Array:
        result = np.zeros(len(self.names))
        for name, value in coefficients.items():
            result[self._unit_of(name)] = value
        return result

    def _unit_of(self, name: str) -> int:
        return _known("variable is called", name, self._place)

    def _row_of(self, label: str) -> int:
        return _known("row is labelled", label, self._row)


def _known(what: str, name: str, places: Mapping[str, int]) -> int:
    if name not in places:
        some = ", ".join([*list(places)[:8], *(["..."] if len(places) > 8 else [])])
        raise ProgramError(f"no {what} {name!r}; known are {some}; name one of them")
    return places[name]

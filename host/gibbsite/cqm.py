"""Constrained models: what the device holds natively, and penalties for the rest.

Native, without any penalty:

    sum_i x_i = 1 over binary variables    one one-hot group (each variable in one such constraint)
    an integer variable                    one one-hot group, a case for each value
    a constraint on one of these           values that it forbids do not exist

Penalties, P the energy of the smallest violation:

    two variables or groups                P for every pair of values that the constraint forbids
    sum_i x_i <= 1                         P sum_(i<j) x_i x_j
    L = 0                                  P (L / step)^2
    L <= 0                                 P ((L + s) / step)^2, s >= 0 in steps up to -min L

where ``step`` divides all coefficients of L. No violation pays if P exceeds what the objective can
differ by; so P is its upper bound minus its lower bound (interval arithmetic, variable by variable
and pair by pair) plus its smallest coefficient, and every optimum satisfies all constraints.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from numbers import Real
from typing import Any, TypeAlias

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite.quantization import common_step
from gibbsite.slot_model import MixedModel
from gibbsite_hw.spec.errors import ProgramError

__all__ = ["ConstrainedModel", "constrained_model"]

Unit: TypeAlias = tuple[str, Hashable]
"""A p-bit ("bit", variable) or a group ("choice", ...), ("integer", ...), ("slack", ...)."""

Atom: TypeAlias = tuple[Unit, int]
"""One 0/1 value: (p-bit, 0), or (group, case)."""

Linear: TypeAlias = dict[Atom, float]

MOST_CASES = 256
"""Cases of an integer or a slack as one group; a longer slack becomes binary digits."""


@dataclass(frozen=True, slots=True)
class ConstrainedModel:
    """A constrained model as the device takes it, and the way back to its own variables."""

    model: MixedModel
    variables: tuple[Hashable, ...]
    penalty: float
    derivation: str
    removed: Mapping[Unit, frozenset[int]]
    places: Mapping[Hashable, tuple[Atom, int, int]]
    """Of each variable: its atom, and (base, step); the value of an integer is base + case."""

    def clamps(
        self, wanted: Mapping[Hashable, int]
    ) -> tuple[dict[Hashable, int], dict[Hashable, set[int]]]:
        """Values pinned and values removed, for `CompiledModel.conditions`."""
        pinned: dict[Hashable, int] = {}
        removed: dict[Hashable, set[int]] = {
            unit: set(values) for unit, values in self.removed.items()
        }
        for variable, value in wanted.items():
            if variable not in self.places:
                raise ProgramError(
                    f"the clamped {variable!r} is no variable of the model: use one of its labels"
                )
            (unit, case), base, step = self.places[variable]
            kind = unit[0]
            if kind == "choice" and value == 0:
                removed.setdefault(unit, set()).add(case)
            elif kind == "choice" and value != 1:
                raise ProgramError(f"{variable!r} cannot be {value}: it is 0 or 1")
            else:
                pinned[unit] = case if kind == "choice" else (value - base) // step
        return pinned, removed

    def values(self, units: Sequence[Hashable], values: NDArray[np.int16]) -> NDArray[np.int64]:
        """Reads x units as the device gives them, as reads x variables of the model."""
        column = {unit: place for place, unit in enumerate(units)}
        result = np.empty((len(values), len(self.variables)), dtype=np.int64)
        for place, variable in enumerate(self.variables):
            (unit, case), base, step = self.places[variable]
            found = values[:, column[unit]].astype(np.int64)
            result[:, place] = (found == case) if unit[0] == "choice" else base + step * found
        return result


def constrained_model(
    cqm: dimod.ConstrainedQuadraticModel, penalty: object = None
) -> ConstrainedModel:
    """Translate a constrained model; see above for what becomes what.

    Raises `ProgramError` for real variables, quadratic constraints, constraints that nothing
    satisfies, and coefficients without a common step.
    """
    if not cqm.variables:
        raise ProgramError("the model has no variable: give it one at least")
    builder = _Builder(cqm)
    builder.add_objective()
    rest = [label for label in cqm.constraints if label not in builder.native]
    hard = [label for label in rest if not cqm.constraints[label].lhs.is_soft()]
    for label in rest:
        if label not in hard:
            builder.add_soft(label)
    derived, derivation = builder.derived_penalty()
    if penalty is not None:
        if not isinstance(penalty, Real) or not float(penalty) > 0:
            raise ProgramError(
                f"penalty is {penalty!r} and must be a number above 0: give one, or leave it out"
            )
        derived, derivation = float(penalty), "given by the caller"
    for label in hard:
        builder.add_hard(label, derived)
    return builder.result(derived, derivation)


class _Energy:
    """A polynomial of degree two in atoms."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.linear: Linear = {}
        self.pairs: dict[tuple[Atom, Atom], float] = {}

    def add(self, atom: Atom, value: float) -> None:
        self.linear[atom] = self.linear.get(atom, 0.0) + value

    def add_pair(self, one: Atom, two: Atom, value: float) -> None:
        """``value * one * two``: a 0/1 value squared is itself; two cases of a group exclude."""
        if one == two:
            self.add(one, value)
        elif one[0] != two[0]:
            key = (one, two) if (two, one) not in self.pairs else (two, one)
            self.pairs[key] = self.pairs.get(key, 0.0) + value

    def add_product(self, one: _Sum, two: _Sum, factor: float) -> None:
        for a, x in one.terms.items():
            self.add(a, factor * x * two.constant)
            for b, y in two.terms.items():
                if x and y:
                    self.add_pair(a, b, factor * x * y)
        for b, y in two.terms.items():
            self.add(b, factor * y * one.constant)
        self.offset += factor * one.constant * two.constant

    def spread(self, units: Mapping[Unit, int]) -> float:
        """Upper minus lower bound, unit by unit and pair by pair."""
        total = 0.0
        for unit, size in units.items():
            values = [self.linear.get((unit, case), 0.0) for case in range(size)]
            values += [0.0] if unit[0] == "bit" else []
            total += max(values) - min(values)
        tables: dict[frozenset[Unit], list[float]] = {}
        for (one, two), value in self.pairs.items():
            tables.setdefault(frozenset((one[0], two[0])), []).append(value)
        for pair, values in tables.items():
            sizes = [units[unit] + (unit[0] == "bit") for unit in pair]
            if len(values) < sizes[0] * sizes[1]:
                values.append(0.0)  # some pair of values costs nothing
            total += max(values) - min(values)
        return total


@dataclass(slots=True)
class _Sum:
    """A linear expression: constant + sum of coefficient * atom."""

    terms: Linear
    constant: float

    def units(self) -> list[Unit]:
        return list(dict.fromkeys(unit for unit, _ in self.terms))

    def values(self, unit: Unit, size: int) -> dict[int, float]:
        """What the unit's values add: {0: .., 1: ..} for a p-bit, {case: ..} for a group."""
        if unit[0] == "bit":
            return {0: 0.0, 1: self.terms[unit, 0]}
        return {case: self.terms.get((unit, case), 0.0) for case in range(size)}


class _Builder:
    def __init__(self, cqm: dimod.ConstrainedQuadraticModel) -> None:
        self.cqm = cqm
        self.energy = _Energy()
        self.units: dict[Unit, int] = {}
        self.places: dict[Hashable, tuple[Atom, int, int]] = {}
        self.removed: dict[Unit, set[int]] = {}
        self.native: set[Hashable] = set()
        self._find_one_hot()
        for variable in cqm.variables:
            if variable not in self.places:
                self._place(variable)

    def _find_one_hot(self) -> None:
        for label, comparison in self.cqm.constraints.items():
            members = list(comparison.lhs.variables)
            if not _is_one_hot(self.cqm, comparison) or any(v in self.places for v in members):
                continue
            unit: Unit = ("choice", label)
            self.units[unit] = len(members)
            self.native.add(label)
            for case, variable in enumerate(members):
                self.places[variable] = ((unit, case), 0, 1)

    def _place(self, variable: Hashable) -> None:
        vartype = self.cqm.vartype(variable)
        if vartype in (dimod.BINARY, dimod.SPIN):
            unit: Unit = ("bit", variable)
            self.units[unit] = 1
            base, step = (0, 1) if vartype is dimod.BINARY else (-1, 2)
            self.places[variable] = ((unit, 0), base, step)
            return
        if vartype is not dimod.INTEGER:
            raise ProgramError(
                f"{variable!r} is {vartype.name.lower()}, and this device draws spins and "
                "choices: make it an integer with bounds"
            )
        low = int(np.ceil(self.cqm.lower_bound(variable)))
        high = int(np.floor(self.cqm.upper_bound(variable)))
        if high - low + 1 > MOST_CASES:
            raise ProgramError(
                f"{variable!r} has {high - low + 1} values and a group {MOST_CASES} cases: narrow "
                "its bounds or coarsen it"
            )
        unit = ("integer", variable)
        self.units[unit] = high - low + 1
        self.places[variable] = ((unit, 0), low, 1)

    def _sum(self, variable: Hashable) -> _Sum:
        (unit, case), base, step = self.places[variable]
        if unit[0] == "integer":
            return _Sum({(unit, k): float(base + k) for k in range(self.units[unit])}, 0.0)
        return _Sum({(unit, case): float(step)}, float(base))

    def _linear(self, expression: Any, label: Hashable) -> _Sum:
        if expression.num_interactions:
            raise ProgramError(
                f"the constraint {label!r} is quadratic, and penalties are derived for linear "
                "ones: replace the product by a variable of its own"
            )
        total = _Sum({}, float(expression.offset))
        for variable, weight in expression.linear.items():
            part = self._sum(variable)
            total.constant += weight * part.constant
            for atom, value in part.terms.items():
                total.terms[atom] = total.terms.get(atom, 0.0) + weight * value
        total.terms = {atom: value for atom, value in total.terms.items() if value != 0.0}
        return total

    def add_objective(self) -> None:
        objective = self.cqm.objective
        self.energy.offset += float(objective.offset)
        one = _Sum({}, 1.0)
        for variable, weight in objective.linear.items():
            self.energy.add_product(self._sum(variable), one, float(weight))
        for (u, v), weight in objective.quadratic.items():
            self.energy.add_product(self._sum(u), self._sum(v), float(weight))

    def derived_penalty(self) -> tuple[float, str]:
        spread = self.energy.spread(self.units)
        sizes = [abs(v) for v in (*self.energy.linear.values(), *self.energy.pairs.values()) if v]
        margin = min(sizes, default=1.0)
        return spread + margin, (
            f"objective's upper minus lower bound {spread:.6g} plus its smallest coefficient "
            f"{margin:.6g}: no violation pays"
        )

    def add_soft(self, label: Hashable) -> None:
        """A soft constraint costs weight times its violation, or its violation squared."""
        comparison = self.cqm.constraints[label]
        square = comparison.lhs.penalty() == "quadratic"
        total, equality = self._normal(label)
        weight = float(comparison.lhs.weight())
        units = total.units()
        if len(units) <= 2:
            for values, found in self._cases(total, units):
                violation = abs(found) if equality else max(found, 0.0)
                self._charge(units, values, weight * (violation**2 if square else violation))
        elif equality and square:
            self.energy.add_product(total, total, weight)
        else:
            raise ProgramError(
                f"the soft constraint {label!r} joins {len(units)} variables: make it hard, or an "
                "equality with a quadratic penalty"
            )

    def add_hard(self, label: Hashable, penalty: float) -> None:
        total, equality = self._normal(label)
        units = total.units()
        low = total.constant + sum(min(total.values(u, self.units[u]).values()) for u in units)
        high = total.constant + sum(max(total.values(u, self.units[u]).values()) for u in units)
        slack = 1e-9 * max(1.0, abs(low), abs(high))
        if low > slack or (equality and high < -slack):
            raise ProgramError(
                f"nothing satisfies the constraint {label!r}: its left side minus its right lies "
                f"in {low:.6g}..{high:.6g}; correct it or drop it"
            )
        if not equality and high <= slack:
            return
        if len(units) <= 2:
            for values, found in self._cases(total, units):
                if abs(found) > slack if equality else found > slack:
                    self._forbid(units, values, penalty, label)
            return
        atoms = list(total.terms)
        size = total.terms[atoms[0]]
        if not equality and all(v == size > 0 for v in total.terms.values()):
            if 1 <= -total.constant / size < 2:  # at most one
                for one, two in combinations(atoms, 2):
                    self.energy.add_pair(one, two, penalty)
                return
        numbers = np.array([*total.terms.values(), total.constant])
        step = common_step(numbers, float(np.abs(numbers).max()) / (1 << 20))
        if step is None:
            raise ProgramError(
                f"the coefficients of the constraint {label!r} have no common step: scale and "
                "round them to integers"
            )
        if not equality:
            self._add_slack(total, round(-low / step), step, label)
        self._centre(total, step)
        self.energy.add_product(total, total, penalty / step**2)

    def _centre(self, total: _Sum, step: float) -> None:
        """Count each group's values from their middle, so that squares stay small.

        A group takes exactly one case, so a constant may go from its cases to the sum.
        """
        for unit in total.units():
            if unit[0] == "bit":
                continue
            values = total.values(unit, self.units[unit])
            middle = step * np.floor((max(values.values()) + min(values.values())) / (2 * step))
            total.constant += middle
            total.terms.update({(unit, case): v - middle for case, v in values.items()})

    def _add_slack(self, total: _Sum, steps: int, step: float, label: Hashable) -> None:
        """Add s = 0, step, ..., steps * step to the sum: a group, or digits if it is long."""
        unit: Unit = ("slack", label)
        if steps < MOST_CASES:
            self.units[unit] = steps + 1
            total.terms.update({(unit, k): k * step for k in range(1, steps + 1)})
            return
        digit, left = 1, steps
        while left:
            taken = min(digit, left)
            place: Unit = ("bit", (unit, digit))
            self.units[place] = 1
            total.terms[place, 0] = taken * step
            digit, left = 2 * digit, left - taken

    def _normal(self, label: Hashable) -> tuple[_Sum, bool]:
        """The constraint as L = 0 (True) or L <= 0 (False)."""
        comparison = self.cqm.constraints[label]
        total = self._linear(comparison.lhs, label)
        total.constant -= float(comparison.rhs)
        if comparison.sense.value == ">=":
            total = _Sum({atom: -v for atom, v in total.terms.items()}, -total.constant)
        return total, comparison.sense.value == "=="

    def _cases(self, total: _Sum, units: list[Unit]) -> Iterator[tuple[tuple[int, ...], float]]:
        tables = [total.values(unit, self.units[unit]) for unit in units]
        for values in product(*tables):
            added = sum(table[value] for table, value in zip(tables, values, strict=True))
            yield values, total.constant + added

    def _charge(self, units: list[Unit], values: tuple[int, ...], cost: float) -> None:
        """Add a cost to one combination of values of up to two units."""
        if not cost:
            return
        indicators = []
        for unit, value in zip(units, values, strict=True):
            if unit[0] == "bit":
                sign = 1.0 if value else -1.0
                indicators.append(_Sum({(unit, 0): sign}, 0.0 if value else 1.0))
            else:
                indicators.append(_Sum({(unit, value): 1.0}, 0.0))
        indicators += [_Sum({}, 1.0)] * (2 - len(indicators))
        self.energy.add_product(indicators[0], indicators[1], cost)

    def _forbid(
        self, units: list[Unit], values: tuple[int, ...], penalty: float, label: Hashable
    ) -> None:
        if len(units) == 2:
            self._charge(units, values, penalty)
            return
        if not units:
            raise ProgramError(f"nothing satisfies the constraint {label!r}: correct it or drop it")
        unit = units[0]
        gone = self.removed.setdefault(unit, set())
        gone.add(values[0])
        if len(gone) == (2 if unit[0] == "bit" else self.units[unit]):
            raise ProgramError(
                f"the constraint {label!r} leaves no value for {unit[1]!r}: correct it or drop it"
            )

    def result(self, penalty: float, derivation: str) -> ConstrainedModel:
        energy = self.energy
        spins = dimod.BinaryQuadraticModel("BINARY")
        choices = dimod.DiscreteQuadraticModel()
        for unit, size in self.units.items():
            if unit[0] == "bit":
                spins.add_variable(unit, energy.linear.get((unit, 0), 0.0))
            else:
                choices.add_variable(size, label=unit)
                linear = [energy.linear.get((unit, case), 0.0) for case in range(size)]
                choices.set_linear(unit, linear)
        spins.offset = energy.offset
        between: dict[tuple[Hashable, Hashable, int], float] = {}
        for (one, two), value in energy.pairs.items():
            if one[0][0] == "bit" and two[0][0] == "bit":
                spins.add_quadratic(one[0], two[0], value)
            elif one[0][0] != "bit" and two[0][0] != "bit":
                choices.set_quadratic_case(one[0], one[1], two[0], two[1], value)
            else:
                spin, state = (one, two) if one[0][0] == "bit" else (two, one)
                between[spin[0], state[0], state[1]] = value
        return ConstrainedModel(
            MixedModel(spins, choices, between),
            tuple(self.cqm.variables),
            penalty,
            derivation,
            {unit: frozenset(values) for unit, values in self.removed.items()},
            self.places,
        )


def _is_one_hot(cqm: dimod.ConstrainedQuadraticModel, comparison: Any) -> bool:
    lhs = comparison.lhs
    return (
        comparison.sense.value == "=="
        and not lhs.is_soft()
        and not lhs.num_interactions
        and lhs.num_variables >= 1
        and lhs.num_variables <= MOST_CASES
        and comparison.rhs - lhs.offset == 1
        and all(cqm.vartype(v) is dimod.BINARY for v in lhs.variables)
        and all(bias == 1 for bias in lhs.linear.values())
    )

"""A dimod model as flat arrays: one slot for each p-bit and for each state of each one-hot choice.

    E(v) = offset + sum_i linear_i v_i + sum_(i<j) weight_ij v_i v_j

with `v` = -1/+1 in the slot of a p-bit and 0/1 in the slot of a state. A BINARY variable x becomes
the p-bit s = 2 x - 1. Arrays are float64 and int64; energies are in the model's own unit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["AnyModel", "Kind", "MixedModel", "SlotModel", "slot_model"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


class Kind(Enum):
    """What a variable's values are."""

    SPIN = "spin"
    """-1 or +1, one slot."""
    BINARY = "binary"
    """0 or 1, one slot."""
    CHOICE = "choice"
    """The number of one of its cases, one slot each."""


@dataclass(slots=True)
class MixedModel:
    """Spins and one-hot choices in one model; E is the sum of the three parts.

    ``spins``    a BQM of either vartype; its variables become p-bits
    ``choices``  a DQM; its variables become one-hot groups
    ``between``  {(spin variable, choice variable, case): weight}, which adds
                 ``weight * value(spin) * [choice == case]``, the spin's value as in ``spins``
    """

    spins: dimod.BinaryQuadraticModel
    choices: dimod.DiscreteQuadraticModel
    between: Mapping[tuple[Hashable, Hashable, int], float] = field(default_factory=dict)


AnyModel: TypeAlias = "dimod.BinaryQuadraticModel | dimod.DiscreteQuadraticModel | MixedModel"


@dataclass(frozen=True, slots=True)
class SlotModel:
    """Variables in order, and the energy over their slots.

    Variable k owns the slots ``first[k]`` to ``first[k + 1] - 1``. Pairs are
    ``low < high``, each once, none of weight 0 and none inside one choice.
    """

    labels: tuple[Hashable, ...]
    kinds: tuple[Kind, ...]
    first: Integers
    linear: Floats
    low: Integers
    high: Integers
    weight: Floats
    offset: float
    numbers: dict[Hashable, int] = field(default_factory=dict, repr=False, compare=False)
    """Label to place, filled when first asked for."""

    @property
    def slots(self) -> int:
        """Slots in all."""
        return int(self.first[-1])

    @property
    def sizes(self) -> Integers:
        """Slots of each variable."""
        return np.diff(self.first)

    @property
    def variable_of(self) -> Integers:
        """The variable of each slot."""
        return np.repeat(np.arange(len(self.labels), dtype=np.int64), self.sizes)

    @property
    def is_spin(self) -> NDArray[np.bool_]:
        """Which slots are p-bits."""
        spin = np.array([kind is not Kind.CHOICE for kind in self.kinds], dtype=np.bool_)
        return np.repeat(spin, self.sizes)

    def number(self, label: Hashable) -> int:
        """The place of a variable in the order; `KeyError` if there is none of that label."""
        if not self.numbers:
            self.numbers.update({name: place for place, name in enumerate(self.labels)})
        return self.numbers[label]

    def name(self, slot: int) -> str:
        """The slot as a sentence names it: its variable, and its case if it has any."""
        variable = int(np.searchsorted(self.first, slot, side="right")) - 1
        label = repr(self.labels[variable])
        if self.kinds[variable] is not Kind.CHOICE:
            return label
        return f"case {slot - int(self.first[variable])} of {label}"


def slot_model(model: AnyModel) -> SlotModel:
    """The arrays of any model that this house takes.

    Raises `ProgramError` for weights that are not finite and labels that stand for two variables.
    """
    if isinstance(model, MixedModel):
        result = _mixed(model)
    elif isinstance(model, dimod.DiscreteQuadraticModel):
        result = _from_dqm(model)
    else:
        result = _from_bqm(model)
    _refuse_unbounded(result)
    return result


def _from_bqm(model: dimod.BinaryQuadraticModel) -> SlotModel:
    # in the order of the labels below: left alone, dimod sorts labels that can be sorted
    vectors = model.to_numpy_vectors(variable_order=model.variables)
    count = len(model.variables)
    linear = np.asarray(vectors.linear_biases, dtype=np.float64).copy()
    one = np.asarray(vectors.quadratic.row_indices, dtype=np.int64)
    two = np.asarray(vectors.quadratic.col_indices, dtype=np.int64)
    weight = np.asarray(vectors.quadratic.biases, dtype=np.float64)
    offset = float(vectors.offset)
    kind = Kind.SPIN
    if model.vartype is dimod.BINARY:
        kind = Kind.BINARY
        # x = (s + 1) / 2; powers of two, so integers stay exact
        quarter = weight / 4
        offset += float(linear.sum() / 2 + quarter.sum())
        linear = linear / 2
        np.add.at(linear, one, quarter)
        np.add.at(linear, two, quarter)
        weight = quarter
    return _merged(
        tuple(model.variables),
        (kind,) * count,
        np.arange(count + 1, dtype=np.int64),
        linear,
        (one, two, weight),
        offset,
    )


def _from_dqm(model: dimod.DiscreteQuadraticModel) -> SlotModel:
    vectors = model.to_numpy_vectors(return_offset=True)
    linear = np.asarray(vectors.linear_biases, dtype=np.float64).copy()
    first = np.append(np.asarray(vectors.case_starts, dtype=np.int64), len(linear))
    labels = tuple(vectors.labels)
    return _merged(
        labels,
        (Kind.CHOICE,) * len(labels),
        first,
        linear,
        (
            np.asarray(vectors.quadratic.row_indices, dtype=np.int64),
            np.asarray(vectors.quadratic.col_indices, dtype=np.int64),
            np.asarray(vectors.quadratic.biases, dtype=np.float64),
        ),
        float(vectors.offset),
    )


def _mixed(model: MixedModel) -> SlotModel:
    spins, choices = _from_bqm(model.spins), _from_dqm(model.choices)
    twice = set(spins.labels) & set(choices.labels)
    if twice:
        raise ProgramError(
            f"{next(iter(twice))!r} names both a spin and a choice: give one of them another label"
        )
    place = {label: k for k, label in enumerate(spins.labels)}
    cases = {label: k for k, label in enumerate(choices.labels)}
    linear = np.concatenate([spins.linear, choices.linear])
    one, two, weight = [], [], []
    for (spin, choice, case), value in model.between.items():
        if spin not in place or choice not in cases:
            raise ProgramError(
                f"between couples {spin!r} and {choice!r}, and the model has no such spin or "
                "choice: add the variable or leave the term out"
            )
        group = cases[choice]
        if not 0 <= case < int(choices.sizes[group]):
            raise ProgramError(
                f"between names case {case} of {choice!r}, which has {int(choices.sizes[group])}: "
                "count cases from 0"
            )
        slot = spins.slots + int(choices.first[group]) + case
        if spins.kinds[place[spin]] is Kind.BINARY:
            value = value / 2
            linear[slot] += value
        one.append(place[spin])
        two.append(slot)
        weight.append(value)
    return _merged(
        spins.labels + choices.labels,
        spins.kinds + choices.kinds,
        np.concatenate([spins.first[:-1], choices.first + spins.slots]),
        linear,
        (
            np.concatenate([spins.low, choices.low + spins.slots, np.array(one, dtype=np.int64)]),
            np.concatenate([spins.high, choices.high + spins.slots, np.array(two, dtype=np.int64)]),
            np.concatenate([spins.weight, choices.weight, np.array(weight, dtype=np.float64)]),
        ),
        spins.offset + choices.offset,
    )


def _merged(
    labels: tuple[Hashable, ...],
    kinds: tuple[Kind, ...],
    first: Integers,
    linear: Floats,
    pairs: tuple[Integers, Integers, Floats],
    offset: float,
) -> SlotModel:
    """Order every pair, add up pairs that stand twice, and leave out weights of 0."""
    one, two, weight = pairs
    low, high = np.minimum(one, two), np.maximum(one, two)
    slots = int(first[-1]) if len(first) else 0
    key, where = np.unique(low * max(slots, 1) + high, return_inverse=True)
    total = np.zeros(len(key), dtype=np.float64)
    np.add.at(total, where, weight)
    kept = total != 0
    low, high = key[kept] // max(slots, 1), key[kept] % max(slots, 1)
    return SlotModel(labels, kinds, first, linear, low, high, total[kept], offset)


def _refuse_unbounded(model: SlotModel) -> None:
    bad = np.flatnonzero(~np.isfinite(model.linear))
    if len(bad):
        raise ProgramError(
            f"the bias of {model.name(int(bad[0]))} is {model.linear[bad[0]]}: biases must be "
            "finite: correct the model"
        )
    bad = np.flatnonzero(~np.isfinite(model.weight))
    if len(bad):
        pair = f"{model.name(int(model.low[bad[0]]))} and {model.name(int(model.high[bad[0]]))}"
        raise ProgramError(
            f"the coupling of {pair} is {model.weight[bad[0]]}: couplings must be "
            "finite: correct the model"
        )
    if not np.isfinite(model.offset):
        raise ProgramError(f"the offset is {model.offset}: it must be finite: correct the model")

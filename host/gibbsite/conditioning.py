"""Conditions in a model's terms: added biases and clamps become codes and masks for the slots.

A constant added to all states of a choice changes no probability, so a choice's codes are shifted
to their smallest range and the constant goes to the offset.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibbsite.quantization import Quantization
from gibbsite.rows import Layout
from gibbsite.slot_model import Kind, SlotModel
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions

__all__ = ["Clamps", "Conditioned", "bias_codes", "condition_masks", "shifted"]

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditioned:
    """The conditions of a program beside what they mean.

    ``conditions``   what the device takes
    ``linear``       biases of all slots in the model's unit, ``offset`` the model's offset with
    them
    ``code_offset``  the energy of code 0: E = code_offset + scale * E_code up to ``quantization``
    """

    conditions: Conditions
    linear: Floats
    offset: float
    code_offset: float
    quantization: Quantization

    def energies(self, model: SlotModel, values: Floats) -> Floats:
        """The model's energy, from its own floats, of each row of slot values."""
        couplings = sparse.csr_array(
            (model.weight, (model.low, model.high)), shape=(model.slots, model.slots)
        )
        pairs: Floats = np.einsum("rs,rs->r", np.asarray(values @ couplings), values)
        return self.offset + values @ self.linear + pairs


@dataclass(frozen=True, slots=True)
class Clamps:
    """Which slots are pinned and which are removed."""

    on: NDArray[np.bool_]
    off: NDArray[np.bool_]

    @classmethod
    def none(cls, model: SlotModel) -> Clamps:
        """Nothing clamped."""
        return cls(np.zeros(model.slots, np.bool_), np.zeros(model.slots, np.bool_))

    @classmethod
    def of(
        cls,
        model: SlotModel,
        number_of: Callable[[Hashable], int],
        pinned: Mapping[Hashable, int],
        removed: Mapping[Hashable, Iterable[int]],
    ) -> Clamps:
        """The slots of pinned and removed values; refuses what leaves a variable none."""
        clamps = cls.none(model)
        for variable, values in removed.items():
            clamps._remove(model, number_of(variable), values)
        for variable, value in pinned.items():
            clamps._pin(model, number_of(variable), value)
        return clamps

    def _remove(self, model: SlotModel, number: int, values: Iterable[int]) -> None:
        first, size = int(model.first[number]), int(model.sizes[number])
        label, kind = model.labels[number], model.kinds[number]
        gone = np.unique(np.fromiter(values, dtype=np.int64))
        allowed = _values(kind, size)
        if len(gone) and not np.isin(gone, allowed).all():
            raise ProgramError(
                f"{label!r} cannot be {int(gone[~np.isin(gone, allowed)][0])}: its values are "
                f"{allowed[0]} to {allowed[-1]}"
            )
        if len(gone) == len(allowed):
            raise ProgramError(
                f"every value of {label!r} is clamped off: leave it at least one of {len(allowed)}"
            )
        if kind is Kind.CHOICE:
            self.off[first + gone] = True
        elif len(gone):  # a spin that may not be down is up
            (self.off if gone[0] == 1 else self.on)[first] = True

    def _pin(self, model: SlotModel, number: int, value: int) -> None:
        first, size = int(model.first[number]), int(model.sizes[number])
        kind, label = model.kinds[number], model.labels[number]
        allowed = _values(kind, size)
        if value not in allowed:
            raise ProgramError(
                f"{label!r} cannot be {value}: its values are {allowed[0]} "
                f"{'or' if len(allowed) == 2 else 'to'} {allowed[-1]}; clamp it to one of them"
            )
        up = kind is Kind.CHOICE or value == 1
        slot = first + (int(value) if kind is Kind.CHOICE else 0)
        (self.on if up else self.off)[slot] = True
        if self.on[slot] and self.off[slot]:
            raise ProgramError(
                f"{label!r} is pinned at {value} and {value} is clamped off: drop one of the clamps"
            )


def _values(kind: Kind, size: int) -> Integers:
    if kind is Kind.SPIN:
        return np.array([-1, 1], dtype=np.int64)
    return np.arange(2 if kind is Kind.BINARY else size, dtype=np.int64)


def shifted(model: SlotModel, linear: Floats) -> tuple[Floats, float]:
    """Biases with each choice's counted from its lowest, and the size that the format must hold."""
    if not model.slots:
        return linear, 0.0
    spin = model.is_spin
    lowest = np.repeat(np.minimum.reduceat(linear, model.first[:-1]), model.sizes)
    counted = np.where(spin, linear, linear - lowest)
    largest = np.where(spin, np.abs(linear), counted / 2)
    return counted, float(largest.max())


def bias_codes(model: SlotModel, linear: Floats, scale: float) -> tuple[Integers, Floats, float]:
    """Codes of all slots, the biases that they stand for, and the constant that was taken out."""
    if not model.slots:
        return np.zeros(0, np.int64), linear, 0.0
    counted, _ = shifted(model, linear)
    codes = np.rint(counted / scale).astype(np.int64)
    middle = np.maximum.reduceat(codes, model.first[:-1]) // 2
    middle[model.is_spin[model.first[:-1]]] = 0
    codes -= np.repeat(middle, model.sizes)
    wanted = counted - scale * np.repeat(middle, model.sizes)
    shift = float(np.sum((linear - wanted)[model.first[:-1]]))
    return codes, wanted, shift


def condition_masks(
    layout: Layout, parameters: GraphParameters, codes: Integers, clamps: Clamps
) -> Conditions:
    """Codes and clamps of slots at the places where the slots lie."""
    rows, lanes = len(layout.rows), parameters.lanes
    biases = np.zeros(rows * lanes, dtype=np.int32)
    biases[layout.row * lanes + layout.lane] = codes
    on, off = np.zeros(rows, dtype=np.uint32), np.zeros(rows, dtype=np.uint32)
    bit = np.uint32(1) << layout.lane.astype(np.uint32)
    np.add.at(on, layout.row[clamps.on], bit[clamps.on])
    np.add.at(off, layout.row[clamps.off], bit[clamps.off])
    result = Conditions(array("i"), array("I"), array("I"))
    result.biases.frombytes(biases.tobytes())
    result.clamps_on.frombytes(on.tobytes())
    result.clamps_off.frombytes(off.tobytes())
    return result

"""What the words that the Langevin shell holds mean: weights, conditions, schedule, pairs.

The shell checks words before it takes them, so nothing here refuses any.

Source: "The shell" in docs/langevin-engine.md.
Twin: ``gibbsite_hw.langevin_loader``, which unpacks the same words on their way into memories.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import MANTISSA_BITS, REPEAT_MAX
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import Constraint, LangevinConditions, ScheduleEntry, Shifts
from gibbsite_models.golden.langevin_checks import signed
from gibbsite_models.golden.langevin_field import Weights

__all__ = [
    "decode_conditions",
    "decode_pairs",
    "decode_schedule",
    "decode_weights",
    "mantissa_and_shift",
    "signed_records",
]

Int64 = NDArray[np.int64]

ENTRY_WORDS = 9
"""Words of a schedule entry."""


def signed_records(memory: "array[int]", record: int) -> Int64:
    """Words of a memory as signed codes, a record of so many words a row."""
    words = np.frombuffer(memory, dtype=np.int32).astype(np.int64)
    return words.reshape(-1, record)


def decode_weights(
    parameters: LangevinParameters,
    constraints: int,
    coupled: bool,
    shifts: Shifts,
    units: Int64,
    memory: "array[int]",
) -> Weights:
    """Records ``units[n, 3]`` and the coupling words: rows k, then J row and k column of units."""
    n, m, lanes = len(units), constraints, parameters.multipliers
    halves = np.frombuffer(memory, dtype=np.int16).astype(np.int64)
    words = halves.reshape(-1, lanes)
    wide = parameters.words(n)
    rows = words[: m * wide].reshape(m, wide * lanes)[:, :n]
    own = words[m * wide :].reshape(n, -1)
    return Weights(
        quadratic=units[:, 0],
        quartic=units[:, 1],
        force=units[:, 2],
        couplings=own[:, : wide * lanes][:, :n] if coupled else None,
        rows=rows,
        columns=own[:, coupled * wide * lanes :][:, :m],
        shifts=shifts,
    )


def decode_conditions(biases: Int64, constraints: Int64, clamps: Int64) -> LangevinConditions:
    """Records ``biases[n, 1]``, ``constraints[m, 3]`` and ``clamps[n, 2]``."""
    return LangevinConditions(
        biases=array("i", biases[:, 0].tolist()),
        constraints=[
            Constraint(bool(hinge), weight, offset)
            for hinge, weight, offset in constraints.tolist()
        ],
        clamps={i: int(clamps[i, 1]) for i in np.flatnonzero(clamps[:, 0]).tolist()},
    )


def decode_schedule(memory: "array[int]", entries: int) -> list[ScheduleEntry]:
    """The first entries of the schedule."""
    records = (memory[ENTRY_WORDS * k : ENTRY_WORDS * (k + 1)] for k in range(entries))
    return [_entry(record.tolist()) for record in records]


def decode_pairs(words: "array[int]") -> list[tuple[int, int | None]]:
    """Pairs of units; None where the moment is that of one unit alone."""
    return [(word & 0xFFF, None if word >> 24 else word >> 12 & 0xFFF) for word in words]


def mantissa_and_shift(word: int) -> tuple[int, int]:
    """A rate, a noise or a start: ``mantissa / 2^shift``."""
    return word & ((1 << MANTISSA_BITS) - 1), word >> MANTISSA_BITS


def _entry(words: list[int]) -> ScheduleEntry:
    one, two, three, four, five, six = (signed(word) for word in words[3:])
    return ScheduleEntry(
        repeat=words[0] & REPEAT_MAX,
        rate=mantissa_and_shift(words[1]),
        noise=mantissa_and_shift(words[2]),
        strengths=(one, two, three, four, five, six),
        measure=bool(words[0] >> 31),
    )

"""What the driver checks before anything is sent: a program that is accepted samples correctly.

The structure rules are those of COMMIT. What the device cannot see is checked here alone: couplings
are symmetric (the same weight in both lists), no slot is its own neighbour, and no two slots of one
colour class are neighbours, so that no update uses a value that changes under it.

Source: docs/graph-engine.md, "What it holds" and "The shell".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row

__all__ = ["check_conditions", "check_program"]

Integers: TypeAlias = NDArray[np.int64]


def check_program(program: GraphProgram, parameters: GraphParameters) -> None:
    """Refuse a program that does not fit the device or would not sample correctly.

    Raises `ProgramError` that names the row or the slots at fault.
    """
    rows = program.rows
    _check_sizes(program, parameters)
    _check_rows(rows, parameters)
    check_conditions(program.conditions, rows, parameters)
    terms = _terms(program, parameters)
    _check_neighbours(terms, rows, parameters)
    _check_symmetry(terms, parameters)
    _check_energies(terms, program.conditions, parameters)


def check_conditions(conditions: Conditions, rows: list[Row], parameters: GraphParameters) -> None:
    """Refuse biases and clamps that the device would refuse."""
    lanes = parameters.lanes
    for name, values, size in (
        ("biases", conditions.biases, len(rows) * lanes),
        ("clamps_on", conditions.clamps_on, len(rows)),
        ("clamps_off", conditions.clamps_off, len(rows)),
    ):
        if len(values) != size:
            raise ProgramError(
                f"{name} has {len(values)} values and {len(rows)} rows of {lanes} lanes need "
                f"{size}: give one for each"
            )
    codes = np.array(conditions.biases, dtype=np.int64)
    worst = int(np.abs(codes).argmax())
    if abs(int(codes[worst])) > parameters.bias_max:
        raise ProgramError(
            f"the bias code {int(codes[worst])} of slot {worst} is outside "
            f"+-{parameters.bias_max}: use a coarser scale"
        )
    for name, masks in (("on", conditions.clamps_on), ("off", conditions.clamps_off)):
        largest = max(masks)
        if largest >> lanes:
            raise ProgramError(
                f"a clamp-{name} mask is {largest:#x} and rows have {lanes} lanes: clear the bits "
                f"above"
            )


@dataclass(frozen=True, slots=True)
class _Terms:
    """The entries of non-zero weight: whose list they are in, and what they say."""

    slot: Integers
    other: Integers
    weight: Integers
    state: NDArray[np.bool_]


def _check_sizes(program: GraphProgram, parameters: GraphParameters) -> None:
    if not 1 <= len(program.rows) <= parameters.rows:
        raise ProgramError(
            f"the program has {len(program.rows)} rows and the device takes 1 to "
            f"{parameters.rows}: use fewer variables, or a device built with more rows"
        )
    words, left = divmod(len(program.entries), parameters.lanes)
    if left or not 1 <= words <= parameters.words:
        raise ProgramError(
            f"the program has {len(program.entries)} entries and the device takes 1 to "
            f"{parameters.words} words of {parameters.lanes}: use fewer couplings"
        )
    lengths = sum(row.length for row in program.rows)
    if lengths != words:
        raise ProgramError(
            f"the rows use {lengths} coupling words and the program has {words}: they must be equal"
        )


def _check_rows(rows: list[Row], parameters: GraphParameters) -> None:
    inside, states = False, 0
    for number, row in enumerate(rows):
        if not row.fits(parameters):
            raise ProgramError(
                f"row {number} ({row}) is none that a device of {parameters.lanes} lanes and "
                f"degree {parameters.max_degree} accepts: see gibbsite_hw.spec.program.Row"
            )
        if row.group:
            if row.first == inside:
                raise ProgramError(
                    f"row {number} "
                    f"{'starts a group inside another' if inside else 'starts no group'}: a "
                    "group's rows lie together, the first one marked"
                )
            states = row.mask.bit_count() + (0 if row.first else states)
            inside = not row.last
            if states > parameters.max_group:
                raise ProgramError(
                    f"the group at row {number} has {states} states or more and the device takes "
                    f"{parameters.max_group}: use fewer cases"
                )
        elif inside:
            raise ProgramError(
                f"row {number} of p-bits lies inside a group: move it before or behind"
            )
        if row.barrier and inside:
            raise ProgramError(
                f"row {number} has a barrier inside a group: a group lies in one class"
            )
    if inside or not rows[-1].barrier:
        raise ProgramError(
            f"row {len(rows) - 1} is the last and {'its group is open' if inside else 'no barrier'}"
            f": end the last group and class there"
        )


def _terms(program: GraphProgram, parameters: GraphParameters) -> _Terms:
    """All terms, with checks of what an entry may hold."""
    lanes, bits = parameters.lanes, parameters.address_bits
    entries = np.array(program.entries, dtype=np.int64).reshape(-1, lanes)
    top = bits + parameters.weight_bits + 1
    if (entries >> top).any():
        word, lane = np.argwhere(entries >> top)[0]
        raise ProgramError(
            f"the entry of word {word}, lane {lane} has bits above bit {top - 1}: encode it with "
            f"these parameters"
        )
    address = entries & ((1 << bits) - 1)
    if (address >= len(program.rows) * lanes).any():
        word, lane = np.argwhere(address >= len(program.rows) * lanes)[0]
        raise ProgramError(
            f"the entry of word {word}, lane {lane} has neighbour {address[word, lane]} and the "
            f"program has {len(program.rows) * lanes} slots: point it at one of them"
        )
    sign = 1 << (parameters.weight_bits - 1)
    weight = ((entries >> bits & (2 * sign - 1)) ^ sign) - sign
    if (weight == -sign).any():
        word, lane = np.argwhere(weight == -sign)[0]
        raise ProgramError(
            f"the weight code of word {word}, lane {lane} is {-sign} and the device takes "
            f"{1 - sign} to {sign - 1}: use a coarser scale"
        )
    fold = np.array([row.fold for row in program.rows], dtype=np.int64)
    row_of_word = np.repeat(np.arange(len(program.rows)), [row.length for row in program.rows])
    word, lane = np.nonzero(weight)
    row = row_of_word[word]
    return _Terms(
        slot=row * lanes + (lane >> fold[row] << fold[row]),
        other=address[word, lane],
        weight=weight[word, lane],
        state=(entries[word, lane] >> (top - 1)).astype(np.bool_),
    )


def _check_neighbours(terms: _Terms, rows: list[Row], parameters: GraphParameters) -> None:
    lanes = parameters.lanes
    mask = np.array([row.mask for row in rows], dtype=np.int64)
    used = (mask[:, None] >> np.arange(lanes) & 1).astype(np.bool_).ravel()
    group = np.repeat([row.group for row in rows], lanes)
    barrier = np.array([row.barrier for row in rows], dtype=np.int64)
    colour = np.repeat(np.cumsum(barrier) - barrier, lanes)

    def refuse(wrong: NDArray[np.bool_], what: str) -> None:
        if wrong.any():
            at = int(wrong.argmax())
            slot, other = int(terms.slot[at]), int(terms.other[at])
            raise ProgramError(
                f"the list of slot {slot} (row {slot // lanes}, lane {slot % lanes}) names slot "
                f"{other} (row {other // lanes}, lane {other % lanes}): {what}"
            )

    refuse(~used[terms.slot], "the list belongs to a lane that holds no slot; leave its weights 0")
    refuse(~used[terms.other], "the neighbour is not used; leave the weight 0")
    refuse(terms.slot == terms.other, "a slot is not its own neighbour; put it into the bias")
    refuse(
        colour[terms.slot] == colour[terms.other],
        "neighbours may not be in one colour class, or both would turn at once; colour the graph",
    )
    refuse(
        group[terms.other] != terms.state,
        "the entry's kind (p-bit or state) is not that of its neighbour; encode it anew",
    )


def _check_symmetry(terms: _Terms, parameters: GraphParameters) -> None:
    size = parameters.slots
    keys = np.concatenate([terms.slot * size + terms.other, terms.other * size + terms.slot])
    signed = np.concatenate([terms.weight, -terms.weight])
    pairs, where = np.unique(keys, return_inverse=True)
    total = np.bincount(where, weights=signed, minlength=len(pairs))
    if total.any():
        slot, other = divmod(int(pairs[np.abs(total).argmax()]), size)
        raise ProgramError(
            f"slots {slot} and {other} do not see each other with the same weight: a coupling "
            "stands in both lists, or the samples follow no energy"
        )


def _check_energies(terms: _Terms, conditions: Conditions, parameters: GraphParameters) -> None:
    biases = int(np.abs(np.array(conditions.biases, dtype=np.int64)).sum())
    largest = biases + int(np.abs(terms.weight).sum())
    if largest >> (parameters.energy_bits - 1):
        raise ProgramError(
            f"energies could reach {largest} and the device holds {parameters.energy_bits} bits: "
            "use a coarser scale"
        )

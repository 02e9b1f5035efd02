"""Rows of a program: which slots share a row, and how many lanes share each slot's list.

A row of fold m holds up to L / 2^m slots and takes max(1, ceil(d / 2^m)) words, d its longest list.
Slots are sorted by the length of their lists; then the cheapest cut into rows is exact dynamic
programming over (position, fold), since a full row of neighbours in that order is never worse.

One slot a row at full fold takes ceil(d / L) words, so S slots of C couplings in all never take
more than 2 C / L + S words and S rows, whatever the graph: 2,048 slots and 65,536 couplings always
fit into 2,048 rows and 10,240 words of 16 lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite.slot_model import SlotModel
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row

__all__ = ["BARRIER_CYCLES", "Layout", "Cut", "cut_rows", "lay_out"]

BARRIER_CYCLES = 8
"""Cycles between colour classes."""


@dataclass(frozen=True, slots=True)
class Cut:
    """One row before it has a place: how many of the sorted slots it takes, its fold and words."""

    count: int
    fold: int
    length: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where every slot lies, and the rows around them.

    ``row`` and ``lane`` have one entry a slot of the model; ``start`` is the first word of each
    row.
    """

    rows: list[Row]
    row: NDArray[np.int64]
    lane: NDArray[np.int64]
    start: NDArray[np.int64]
    words: int
    colours: int

    @property
    def sweep_cycles(self) -> int:
        """Cycles of one sweep: words and barriers."""
        return self.words + BARRIER_CYCLES * self.colours


def cut_rows(degrees: Sequence[int], lanes: int, row_price: int = 0) -> list[Cut]:
    """The cheapest cut of slots, sorted by falling degree, into rows.

    The cost is the sum of the rows' words plus ``row_price`` a row; of equals, fewer rows.
    """
    count = len(degrees)
    folds = range(lanes.bit_length())
    best: list[tuple[int, int]] = [(0, 0)] * (count + 1)
    choice = [0] * count
    for place in range(count - 1, -1, -1):
        degree = degrees[place]
        found: tuple[int, int] | None = None
        for fold in folds:
            words, rows = best[min(count, place + (lanes >> fold))]
            cost = (words + max(1, -(-degree >> fold)) + row_price, rows + 1)
            if found is None or cost < found:
                found, choice[place] = cost, fold
        assert found is not None
        best[place] = found
    cuts, place = [], 0
    while place < count:
        fold = choice[place]
        taken = min(lanes >> fold, count - place)
        cuts.append(Cut(taken, fold, max(1, -(-degrees[place] >> fold))))
        place += taken
    return cuts


def lay_out(
    model: SlotModel,
    degrees: NDArray[np.int64],
    candidates: Sequence[list[list[int]]],
    parameters: GraphParameters,
) -> Layout:
    """The cheapest layout among the colourings; rows are bought with words where rows run out.

    Raises `ProgramError` for what no layout holds, with the limit, the value and what would fit.
    """
    _refuse_large(model, degrees, parameters)
    layouts = []
    for price in (0, 1, 2, 4, 8, parameters.words):
        layouts = [_laid(model, degrees, classes, parameters, price) for classes in candidates]
        fitting = [
            layout
            for layout in layouts
            if len(layout.rows) <= parameters.rows and layout.words <= parameters.words
        ]
        if fitting:
            return min(fitting, key=lambda layout: layout.sweep_cycles)
        if price == 0 and min(layout.words for layout in layouts) > parameters.words:
            break
    least = min(layouts, key=lambda layout: layout.words)
    if least.words > parameters.words:
        raise ProgramError(
            f"the model needs {least.words} coupling words of {parameters.lanes} lanes and the "
            f"device has {parameters.words}: its {len(model.weight)} couplings would fit at about "
            f"{parameters.words * parameters.lanes // 2} or fewer; drop couplings or split the "
            "model"
        )
    raise ProgramError(
        f"the model needs {min(len(layout.rows) for layout in layouts)} rows of {parameters.lanes} "
        f"slots and the device has {parameters.rows}: use fewer variables or cases, or a device "
        f"built with more rows"
    )


def _refuse_large(
    model: SlotModel, degrees: NDArray[np.int64], parameters: GraphParameters
) -> None:
    if len(degrees) and int(degrees.max()) > parameters.max_degree:
        worst = int(degrees.argmax())
        raise ProgramError(
            f"{model.name(worst)} has {int(degrees[worst])} neighbours and the device takes "
            f"{parameters.max_degree}: split the variable into copies or drop couplings"
        )
    sizes = model.sizes
    if len(sizes) and int(sizes.max()) > parameters.max_group:
        worst = int(sizes.argmax())
        raise ProgramError(
            f"{model.labels[worst]!r} has {int(sizes[worst])} cases and the device takes "
            f"{parameters.max_group}: coarsen the choice or split it into two"
        )
    if model.slots > parameters.slots:
        raise ProgramError(
            f"the model has {model.slots} spins and cases and the device holds {parameters.slots}: "
            f"use fewer variables or cases, or a device built with more rows"
        )


def _laid(
    model: SlotModel,
    degrees: NDArray[np.int64],
    classes: list[list[int]],
    parameters: GraphParameters,
    price: int,
) -> Layout:
    lanes = parameters.lanes
    spin = model.is_spin[model.first[:-1]]
    rows: list[Row] = []
    order: list[NDArray[np.int64]] = []
    for members in classes:
        chosen = np.array(members, dtype=np.int64)
        spins = model.first[chosen[spin[chosen]]]
        order.append(_rows_of(spins, degrees, lanes, price, False, rows))
        for group in chosen[~spin[chosen]].tolist():
            states = np.arange(model.first[group], model.first[group + 1], dtype=np.int64)
            order.append(_rows_of(states, degrees, lanes, price, True, rows))
        rows[-1] = _with_barrier(rows[-1])
    if not rows:
        # a device holds at least one row: one p-bit of its own, which no variable reads
        rows.append(Row(1, 0, False, False, False, True, 1))
    return _placed(rows, order, max(1, len(classes)), model.slots)


def _rows_of(
    slots: NDArray[np.int64],
    degrees: NDArray[np.int64],
    lanes: int,
    price: int,
    group: bool,
    rows: list[Row],
) -> NDArray[np.int64]:
    """Append the rows of these slots; give the slots back in the order in which rows take them."""
    sorted_slots = slots[np.argsort(-degrees[slots], kind="stable")]
    cuts = cut_rows(degrees[sorted_slots].tolist(), lanes, price)
    for number, cut in enumerate(cuts):
        mask = sum(1 << (place << cut.fold) for place in range(cut.count))
        first, last = group and number == 0, group and number == len(cuts) - 1
        rows.append(Row(cut.length, cut.fold, group, first, last, False, mask))
    return sorted_slots


def _with_barrier(row: Row) -> Row:
    return Row(row.length, row.fold, row.group, row.first, row.last, True, row.mask)


def _placed(rows: list[Row], order: list[NDArray[np.int64]], colours: int, slots: int) -> Layout:
    taken = np.concatenate(order) if order else np.zeros(0, dtype=np.int64)
    counts = np.array([row.mask.bit_count() for row in rows], dtype=np.int64)
    folds = np.array([row.fold for row in rows], dtype=np.int64)
    lengths = np.array([row.length for row in rows], dtype=np.int64)
    row_of_taken = np.repeat(np.arange(len(rows), dtype=np.int64), counts)[: len(taken)]
    begin = np.cumsum(counts) - counts
    place = np.arange(len(taken), dtype=np.int64) - begin[row_of_taken]
    row, lane = np.zeros(slots, dtype=np.int64), np.zeros(slots, dtype=np.int64)
    row[taken] = row_of_taken
    lane[taken] = place << folds[row_of_taken]
    return Layout(rows, row, lane, np.cumsum(lengths) - lengths, int(lengths.sum()), colours)

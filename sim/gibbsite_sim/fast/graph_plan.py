"""A graph program as flat arrays: which slots a row decides, and what each decision changes.

Slots are numbered in order of row and lane. A field is kept as a number of units,

    f_i = origin_i + unit * x_i,        x_i += gain_ij * (bit_j' - bit_j) when j turns,

where ``unit`` divides all couplings' effects (``2 w`` of a p-bit, ``w`` of a state), so that ``x``
counts the fields that can occur and nothing else. Everything is an integer and exact.

Twin: ``gibbsite_models.golden.graph``, whose rows hold the same as sparse matrices.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, Row
from gibbsite_models.golden.couplings import Entries
from gibbsite_models.golden.noise import UInt32

__all__ = ["OFF", "ON", "Fields", "Layout", "Lists", "Plan"]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Int8 = NDArray[np.int8]
Bools = NDArray[np.bool_]

ON, OFF = 1, 2
"""Marks of `Fields.held`."""

NARROW = 1 << 30
"""Fields, and twice their parts, below this are kept in 32 bits."""


class Lists(NamedTuple):
    """Neighbours behind each other: those of slot i are ``first[i]`` to ``first[i + 1]``."""

    first: Int32
    slot: Int32
    gain: Int32


class Layout(NamedTuple):
    """Where slots lie.

    ``lane_slot``  int32[rows, lanes]: the slot decided there, or -1
    ``group``      bool[rows]: states of a group
    ``last``       bool[rows]: the row ends what is decided together, a row of p-bits or a group
    ``row_slot``   int32[rows + 1]: the first slot of each row
    ``unit``       what a unit of x is worth
    """

    lane_slot: Int32
    row_slot: Int32
    group: Bools
    last: Bools
    unit: int


class Fields(NamedTuple):
    """What today's biases and clamps make of the fields.

    ``origin``      int64[slots]: f where x is 0
    ``start_x``     [slots]: x where every bit is 0; int32, or int64 where fields are wide
    ``start_field`` int64[slots]: the start pass's field where every bit is 0
    ``held``        int8[slots]: 0 free, else ON or OFF
    ``values``      int64[places]: the field of every place of a threshold table, or empty where
                    that would be longer than asked; then origins are such that x may be negative
    """

    origin: Int64
    start_x: NDArray[np.int32] | Int64
    start_field: Int64
    held: Int8
    values: Int64


class Plan:
    """One loaded program; ``entries`` are ``uint32[words, lanes]``.

    ``dependent``  a row reads slots of its own class, which no driver loads
    ``reads``      neighbours that a slot's field is made of; ``earlier``: those of earlier rows
    ``turns``      slots whose fields change with this one, by how many units
    """

    def __init__(self, parameters: GraphParameters, rows: Sequence[Row], entries: UInt32) -> None:
        lanes = parameters.lanes
        masks = np.array([row.mask for row in rows], dtype=np.int64)
        held = (masks[:, None] >> np.arange(lanes) & 1).astype(np.bool_)
        self.lanes = lanes
        self.address = np.flatnonzero(held)
        self.slots = self.address.size
        lane_slot = np.full((len(rows), lanes), -1, dtype=np.int32)
        lane_slot[held] = np.arange(self.slots)
        row_slot = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int32)
        group = np.array([row.group for row in rows], dtype=np.bool_)
        last = np.array([row.last or not row.group for row in rows], dtype=np.bool_)
        self._row = (self.address // lanes).astype(np.int64)

        owner, taken, number = _entries(parameters, rows, entries, lane_slot)
        colour = np.cumsum([0, *(row.barrier for row in rows[:-1])])
        self.dependent = bool(np.any(colour[taken.address // lanes] == colour[number]))
        early = taken.address < number * lanes
        constant = np.where(taken.state, 0, -taken.weight)
        self._constant = _summed(self.slots, owner, constant)
        self._early_constant = _summed(self.slots, owner[early], constant[early])
        self._pbit = ~group[self._row]

        slot = lane_slot.ravel()[taken.address].astype(np.int64)
        real = slot >= 0  # a place without a slot is 0 for good and only adds its constant
        owner, slot, early = owner[real], slot[real], early[real]
        gain = np.where(taken.state, 1, 2)[real] * taken.weight[real]
        unit = int(np.gcd.reduce(gain)) if gain.size else 1
        gain //= unit
        self.layout = Layout(lane_slot, row_slot, group, last, unit)
        self._low = _summed(self.slots, owner, np.minimum(gain, 0))
        self._high = _summed(self.slots, owner, np.maximum(gain, 0))
        self.reads = _lists(self.slots, owner, slot, gain)
        self.earlier = _lists(self.slots, owner[early], slot[early], gain[early])
        self.turns = _lists(self.slots, slot, owner, gain)

    @property
    def work(self) -> int:
        """About what one pass of one chain costs, in operations on a number."""
        return int(6 * self.layout.lane_slot.size + self.reads.slot.size)

    def fields(self, conditions: Conditions, most_places: int) -> Fields:
        """Fields under these conditions, with a table's places if there are no more than that."""
        biases = np.array(conditions.biases, dtype=np.int64)[self.address]
        base = biases + self._constant
        held = np.zeros(self.slots, dtype=np.int8)
        lane = self.address % self.lanes
        for mask, mark in ((conditions.clamps_on, ON), (conditions.clamps_off, OFF)):
            held[np.array(mask, dtype=np.int64)[self._row] >> lane & 1 == 1] = mark
        free = self._pbit & (held == 0)
        values, origin = _places(base, self._low, self._high, self.layout.unit, free, most_places)
        start_x = (base - origin) // self.layout.unit
        reach = max(
            int(np.abs(start_x + self._low).max(initial=0)),
            int(np.abs(start_x + self._high).max(initial=0)),
            int(np.abs(self.turns.gain.astype(np.int64)).max(initial=0)),
        )
        return Fields(
            origin,
            start_x if reach >= NARROW else start_x.astype(np.int32),
            biases + self._early_constant,
            held,
            values,
        )


def _entries(
    parameters: GraphParameters, rows: Sequence[Row], entries: UInt32, lane_slot: Int32
) -> tuple[Int64, Entries, Int64]:
    """Owner, entry and row number of every coupling: of ``2^fold`` lanes from a slot's own on."""
    lanes = parameters.lanes
    number = np.repeat(np.arange(len(rows)), [row.length for row in rows])
    fold = np.array([row.fold for row in rows])[:, None]
    # slots sit at multiples of 2^fold, so a lane's owner is at the multiple below it
    first = np.arange(lanes)[None, :] >> fold << fold
    owner = np.take_along_axis(lane_slot, first, axis=1)[number]
    taken = Entries.decode(parameters, entries)
    used = (owner >= 0) & (taken.weight != 0)
    where = np.broadcast_to(number[:, None], used.shape)
    return owner[used].astype(np.int64), taken.at(used), where[used].astype(np.int64)


def _lists(slots: int, owner: Int64, slot: Int64, gain: Int64) -> Lists:
    """Lists of (owner, slot, gain) in any order."""
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], np.arange(slots + 1))
    return Lists(first.astype(np.int32), slot[order].astype(np.int32), gain[order].astype(np.int32))


def _summed(slots: int, owner: Int64, values: Int64) -> Int64:
    """Sums of values by owner, in integers."""
    sums = np.zeros(slots, dtype=np.int64)
    np.add.at(sums, owner, values)
    return sums


def _places(
    base: Int64, low: Int64, high: Int64, unit: int, free: NDArray[np.bool_], most: int
) -> tuple[Int64, Int64]:
    """Places of a threshold table, and every slot's origin, whose x is a place of the table.

    Slots whose base leaves the same remainder share a run of places. Without a table, or for a slot
    that no threshold decides, the origin is the base itself.
    """
    origin = base.copy()
    runs: list[Int64] = []
    places = 0
    remainder = base % unit
    for rest in np.unique(remainder[free]):
        ours = free & (remainder == rest)
        first = int((base[ours] + unit * low[ours]).min())
        last = int((base[ours] + unit * high[ours]).max())
        count = (last - first) // unit + 1
        if places + count > most:
            return np.zeros(0, dtype=np.int64), base.copy()
        origin[ours] = first - unit * places
        runs.append(first + unit * np.arange(count, dtype=np.int64))
        places += count
    return np.concatenate(runs) if runs else np.zeros(0, dtype=np.int64), origin

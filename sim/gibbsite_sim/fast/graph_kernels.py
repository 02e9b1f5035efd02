"""Passes of the graph engine compiled: a pack of chains side by side, fields kept up to date.

A `Pack` holds bits ``int8[slots, chains]``, fields ``x [slots, chains]`` in units, streams
``uint32[lanes, 4, chains]`` and energies ``int64[chains]``. A field changes only when a neighbour
turns; slots of a class are no neighbours, so what turned is told to its neighbours at once.

Source: docs/graph-engine.md. Twin: ``gibbsite_models.golden.graph``.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import compiled, inner
from gibbsite_sim.fast.graph_loops import (
    add,
    add_bits,
    by_score,
    by_threshold,
    compete,
    elect,
    hold,
    keep,
    lower,
    spend,
)
from gibbsite_sim.fast.graph_plan import OFF, ON, Fields, Layout, Lists
from gibbsite_sim.fast.noise import NoiseTables, shape, step

__all__ = ["Pack", "Thresholds", "start_pass", "sweep_passes"]

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int8 = NDArray[np.int8]
UInt32 = NDArray[np.uint32]

_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class Pack(NamedTuple):
    """Chains side by side; ``best_bits`` has no slots where no best state is asked for."""

    x: Int32
    bits: Int8
    streams: UInt32
    energy: Int64
    best_energy: Int64
    best_bits: Int8


class Thresholds(NamedTuple):
    """``table[level * places + x]``, empty where scores decide; one that is ``always`` is met."""

    table: UInt32
    places: int
    always: int


@inner
def _tell(pack: Pack, turns: Lists, slot: int, turn: Int32) -> None:
    """Tell a slot's turn to the fields of its neighbours."""
    for k in range(turns.first[slot], turns.first[slot + 1]):
        add(pack.x[turns.slot[k]], turn, turns.gain[k])


@inner
def _pass(
    layout: Layout,
    turns: Lists,
    fields: Fields,
    noise: NoiseTables,
    thresholds: Thresholds,
    pack: Pack,
    beta: Int64,
    level: Int32,
    shift: int,
    uniform: UInt32,
    turn: Int32,
    score: Int64,
    winner: Int32,
) -> None:
    """One sweep; the last four are room for one slot's numbers."""
    tabled = thresholds.table.size > 0
    begun = 0
    for row in range(layout.lane_slot.shape[0]):
        group = layout.group[row]
        for lane in range(layout.lane_slot.shape[1]):
            streams = pack.streams[lane]
            step(streams[0], streams[1], streams[2], streams[3], uniform)
            slot = layout.lane_slot[row, lane]
            if slot < 0:
                continue
            x, bits, held = pack.x[slot], pack.bits[slot], fields.held[slot]
            if group:
                if held == ON:
                    winner[:] = slot
                    score[:] = _MOST
                elif held != OFF:
                    compete(
                        x,
                        uniform,
                        beta,
                        fields.origin[slot],
                        layout.unit,
                        shift,
                        noise.base,
                        noise.slope,
                        noise.shifts,
                        noise.starts,
                        noise.cut,
                        slot,
                        score,
                        winner,
                    )
                continue
            if held:
                turned = hold(bits, turn, 1 if held == ON else 0)
            elif tabled:
                turned = by_threshold(
                    x, uniform, bits, turn, level, thresholds.table, thresholds.always
                )
            else:
                turned = by_score(
                    x,
                    uniform,
                    bits,
                    turn,
                    beta,
                    fields.origin[slot],
                    layout.unit,
                    shift,
                    noise.base,
                    noise.slope,
                    noise.shifts,
                    noise.starts,
                    noise.cut,
                )
            if turned:
                spend(pack.energy, x, turn, 2, fields.origin[slot], layout.unit)
                _tell(pack, turns, slot, turn)
        if group and layout.last[row]:
            for slot in range(layout.row_slot[begun], layout.row_slot[row + 1]):
                if elect(winner, slot, pack.bits[slot], turn):
                    spend(pack.energy, pack.x[slot], turn, 1, fields.origin[slot], layout.unit)
                    _tell(pack, turns, slot, turn)
        if layout.last[row]:
            begun = row + 1
            score[:] = _LEAST


@compiled
def sweep_passes(
    layout: Layout,
    turns: Lists,
    fields: Fields,
    noise: NoiseTables,
    thresholds: Thresholds,
    pack: Pack,
    betas: Int64,
    levels: Int32,
    shift: int,
) -> None:
    """Sweeps at ``betas[sweep, chain]``, whose thresholds are ``levels[sweep, chain]``.

    Where all chains share them, both have one chain. The best state is kept after every sweep.
    """
    chains = pack.energy.size
    beta, level = np.empty(chains, np.int64), np.empty(chains, np.int32)
    uniform, turn = np.empty(chains, np.uint32), np.empty(chains, np.int32)
    score, winner = np.full(chains, _LEAST, np.int64), np.zeros(chains, np.int32)
    found = np.empty(chains, np.int8)
    for sweep in range(betas.shape[0]):
        for r in range(chains):
            k = r if betas.shape[1] > 1 else 0
            beta[r] = betas[sweep, k]
            level[r] = levels[sweep, k] * thresholds.places
        _pass(
            layout,
            turns,
            fields,
            noise,
            thresholds,
            pack,
            beta,
            level,
            shift,
            uniform,
            turn,
            score,
            winner,
        )
        if lower(pack.energy, pack.best_energy, found):
            for slot in range(pack.best_bits.shape[0]):
                keep(pack.best_bits[slot], pack.bits[slot], found)


@compiled
def start_pass(
    layout: Layout,
    reads: Lists,
    earlier: Lists,
    fields: Fields,
    noise: NoiseTables,
    pack: Pack,
    given: bool,
) -> None:
    """The first state, drawn at beta = 0 or the one that bits hold, its energy, all fields."""
    chains = pack.energy.size
    uniform, turn = np.empty(chains, np.uint32), np.empty(chains, np.int32)
    score, winner = np.full(chains, _LEAST, np.int64), np.zeros(chains, np.int32)
    begun = 0
    pack.energy[:] = 0
    for row in range(layout.lane_slot.shape[0]):
        group = layout.group[row]
        for lane in range(layout.lane_slot.shape[1]):
            streams = pack.streams[lane]
            step(streams[0], streams[1], streams[2], streams[3], uniform)
            slot = layout.lane_slot[row, lane]
            if slot < 0 or given:
                continue
            held = fields.held[slot]
            for r in range(chains):
                if not group:
                    drawn = shape(
                        uniform[r],
                        False,
                        noise.base,
                        noise.slope,
                        noise.shifts,
                        noise.starts,
                        noise.cut,
                    )
                    pack.bits[slot, r] = held == ON if held else drawn > 0
                elif held != OFF:
                    drawn = shape(
                        uniform[r],
                        True,
                        noise.base,
                        noise.slope,
                        noise.shifts,
                        noise.starts,
                        noise.cut,
                    )
                    if held == ON or drawn > score[r]:
                        score[r] = _MOST if held == ON else drawn
                        winner[r] = slot
        if layout.last[row]:
            for slot in range(layout.row_slot[begun], layout.row_slot[row + 1]):
                if group and not given:
                    elect(winner, slot, pack.bits[slot], turn)
                _enter(layout, earlier, fields, pack, slot, group)
            begun = row + 1
            score[:] = _LEAST
    for slot in range(pack.x.shape[0]):
        pack.x[slot] = fields.start_x[slot]
        for k in range(reads.first[slot], reads.first[slot + 1]):
            add_bits(pack.x[slot], pack.bits[reads.slot[k]], reads.gain[k])
    pack.best_energy[:] = pack.energy
    for slot in range(pack.best_bits.shape[0]):
        pack.best_bits[slot] = pack.bits[slot]


@inner
def _enter(
    layout: Layout, earlier: Lists, fields: Fields, pack: Pack, slot: int, group: bool
) -> None:
    """Add ``v f`` of a slot that was just decided, f over neighbours of earlier rows."""
    x = pack.x[slot]
    x[:] = 0
    for k in range(earlier.first[slot], earlier.first[slot + 1]):
        add_bits(x, pack.bits[earlier.slot[k]], earlier.gain[k])
    for r in range(x.size):
        value = np.int64(pack.bits[slot, r])
        if not group:
            value = 2 * value - 1
        pack.energy[r] += value * (fields.start_field[slot] + layout.unit * np.int64(x[r]))

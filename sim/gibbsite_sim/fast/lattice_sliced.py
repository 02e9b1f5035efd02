"""Lattice sweeps of a panel, 512 chains side by side: passes over bands of rows.

Spins are ``uint64[sites * 8]``, a vector a site in the order of `lattice_order`; streams
``uint64[2, streams, 512]``, a band's each.

Source: docs/lattice-engine.md. Twin: ``gibbsite_models.golden.lattice``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare, inner
from gibbsite_sim.fast.lattice_decide import decide_cases, decide_counts, decide_pairs
from gibbsite_sim.fast.lattice_noise import TURN, close_stream, open_stream, step_planes
from gibbsite_sim.fast.lattice_vectors import Words, load, prefetch, spread, store

__all__ = ["sliced_sweeps", "start_sliced"]

Ints = NDArray[np.int32]
Bytes = NDArray[np.int8]

HELD, PAIRS, COUNTS = 0, 1, 2  # of lattice_sites, as constants of the compiled code


AHEAD = 24
"""Sites between the one that is decided and the one whose spins are asked to come near. A lattice
of 256 x 256 does not fit the nearer caches, and the edges of its bands lie in steps that no
processor foresees."""


@inner
def _pass(
    band: int,
    colour: int,
    columns: int,
    rows: int,
    spins: Words,
    streams: Words,
    kind: Bytes,
    degree: Bytes,
    strength: NDArray[np.int16],
    negative: NDArray[np.uint16],
    neighbour: Ints,
    fields: NDArray[np.int16],
    signs: NDArray[np.uint16],
    on: Words,
    table: Ints,
    room: Words,
    masks: Words,
) -> None:
    """One pass over a band."""
    half = min(8, rows - 8 * band) // 2
    site = 8 * columns * band + colour * columns * half
    open_stream(room, streams, band)
    now, then, turn = 0, 128, 0
    last = kind.shape[0] - 1
    for _ in range(columns):
        for part in range(half):
            soon = min(site + AHEAD, last)
            prefetch(spins, soon)
            for k in range(4):
                prefetch(spins, neighbour[soon, k])
            first = now + 16 * part
            at, minus = neighbour[site], negative[site] + 0
            if kind[site] == PAIRS:
                out = decide_pairs(spins, room, first, at, minus, strength[site], table, masks)
            elif kind[site] > COUNTS:
                out = decide_cases(
                    spins, room, first, at, fields[site], signs[site] + 0, table, masks
                )
            elif kind[site] == COUNTS:
                out = decide_counts(
                    spins, room, first, at, degree[site], minus, strength[site], table, masks
                )
            else:
                out = spread(on[site])
            store(spins, site, out)
            site += 1
        step_planes(room, now, then, turn)
        now, then, turn = then, now, TURN
    close_stream(streams, band, room, now)


@bare
def sliced_sweeps(
    times: int,
    order: Ints,
    columns: int,
    rows: int,
    spins: Words,
    streams: Words,
    kind: Bytes,
    degree: Bytes,
    strength: NDArray[np.int16],
    negative: NDArray[np.uint16],
    neighbour: Ints,
    fields: NDArray[np.int16],
    signs: NDArray[np.uint16],
    on: Words,
    table: Ints,
    room: Words,
    masks: Words,
) -> None:
    """So many times the passes of ``order[passes, 2]``, band and colour; ``table[m]`` is T(m).

    ``room`` are 256 vectors to work in, ``masks`` no ones and all ones.
    """
    for _ in range(times):
        for turn in range(order.shape[0]):
            _pass(
                order[turn, 0],
                order[turn, 1],
                columns,
                rows,
                spins,
                streams,
                kind,
                degree,
                strength,
                negative,
                neighbour,
                fields,
                signs,
                on,
                table,
                room,
                masks,
            )


@bare
def start_sliced(
    columns: int,
    rows: int,
    spins: Words,
    streams: Words,
    kind: Bytes,
    on: Words,
    given: Bytes,
    room: Words,
) -> None:
    """The start sweep: tossed where ``given`` is -1, else given; clamps win."""
    site = 0
    for band in range(streams.shape[1]):
        half = min(8, rows - 8 * band) // 2
        open_stream(room, streams, band)
        now, then, turn = 0, 128, 0
        for _ in range(2 * columns):
            for part in range(half):
                out = ~load(room, now + 16 * part + 15)
                if kind[site] == HELD:
                    out = spread(on[site])
                elif given[site] >= 0:
                    out = spread(np.uint64(0) - np.uint64(given[site]))
                store(spins, site, out)
                site += 1
            step_planes(room, now, then, turn)
            now, then, turn = then, now, TURN
        close_stream(streams, band, room, now)

"""Passes of the lattice engine on a GPU, 32 chains a word: a thread has one stream of one word.

Spins are ``uint32[sites + 1, width]``, flat, sites in the order ``column * rows + row`` and behind
them one of zeros; streams as `lattice_cuda_streams` lays them. The threads of a warp have
neighbouring words, so that they move whole lines and decide the same sites. A launch is one pass:
sites of one colour do not touch, so threads need not wait for each other.

Source: docs/lattice-engine.md. Twin: ``gibbsite_sim.fast.lattice_sliced``.
"""

from typing import Any

from numba import cuda, int32, uint16, uint32, uint64

from gibbsite_sim.fast.lattice_cuda_below import below, choose, majority, mask
from gibbsite_sim.fast.lattice_cuda_kernel import kernel_of
from gibbsite_sim.fast.lattice_cuda_streams import close_stream, home, open_stream, step
from gibbsite_sim.fast.lattice_sites import COUNTS, HELD

__all__ = ["PLACES", "TEAM", "places_of_cases", "sliced_pass", "start_pass"]

TEAM = 128
"""Threads of a block at most."""

PLACES = 68
"""Places that a site's cases look up: four of each bit of a threshold, and of the sign."""

COLUMN_PLACES, COLUMN_LOOKS, ROOM = 4 * PLACES, 32, 16 * TEAM
"""What a block keeps near: of the four sites of a column, and functions of two spins a thread."""


@cuda.jit(device=True)
def _counts(
    u: Any,
    spins: Any,
    width: int,
    word: Any,
    neighbour: Any,
    first: Any,
    degree: int,
    negative: int,
    strength: int,
    table: Any,
) -> Any:
    """Up to twelve neighbours of one strength; see `lattice_decide.decide_counts`."""
    c0, c1, c2, c3 = uint32(0), uint32(0), uint32(0), uint32(0)
    for k in range(degree):
        x = spins[uint64(neighbour[uint64(first + k)] * width + word)] ^ mask(negative, k)
        x, c0 = c0 & x, c0 ^ x
        x, c1 = c1 & x, c1 ^ x
        x, c2 = c2 & x, c2 ^ x
        c3 ^= x
    out = uint32(0)
    for few in range(degree // 2 + 1):
        lt = below(u, 0, table[uint64((degree - 2 * few) * strength)])
        many = degree - few
        is_many = (c0 ^ mask(~many, 0)) & (c1 ^ mask(~many, 1))
        is_many &= (c2 ^ mask(~many, 2)) & (c3 ^ mask(~many, 3))
        out |= is_many & lt
        if few < many:
            is_few = (c0 ^ mask(~few, 0)) & (c1 ^ mask(~few, 1))
            is_few &= (c2 ^ mask(~few, 2)) & (c3 ^ mask(~few, 3))
            out |= is_few & ~lt
    return out


@cuda.jit(device=True)
def _looked_up(places: Any, first: Any, room: Any, thread: Any, c: Any, d: Any) -> Any:
    """A function of four spins: four places name, for each c and d, a function of a and b."""
    return choose(
        d,
        choose(
            c,
            room[uint64(places[uint64(first + 3)] + thread)],
            room[uint64(places[uint64(first + 2)] + thread)],
        ),
        choose(
            c,
            room[uint64(places[uint64(first + 1)] + thread)],
            room[uint64(places[uint64(first)] + thread)],
        ),
    )


@cuda.jit(device=True)
def _cases(
    u: Any, a: Any, b: Any, c: Any, d: Any, places: Any, first: Any, room: Any, thread: Any
) -> Any:
    """Up to four neighbours of any couplings; see `lattice_decide.decide_cases`.

    Each bit of the threshold of every chain's own case is looked up as a function of its four
    spins, among the sixteen functions of a and b that the thread first puts into ``room``.
    """
    for function in range(16):  # bit a + 2 b is its value
        value = uint32(0)
        if function & 1:
            value |= ~a & ~b
        if function & 2:
            value |= a & ~b
        if function & 4:
            value |= ~a & b
        if function & 8:
            value |= a & b
        room[uint64(TEAM * function + thread)] = value
    x = uint32(0)
    for k in range(16):
        threshold = _looked_up(places, first + 4 * k, room, thread, c, d)
        x = majority(x, ~u[k], threshold)
    return x ^ _looked_up(places, first + 64, room, thread, c, d)


@cuda.jit
def places_of_cases(fields: Any, signs: Any, table: Any, places: Any) -> None:
    """What `_cases` looks up at one beta, ``uint16[sites, 17, 4]``.

    Row k < 16: bit k of T(|f|) in all cases; row 16: whether f is negative. For each c and d the
    place in ``room`` of the function of a and b.
    """
    site = cuda.grid(1)
    if site >= signs.shape[0]:
        return
    for row in range(17):
        for group in range(4):
            function = 0
            for case in range(4 * group, 4 * group + 4):
                bit = signs[uint64(site)] >> case
                if row < 16:
                    bit = table[uint64(fields[uint64(16 * site + case)])] >> row
                function |= (bit & 1) << (case - 4 * group)
            places[uint64(PLACES * site + 4 * row + group)] = TEAM * function


@cuda.jit
def start_pass(
    spins: Any, streams: Any, width: int, rows: int, columns: int, colour: int, given: Any
) -> None:
    """One pass of a start sweep: ``given[site]`` is 0 or 1, or -1 where a coin is tossed."""
    word, stream = cuda.grid(1), cuda.blockIdx.y
    if word >= width:
        return
    s0 = cuda.local.array(64, uint32)
    s1 = cuda.local.array(64, uint32)
    y = cuda.local.array(64, uint32)
    z = cuda.local.array(64, uint32)
    at_home = home(word, stream, cuda.gridDim.y)
    open_stream(s0, s1, streams, at_home)
    for column in range(columns):
        for part in range(4):
            row = 2 * (4 * stream + part) + (column + colour) % 2
            if row < rows:
                site = column * rows + row
                value = ~s0[16 * part + 15]
                if given[uint64(site)] >= 0:
                    value = mask(given[uint64(site)], 0)
                spins[uint64(site * width + word)] = value
        step(s0, s1, y, z)
    close_stream(s0, s1, streams, at_home)


@kernel_of(registers=168)
def sliced_pass(
    spins: Any,
    streams: Any,
    width: int,
    rows: int,
    columns: int,
    colour: int,
    neighbours: int,
    neighbour: Any,
    looks: Any,
    places: Any,
    table: Any,
) -> None:
    """One pass of any program that slices.

    ``neighbour[neighbours site + k]``; ``looks[8 site ...]``: kind, strength, negative couplings,
    what it is held at if it is, and the first four neighbours, or the degree where they are
    counted; ``places`` from `places_of_cases`, or one where none are needed; ``table[m]`` is
    T(m). The threads of a block, which decide the same sites, fetch looks and places of a column
    together: they come from far.
    """
    word, stream = cuda.grid(1), cuda.blockIdx.y
    live = word < width  # a thread without a word helps the others all the same
    s0 = cuda.local.array(64, uint32)
    s1 = cuda.local.array(64, uint32)
    y = cuda.local.array(64, uint32)
    z = cuda.local.array(64, uint32)
    u = cuda.local.array(16, uint32)
    look = cuda.shared.array(COLUMN_LOOKS, int32)
    near = cuda.shared.array(COLUMN_PLACES, uint16)
    room = cuda.shared.array(ROOM, uint32)
    at_home = home(word, stream, cuda.gridDim.y)
    if live:
        open_stream(s0, s1, streams, at_home)
    lanes = min(4, (rows - 8 * stream) // 2)
    for column in range(columns):
        top = column * rows + 8 * stream + (column + colour) % 2
        cuda.syncthreads()
        for i in range(cuda.threadIdx.x, 8 * lanes, cuda.blockDim.x):
            look[uint64(i)] = looks[uint64(8 * (top + 2 * (i // 8)) + i % 8)]
        if places.shape[0] > 1:
            for i in range(cuda.threadIdx.x, PLACES * lanes, cuda.blockDim.x):
                near[uint64(i)] = places[uint64(PLACES * (top + 2 * (i // PLACES)) + i % PLACES)]
        cuda.syncthreads()
        for part in range(lanes if live else 0):  # not written out: a decision's code stands once
            for k in range(16):
                low = s0[16 + k] if part == 1 else s0[k]
                high = s0[48 + k] if part == 3 else s0[32 + k]
                u[k] = high if part >= 2 else low
            site, about = top + 2 * part, 8 * part
            kind = look[uint64(about)]
            if kind == HELD:
                out = mask(look[uint64(about + 3)], 0)
            elif kind == COUNTS:
                out = _counts(
                    u,
                    spins,
                    width,
                    word,
                    neighbour,
                    neighbours * site,
                    look[uint64(about + 4)],
                    look[uint64(about + 2)],
                    look[uint64(about + 1)],
                    table,
                )
            else:
                out = _cases(
                    u,
                    spins[uint64(look[uint64(about + 4)] * width + word)],
                    spins[uint64(look[uint64(about + 5)] * width + word)],
                    spins[uint64(look[uint64(about + 6)] * width + word)],
                    spins[uint64(look[uint64(about + 7)] * width + word)],
                    near,
                    PLACES * part,
                    room,
                    cuda.threadIdx.x,
                )
            spins[uint64(site * width + word)] = out
        step(s0, s1, y, z)
    if live:
        close_stream(s0, s1, streams, at_home)

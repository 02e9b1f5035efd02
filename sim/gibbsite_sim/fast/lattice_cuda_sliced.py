"""Passes of the lattice engine on a GPU, 32 chains a word: a thread has one stream of one word.

Spins are ``uint32[sites + 1, width]``, flat, sites in the order ``column * rows + row`` and behind
them one of zeros; streams as `lattice_cuda_streams` lays them. The threads of a warp have
neighbouring words, so that they move whole lines and decide the same sites. A launch is one pass:
sites of one colour do not touch, so threads need not wait for each other.

Source: docs/lattice-engine.md. Twin: ``gibbsite_sim.fast.lattice_sliced``.
"""

from typing import Any

from numba import cuda, int32, uint32, uint64

from gibbsite_sim.fast.lattice_cuda_below import below, choose, majority, mask
from gibbsite_sim.fast.lattice_cuda_streams import close_stream, home, open_stream, step
from gibbsite_sim.fast.lattice_sites import COUNTS, HELD

__all__ = ["MASKS", "masks_of_cases", "sliced_pass", "start_pass"]

MASKS = 136
"""Words of a site's masks: 17 rows of eight."""

COLUMN_MASKS, COLUMN_LOOKS = 4 * MASKS, 32
"""What the four sites of a column take of a block's memory."""


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
def _below8(u: Any, x: Any, n: int, masks: Any, first: Any) -> None:
    """``x[n]`` to ``x[n + 7]``: the uniform is below thresholds whose masks begin at ``first``.

    Eight at a time, since the compiler writes out no loop that is much longer.
    """
    for case in range(8):
        x[n + case] = uint32(0)
    for k in range(16):
        v = ~u[k]
        for pair in range(4):
            two = masks[uint64(first + 8 * k + pair)]
            p, q = x[n + 2 * pair], x[n + 2 * pair + 1]
            x[n + 2 * pair] = majority(p, v, uint32(two))
            x[n + 2 * pair + 1] = majority(q, v, uint32(two >> uint64(32)))


@cuda.jit(device=True)
def _cases(u: Any, x: Any, a: Any, b: Any, c: Any, d: Any, masks: Any, first: Any) -> Any:
    """Up to four neighbours of any couplings; see `lattice_decide.decide_cases`.

    Sixteen thresholds side by side, in the room ``x``; their masks begin at ``first``.
    """
    _below8(u, x, 0, masks, first)
    _below8(u, x, 8, masks, first + 4)
    for pair in range(8):  # choose by a, and turn what a negative field turns
        two = masks[uint64(first + 128 + pair)]
        x[pair] = choose(a, x[2 * pair + 1] ^ uint32(two >> uint64(32)), x[2 * pair] ^ uint32(two))
    for pair in range(4):
        x[pair] = choose(b, x[2 * pair + 1], x[2 * pair])
    return choose(d, choose(c, x[3], x[2]), choose(c, x[1], x[0]))


@cuda.jit
def masks_of_cases(fields: Any, signs: Any, table: Any, masks: Any) -> None:
    """Masks ``uint64[sites, 17, 8]`` at one beta: of all sites' cases, two in a word.

    Row k < 16: bit k of T(|f|); row 16: whether f is negative. All threads of a warp look up the
    same ones, and made here once they cost a load in place of two operations each.
    """
    site = cuda.grid(1)
    if site >= signs.shape[0]:
        return
    for pair in range(8):
        case, place = 2 * pair, MASKS * site + pair
        one = table[uint64(fields[uint64(16 * site + case)])]
        other = table[uint64(fields[uint64(16 * site + case + 1)])]
        for k in range(16):
            both = uint64(mask(one, k)) | uint64(mask(other, k)) << uint64(32)
            masks[uint64(place + 8 * k)] = both
        sign = signs[uint64(site)]
        both = uint64(mask(sign, case)) | uint64(mask(sign, case + 1)) << uint64(32)
        masks[uint64(place + 128)] = both


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


@cuda.jit
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
    masks: Any,
    table: Any,
) -> None:
    """One pass of any program that slices.

    ``neighbour[neighbours site + k]``; ``looks[8 site ...]``: kind, strength, negative couplings,
    what it is held at if it is, and the first four neighbours, or the degree where they are
    counted; ``masks`` from `masks_of_cases`, or one word where none are needed; ``table[m]`` is
    T(m). The threads of a block, which decide the same sites, fetch looks and masks of a column
    together: they come from far.
    """
    word, stream = cuda.grid(1), cuda.blockIdx.y
    live = word < width  # a thread without a word helps the others all the same
    s0 = cuda.local.array(64, uint32)
    s1 = cuda.local.array(64, uint32)
    y = cuda.local.array(64, uint32)
    z = cuda.local.array(64, uint32)
    u = cuda.local.array(16, uint32)
    x = cuda.local.array(16, uint32)
    look = cuda.shared.array(COLUMN_LOOKS, int32)
    near = cuda.shared.array(COLUMN_MASKS, uint64)
    at_home = home(word, stream, cuda.gridDim.y)
    if live:
        open_stream(s0, s1, streams, at_home)
    lanes = min(4, (rows - 8 * stream) // 2)
    for column in range(columns):
        top = column * rows + 8 * stream + (column + colour) % 2
        cuda.syncthreads()
        for i in range(cuda.threadIdx.x, 8 * lanes, cuda.blockDim.x):
            look[uint64(i)] = looks[uint64(8 * (top + 2 * (i // 8)) + i % 8)]
        if masks.shape[0] > 1:
            for i in range(cuda.threadIdx.x, MASKS * lanes, cuda.blockDim.x):
                near[uint64(i)] = masks[uint64(MASKS * (top + 2 * (i // MASKS)) + i % MASKS)]
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
                    x,
                    spins[uint64(look[uint64(about + 4)] * width + word)],
                    spins[uint64(look[uint64(about + 5)] * width + word)],
                    spins[uint64(look[uint64(about + 6)] * width + word)],
                    spins[uint64(look[uint64(about + 7)] * width + word)],
                    near,
                    MASKS * part,
                )
            spins[uint64(site * width + word)] = out
        step(s0, s1, y, z)
    if live:
        close_stream(s0, s1, streams, at_home)

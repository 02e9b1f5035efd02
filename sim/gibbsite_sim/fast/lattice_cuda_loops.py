"""Passes of the lattice engine as CUDA kernels: 32 chains a thread's word, or one chain a thread.

Sliced: a thread has one stream of 32 chains, 128 planes of 32 bits, and its four lanes' sites; the
threads of a warp take neighbouring words, so that spins ``uint32[sites, width]`` and streams
``uint32[2, 64, streams, width]`` move in whole lines. Wide: a thread has one stream of one chain,
spins ``int8[sites, chains]`` and streams ``uint64[2, streams, chains]``.

A launch is one pass: sites of one colour do not touch, so threads need not wait for each other.

Source: docs/lattice-engine.md. Twins: ``gibbsite_sim.fast.lattice_sliced``, ``lattice_wide``.
"""

from typing import Any

import numpy as np
from numba import cuda, uint32

__all__ = ["sliced_pass", "wide_pass"]

HELD, PAIRS, COUNTS = 0, 1, 2  # of lattice_sites, as constants of the compiled code


@cuda.jit(device=True)
def _below(s0: Any, base: int, threshold: int) -> Any:
    """Chains whose uniform, in planes ``base`` to ``base + 15``, is below a threshold."""
    lt = uint32(0)
    for k in range(16):
        v = ~s0[base + k]
        lt = (lt | v) if threshold >> k & 1 else (lt & v)
    return lt


@cuda.jit(device=True)
def _sign(negative: int, k: int) -> Any:
    """All ones where the coupling of neighbour k is negative."""
    return uint32(0xFFFFFFFF) if negative >> k & 1 else uint32(0)


@cuda.jit(device=True)
def _pairs(s0: Any, base: int, a: Any, b: Any, c: Any, d: Any, half: int, outer: int) -> Any:
    """Four terms of one strength: thresholds of one and of two pairs more on one side."""
    ab, cd = a ^ b, c ^ d
    odd = ab ^ cd
    both = (a & b) | (c & d)
    all_four = a & b & c & d
    mixed = ab & cd
    two = (mixed | (both & ~ab & ~cd)) & ~all_four
    even = (two & ~s0[base + 15]) | (~two & _below(s0, base, outer))
    lt = (odd & _below(s0, base, half)) | (~odd & even)
    return ~(both | mixed) ^ lt


@cuda.jit(device=True)
def _cases(
    s0: Any,
    base: int,
    spins: Any,
    word: int,
    at: Any,
    counted: bool,
    degree: int,
    negative: int,
    weight: Any,
    bias: int,
    table: Any,
) -> Any:
    """Any site: every case that its neighbours may be in, its threshold, and who is in it."""
    out = uint32(0)
    ones = uint32(0xFFFFFFFF)
    for case in range(degree + 1 if counted else 1 << degree):
        field = bias
        who = ones
        if counted:
            field = (2 * case - degree) * abs(weight[0])
            # the count of positive terms as four planes
            c0, c1, c2, c3 = uint32(0), uint32(0), uint32(0), uint32(0)
            for k in range(degree):
                x = spins[at[k], word] ^ _sign(negative, k)
                x0 = c0 & x
                c0 ^= x
                x1 = c1 & x0
                c1 ^= x0
                x2 = c2 & x1
                c2 ^= x1
                c3 ^= x2
            who = (c0 if case & 1 else ~c0) & (c1 if case >> 1 & 1 else ~c1)
            who &= (c2 if case >> 2 & 1 else ~c2) & (c3 if case >> 3 & 1 else ~c3)
        else:
            for k in range(degree):
                up = case >> k & 1
                field += weight[k] * (2 * up - 1)
                who &= spins[at[k], word] if up else ~spins[at[k], word]
        lt = _below(s0, base, table[abs(field)])
        out |= who & (~lt if field < 0 else lt)
    return out


@cuda.jit
def sliced_pass(
    spins: Any,
    streams: Any,
    rows: int,
    colour: int,
    toss: bool,
    given: Any,
    kind: Any,
    degree: Any,
    neighbour: Any,
    weight: Any,
    negative: Any,
    bias: Any,
    on: Any,
    table: Any,
) -> None:
    """One pass; with ``toss`` that of a start sweep: a coin where ``given`` is -1, else given."""
    word, stream = cuda.grid(2)
    if word >= spins.shape[1]:
        return
    s0 = cuda.local.array(64, uint32)
    s1 = cuda.local.array(64, uint32)
    y = cuda.local.array(64, uint32)
    z = cuda.local.array(64, uint32)
    for k in range(64):
        s0[k] = streams[0, k, stream, word]
        s1[k] = streams[1, k, stream, word]
    for column in range(spins.shape[0] // rows):
        for part in range(4):
            row = 2 * (4 * stream + part) + (column + colour) % 2
            if row < rows:
                site = column * rows + row
                base = 16 * part
                at = neighbour[site]
                if kind[site] == HELD:
                    spins[site, word] = on[site]
                elif toss:
                    coin = ~s0[base + 15]
                    if given[site] >= 0:
                        coin = uint32(0xFFFFFFFF) if given[site] else uint32(0)
                    spins[site, word] = coin
                elif kind[site] == PAIRS:
                    n, m = negative[site], abs(weight[site, 0])
                    spins[site, word] = _pairs(
                        s0,
                        base,
                        spins[at[0], word] ^ _sign(n, 0),
                        spins[at[1], word] ^ _sign(n, 1),
                        spins[at[2], word] ^ _sign(n, 2),
                        spins[at[3], word] ^ _sign(n, 3),
                        table[2 * m],
                        table[4 * m],
                    )
                else:
                    spins[site, word] = _cases(
                        s0,
                        base,
                        spins,
                        word,
                        at,
                        kind[site] == COUNTS,
                        degree[site],
                        negative[site],
                        weight[site],
                        bias[site],
                        table,
                    )
        for k in range(64):
            y[k] = s0[k] ^ s1[k]
        for k in range(64):
            z[k] = s0[(k + 40) & 63] ^ y[k] ^ (y[k - 16] if k >= 16 else uint32(0))
        for k in range(64):
            s0[k] = z[k]
            s1[k] = y[(k + 27) & 63]
    for k in range(64):
        streams[0, k, stream, word] = s0[k]
        streams[1, k, stream, word] = s1[k]


@cuda.jit
def wide_pass(
    spins: Any,
    streams: Any,
    rows: int,
    colour: int,
    toss: bool,
    given: Any,
    weight: Any,
    neighbour: Any,
    bias: Any,
    held: Any,
    tables: Any,
    beta: Any,
) -> None:
    """One pass of any program, every chain by the table that ``beta`` gives it."""
    chain, stream = cuda.grid(2)
    if chain >= spins.shape[1]:
        return
    s0, s1 = streams[0, stream, chain], streams[1, stream, chain]
    for column in range(spins.shape[0] // rows):
        for part in range(4):
            row = 2 * (4 * stream + part) + (column + colour) % 2
            if row < rows:
                site = column * rows + row
                u = int((s0 >> np.uint64(16 * part)) & np.uint64(0xFFFF))
                if held[site] != 0:
                    spins[site, chain] = held[site]
                elif toss:
                    up = given[site, chain]
                    if up < 0:
                        up = 1 if u < 32768 else 0
                    spins[site, chain] = 2 * up - 1
                else:
                    field = bias[site]
                    for k in range(weight.shape[1]):
                        field += weight[site, k] * spins[neighbour[site, k], chain]
                    below = u < tables[beta[chain], abs(field)]
                    spins[site, chain] = 1 if (field < 0) != below else -1
        x = s0 ^ s1
        s0 = (s0 << np.uint64(24) | s0 >> np.uint64(40)) ^ x ^ (x << np.uint64(16))
        s1 = x << np.uint64(37) | x >> np.uint64(27)
    streams[0, stream, chain] = s0
    streams[1, stream, chain] = s1

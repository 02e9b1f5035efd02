"""Lattice sweeps of 64 chains a machine word: bit planes of uniforms against a few thresholds.

    u < T, bit by bit from the lowest:   lt = T_k ? lt | ~u_k : lt & ~u_k

Two bits of T at a time are one three-operand operation on whole words. The spin is
``(f < 0) xor (u < T(|f|))`` with the field that this chain's neighbours give, chosen by masks.

Spins are ``uint64[sites, width]``, streams ``uint64[2, streams, 64 * width]``.

Source: docs/lattice-engine.md. Twin: ``gibbsite_models.golden.lattice``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare
from gibbsite_sim.fast.lattice_noise import TURN, copy_planes, step_planes, unturn

__all__ = ["sliced_sweeps", "start_sliced"]

Words = NDArray[np.uint64]
Ints = NDArray[np.int32]

UNIFORM_BITS = 16
HELD, PAIRS, COUNTS = 0, 1, 2  # of lattice_sites, as constants of the compiled code


@bare
def _fold(lt: Words, u0: Words, u1: Words, bits: int) -> None:
    """``lt`` after two more bits of a threshold, the lower of ``bits`` first."""
    if bits == 0:
        for w in range(lt.shape[0]):
            lt[w] = lt[w] & ~u0[w] & ~u1[w]
    elif bits == 1:
        for w in range(lt.shape[0]):
            lt[w] = (lt[w] | ~u0[w]) & ~u1[w]
    elif bits == 2:
        for w in range(lt.shape[0]):
            lt[w] = (lt[w] & ~u0[w]) | ~u1[w]
    else:
        for w in range(lt.shape[0]):
            lt[w] = lt[w] | ~u0[w] | ~u1[w]


@bare
def _below(lt: Words, u: Words, threshold: int) -> None:
    """``lt`` = where the uniforms of planes ``u[16, width]`` are below a threshold of 16 bits."""
    for w in range(lt.shape[0]):
        lt[w] = 0
    begun = False
    for k in range(0, UNIFORM_BITS, 2):
        bits = threshold >> k & 3
        begun = begun or bits != 0
        if begun:
            _fold(lt, u[k], u[k + 1], bits)


@bare
def _mask(bits: int, k: int) -> np.uint64:
    """All ones where bit k is set."""
    return np.uint64(0) - np.uint64(bits >> k & 1)


@bare
def _choose_pairs(
    out: Words, half: Words, outer: Words, zero: Words, spins: Words, at: Ints, negative: int
) -> None:
    """Four neighbours of one strength m: fields -4 m (no term positive), -2 m, 0, 2 m, 4 m.

    ``half``, ``outer`` and ``zero``: uniforms below T(2 m), T(4 m), and at least T(0).
    """
    a, b, c, d = spins[at[0]], spins[at[1]], spins[at[2]], spins[at[3]]
    n0, n1, n2, n3 = _mask(negative, 0), _mask(negative, 1), _mask(negative, 2), _mask(negative, 3)
    for w in range(out.shape[0]):
        p, q, r, s = a[w] ^ n0, b[w] ^ n1, c[w] ^ n2, d[w] ^ n3
        ab, cd = p ^ q, r ^ s
        both = (p & q) | (r & s)  # one of the pairs has two
        odd = ab ^ cd
        mixed = ab & cd
        two = (mixed | (both & ~ab & ~cd)) & ~((p & q) & (r & s))
        many = both | mixed  # two or more
        even = (two & ~zero[w]) | (~two & outer[w])
        lt = (odd & half[w]) | (~odd & even)
        out[w] = ~many ^ lt


@bare
def _choose(
    out: Words,
    lt: Words,
    neg: Ints,
    level: Ints,
    which: Words,
    cases: int,
) -> None:
    """Bits of the case that each chain meets: ``which[case]`` are masks, one of them set a chain.

    ``lt[level[case]]``: uniforms below the case's threshold.
    """
    for w in range(out.shape[0]):
        out[w] = 0
    for case in range(cases):
        mask, below = which[case], lt[level[case]]
        if neg[case] != 0:
            for w in range(out.shape[0]):
                out[w] |= mask[w] & ~below[w]
        else:
            for w in range(out.shape[0]):
                out[w] |= mask[w] & below[w]


@bare
def _count_masks(
    which: Words, spins: Words, at: Ints, negative: int, degree: int, planes: Words
) -> None:
    """``which[p]``: chains in which p of the terms are positive."""
    width = planes.shape[1]
    for bit in range(4):
        for w in range(width):
            planes[bit, w] = 0
    for k in range(degree):
        s, n = spins[at[k]], _mask(negative, k)
        for w in range(width):
            carry = s[w] ^ n
            for bit in range(4):
                both = planes[bit, w] & carry
                planes[bit, w] ^= carry
                carry = both
    for p in range(degree + 1):
        for w in range(width):
            mask = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
            for bit in range(4):
                mask &= planes[bit, w] if p >> bit & 1 else ~planes[bit, w]
            which[p, w] = mask


@bare
def _case_masks(which: Words, spins: Words, at: Ints, degree: int) -> None:
    """``which[n]``: chains in which the neighbours' bits are the number n."""
    for w in range(which.shape[1]):
        which[0, w] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    for k in range(degree):
        s = spins[at[k]]
        for case in range(1 << k):
            low, high = which[case], which[case + (1 << k)]
            for w in range(which.shape[1]):
                high[w] = low[w] & s[w]
                low[w] = low[w] & ~s[w]


@bare
def _decide(
    site: int,
    spins: Words,
    u: Words,
    kind: NDArray[np.int8],
    degree: NDArray[np.int8],
    neighbour: Ints,
    weight: NDArray[np.int8],
    negative: NDArray[np.uint16],
    bias: NDArray[np.int16],
    on: Words,
    table: Ints,
    lt: Words,
    which: Words,
    planes: Words,
    notes: Ints,
) -> None:
    out = spins[site]
    if kind[site] == HELD:
        for w in range(out.shape[0]):
            out[w] = on[site]
        return
    if kind[site] == PAIRS:
        strength = abs(weight[site, 0])
        _below(lt[0], u, table[2 * strength])
        _below(lt[1], u, table[4 * strength])
        _choose_pairs(out, lt[0], lt[1], u[15], spins, neighbour[site], negative[site])
        return
    count = degree[site]
    if kind[site] == COUNTS:
        cases = count + 1
        _count_masks(which, spins, neighbour[site], negative[site], count, planes)
    else:
        cases = 1 << count
        _case_masks(which, spins, neighbour[site], count)
    neg, level, known = notes[0], notes[1], notes[2]
    levels = 0
    for case in range(cases):
        if kind[site] == COUNTS:
            f = (2 * case - count) * abs(weight[site, 0])
        else:
            f = bias[site] + 0
            for k in range(count):
                f += weight[site, k] * (2 * (case >> k & 1) - 1)
        neg[case] = f < 0
        threshold = table[abs(f)]
        at = 0
        while at < levels and known[at] != threshold:
            at += 1
        if at == levels:
            known[at] = threshold
            _below(lt[at], u, threshold)
            levels += 1
        level[case] = at
    _choose(out, lt, neg, level, which, cases)


@bare
def sliced_sweeps(
    sweeps: int,
    spins: Words,
    streams: Words,
    rows: int,
    kind: NDArray[np.int8],
    degree: NDArray[np.int8],
    neighbour: Ints,
    weight: NDArray[np.int8],
    negative: NDArray[np.uint16],
    bias: NDArray[np.int16],
    on: Words,
    table: Ints,
    scratch: Words,
    lt: Words,
    which: Words,
    planes: Words,
    notes: Ints,
) -> None:
    """So many sweeps at one beta; ``table[m]`` is T(m).

    The last five are room to work in: ``[4, 64 * width]``, ``[16, width]`` twice, ``[4, width]``
    and ``int32[3, 16]``.
    """
    width = spins.shape[1]
    columns = spins.shape[0] // rows
    for _ in range(sweeps):
        for colour in range(2):
            for stream in range(streams.shape[1]):
                s0, s1, next0, next1 = scratch[0], scratch[1], scratch[2], scratch[3]
                copy_planes(s0, streams[0, stream])
                copy_planes(s1, streams[1, stream])
                turn = 0
                for column in range(columns):
                    fields = s0.reshape(4, 16, width)
                    for part in range(4):
                        row = 2 * (4 * stream + part) + (column + colour) % 2
                        if row < rows:
                            _decide(
                                column * rows + row,
                                spins,
                                fields[part],
                                kind,
                                degree,
                                neighbour,
                                weight,
                                negative,
                                bias,
                                on,
                                table,
                                lt,
                                which,
                                planes,
                                notes,
                            )
                    step_planes(s0, s1, next0, next1, turn, width)
                    s0, next0 = next0, s0
                    s1, next1 = next1, s1
                    turn = TURN
                copy_planes(streams[0, stream], s0)
                unturn(streams[1, stream], s1, width)


@bare
def start_sliced(
    spins: Words,
    streams: Words,
    rows: int,
    kind: NDArray[np.int8],
    on: Words,
    given: NDArray[np.int8],
    scratch: Words,
) -> None:
    """The start sweep: tossed where ``given`` is -1, else given; clamps win."""
    width = spins.shape[1]
    columns = spins.shape[0] // rows
    for colour in range(2):
        for stream in range(streams.shape[1]):
            s0, s1, next0, next1 = scratch[0], scratch[1], scratch[2], scratch[3]
            copy_planes(s0, streams[0, stream])
            copy_planes(s1, streams[1, stream])
            turn = 0
            for column in range(columns):
                for part in range(4):
                    row = 2 * (4 * stream + part) + (column + colour) % 2
                    if row < rows:
                        site = column * rows + row
                        out = spins[site]
                        top = s0[(16 * part + 15) * width :]
                        for w in range(width):
                            if kind[site] == HELD:
                                out[w] = on[site]
                            elif given[site] < 0:
                                out[w] = ~top[w]
                            else:
                                out[w] = np.uint64(0) - np.uint64(given[site])
                step_planes(s0, s1, next0, next1, turn, width)
                s0, next0 = next0, s0
                s1, next1 = next1, s1
                turn = TURN
            copy_planes(streams[0, stream], s0)
            unturn(streams[1, stream], s1, width)

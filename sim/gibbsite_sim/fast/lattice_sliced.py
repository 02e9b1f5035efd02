"""Lattice sweeps of 64 chains a machine word: bit planes of uniforms against a few thresholds.

    u < T, bit by bit from the lowest:   lt = T_k ? lt | ~u_k : lt & ~u_k

for several thresholds and two of their bits at a time, so that loops do more than begin. The spin
is ``(f < 0) xor (u < T(|f|))`` with the field that this chain's neighbours give, chosen by masks.

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
def _mask(bits: int, k: int) -> np.uint64:
    """All ones where bit k is set."""
    return np.uint64(0) - np.uint64(bits >> k & 1)


@bare
def _below2(a: Words, b: Words, u: Words, at_a: int, at_b: int, masks: Words) -> None:
    """Where the uniforms of planes ``u[16, width]`` are below two thresholds of 16 bits.

    ``masks`` are no ones and all ones: read, not computed, since a compiler that knows what they
    can be makes branches of them.
    """
    # one loop of its own for every pair of planes: calls would cost more than their work
    for w in range(a.shape[0]):
        a[w] = 0
        b[w] = 0
    begun = False
    for k in range(0, UNIFORM_BITS, 2):
        # below the lowest set bit nothing changes
        begun = begun or ((at_a | at_b) >> k & 3) != 0
        if begun:
            u0, u1 = u[k], u[k + 1]
            a0, a1, b0, b1 = (
                masks[at_a >> k & 1],
                masks[at_a >> (k + 1) & 1],
                masks[at_b >> k & 1],
                masks[at_b >> (k + 1) & 1],
            )
            for w in range(a.shape[0]):
                v0, v1 = ~u0[w], ~u1[w]
                x = (a[w] & v0) | (a0 & (a[w] | v0))
                a[w] = (x & v1) | (a1 & (x | v1))
                y = (b[w] & v0) | (b0 & (b[w] | v0))
                b[w] = (y & v1) | (b1 & (y | v1))


@bare
def _below4(
    a: Words, b: Words, c: Words, d: Words, u: Words, known: Ints, first: int, masks: Words
) -> None:
    """The same for four thresholds, from ``known[first]`` on."""
    at_a, at_b, at_c, at_d = known[first], known[first + 1], known[first + 2], known[first + 3]
    for w in range(a.shape[0]):
        a[w] = 0
        b[w] = 0
        c[w] = 0
        d[w] = 0
    begun = False
    for k in range(0, UNIFORM_BITS, 2):
        begun = begun or ((at_a | at_b | at_c | at_d) >> k & 3) != 0
        if begun:
            u0, u1 = u[k], u[k + 1]
            a0, a1, b0, b1 = (
                masks[at_a >> k & 1],
                masks[at_a >> (k + 1) & 1],
                masks[at_b >> k & 1],
                masks[at_b >> (k + 1) & 1],
            )
            c0, c1, d0, d1 = (
                masks[at_c >> k & 1],
                masks[at_c >> (k + 1) & 1],
                masks[at_d >> k & 1],
                masks[at_d >> (k + 1) & 1],
            )
            for w in range(a.shape[0]):
                v0, v1 = ~u0[w], ~u1[w]
                x = (a[w] & v0) | (a0 & (a[w] | v0))
                a[w] = (x & v1) | (a1 & (x | v1))
                y = (b[w] & v0) | (b0 & (b[w] | v0))
                b[w] = (y & v1) | (b1 & (y | v1))
                z = (c[w] & v0) | (c0 & (c[w] | v0))
                c[w] = (z & v1) | (c1 & (z | v1))
                t = (d[w] & v0) | (d0 & (d[w] | v0))
                d[w] = (t & v1) | (d1 & (t | v1))


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
def _choose_four(
    out: Words,
    a: Words,
    b: Words,
    c: Words,
    d: Words,
    x0: Words,
    x1: Words,
    x2: Words,
    x3: Words,
    group: int,
    neg: int,
) -> None:
    """The cases in which the spins c and d are the bits of ``group``, a and b any.

    ``x0`` to ``x3``: uniforms below the thresholds of these cases; bit n of ``neg``: case n has a
    negative field.
    """
    not_c, not_d = ~_mask(group, 0), ~_mask(group, 1)
    at = 4 * group
    n0, n1, n2, n3 = _mask(neg, at), _mask(neg, at + 1), _mask(neg, at + 2), _mask(neg, at + 3)
    for w in range(out.shape[0]):
        low = (a[w] & (x1[w] ^ n1)) | (~a[w] & (x0[w] ^ n0))
        high = (a[w] & (x3[w] ^ n3)) | (~a[w] & (x2[w] ^ n2))
        either = (b[w] & high) | (~b[w] & low)
        out[w] |= (c[w] ^ not_c) & (d[w] ^ not_d) & either


@bare
def _prepare_cases(
    kind: NDArray[np.int8],
    degree: NDArray[np.int8],
    weight: NDArray[np.int8],
    bias: NDArray[np.int16],
    table: Ints,
    thresholds: Ints,
    neg: Ints,
) -> None:
    """Thresholds ``[sites, 16]`` and signs of all cases of the sites that need them."""
    for site in range(kind.shape[0]):
        if kind[site] > COUNTS:
            signs = 0
            for case in range(16):
                f = bias[site] + 0
                for k in range(degree[site]):
                    f += weight[site, k] * (2 * (case >> k & 1) - 1)
                thresholds[site, case] = table[abs(f)]
                signs |= (f < 0) << case
            neg[site] = signs


@bare
def _decide_cases(
    out: Words,
    spins: Words,
    u: Words,
    at: Ints,
    thresholds: Ints,
    neg: int,
    lt: Words,
    masks: Words,
) -> None:
    """Up to four neighbours of any couplings, with a bias; further ones count for nothing."""
    for w in range(out.shape[0]):
        out[w] = 0
    a, b, c, d = spins[at[0]], spins[at[1]], spins[at[2]], spins[at[3]]
    x0, x1, x2, x3 = lt[0], lt[1], lt[2], lt[3]
    for group in range(4):
        _below4(x0, x1, x2, x3, u, thresholds, 4 * group, masks)
        _choose_four(out, a, b, c, d, x0, x1, x2, x3, group, neg)


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
    on: Words,
    table: Ints,
    lt: Words,
    which: Words,
    planes: Words,
    notes: Ints,
    thresholds: Ints,
    signs: Ints,
    masks: Words,
) -> None:
    out = spins[site]
    if kind[site] == HELD:
        for w in range(out.shape[0]):
            out[w] = on[site]
        return
    if kind[site] == PAIRS:
        strength = abs(weight[site, 0])
        _below2(lt[0], lt[1], u, table[2 * strength], table[4 * strength], masks)
        _choose_pairs(out, lt[0], lt[1], u[15], spins, neighbour[site], negative[site])
        return
    if kind[site] > COUNTS:
        _decide_cases(out, spins, u, neighbour[site], thresholds[site], signs[site], lt, masks)
        return
    count = degree[site]
    cases = count + 1
    _count_masks(which, spins, neighbour[site], negative[site], count, planes)
    neg, level, known = notes[0], notes[1], notes[2]
    levels = 0
    for case in range(cases):
        f = (2 * case - count) * abs(weight[site, 0])
        neg[case] = f < 0
        threshold = table[abs(f)]
        at = 0
        while at < levels and known[at] != threshold:
            at += 1
        if at == levels:
            known[at] = threshold
            levels += 1
        level[case] = at
    for spare in range(levels, levels + 3 & ~3):
        known[spare] = 0
    for first in range(0, levels, 4):
        _below4(lt[first], lt[first + 1], lt[first + 2], lt[first + 3], u, known, first, masks)
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
    thresholds: Ints,
    signs: Ints,
    masks: Words,
) -> None:
    """So many sweeps at one beta; ``table[m]`` is T(m).

    The last is ``uint64[2]``, no ones and all ones. The seven before it are room to work in:
    ``[4, 64 * width]``, ``[16, width]`` twice, ``[4, width]``, ``int32[3, 16]``,
    ``int32[sites, 16]`` and ``int32[sites]``, these two of any length if no site has cases.
    """
    _prepare_cases(kind, degree, weight, bias, table, thresholds, signs)
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
                                on,
                                table,
                                lt,
                                which,
                                planes,
                                notes,
                                thresholds,
                                signs,
                                masks,
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

"""A site's decision in 512 chains at once: ``(f < 0) xor (u < T(|f|))``, for each kind of site.

Uniforms are compared with the few thresholds that the site can meet, and masks made from the
neighbours' spins choose among the outcomes. ``spins`` and ``planes`` are flat, a vector a site and
a vector a bit plane; ``at`` are the neighbours' sites.

Twin: ``gibbsite_models.golden.lattice.LatticeEngine.decide``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import inlined
from gibbsite_sim.fast.lattice_below import below, below2, below4, mask
from gibbsite_sim.fast.lattice_vectors import Vector, Words, choose, load, spread

__all__ = ["decide_cases", "decide_counts", "decide_pairs"]

Ints = NDArray[np.int32]


@inlined
def decide_pairs(
    spins: Words,
    planes: Words,
    first: int,
    at: Ints,
    negative: int,
    strength: int,
    table: Ints,
    masks: Words,
) -> Vector:
    """Four neighbours of one strength m: fields -4 m (no term positive), -2 m, 0, 2 m, 4 m."""
    half, outer = below2(planes, first, table[2 * strength], table[4 * strength], masks)
    p = load(spins, at[0]) ^ mask(negative, 0, masks)
    q = load(spins, at[1]) ^ mask(negative, 1, masks)
    r = load(spins, at[2]) ^ mask(negative, 2, masks)
    s = load(spins, at[3]) ^ mask(negative, 3, masks)
    one, other = p ^ q, r ^ s
    all_p, all_r = p & q, r & s
    odd = one ^ other
    mixed = one & other
    # exactly two positive: one of each pair, or both of one pair and none of the other
    two = mixed | (all_p & ~(r | s)) | (all_r & ~(p | q))
    many = all_p | all_r | mixed  # two or more
    zero = ~load(planes, first + 15)  # T(0) is half of all
    return ~many ^ choose(odd, half, choose(two, zero, outer))


@inlined
def decide_counts(
    spins: Words,
    planes: Words,
    first: int,
    at: Ints,
    degree: int,
    negative: int,
    strength: int,
    table: Ints,
    masks: Words,
) -> Vector:
    """Up to twelve neighbours of one strength: what counts is how many terms are positive."""
    c0 = c1 = c2 = c3 = spread(masks[0])
    for k in range(degree):
        x = load(spins, at[k]) ^ mask(negative, k, masks)
        c0, x = c0 ^ x, c0 & x
        c1, x = c1 ^ x, c1 & x
        c2, x = c2 ^ x, c2 & x
        c3 = c3 ^ x
    out = spread(masks[0])
    for few in range(degree // 2 + 1):
        lt = below(planes, first, table[(degree - 2 * few) * strength], masks)
        many = degree - few
        is_many = (
            (c0 ^ mask(~many, 0, masks))
            & (c1 ^ mask(~many, 1, masks))
            & (c2 ^ mask(~many, 2, masks))
            & (c3 ^ mask(~many, 3, masks))
        )
        out = out | (is_many & lt)
        if few < many:
            is_few = (
                (c0 ^ mask(~few, 0, masks))
                & (c1 ^ mask(~few, 1, masks))
                & (c2 ^ mask(~few, 2, masks))
                & (c3 ^ mask(~few, 3, masks))
            )
            out = out | (is_few & ~lt)
    return out


@inlined
def decide_cases(
    spins: Words,
    planes: Words,
    first: int,
    at: Ints,
    fields: NDArray[np.int16],
    signs: int,
    table: Ints,
    masks: Words,
) -> Vector:
    """Up to four neighbours of any couplings, with a bias; further ones count for nothing.

    ``fields[case]`` is the magnitude of the field where spin k is bit k of the case; bit n of
    ``signs``: that of case n is negative.
    """
    a, b, c, d = load(spins, at[0]), load(spins, at[1]), load(spins, at[2]), load(spins, at[3])
    out = spread(masks[0])
    for group in range(4):
        n = 4 * group
        x0, x1, x2, x3 = below4(
            planes,
            first,
            table[fields[n]],
            table[fields[n + 1]],
            table[fields[n + 2]],
            table[fields[n + 3]],
            masks,
        )
        low = choose(a, x1 ^ mask(signs, n + 1, masks), x0 ^ mask(signs, n, masks))
        high = choose(a, x3 ^ mask(signs, n + 3, masks), x2 ^ mask(signs, n + 2, masks))
        meant = (c ^ mask(~group, 0, masks)) & (d ^ mask(~group, 1, masks))
        out = out | (meant & choose(b, high, low))
    return out

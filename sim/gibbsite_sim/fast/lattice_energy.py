"""Exact energies of a panel of 512 chains, added up in bit planes.

Every term of ``sum_A b s + sum_B f s``, colours A = 0 and B = 1, is a code v times a sign
``2 y - 1`` with one bit y a chain, a spin or two spins alike. So

    E = 2 sum |v| y' - sum |v|,   y' = y where v > 0, else ~y,

and ``sum |v| y'`` is counted: for each bit of |v| a counter of eight planes, a carry from plane to
plane, emptied into whole numbers before it can overflow.

Twin: ``gibbsite_sim.fast.lattice_wide.wide_energies``, which adds chain by chain.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare, inlined, inner
from gibbsite_sim.fast.lattice_below import mask
from gibbsite_sim.fast.lattice_vectors import Vector, Words, load, store

__all__ = ["CODE_BITS", "COUNTER", "sliced_energies"]

CODE_BITS = 11
"""Bits of the largest magnitude of a coupling or bias."""

COUNTER = 8
"""Planes of a counter."""

MOST = (1 << COUNTER) - 1

Int64 = NDArray[np.int64]


@inlined
def _count(counters: Words, bit: int, term: Vector) -> None:
    """One more where ``term`` is set."""
    for plane in range(COUNTER):
        before = load(counters, COUNTER * bit + plane)
        store(counters, COUNTER * bit + plane, before ^ term)
        term = before & term


@inner
def _empty(counters: Words, bit: int, sums: Int64) -> None:
    """A counter's content, times two for its place in E, is added to ``sums``; it becomes zero."""
    for plane in range(COUNTER):
        for word in range(8):
            at = 8 * (COUNTER * bit + plane) + word
            bits = counters[at]
            counters[at] = 0
            for t in range(64):
                one = np.int64((bits >> np.uint64(t)) & np.uint64(1))
                sums[64 * word + t] += one << (bit + plane + 1)


@inner
def _add(
    code: int, term: Vector, counters: Words, held: NDArray[np.int32], sums: Int64, masks: Words
) -> None:
    """``code (2 term - 1)`` without its constant part."""
    term = term ^ mask(code >> 63, 0, masks)
    for bit in range(CODE_BITS):
        if abs(code) >> bit & 1:
            if held[bit] == MOST:
                _empty(counters, bit, sums)
                held[bit] = 0
            held[bit] += 1
            _count(counters, bit, term)


@bare
def sliced_energies(
    columns: int,
    rows: int,
    spins: Words,
    degree: NDArray[np.int8],
    weight: NDArray[np.int8],
    bias: NDArray[np.int16],
    neighbour: NDArray[np.int32],
    counters: Words,
    held: NDArray[np.int32],
    masks: Words,
    sums: Int64,
) -> None:
    """Energies ``sums[512]``; counters, zeros, and what they hold are left as zeros.

    Sites lie in the order of `lattice_order`; ``counters`` are 88 vectors, ``held`` 11 numbers.
    """
    sums[:] = 0
    constant = 0
    site = 0
    for band in range((rows + 7) // 8):
        half = min(8, rows - 8 * band) // 2
        for colour in range(2):
            for _ in range(columns * half):
                spin = load(spins, site)
                if bias[site] != 0:
                    _add(bias[site], spin, counters, held, sums, masks)
                    constant += abs(bias[site])
                if colour == 1:
                    for k in range(degree[site]):
                        alike = ~(spin ^ load(spins, neighbour[site, k]))
                        _add(weight[site, k], alike, counters, held, sums, masks)
                        constant += abs(weight[site, k])
                site += 1
    for bit in range(CODE_BITS):
        _empty(counters, bit, sums)
        held[bit] = 0
    for chain in range(sums.shape[0]):
        sums[chain] -= constant

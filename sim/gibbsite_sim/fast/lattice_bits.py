"""Between sliced spins, wide spins, and the words in which states travel.

Sliced: ``uint64[sites, width]``, chain ``64 w + t`` at bit t of word w. Wide:
``int8[sites, chains]``. States: ``uint32[chains, columns * words]``, row r of a column at bit
r mod 32 of its word r // 32.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import compiled

__all__ = ["given_bits", "sliced_states", "widen", "wide_states"]

Words = NDArray[np.uint64]


@compiled
def sliced_states(
    spins: Words, place: NDArray[np.int32], rows: int, states: NDArray[np.uint32]
) -> None:
    """States of the first chains; site ``column * rows + row`` lies at ``place`` of it."""
    words = (rows + 31) // 32
    chains = states.shape[0]
    for column in range(spins.shape[0] // rows):
        for word in range(words):
            first = column * rows + 32 * word
            count = min(32, rows - 32 * word)
            for slot in range((chains + 63) // 64):
                # 32 rows of 64 chains: the block lies in the first cache, whole
                for t in range(min(64, chains - 64 * slot)):
                    bits = np.uint32(0)
                    for row in range(count):
                        one = (spins[place[first + row], slot] >> np.uint64(t)) & np.uint64(1)
                        bits |= np.uint32(one) << np.uint32(row)
                    states[64 * slot + t, column * words + word] = bits


@compiled
def wide_states(spins: NDArray[np.int8], rows: int, states: NDArray[np.uint32]) -> None:
    """States of the first chains."""
    words = (rows + 31) // 32
    states[...] = 0
    for site in range(spins.shape[0]):
        column, row = site // rows, site % rows
        at = column * words + row // 32
        bit = np.uint32(row % 32)
        for chain in range(states.shape[0]):
            states[chain, at] |= np.uint32(spins[site, chain] > 0) << bit


@compiled
def given_bits(states: NDArray[np.uint32], rows: int, bits: NDArray[np.int8]) -> None:
    """The sites of states as 0 and 1, ``bits[site, chain]``."""
    words = (rows + 31) // 32
    for site in range(bits.shape[0]):
        column, row = site // rows, site % rows
        at, shift = column * words + row // 32, np.uint32(row % 32)
        for chain in range(bits.shape[1]):
            bits[site, chain] = np.int8((states[chain, at] >> shift) & np.uint32(1))


@compiled
def widen(spins: Words, wide: NDArray[np.int8]) -> None:
    """Sliced spins as numbers."""
    for site in range(spins.shape[0]):
        for word in range(spins.shape[1]):
            value = spins[site, word]
            for t in range(64):
                one = np.int8((value >> np.uint64(t)) & np.uint64(1))
                wide[site, 64 * word + t] = 2 * one - 1

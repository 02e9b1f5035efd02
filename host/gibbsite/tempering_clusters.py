"""Isoenergetic cluster moves between two replicas of one temperature: the host's part of tempering.

Where the replicas' spins differ, a random site's connected part of the differing sites is exchanged
between them. Every coupling to the outside leads to a site where they agree, so E_1 + E_2 stays
exactly as it was, biases included, and at one temperature the joint law ``exp(-beta (E_1 + E_2))``
with it. This is work of the host, not of the device, and is counted apart.

Source: J. Houdayer, A cluster Monte Carlo algorithm for 2-dimensional spin glasses, 2001; Z. Zhu,
A. Ochoa, H. Katzgraber, Efficient cluster algorithm for spin glasses in any space dimension, 2015.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gibbsite.replicas import Words
from gibbsite.tempering_swaps import CLUSTER_STREAM, uniforms

__all__ = ["WORD_BITS", "ClusterMoves"]

WORD_BITS = 32
"""Bits of a word of a state."""

Integers: TypeAlias = NDArray[np.int64]


class ClusterMoves:
    """The moves of one model: its couplings by their ends, and the bit of a state each site has."""

    def __init__(self, low: Integers, high: Integers, places: Integers) -> None:
        self._low, self._high = low, high
        self._place: Integers = np.asarray(places, dtype=np.int64)

    def move(
        self, states: Words, first: Integers, second: Integers, seed: int, round_number: int
    ) -> int:
        """One move for each pair of rows of ``states``, in place; returns the sites exchanged.

        Pair m takes the uniform of number m; pairs must not share a row.
        """
        wide = np.unpackbits(
            (states[first] ^ states[second]).view(np.uint8), axis=1, bitorder="little"
        )
        differ = wide[:, self._place].astype(np.bool_)
        pairs, sites = differ.shape
        at, edge = np.nonzero(differ[:, self._low] & differ[:, self._high])
        rows, columns = at * sites + self._low[edge], at * sites + self._high[edge]
        ones = np.ones(len(rows), dtype=np.uint8)
        size = pairs * sites
        graph = coo_matrix((ones, (rows, columns)), shape=(size, size))
        labels = connected_components(graph, directed=False)[1].reshape(pairs, sites)
        moved = np.zeros_like(wide)
        counts = differ.sum(axis=1)
        for pair, uniform in enumerate(
            uniforms(seed, CLUSTER_STREAM, round_number, pairs).tolist()
        ):
            if counts[pair]:
                site = np.flatnonzero(differ[pair])[uniform * int(counts[pair]) >> 64]
                moved[pair, self._place] = labels[pair] == labels[pair, site]
        mask = np.packbits(moved, axis=1, bitorder="little").view(np.uint32)
        states[first] ^= mask
        states[second] ^= mask
        return int(moved.sum())

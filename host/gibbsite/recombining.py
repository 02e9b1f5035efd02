"""The best of many reads, patch by patch: what two states disagree on splits into parts.

Sites where two states differ form connected patches. No coupling joins two patches, so turning one
in the first state changes its energy by

    dE(patch) = -2 sum_(i in patch) h_i s_i - 2 sum_(i in patch, j outside) w_ij s_i s_j,

whatever happens to the others. Turning exactly the patches of dE < 0 gives a state at least as good
as both, and the best of the 2^patches mixtures of the two. Without biases a state and its mirror
are equal, and the sites where they agree are patches, too. On lattices patches are small and many
reads add up; where couplings are dense there is one patch, and the better read wins.

This is work of the host.

Source: D. Whitley, D. Hains, A. Howe, A hybrid genetic algorithm for the traveling salesman problem
using generalized partition crossover, 2010 (the same for tours).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from gibbsite.slot_model import SlotModel

__all__ = ["Recombination"]

Spins: TypeAlias = NDArray[np.int8]
Integers: TypeAlias = NDArray[np.int64]


class Recombination:
    """Recombination of states ``int8[spins]`` of -1/+1 of one model of spins."""

    def __init__(self, model: SlotModel) -> None:
        self._low, self._high, self._weight = model.low, model.high, model.weight
        self._linear = model.linear
        self._mirrored = not model.linear.any()

    def energy(self, spins: Spins) -> float:
        """Energy without the model's offset."""
        products = spins[self._low] * spins[self._high]
        return float(self._weight @ products + self._linear @ spins)

    def improve(self, spins: Spins, other: Spins) -> float:
        """Turn patches of ``spins``, in place, towards ``other``; returns the gain, >= 0."""
        differ = spins != other
        gained = self._turn(spins, differ)
        if self._mirrored:
            gained += self._turn(spins, spins == other)
        return gained

    def _turn(self, spins: Spins, differ: NDArray[np.bool_]) -> float:
        sites = np.flatnonzero(differ)
        if not len(sites):
            return 0.0
        place = np.zeros(len(spins), dtype=np.int64)
        place[sites] = np.arange(len(sites))
        one, two = differ[self._low], differ[self._high]
        inner = one & two
        ends = place[self._low[inner]], place[self._high[inner]]
        ones = np.ones(len(ends[0]), dtype=np.uint8)
        graph = coo_matrix((ones, ends), shape=(len(sites), len(sites)))
        count, label = connected_components(graph, directed=False)
        border = one != two
        low, high = self._low[border], self._high[border]
        products = self._weight[border] * spins[low] * spins[high]
        owner = label[place[np.where(one[border], low, high)]]
        change = -2.0 * np.bincount(owner, products, minlength=count)
        change -= 2.0 * np.bincount(label, self._linear[sites] * spins[sites], minlength=count)
        better = change < 0
        turned = sites[better[label]]
        spins[turned] = -spins[turned]
        return float(-change[better].sum())

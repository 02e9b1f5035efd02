"""How states travel along a ladder: swap rates, round trips and flow.

A walker is a state followed through its swaps. It is *hot* from a visit of the hottest place until
it visits the coldest, then *cold* until it is back: a round trip. By place, the flow is the share
of visits by hot walkers among those by hot and cold ones; in equilibrium it falls from 1 to 0, and
where it falls steeply the ladder has its bottleneck.

Source: H. Katzgraber, S. Trebst, D. Huse, M. Troyer, Feedback-optimized parallel tempering Monte
Carlo, 2006, equation (3).
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Travels"]

Integers: TypeAlias = NDArray[np.int64]

UNSEEN, HOT, COLD = 0, 1, 2
UNDEFINED: Final = float("nan")


class Travels:
    """Counts over all groups; arrays by walker are ``[groups, betas]``."""

    def __init__(self, groups: int, betas: int) -> None:
        self.tried: Integers = np.zeros(betas - 1, dtype=np.int64)
        self.made: Integers = np.zeros(betas - 1, dtype=np.int64)
        self.round_trips: Integers = np.zeros((groups, betas), dtype=np.int64)
        self._walkers: Integers = np.tile(np.arange(betas, dtype=np.int64), (groups, 1))
        self._side: Integers = np.zeros((groups, betas), dtype=np.int64)
        self._returning = np.zeros((groups, betas), dtype=np.bool_)
        self._visits: Integers = np.zeros((3, betas), dtype=np.int64)

    def follow(self, order: Integers) -> None:
        """One round's swaps: by group and place, the place that its state came from."""
        self._walkers = np.take_along_axis(self._walkers, order, axis=1)
        groups = np.arange(len(order))
        hottest, coldest = self._walkers[:, 0], self._walkers[:, -1]
        # a walker that was hot once, then cold, is back
        self.round_trips[groups, hottest] += self._returning[groups, hottest] & (
            self._side[groups, hottest] == COLD
        )
        self._returning[groups, hottest] = True
        self._side[groups, hottest] = HOT
        self._side[groups, coldest] = COLD
        sides = np.take_along_axis(self._side, self._walkers, axis=1)
        for side in (HOT, COLD):
            self._visits[side] += (sides == side).sum(axis=0)

    @property
    def rates(self) -> NDArray[np.float64]:
        """Accepted share of the swaps of each pair; nan where none was tried."""
        return _shares(self.made, self.tried)

    @property
    def flow(self) -> NDArray[np.float64]:
        """Share of hot walkers by place; nan where no walker of either kind has been."""
        return _shares(self._visits[HOT], self._visits[HOT] + self._visits[COLD])


def _shares(part: Integers, whole: Integers) -> NDArray[np.float64]:
    shares = np.full(len(whole), UNDEFINED)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares

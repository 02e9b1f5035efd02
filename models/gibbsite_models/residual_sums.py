"""One kind of check: sums over independent parts of draws, each of which should have mean 0.

    t = sum / sqrt(max(m var(parts), v + RARE)),    limit t_(m-1)(1 - alarm / 2 k)

over m parts and k statistics (Bonferroni): a mean of independent parts follows Student's t with
m - 1 degrees of freedom. The variance is taken at least as v, that of as many independent draws,
plus `RARE`, since a few rare events are not normal.

Source: Student, The probable error of a mean, 1908.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["Check", "Tally"]

Floats: TypeAlias = NDArray[np.float64]

RARE = 100.0
"""Added to the variance of a sum of terms of size 1 at most, in squares of terms."""


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of check: the worst of ``of`` statistics, in standard errors, and the limit."""

    name: str
    worst: str
    deviation: float
    limit: float
    of: int
    passed: bool


@dataclass(slots=True)
class Tally:
    """Sums of each part, one a statistic, and their variance if draws were independent."""

    parts: list[Floats] = field(default_factory=list)
    variances: list[Floats] = field(default_factory=list)

    def add(self, sums: ArrayLike, variance: ArrayLike) -> None:
        """Take in one part."""
        self.parts.append(np.atleast_1d(np.asarray(sums, dtype=np.float64)))
        self.variances.append(np.atleast_1d(np.asarray(variance, dtype=np.float64)))

    @property
    def sums(self) -> Floats:
        """``[part, statistic]``."""
        return np.stack(self.parts)

    @property
    def variance(self) -> Floats:
        """Of the sum over all parts, for each statistic, if draws were independent."""
        return np.asarray(np.sum(self.variances, axis=0), dtype=np.float64)

    def only(self, statistics: NDArray[np.intp]) -> Tally:
        """Some of the statistics."""
        return Tally(
            [part[statistics] for part in self.parts],
            [variance[statistics] for variance in self.variances],
        )

    def joined(self, groups: Sequence[Sequence[int]]) -> Tally:
        """Statistics added up in groups."""
        return Tally(
            [np.array([part[list(group)].sum() for group in groups]) for part in self.parts],
            [np.array([each[list(group)].sum() for group in groups]) for each in self.variances],
        )

    def check(self, name: str, names: Sequence[str], alarm: float) -> Check:
        """The statistic of the largest t; a good sampler fails with probability `alarm`."""
        sums = self.sums
        parts, count = sums.shape
        spread = parts * sums.var(axis=0, ddof=1)
        deviation = np.abs(sums.sum(axis=0)) / np.sqrt(np.maximum(spread, self.variance + RARE))
        worst = int(deviation.argmax())
        limit = -float(special.stdtrit(parts - 1, alarm / (2 * count)))
        largest = float(deviation[worst])
        return Check(name, names[worst], largest, limit, count, bool(largest <= limit))

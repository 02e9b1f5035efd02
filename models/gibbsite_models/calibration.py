"""Do decisions fall as often as they should? Observed against stated probability, by logit bins.

    bin b:    sum over decisions with logit P(on | rest) in b of (on - P) = 0

A noise source of the wrong shape shows here: cut tails leave the outer bins empty, and a wrong
temperature tilts them all. Bins with few expected events are joined with their inner neighbours.

Source: A. Dawid, The well-calibrated Bayesian, 1982.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gibbsite_models.residual_sums import Check, Tally

__all__ = ["EDGES", "LEAST_EVENTS", "Bin", "Calibration"]

Floats: TypeAlias = NDArray[np.float64]

_HALF = (0.5, 1, 1.5, 2, 3, 4, 5, 5.44, 6, 7, 8, 10, 12)

EDGES: Floats = np.array([*(-x for x in _HALF[::-1]), 0, *_HALF])
"""Edges of the bins of logit P; 5.44 is three standard deviations of the logistic law."""

LEAST_EVENTS = 200.0
"""Expected variance of a bin's count; bins with less are joined with their inner neighbour."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Decisions whose logit lies in ``low..high``: how many, and what share on, said and found.

    The outermost bins are open: None.
    """

    low: float | None
    high: float | None
    decisions: int
    expected: float
    found: float
    error: float


class Calibration:
    """Sums by bins, part after part."""

    def __init__(self) -> None:
        size = len(EDGES) + 1
        self._tally = Tally()
        self._decisions, self._expected = np.zeros(size), np.zeros(size)

    def add(self, residual: Floats, probability: Floats) -> None:
        """Take in the decisions of one part, in any one shape."""
        size = len(EDGES) + 1
        p = probability.reshape(-1)
        place = np.digitize(special.logit(p), EDGES)
        self._tally.add(
            np.bincount(place, residual.reshape(-1), size), np.bincount(place, p * (1 - p), size)
        )
        self._decisions += np.bincount(place, minlength=size)
        self._expected += np.bincount(place, p, size)

    def result(self, alarm: float) -> tuple[Check, tuple[Bin, ...]] | None:
        """The check and the bins; None where too few decisions are open."""
        groups = _groups(self._tally.variance)
        if not groups:
            return None
        joined = self._tally.joined(groups)
        outer = [None, *EDGES.tolist(), None]
        limits = [(outer[group[0]], outer[group[-1] + 1]) for group in groups]
        names = [_span(low, high) for low, high in limits]
        sums = joined.sums
        spread = np.sqrt(np.maximum(len(sums) * sums.var(axis=0, ddof=1), joined.variance))
        bins = []
        for place, (group, (low, high)) in enumerate(zip(groups, limits, strict=True)):
            decisions = float(self._decisions[group].sum())
            expected = float(self._expected[group].sum()) / decisions
            found = expected + float(sums[:, place].sum()) / decisions
            error = float(spread[place]) / decisions
            bins.append(Bin(low, high, int(decisions), expected, found, error))
        return joined.check("calibration", names, alarm), tuple(bins)


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return "all logits" if high is None else f"logit below {high:g}"
    return f"logit above {low:g}" if high is None else f"logit {low:g} to {high:g}"


def _groups(variance: Floats) -> list[list[int]]:
    """Neighbouring bins with enough events together, joined inwards; empty if all have few."""
    middle = len(variance) // 2
    left, rest_left = _inwards(list(range(middle)), variance)
    right, rest_right = _inwards(list(range(len(variance) - 1, middle - 1, -1)), variance)
    groups = left + [group[::-1] for group in right[::-1]]
    rest = rest_left + rest_right[::-1]
    if rest and variance[rest].sum() >= LEAST_EVENTS:
        groups.insert(len(left), rest)
    elif rest and groups:
        # what is left in the middle goes to a group beside it
        beside = min(len(left), len(groups) - 1)
        groups[beside] = sorted(groups[beside] + rest)
    return groups


def _inwards(order: list[int], variance: Floats) -> tuple[list[list[int]], list[int]]:
    groups: list[list[int]] = []
    waiting: list[int] = []
    for number in order:
        waiting.append(number)
        if variance[waiting].sum() >= LEAST_EVENTS:
            groups.append(waiting)
            waiting = []
    return groups, waiting

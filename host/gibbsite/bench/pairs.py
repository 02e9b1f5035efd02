"""Ratios of two rates, measured side by side so that a busy machine disturbs both alike.

Pairs are interleaved: ours, the peer, the peer, ours, ...; the ratio is the median over the pairs,
its interval the extremes. The first call of each, which compiles, is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

__all__ = ["Rate", "Ratio", "Work", "ratio", "timed"]

Work = Callable[[], float]
"""Does some work and returns how much it was, in the unit of the rate."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Work done, and the seconds that it took: of processor time and by the clock on the wall."""

    work: float
    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """Medians of both rates, and the ratio of ours to the peer's with its least and largest."""

    ours: float
    peer: float
    value: float
    low: float
    high: float
    pairs: int


def timed(work: Work) -> Rate:
    """One measurement."""
    cpu, wall = time.process_time(), time.perf_counter()
    done = work()
    return Rate(done, time.process_time() - cpu, time.perf_counter() - wall)


def ratio(ours: Work, peer: Work, pairs: int, *, threads: int = 1) -> Ratio:
    """The ratio of two rates over so many pairs.

    With one thread each, seconds are processor time, which other programs on the machine disturb
    least; with more, they are the wall's.
    """
    timed(ours), timed(peer)
    found: list[tuple[float, float]] = []
    for pair in range(pairs):
        order = (ours, peer) if pair % 2 == 0 else (peer, ours)
        rates = [timed(work) for work in order]
        speeds = [rate.work / (rate.cpu if threads == 1 else rate.wall) for rate in rates]
        found.append((speeds[0], speeds[1]) if pair % 2 == 0 else (speeds[1], speeds[0]))
    ratios = [one / other for one, other in found]
    return Ratio(
        median(one for one, _ in found),
        median(other for _, other in found),
        median(ratios),
        min(ratios),
        max(ratios),
        pairs,
    )

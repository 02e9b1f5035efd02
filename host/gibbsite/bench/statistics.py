"""Figures of merit of runs that may fail, each with an interval.

    TTS_99 = t ln(1 - 0.99) / ln(1 - p)       p successes a run of t seconds; t where p >= 0.99
    residual(sweeps) ~ sweeps^slope           least squares on logarithms

Intervals are 95 % of the bootstrap: runs drawn anew with replacement, percentiles of the figure.

Source: T. Ronnow et al., Defining and detecting quantum speedup, 2014 (TTS); B. Efron, Bootstrap
methods, 1979.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "bootstrap", "slope", "time_to_solution", "time_to_target"]

CONFIDENCE: Final = 0.99
RESAMPLES: Final = 1000
INTERVAL: Final = (2.5, 97.5)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its interval; infinite where no run succeeded."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float | None]:
        """Value, low, high for JSON, which has no infinity: None."""
        return [v if math.isfinite(v) else None for v in (self.value, self.low, self.high)]


def time_to_solution(successes: float, runs: int, seconds: float) -> float:
    """Seconds until 99 % of sequences of such runs have succeeded once."""
    share = successes / runs
    if share <= 0:
        return math.inf
    if share >= CONFIDENCE:
        return seconds
    return seconds * math.log(1 - CONFIDENCE) / math.log(1 - share)


def time_to_target(times: Sequence[float]) -> float:
    """TTS of runs that stop at the target: the best restart time over all times seen.

    ``times`` are seconds to the target, infinite for runs that gave up. Restarting after t succeeds
    with the share p(t) of times up to t; TTS is the least over t.
    """
    ordered = sorted(times)
    found = [
        time_to_solution(place, len(ordered), time)
        for place, time in enumerate(ordered, start=1)
        if math.isfinite(time)
    ]
    return min(found, default=math.inf)


def bootstrap(
    values: Sequence[float], figure: Callable[[Floats], float], seed: int = 1
) -> Estimate:
    """A figure of runs with its interval."""
    data = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(seed)
    drawn = [figure(random.choice(data, len(data))) for _ in range(RESAMPLES)]
    # percentiles between finite and infinite values are not interpolated
    low, high = np.percentile(drawn, INTERVAL, method="nearest")
    return Estimate(figure(data), float(low), float(high))


def slope(sweeps: Sequence[int], residuals: Sequence[Sequence[float]], seed: int = 1) -> Estimate:
    """The exponent of mean residual energy against sweeps, reads drawn anew at each.

    ``residuals[k]`` are those of the reads of ``sweeps[k]`` sweeps; points of mean 0 are left out.
    """
    random = np.random.default_rng(seed)
    data = [np.asarray(values, dtype=np.float64) for values in residuals]

    def fitted(parts: Sequence[Floats]) -> float:
        points = [(s, p.mean()) for s, p in zip(sweeps, parts, strict=True) if p.mean() > 0]
        if len(points) < 2:
            return math.nan
        x, y = np.log(np.array(points)).T
        return float(np.polyfit(x, y, 1)[0])

    drawn = [fitted([random.choice(part, len(part)) for part in data]) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, INTERVAL)
    return Estimate(fitted(data), float(low), float(high))

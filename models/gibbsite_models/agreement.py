"""The energy and every variable as series: which is slowest, and on which do chains agree least?

    agreement     split R-hat of rank-normalised values, R^2 = (n - 1) / n + var(means) / W over the
                  halves of all chains; its limit follows from the F law of n / tau draws a half
    correlation   tau = 1 + 2 sum_(t <= M) rho(t), M the first with M >= 5 tau(M); ESS = N / tau

The worst series counts, since symmetric modes look alike to the energy. The statistics themselves
are in `gibbsite_models.convergence`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.convergence import autocorrelation_time, r_hat_limit, split_r_hat
from gibbsite_models.law_checks import CertificateError

__all__ = [
    "Agreement",
    "Autocorrelation",
    "Times",
    "agreement_of",
    "correlation_of",
    "named",
    "series_of",
]

Floats: TypeAlias = NDArray[np.float64]
Times: TypeAlias = Mapping[str, tuple[float, int]]
"""Autocorrelation time and window of each series."""

ENOUGH = 50.0
"""Draws per autocorrelation time from which tau itself can be trusted."""

LONG_ENOUGH = 40.0
"""Autocorrelation times in a chain from which its own mean biases them little (by tau / n)."""

SMALLEST_HALF = 4
"""Draws in half a chain from which chains are compared."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The statistic on which chains agree least, its R-hat, and the limit for chains that agree."""

    statistic: str
    r_hat: float
    limit: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class Autocorrelation:
    """The slowest statistic, its time in draws, and how many independent draws all are worth.

    ``reliable``: there are enough draws for the time itself to be trusted.
    """

    statistic: str
    time: float
    window: int
    effective_draws: float
    reliable: bool


def named(names: Sequence[str] | None, count: int, *others: str) -> list[str]:
    """The names of so many variables, made up where none are given; ``others`` are other series.

    Raises `CertificateError` for another number of names, or for series that share one.
    """
    shown = [f"variable {k}" for k in range(count)] if names is None else list(names)
    if len(shown) != count or len({*others, *shown}) != count + len(others):
        raise CertificateError(
            f"there are {len(shown)} names for {count} variables: give each variable a name of its "
            f"own{''.join(f', and none the name {other}' for other in others)}"
        )
    return shown


def series_of(
    energy: Floats, values: NDArray[np.int64] | None, names: Sequence[str]
) -> dict[str, Floats]:
    """The statistics that are followed, without those that never change at all."""
    series: dict[str, Floats] = {"energy": energy}
    for k in range(0 if values is None else values.shape[2]):
        assert values is not None
        series[names[k]] = values[:, :, k].astype(np.float64)
    return {name: x for name, x in series.items() if np.ptp(x) > 0}


def correlation_of(
    series: Mapping[str, Floats], not_checked: list[str]
) -> tuple[Autocorrelation | None, Times]:
    """The slowest series, and the time and window of all."""
    if not series:
        not_checked.append("autocorrelation: every draw is the same")
        return None, {}
    chains, draws = next(iter(series.values())).shape
    if draws < 2 * SMALLEST_HALF:
        not_checked.append(f"autocorrelation: {draws} draws a chain are fewer than 8")
        return None, {}
    times = {name: autocorrelation_time(x) for name, x in series.items()}
    worst = max(times, key=lambda name: times[name][0])
    time, window = times[worst]
    total = chains * draws
    reliable = bool(total >= ENOUGH * time)
    return Autocorrelation(worst, time, window, total / time, reliable), times


def agreement_of(
    series: Mapping[str, Floats], times: Times, not_checked: list[str], alarm: float
) -> Agreement | None:
    """The statistic that is furthest beyond its limit, or nearest to it."""
    if not series:
        not_checked.append("agreement between chains: every draw is the same")
        return None
    chains, draws = next(iter(series.values())).shape
    if chains < 2 or draws < 2 * SMALLEST_HALF:
        not_checked.append(
            f"agreement between chains: {chains} chains of {draws} draws, and 2 of 8 are needed"
        )
        return None
    slowest = max(times, key=lambda name: times[name][0])
    if draws < LONG_ENOUGH * times[slowest][0]:
        not_checked.append(
            f"agreement between chains: chains of {draws} draws are shorter than {LONG_ENOUGH:.0f} "
            f"autocorrelation times of {times[slowest][0]:.1f} draws ({slowest})"
        )
        return None
    found = []
    for name, x in series.items():
        r_hat = split_r_hat(x)
        limit = r_hat_limit(x, alarm / len(series), times[name])
        found.append((r_hat / limit, Agreement(name, r_hat, limit, bool(r_hat <= limit))))
    return max(found, key=lambda pair: pair[0])[1]

"""Do chains agree, and how far apart are independent draws? R-hat and autocorrelation times.

    R-hat = sqrt((n - 1) / n + var(means) / W)        W the mean variance inside chains of n draws
    tau = 1 + 2 sum_(t <= M) rho(t)                   M the first with M >= 5 tau(M)

Source: Vehtari et al., Bayesian Analysis 16 (2021) 667, equations 1 to 4 and 14, for R-hat; A.
Sokal, Monte Carlo Methods in Statistical Mechanics (1996), equations 3.17 to 3.19, for tau.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["autocorrelation_time", "r_hat_limit", "split_r_hat"]

Floats: TypeAlias = NDArray[np.float64]

WINDOW = 5.0
"""Sokal's c: the sum ends at the first M >= c tau."""


def split_r_hat(chains: ArrayLike) -> float:
    """R-hat of ``chains[chain, draw]``: halves as chains of their own, values rank-normalised.

    1 for chains that agree; infinite for chains that stand still at different values; not a number
    where every draw is the same. Chains need 4 draws at least.
    """
    return _r_hat(_normal_scores(_halves(np.asarray(chains, dtype=np.float64))))


def autocorrelation_time(chains: ArrayLike) -> tuple[float, int]:
    """Integrated autocorrelation time in draws, and the window, of ``chains[chain, draw]``.

    The autocorrelation is averaged over chains, each about its own mean. A series without variance
    has time 1.
    """
    x = np.asarray(chains, dtype=np.float64)
    x = x - x.mean(axis=1, keepdims=True)
    draws = x.shape[1]
    size = 1 << (2 * draws - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(x, size, axis=1)) ** 2
    covariance = np.fft.irfft(spectrum, size, axis=1)[:, :draws].mean(axis=0)
    # what is left of a constant is rounding, 1e-16 of it; energies may be of any unit and offset
    if covariance[0] <= 1e-24 * draws * float(np.abs(chains).max()) ** 2:
        return 1.0, 0
    rho = covariance / covariance[0]
    times = 2 * np.cumsum(rho) - 1
    inside = np.flatnonzero(np.arange(draws) >= WINDOW * times)
    window = int(inside[0]) if len(inside) else draws - 1
    return max(1.0, float(times[window])), window


def r_hat_limit(chains: Floats, alarm: float, known: tuple[float, int] | None = None) -> float:
    """The R-hat that chains in agreement exceed with probability `alarm`.

    Means of halves vary as those of n / tau independent draws, so n / tau var(means) / W follows
    F(m - 1, m (n / tau - 1)). tau is taken two of its standard errors higher than estimated
    (Sokal's equation 3.19: var tau = 2 (2 M + 1) / N tau^2). ``known`` are tau and M where they
    were already computed.

    Means of rare events are not normal: the variance of var(means) is ``2 (1 + kappa / 2) / (m -
    1)``, kappa their excess kurtosis, so that F has (m - 1) / (1 + kappa / 2) degrees of freedom
    instead. kappa is that of a draw times 3 tau / n: events that last for exponential times have
    three times the kurtosis of as many independent draws.
    """
    halves = _halves(chains)
    m, n = halves.shape
    time, window = autocorrelation_time(chains) if known is None else known
    time *= 1 + 2 * math.sqrt(2 * (2 * window + 1) / chains.size)
    effective = max(2.0, n / time)
    scores = _normal_scores(chains)
    away = scores - scores.mean()
    spread = float((away**2).mean())
    excess = float((away**4).mean()) / spread**2 - 3 if spread > 0 else 0.0
    freedom = (m - 1) / (1 + 1.5 * max(0.0, excess) / effective)
    quantile = float(special.fdtri(freedom, m * (effective - 1), 1 - alarm))
    return math.sqrt((n - 1) / n + quantile / effective)


def _halves(chains: Floats) -> Floats:
    half = chains.shape[1] // 2
    return np.concatenate([chains[:, :half], chains[:, chains.shape[1] - half :]])


def _normal_scores(x: Floats) -> Floats:
    low, high = x.min(), x.max()
    if ((x == low) | (x == high)).all():
        # two values only: any scores are a multiple of these, which R-hat does not see
        upper: Floats = (x == high).astype(np.float64)
        return upper
    # average ranks of ties
    _, where, counts = np.unique(x, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[where].reshape(x.shape)
    scores: Floats = np.asarray(special.ndtri((ranks - 0.375) / (x.size + 0.25)))
    return scores


def _r_hat(chains: Floats) -> float:
    draws = chains.shape[1]
    within = float(chains.var(axis=1, ddof=1).mean())
    between = float(chains.mean(axis=1).var(ddof=1))
    if within <= 1e-12:
        return math.inf if between > 1e-12 else math.nan
    return math.sqrt((draws - 1) / draws + between / within)

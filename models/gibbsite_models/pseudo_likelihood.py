"""The inverse temperature that draws show by themselves, by maximum pseudo-likelihood.

    U(beta) = sum_draws sum_variables (E_beta[E | rest] - E) = 0
            = sum_i h_i (s_i - tanh(beta h_i)) for spins in fields h = -f
            = sum_g (sum_k p_gk f_gk - f_g,x) for one-hot choices

where p is the conditional law at beta. U falls with beta (``-U' = I``, the conditional variance of
the energy), so that it has one root at most. The estimate is consistent at the model's law however
the draws are correlated; its error is found by leaving out one part of the draws at a time:

    se^2 = (m - 1) / m sum_c (beta_(-c) - mean)^2,    interval: beta +- t_(m-1) se

Parts are chains, or long pieces of chains where chains are few. Each ``beta_(-c)`` is one Newton
step from the estimate on all draws; what a second step would add is of order 1/m^2.

Source: J. Besag, Statistical analysis of non-lattice data, 1975, section 3; the jackknife: B. Efron
and C. Stein, The jackknife estimate of variance, 1981, equation 1.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gibbsite_models.pair_model import Conditionals, PairModel

__all__ = ["EffectiveBeta", "effective_beta", "score"]

Floats: TypeAlias = NDArray[np.float64]
Scores: TypeAlias = Callable[[float], tuple[Floats, Floats]]
"""Gives, at a beta, U and I of each part."""

STEPS = 60
"""Newton steps and doublings of beta after which the pseudo-likelihood is said to have no peak."""

TOLERANCE = 1e-7
"""Of the stated beta: Newton's last step; no certificate has so many draws that it matters."""

FARTHEST = 64.0
"""Times the stated beta beyond which a root is not looked for."""


@dataclass(frozen=True, slots=True)
class EffectiveBeta:
    """The estimate, its standard error, and the interval at ``level`` beside the stated beta."""

    stated: float
    estimate: float
    error: float
    low: float
    high: float
    level: float
    parts: int
    within: bool


def score(model: PairModel, found: Conditionals, beta: float) -> tuple[float, float]:
    """U and I of draws whose conditionals at any beta are given; only their fields are used."""
    p = model.probabilities(found.field, beta)
    owner = model.variable_of
    free, spin = model.free[owner], model.spin[owner]
    field = np.where(spin, 2.0, 1.0) * found.field
    residual = np.where(free, found.on - p, 0.0)
    u = -float((field * residual).sum())
    p = np.where(free, p, 0.0)
    information = float((field**2 * p * np.where(spin, 1 - p, 1.0)).sum())
    if not model.spin.all():
        mean = np.add.reduceat(field * p, model.first[:-1], axis=-1)
        information -= float((np.where(model.spin, 0.0, mean) ** 2).sum())
    return u, information


def effective_beta(scores: Scores, stated: float, level: float) -> EffectiveBeta | None:
    """The root of the summed scores, and its interval; None where there is no root.

    There is none where no draw goes against its field, as at very low temperatures, or where all
    fields are 0. ``scores`` is asked for a few betas.
    """
    root = _root(scores, stated)
    if root is None:
        return None
    beta, u, information = root
    parts = len(u)
    total = information.sum()
    without = beta + (u.sum() - u) / np.maximum(total - information, 1e-12 * total)
    spread = without - without.mean()
    error = float(np.sqrt((parts - 1) / parts * (spread**2).sum()))
    reach = float(special.stdtrit(parts - 1, 0.5 + level / 2)) * error
    low, high = beta - reach, beta + reach
    return EffectiveBeta(stated, beta, error, low, high, level, parts, bool(low <= stated <= high))


def _root(scores: Scores, stated: float) -> tuple[float, Floats, Floats] | None:
    """Newton's steps, held between the betas that are known to lie on either side."""
    low, high, beta = -np.inf, np.inf, stated
    unit = abs(stated) or 1.0
    for _ in range(STEPS):
        u, information = scores(beta)
        total, slope = float(u.sum()), float(information.sum())
        if total > 0:
            low = beta
        else:
            high = beta
        if slope <= 0:
            return None  # no field acts, or beta is so large that nothing is open any more
        step = total / slope
        if abs(step) <= TOLERANCE * unit:
            return beta, u, information
        new = beta + float(np.clip(step, -4 * unit, 4 * unit))
        if not low < new < high:
            new = (low + high) / 2
        if abs(new) > FARTHEST * unit or not np.isfinite(new):
            return None
        beta = new
    return None

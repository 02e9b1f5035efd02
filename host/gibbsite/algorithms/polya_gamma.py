r"""Exact draws of the Polya-Gamma law PG(1, c), vectorised.

    p(w | c) ~ exp(-c^2 w / 2) p(w | 0),      E[exp(-t w) | c = 0] = 1 / cosh(sqrt(t / 2))

It makes a logistic likelihood conditionally Gaussian: ``1/(1 + exp(-m)) = 1/2 exp(m/2)
E[exp(-w m^2 / 2)]`` over w ~ PG(1, 0), and given m the law of w is PG(1, m).

``4 w`` is drawn from a proposal of two pieces, an inverse Gaussian below `CUT` and an exponential
above, and accepted by the alternating series of its density, whose partial sums are bounds from
both sides: the draw is exact, nothing is truncated.

Source: N. Polson, J. Scott, J. Windle, Bayesian inference for logistic models using Polya-Gamma
latent variables, JASA 108 (2013) 1339, section 4; L. Devroye, On exact simulation algorithms for
some distributions related to Jacobi theta functions, 2009.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import numbers

__all__ = ["mean", "polya_gamma"]

Floats = NDArray[np.float64]

CUT = 0.64
"""Where the proposal changes its piece; Devroye's choice, near the best acceptance (0.9992)."""


def polya_gamma(c: ArrayLike, random: np.random.Generator) -> Floats:
    """One draw of PG(1, c) for every element of ``c``, of any shape.

    Raises: ProgramError for a c that is not finite.
    """
    tilt = numbers("c", c)
    if not np.isfinite(tilt).all():
        raise ProgramError("the tilts c of Polya-Gamma draws must be finite and some are not")
    z = np.abs(tilt).ravel() / 2
    result = np.empty(z.size)
    left = np.arange(z.size)
    while left.size:
        x = _proposed(z[left], random)
        taken = _accepted(x, random)
        result[left[taken]] = x[taken] / 4
        left = left[~taken]
    return result.reshape(tilt.shape)


def mean(c: ArrayLike) -> Floats:
    """``E[w] = tanh(c/2) / (2 c)``, 1/4 at c = 0."""
    half = np.abs(np.asarray(c, dtype=np.float64)) / 2
    small = half < 1e-4
    safe = np.where(small, 1.0, half)
    return np.where(small, 0.25 - half**2 / 12, np.tanh(safe) / (4 * safe))


def _proposed(z: Floats, random: np.random.Generator) -> Floats:
    rate = np.pi**2 / 8 + z**2 / 2
    above = random.random(z.size) < _weight_above(z, rate)
    x = np.empty(z.size)
    x[above] = CUT + random.standard_exponential(int(above.sum())) / rate[above]
    x[~above] = _inverse_gaussian_below(z[~above], random)
    return x


def _weight_above(z: Floats, rate: Floats) -> Floats:
    """The proposal's probability of the exponential piece."""
    root = CUT**-0.5
    log = np.log(rate) + rate * CUT
    one = log - z + special.log_ndtr(root * (CUT * z - 1))
    two = log + z + special.log_ndtr(-root * (CUT * z + 1))
    return np.asarray(special.expit(-np.log(4 / np.pi) - np.logaddexp(one, two)))


def _inverse_gaussian_below(z: Floats, random: np.random.Generator) -> Floats:
    """Inverse Gaussian of mean 1/z and shape 1, given that it is below `CUT`."""
    result = np.empty(z.size)
    left = np.arange(z.size)
    while left.size:
        tilt = z[left]
        far = tilt < 1 / CUT  # the mean lies beyond the cut: propose from the tail of chi-square
        x = np.empty(tilt.size)
        x[far], taken = _tail(tilt[far], random)
        x[~far] = _inverse_gaussian(tilt[~far], random)
        good = x < CUT
        good[far] = taken
        result[left[good]] = x[good]
        left = left[~good]
    return result


def _tail(z: Floats, random: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    one, two = random.standard_exponential((2, z.size))
    x = CUT / (1 + CUT * one) ** 2
    taken = (one**2 <= 2 * two / CUT) & (random.random(z.size) < np.exp(-(z**2) * x / 2))
    return x, taken


def _inverse_gaussian(z: Floats, random: np.random.Generator) -> Floats:
    average = 1 / z
    y = average * random.standard_normal(z.size) ** 2
    x = average * (1 + (y - np.sqrt(y * (4 + y))) / 2)
    x = np.maximum(x, 1e-300)
    swap = random.random(z.size) > average / (average + x)
    return np.where(swap, average**2 / x, x)


def _accepted(x: Floats, random: np.random.Generator) -> NDArray[np.bool_]:
    total = _coefficient(0, x)
    level = random.random(x.size) * total
    taken = np.zeros(x.size, dtype=bool)
    open_ = np.ones(x.size, dtype=bool)
    n = 0
    while open_.any():
        n += 1
        at = np.flatnonzero(open_)
        total[at] += (-1) ** n * _coefficient(n, x[at])
        if n % 2:
            decided = level[at] <= total[at]
            taken[at[decided]] = True
        else:
            decided = level[at] > total[at]
        open_[at[decided]] = False
    return taken


def _coefficient(n: int, x: Floats) -> Floats:
    """The n-th term of the alternating series, in the form that converges fast on its side."""
    k = n + 0.5
    low = (2 / (np.pi * x)) ** 1.5 * np.exp(-2 * k**2 / x)
    high = np.exp(-(k**2) * np.pi**2 * x / 2)
    return np.asarray(np.pi * k * np.where(x <= CUT, low, high))

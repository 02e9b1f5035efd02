r"""How far the coded Gaussian is from the normal law, counted over all 2^64 uniforms.

    distance = sup_x |P(xi <= x) - Phi(x)|,   tail error = sup_(0 <= t <= 8) |P(xi > t) / Q(t) - 1|

Uniforms that agree in octave, segment and place give one code; there are some 3 million such cells
in each half, and their sizes are whole numbers, so that P is exact. The law is a staircase: both
suprema are taken on both sides of every step, and the tail's over both tails.

Source: "Noise" in docs/langevin-engine.md. Twin of the question: `gibbsite_models.exact.noise`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gibbsite_hw.spec.langevin_tables import FRACTION_BITS, GAUSS_FRAC, INDEX_BITS, OCTAVES
from gibbsite_models.golden.gauss import shape_gaussian

__all__ = ["Cells", "GaussLaw", "Shape", "cells", "gauss_law"]

Float64 = NDArray[np.float64]
UInt64 = NDArray[np.uint64]
Shape = Callable[[UInt64], NDArray[np.int64]]
"""Uniforms to codes; `shape_gaussian` or a faulty one."""

_PLACE_BITS = INDEX_BITS + FRACTION_BITS
_ALL = np.uint64((1 << 64) - 1)


@dataclass(frozen=True, slots=True)
class Cells:
    """Sets of neighbouring uniforms that give one code, in one half, from its end inwards.

    ``first`` and ``last`` are the uniforms at the edges of each set, the outer one first;
    ``count`` how many it has. All ``uint64[cells]``.
    """

    first: UInt64
    last: UInt64
    count: UInt64


def cells(upper: bool) -> Cells:
    """All cells of one half."""
    starts, counts = [np.zeros(1, np.uint64)], [np.ones(1, np.uint64)]
    for octave in range(OCTAVES - 2, -1, -1):
        low = 1 << (62 - octave)
        width = 1 << max(0, 62 - octave - _PLACE_BITS)
        start = np.arange(low, 2 * low, width, dtype=np.uint64)
        starts.append(start)
        counts.append(np.full(start.size, width, dtype=np.uint64))
    start, count = np.concatenate(starts), np.concatenate(counts)
    end = start + count - np.uint64(1)
    return Cells(_ALL - start, _ALL - end, count) if upper else Cells(start, end, count)


@dataclass(frozen=True, slots=True)
class GaussLaw:
    """The law of the coded Gaussian: values ``x`` in order, ``float64[values]`` in sigma.

    ``below``, ``above``: probabilities of less and of more than x, each exact to float64's
    precision, also where it is small; ``weight`` that of x itself.
    """

    x: Float64
    below: Float64
    above: Float64
    weight: Float64

    @property
    def distance(self) -> float:
        """Largest difference of the two distribution functions (Kolmogorov's distance)."""
        exact, upto = ndtr(self.x), self.below + self.weight
        return float(max(np.abs(upto - exact).max(), np.abs(self.below - exact).max()))

    def tail_error(self, most: float = 8.0) -> float:
        """Largest relative error of the probability of more than t sigma, t up to ``most``."""
        return max(_tail(self.x, self.above, most), _tail(-self.x[::-1], self.below[::-1], most))

    def moment(self, order: int) -> float:
        """``E xi^order``."""
        return float(np.sum(self.weight * self.x**order))

    @property
    def variance(self) -> float:
        """``E xi^2 - (E xi)^2``."""
        return self.moment(2) - self.moment(1) ** 2

    @property
    def kurtosis(self) -> float:
        """``E xi^4 / (E xi^2)^2``, 3 for a normal law."""
        return self.moment(4) / self.moment(2) ** 2


def gauss_law(shape: Shape = shape_gaussian) -> GaussLaw:
    """The law of the codes that a shape gives to 64 uniform bits."""
    halves = [cells(False), cells(True)]
    codes = np.concatenate([shape(half.first) for half in halves])
    order = np.argsort(codes, kind="stable")
    codes, count = codes[order], np.concatenate([half.count for half in halves])[order]
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    number = np.add.reduceat(count, starts)
    # modulo 2^64, the number of all uniforms: what is above is minus what is not
    upto = np.cumsum(number, dtype=np.uint64)
    return GaussLaw(
        x=codes[starts] * 2.0**-GAUSS_FRAC,
        below=(upto - number).astype(np.float64) * 2.0**-64,
        above=(np.uint64(0) - upto).astype(np.float64) * 2.0**-64,
        weight=number.astype(np.float64) * 2.0**-64,
    )


def _tail(x: Float64, above: Float64, most: float) -> float:
    """Relative error of ``P(xi > t)`` for 0 <= t <= most, on both sides of each step."""
    inside = (x >= 0) & (x <= most)
    exact = ndtr(-x)
    just_before = np.concatenate([[1.0], above[:-1]])  # P(xi > t) for t just below x
    ratios = np.concatenate([above[inside], just_before[inside]]) / np.tile(exact[inside], 2)
    return float(np.abs(ratios - 1).max())

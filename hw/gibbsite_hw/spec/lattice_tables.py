"""Thresholds of the lattice engine: how probable a spin is against its field, in 1/65536.

A site with field f becomes +1 with probability ``1 / (1 + exp(2 beta f))``. With the uniform u of
16 bits, drawn anew for every decision,

    s = (f < 0) xor (u < T(|f|)),      T(m) = 65536 / (1 + exp(2 beta m)), rounded.

T is computed on the device for every step of the schedule, one m a cycle: ``x = 2 beta m`` grows by
``2 beta_code`` from m to m + 1, exactly; it has BETA_FRAC fraction bits and stops at X_END, beyond
which T is 0. Below, x chooses one of SEGMENTS straight lines of width 1/64:

    T = (base - (slope * fraction >> FRACTION_BITS) + 8) >> 4.

T differs from the exact value by less than 0.7 and so every draw's law by less than 1.1e-5 in total
variation; at f = 0 it is exactly one half, and a spin and its mirror have exactly mirrored laws.
"""

import math
from array import array
from functools import cache

__all__ = [
    "BETA_BITS",
    "BETA_FRAC",
    "BETA_MAX",
    "LATTICE_ENGINE",
    "UNIFORM_BITS",
    "threshold",
    "threshold_lines",
    "thresholds",
]

LATTICE_ENGINE = 3
"""Second key word of the seed hash: the engine whose streams are seeded."""

UNIFORM_BITS = 16
"""Bits of the uniform that a decision compares; a stream's word of 64 bits serves four lanes."""

BETA_BITS = 24
BETA_FRAC = 20
BETA_MAX = (1 << BETA_BITS) - 1
"""Largest beta code: just below 16 per unit of a coupling code."""

FRACTION_BITS = 14
SEGMENT_BITS = BETA_FRAC - FRACTION_BITS
X_END = 12 << BETA_FRAC
SEGMENTS = X_END >> FRACTION_BITS
GUARD_BITS = 4
LINE_FRAC = UNIFORM_BITS + GUARD_BITS


def _law(x: float) -> float:
    return 1.0 / (1.0 + math.exp(x))


@cache
def threshold_lines() -> tuple["array[int]", "array[int]"]:
    """Base and slope of every segment (type code ``i``), with LINE_FRAC fraction bits.

    The base holds half of the chord's sag, so that the error is centred, except that of the first
    segment, which keeps T(0) at one half.
    """
    base, slope = array("i"), array("i")
    for segment in range(SEGMENTS):
        left, right = segment / (1 << SEGMENT_BITS), (segment + 1) / (1 << SEGMENT_BITS)
        y0, y1 = _law(left), _law(right)
        sag = (_law((left + right) / 2) - (y0 + y1) / 2) / 2 if segment else 0.0
        base.append(round((y0 + sag) * (1 << LINE_FRAC)))
        slope.append(round((y0 - y1) * (1 << LINE_FRAC)))
    return base, slope


def threshold(x: int) -> int:
    """T for ``x`` with BETA_FRAC fraction bits, 0 or more: 0..32768."""
    if x >= X_END:
        return 0
    base, slope = threshold_lines()
    segment, fraction = x >> FRACTION_BITS, x & ((1 << FRACTION_BITS) - 1)
    fall = slope[segment] * fraction >> FRACTION_BITS
    return (base[segment] - fall + (1 << (GUARD_BITS - 1))) >> GUARD_BITS


def thresholds(beta_code: int, field_max: int) -> list[int]:
    """T(m) for m = 0..field_max."""
    return [threshold(2 * beta_code * m) for m in range(field_max + 1)]

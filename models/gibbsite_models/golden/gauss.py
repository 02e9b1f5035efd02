"""The Gaussian source on arrays: 64-bit uniforms to normal variates.

    code = (base + (slope * t >> FRACTION_BITS + 1)) >> BASE_FRAC - GAUSS_FRAC

Uniforms are ``uint64[...]``, variates ``int64[...]`` with GAUSS_FRAC fraction bits.

Source: "Noise" in docs/langevin-engine.md; `gibbsite_hw.spec.langevin_tables.gaussian_code`.
Twin: ``gibbsite_hw.langevin_gauss``.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_tables import (
    BASE_FRAC,
    FRACTION_BITS,
    GAUSS_FRAC,
    INDEX_BITS,
    gaussian_tables,
)

__all__ = ["shape_gaussian"]

_MANTISSA_BITS = 52  # of a float64
_EXPONENT_BIAS = 1023
_EXACT = np.uint64(1 << 53)
_LOW_BITS = np.uint64((1 << 11) - 1)
_HALF = np.uint64((1 << 63) - 1)

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]


def shape_gaussian(uniform: UInt64) -> Int64:
    """The variates of 64-bit uniforms: `gibbsite_hw.spec.langevin_tables.gaussian_code`.

    A float64 normalises the number ``2 v + 1``: its exponent is the octave, the top bits of its
    mantissa segment and place. Of numbers of more than 53 bits the last 11 are dropped first, which
    the table never sees, so that the conversion is exact and cannot round up an octave.
    """
    base, slope = _tables()
    upper = uniform >> np.uint64(63)
    v = (uniform ^ (np.uint64(0) - upper)) & _HALF
    number = v << np.uint64(1) | np.uint64(1)
    number = np.where(number >= _EXACT, number & ~_LOW_BITS, number)
    float_bits = number.astype(np.float64).view(np.int64)
    octave = 63 + _EXPONENT_BIAS - (float_bits >> _MANTISSA_BITS)
    place = float_bits >> (_MANTISSA_BITS - INDEX_BITS - FRACTION_BITS)
    at = octave << INDEX_BITS | place >> FRACTION_BITS & ((1 << INDEX_BITS) - 1)
    fraction = place & ((1 << FRACTION_BITS) - 1)
    line = base[at] + (slope[at] * (2 * fraction + 1) >> (FRACTION_BITS + 1))
    code = line >> (BASE_FRAC - GAUSS_FRAC)
    codes: Int64 = np.where(upper.astype(np.bool_), -code, code)
    return codes


@cache
def _tables() -> tuple[Int64, Int64]:
    base, slope = gaussian_tables()
    return np.array(base, dtype=np.int64), np.array(slope, dtype=np.int64)

"""The Gaussian table: the normal quantile as straight lines over octaves of probability.

A 64-bit uniform ``u`` stands for the probability ``(u + 1/2) / 2^64``. Its top bit chooses the
half; the lower 63 bits, inverted in the upper half, are ``v``, and ``q = (2 v + 1) / 2^65`` in
(0, 1/2) is the distance to the nearer end. ``2 v + 1`` is a 64-bit number whose leading one has
``k`` zeros before it: the octave. The INDEX_BITS bits behind the leading one choose a segment,
the FRACTION_BITS bits behind these, with a one appended, are the place t in it, and

    code = (base + (slope * t >> FRACTION_BITS + 1)) >> BASE_FRAC - GAUSS_FRAC,

negated in the upper half, is the quantile of q, at most 9.2 standard deviations from 0. ``base``
holds half of what the last shift cuts off and half of the chord's sag: the error is centred.

Same scheme as `gibbsite_hw.spec.tables`, for 64 bits.
"""

from array import array
from functools import cache
from statistics import NormalDist

__all__ = [
    "BASE_BITS",
    "BASE_FRAC",
    "FRACTION_BITS",
    "GAUSS_BITS",
    "GAUSS_FRAC",
    "INDEX_BITS",
    "LANGEVIN_ENGINE",
    "OCTAVES",
    "SLOPE_BITS",
    "gaussian_code",
    "gaussian_tables",
]

LANGEVIN_ENGINE = 2
"""Second key word of the seed hash: the engine whose streams are seeded."""

GAUSS_FRAC = 20
GAUSS_BITS = 25
INDEX_BITS = 6
FRACTION_BITS = 10
BASE_FRAC = 24
BASE_BITS = 29
SLOPE_BITS = 20
OCTAVES = 64


@cache
def gaussian_tables() -> tuple["array[int]", "array[int]"]:
    """Base and slope codes (type code ``i``) at ``octave << INDEX_BITS | segment``."""
    quantile = NormalDist().inv_cdf
    base, slope = array("i"), array("i")
    segments = 1 << INDEX_BITS
    half_cut = 1 << (BASE_FRAC - GAUSS_FRAC - 1)
    for octave in range(OCTAVES):
        low, width = 2.0 ** -(octave + 2), 2.0 ** -(octave + 2) / segments
        for segment in range(segments):
            left = low + segment * width
            y0, y1 = quantile(left), quantile(left + width)
            sag = quantile(left + width / 2) - (y0 + y1) / 2
            base.append(round((y0 + sag / 2) * 2**BASE_FRAC) + half_cut)
            slope.append(round((y1 - y0) * 2**BASE_FRAC))
    if max(map(abs, base)) >= 1 << (BASE_BITS - 1) or max(map(abs, slope)) >= 1 << (SLOPE_BITS - 1):
        raise AssertionError("a Gaussian table entry does not fit its format")
    return base, slope


def gaussian_code(uniform: int) -> int:
    """The Gaussian of one 64-bit uniform, the definition that hardware and golden model follow."""
    base, slope = gaussian_tables()
    upper = uniform >> 63
    v = (~uniform if upper else uniform) & ((1 << 63) - 1)
    number = 2 * v + 1
    octave = 64 - number.bit_length()
    mantissa = (number << octave) & ((1 << 63) - 1)  # the leading one, bit 63, is gone
    segment = mantissa >> (63 - INDEX_BITS)
    fraction = mantissa >> (63 - INDEX_BITS - FRACTION_BITS) & ((1 << FRACTION_BITS) - 1)
    at = octave << INDEX_BITS | segment
    line = base[at] + (slope[at] * (2 * fraction + 1) >> (FRACTION_BITS + 1))
    code = line >> (BASE_FRAC - GAUSS_FRAC)
    return -code if upper else code

"""The noise tables: logistic and Gumbel variates as straight lines over octaves of probability.

A 32-bit uniform ``u`` stands for the probability ``(u + 1/2) / 2^32``. Its top bit chooses the
half; the lower 31 bits, inverted in the upper half, are ``v``, and

    q = (2 v + 1) / 2^33

is the distance to the nearer end, in (0, 1/2). ``2 v + 1`` is a 32-bit number whose leading one has
``k`` zeros before it: the octave. The ``index_bits`` bits behind the leading one choose a segment
(``tail_bits`` from octave NEAR_OCTAVES on, where little probability is left to be wrong about), the
FRACTION_BITS bits behind these, with a one appended (the middle of what is cut off), are the place
``t`` in the segment, ``t / 2^(FRACTION_BITS + 1)``. Both widths belong to the build; INDEX_BITS
each is the finest. The variate is

    code = (base + (slope * t >> FRACTION_BITS + 1)) >> BASE_FRAC - score_frac,

negated for a logistic in the upper half. ``base`` and ``slope`` have BASE_FRAC fraction bits;
base holds half of what the last shift cuts off and half of the chord's sag, so that the error is
centred. `gibbsite_models.exact.noise` computes what a build's tables do to a draw's law.

    kind 0  logistic(q) = ln(q / (1 - q))
    kind 1  Gumbel, lower half:  -ln(-ln q)
    kind 2  Gumbel, upper half:  -ln(-ln(1 - q))
"""

import math
from array import array
from functools import cache

__all__ = [
    "BASE_FRAC",
    "FRACTION_BITS",
    "GRAPH_ENGINE",
    "GUMBEL_LOWER",
    "GUMBEL_UPPER",
    "INDEX_BITS",
    "LOGISTIC",
    "NEAR_OCTAVES",
    "OCTAVES",
    "noise_code",
    "noise_tables",
    "octave_bits",
    "octave_start",
    "slope_bits",
]

GRAPH_ENGINE = 1
"""Second key word of the seed hash: the engine whose streams are seeded."""

INDEX_BITS = 7
FRACTION_BITS = 10
BASE_FRAC = 20
OCTAVES = 32
NEAR_OCTAVES = 7
"""Octaves with ``index_bits``; all others have ``tail_bits``. 7: three kinds with 4 and 1 bits
are 486 entries, so that a lane's table is six block memories of an iCE40."""
LOGISTIC, GUMBEL_LOWER, GUMBEL_UPPER = range(3)
BASE_BITS = 26


def _variate(kind: int, q: float) -> float:
    if kind == LOGISTIC:
        return math.log(q) - math.log1p(-q)
    if kind == GUMBEL_LOWER:
        return -math.log(-math.log(q))
    return -math.log(-math.log1p(-q))


def octave_bits(octave: int, index_bits: int, tail_bits: int) -> int:
    """Index bits of an octave."""
    return index_bits if octave < NEAR_OCTAVES else tail_bits


def octave_start(kind: int, octave: int, index_bits: int, tail_bits: int) -> int:
    """Where the segments of an octave begin in the table."""
    size = (NEAR_OCTAVES << index_bits) + (OCTAVES - NEAR_OCTAVES << tail_bits)
    near = min(octave, NEAR_OCTAVES) << index_bits
    return kind * size + near + (max(octave - NEAR_OCTAVES, 0) << tail_bits)


def slope_bits(index_bits: int = INDEX_BITS, tail_bits: int = INDEX_BITS) -> int:
    """Signed bits of a slope code."""
    _, slope = noise_tables(BASE_FRAC, index_bits, tail_bits)
    return max(map(abs, slope)).bit_length() + 1


@cache
def noise_tables(
    score_frac: int, index_bits: int = INDEX_BITS, tail_bits: int = INDEX_BITS
) -> tuple["array[int]", "array[int]"]:
    """Base and slope codes (type code ``i``).

    They lie at ``octave_start(kind, octave, ...) + segment``.
    """
    base, slope = array("i"), array("i")
    half_cut = 1 << (BASE_FRAC - score_frac - 1) if BASE_FRAC > score_frac else 0
    for kind in range(3):
        for octave in range(OCTAVES):
            segments = 1 << octave_bits(octave, index_bits, tail_bits)
            low_q, width = 2.0 ** -(octave + 2), 2.0 ** -(octave + 2) / segments
            for segment in range(segments):
                left = low_q + segment * width
                # q = 1/2 is approached, not reached; for the logistic it is an ordinary point.
                y0, y1 = _variate(kind, left), _variate(kind, left + width)
                sag = _variate(kind, left + width / 2) - (y0 + y1) / 2
                base.append(round((y0 + sag / 2) * 2**BASE_FRAC) + half_cut)
                slope.append(round((y1 - y0) * 2**BASE_FRAC))
    if max(map(abs, base)) >= 1 << (BASE_BITS - 1):
        raise AssertionError("a noise table entry does not fit its format")
    return base, slope


def noise_code(
    uniform: int,
    gumbel: bool,
    score_frac: int,
    index_bits: int = INDEX_BITS,
    tail_bits: int = INDEX_BITS,
) -> int:
    """The variate of one 32-bit uniform, the definition that hardware and golden model follow."""
    base, slope = noise_tables(score_frac, index_bits, tail_bits)
    upper = uniform >> 31
    v = (~uniform if upper else uniform) & 0x7FFF_FFFF
    number = 2 * v + 1
    octave = 32 - number.bit_length()
    mantissa = (number << octave) & 0x7FFF_FFFF  # the leading one, bit 31, is gone
    bits = octave_bits(octave, index_bits, tail_bits)
    segment = mantissa >> (31 - bits)
    fraction = mantissa >> (31 - bits - FRACTION_BITS) & ((1 << FRACTION_BITS) - 1)
    place = 2 * fraction + 1
    kind = (GUMBEL_UPPER if upper else GUMBEL_LOWER) if gumbel else LOGISTIC
    at = octave_start(kind, octave, index_bits, tail_bits) + segment
    code = (base[at] + (slope[at] * place >> (FRACTION_BITS + 1))) >> (BASE_FRAC - score_frac)
    return -code if upper and not gumbel else code

"""The Gaussian source compiled, a row of chains at a time.

    code = (base + (slope * t >> FRACTION_BITS + 1)) >> BASE_FRAC - GAUSS_FRAC

Of the 64-bit number whose leading one gives the octave, the upper 32 bits are enough unless 16 or
more zeros lead it, once in 65,536 draws; such rows are shaped again with all 64 bits.

Source: docs/langevin-engine.md, "Noise". Twin: `gibbsite_models.golden.gauss`.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import DITHER_BITS
from gibbsite_hw.spec.langevin_tables import (
    BASE_FRAC,
    FRACTION_BITS,
    GAUSS_FRAC,
    INDEX_BITS,
    gaussian_tables,
)
from gibbsite_sim.fast.compiled import bare, leading_zeros
from gibbsite_sim.fast.langevin_machine import inlined, whole_vectors

__all__ = ["NOISE_ROWS", "draw", "gaussian_lines"]

NOISE_ROWS = 8
"""Rows of int32 that `draw` works on; 0 holds the Gaussians then, 1 the dithers."""

_SEGMENT = 32 - INDEX_BITS
_PLACE = _SEGMENT - FRACTION_BITS - 1
_EVEN = (2 << FRACTION_BITS) - 2
_CUT = BASE_FRAC - GAUSS_FRAC
_DITHER = 32 - DITHER_BITS
_MOST = 31 - INDEX_BITS - FRACTION_BITS
"""Leading zeros of 32 bits behind which a whole place follows."""

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
W, U = np.int32, np.uint32


@cache
def gaussian_lines() -> Int64:
    """``base 2^32 + slope``, int64[octaves * segments]: one read a variate."""
    base, slope = (np.array(table, dtype=np.int64) for table in gaussian_tables())
    return (base << 32) + slope


@inlined
def _words(
    s0: Int32, s1: Int32, s2: Int32, s3: Int32, dither: Int32, low: Int32, high: Int32
) -> None:
    """Three words of every stream: two of a uniform, and the dither."""
    whole_vectors()
    for lane in range(s0.shape[0]):
        a, b, c, d = U(s0[lane]), U(s1[lane]), U(s2[lane]), U(s3[lane])
        low[lane] = W(a)
        t = U(b << U(9))
        c, d = U(c ^ a), U(d ^ b)
        b, a, c = U(b ^ c), U(a ^ d), U(c ^ t)
        d = U(U(d << U(11)) | U(d >> U(21)))
        high[lane] = W(a)
        t = U(b << U(9))
        c, d = U(c ^ a), U(d ^ b)
        b, a, c = U(b ^ c), U(a ^ d), U(c ^ t)
        d = U(U(d << U(11)) | U(d >> U(21)))
        dither[lane] = W(a >> U(_DITHER))
        t = U(b << U(9))
        c, d = U(c ^ a), U(d ^ b)
        b, a, c = U(b ^ c), U(a ^ d), U(c ^ t)
        d = U(U(d << U(11)) | U(d >> U(21)))
        s0[lane], s1[lane], s2[lane], s3[lane] = W(a), W(b), W(c), W(d)


@inlined
def _places(low: Int32, high: Int32, at: Int32, place: Int32) -> np.uint32:
    """Line and place of every uniform by the upper word; whether one has too many zeros."""
    whole_vectors()
    most = U(0)
    for lane in range(low.shape[0]):
        sign = U(high[lane] >> W(31))
        upper = U(U(U(high[lane]) ^ sign) << U(1))
        number = U(upper | U(U(U(low[lane]) ^ sign) >> U(31)))
        zeros = leading_zeros(number)
        behind = U(U(number << U(zeros & U(31))) << U(1))
        most = U(max(most, zeros))
        at[lane] = W(U(U(zeros << U(INDEX_BITS)) | U(behind >> U(_SEGMENT))))
        place[lane] = W(U(U(U(behind >> U(_PLACE)) & U(_EVEN)) | U(1)))
    return most


@bare
def _exact_places(low: Int32, high: Int32, at: Int32, place: Int32) -> None:
    """The same with all 64 bits, one by one."""
    for lane in range(low.shape[0]):
        sign = U(high[lane] >> W(31))
        upper, lower = U(U(high[lane]) ^ sign), U(U(low[lane]) ^ sign)
        number = ((np.uint64(upper) << np.uint64(32)) | np.uint64(lower)) << np.uint64(1)
        number |= np.uint64(1)
        zeros = leading_zeros(U(number >> np.uint64(32)))
        if zeros == U(32):
            zeros = U(zeros + leading_zeros(U(number & np.uint64(0xFFFF_FFFF))))
        behind = U(((number << np.uint64(zeros)) << np.uint64(1)) >> np.uint64(32))
        at[lane] = W(U(U(zeros << U(INDEX_BITS)) | U(behind >> U(_SEGMENT))))
        place[lane] = W(U(U(U(behind >> U(_PLACE)) & U(_EVEN)) | U(1)))


@inlined
def _look_up(lines: Int64, at: Int32, base: Int32, slope: Int32) -> None:
    for lane in range(at.shape[0]):
        line = lines[U(at[lane])]
        slope[lane] = W(line)
        base[lane] = W((line - np.int64(W(line))) >> 32)


@inlined
def _shape(base: Int32, slope: Int32, place: Int32, high: Int32, xi: Int32) -> None:
    whole_vectors()
    for lane in range(base.shape[0]):
        line = W(base[lane] + W(W(slope[lane] * place[lane]) >> W(FRACTION_BITS + 1)))
        code, sign = W(line >> W(_CUT)), W(high[lane] >> W(31))
        xi[lane] = W(W(code ^ sign) - sign)


@inlined
def draw(streams: Int32, rows: Int32, lines: Int64) -> None:
    """Gaussians in row 0 and dithers in row 1, from ``streams`` int32[4, LANES]."""
    low, high, at, place = rows[2], rows[3], rows[4], rows[5]
    base, slope = rows[6], rows[7]
    _words(streams[0], streams[1], streams[2], streams[3], rows[1], low, high)
    if _places(low, high, at, place) > U(_MOST):
        _exact_places(low, high, at, place)
    _look_up(lines, at, base, slope)
    _shape(base, slope, place, high, rows[0])

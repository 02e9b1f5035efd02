"""The noise source on arrays: seeds hashed, uniforms stepped, logistic and Gumbel variates shaped.

    t = s1 << 9;  s2 ^= s0;  s3 ^= s1;  s1 ^= s2;  s0 ^= s3;  s2 ^= t;  s3 = rotl(s3, 11)

Every array may have any shape: streams are ``uint32[4, ...]``, uniforms ``uint32[...]``, variates
``int64[...]`` with ``score_frac`` fraction bits.

Source: D. Blackman and S. Vigna, Scrambled linear pseudorandom number generators, 2018 (the linear
engine of xoshiro128); J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011
(Threefry-2x64 with 20 rounds).
Twin: ``gibbsite_hw.noise``.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.tables import (
    BASE_FRAC,
    FRACTION_BITS,
    GRAPH_ENGINE,
    GUMBEL_LOWER,
    GUMBEL_UPPER,
    INDEX_BITS,
    LOGISTIC,
    OCTAVES,
    noise_tables,
    octave_bits,
    octave_start,
)

__all__ = ["seed_streams", "shape_noise", "step_streams", "threefry2x64"]

_ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
_PARITY = 0x1BD1_1BDA_A9FC_1A22
_WORD64 = (1 << 64) - 1

_MANTISSA_BITS = 52  # of a float64
_EXPONENT_BIAS = 1023

UInt32 = NDArray[np.uint32]
UInt64 = NDArray[np.uint64]
Int64 = NDArray[np.int64]


def threefry2x64(
    key: tuple[int, int], counter: tuple[UInt64, UInt64], rounds: int = 20
) -> tuple[UInt64, UInt64]:
    """The two output words of Threefry-2x64 for one key and many counters.

    A round is ``x0 += x1; x1 = rotl(x1, R) ^ x0``; before the first and after every fourth round
    the key words are added in turn, with the number of the addition on ``x1``.
    """
    words = (key[0], key[1], _PARITY ^ key[0] ^ key[1])
    x0 = counter[0] + np.uint64(words[0])
    x1 = counter[1] + np.uint64(words[1])
    for done in range(1, rounds + 1):
        left = np.uint64(_ROTATIONS[(done - 1) % 8])
        x0 = x0 + x1
        x1 = (x1 << left | x1 >> (np.uint64(64) - left)) ^ x0
        if done % 4 == 0:
            turn = done // 4
            x0 = x0 + np.uint64(words[turn % 3])
            x1 = x1 + np.uint64((words[(turn + 1) % 3] + turn) & _WORD64)
    return x0, x1


def seed_streams(
    seed: int, chain_numbers: UInt64, lanes: int, engine: int = GRAPH_ENGINE
) -> UInt32:
    """First states ``uint32[4, lanes, chains]`` of the streams of these chains.

    ``X = Threefry(key=(seed, engine), counter=(chain number, lane))``, the words of X0, then
    of X1, low word first. An all-zero state, the engine's only fixed point, becomes s0 = 1.
    """
    shape = (lanes, chain_numbers.size)
    chain = np.broadcast_to(chain_numbers.astype(np.uint64), shape)
    lane = np.broadcast_to(np.arange(lanes, dtype=np.uint64)[:, None], shape)
    x0, x1 = threefry2x64((seed, engine), (chain, lane))
    low, high = np.uint64(0xFFFF_FFFF), np.uint64(32)
    streams = np.stack([x0 & low, x0 >> high, x1 & low, x1 >> high]).astype(np.uint32)
    streams[0] |= (~streams.any(axis=0)).astype(np.uint32)
    return streams


def step_streams(streams: UInt32) -> UInt32:
    """One uniform word of every stream: s0 before the step; the streams step in place."""
    s0, s1, s2, s3 = streams
    uniform: UInt32 = s0.copy()
    t = s1 << np.uint32(9)
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3[...] = s3 << np.uint32(11) | s3 >> np.uint32(21)
    return uniform


def shape_noise(
    uniform: UInt32,
    gumbel: bool,
    score_frac: int,
    index_bits: int = INDEX_BITS,
    tail_bits: int = INDEX_BITS,
) -> Int64:
    """The variates of 32-bit uniforms: `gibbsite_hw.spec.tables.noise_code` on arrays.

    A float64 keeps the 32-bit number ``2 v + 1`` exactly and normalises it: its exponent is the
    octave, the top bits of its mantissa the segment and the place in it.
    """
    base, slope, shifts, starts = _tables(score_frac, index_bits, tail_bits)
    upper = uniform >> np.uint32(31)
    v = (uniform ^ (np.uint32(0) - upper)) & np.uint32(0x7FFF_FFFF)
    number = v.astype(np.float64) * 2 + 1
    float_bits = number.view(np.int64)
    octave = 31 + _EXPONENT_BIAS - (float_bits >> _MANTISSA_BITS)
    mantissa = float_bits & ((1 << _MANTISSA_BITS) - 1)
    place = mantissa >> shifts[octave]  # segment and fraction
    fraction = place & ((1 << FRACTION_BITS) - 1)
    half = upper.astype(np.int64)
    kind = GUMBEL_LOWER + (GUMBEL_UPPER - GUMBEL_LOWER) * half if gumbel else LOGISTIC
    at = starts[kind, octave] + (place >> FRACTION_BITS)
    line = base[at] + (slope[at] * (2 * fraction + 1) >> (FRACTION_BITS + 1))
    code: Int64 = line >> (BASE_FRAC - score_frac)
    return code if gumbel else np.where(upper, -code, code)


@cache
def _tables(score_frac: int, index_bits: int, tail_bits: int) -> tuple[Int64, Int64, Int64, Int64]:
    """Base and slope; by octave, what stands in the mantissa below a place; by kind, its start."""
    octaves = range(OCTAVES)
    shifts = [
        _MANTISSA_BITS - octave_bits(k, index_bits, tail_bits) - FRACTION_BITS for k in octaves
    ]
    starts = [[octave_start(kind, k, index_bits, tail_bits) for k in octaves] for kind in range(3)]
    base, slope = noise_tables(score_frac, index_bits, tail_bits)
    tables = [np.array(t, dtype=np.int64) for t in (base, slope, shifts, starts)]
    return tables[0], tables[1], tables[2], tables[3]

"""The noise source compiled: seeds hashed, streams stepped, uniforms shaped, chains side by side.

Streams of a pack of chains are ``uint32[lanes, 4, chains]``: the chain is the last axis, so that a
step of one lane is a few operations on whole vectors. Loops run over one-dimensional rows of these
arrays, whose length is the number of chains.

Source: docs/graph-engine.md, "Noise". Twin: ``gibbsite_models.golden.noise``.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.tables import (
    BASE_FRAC,
    FRACTION_BITS,
    OCTAVES,
    noise_tables,
    octave_bits,
    octave_start,
)
from gibbsite_sim.fast.compiled import compiled, inner, leading_zeros

__all__ = ["NoiseTables", "seed_streams", "shape", "shaping", "step"]

UInt32 = NDArray[np.uint32]
UInt64 = NDArray[np.uint64]
Int32 = NDArray[np.int32]

_HALF = np.uint32(0x7FFF_FFFF)
_PARITY = np.uint64(0x1BD1_1BDA_A9FC_1A22)
_LOW = np.uint64(0xFFFF_FFFF)
_ROTATIONS = np.array([16, 42, 12, 31, 16, 32, 24, 21], dtype=np.uint64)
_PLACE = FRACTION_BITS + 1
_FRACTION = np.uint32((1 << FRACTION_BITS) - 1)


class NoiseTables(NamedTuple):
    """The tables of a build as `shape` takes them.

    ``base``, ``slope``  int32, as in `gibbsite_hw.spec.tables`
    ``shifts``  uint32[octaves]: what stands in a normalised word below its place
    ``starts``  int32[kinds, octaves]: where the segments of an octave begin
    ``cut``     fraction bits dropped from a line to reach the score's format
    """

    base: Int32
    slope: Int32
    shifts: UInt32
    starts: Int32
    cut: int


@cache
def shaping(parameters: GraphParameters) -> NoiseTables:
    """The tables of a build."""
    bits = (parameters.noise_index_bits, parameters.noise_tail_bits)
    base, slope = noise_tables(parameters.score_frac, *bits)
    shifts = [31 - octave_bits(k, *bits) - FRACTION_BITS for k in range(OCTAVES)]
    starts = [[octave_start(kind, k, *bits) for k in range(OCTAVES)] for kind in range(3)]
    return NoiseTables(
        np.array(base, dtype=np.int32),
        np.array(slope, dtype=np.int32),
        np.array(shifts, dtype=np.uint32),
        np.array(starts, dtype=np.int32),
        BASE_FRAC - parameters.score_frac,
    )


@inner
def shape(
    uniform: np.uint32,
    gumbel: bool,
    base: Int32,
    slope: Int32,
    shifts: UInt32,
    starts: Int32,
    cut: int,
) -> np.int64:
    """`gibbsite_hw.spec.tables.noise_code` of one uniform (``uint32``)."""
    upper = uniform >> np.uint32(31)
    number = ((uniform ^ (np.uint32(0) - upper)) & _HALF) << np.uint32(1) | np.uint32(1)
    octave = leading_zeros(number)
    mantissa = (number << octave) & _HALF
    place = mantissa >> shifts[octave]
    kind = np.uint32(1) + upper if gumbel else np.uint32(0)
    at = np.uint32(starts[kind, octave]) + (place >> np.uint32(FRACTION_BITS))
    fraction = np.int32((place & _FRACTION) << np.uint32(1) | np.uint32(1))
    line = base[at] + (np.int64(slope[at]) * np.int64(fraction) >> _PLACE)
    code: np.int64 = line >> cut
    return -code if upper and not gumbel else code


@inner
def step(s0: UInt32, s1: UInt32, s2: UInt32, s3: UInt32, uniform: UInt32) -> None:
    """One uniform of every chain's stream of one lane: s0 before the step."""
    for r in range(s0.size):
        a, b, c, d = s0[r], s1[r], s2[r], s3[r]
        uniform[r] = a
        t = b << np.uint32(9)
        c ^= a
        d ^= b
        s1[r] = b ^ c
        s0[r] = a ^ d
        s2[r] = c ^ t
        s3[r] = d << np.uint32(11) | d >> np.uint32(21)


@compiled
def seed_streams(seed: UInt64, engine: UInt64, numbers: UInt64, streams: UInt32) -> None:
    """First states of the streams of these chains; seed and engine in arrays of one."""
    key0, key1 = seed[0], engine[0]
    words = (key0, key1, _PARITY ^ key0 ^ key1)
    for lane in range(streams.shape[0]):
        for r in range(streams.shape[2]):
            x0 = numbers[r] + key0
            x1 = np.uint64(lane) + key1
            for done in range(1, 21):
                left = _ROTATIONS[(done - 1) & 7]
                x0 += x1
                x1 = (x1 << left | x1 >> (np.uint64(64) - left)) ^ x0
                if done & 3 == 0:
                    turn = done >> 2
                    x0 += words[turn % 3]
                    x1 += words[(turn + 1) % 3] + np.uint64(turn)
            if x0 == 0 and x1 == 0:
                x0 = np.uint64(1)
            streams[lane, 0, r] = x0 & _LOW
            streams[lane, 1, r] = x0 >> np.uint64(32)
            streams[lane, 2, r] = x1 & _LOW
            streams[lane, 3, r] = x1 >> np.uint64(32)

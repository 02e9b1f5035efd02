"""The lattice engine's noise on arrays: 64 bits a stream and step, 16 for each of four lanes.

    x = s0 ^ s1;  s0' = rotl(s0, 24) ^ x ^ (x << 16);  s1' = rotl(x, 37)

and the word is s0 BEFORE the step: xoroshiro128 without its scrambler, period 2^128 - 1, any two
successive words a bijection of the state. Lane ``4 j + i`` takes bits ``16 i + 15 .. 16 i`` of the
word of stream j. Streams are ``uint64[2, ...]``.

Source: D. Blackman and S. Vigna, Scrambled linear pseudorandom number generators, 2018 (the linear
engine of xoroshiro128).
Twin: ``gibbsite_hw.lattice_noise``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_tables import LATTICE_ENGINE
from gibbsite_models.golden.noise import UInt64, threefry2x64

__all__ = ["lane_uniforms", "seed_lattice_streams", "step_lattice_streams"]

UInt16 = NDArray[np.uint16]


def seed_lattice_streams(seed: int, chain_numbers: UInt64, streams: int) -> UInt64:
    """First states ``uint64[2, chains, streams]``: s0 and s1 are the words X0, X1 of

    ``Threefry(key=(seed, LATTICE_ENGINE), counter=(chain number, stream))``. An all-zero state, the
    engine's only fixed point, becomes s0 = 1.
    """
    shape = (chain_numbers.size, streams)
    chain = np.broadcast_to(chain_numbers.astype(np.uint64)[:, None], shape)
    stream = np.broadcast_to(np.arange(streams, dtype=np.uint64), shape)
    states = np.stack(threefry2x64((seed, LATTICE_ENGINE), (chain, stream)))
    states[0] |= (~states.any(axis=0)).astype(np.uint64)
    return states


def step_lattice_streams(streams: UInt64) -> UInt64:
    """One word of every stream: s0 before the step; the streams step in place."""
    s0, s1 = streams
    word: UInt64 = s0.copy()
    x = s0 ^ s1
    s0[...] = _rotated(word, 24) ^ x ^ x << np.uint64(16)
    s1[...] = _rotated(x, 37)
    return word


def lane_uniforms(words: UInt64, lanes: int) -> UInt16:
    """The uniforms of the lanes, ``uint16[..., lanes]``, from words ``uint64[..., streams]``."""
    fields = words[..., None] >> np.arange(0, 64, 16, dtype=np.uint64)
    flat: UInt16 = fields.astype(np.uint16).reshape(*words.shape[:-1], -1)
    return flat[..., :lanes]


def _rotated(word: UInt64, left: int) -> UInt64:
    return word << np.uint64(left) | word >> np.uint64(64 - left)

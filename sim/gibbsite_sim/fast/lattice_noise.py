"""The lattice engine's streams, sliced: bit b of 512 chains' words lies in one vector of 512 bits.

A stream's state is two times 64 planes, plane b at vector b, chain ``64 w + t`` of a panel at bit t
of word w. The engine is linear over GF(2), so a step of all chains is

    y = s0 ^ s1,   s0'[b] = s0[b - 24] ^ y[b] ^ y[b - 16] (b >= 16),   s1'[b] = y[b - 37],

whole planes at a time. The rotation of s1 is not carried out: planes are read where they lie.

Source: docs/lattice-engine.md. Twin: ``gibbsite_models.golden.lattice_noise``.
"""

import numpy as np

from gibbsite_sim.fast.compiled import compiled, inlined
from gibbsite_sim.fast.lattice_vectors import WORDS, Words, load, store

__all__ = ["TURN", "close_stream", "open_stream", "slice_words", "step_planes"]

PLANES = 64
TURN = 37
"""Planes by which s1 is turned after a step."""


@inlined
def step_planes(s: Words, now: int, then: int, turn: int) -> None:
    """One step of the planes at vector ``now`` of ``s``, s0 and behind it s1, to those at ``then``.

    Plane b of s1 lies at ``b - turn`` modulo 64; that of the new one at ``b - TURN``.
    """
    for b in range(16):
        y = load(s, now + b) ^ load(s, now + 64 + ((b - turn) & 63))
        store(s, then + 64 + b, y)
        store(s, then + b, load(s, now + 40 + b) ^ y)
    for b in range(16, 64):
        y = load(s, now + b) ^ load(s, now + 64 + ((b - turn) & 63))
        store(s, then + 64 + b, y)
        z = load(s, now + ((b - 24) & 63)) ^ y ^ load(s, then + 64 + b - 16)
        store(s, then + b, z)


@inlined
def open_stream(s: Words, halves: Words, stream: int) -> None:
    """The planes of a stream of ``halves[2, streams, 512]`` come to vectors 0 to 127 of ``s``."""
    for b in range(PLANES):
        store(s, b, load(halves[0, stream], b))
        store(s, PLANES + b, load(halves[1, stream], b))


@inlined
def close_stream(halves: Words, stream: int, s: Words, now: int) -> None:
    """The planes at ``now``, s1 turned, go back to each their own place."""
    for b in range(PLANES):
        store(halves[0, stream], b, load(s, now + b))
        store(halves[1, stream], b, load(s, now + PLANES + ((b - TURN) & 63)))


@compiled
def slice_words(words: Words, planes: Words) -> None:
    """Planes ``[streams, 512]`` of the words ``[chains, streams]``, at most 512 chains."""
    planes[...] = 0
    for chain in range(words.shape[0]):
        at = np.uint64(chain & 63)
        for stream in range(words.shape[1]):
            word = words[chain, stream]
            for plane in range(PLANES):
                bit = (word >> np.uint64(plane)) & np.uint64(1)
                planes[stream, plane * WORDS + (chain >> 6)] |= bit << at

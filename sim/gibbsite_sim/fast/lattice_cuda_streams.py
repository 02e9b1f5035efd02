"""The lattice engine's streams on a GPU: a thread has one stream of 32 chains, in registers.

Plane b of a stream is bit b of 32 chains' words s0; plane 64 + b that of s1. They lie in
``uint32[blocks, streams, 128, 32]``, flat: block ``word // 32``, then stream, then plane, and word
``word % 32`` last, so that a warp moves whole lines and a thread finds its 128 planes at constant
distances. Local arrays that are read at constants alone are registers once the loops over them are
written out, which the compiler does with these; an index that it cannot know puts them in memory.
Indices are ``uint64`` since numba lets signed ones count from the end, which costs a choice each.

A step is that of `lattice_noise`:

    y = s0 ^ s1,   s0'[b] = s0[b - 24] ^ y[b] ^ y[b - 16] (b >= 16),   s1'[b] = y[b - 37].

Source: docs/lattice-engine.md. Twin: ``gibbsite_sim.fast.lattice_noise``.
"""

from typing import Any

from numba import cuda, uint32, uint64

__all__ = ["BLOCK_WORDS", "PLANES", "close_stream", "home", "open_stream", "slice_words", "step"]

PLANES = 128
"""Planes of a stream: 64 of s0, 64 of s1."""

BLOCK_WORDS = 32
"""Words, of 32 chains each, that lie side by side."""


@cuda.jit(device=True)
def home(word: Any, stream: Any, count: int) -> Any:
    """Where plane 0 of a stream, one of ``count``, lies for this word."""
    return ((word // BLOCK_WORDS) * count + stream) * PLANES * BLOCK_WORDS + word % BLOCK_WORDS


@cuda.jit(device=True)
def open_stream(s0: Any, s1: Any, streams: Any, first: Any) -> None:
    """The planes at ``first`` come to registers."""
    for b in range(64):
        s0[b] = streams[uint64(first + BLOCK_WORDS * b)]
        s1[b] = streams[uint64(first + BLOCK_WORDS * (64 + b))]


@cuda.jit(device=True)
def close_stream(s0: Any, s1: Any, streams: Any, first: Any) -> None:
    """The planes go back."""
    for b in range(64):
        streams[uint64(first + BLOCK_WORDS * b)] = s0[b]
        streams[uint64(first + BLOCK_WORDS * (64 + b))] = s1[b]


@cuda.jit(device=True)
def step(s0: Any, s1: Any, y: Any, z: Any) -> None:
    """One step of the planes; ``y`` and ``z`` are room for 64 each."""
    for b in range(64):
        y[b] = s0[b] ^ s1[b]
    for b in range(64):
        z[b] = s0[(b + 40) & 63] ^ y[b] ^ (y[b - 16] if b >= 16 else uint32(0))
    for b in range(64):
        s0[b] = z[b]
        s1[b] = y[(b + 27) & 63]


@cuda.jit
def slice_words(words: Any, streams: Any) -> None:
    """Planes of the words ``uint32[streams, 4, chains]``: halves of s0, then of s1."""
    word, stream = cuda.grid(2)
    chains = words.shape[2]
    if word >= (chains + 31) // 32:
        return
    planes = cuda.local.array(PLANES, uint32)
    for b in range(PLANES):
        planes[b] = uint32(0)
    for t in range(min(32, chains - 32 * word)):
        for quarter in range(4):
            value = words[stream, quarter, 32 * word + t]
            for b in range(32):
                planes[32 * quarter + b] |= uint32(((value >> b) & 1) << t)
    first = home(word, stream, words.shape[0])
    for b in range(PLANES):
        streams[uint64(first + BLOCK_WORDS * b)] = planes[b]

"""The lattice engine's streams, sliced: bit b of 64 chains' words lies in one machine word.

A stream's state is two arrays of 64 planes, ``uint64[64 * width]``, plane b at ``b * width``, chain
``64 w + t`` at bit t of word w. The engine is linear over GF(2), so a step of all chains is

    y = s0 ^ s1,   s0'[b] = s0[b - 24] ^ y[b] ^ y[b - 16] (b >= 16),   s1'[b] = y[b - 37],

whole planes at a time. The rotation of s1 is not carried out: planes are read where they lie.

Source: docs/lattice-engine.md. Twin: ``gibbsite_models.golden.lattice_noise``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare, compiled

__all__ = ["TURN", "copy_planes", "slice_words", "step_planes", "unturn"]

TURN = 37
"""Planes by which s1 is turned after a step."""

Words = NDArray[np.uint64]


@bare
def _xor2(out: Words, a: Words, b: Words) -> None:
    for i in range(out.shape[0]):
        out[i] = a[i] ^ b[i]


@bare
def _xor3(out: Words, a: Words, b: Words, c: Words) -> None:
    for i in range(out.shape[0]):
        out[i] = a[i] ^ b[i] ^ c[i]


@bare
def step_planes(s0: Words, s1: Words, next0: Words, next1: Words, turn: int, width: int) -> None:
    """One step: ``next0`` and ``next1`` from ``s0`` and ``s1``.

    Plane b of s1 lies at ``b - turn`` modulo 64; that of ``next1`` at ``b - TURN``.
    """
    # slices from 0, so that the compiler sees that no index is negative and uses whole vectors
    cut = turn * width
    if cut:
        _xor2(next1[:cut], s0[:cut], s1[64 * width - cut :])
    _xor2(next1[cut:], s0[cut:], s1[: 64 * width - cut])
    _xor2(next0[: 16 * width], s0[40 * width : 56 * width], next1[: 16 * width])
    _xor3(
        next0[16 * width : 24 * width],
        s0[56 * width :],
        next1[16 * width : 24 * width],
        next1[: 8 * width],
    )
    _xor3(
        next0[24 * width :],
        s0[: 40 * width],
        next1[24 * width :],
        next1[8 * width : 48 * width],
    )


@bare
def copy_planes(out: Words, planes: Words) -> None:
    """``out`` becomes ``planes``."""
    for i in range(out.shape[0]):
        out[i] = planes[i]


@bare
def unturn(out: Words, s1: Words, width: int) -> None:
    """Planes that lie TURN places off, each at its own place."""
    copy_planes(out[: TURN * width], s1[(64 - TURN) * width :])
    copy_planes(out[TURN * width :], s1[: (64 - TURN) * width])


@compiled
def slice_words(words: Words, planes: Words, width: int) -> None:
    """Planes ``[streams, 64 * width]`` of the words ``[chains, streams]`` of many streams."""
    planes[...] = 0
    for chain in range(words.shape[0]):
        at = np.uint64(chain & 63)
        for stream in range(words.shape[1]):
            word = words[chain, stream]
            for plane in range(64):
                bit = (word >> np.uint64(plane)) & np.uint64(1)
                planes[stream, plane * width + (chain >> 6)] |= bit << at

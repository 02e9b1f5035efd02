"""How far one draw's law is from the exact one, computed from the noise tables alone.

**p-bit.** A p-bit turns on where its noise code exceeds the floor of its drift d. Its error is

    sup_d |P(code > floor(d)) - 1 / (1 + exp(d))|,

which is the total variation of that draw; the law of the code is counted over all 2^32 uniforms.

**group.** Couple the coded noise G' of each of K states with an exact Gumbel variate G whose
uniform lies in the same 2^-32 wide cell, and let ``e(u) = sup |G' - G|`` over the cell. The winners
differ only if some pair's exact gap is at most ``2 max(e_i, e_j) + c``, c one code for the floors
of the drifts.

- Where the larger error is of the bulk, ``e <= w``, the gap of the two best is at most 2 w + c.
  Since ``P(gap < g) = sum_i p_i (1 - p_i) (1 - exp(-g)) / (1 - p_i (1 - exp(-g)))`` is at most
  ``1 - exp(-g)``, this has probability at most ``1 - exp(-2 w - c)`` for any number of states.
- Where it is of the tail, the best of the others lies within ``2 e(u) + c`` of this state, to
  either side; a maximum of Gumbel variates has density at most 1/e, so that this adds at most
  ``K sum_(u in tail) 2^-32 min(1, 2 (2 e(u) + c) / e)``. The two outermost cells, which are
  infinitely wide, count in full.

The sum bounds the total variation of any group draw: ties, cut-off, interpolation and rounding,
wherever the bulk is said to end; the least of some such sums is taken.

Source: C. Maddison, D. Tarlow and T. Minka, A* sampling, 2014, section 2 (the Gumbel-max trick).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.tables import FRACTION_BITS, INDEX_BITS, OCTAVES, octave_bits
from gibbsite_models.golden.noise import shape_noise

__all__ = ["Cells", "Shape", "cells", "group_error", "pbit_error"]

Shape = Callable[[NDArray[np.uint32], bool, int, int, int], NDArray[np.int64]]
"""Uniforms, whether Gumbel, fraction bits, index and tail bits: gives codes; `shape_noise` or a
faulty one."""

_BULK_ENDS = (7, 10, 14)
"""Octaves before which the bulk may end; from the last one on the uniforms are the cells."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Sets of neighbouring uniforms that give one code, in one half.

    ``uniform`` is one of each set, ``count`` their number; ``near`` and ``far`` are the distances
    of its edges to the half's end of the unit interval; ``octave`` is where the set lies.
    """

    uniform: NDArray[np.uint32]
    count: NDArray[np.int64]
    near: NDArray[np.float64]
    far: NDArray[np.float64]
    octave: NDArray[np.int64]


def cells(upper: bool, index_bits: int = INDEX_BITS, tail_bits: int = INDEX_BITS) -> Cells:
    """All cells of one half, from the end of the unit interval inwards."""
    starts, counts = [np.array([0], dtype=np.int64)], [np.array([1], dtype=np.int64)]
    octaves = [np.array([OCTAVES - 1], dtype=np.int64)]
    for octave in range(OCTAVES - 2, -1, -1):
        first = 1 << (30 - octave)
        grid = octave_bits(octave, index_bits, tail_bits) + FRACTION_BITS
        width = 1 << max(0, 30 - octave - grid)
        start = np.arange(first, 2 * first, width, dtype=np.int64)
        starts.append(start)
        counts.append(np.full(start.size, width, dtype=np.int64))
        octaves.append(np.full(start.size, octave, dtype=np.int64))
    v, count = np.concatenate(starts), np.concatenate(counts)
    return Cells(
        uniform=(0xFFFF_FFFF - v if upper else v).astype(np.uint32),
        count=count,
        near=v / 2.0**32,
        far=(v + count) / 2.0**32,
        octave=np.concatenate(octaves),
    )


def pbit_error(
    score_frac: int,
    shape: Shape = shape_noise,
    *,
    index_bits: int = INDEX_BITS,
    tail_bits: int = INDEX_BITS,
) -> float:
    """Largest total variation of a p-bit's draw over all drifts."""
    widths = (index_bits, tail_bits)
    halves = [cells(False, *widths), cells(True, *widths)]
    codes = np.concatenate([shape(half.uniform, False, score_frac, *widths) for half in halves])
    counts = np.concatenate([half.count for half in halves])
    least = int(codes.min()) - 1
    number = np.bincount(codes - least, weights=counts)  # sums stay below 2^53: exact
    above = (number.sum() - np.cumsum(number)) / 2.0**32
    edge = (least + np.arange(number.size + 1)) / 2.0**score_frac
    exact = 1.0 / (1.0 + np.exp(edge))
    return float(max(np.abs(above - exact[:-1]).max(), np.abs(above - exact[1:]).max()))


def group_error(
    score_frac: int,
    states: int,
    shape: Shape = shape_noise,
    *,
    index_bits: int = INDEX_BITS,
    tail_bits: int = INDEX_BITS,
) -> float:
    """The bound on the total variation of a draw of a group of so many states."""
    code = 2.0**-score_frac
    worst, tail = np.zeros(len(_BULK_ENDS)), np.zeros(len(_BULK_ENDS))
    for upper in (False, True):
        half = cells(upper, index_bits, tail_bits)
        coded = shape(half.uniform, True, score_frac, index_bits, tail_bits) * code
        error = np.maximum(
            np.abs(coded[1:] - _gumbel(half.near[1:], upper)),
            np.abs(coded[1:] - _gumbel(half.far[1:], upper)),
        )
        reach = np.minimum(1.0, 2 * (2 * error + code) / np.e) * half.count[1:]
        for n, end in enumerate(_BULK_ENDS):
            bulk = half.octave[1:] < end
            worst[n] = max(worst[n], error[bulk].max())
            tail[n] += (reach[~bulk].sum() + half.count[0]) / 2.0**32
    return float((-np.expm1(-2 * worst - code) + states * tail).min())


def _gumbel(q: NDArray[np.float64], upper: bool) -> NDArray[np.float64]:
    """Gumbel quantile at the distance q from the lower or the upper end."""
    value: NDArray[np.float64] = -np.log(-np.log1p(-q)) if upper else -np.log(-np.log(q))
    return value

"""Sums of couplings times operands, kept up to date by what the operands change.

    sums' = sums + M (x' - x)

is exact in integers, so the product of a pass has the few bits by which states move in a step:
couplings of at most 16 bits times changes of at most 16. Changes that are larger, or whose sums
might leave 32 bits, are cut into two parts of 9 and 10 bits.

Proof that no sum of 32 bits overflows: with one part, ``|x' - x| <= single`` and
``single max_r sum_k |M_rk| < 2^31``. With two, parts lie in -512 .. 511, and at most ``chunk``
pairs are added up, where ``2 chunk max |M| 512 < 2^31``. (|x| < 2^17, so |x' - x| < 2^18 and its
upper part fits.)

Twin: `gibbsite_models.golden.langevin_arithmetic.exact_dot`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare
from gibbsite_sim.fast.langevin_machine import ROWS, add_products, inlined, whole_vectors

__all__ = ["Panels", "multiply", "panels"]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
W = np.int32

_HALF_MAX = (1 << 15) - 1
_WORD_MAX = (1 << 31) - 1
_CUT = 9
_PART = 1 << _CUT


class Panels(NamedTuple):
    """A matrix cut into panels of ROWS rows, pairs of columns that are 0 in all of them left out.

    ``weights`` int32[k, ROWS], pairs of 16 bits; ``places`` int32[k], whose pair of columns;
    ``starts`` int64[panels + 1]; ``single``, ``chunk``: the bounds above, as int64[2].
    """

    weights: Int32
    places: Int32
    starts: Int64
    bounds: Int64


def panels(matrix: Int64 | None) -> Panels:
    """The panels of a matrix of 16-bit numbers; of none, no panel."""
    if matrix is None or 0 in matrix.shape:
        matrix = np.zeros((0, 0), dtype=np.int64)
    rows, columns = matrix.shape
    padded = np.zeros((-(-rows // ROWS) * ROWS, columns + columns % 2), dtype=np.int64)
    padded[:rows, :columns] = matrix
    low, high = padded[:, ::2], padded[:, 1::2]
    words = ((low & 0xFFFF) | high << 16).astype(np.int32)
    blocks = words.reshape(len(padded) // ROWS, ROWS, words.shape[1])
    weights, places, starts = [], [], [0]
    for block in blocks:
        used = np.flatnonzero(block.any(axis=0))
        weights.append(block[:, used].T)
        places.append(used)
        starts.append(starts[-1] + len(used))
    reach = int(np.abs(matrix).sum(axis=1).max(initial=0))
    largest = int(np.abs(matrix).max(initial=0))
    single = min(_HALF_MAX, _WORD_MAX // max(reach, 1))
    chunk = _WORD_MAX // (2 * max(largest, 1) * _PART)
    empty = np.zeros((0, ROWS), dtype=np.int32)
    return Panels(
        weights=np.ascontiguousarray(np.concatenate([empty, *weights]), dtype=np.int32),
        places=np.concatenate([np.zeros(0, np.int32), *places]).astype(np.int32),
        starts=np.array(starts, dtype=np.int64),
        bounds=np.array([single, chunk], dtype=np.int64),
    )


@inlined
def _pack(lower: Int32, upper: Int32, packed: Int32) -> np.int32:
    """Pairs of changes as words; returns the largest magnitude."""
    whole_vectors()
    most = W(0)
    for lane in range(lower.shape[0]):
        one, two = lower[lane], upper[lane]
        packed[lane] = W(W(one & W(0xFFFF)) | W(two << W(16)))
        most = W(max(most, max(W(abs(one)), W(abs(two)))))
    return most


@inlined
def _split(lower: Int32, upper: Int32, low: Int32, high: Int32) -> None:
    """Lower 9 bits and the rest of pairs of changes."""
    whole_vectors()
    for lane in range(lower.shape[0]):
        one, two = lower[lane], upper[lane]
        low[lane] = W(W(one & W(_PART - 1)) | W(W(two & W(_PART - 1)) << W(16)))
        high[lane] = W(W(W(one >> W(_CUT)) & W(0xFFFF)) | W(W(two >> W(_CUT)) << W(16)))


@bare
def _add(those: Panels, packed: Int32, sums: Int64, chunk: int, lift: int) -> None:
    for block in range(those.starts.shape[0] - 1):
        last = those.starts[block + 1]
        at = those.starts[block]
        rows = sums[block * ROWS : block * ROWS + ROWS]
        while at < last:
            end = min(at + chunk, last)
            add_products(those.weights, those.places, at, end, packed, rows, lift)
            at = end


@bare
def multiply(those: Panels, changes: Int32, packed: Int32, sums: Int64) -> None:
    """``sums += M changes``.

    ``changes`` int32[columns made even, LANES], ``packed`` int32[2, pairs, LANES] for its own use,
    ``sums`` int64[rows made whole panels, LANES].
    """
    most = W(0)
    pairs = changes.shape[0] // 2
    for pair in range(pairs):
        most = max(most, _pack(changes[2 * pair], changes[2 * pair + 1], packed[0, pair]))
    if most == 0:
        return
    if most <= those.bounds[0]:
        _add(those, packed[0], sums, those.weights.shape[0], 0)
        return
    for pair in range(pairs):
        _split(changes[2 * pair], changes[2 * pair + 1], packed[0, pair], packed[1, pair])
    _add(those, packed[0], sums, those.bounds[1], 0)
    _add(those, packed[1], sums, those.bounds[1], _CUT)

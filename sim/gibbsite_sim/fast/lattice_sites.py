"""What a sliced site needs to be decided: its neighbours, and thresholds for all that they may say.

A site with field ``f = b + sum J s`` over d <= 4 neighbours of any couplings meets one of 2^d
fields; one whose d neighbours all have the same strength, without a bias, meets one of d + 1, by
how many of the terms ``J s`` are positive. Either way a few constants are compared with the
uniforms of all chains of a word at once. Programs with other sites are run chain by chain
(`lattice_wide`).

Twin: what `gibbsite_models.golden.lattice.LatticeEngine.decide` does for one chain.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.lattice_forms import Int64

__all__ = ["CASES", "COUNTS", "HELD", "PAIRS", "Sites", "fields_of_cases", "sort_sites"]

HELD, PAIRS, COUNTS, CASES = range(4)
"""Kinds of a site: clamped; four neighbours of one strength; up to 12 of one strength; up to four
of any couplings, with a bias."""


@dataclass(frozen=True, slots=True)
class Sites:
    """All sites, in the order ``column * rows + row``.

    ``kind``        int8[sites]
    ``degree``      int8[sites]: neighbours with a coupling
    ``neighbour``   int32[sites, neighbours]: their sites, the first ``degree`` of them
    ``weight``      int8[sites, neighbours]: their couplings
    ``negative``    uint16[sites]: bit k set where the coupling of neighbour k is negative
    ``bias``        int16[sites]
    ``on``          uint64[sites]: all ones where a held site is +1
    """

    kind: NDArray[np.int8]
    degree: NDArray[np.int8]
    neighbour: NDArray[np.int32]
    weight: NDArray[np.int8]
    negative: NDArray[np.uint16]
    bias: NDArray[np.int16]
    on: NDArray[np.uint64]


def sort_sites(
    couplings: Int64,
    biases: Int64,
    on: NDArray[np.bool_],
    off: NDArray[np.bool_],
    offsets: tuple[tuple[int, int], ...],
) -> Sites | None:
    """The sites of a program; None if one of them is neither of few neighbours nor of one strength.

    ``couplings[neighbours, rows, columns]``, the others ``[rows, columns]``.
    """
    count, rows, columns = couplings.shape
    sites = rows * columns
    column, row = np.indices((columns, rows))  # in the order of the sites
    place = np.stack([(column + dc) % columns * rows + (row + dr) % rows for dr, dc in offsets])
    place = place.reshape(count, sites).T
    weight = couplings.transpose(0, 2, 1).reshape(count, sites).T
    used = weight != 0
    # used neighbours first, in the order of the offsets
    front = np.argsort(~used, axis=1, kind="stable")
    weight, place = np.take_along_axis(weight, front, 1), np.take_along_axis(place, front, 1)
    degree = used.sum(axis=1)
    bias, held_on, held_off = biases.T.ravel(), on.T.ravel(), off.T.ravel()
    strength = np.abs(weight)
    one = (strength == strength[:, :1]) | (weight == 0)
    held = held_on | held_off
    counted = one.all(axis=1) & (bias == 0)
    if not (held | counted | (degree <= 4)).all():
        return None
    kind = np.where(held, HELD, np.where(counted, COUNTS, CASES))
    kind[counted & ~held & (degree == 4)] = PAIRS
    negative = ((weight < 0) << np.arange(count)).sum(axis=1)
    return Sites(
        kind.astype(np.int8),
        degree.astype(np.int8),
        np.ascontiguousarray(place, dtype=np.int32),
        np.ascontiguousarray(weight, dtype=np.int8),
        negative.astype(np.uint16),
        bias.astype(np.int16),
        np.where(held_on, np.uint64(0xFFFF_FFFF_FFFF_FFFF), np.uint64(0)),
    )


def fields_of_cases(
    weight: NDArray[np.int8], bias: NDArray[np.int16]
) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Fields of sites of few neighbours where spin k is bit k of the case, ``[sites, 16]``.

    Their magnitudes, and numbers of which bit n is set where the field of case n is negative.
    """
    case = np.arange(16)
    field = np.repeat(bias.astype(np.int16)[:, None], 16, axis=1)
    for k in range(4):  # further couplings of such a site are zero
        field += weight[:, k, None] * (2 * (case >> k & 1) - 1).astype(np.int16)
    return np.abs(field), ((field < 0) << case).sum(axis=1).astype(np.uint16)

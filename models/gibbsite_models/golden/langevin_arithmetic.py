"""Rounding, saturation and exact dot products on int64 arrays.

    round_shift(v, s) = (v + (2^s >> 1)) >> s,     saturate(v, M) = clip(v, -M, M), counted

Twin: `gibbsite_hw.spec.langevin_formats`.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Saturations", "exact_dot", "round_shift"]

Int64 = NDArray[np.int64]
Floats = NDArray[np.float64]


def round_shift(value: Int64, shift: int) -> Int64:
    """Division by 2^shift, rounded to nearest, halves up."""
    if shift == 0:
        return value
    return value + (1 << shift >> 1) >> shift


def exact_dot(matrix: Floats, vectors: Int64) -> Int64:
    """``int64[rows, chains]`` of integer ``matrix[rows, columns] @ vectors[columns, chains]``.

    Factors of 16 and 18 bits and 4,096 terms make sums below 2^46, which float64 keeps exactly in
    any order, so the fast product of floats is the exact one of integers.
    """
    product: Int64 = (matrix @ vectors.astype(np.float64)).astype(np.int64)
    return product


class Saturations:
    """Counts of saturated values, ``int64[chains]``."""

    def __init__(self, chains: int) -> None:
        self.count = np.zeros(chains, dtype=np.int64)

    def clip(self, value: Int64, largest: int) -> Int64:
        """Values ``[..., chains]`` limited to -largest..largest; those changed are counted."""
        if value.size == 0 or -largest <= value.min() <= value.max() <= largest:
            return value
        over = (value > largest) | (value < -largest)
        self.count += over.reshape(-1, over.shape[-1]).sum(axis=0)
        limited: Int64 = np.clip(value, -largest, largest)
        return limited

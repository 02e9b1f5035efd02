"""A row's neighbour lists as a sparse matrix over stored bits, the arithmetic of one field.

    sum_j w_j v_j = constant + matrix @ bits[columns]

A p-bit's value is 2 bit - 1, so its weight w gives 2 w in the matrix and -w in the constant; the
value of a state is its bit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["Couplings", "Entries"]

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Entries:
    """Neighbour entries taken apart; three arrays of the shape of the words."""

    address: Int64
    weight: Int64
    state: NDArray[np.bool_]

    @classmethod
    def decode(cls, parameters: GraphParameters, words: NDArray[np.uint32]) -> "Entries":
        """`gibbsite_hw.spec.program.decode_entry` on arrays."""
        entry = words.astype(np.int64)
        bits, width = parameters.address_bits, parameters.weight_bits
        sign = 1 << (width - 1)
        weight = ((entry >> bits & ((1 << width) - 1)) ^ sign) - sign
        state = (entry >> (bits + width) & 1).astype(np.bool_)
        return cls(entry & ((1 << bits) - 1), weight, state)

    def at(self, where: NDArray[np.bool_]) -> "Entries":
        """The entries chosen by a mask, as flat arrays."""
        return Entries(self.address[where], self.weight[where], self.state[where])


@dataclass(frozen=True, slots=True)
class Couplings:
    """Columns ``[neighbours]``, matrix ``[slots of the row, neighbours]``, constant ``[slots]``."""

    columns: NDArray[np.intp]
    matrix: "sparse.csr_array[np.int64, tuple[int, int]]"
    constant: Int64

    @classmethod
    def collect(cls, slots: int, slot: NDArray[np.intp], entries: Entries) -> "Couplings":
        """The lists of a row; entry i belongs to slot ``slot[i]``; repeated neighbours add up."""
        columns, place = np.unique(entries.address, return_inverse=True)
        scaled = np.where(entries.state, entries.weight, 2 * entries.weight)
        shape = (slots, len(columns))
        matrix = sparse.coo_array((scaled, (slot, place)), shape=shape, dtype=np.int64)
        constant = np.zeros(slots, dtype=np.int64)
        np.subtract.at(constant, slot, np.where(entries.state, 0, entries.weight))
        return cls(columns.astype(np.intp), matrix.tocsr(), constant)

    def sums(self, bits: NDArray[np.uint8]) -> Int64:
        """``int64[slots of the row, chains]`` from ``bits[all slots, chains]``."""
        product: Int64 = self.matrix @ bits[self.columns].astype(np.int64)
        return product + self.constant[:, None]

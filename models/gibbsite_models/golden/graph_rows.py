"""One row of the graph engine, ready to run: its slots, the couplings of each, the conditions.

A slot owns the lists of the ``2^fold`` lanes from its own on, word by word. The start pass reads
neighbours in earlier rows only, so a row keeps these couplings apart.

Source: docs/graph-engine.md, "What it holds".
Twin: ``gibbsite_hw.graph_field``, which sums the same lists word by word.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_models.golden.couplings import Couplings, Entries
from gibbsite_models.golden.noise import UInt32

__all__ = ["ReadyRow"]


@dataclass(slots=True)
class ReadyRow:
    """Lanes and addresses ``[slots]``, couplings, and today's biases and clamps ``[slots]``."""

    number: int
    group: bool
    lanes: NDArray[np.intp]
    addresses: NDArray[np.intp]
    all: Couplings
    earlier: Couplings
    biases: NDArray[np.int64]
    on: NDArray[np.bool_]
    off: NDArray[np.bool_]

    @classmethod
    def of(cls, parameters: GraphParameters, number: int, row: Row, words: UInt32) -> Self:
        """The row of this number with its neighbour words ``uint32[length, lanes]``, at rest."""
        width = parameters.lanes
        lanes = np.array([lane for lane in range(width) if row.mask >> lane & 1], dtype=np.intp)
        entries = Entries.decode(parameters, words)
        slot_of_lane = np.full(width, -1, dtype=np.intp)
        for place, lane in enumerate(lanes):
            slot_of_lane[lane : lane + (1 << row.fold)] = place
        slot = np.broadcast_to(slot_of_lane, words.shape)
        used = (slot >= 0) & (entries.weight != 0)
        earlier = used & (entries.address < number * width)
        return cls(
            number=number,
            group=row.group,
            lanes=lanes,
            addresses=number * width + lanes,
            all=Couplings.collect(len(lanes), slot[used], entries.at(used)),
            earlier=Couplings.collect(len(lanes), slot[earlier], entries.at(earlier)),
            biases=np.zeros(len(lanes), dtype=np.int64),
            on=np.zeros(len(lanes), dtype=np.bool_),
            off=np.zeros(len(lanes), dtype=np.bool_),
        )

    def condition(self, biases: NDArray[np.int64], on: int, off: int) -> None:
        """Take over the biases of all addresses and the masks of clamps of this row."""
        self.biases = biases[self.addresses]
        self.on = (on >> self.lanes & 1).astype(np.bool_)
        self.off = (off >> self.lanes & 1).astype(np.bool_)

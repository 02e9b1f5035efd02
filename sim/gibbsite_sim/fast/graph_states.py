"""States of chains, between bits of slots and the words that travel, ``uint32[chains, rows]``.

Source: docs/graph-engine.md. Twin: ``gibbsite_models.golden.graph`` and, for what is refused,
``gibbsite_models.golden.checks``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import compiled
from gibbsite_sim.fast.graph_plan import ON, Layout

__all__ = ["first_refused", "pack_words", "unpack_words"]

Int32 = NDArray[np.int32]
Int8 = NDArray[np.int8]
UInt32 = NDArray[np.uint32]


@compiled
def pack_words(lane_slot: Int32, bits: Int8, words: UInt32) -> None:
    """States of the first chains of a pack: ``words[chains, rows]``, lane 0 lowest."""
    for row in range(lane_slot.shape[0]):
        for r in range(words.shape[0]):
            words[r, row] = 0
        for lane in range(lane_slot.shape[1]):
            slot = lane_slot[row, lane]
            if slot >= 0:
                for r in range(words.shape[0]):
                    words[r, row] |= np.uint32(bits[slot, r]) << np.uint32(lane)


@compiled
def first_refused(layout: Layout, held: Int8, words: UInt32) -> int:
    """The first of the states ``words[chains, rows]`` that the shell would refuse, or -1."""
    for r in range(words.shape[0]):
        chosen = 0
        for row in range(layout.lane_slot.shape[0]):
            rest = words[r, row]
            for lane in range(layout.lane_slot.shape[1]):
                slot = layout.lane_slot[row, lane]
                if slot < 0:
                    continue
                bit = int(words[r, row] >> np.uint32(lane) & np.uint32(1))
                rest &= ~(np.uint32(1) << np.uint32(lane))
                chosen += bit
                if held[slot] and bit != (held[slot] == ON):
                    return r
            if rest or (layout.group[row] and layout.last[row] and chosen != 1):
                return r
            if layout.last[row]:
                chosen = 0
    return -1


@compiled
def unpack_words(lane_slot: Int32, words: UInt32, bits: Int8) -> None:
    """Bits of the states ``words[chains, rows]``."""
    for row in range(lane_slot.shape[0]):
        for lane in range(lane_slot.shape[1]):
            slot = lane_slot[row, lane]
            if slot >= 0:
                for r in range(words.shape[0]):
                    bits[slot, r] = (words[r, row] >> np.uint32(lane)) & np.uint32(1)

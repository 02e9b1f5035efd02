"""How a frame's header and the first word of a slot are laid out.

A slot is 32 words of memory for one frame: word 0 tells its length and whether a packet ends with
it, its words follow.

Twin: `gibbsite_hw.spec.frames`.
"""

from amaranth.lib import data

from gibbsite_hw.spec.frames import FRAME_WORDS, SEQUENCES, WINDOW

__all__ = ["SLOT_WORDS", "header_layout", "length_layout", "number_shape"]

SLOT_WORDS = FRAME_WORDS + 1

number_shape = (SEQUENCES - 1).bit_length()
"""Bits of a sequence number; the low ones name its slot."""

header_layout = data.StructLayout(
    {
        "kind": 3,
        "last": 1,
        "unused": 3,
        "from_device": 1,
        "sequence": number_shape,
        "acknowledge": number_shape,
        "session": 16,
    }
)

length_layout = data.StructLayout({"length": (SLOT_WORDS - 1).bit_length(), "last": 1})

assert SLOT_WORDS & (SLOT_WORDS - 1) == 0, "a slot's words are addressed by bits of their own"
assert SEQUENCES == 2 * WINDOW == 1 << number_shape, "numbers wrap as they are"

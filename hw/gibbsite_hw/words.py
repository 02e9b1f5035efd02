"""The word stream's payload: 32 bits, and whether they are the last of a packet."""

from amaranth.lib import data

__all__ = ["word_layout"]

word_layout = data.StructLayout({"word": 32, "last": 1})

"""A register in a word stream: nothing that is on one side reaches the other in the same cycle."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.words import word_layout

__all__ = ["WordBuffer"]


class WordBuffer(wiring.Component):
    """Passes ``taken`` on to ``given``, a word in two cycles at most."""

    def __init__(self) -> None:
        super().__init__(
            {
                "taken": In(stream.Signature(word_layout)),
                "given": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        full = Signal()
        m.d.comb += [self.taken.ready.eq(~full), self.given.valid.eq(full)]
        with m.If(full):
            m.d.sync += full.eq(~self.given.ready)
        with m.Else():
            m.d.sync += [full.eq(self.taken.valid), self.given.payload.eq(self.taken.payload)]
        return m

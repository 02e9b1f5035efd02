"""A register in a word stream: nothing that is on one side reaches the other in the same cycle."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.words import word_layout

__all__ = ["WordBuffer"]


class WordBuffer(wiring.Component):
    """Passes ``taken`` on to ``given``, a word a cycle; holds two."""

    def __init__(self) -> None:
        super().__init__(
            {
                "taken": In(stream.Signature(word_layout)),
                "given": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        taken, given = self.taken, self.given
        full, waits, waiting = Signal(), Signal(), Signal.like(taken.payload)
        m.d.comb += [taken.ready.eq(~waits), given.valid.eq(full)]
        with m.If(given.ready | ~full):
            m.d.sync += [
                full.eq(waits | taken.valid),
                given.payload.eq(Mux(waits, waiting, taken.payload)),
                waits.eq(0),
            ]
        with m.Elif(taken.ready):
            m.d.sync += waits.eq(taken.valid)
        with m.If(taken.ready):
            m.d.sync += waiting.eq(taken.payload)
        return m

"""Sends answers, draws and the end of a run, one whole packet after the other.

All payload but that of an error or of a draw is read from the books, word by word.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.device_books import FIRST_COUNTER
from gibbsite_hw.spec.packets import Engine, Response
from gibbsite_hw.words import word_layout

__all__ = ["DeviceResponder"]


class DeviceResponder(wiring.Component):
    """``start`` takes an answer of ``kind`` with ``tag`` and ``length`` words: from the books, from
    word ``first`` on, or with ``given`` the words ``error`` and ``detail``, of which a single one
    is ``detail``. All of them stay as they are until ``answered``, which comes with its last word.
    ``draws`` pass through between answers. ``finished`` (with ``aborted``) asks for DONE with the
    ``counters`` words of the counters; ``run_answered`` comes with its last word.

    ``fetch`` asks for word ``source`` of the books, which with ``fetched`` is ``word``; it must
    stay so while ``held``. Answers go before draws, draws before DONE; none is ever interrupted.
    ``engine`` is the engine's number in bits 6:5 of every kind sent from here.
    """

    def __init__(self, counters: int = 12, engine: Engine = Engine.GRAPH) -> None:
        self._counters = counters
        self._engine_code = engine.code
        super().__init__(
            {
                "start": In(1),
                "kind": In(8),
                "tag": In(8),
                "length": In(4),
                "given": In(1),
                "first": In(6),
                "error": In(8),
                "detail": In(32),
                "answered": Out(1),
                "finished": In(1),
                "aborted": In(1),
                "run_tag": In(8),
                "run_answered": Out(1),
                "fetch": Out(1),
                "source": Out(6),
                "fetched": In(1),
                "held": Out(1),
                "word": In(32),
                "draws": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        response = self.response
        pending, ending, cut, ends = Signal(), Signal(), Signal(), Signal()
        place, left = Signal(6), Signal(4)
        given = self.given & ~ends
        m.d.comb += self.source.eq(place)
        with m.If(self.start):
            m.d.sync += pending.eq(1)
        with m.If(self.finished):
            m.d.sync += [ending.eq(1), cut.eq(self.aborted)]

        kind, tag = Signal(8), Signal(8)
        m.d.comb += [kind.eq(self.kind), tag.eq(self.tag)]
        with m.If(ends):
            m.d.comb += [kind.eq(Mux(cut, Response.ABORTED, Response.DONE)), tag.eq(self.run_tag)]
        header = (kind | self._engine_code) << 24 | tag << 16 | left
        last = Signal()
        m.d.comb += last.eq(left == 0)

        def gone():
            m.d.comb += [self.answered.eq(~ends), self.run_answered.eq(ends)]
            with m.If(ends):
                m.d.sync += ending.eq(0)
            with m.Else():
                m.d.sync += pending.eq(0)
            m.next = "CHOOSE"

        with m.FSM():
            with m.State("CHOOSE"):
                m.d.sync += [ends.eq(~pending), place.eq(self.first), left.eq(self.length)]
                with m.If(pending):
                    m.next = "HEADER"
                with m.Elif(self.draws.valid):
                    m.next = "DRAWS"
                with m.Elif(ending):
                    m.d.sync += [place.eq(FIRST_COUNTER), left.eq(self._counters)]
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [
                    response.valid.eq(1),
                    response.payload.word.eq(header),
                    response.payload.last.eq(last),
                ]
                with m.If(response.ready):
                    m.d.sync += left.eq(left - 1)
                    m.next = "FETCH"
                    with m.If(last):
                        gone()
                    with m.Elif(given):
                        m.next = "WORD"
            with m.State("FETCH"):
                m.d.comb += self.fetch.eq(1)
                with m.If(self.fetched):
                    m.next = "WORD"
            with m.State("WORD"):
                m.d.comb += [
                    self.held.eq(1),
                    response.valid.eq(1),
                    response.payload.word.eq(
                        Mux(given, Mux(last, self.detail, self.error), self.word)
                    ),
                    response.payload.last.eq(last),
                ]
                with m.If(response.ready):
                    m.d.sync += [left.eq(left - 1), place.eq(place + 1)]
                    with m.If(last):
                        gone()
                    with m.Elif(~given):
                        m.next = "FETCH"
            with m.State("DRAWS"):
                m.d.comb += [
                    response.valid.eq(self.draws.valid),
                    response.payload.eq(self.draws.payload),
                    self.draws.ready.eq(response.ready),
                ]
                with m.If(response.valid & response.ready & response.payload.last):
                    m.next = "CHOOSE"
        return m

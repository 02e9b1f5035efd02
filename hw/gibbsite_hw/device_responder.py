"""Sends answers, draws and the end of a run, one whole packet after the other."""

from amaranth.hdl import Array, Module, Mux, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.packets import Engine, Response
from gibbsite_hw.words import word_layout

__all__ = ["DeviceResponder"]

_IDENTITY = 8


class DeviceResponder(wiring.Component):
    """``start`` takes an answer: ``kind``, ``tag``, ``length`` and ``words``, or ``identify``;
    ``answered`` comes with its last word. ``draws`` pass through between answers. ``finished``
    (with ``aborted``) asks for DONE with the ``counters``; ``run_answered`` comes with its last
    word.

    Answers go before draws, draws before DONE; none is ever interrupted. ``engine`` is the number
    of the engine, which stands in bits 6:5 of every kind sent from here; ``draws`` bring theirs.
    """

    def __init__(self, counters: int = 12, engine: Engine = Engine.GRAPH) -> None:
        self._counters = counters
        self._engine_code = engine.code
        super().__init__(
            {
                "start": In(1),
                "identify": In(1),
                "kind": In(8),
                "tag": In(8),
                "length": In(2),
                "words": In(unsigned(32)).array(2),
                "answered": Out(1),
                "identity": In(unsigned(32)).array(_IDENTITY),
                "counters": In(unsigned(32)).array(counters),
                "finished": In(1),
                "aborted": In(1),
                "run_tag": In(8),
                "run_answered": Out(1),
                "draws": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kind, length = Signal(8), Signal(4)
        words = [Signal(32, name=f"word{n}") for n in range(2)]
        identifying = Signal()
        pending, ending, cut = Signal(), Signal(), Signal()
        index = Signal(range(max(_IDENTITY, self._counters) + 1))
        fire = Signal()
        response = self.response
        m.d.comb += fire.eq(response.valid & response.ready)

        with m.If(self.start):
            m.d.sync += [
                kind.eq(Mux(self.identify, Response.INFO, self.kind)),
                length.eq(Mux(self.identify, _IDENTITY, self.length)),
                *(held.eq(self.words[n]) for n, held in enumerate(words)),
                identifying.eq(self.identify),
                pending.eq(1),
            ]
        with m.If(self.finished):
            m.d.sync += [ending.eq(1), cut.eq(self.aborted)]

        body = Signal(32)
        counters = Array(self.counters[n] for n in range(self._counters))
        with m.FSM():
            with m.State("CHOOSE"):
                m.d.sync += index.eq(0)
                with m.If(pending):
                    m.next = "ANSWER"
                with m.Elif(self.draws.valid):
                    m.next = "DRAWS"
                with m.Elif(ending):
                    m.next = "DONE"
            with m.State("ANSWER"):
                with m.If(identifying):
                    m.d.comb += body.eq(
                        Array(self.identity[n] for n in range(_IDENTITY))[(index - 1)[:3]]
                    )
                with m.Else():
                    m.d.comb += body.eq(Array(words)[(index - 1)[:1]])
                header = (kind | self._engine_code) << 24 | self.tag << 16 | length
                m.d.comb += [
                    response.valid.eq(1),
                    response.payload.word.eq(Mux(index == 0, header, body)),
                    response.payload.last.eq(index == length),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(index + 1)
                    with m.If(response.payload.last):
                        m.d.comb += self.answered.eq(1)
                        m.d.sync += pending.eq(0)
                        m.next = "CHOOSE"
            with m.State("DRAWS"):
                m.d.comb += [
                    response.valid.eq(self.draws.valid),
                    response.payload.eq(self.draws.payload),
                    self.draws.ready.eq(response.ready),
                ]
                with m.If(fire & response.payload.last):
                    m.next = "CHOOSE"
            with m.State("DONE"):
                total = self._counters
                ended = Mux(cut, Response.ABORTED, Response.DONE) | self._engine_code
                header = ended << 24 | self.run_tag << 16 | total
                m.d.comb += [
                    body.eq(counters[(index - 1)[: (total - 1).bit_length()]]),
                    response.valid.eq(1),
                    response.payload.word.eq(Mux(index == 0, header, body)),
                    response.payload.last.eq(index == total),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(index + 1)
                    with m.If(response.payload.last):
                        m.d.comb += self.run_answered.eq(1)
                        m.d.sync += ending.eq(0)
                        m.next = "CHOOSE"
        return m

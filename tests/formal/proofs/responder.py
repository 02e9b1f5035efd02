"""DeviceResponder keeps the stream rules: whole packets, none lost, none invented, none mixed.

What it relies on is what its neighbours prove or do: draws keep the rules (`proofs.readout`), one
answer is asked for at a time, one run ends at a time, and what an answer is made of stays
meanwhile.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Array, Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.streams import PacketMonitor, kept

from gibbsite_hw.device_responder import DeviceResponder
from gibbsite_hw.spec.packets import Response
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["ResponderHarness"]

_ANSWERS = (Response.OK, Response.ERROR, Response.INFO)
_ENDS = (Response.DONE, Response.ABORTED)


class ResponderHarness(Harness):
    """Answers, draws and ends of runs at any time, a reader that stalls as it likes."""

    def __init__(self, parameters: GraphParameters, component: type = DeviceResponder) -> None:
        super().__init__()
        self._component = component

    def properties(self, m: Module) -> None:
        dut = self._component()
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        out, draws = dut.response, dut.draws
        sent = PacketMonitor(m, out, "sent")
        drawn = PacketMonitor(m, draws, "drawn")
        for name in ("start", "identify", "kind", "length", "finished", "aborted"):
            port = getattr(dut, name)
            m.d.comb += port.eq(AnySeq(len(port)))
        m.d.comb += [
            dut.tag.eq(AnyConst(8)),
            dut.run_tag.eq(AnyConst(8)),
            *(word.eq(AnySeq(32)) for word in dut.words),
            *(word.eq(AnyConst(32)) for word in dut.identity),
            *(word.eq(AnyConst(32)) for word in dut.counters),
            out.ready.eq(AnySeq(1)),
            draws.valid.eq(AnySeq(1)),
            draws.payload.as_value().eq(AnySeq(33)),
        ]

        # Ghosts: what was asked for and not yet sent.
        asked, ended = Signal(), Signal()
        kind, length, cut = Signal(8), Signal(4), Signal()
        identify = Signal()
        words = [Signal(32, name=f"asked{n}") for n in range(2)]
        with m.If(dut.start):
            m.d.sync += [
                asked.eq(1),
                identify.eq(dut.identify),
                kind.eq(Mux(dut.identify, Response.INFO, dut.kind)),
                length.eq(Mux(dut.identify, 8, dut.length)),
                *(ghost.eq(word) for ghost, word in zip(words, dut.words, strict=True)),
            ]
        with m.If(dut.answered):
            m.d.sync += asked.eq(0)
        with m.If(dut.finished):
            m.d.sync += [ended.eq(1), cut.eq(dut.aborted)]
        with m.If(dut.run_answered):
            m.d.sync += ended.eq(0)
        self.given(
            draws_kept=kept(m, self.started, draws, "draws"),
            draws_shaped=drawn.shaped,
            draws_named=drawn.inside | ~draws.valid | (draws.payload.word[24:] == Response.DRAW),
            one_answer=~(dut.start & asked),
            one_end=~(dut.finished & ended),
            answer_kinds=~dut.start
            | ((dut.kind == _ANSWERS[0]) | (dut.kind == _ANSWERS[1]) | (dut.kind == _ANSWERS[2])),
            answer_lengths=~dut.start | (dut.length <= 2),
        )

        # The packet on the way out: its kind says where its words come from.
        at = Signal(16)
        now = Signal(8)
        m.d.comb += [
            at.eq(Mux(sent.inside, sent.index, 0)),
            now.eq(Mux(sent.inside, sent.kind, out.payload.word[24:])),
        ]
        answers, ends = Signal(), Signal()
        m.d.comb += [
            answers.eq((now == _ANSWERS[0]) | (now == _ANSWERS[1]) | (now == _ANSWERS[2])),
            ends.eq((now == _ENDS[0]) | (now == _ENDS[1])),
        ]
        answer_word, end_word = Signal(32), Signal(32)
        m.d.comb += [
            answer_word.eq(
                Mux(
                    at == 0,
                    kind << 24 | dut.tag << 16 | length,
                    Mux(identify, Array(dut.identity)[(at - 1)[:3]], Array(words)[(at - 1)[:1]]),
                )
            ),
            end_word.eq(
                Mux(
                    at == 0,
                    Mux(cut, _ENDS[1], _ENDS[0]) << 24 | dut.run_tag << 16 | 12,
                    Array(dut.counters)[(at - 1)[:4]],
                )
            ),
        ]
        passing = inside.state("DRAWS")
        waited = Signal()
        m.d.sync += waited.eq(inside.state("CHOOSE") & asked)
        self.always(
            kept=kept(m, self.started, out, "response"),
            shaped=sent.shaped,
            answer=~(out.valid & answers) | (asked & (out.payload.word == answer_word)),
            end=~(out.valid & ends) | (ended & (out.payload.word == end_word)),
            draw=~(out.valid & ~answers & ~ends)
            | (draws.valid & (out.payload.as_value() == draws.payload.as_value())),
            # A draw's word leaves in the cycle in which it is taken, and in no other.
            none_lost=~drawn.fire | (sent.fire & ~answers & ~ends),
            none_invented=~(sent.fire & ~answers & ~ends) | drawn.fire,
            answered_once=dut.answered == (sent.closes & answers),
            ended_once=dut.run_answered == (sent.closes & ends),
            # Progress: an answer waits for no more than the packet that is already on its way.
            answers_first=~waited | (out.valid & answers),
            # What ties the states to the packet.
            some_state=inside.in_some_state(),
            choosing=~inside.state("CHOOSE") | (~sent.inside & ~out.valid),
            answering=~inside.state("ANSWER")
            | (asked & answers & (inside["index"] == at) & (~sent.inside | (at <= length))),
            passing=~passing | (~sent.inside & draws.valid) | (sent.inside & ~answers & ~ends),
            ending=~inside.state("DONE")
            | (ended & ends & (inside["index"] == at) & (~sent.inside | (at <= 12))),
            asked_is_pending=asked == inside["pending"],
            ended_is_ending=ended == inside["ending"],
            latched=~asked
            | (
                (inside["kind"] == kind)
                & (inside["length"] == length)
                & (inside["identifying"] == identify)
                & (inside["words"][0] == words[0])
                & (inside["words"][1] == words[1])
            ),
            kinds=~asked
            | (
                ((kind == _ANSWERS[0]) | (kind == _ANSWERS[1]) | (kind == _ANSWERS[2]))
                & (length <= 8)
            ),
            cut=~ended | (inside["cut"] == cut),
            draws_in_step=drawn.inside == (sent.inside & passing),
            same_draw=~drawn.inside | (drawn.left == sent.left),
            announced=~(sent.inside & ~passing)
            | (sent.left + sent.index == Mux(ends, 13, length + 1)),
        )
        seen = [Signal(name=f"seen_{name}") for name in ("answer", "draw", "end")]
        for flag, what in zip(seen, (answers, ~answers & ~ends, ends), strict=True):
            with m.If(sent.closes & what & (sent.index > 1)):
                m.d.sync += flag.eq(1)
        stalled = Signal()
        with m.If(out.valid & ~out.ready & sent.inside):
            m.d.sync += stalled.eq(1)
        self.can(all_three=seen[0] & seen[1] & seen[2] & stalled, identity=dut.answered & identify)

"""The device's end of the link is never overrun, and is in step again at every delimiter.

`IntakeHarness`: frames may be stored and accepted at any time as `gibbsite_hw.link` does it (only
where there is room, only with words), and the shell may stall for ever: no word is written into a
slot that is held, no more than a window is held, and the word stream's rules are kept.
`DecoderHarness`: any bytes at all; in the cycle behind a zero byte nothing of what came before is
left, so the frame that follows is decoded as after reset, and no frame is good that is too long.
"""

from amaranth.asserts import AnySeq
from amaranth.hdl import Module, Signal
from proofs.jobs import Harness, Inside

from gibbsite_hw.link_decoder import FrameDecoder
from gibbsite_hw.link_intake import LinkIntake
from gibbsite_hw.spec.frames import FRAME_WORDS, WINDOW

__all__ = ["DecoderHarness", "IntakeHarness"]


class IntakeHarness(Harness):
    """Any frames, any stalls."""

    def __init__(self, component: type = LinkIntake) -> None:
        super().__init__()
        self._component = component

    def properties(self, m: Module) -> None:
        dut = self._component()
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        for name in ("store", "index", "word", "accept", "words", "last"):
            port = getattr(dut, name)
            m.d.comb += port.eq(AnySeq(len(port)))
        m.d.comb += dut.command.ready.eq(AnySeq(1))
        self.given(
            accepted_with_room=~dut.accept | (dut.room & (dut.words != 0)),
            one_at_a_time=~(dut.accept & dut.store),
        )
        waiting, write = inside["waiting"], inside["write"]
        held = Signal(range(WINDOW + 2))
        m.d.sync += held.eq(held + dut.accept - dut.took)
        place = Signal(3)  # of the slot that is written, counted from the oldest that is held
        m.d.comb += place.eq(write.addr[5:] - dut.taken[:3])
        self.always(
            some_state=inside.in_some_state(),
            counted=waiting == held,
            never_overrun=held <= WINDOW,
            held_slots_stay=~write.en | ((held < WINDOW) & (place == held[:3])),
            taken_once=~dut.took | (held != 0),
            busy_with_one=inside.state("IDLE") | (held != 0),
            announced=~inside.state("OFFER") | dut.command.valid,
            kept=self._kept(m, dut),
        )
        self.can(full=held == WINDOW, emptied=dut.took & (held == 1) & dut.command.payload.last)

    def _kept(self, m: Module, dut: LinkIntake):
        """Offered and not taken: offered again (its data stands at an address that stays)."""
        was = Signal()
        m.d.sync += was.eq(dut.command.valid & ~dut.command.ready)
        return ~(self.started & was) | dut.command.valid


class DecoderHarness(Harness):
    """Any bytes, at any time."""

    def __init__(self, component: type = FrameDecoder) -> None:
        super().__init__()
        self._component = component

    def properties(self, m: Module) -> None:
        dut = self._component()
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        m.d.comb += [dut.bytes.valid.eq(AnySeq(1)), dut.bytes.payload.eq(AnySeq(8))]
        behind = Signal()
        m.d.sync += behind.eq(dut.bytes.valid & (dut.bytes.payload == 0))
        self.always(
            always_taken=dut.bytes.ready,
            in_step=~behind
            | (
                (inside["left"] == 0)
                & ~inside["begun"]
                & (inside["count"] == 0)
                & (inside["place"] == 0)
            ),
            good_behind_a_delimiter=~dut.good | behind,
            good_fits=~dut.good | (dut.words <= FRAME_WORDS),
            in_memory=~dut.store | (dut.index != 0),
        )
        stores = Signal(3)
        with m.If(dut.store & (stores != 7)):
            m.d.sync += stores.eq(stores + 1)
        self.can(words_stored=stores == 2)

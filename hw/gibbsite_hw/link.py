"""The framed link of a device: bytes of a line on one side, the shell's word stream on the other.

The host keeps all the time there is: this end answers, and never repeats anything unasked. It has
no state in which it waits for anything but a byte from the line or a word from the shell.

Format: `gibbsite_hw.spec.frames`, docs/framed-link.md.
Twin: `gibbsite_models.golden.link.DeviceEnd`.
"""

from amaranth.hdl import C, Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.link_decoder import FrameDecoder
from gibbsite_hw.link_encoder import FrameEncoder
from gibbsite_hw.link_intake import LinkIntake
from gibbsite_hw.link_outlet import LinkOutlet
from gibbsite_hw.spec.frames import FROM_DEVICE, Kind
from gibbsite_hw.words import word_layout

__all__ = ["FramedLink"]

_RESET_CYCLES = 4


class FramedLink(wiring.Component):
    """``rx``, ``tx`` are the line's bytes, ``command``, ``response`` go to and come from the shell.

    ``rx`` is always taken. ``reset`` is high for some cycles when a host starts a session: it is to
    reset the shell, so that whatever was half-way, on the line or in a run, is forgotten. After
    reset there is no session, and all frames but `Kind.RESET` are answered by `Kind.STRANGER`.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "rx": In(stream.Signature(8)),
                "tx": Out(stream.Signature(8)),
                "command": Out(stream.Signature(word_layout)),
                "response": In(stream.Signature(word_layout)),
                "reset": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        decoder, encoder, intake, outlet = (
            FrameDecoder(),
            FrameEncoder(),
            LinkIntake(),
            LinkOutlet(),
        )
        m.submodules.decoder = decoder
        anew = ResetInserter(self.reset)
        m.submodules.encoder = anew(encoder)
        m.submodules.intake = anew(intake)
        m.submodules.outlet = anew(outlet)
        connect(m, flipped(self.rx), decoder.bytes)
        connect(m, encoder.bytes, flipped(self.tx))
        connect(m, intake.command, flipped(self.command))
        connect(m, flipped(self.response), outlet.response)

        session = Signal(16)
        resetting = Signal(range(_RESET_CYCLES + 1))
        ready_due, stranger_due, answer_due = Signal(), Signal(), Signal()
        header, kind = decoder.header, Signal(3, init=Kind.ACK)
        came, ours, numbered, next_one = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            came.eq(decoder.good & ~header.from_device & (header.unused == 0)),
            ours.eq((header.session == session) & (session != 0)),
            next_one.eq(
                (header.kind == Kind.DATA)
                & ~header.from_device
                & (header.unused == 0)
                & ours
                & (header.sequence == intake.expected)
            ),
            intake.store.eq(decoder.store & next_one & ~decoder.index[-1]),
            intake.index.eq(decoder.index),
            intake.word.eq(decoder.word),
            intake.words.eq(decoder.words),
            intake.last.eq(header.last),
            outlet.upto.eq(header.acknowledge),
            outlet.acknowledge.eq(numbered),
            outlet.address.eq(encoder.address),
            encoder.data.eq(outlet.data),
            self.reset.eq(resetting != 0),
        ]

        # What goes out next: all frames tell the same numbers.
        m.d.comb += [
            # as a whole: Yosys writes a constant part of a signal as a block that nothing starts
            encoder.header.as_value().eq(
                Cat(kind, C(FROM_DEVICE >> 3, 5), outlet.following, intake.taken, session)
            ),
        ]
        with m.If(encoder.idle & ~came & ~self.reset):
            with m.If(ready_due):
                m.d.comb += [encoder.start.eq(1), encoder.from_info.eq(1), kind.eq(Kind.READY)]
                m.d.sync += ready_due.eq(0)
            with m.Elif(stranger_due):
                m.d.comb += [encoder.start.eq(1), kind.eq(Kind.STRANGER)]
                m.d.sync += stranger_due.eq(0)
            with m.Elif(outlet.waiting):
                m.d.comb += [
                    encoder.start.eq(1),
                    encoder.from_slot.eq(1),
                    outlet.sent.eq(1),
                    kind.eq(Kind.DATA),
                ]
                m.d.sync += answer_due.eq(0)
            with m.Elif(answer_due):
                m.d.comb += encoder.start.eq(1)
                m.d.sync += answer_due.eq(0)

        with m.If(resetting != 0):
            m.d.sync += resetting.eq(resetting - 1)
        with m.If(intake.took):
            m.d.sync += answer_due.eq(1)
        with m.If(came):
            with m.If(header.kind == Kind.RESET):
                with m.If(header.session != 0):
                    m.d.sync += [
                        session.eq(header.session),
                        resetting.eq(_RESET_CYCLES),
                        ready_due.eq(1),
                        stranger_due.eq(0),
                        answer_due.eq(0),
                    ]
            with m.Elif(~ours):
                m.d.sync += stranger_due.eq(1)
            with m.Else():
                with m.Switch(header.kind):
                    with m.Case(Kind.DATA):
                        m.d.comb += numbered.eq(1)
                        with m.If(next_one & intake.room & (decoder.words != 0)):
                            m.d.comb += intake.accept.eq(1)
                        with m.Else():
                            m.d.sync += answer_due.eq(1)
                    with m.Case(Kind.ACK):
                        m.d.comb += numbered.eq(1)
                    with m.Case(Kind.POLL):
                        m.d.comb += numbered.eq(1)
                        m.d.sync += answer_due.eq(1)
                    with m.Case(Kind.RESEND):
                        m.d.comb += [numbered.eq(1), outlet.again.eq(1)]
                        m.d.sync += answer_due.eq(1)
        return m

"""Words from the shell to frames for the host, kept until they are acknowledged."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.link_layouts import SLOT_WORDS, number_shape
from gibbsite_hw.spec.frames import WINDOW
from gibbsite_hw.words import word_layout

__all__ = ["LinkOutlet"]

_INDEX = (SLOT_WORDS - 1).bit_length()
_SLOT = (WINDOW - 1).bit_length()


class LinkOutlet(wiring.Component):
    """A ring of slots, empty after reset; a frame is closed by a packet's end or when full.

    ``waiting`` says that frame ``following`` is there and was not sent since the last ``again``;
    ``sent`` counts it as sent. ``acknowledge`` frees all slots before ``upto`` (numbers that lie
    outside what was sent are ignored), and with ``again`` everything from there on is sent anew.
    Slots are read at ``address`` (number and word within the slot) as ``data`` (synchronous). A
    slot that is freed while it is read gives a frame that the host holds already and drops.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "response": In(stream.Signature(word_layout)),
                "waiting": Out(1),
                "following": Out(number_shape),
                "sent": In(1),
                "acknowledge": In(1),
                "upto": In(number_shape),
                "again": In(1),
                "address": In(_SLOT + _INDEX),
                "data": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.slots = slots = Memory(shape=32, depth=SLOT_WORDS * WINDOW, init=[])
        write, read = slots.write_port(), slots.read_port()
        first, fill = Signal(number_shape), Signal(number_shape)  # oldest held, next to be filled
        held, gone, moved = (Signal(number_shape) for _ in range(3))
        at, closing, last = Signal(_INDEX, init=1), Signal(), Signal()
        response, following = self.response, self.following
        fire = response.valid & response.ready
        m.d.comb += [
            read.addr.eq(self.address),
            self.data.eq(read.data),
            held.eq(fill - first),
            gone.eq(following - first),
            moved.eq(self.upto - first),
            self.waiting.eq(following != fill),
            response.ready.eq((held != WINDOW) & ~closing),
            write.en.eq(fire | closing),
            write.addr.eq(Cat(at, fill[:_SLOT])),
            write.data.eq(response.payload.word),
        ]
        with m.If(closing):
            m.d.comb += [write.addr[:_INDEX].eq(0), write.data.eq(Cat(at, last))]
            m.d.sync += [closing.eq(0), at.eq(1), fill.eq(fill + 1)]
        with m.Elif(fire):
            m.d.sync += last.eq(response.payload.last)
            with m.If(response.payload.last | (at == SLOT_WORDS - 1)):
                m.d.sync += closing.eq(1)
            with m.Else():
                m.d.sync += at.eq(at + 1)

        with m.If(self.sent):
            m.d.sync += following.eq(following + 1)
        with m.If(self.acknowledge & (moved <= held)):
            m.d.sync += first.eq(self.upto)
            with m.If(self.again | (gone < moved)):
                m.d.sync += following.eq(self.upto)
        return m

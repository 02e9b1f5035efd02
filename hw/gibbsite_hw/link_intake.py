"""Frames from the host, in their order, to words for the shell."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.link_layouts import SLOT_WORDS, length_layout, number_shape
from gibbsite_hw.spec.frames import WINDOW
from gibbsite_hw.words import word_layout

__all__ = ["LinkIntake"]

_INDEX = (SLOT_WORDS - 1).bit_length()
_SLOT = (WINDOW - 1).bit_length()


class LinkIntake(wiring.Component):
    """A ring of slots, empty after reset.

    ``expected`` is the number of the next frame, ``room`` says that its slot is free. Words of it
    are put there by ``store`` at ``index`` with ``word`` and belong to nobody until ``accept``
    (with ``words``, at least one, and ``last``) makes them the frame's. ``taken`` is the number up
    to which the shell has taken all words, ``took`` comes when it grows.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "store": In(1),
                "index": In(_INDEX),
                "word": In(32),
                "accept": In(1),
                "words": In(_INDEX),
                "last": In(1),
                "expected": Out(number_shape),
                "room": Out(1),
                "taken": Out(number_shape),
                "took": Out(1),
                "command": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.slots = slots = Memory(shape=32, depth=SLOT_WORDS * WINDOW, init=[])
        write, read = slots.write_port(), slots.read_port()
        waiting = Signal(number_shape)
        m.d.comb += [
            waiting.eq(self.expected - self.taken),
            self.room.eq(waiting != WINDOW),
            write.addr.eq(Cat(self.index, self.expected[:_SLOT])),
            write.data.eq(self.word),
            write.en.eq(self.store & self.room),
        ]
        with m.If(self.accept):
            m.d.comb += [
                write.addr[:_INDEX].eq(0),
                write.data.eq(Cat(self.words, self.last)),
                write.en.eq(1),
            ]
            m.d.sync += self.expected.eq(self.expected + 1)

        at, length = Signal(_INDEX), Signal(length_layout)
        command = self.command
        m.d.comb += [
            read.addr.eq(Cat(at, self.taken[:_SLOT])),
            command.payload.word.eq(read.data),
            command.payload.last.eq(length.last & (at == length.length)),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += at.eq(0)
                with m.If(waiting != 0):
                    m.next = "LOOK"
            with m.State("LOOK"):  # at is 0 here: the length comes in the next cycle
                m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.sync += [length.eq(read.data[: length_layout.size]), at.eq(1)]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "OFFER"
            with m.State("OFFER"):
                m.d.comb += command.valid.eq(1)
                with m.If(command.ready):
                    m.d.sync += at.eq(at + 1)
                    with m.If(at == length.length):
                        m.d.comb += self.took.eq(1)
                        m.d.sync += self.taken.eq(self.taken + 1)
                        m.next = "IDLE"
                    with m.Else():
                        m.next = "FETCH"
        return m

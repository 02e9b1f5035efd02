"""Frames to bytes for the line: CRC added, COBS encoded, delimiters around it."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc import catalog
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.link_layouts import SLOT_WORDS, header_layout, length_layout, number_shape
from gibbsite_hw.spec.frames import FRAME_BYTES, LINK_INFO, WINDOW

__all__ = ["FrameEncoder"]

_INDEX = (SLOT_WORDS - 1).bit_length()
_SLOT = (WINDOW - 1).bit_length()


class FrameEncoder(wiring.Component):
    """Sends one frame at a time; while ``idle`` it takes the next one with ``start``.

    ``header`` is the frame's, but for ``last``; behind it come the words of the slot of its
    sequence number if ``from_slot``, `LINK_INFO` if ``from_info``, else none. The slot is read at
    ``address`` as ``data`` (synchronous).

    A whole frame is encoded in memory first: its words are read once, a byte a cycle, and each
    code byte is put in its place when its block has ended.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "idle": Out(1),
                "start": In(1),
                "header": In(header_layout),
                "from_slot": In(1),
                "from_info": In(1),
                "address": Out(_SLOT + _INDEX),
                "data": In(32),
                "bytes": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = catalog.CRC32_ISO_HDLC(data_width=8).create()
        depth = 1 << FRAME_BYTES.bit_length()
        m.submodules.line = line = Memory(shape=8, depth=depth, init=[])
        write, read = line.write_port(), line.read_port()
        end, at, code_at = (Signal(range(depth)) for _ in range(3))
        code = Signal(8)
        word, place = Signal(32), Signal(2)
        number, index, length = Signal(number_shape), Signal(_INDEX), Signal(_INDEX)
        slot, info, closing = Signal(), Signal(), Signal()
        looked = Signal(length_layout)
        out = self.bytes
        m.d.comb += [
            self.address.eq(Cat(index, number[:_SLOT])),
            looked.eq(self.data[: length_layout.size]),
            read.addr.eq(at),
            crc.data.eq(word[:8]),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.idle.eq(1), crc.start.eq(1)]
                m.d.sync += [
                    word.eq(self.header),
                    number.eq(self.header.sequence),
                    slot.eq(self.from_slot),
                    info.eq(self.from_info),
                    index.eq(0),
                    place.eq(0),
                    closing.eq(0),
                    at.eq(0),
                    code_at.eq(0),
                    end.eq(1),
                    code.eq(1),
                ]
                with m.If(self.start):
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.sync += [
                    length.eq(Mux(slot, looked.length, info)),
                    word[3].eq(slot & looked.last),
                    index.eq(1),
                ]
                m.next = "BYTES"
            with m.State("BYTES"):
                m.d.comb += [write.en.eq(1), crc.valid.eq(~closing)]
                m.d.sync += [word.eq(word >> 8), place.eq(place + 1), end.eq(end + 1)]
                with m.If(word[:8] == 0):
                    m.d.comb += [write.addr.eq(code_at), write.data.eq(code)]
                    m.d.sync += [code_at.eq(end), code.eq(1)]
                with m.Else():
                    m.d.comb += [write.addr.eq(end), write.data.eq(word[:8])]
                    m.d.sync += code.eq(code + 1)
                with m.If(place == 3):
                    m.next = "WORD"
            with m.State("WORD"):
                m.next = "BYTES"
                with m.If(closing):
                    m.d.comb += [
                        write.en.eq(1),
                        write.addr.eq(code_at),
                        write.data.eq(code),
                    ]
                    m.next = "OPEN"
                with m.Elif((index > length) | (length == 0)):
                    m.d.sync += [word.eq(crc.crc), closing.eq(1)]
                with m.Else():
                    m.d.sync += [word.eq(Mux(info, LINK_INFO, self.data)), index.eq(index + 1)]
                    # index wraps behind the longest frame's last word: that was all of it
                    with m.If(index == SLOT_WORDS - 1):
                        m.d.sync += length.eq(0)
            with m.State("OPEN"):
                m.d.comb += out.valid.eq(1)
                with m.If(out.ready):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "SEND"
            with m.State("SEND"):
                m.d.comb += [out.valid.eq(1), out.payload.eq(read.data)]
                with m.If(out.ready):
                    m.d.sync += at.eq(at + 1)
                    m.next = "FETCH"
                    with m.If(at + 1 == end):
                        m.next = "CLOSE"
            with m.State("CLOSE"):
                m.d.comb += out.valid.eq(1)
                with m.If(out.ready):
                    m.next = "IDLE"
        return m

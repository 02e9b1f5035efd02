"""Bytes from the line to words of frames: COBS undone, CRC checked."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc import catalog
from amaranth.lib.wiring import In, Out

from gibbsite_hw.link_layouts import header_layout
from gibbsite_hw.spec.frames import FRAME_WORDS

__all__ = ["FrameDecoder"]

_MOST = FRAME_WORDS + 2


class FrameDecoder(wiring.Component):
    """Takes a byte a cycle, always.

    ``header`` stands from the fourth byte of a frame to the fourth of the next one. ``store`` comes
    with each later ``word`` and its ``index`` from 1, the CRC's included, before anybody can know
    whether the frame is good. ``good`` comes a cycle after the delimiter of a frame whose code
    blocks are whole, whose CRC matches and which has ``words`` words, 0 to `FRAME_WORDS`, between
    header and CRC. Whatever came before a delimiter, the frame behind it is taken whole.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "bytes": In(stream.Signature(8)),
                "header": Out(header_layout),
                "word": Out(32),
                "index": Out(range(_MOST + 1)),
                "store": Out(1),
                "good": Out(1),
                "words": Out(range(_MOST + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = catalog.CRC32_ISO_HDLC(data_width=8).create()
        left, begun = Signal(8), Signal()  # bytes of this code block; whether one has begun
        count = Signal(range(_MOST + 2))  # whole words, saturated
        place = Signal(2)
        byte, fresh = Signal(8), Signal()  # a decoded byte, if the one on the line gives any
        line, here = self.bytes.payload, self.bytes.valid
        delimiter, code = Signal(), Signal()
        m.d.comb += [
            self.bytes.ready.eq(1),
            delimiter.eq(here & (line == 0)),
            code.eq(here & (line != 0) & (left == 0)),
            # a code byte stands for the zero that ended the block before it
            byte.eq(line),
            fresh.eq(here & (line != 0)),
            crc.start.eq(delimiter),
            crc.valid.eq(fresh),
            crc.data.eq(byte),
        ]
        with m.If(code):
            m.d.comb += [byte.eq(0), fresh.eq(begun)]
            m.d.sync += [left.eq(line - 1), begun.eq(1)]
        with m.Elif(here):
            m.d.sync += left.eq(left - 1)

        window = Signal(24)
        word = Cat(window, byte)
        whole = fresh & (place == 3)
        with m.If(fresh):
            m.d.sync += [window.eq(word[8:]), place.eq(place + 1)]
        m.d.comb += [self.word.eq(word), self.index.eq(count), self.store.eq(whole & (count != 0))]
        with m.If(whole):
            with m.If(count == 0):
                m.d.sync += self.header.eq(word)
            with m.If(count != _MOST + 1):
                m.d.sync += count.eq(count + 1)

        m.d.sync += self.good.eq(0)
        with m.If(delimiter):
            m.d.sync += [
                self.good.eq(
                    crc.match_detected
                    & (left == 0)
                    & (place == 0)
                    & (count >= 2)
                    & (count <= _MOST)
                ),
                self.words.eq(count - 2),
                left.eq(0),
                begun.eq(0),
                count.eq(0),
                place.eq(0),
            ]
        return m

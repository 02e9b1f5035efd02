"""Takes packets off the command stream and notes faults of framing.

Twin: ``send`` in `gibbsite_models.golden.packet_shell`.
"""

from collections.abc import Iterable

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.words import word_layout

__all__ = ["DeviceReceiver"]


class DeviceReceiver(wiring.Component):
    """Holds one packet at a time.

    ``held`` is high from the end of a packet until ``release``; beside it stand ``opcode``,
    ``tag``, ``length`` (the announced payload words) and the first fault of its frame as
    ``error`` (0: none) and ``detail``. The payload is read at ``address`` as ``word``
    (synchronous). ``payload_words`` is the longest payload, ``opcodes`` are the known ones.
    """

    def __init__(self, payload_words: int, opcodes: Iterable[int]) -> None:
        self._depth = payload_words
        self._opcodes = sorted(map(int, opcodes))
        super().__init__(
            {
                "command": In(stream.Signature(word_layout)),
                "held": Out(1),
                "release": In(1),
                "opcode": Out(8),
                "tag": Out(8),
                "length": Out(16),
                "error": Out(8),
                "detail": Out(32),
                "address": In(range(payload_words)),
                "word": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = self._depth
        m.submodules.payload = payload = Memory(shape=32, depth=depth, init=[])
        write, read = payload.write_port(), payload.read_port()
        count = Signal(range(depth + 1))
        too_long, truncated, oversized, known = Signal(), Signal(), Signal(), Signal()
        fire = Signal()
        word, last = self.command.payload.word, self.command.payload.last
        m.d.comb += [
            fire.eq(self.command.valid & self.command.ready),
            write.addr.eq(count),
            write.data.eq(word),
            read.addr.eq(self.address),
            self.word.eq(read.data),
        ]
        with m.FSM() as machine:
            m.d.comb += [
                self.held.eq(machine.ongoing("HELD")),
                self.command.ready.eq(~self.held),
            ]
            with m.State("HEADER"):
                announced = word[:16]
                m.d.sync += [
                    self.opcode.eq(word[24:]),
                    self.tag.eq(word[16:24]),
                    self.length.eq(announced),
                    count.eq(0),
                    too_long.eq(announced > depth),
                    truncated.eq(last & (announced != 0)),
                    oversized.eq(~last & (announced == 0)),
                ]
                with m.If(fire):
                    with m.If(last):
                        m.next = "HELD"
                    with m.Elif((announced == 0) | (announced > depth)):
                        m.next = "DROP"
                    with m.Else():
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += write.en.eq(fire)
                with m.If(fire):
                    m.d.sync += count.eq(count + 1)
                    with m.If(last):
                        m.d.sync += truncated.eq(count + 1 != self.length)
                        m.next = "HELD"
                    with m.Elif(count + 1 == self.length):
                        m.d.sync += oversized.eq(1)
                        m.next = "DROP"
            with m.State("DROP"):
                with m.If(fire & last):
                    m.next = "HELD"
            with m.State("HELD"):
                with m.If(self.release):
                    m.next = "HEADER"

        with m.Switch(self.opcode):
            with m.Case(*self._opcodes):
                m.d.comb += known.eq(1)
        with m.If(too_long):
            m.d.comb += [self.error.eq(ErrorCode.TOO_LONG), self.detail.eq(self.length)]
        with m.Elif(~known):
            m.d.comb += [self.error.eq(ErrorCode.UNKNOWN_OPCODE), self.detail.eq(self.opcode)]
        with m.Elif(truncated):
            m.d.comb += [self.error.eq(ErrorCode.TRUNCATED), self.detail.eq(count)]
        with m.Elif(oversized):
            m.d.comb += [self.error.eq(ErrorCode.OVERSIZED), self.detail.eq(self.length)]
        return m

"""What the Langevin engine's shell answers to the command at hand."""

from enum import IntEnum

from amaranth.hdl import Mux, Signal

from gibbsite_hw.device_books import IDENTITY
from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse

__all__ = ["Detail", "LangevinAnswer", "Reply"]


class Reply(IntEnum):
    """What goes back to the command: nothing, an error, words of the books, or a number."""

    OK = 0
    ERROR = 1
    BOOKS = 2
    NUMBER = 3


class Detail(IntEnum):
    """The detail of an error: a number, payload word 0, or the word from the books."""

    NUMBER = 0
    PAYLOAD = 1
    BOOKS = 2


class LangevinAnswer:
    """The registers of an answer, of which ``number`` has ``bits`` bits, in the shell's module."""

    def __init__(self, bits: int) -> None:
        self.reply = Signal(Reply)
        self.error = Signal(8)
        self.detail = Signal(Detail)
        self.number = Signal(bits)

    def clear(self, m):
        """OK, until something else is said."""
        m.d.sync += [self.reply.eq(Reply.OK), self.detail.eq(Detail.NUMBER)]

    def refuse(self, m, code, value):
        """An error whose detail is a number, or one of `Detail`."""
        m.d.sync += [self.error.eq(code), self.reply.eq(Reply.ERROR)]
        if isinstance(value, Detail):
            m.d.sync += self.detail.eq(value)
        else:
            m.d.sync += [self.number.eq(value), self.detail.eq(Detail.NUMBER)]

    def connect(self, m, responder, books, opcode, payload):
        """All that ``responder`` wants beside `start` and the tag; ``payload`` is word 0."""
        identify = opcode == LangevinOpcode.IDENTIFY
        m.d.comb += [
            responder.kind.eq(LangevinResponse.INFO),
            responder.length.eq(1),
            responder.given.eq(self.reply != Reply.BOOKS),
            responder.first.eq(Mux(identify, IDENTITY, payload)),
            responder.error.eq(self.error),
            responder.detail.eq(self.number),
            responder.word.eq(books.word),
            responder.fetched.eq(books.shell.done),
        ]
        with m.If(self.detail == Detail.PAYLOAD):
            m.d.comb += responder.detail.eq(payload)
        with m.Elif(self.detail == Detail.BOOKS):
            m.d.comb += responder.detail.eq(books.word)
        with m.Switch(self.reply):
            with m.Case(Reply.OK):
                m.d.comb += [responder.kind.eq(LangevinResponse.OK), responder.length.eq(0)]
            with m.Case(Reply.ERROR):
                m.d.comb += [responder.kind.eq(LangevinResponse.ERROR), responder.length.eq(2)]
            with m.Case(Reply.BOOKS), m.If(identify):
                m.d.comb += responder.length.eq(8)

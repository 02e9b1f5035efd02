"""What the graph engine's shell answers to the command at hand."""

from enum import IntEnum

from amaranth.hdl import Mux, Signal

from gibbsite_hw.device_books import IDENTITY
from gibbsite_hw.spec.packets import Opcode, Response

__all__ = ["GraphAnswer"]


class _Reply(IntEnum):
    """What goes back to the command: nothing, an error, words of the books, or a number."""

    OK = 0
    ERROR = 1
    BOOKS = 2
    NUMBER = 3


class _Detail(IntEnum):
    """The detail of an error: a number of 16 bits, payload word 0, or the word from the books."""

    NUMBER = 0
    PAYLOAD = 1
    BOOKS = 2


class GraphAnswer:
    """The registers of an answer, in the shell's module."""

    PAYLOAD, BOOKS = _Detail.PAYLOAD, _Detail.BOOKS
    """Details of errors: payload word 0, or the word from the books."""

    def __init__(self) -> None:
        self.reply, self.error, self._detail = Signal(_Reply), Signal(8), Signal(_Detail)
        self.number, self.offset = Signal(16), Signal(6)

    @property
    def is_ok(self):
        """Whether nothing else was said than OK."""
        return self.reply == _Reply.OK

    def clear(self, m):
        """OK, until something else is said."""
        m.d.sync += [self.reply.eq(_Reply.OK), self._detail.eq(_Detail.NUMBER)]

    def books(self, m):
        """Words of the books: the identity, or the one at ``offset``."""
        m.d.sync += self.reply.eq(_Reply.BOOKS)

    def register(self, m, status):
        """The register at ``offset``: ``number`` where ``status`` says so, else from the books."""
        m.d.sync += self.reply.eq(Mux(status, _Reply.NUMBER, _Reply.BOOKS))

    def refuse(self, m, code, value):
        """An error whose detail is a number, or one of `PAYLOAD` and `BOOKS`."""
        m.d.sync += [self.error.eq(code), self.reply.eq(_Reply.ERROR)]
        if isinstance(value, _Detail):
            m.d.sync += self._detail.eq(value)
        else:
            m.d.sync += [self.number.eq(value), self._detail.eq(_Detail.NUMBER)]

    def connect(self, m, responder, opcode, payload, word):
        """What of its answer ``responder`` wants to know: ``payload`` is payload word 0, ``word``
        the one from the books."""
        m.d.comb += [
            responder.kind.eq(Response.INFO),
            responder.length.eq(1),
            responder.given.eq(self.reply != _Reply.BOOKS),
            responder.first.eq(Mux(opcode == Opcode.IDENTIFY, IDENTITY, self.offset)),
            responder.error.eq(self.error),
            responder.detail.eq(self.number),
        ]
        with m.If(self._detail == _Detail.PAYLOAD):
            m.d.comb += responder.detail.eq(payload)
        with m.Elif(self._detail == _Detail.BOOKS):
            m.d.comb += responder.detail.eq(word)
        with m.Switch(self.reply):
            with m.Case(_Reply.OK):
                m.d.comb += [responder.kind.eq(Response.OK), responder.length.eq(0)]
            with m.Case(_Reply.ERROR):
                m.d.comb += [responder.kind.eq(Response.ERROR), responder.length.eq(2)]
            with m.Case(_Reply.BOOKS), m.If(opcode == Opcode.IDENTIFY):
                m.d.comb += responder.length.eq(8)

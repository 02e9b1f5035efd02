"""Routes whole packets to several engines and merges what they answer, packet by packet.

Twin: the order of packets in `gibbsite_models.golden.device`.
"""

from collections.abc import Sequence

from amaranth.hdl import Array, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.packets import ENGINE_FIELD, Engine
from gibbsite_hw.words import word_layout

__all__ = ["PacketRouter"]

_FIRST_BIT = 24 + (ENGINE_FIELD & -ENGINE_FIELD).bit_length() - 1
_FIELD_BITS = ENGINE_FIELD.bit_count()


class PacketRouter(wiring.Component):
    """Between ``command``, ``response`` of a device and ``commands``, ``responses`` of its engines.

    ``engines`` are two or more, in the order of the ports. A packet in goes from its header to
    ``last`` to the engine that the header names, and to the first one where that is not there.
    Packets out are never mixed: the engine whose turn it is keeps it to the end of its packet, then
    the next one in the circle that has a word to send has it. No word waits here: a transfer on one
    side is the same transfer on the other. A packet out costs a cycle more where the turn changes
    between packets that do not follow each other at once.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)
        words = stream.Signature(word_layout)
        super().__init__(
            {
                "command": In(words),
                "response": Out(words),
                "commands": Out(words).array(len(self._engines)),
                "responses": In(words).array(len(self._engines)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._route(m)
        self._merge(m)
        return m

    def _route(self, m):
        """Commands: the engine is that of the header until the packet ends."""
        inside = Signal()
        named, held, port = (Signal(range(len(self._engines))) for _ in range(3))
        command = self.command
        with m.Switch(command.payload.word[_FIRST_BIT : _FIRST_BIT + _FIELD_BITS]):
            for number, engine in enumerate(self._engines):
                with m.Case(engine):
                    m.d.comb += named.eq(number)
        m.d.comb += port.eq(Mux(inside, held, named))
        for number, out in enumerate(self.commands):
            m.d.comb += [
                out.valid.eq(command.valid & (port == number)),
                out.payload.eq(command.payload),
            ]
        m.d.comb += command.ready.eq(Array(out.ready for out in self.commands)[port])
        with m.If(command.valid & command.ready):
            m.d.sync += [held.eq(port), inside.eq(~command.payload.last)]

    def _merge(self, m):
        """Responses: the turn changes only where no packet and no offered word is cut."""
        count = len(self._engines)
        inside, other = Signal(), Signal()
        turn, following = Signal(range(count)), Signal(range(count))
        response = self.response
        answers = [self.responses[number] for number in range(count)]
        mine = Array(answer.valid for answer in answers)[turn]
        m.d.comb += [
            response.valid.eq(mine),
            response.payload.eq(Array(answer.payload.as_value() for answer in answers)[turn]),
            following.eq(turn),
        ]
        for number, answer in enumerate(answers):
            m.d.comb += answer.ready.eq(response.ready & (turn == number))
        with m.Switch(turn):
            for number in range(count):
                with m.Case(number):
                    # the last assignment counts, so the nearest one in the circle comes last
                    for distance in range(count - 1, 0, -1):
                        at = (number + distance) % count
                        with m.If(answers[at].valid):
                            m.d.comb += [other.eq(1), following.eq(at)]
        with m.If(mine & response.ready):
            m.d.sync += inside.eq(~response.payload.last)
            with m.If(response.payload.last & other):
                m.d.sync += turn.eq(following)
        with m.Elif(~inside & ~mine & other):
            m.d.sync += turn.eq(following)

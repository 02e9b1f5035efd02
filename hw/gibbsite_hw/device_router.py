"""Routes whole packets to two engines and merges what they answer, packet by packet.

Twin: the order of packets in `gibbsite_models.golden.device`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.packets import ENGINE_BIT
from gibbsite_hw.words import word_layout

__all__ = ["PacketRouter"]


class PacketRouter(wiring.Component):
    """Between ``command``, ``response`` of a device and ``commands``, ``responses`` of two engines.

    A packet in goes from its header to ``last`` to the engine that the header's engine bit (bit 30)
    names. Packets out are never mixed: the engine whose turn it is keeps it to the end of its
    packet, then the other one has it if it has a word to send. No word waits here: a transfer on
    one side is the same transfer on the other. A packet out costs a cycle more where the turn
    changes between packets that do not follow each other at once.
    """

    def __init__(self) -> None:
        words = stream.Signature(word_layout)
        super().__init__(
            {
                "command": In(words),
                "response": Out(words),
                "commands": Out(words).array(2),
                "responses": In(words).array(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        self._route(m)
        self._merge(m)
        return m

    def _route(self, m):
        """Commands: the engine is that of the header until the packet ends."""
        inside, held, engine = Signal(), Signal(), Signal()
        command = self.command
        bit = 24 + ENGINE_BIT.bit_length() - 1
        m.d.comb += engine.eq(Mux(inside, held, command.payload.word[bit]))
        for number in range(2):
            m.d.comb += [
                self.commands[number].valid.eq(command.valid & (engine == number)),
                self.commands[number].payload.eq(command.payload),
            ]
        m.d.comb += command.ready.eq(Mux(engine, self.commands[1].ready, self.commands[0].ready))
        with m.If(command.valid & command.ready):
            m.d.sync += [held.eq(engine), inside.eq(~command.payload.last)]

    def _merge(self, m):
        """Responses: the turn changes only where no packet and no offered word is cut."""
        inside, turn = Signal(), Signal()
        response = self.response
        one, two = self.responses[0], self.responses[1]
        mine, other = Signal(), Signal()
        m.d.comb += [
            mine.eq(Mux(turn, two.valid, one.valid)),
            other.eq(Mux(turn, one.valid, two.valid)),
            response.valid.eq(mine),
            response.payload.eq(Mux(turn, two.payload, one.payload)),
            one.ready.eq(response.ready & ~turn),
            two.ready.eq(response.ready & turn),
        ]
        with m.If(mine & response.ready):
            m.d.sync += inside.eq(~response.payload.last)
            with m.If(response.payload.last & other):
                m.d.sync += turn.eq(~turn)
        with m.Elif(~inside & ~mine & other):
            m.d.sync += turn.eq(~turn)

"""Sends one draw: state, energy, best state and best energy as a DRAW packet."""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.packets import Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.words import word_layout

__all__ = ["GraphReadout"]


class GraphReadout(wiring.Component):
    """Sends a DRAW packet when ``start`` is given, then ``done`` for one cycle with its last word.

    ``address`` goes to the spin and best memories (synchronous), whose words come back as ``spins``
    and ``best``. ``fetch`` asks the books for the number of the chain, or with ``fetch_draw`` of
    the draw; with ``fetched`` it stands in ``word``. ``current`` high: the best state is the
    current one. All other inputs stay as they are until ``done``.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "tag": In(8),
                "samples": In(1),
                "with_best": In(1),
                "current": In(1),
                "rows": In(range(parameters.rows + 1)),
                "fetch": Out(1),
                "fetch_draw": Out(1),
                "fetched": In(1),
                "word": In(32),
                "energy": In(signed(parameters.energy_bits)),
                "best_energy": In(signed(parameters.energy_bits)),
                "address": Out(unsigned(parameters.row_bits)),
                "spins": In(lanes),
                "best": In(lanes),
                "words": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        index = Signal(self._parameters.row_bits)
        fire = Signal()
        ends = Signal()
        word = self.words.payload.word
        m.d.comb += [
            fire.eq(self.words.valid & self.words.ready),
            ends.eq(index + 1 == self.rows),
            # The next row's address is presented a cycle ahead of its word.
            self.address.eq(Mux(fire, index + 1, index)),
            self.done.eq(fire & self.words.payload.last),
        ]
        length = 4 + Mux(self.samples, self.rows, 0) + Mux(self.with_best, self.rows + 2, 0)
        energy, best_energy = Signal(signed(64)), Signal(signed(64))
        m.d.comb += [energy.eq(self.energy), best_energy.eq(self.best_energy)]

        with m.FSM() as machine:
            m.d.comb += [
                self.fetch_draw.eq(machine.ongoing("FETCH_DRAW")),
                self.fetch.eq(machine.ongoing("FETCH_CHAIN") | self.fetch_draw),
                self.words.valid.eq(~machine.ongoing("IDLE") & ~self.fetch),
            ]
            with m.State("IDLE"):
                m.d.comb += self.address.eq(0)
                with m.If(self.start):
                    m.next = "HEADER"
            for name, following in (("FETCH_CHAIN", "CHAIN"), ("FETCH_DRAW", "DRAW")):
                with m.State(name):
                    m.d.comb += self.address.eq(0)
                    with m.If(self.fetched):
                        m.next = following
            for name, value, following in (
                ("HEADER", Response.DRAW << 24 | self.tag << 16 | length, "FETCH_CHAIN"),
                ("CHAIN", self.word, "FETCH_DRAW"),
                ("DRAW", self.word, "ENERGY_LOW"),
                ("ENERGY_LOW", energy[:32], "ENERGY_HIGH"),
                ("BEST_LOW", best_energy[:32], "BEST_HIGH"),
            ):
                with m.State(name):
                    m.d.comb += [word.eq(value), self.address.eq(0)]
                    with m.If(fire):
                        m.next = following
            with m.State("ENERGY_HIGH"):
                m.d.comb += [
                    word.eq(energy[32:]),
                    self.address.eq(0),
                    self.words.payload.last.eq(~self.samples & ~self.with_best),
                ]
                with m.If(fire):
                    with m.If(self.samples):
                        m.next = "SPINS"
                    with m.Elif(self.with_best):
                        m.next = "BEST_LOW"
                    with m.Else():
                        m.next = "IDLE"
            with m.State("SPINS"):
                m.d.comb += [
                    word.eq(self.spins),
                    self.words.payload.last.eq(ends & ~self.with_best),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(Mux(ends, 0, index + 1))
                    with m.If(ends):
                        with m.If(self.with_best):
                            m.next = "BEST_LOW"
                        with m.Else():
                            m.next = "IDLE"
            with m.State("BEST_HIGH"):
                m.d.comb += [word.eq(best_energy[32:]), self.address.eq(0)]
                with m.If(fire):
                    m.next = "BEST"
            with m.State("BEST"):
                m.d.comb += [
                    word.eq(Mux(self.current, self.spins, self.best)),
                    self.words.payload.last.eq(ends),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(Mux(ends, 0, index + 1))
                    with m.If(ends):
                        m.next = "IDLE"
        return m

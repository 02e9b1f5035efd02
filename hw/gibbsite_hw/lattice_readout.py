"""Sends one draw: energy, state, best energy and best state as a DRAW packet.

Twin: ``_draw_packets`` of `gibbsite_models.golden.lattice_shell.LatticeShell`.
"""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec.lattice_packets import LatticeResponse
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.words import word_layout

__all__ = ["LatticeReadout"]

_LATENCY = 4
"""Cycles from a column to its spins: its register, the memory, the register behind it, and one in
which the spins of all banks come together."""


class LatticeReadout(wiring.Component):
    """Sends a DRAW packet when ``start`` is given, then ``done`` for one cycle with its last word.

    ``column`` goes to the spin memories, whose words of both colours come back as ``spins``;
    ``show_best`` says that those of the best state are wanted. All inputs stay as they are until
    ``done``. ``words`` of a state are ``columns`` times the words of a column.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "tag": In(8),
                "samples": In(1),
                "with_best": In(1),
                "columns": In(range(parameters.columns + 1)),
                "chain": In(32),
                "draw": In(32),
                "energy": In(signed(parameters.energy_bits)),
                "best_energy": In(signed(parameters.energy_bits)),
                "column": Out(range(parameters.columns)),
                "show_best": Out(1),
                "spins": In(unsigned(parameters.lanes)).array(2),
                "words": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        fire = Signal()
        word, last = self.words.payload.word, self.words.payload.last
        m.d.comb += [
            fire.eq(self.words.valid & self.words.ready),
            self.done.eq(fire & last),
        ]
        whole = Signal(16)
        m.d.sync += whole.eq(self.columns * parameters.words)
        length = Signal(16)
        m.d.sync += length.eq(4 + Mux(self.samples, whole, 0) + Mux(self.with_best, whole + 2, 0))
        energy, best_energy = Signal(signed(64)), Signal(signed(64))
        m.d.comb += [energy.eq(self.energy), best_energy.eq(self.best_energy)]
        fetch, fetched, ended, taken = self._columns(m)
        place = Signal(range(max(2, parameters.words)))
        pieces = Array(fetched[32 * n :][:32] for n in range(parameters.words))
        ends_column = place == parameters.words - 1

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [self.show_best.eq(0), place.eq(0)]
                with m.If(self.start):
                    m.next = "HEADER"
            for name, value, following in (
                ("HEADER", LatticeResponse.DRAW << 24 | self.tag << 16 | length, "CHAIN"),
                ("CHAIN", self.chain, "DRAW"),
                ("DRAW", self.draw, "ENERGY_LOW"),
                ("ENERGY_LOW", energy[:32], "ENERGY_HIGH"),
                ("BEST_LOW", best_energy[:32], "BEST_HIGH"),
            ):
                with m.State(name):
                    m.d.comb += [word.eq(value), self.words.valid.eq(1)]
                    with m.If(fire):
                        m.next = following
            with m.State("ENERGY_HIGH"):
                m.d.comb += [
                    word.eq(energy[32:]),
                    self.words.valid.eq(1),
                    last.eq(~self.samples & ~self.with_best),
                ]
                with m.If(fire):
                    m.d.comb += fetch.eq(1)
                    with m.If(self.samples):
                        m.next = "SPINS"
                    with m.Elif(self.with_best):
                        m.next = "BEST_LOW"
                    with m.Else():
                        m.next = "IDLE"
            with m.State("BEST_HIGH"):
                m.d.comb += [word.eq(best_energy[32:]), self.words.valid.eq(1)]
                m.d.sync += self.show_best.eq(1)
                with m.If(fire):
                    m.d.comb += fetch.eq(1)
                    m.next = "SPINS"
            with m.State("SPINS"):
                is_last = self.show_best | ~self.with_best
                m.d.comb += [
                    word.eq(pieces[place]),
                    self.words.valid.eq(taken),
                    last.eq(ended & ends_column & is_last),
                ]
                with m.If(fire):
                    m.d.sync += place.eq(Mux(ends_column, 0, place + 1))
                    with m.If(ends_column):
                        m.d.sync += taken.eq(0)
                        with m.If(ended):
                            with m.If(is_last):
                                m.next = "IDLE"
                            with m.Else():
                                m.next = "BEST_LOW"
        return m

    def _columns(self, m):
        """Fetches a state column by column, ahead of the one that is being sent.

        ``fetch`` begins. Once ``taken``, ``fetched`` are the rows of a column, ``ended`` of the
        last one; who sent it clears ``taken``.
        """
        parameters = self._parameters
        fetch, taken, ended = Signal(), Signal(), Signal()
        fetched = Signal(32 * parameters.words)
        wait = Signal(range(_LATENCY + 1))
        open_, final = Signal(), Signal()
        swap = self.column[0]
        even, odd = (Mux(swap, self.spins[1 - n], self.spins[n]) for n in range(2))
        pairs = [Cat(even[n], odd[n]) for n in range(parameters.lanes)]
        rest = 32 * parameters.words - parameters.rows
        m.d.comb += final.eq(self.column + 1 == self.columns)
        with m.If(fetch):
            m.d.sync += [self.column.eq(0), wait.eq(_LATENCY), open_.eq(1), taken.eq(0)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Elif(open_ & ~taken):
            m.d.sync += [
                fetched.eq(Cat(*pairs, Const(0, rest))),
                taken.eq(1),
                ended.eq(final),
                self.column.eq(self.column + 1),
                wait.eq(_LATENCY),
                open_.eq(~final),
            ]
        return fetch, fetched, ended, taken

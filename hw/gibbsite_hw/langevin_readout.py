"""Sends draws and moments as DRAW and MOMENTS packets."""

from amaranth.hdl import Array, Module, Mux, Signal, signed, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_force import STATE_BITS
from gibbsite_hw.langevin_moments import MOMENT_BITS
from gibbsite_hw.langevin_signatures import slot_layout
from gibbsite_hw.langevin_tail import ENERGY_BITS
from gibbsite_hw.langevin_unit import HEAT_BITS
from gibbsite_hw.spec.langevin_packets import LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.words import word_layout

__all__ = ["LangevinReadout"]

_FIXED = 9
"""Payload words of every draw: chain, draw, step, and three numbers of two words."""


class LangevinReadout(wiring.Component):
    """Sends a packet when ``start`` is given, then ``done`` for one cycle with its last word.

    ``moments`` beside ``start`` chooses MOMENTS. ``unit`` and ``pair`` go to the memories
    (synchronous), whose words come back as ``state``, ``best`` and ``sum``. ``current``: the best
    state is that of the draw. All inputs stay as they are until ``done``.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "start": In(1),
                "moments": In(1),
                "done": Out(1),
                "tag": In(8),
                "samples": In(1),
                "with_best": In(1),
                "current": In(1),
                "units": In(range(parameters.units + 1)),
                "pairs": In(32),
                "chain": In(32),
                "draw": In(32),
                "step": In(32),
                "energy": In(signed(ENERGY_BITS)),
                "work": In(signed(HEAT_BITS)),
                "heat": In(signed(HEAT_BITS)),
                "best_energy": In(signed(ENERGY_BITS)),
                "additions": In(32),
                "unit": Out(slot_layout(parameters)["index"].shape),
                "pair": Out(unsigned(max(1, (parameters.pairs - 1).bit_length()))),
                "state": In(signed(STATE_BITS)),
                "best": In(signed(STATE_BITS)),
                "sum": In(signed(MOMENT_BITS)),
                "words": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        wide = []
        for name in ("energy", "work", "heat", "best_energy", "sum"):
            value = Signal(signed(64), name=f"{name}_wide")
            m.d.comb += value.eq(getattr(self, name))
            wide.append((value[:32], value[32:]))
        energy, work, heat, best_energy, total = wide
        index = Signal(range(max(self._parameters.units, self._parameters.pairs, _FIXED) + 1))
        high, fire, ends = Signal(), Signal(), Signal()
        following = Signal.like(index)
        word, last = self.words.payload.word, self.words.payload.last
        draw_length = _FIXED + Mux(self.samples, self.units, 0)
        draw_length += Mux(self.with_best, self.units + 2, 0)
        sums_length = 2 + (self.pairs << 1)
        fixed = Array([self.chain, self.draw, self.step, *energy, *work, *heat])
        # The next address is presented a cycle ahead of its word.
        m.d.comb += [
            fire.eq(self.words.valid & self.words.ready),
            self.done.eq(fire & last),
            self.unit.eq(following),
            self.pair.eq(following),
            following.eq(0),
        ]

        def go(state):
            m.d.sync += index.eq(0)
            m.next = state

        with m.FSM() as machine:
            m.d.comb += self.words.valid.eq(~machine.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += [index.eq(0), high.eq(0)]
                with m.If(self.start):
                    m.next = "DRAW"
                    with m.If(self.moments):
                        m.next = "MOMENTS"
            with m.State("DRAW"):
                m.d.comb += word.eq(LangevinResponse.DRAW << 24 | self.tag << 16 | draw_length)
                with m.If(fire):
                    m.next = "FIXED"
            with m.State("FIXED"):
                m.d.comb += [
                    word.eq(fixed[index]),
                    ends.eq(index == _FIXED - 1),
                    last.eq(ends & ~self.samples & ~self.with_best),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(index + 1)
                    with m.If(ends):
                        go("IDLE")
                        with m.If(self.samples):
                            m.next = "STATES"
                        with m.Elif(self.with_best):
                            m.next = "BEST_ENERGY"
            with m.State("STATES"):
                m.d.comb += [
                    word.eq(self.state),
                    ends.eq(index + 1 == self.units),
                    last.eq(ends & ~self.with_best),
                    following.eq(Mux(fire, index + 1, index)),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(index + 1)
                    with m.If(ends):
                        go("IDLE")
                        with m.If(self.with_best):
                            m.next = "BEST_ENERGY"
            with m.State("BEST_ENERGY"):
                m.d.comb += word.eq(Mux(high, best_energy[1], best_energy[0]))
                with m.If(fire):
                    m.d.sync += high.eq(~high)
                    with m.If(high):
                        m.next = "BEST"
            with m.State("BEST"):
                m.d.comb += [
                    word.eq(Mux(self.current, self.state, self.best)),
                    last.eq(index + 1 == self.units),
                    following.eq(Mux(fire, index + 1, index)),
                ]
                with m.If(fire):
                    m.d.sync += index.eq(index + 1)
                    with m.If(last):
                        go("IDLE")
            with m.State("MOMENTS"):
                m.d.comb += word.eq(LangevinResponse.MOMENTS << 24 | self.tag << 16 | sums_length)
                with m.If(fire):
                    m.next = "COUNTS"
            with m.State("COUNTS"):
                m.d.comb += word.eq(Mux(high, self.additions, self.chain))
                with m.If(fire):
                    m.d.sync += high.eq(~high)
                    with m.If(high):
                        m.next = "SUMS"
            with m.State("SUMS"):
                m.d.comb += [
                    word.eq(Mux(high, total[1], total[0])),
                    last.eq(high & (index + 1 == self.pairs)),
                    following.eq(Mux(fire & high, index + 1, index)),
                ]
                with m.If(fire):
                    m.d.sync += [high.eq(~high), index.eq(index + high)]
                    with m.If(last):
                        go("IDLE")
        return m

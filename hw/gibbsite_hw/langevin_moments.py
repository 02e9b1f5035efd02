"""Running sums of products of two units, or of single units.

    sum = sat(sum + x_i x_j),   x_j = 2^14 if i is alone

Twin: ``_add_moments`` of `gibbsite_models.golden.langevin`.
"""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed, round_by, saturate
from gibbsite_hw.langevin_force import STATE_BITS
from gibbsite_hw.langevin_signatures import (
    LangevinMemories,
    langevin_write_signature,
    slot_layout,
)
from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    OPERAND_FRAC,
    OPERAND_MAX,
    OPERAND_SHIFT,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["MOMENT_BITS", "LangevinMoments"]

MOMENT_BITS = ACCUMULATOR_MAX.bit_length() + 1
_PAIR = data.StructLayout({"first": 12, "second": 12, "alone": 1})


class LangevinMoments(wiring.Component):
    """Adds all pairs once in the cycles after ``start``; ``done`` in the last of these.

    A pair enters each cycle. Its cycle 1 asks for the states at ``unit``, which come back as
    ``state`` in cycle 2; its sum is written in cycle 5. ``clear`` starts sums anew: the first
    addition replaces what the memory holds, and ``sum``, read at ``read_pair``, is 0 before it.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        place = unsigned(max(1, (parameters.pairs - 1).bit_length()))
        super().__init__(
            {
                "write": In(langevin_write_signature(parameters)),
                "pairs": In(32),
                "clear": In(1),
                "start": In(1),
                "done": Out(1),
                "unit": Out(slot_layout(parameters)["index"].shape).array(2),
                "state": In(signed(STATE_BITS)).array(2),
                "additions": Out(32),
                "read_pair": In(place),
                "sum": Out(signed(MOMENT_BITS)),
                "saturations": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = max(1, self._parameters.pairs)
        write = self.write
        m.submodules.pair_memory = pairs = Memory(shape=_PAIR, depth=depth, init=[])
        m.submodules.sums = sums = Memory(shape=signed(MOMENT_BITS), depth=depth, init=[])
        pair_write, pair_port = pairs.write_port(), pairs.read_port()
        sum_write, sum_port = sums.write_port(), sums.read_port()
        # Cycle 0: a pair of each cycle.
        index0, valid0 = Signal.like(self.read_pair), Signal()
        last0 = Signal()
        m.d.comb += last0.eq(valid0 & (index0 + 1 == self.pairs))
        with m.If(self.start):
            m.d.sync += [index0.eq(0), valid0.eq(1)]
        with m.Elif(valid0):
            m.d.sync += [index0.eq(index0 + 1), valid0.eq(~last0)]
        index = delayed(m, "index", index0, 5)
        valid = delayed(m, "valid", valid0, 5)
        last = delayed(m, "last", last0, 5)
        # Cycles 1 and 2: units and states.
        alone2 = Signal()
        x3 = [Signal(signed(OPERAND_MAX.bit_length() + 1), name=f"x3_{n}") for n in range(2)]
        m.d.sync += [
            alone2.eq(pair_port.data.alone),
            x3[0].eq(round_by(self.state[0], OPERAND_SHIFT)),
            x3[1].eq(Mux(alone2, 1 << OPERAND_FRAC, round_by(self.state[1], OPERAND_SHIFT))),
        ]
        # Cycles 3 and 4: product and sum.
        product4 = Signal(signed(2 * OPERAND_MAX.bit_length() + 2))
        total5 = Signal(signed(MOMENT_BITS))
        fresh = self.additions == 0
        m.d.sync += product4.eq(x3[0] * x3[1])
        total, saturates = saturate(
            m, "total", Mux(fresh, 0, sum_port.data) + product4, ACCUMULATOR_MAX
        )
        m.d.sync += total5.eq(total)
        m.d.comb += [
            pair_write.addr.eq(write.address),
            pair_write.data.eq(write.data),
            pair_write.en.eq(write.enable & (write.memory == LangevinMemories.PAIRS)),
            pair_port.addr.eq(index0),
            self.unit[0].eq(pair_port.data.first),
            self.unit[1].eq(pair_port.data.second),
            sum_port.addr.eq(Mux(valid[3], index[3], self.read_pair)),
            sum_write.addr.eq(index[5]),
            sum_write.data.eq(total5),
            sum_write.en.eq(valid[5]),
            self.sum.eq(Mux(fresh, 0, sum_port.data)),
            self.saturations.eq(valid[4] & saturates),
            self.done.eq(last[5]),
        ]
        with m.If(self.done):
            m.d.sync += self.additions.eq(self.additions + 1)
        with m.If(self.clear):
            m.d.sync += self.additions.eq(0)
        return m

"""Residuals of the constraints and the multipliers m that push back.

    r = sat(rs(sum k x, residual) - d),   rho = r or max(r, 0)
    m = sat(rs(lambda rho, multiplier)),  energy += rs(m rho, penalty)

Twin: ``Field._multipliers`` of `gibbsite_models.golden.langevin_field`, energies in ``Field.look``.
"""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed, half_shift, round_half, saturate
from gibbsite_hw.langevin_dot import sum_bits
from gibbsite_hw.langevin_signatures import (
    LangevinMemories,
    langevin_write_signature,
    shifts_layout,
    slot_layout,
)
from gibbsite_hw.spec.langevin_formats import COEFFICIENT_MAX, OPERAND_MAX, RESIDUAL_MAX
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["ENERGY_SUM_BITS", "LangevinResidual"]

ENERGY_SUM_BITS = 56
"""A term's energy before it is saturated: 2^12 constraints of 2^17 2^25 at most."""

_RESIDUAL_BITS = RESIDUAL_MAX.bit_length() + 1
_WEIGHT_BITS = COEFFICIENT_MAX.bit_length()
_constraint = data.StructLayout(
    {"hinge": 1, "weight": unsigned(_WEIGHT_BITS), "offset": signed(_RESIDUAL_BITS)}
)


class LangevinResidual(wiring.Component):
    """Cycle 0: ``slot``. Cycle 6: its row's ``sum``. Cycle 11: ``put`` m at ``index``.

    ``energy`` follows, two cycles after its m; ``clear`` sets it to zero. ``saturations``: how many
    values did not fit in this cycle.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        layout = slot_layout(parameters)
        super().__init__(
            {
                "write": In(langevin_write_signature(parameters)),
                "shifts": In(shifts_layout),
                "clear": In(1),
                "slot": In(layout),
                "sum": In(signed(sum_bits(parameters))),
                "put": Out(1),
                "index": Out(layout["index"].shape),
                "multiplier": Out(signed(OPERAND_MAX.bit_length() + 1)),
                "energy": Out(signed(ENERGY_SUM_BITS)),
                "saturations": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        write = self.write
        slot = self.slot
        shifts = self.shifts
        depth = max(1, parameters.constraints)
        m.submodules.constraints = memory = Memory(shape=_constraint, depth=depth, init=[])
        write_port, read_port = memory.write_port(), memory.read_port()
        m.d.comb += [
            write_port.addr.eq(write.address),
            write_port.data.hinge.eq(write.data[0]),
            write_port.data.weight.eq(write.data[32 : 32 + _WEIGHT_BITS]),
            write_port.data.offset.eq(write.data[64 : 64 + _RESIDUAL_BITS]),
            write_port.en.eq(write.enable & (write.memory == LangevinMemories.CONSTRAINTS)),
        ]
        ends = delayed(m, "ends", slot.residual & slot.last, 13)
        index = delayed(m, "index", slot.index, 11)

        # Cycle 6: sum and constraint come in.
        m.d.comb += read_port.addr.eq(index[5])
        half7 = Signal(signed(sum_bits(parameters) + 1))
        constraint7 = Signal(_constraint)
        m.d.sync += [
            half7.eq(half_shift(self.sum, shifts.residual)),
            constraint7.eq(read_port.data),
        ]
        # Cycle 7: the residual.
        r7, r_saturates = saturate(m, "r7", round_half(half7) - constraint7.offset, RESIDUAL_MAX)
        rho8 = Signal(signed(_RESIDUAL_BITS))
        weight8 = Signal(_WEIGHT_BITS)
        m.d.sync += [
            rho8.eq(Mux(constraint7.hinge & (r7 < 0), 0, r7)),
            weight8.eq(constraint7.weight),
        ]
        # Cycles 8, 9, 10: the multiplier.
        rho = delayed(m, "rho_", rho8, 3)
        product9 = Signal(signed(_RESIDUAL_BITS + _WEIGHT_BITS))
        half10 = Signal(signed(_RESIDUAL_BITS + _WEIGHT_BITS + 1))
        m.d.sync += [
            product9.eq(rho8 * weight8),
            half10.eq(half_shift(product9, shifts.multiplier)),
        ]
        m10, m_saturates = saturate(m, "m10", round_half(half10), OPERAND_MAX)
        m.d.sync += self.multiplier.eq(m10)
        m.d.comb += [
            self.put.eq(ends[11]),
            self.index.eq(index[11]),
            self.saturations.eq((ends[7] & r_saturates) + (ends[10] & m_saturates)),
        ]
        # Cycles 11, 12, 13: the energy.
        energy12 = Signal(signed(_RESIDUAL_BITS + OPERAND_MAX.bit_length() + 1))
        half13 = Signal(signed(_RESIDUAL_BITS + OPERAND_MAX.bit_length() + 2))
        m.d.sync += [
            energy12.eq(self.multiplier * rho[3]),
            half13.eq(half_shift(energy12, shifts.penalty)),
        ]
        with m.If(self.clear):
            m.d.sync += self.energy.eq(0)
        with m.Elif(ends[13]):
            m.d.sync += self.energy.eq(self.energy + round_half(half13))
        return m

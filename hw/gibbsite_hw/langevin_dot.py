"""The multipliers: coupling words times operands, summed row by row.

Twin: the sums over j and a in `gibbsite_models.golden.langevin`.
"""

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed
from gibbsite_hw.langevin_signatures import (
    LangevinMemories,
    langevin_write_signature,
    operand_bits,
    slot_layout,
)
from gibbsite_hw.spec.langevin_formats import OPERAND_MAX
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["LangevinDot", "sum_bits"]

_OPERAND_BITS = OPERAND_MAX.bit_length() + 1
_TREE_STAGES = 3


def sum_bits(parameters: LangevinParameters) -> int:
    """Bits of a row's sum."""
    longest = max(parameters.units, parameters.constraints)
    return parameters.weight_bits + _OPERAND_BITS - 1 + longest.bit_length()


class LangevinDot(wiring.Component):
    """Cycle 0: ``slot`` with its addresses and ``mask``. Cycle 6: ``sum`` of the row so far.

    Each lane has its own coupling and operand memory. ``put`` writes operand ``put_data`` to the
    lane that the low bits of ``put_index`` name, at word ``put_base + (put_index >> lane_bits)``.
    Lanes outside of ``mask`` count as zero, whatever they hold.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        layout = slot_layout(parameters)
        super().__init__(
            {
                "write": In(langevin_write_signature(parameters)),
                "slot": In(layout),
                "word": In(unsigned(max(1, (parameters.weight_words - 1).bit_length()))),
                "operand": In(unsigned(operand_bits(parameters))),
                "mask": In(parameters.multipliers),
                "put": In(1),
                "put_base": In(unsigned(operand_bits(parameters))),
                "put_index": In(layout["index"].shape),
                "put_data": In(signed(_OPERAND_BITS)),
                "sum": Out(signed(sum_bits(parameters))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes, weight_bits = parameters.multipliers, parameters.weight_bits
        write = self.write
        slot = self.slot
        mask1 = Signal(lanes)
        m.d.sync += mask1.eq(self.mask)
        put_address = Signal(operand_bits(parameters))
        put_lane = Signal(parameters.lane_bits)
        m.d.comb += [
            put_address.eq(self.put_base + (self.put_index >> parameters.lane_bits)),
            put_lane.eq(self.put_index),
        ]
        depth = 2 * parameters.words(parameters.units) + parameters.words(parameters.constraints)
        level = []
        for lane in range(lanes):
            weights = Memory(shape=signed(weight_bits), depth=parameters.weight_words, init=[])
            operands = Memory(shape=signed(_OPERAND_BITS), depth=depth, init=[])
            m.submodules[f"weights{lane}"] = weights
            m.submodules[f"operands{lane}"] = operands
            weight_write, weight_read = weights.write_port(), weights.read_port()
            operand_write, operand_read = operands.write_port(), operands.read_port()
            here = (write.memory == LangevinMemories.WEIGHTS) & (write.lane == lane // 2)
            half = 16 * (lane % 2)
            m.d.comb += [
                weight_write.addr.eq(write.address),
                weight_write.data.eq(write.data[half : half + weight_bits]),
                weight_write.en.eq(write.enable & here),
                weight_read.addr.eq(self.word),
                operand_write.addr.eq(put_address),
                operand_write.data.eq(self.put_data),
                operand_write.en.eq(self.put & (put_lane == lane)),
                operand_read.addr.eq(self.operand),
            ]
            # Cycle 1: words and operands come out of their memories.
            product = Signal(signed(weight_bits + _OPERAND_BITS), name=f"product{lane}")
            m.d.sync += product.eq(Mux(mask1[lane], weight_read.data * operand_read.data, 0))
            level.append(product)
        # Cycles 2, 3, 4: the adder tree.
        for stage in range(_TREE_STAGES):
            levels = parameters.lane_bits // _TREE_STAGES
            levels += stage < parameters.lane_bits % _TREE_STAGES
            for _ in range(levels):
                level = [a + b for a, b in zip(level[::2], level[1::2], strict=True)]
            held = []
            for number, value in enumerate(level):
                register = Signal(value.shape(), name=f"tree{stage}_{number}")
                m.d.sync += register.eq(value)
                held.append(register)
            level = held
        # Cycle 5: the words of a row.
        first5 = delayed(m, "first", slot.first, 5)[-1]
        product5 = delayed(m, "valid", slot.product, 5)[-1]
        with m.If(product5):
            m.d.sync += self.sum.eq(Mux(first5, 0, self.sum) + level[0])
        return m

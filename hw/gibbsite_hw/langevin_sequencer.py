"""Issues the slots of a pass: coupling words in the order of their memory, and the ends of units.

residuals   for every constraint its row k, ceil(n / L) words; then a pause of RESIDUAL_LATENCY
units       for every unit its row of J, then its column of k; one empty slot if it has neither
"""

from enum import IntEnum

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_signatures import operand_bits, slot_layout
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_timing import RESIDUAL_LATENCY

__all__ = ["LangevinSequencer"]


class _Phase(IntEnum):
    REST, RESIDUALS, PAUSE, UNITS = range(4)


class LangevinSequencer(wiring.Component):
    """Begins in the cycle after ``rewind``; ``starting`` beside it asks for units only.

    ``slot`` and, for a coupling word, its address ``word``, its operands' ``operand`` and its
    lanes in use (``mask``, their number ``active``) are valid in the same cycle. ``bank`` chooses
    the operands x that are read. Sizes stay as they are during a run.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "rewind": In(1),
                "starting": In(1),
                "bank": In(1),
                "units": In(range(parameters.units + 1)),
                "constraints": In(range(parameters.constraints + 1)),
                "coupled": In(1),
                "slot": Out(slot_layout(parameters)),
                "word": Out(unsigned(max(1, (parameters.weight_words - 1).bit_length()))),
                "operand": Out(unsigned(operand_bits(parameters))),
                "active": Out(unsigned(parameters.lane_bits + 1)),
                "mask": Out(parameters.multipliers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        lanes, lane_bits = parameters.multipliers, parameters.lane_bits
        slot = self.slot
        most = max(parameters.words(parameters.units), parameters.words(parameters.constraints))
        bank_words = parameters.words(parameters.units)

        # Rows over the units and rows over the constraints: words, lanes in use of the last word.
        sizes = []
        for name, length in (("n", self.units), ("m", self.constraints)):
            words = Signal(range(most + 1), name=f"words_{name}")
            active = Signal(lane_bits + 1, name=f"active_{name}")
            mask = Signal(lanes, name=f"mask_{name}")
            m.d.sync += [
                words.eq((length + lanes - 1) >> lane_bits),
                active.eq(((length - 1) & (lanes - 1)) + 1),
                mask.eq((1 << active) - 1),
            ]
            sizes.append((words, active, mask))
        (words_n, active_n, mask_n), (words_m, active_m, mask_m) = sizes

        phase = Signal(_Phase)
        units_only = Signal()
        column = Signal(range(most + 1))
        index = Signal(slot_layout(parameters)["index"].shape)
        pause = Signal(range(RESIDUAL_LATENCY))
        over_units, ends, ends_row = Signal(), Signal(), Signal()
        m.d.comb += [
            over_units.eq((phase == _Phase.RESIDUALS) | slot.coupling),
            ends_row.eq(column + 1 == Mux(over_units, words_n, words_m)),
            slot.index.eq(index),
            slot.first.eq(column == 0),
            slot.last.eq(ends_row),
            self.active.eq(Mux(ends_row, Mux(over_units, active_n, active_m), lanes)),
            self.mask.eq(Mux(ends_row, Mux(over_units, mask_n, mask_m), (1 << lanes) - 1)),
            self.operand.eq(
                column + Mux(over_units, Mux(self.bank, bank_words, 0), 2 * bank_words)
            ),
        ]
        with m.If(slot.product):
            m.d.sync += [self.word.eq(self.word + 1), column.eq(column + 1)]
            with m.If(ends_row):
                m.d.sync += column.eq(0)
        on_column = Signal()
        with m.Switch(phase):
            with m.Case(_Phase.RESIDUALS):
                m.d.comb += [slot.product.eq(1), slot.residual.eq(1)]
                with m.If(ends_row):
                    m.d.sync += index.eq(index + 1)
                    with m.If(index + 1 == self.constraints):
                        m.d.sync += [phase.eq(_Phase.PAUSE), index.eq(0)]
            with m.Case(_Phase.PAUSE):
                m.d.sync += pause.eq(pause + 1)
                with m.If(pause == RESIDUAL_LATENCY - 1):
                    m.d.sync += phase.eq(_Phase.UNITS)
            with m.Case(_Phase.UNITS):
                rows = self.coupled | (self.constraints != 0)
                m.d.comb += [
                    slot.product.eq(rows & ~units_only),
                    slot.coupling.eq(self.coupled & ~on_column),
                    ends.eq(slot.coupling & (self.constraints != 0)),
                    slot.unit.eq(~slot.product | (ends_row & ~ends)),
                    slot.final.eq(slot.unit & (index + 1 == self.units)),
                ]
                with m.If(slot.product & ends_row):
                    m.d.sync += on_column.eq(ends)
                with m.If(slot.unit):
                    m.d.sync += index.eq(index + 1)
                with m.If(slot.final):
                    m.d.sync += phase.eq(_Phase.REST)
        with m.If(self.rewind):
            m.d.sync += [
                units_only.eq(self.starting),
                self.word.eq(0),
                column.eq(0),
                on_column.eq(0),
                index.eq(0),
                pause.eq(0),
                phase.eq(
                    Mux(self.starting | (self.constraints == 0), _Phase.UNITS, _Phase.RESIDUALS)
                ),
            ]
        return m

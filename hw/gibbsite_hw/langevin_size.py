"""Sizes and shifts of the Langevin engine's program, as BEGIN gives them.

Twin: ``_begin`` in `gibbsite_models.golden.langevin_shell`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_signatures import shifts_layout
from gibbsite_hw.spec.langevin_formats import SHIFT_MAX
from gibbsite_hw.spec.langevin_packets import LANGEVIN_FIXED_LENGTHS, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import Shifts

__all__ = ["BEGIN_WORDS", "LangevinSize", "first_of"]

BEGIN_WORDS = LANGEVIN_FIXED_LENGTHS[LangevinOpcode.BEGIN]
_SIZES = 3
"""Payload words of BEGIN before its shifts."""


def first_of(holds):
    """Number of the first condition that holds; 0 if none does."""
    number = Const(0)
    for at, condition in reversed(list(enumerate(holds))):
        number = Mux(condition, at, number)
    return number


class LangevinSize(wiring.Component):
    """``payload`` of BEGIN is ``bad`` from its word ``bad_at`` on, or ``take`` makes it the size.

    ``words``, the coupling words of a program of this size, follow a cycle after it.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "payload": In(unsigned(32)).array(BEGIN_WORDS),
                "take": In(1),
                "bad": Out(1),
                "bad_at": Out(range(BEGIN_WORDS)),
                "units": Out(range(parameters.units + 1)),
                "constraints": Out(range(parameters.constraints + 1)),
                "coupled": Out(1),
                "shifts": Out(shifts_layout),
                "words": Out(range(parameters.weight_words + 1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        payload = [self.payload[n] for n in range(BEGIN_WORDS)]
        units, constraints, coupled = payload[:_SIZES]
        bad = [
            (units == 0) | (units > parameters.units),
            constraints > parameters.constraints,
            coupled > 1,
        ]
        shifts = []
        for word in payload[_SIZES:]:
            places = [word[8 * k :][:8] for k in range(4)]
            # bytes beyond the last shift must be zero
            used = len(Shifts.__slots__) - len(shifts)
            wrong = [place > (SHIFT_MAX if k < used else 0) for k, place in enumerate(places)]
            bad.append(Cat(wrong).any())
            shifts += places
        m.d.comb += [self.bad.eq(Cat(bad).any()), self.bad_at.eq(first_of(bad))]
        with m.If(self.take):
            m.d.sync += [
                self.units.eq(units),
                self.constraints.eq(constraints),
                self.coupled.eq(coupled),
            ]
            for name, place in zip(Shifts.__slots__, shifts, strict=False):
                m.d.sync += self.shifts[name].eq(place)

        # A row of J and a row k take `row` words, a column of k `column`.
        row, column = Signal.like(self.units), Signal.like(self.constraints)
        m.d.comb += [
            row.eq((self.units + parameters.multipliers - 1) >> parameters.lane_bits),
            column.eq((self.constraints + parameters.multipliers - 1) >> parameters.lane_bits),
        ]
        of_units = self.units * (Mux(self.coupled, row, 0) + column)
        m.d.sync += self.words.eq(self.constraints * row + of_units)
        return m

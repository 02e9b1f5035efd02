"""The six force terms of a unit, their energies, and the gradient under two sets of strengths.

    h_m         = sat(rs(code times x, x^3, 2^14 or a row's sum, shift_m))
    energy_m   += rs(h_m x, 15, 16, 14, 15, -, 14)          the constraints' stands elsewhere
    gradient(s) = sat(rs(sum s_m h_m, STRENGTH_FRAC))

Twin: ``Field.look`` and ``Field.gradient`` of `gibbsite_models.golden.langevin_field`.
"""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import delayed, half_shift, round_by, round_half, saturate
from gibbsite_hw.langevin_dot import sum_bits
from gibbsite_hw.langevin_residual import ENERGY_SUM_BITS
from gibbsite_hw.langevin_signatures import shifts_layout, strengths_layout
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_BITS,
    FORCE_MAX,
    OPERAND_FRAC,
    OPERAND_MAX,
    OPERAND_SHIFT,
    STATE_MAX,
    STRENGTH_FRAC,
    TERMS,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = ["ENERGY_SHIFTS", "FORCE_BITS", "STATE_BITS", "LangevinForce", "unit_layout"]

ENERGY_SHIFTS = {"quadratic": 15, "quartic": 16, "bias": 14, "coupling": 15, "force": 14}
"""h_m x is degree times energy: halves and quarters are in the shift to ENERGY_FRAC bits."""
FORCE_BITS = FORCE_MAX.bit_length() + 1
STATE_BITS = STATE_MAX.bit_length() + 1
_OPERAND_BITS = OPERAND_MAX.bit_length() + 1
_CUBE_BITS = 26

unit_layout = data.StructLayout(
    {name: signed(COEFFICIENT_BITS) for name in ("quadratic", "quartic", "force")}
)
"""The coefficients of a unit that only come with the program, in the order of UNITS."""


class LangevinForce(wiring.Component):
    """Cycle 0: ``valid``. Cycle 1: the unit's ``state``. Cycle 6: its coefficients and sums.

    Cycle 12: ``gradient_old`` and ``gradient_new``; ``energies`` (of all terms but the
    constraints', which is 0) hold the unit too. ``clear`` sets them to zero, ``quiet`` keeps
    them and counts nothing. ``saturations``: values that did not fit in this cycle.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "shifts": In(shifts_layout),
                "strengths_old": In(strengths_layout()),
                "strengths_new": In(strengths_layout()),
                "clear": In(1),
                "quiet": In(1),
                "valid": In(1),
                "state": In(signed(STATE_BITS)),
                "unit": In(unit_layout),
                "bias": In(signed(COEFFICIENT_BITS)),
                "coupling": In(signed(sum_bits(parameters))),
                "constraint": In(signed(sum_bits(parameters))),
                "gradient_old": Out(signed(FORCE_BITS)),
                "gradient_new": Out(signed(FORCE_BITS)),
                "energies": Out(signed(ENERGY_SUM_BITS)).array(len(TERMS)),
                "saturations": Out(4),
            }
        )

    def elaborate(self, platform):
        m = Module()
        valid = delayed(m, "valid", self.valid & ~self.quiet, 11)
        # Cycles 1 to 6: powers of x.
        x1 = Signal(signed(_OPERAND_BITS))
        m.d.comb += x1.eq(round_by(self.state, OPERAND_SHIFT))
        x = [None, *delayed(m, "x_", x1, 8)]
        square3 = Signal(signed(2 * _OPERAND_BITS))
        square4 = Signal(signed(_CUBE_BITS))
        cube5 = Signal(signed(_CUBE_BITS + _OPERAND_BITS))
        cube6 = Signal(signed(_CUBE_BITS))
        m.d.sync += [
            square3.eq(x[2] * x[2]),
            square4.eq(round_by(square3, OPERAND_FRAC)),
            cube5.eq(square4 * x[4]),
            cube6.eq(round_by(cube5, OPERAND_FRAC)),
        ]
        # Cycles 6, 7, 8: coefficients times powers, shifted and saturated.
        values = {
            "quadratic": self.unit.quadratic * x[6],
            "quartic": self.unit.quartic * cube6,
            "bias": self.bias << OPERAND_FRAC,
            "coupling": self.coupling,
            "constraint": self.constraint,
            "force": self.unit.force << OPERAND_FRAC,
        }
        terms9, saturated8 = [], []
        for name in TERMS:
            value7 = Signal(values[name].shape(), name=f"{name}7")
            half8 = Signal(signed(len(value7) + 1), name=f"{name}8")
            term9 = Signal(signed(FORCE_BITS), name=f"{name}9")
            m.d.sync += [
                value7.eq(values[name]),
                half8.eq(half_shift(value7, self.shifts[name])),
            ]
            term8, saturates = saturate(m, f"{name}_term", round_half(half8), FORCE_MAX)
            m.d.sync += term9.eq(term8)
            terms9.append(term9)
            saturated8.append(saturates & valid[8])
        # Cycles 9, 10, 11: gradients.
        saturated11 = []
        for strengths, gradient, name in (
            (self.strengths_old, self.gradient_old, "old"),
            (self.strengths_new, self.gradient_new, "new"),
        ):
            products = []
            for number, term in enumerate(terms9):
                product = Signal(signed(FORCE_BITS + 18), name=f"{name}_product{number}")
                m.d.sync += product.eq(strengths[number] * term)
                products.append(product)
            total = Signal(signed(FORCE_BITS + 18 + 3), name=f"{name}_total")
            m.d.sync += total.eq(sum(products))
            held, saturates = saturate(
                m, f"{name}_gradient", round_by(total, STRENGTH_FRAC), FORCE_MAX
            )
            m.d.sync += gradient.eq(held)
            saturated11.append(saturates & valid[11])
        # Cycles 9, 10, 11: energies.
        for number, name in enumerate(TERMS):
            if name not in ENERGY_SHIFTS:
                continue
            product = Signal(signed(FORCE_BITS + _OPERAND_BITS), name=f"{name}_work")
            share = Signal(signed(FORCE_BITS + 5), name=f"{name}_share")
            m.d.sync += [
                product.eq(terms9[number] * x[9]),
                share.eq(round_by(product, ENERGY_SHIFTS[name])),
            ]
            with m.If(self.clear):
                m.d.sync += self.energies[number].eq(0)
            with m.Elif(valid[11]):
                m.d.sync += self.energies[number].eq(self.energies[number] + share)
        m.d.comb += self.saturations.eq(sum(saturated8) + sum(saturated11))
        return m

"""Gaussian variates from 64-bit uniforms; `gibbsite_hw.spec.langevin_tables` has the definition.

Twin: ``gaussian_code`` there, and ``shape_gaussian`` of `gibbsite_models.golden.gauss`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from gibbsite_hw.spec import langevin_tables as tables

__all__ = ["GaussianShaper"]


def _leading(m, value, widths, name):
    """``value`` shifted left over its leading zeros, in steps of ``widths``, and these steps."""
    zeros = []
    for bits in widths:
        empty = Signal(name=f"empty{bits}")
        shifted = Signal(64, name=f"{name}{bits}")
        m.d.comb += [
            empty.eq(value[64 - bits :] == 0),
            shifted.eq(Mux(empty, value << bits, value)),
        ]
        zeros.insert(0, empty)
        value = shifted
    return value, Cat(*zeros)


class GaussianShaper(wiring.Component):
    """Cycle 0: ``uniform``. Cycle 5: ``gaussian``, its code with GAUSS_FRAC fraction bits.

    A new uniform may come every cycle.
    """

    def __init__(self) -> None:
        super().__init__({"uniform": In(64), "gaussian": Out(signed(tables.GAUSS_BITS))})

    def elaborate(self, platform):
        m = Module()
        base, slope = tables.gaussian_tables()
        entry = data.StructLayout(
            {"base": signed(tables.BASE_BITS), "slope": signed(tables.SLOPE_BITS)}
        )
        init = [{"base": b, "slope": s} for b, s in zip(base, slope, strict=True)]
        m.submodules.table = table = Memory(shape=entry, depth=len(init), init=init)
        port = table.read_port()
        # Cycles 0 and 1: normalise; the leading one then stands at bit 63.
        upper0 = self.uniform[63]
        number = Signal(64)
        m.d.comb += number.eq(Cat(Const(1, 1), Mux(upper0, ~self.uniform[:63], self.uniform[:63])))
        coarse, zeros_high = _leading(m, number, (32, 16, 8), "coarse")
        number1, high1, upper1 = Signal(64), Signal(3), Signal()
        m.d.sync += [number1.eq(coarse), high1.eq(zeros_high), upper1.eq(upper0)]
        fine, zeros_low = _leading(m, number1, (4, 2, 1), "fine")
        mantissa2, octave2, upper2 = Signal(63), Signal(6), Signal()
        m.d.sync += [
            mantissa2.eq(fine[:63]),
            octave2.eq(Cat(zeros_low, high1)),
            upper2.eq(upper1),
        ]
        # Cycle 2: look up the segment.
        cut = 63 - tables.INDEX_BITS - tables.FRACTION_BITS
        place3, upper3 = Signal(tables.FRACTION_BITS + 1), Signal()
        m.d.comb += port.addr.eq(Cat(mantissa2[63 - tables.INDEX_BITS :], octave2))
        m.d.sync += [
            place3.eq(Cat(Const(1, 1), mantissa2[cut : cut + tables.FRACTION_BITS])),
            upper3.eq(upper2),
        ]
        # Cycle 3: the height within the segment.
        height4 = Signal(signed(tables.SLOPE_BITS + tables.FRACTION_BITS + 2))
        base4, upper4 = Signal(signed(tables.BASE_BITS)), Signal()
        m.d.sync += [
            height4.eq(port.data.slope * place3),
            base4.eq(port.data.base),
            upper4.eq(upper3),
        ]
        # Cycle 4: add, drop the guard bits, mirror.
        code = Signal(signed(tables.GAUSS_BITS))
        line = base4 + (height4 >> tables.FRACTION_BITS + 1)
        m.d.comb += code.eq(line >> tables.BASE_FRAC - tables.GAUSS_FRAC)
        m.d.sync += self.gaussian.eq(Mux(upper4, -code, code))
        return m

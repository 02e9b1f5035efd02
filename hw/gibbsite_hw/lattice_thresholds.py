"""Computes the threshold table of a beta, one magnitude a cycle: ``T(m)`` of `spec.lattice_tables`.

Lanes look up the field f itself, `LatticePlan.offset` added: the entry is ``T(|f|)`` with the sign
of f above it. Two entries that follow each other are written together: of an odd m those of m - 1
and m, of an even one those of -m and -m + 1, so every magnitude costs one cycle.

Twin: `gibbsite_hw.spec.lattice_tables.thresholds`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_memory import block_memory, read_word
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_tables import (
    BETA_BITS,
    FRACTION_BITS,
    GUARD_BITS,
    SEGMENTS,
    UNIFORM_BITS,
    X_END,
    threshold_lines,
)

__all__ = ["ENTRY_BITS", "LatticeThresholds", "table_write_layout"]

ENTRY_BITS = UNIFORM_BITS + 1
"""Bits of an entry: T and the sign of the field."""


def table_write_layout(parameters: LatticeParameters) -> data.StructLayout:
    """Entries ``low`` and ``high`` at addresses ``2 place`` and ``2 place + 1`` of a half."""
    return data.StructLayout(
        {
            "enable": 1,
            "half": 1,
            "place": parameters.field_bits - 1,
            "low": ENTRY_BITS,
            "high": ENTRY_BITS,
        }
    )


class LatticeThresholds(wiring.Component):
    """``begin`` starts the table of ``beta``, which goes out through ``write`` to ``half``.

    The first pair is written seven cycles later, the last one field_max cycles after it. A
    new ``begin`` gives up what was not yet begun.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        self._offset = LatticePlan(parameters).offset
        super().__init__(
            {
                "begin": In(1),
                "beta": In(BETA_BITS),
                "half": In(1),
                "write": Out(table_write_layout(parameters)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bits = self._parameters.field_bits
        end = self._parameters.field_max + 1
        beta, half, active = Signal(BETA_BITS), Signal(), Signal()
        magnitude = Signal(bits)
        # beyond X_END it does not matter how far
        x = Signal(X_END.bit_length() + 1)
        over = Signal()
        step = Cat(Const(0, 1), beta)
        total = Signal(max(len(x), BETA_BITS + 1) + 1)
        m.d.comb += total.eq(x + step)
        with m.If(active):
            m.d.sync += [
                magnitude.eq(magnitude + 1),
                x.eq(total),
                over.eq(over | (total >= X_END)),
                active.eq(magnitude != end),
            ]
        with m.If(self.begin):
            m.d.sync += [
                beta.eq(self.beta),
                half.eq(self.half),
                active.eq(1),
                magnitude.eq(0),
                x.eq(0),
                over.eq(0),
            ]

        base, slope = threshold_lines()
        base_bits, slope_bits = (max(values).bit_length() for values in (base, slope))
        depth = 1 << (SEGMENTS - 1).bit_length()
        lines = [b | s << base_bits for b, s in zip(base, slope, strict=True)]
        m.submodules.lines = memory = block_memory(base_bits + slope_bits, depth, lines)
        segment = x[FRACTION_BITS:][: (depth - 1).bit_length()]
        line1 = read_word(m, memory, segment, "line1")
        line2 = Signal.like(line1)
        stages = [(active, over, magnitude, half, x[:FRACTION_BITS])]
        for cycle in range(1, 6):
            copies = tuple(
                Signal(len(value), name=f"{name}{cycle}")
                for name, value in zip(
                    ("active", "over", "magnitude", "half", "fraction"), stages[-1], strict=True
                )
            )
            m.d.sync += [new.eq(old) for new, old in zip(copies, stages[-1], strict=True)]
            stages.append(copies)
        base3 = Signal(base_bits)
        product3 = Signal(slope_bits + FRACTION_BITS)
        threshold4 = Signal(UNIFORM_BITS)
        m.d.sync += [
            line2.eq(line1),
            base3.eq(line2[:base_bits]),
            product3.eq(line2[base_bits:] * stages[2][4]),
            threshold4.eq(
                Mux(
                    stages[3][1],
                    0,
                    (base3 - (product3 >> FRACTION_BITS) + (1 << (GUARD_BITS - 1))) >> GUARD_BITS,
                )
            ),
        ]
        # The entry before this one waits for it.
        before = Signal(UNIFORM_BITS)
        with m.If(stages[4][0]):
            m.d.sync += before.eq(threshold4)
        live, _, number, which, _ = stages[4]
        odd = number[0]
        write = self.write
        positive = Cat(Mux(odd, before, threshold4), ~odd)
        other = Cat(Mux(odd, threshold4, before), ~odd)
        m.d.sync += [
            write.enable.eq(live & (number != 0)),
            write.half.eq(which),
            # of an odd m the pair (m - 1, m), of an even one (-m, -m + 1)
            write.place.eq((Mux(odd, number, -number) + self._offset)[1:]),
            write.low.eq(positive),
            write.high.eq(other),
        ]
        return m

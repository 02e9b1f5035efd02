"""The end of a pass: energies under the strengths of the moment, work, heat and the best state.

    V     = rs(sum old_m e_m, STRENGTH_FRAC),   V_end the same with the schedule's last strengths
    work  = sat(work + rs(sum (new_m - old_m) e_m, 8)),   heat = sat(heat + heat of the pass)

Twin: `gibbsite_models.golden.langevin`.
"""

from amaranth.hdl import Array, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.langevin_arithmetic import round_by, saturate
from gibbsite_hw.langevin_residual import ENERGY_SUM_BITS
from gibbsite_hw.langevin_signatures import strengths_layout
from gibbsite_hw.langevin_unit import HEAT_BITS
from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    ENERGY_FRAC,
    ENERGY_MAX,
    HEAT_FRAC,
    STRENGTH_FRAC,
    TERMS,
)

__all__ = ["ENERGY_BITS", "LangevinTail"]

_TERM_BITS = ENERGY_MAX.bit_length() + 1
ENERGY_BITS = _TERM_BITS + 4
"""Bits of V: six terms under strengths of 2 at most."""
_SUM_BITS = ENERGY_BITS + STRENGTH_FRAC + 1


class LangevinTail(wiring.Component):
    """Cycle 0: ``start``, with the ``energies`` of all units. Cycle 9: ``done``.

    ``pass_heat`` is looked at in cycle 8. In cycle 10 ``energy``, ``work`` (before that of the
    step at hand), ``heat``, ``best_energy`` and ``current`` (the best state is this pass's) stand
    until the next pass. ``clear`` forgets all of them, at the start of a chain.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "clear": In(1),
                "working": In(1),
                "energies": In(signed(ENERGY_SUM_BITS)).array(len(TERMS)),
                "pass_heat": In(signed(HEAT_BITS)),
                "strengths_old": In(strengths_layout()),
                "strengths_new": In(strengths_layout()),
                "strengths_end": In(strengths_layout()),
                "done": Out(1),
                "energy": Out(signed(ENERGY_BITS)),
                "work": Out(signed(HEAT_BITS)),
                "heat": Out(signed(HEAT_BITS)),
                "best_energy": Out(signed(ENERGY_BITS)),
                "current": Out(1),
                "saturations": Out(4),
            }
        )

    def elaborate(self, platform):
        m = Module()
        terms = [Signal(signed(_TERM_BITS), name=f"term{n}") for n in range(len(TERMS))]
        changed = []
        for n, term in enumerate(terms):
            held, saturates = saturate(m, f"energy{n}", self.energies[n], ENERGY_MAX)
            changed.append(saturates & self.start)
            with m.If(self.start):
                m.d.sync += term.eq(held)
        # Cycles 1 to 6: a term each; a product in one cycle, its sum in the next.
        count, running = Signal(range(9)), Signal()
        with m.If(self.start):
            m.d.sync += [count.eq(0), running.eq(1)]
        with m.Elif(running):
            m.d.sync += count.eq(count + 1)
            with m.If(self.done):
                m.d.sync += running.eq(0)
        term = Array(terms)[count]
        old, new, end = (
            Array(strengths[n] for n in range(len(TERMS)))[count]
            for strengths in (self.strengths_old, self.strengths_new, self.strengths_end)
        )
        sums = []
        for name, weight in (("old", old), ("end", end), ("work", new - old)):
            product = Signal(signed(len(weight) + _TERM_BITS), name=f"{name}_product")
            total = Signal(signed(_SUM_BITS), name=f"{name}_sum")
            m.d.sync += product.eq(weight * term)
            with m.If((count >= 1) & (count <= len(TERMS))):
                m.d.sync += total.eq(Mux(count == 1, 0, total) + product)
            sums.append(total)
        # Cycle 8: round; cycle 9: add, decide.
        end_energy = Signal(signed(ENERGY_BITS))
        gain = Signal(signed(_SUM_BITS - 7))
        total_work = Signal(signed(HEAT_BITS))
        fresh = Signal()
        m.d.sync += [
            end_energy.eq(round_by(sums[1], STRENGTH_FRAC)),
            gain.eq(round_by(sums[2], ENERGY_FRAC + STRENGTH_FRAC - HEAT_FRAC)),
        ]
        new_work, work_saturates = saturate(
            m, "new_work", total_work + Mux(self.working, gain, 0), ACCUMULATOR_MAX
        )
        new_heat, heat_saturates = saturate(
            m, "new_heat", self.heat + self.pass_heat, ACCUMULATOR_MAX
        )
        m.d.comb += [
            self.done.eq(running & (count == 8)),
            self.saturations.eq(
                sum(changed) + (self.done & work_saturates) + (self.done & heat_saturates)
            ),
        ]
        with m.If(self.done):
            m.d.sync += [
                self.energy.eq(round_by(sums[0], STRENGTH_FRAC)),
                self.work.eq(total_work),
                total_work.eq(new_work),
                self.heat.eq(new_heat),
                self.current.eq(0),
                fresh.eq(0),
            ]
            with m.If(fresh | (end_energy < self.best_energy)):
                m.d.sync += [self.best_energy.eq(end_energy), self.current.eq(1)]
        with m.If(self.clear):
            m.d.sync += [total_work.eq(0), self.heat.eq(0), self.current.eq(0), fresh.eq(1)]
        return m

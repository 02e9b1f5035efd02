"""DeviceChecker accepts exactly the programs, clamps and states of `proofs.program`."""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.program import Program

from gibbsite_hw.device_checker import DeviceChecker
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["CheckerHarness"]


class CheckerHarness(Harness):
    """Any program whose rows fit alone; checks of structure, and of clamps once that is right."""

    def __init__(self, parameters: GraphParameters, component: type = DeviceChecker) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        dut = self._component(self._parameters)
        inside = Inside(dut)
        m.submodules.dut = inside.netlist
        program = Program(m, self._parameters)
        structured, conditioned = Signal(), Signal()
        total = program.pick(program.length, dut.rows)
        m.d.comb += [
            dut.start.eq(AnySeq(1)),
            dut.structure.eq(AnySeq(1)),
            dut.given.eq(program.given),
            dut.words.eq(AnyConst(len(dut.words))),
            dut.rows.eq(program.size),
            structured.eq(program.structured & (total == dut.words)),
            conditioned.eq(program.conditioned),
        ]
        # The engine's memories answer a cycle later.
        m.d.sync += [
            dut.descriptor.eq(program.row(dut.row)),
            dut.on.eq(program.pick(program.on, dut.row)),
            dut.off.eq(program.pick(program.off, dut.row)),
            dut.state.eq(program.pick(program.state, dut.row)),
        ]
        was_structure = Signal()
        m.d.sync += was_structure.eq(dut.structure)
        idle = inside.state("IDLE")
        self.given(
            fits=program.fits,
            held=~self.started | idle | (dut.structure == was_structure),
            in_order=idle | dut.structure | structured,
        )
        walks = Signal(2)
        with m.If(dut.done & (walks != 3)):
            m.d.sync += walks.eq(walks + 1)
        m.d.comb += (verdict := Signal()).eq(Mux(dut.structure, structured, conditioned))
        accepted = dut.error == 0
        here, live = inside["here"], inside["live"]
        walking = inside.state("WALK")
        looking = walking & live
        passed = Const(1, 1)
        for n in range(self._parameters.rows):
            rule = Mux(dut.structure, program.structure_rule[n], program.condition_rule[n])
            passed = passed & (~(n < here) | rule)
        opened = program.pick(program.opened, here)
        self.always(
            only_accepted=~(dut.done & accepted) | verdict,
            all_accepted=~(dut.done & verdict) | accepted,
            # Invariants: what the walk has seen is what the rules say of the rows before `here`.
            some_state=inside.in_some_state(),
            first_look=~(walking & ~live) | (inside["at"] == 0),
            place=~looking
            | ((inside["at"] == (here + 1)[: len(here)]) & (here < dut.rows) & passed),
            fetched=~looking | (dut.row == inside["at"]) & self._fetched(dut, program, here),
            opened=~(walking & ~live & inside["inside"])
            & (~looking | (inside["inside"] == opened)),
            totals=~looking | (inside["total"] == program.pick(program.length, here)),
            total=~(walking & ~live) | (inside["total"] == 0),
            states=~(looking & opened & dut.structure)
            | (inside["states"] == program.pick(program.states, here)),
            choices=~(looking & opened & ~dut.structure)
            | (
                (inside["pinned"] == (program.pick(program.pins, here) != 0))
                & (inside["free"] == program.pick(program.free, here))
            ),
            chosen=~(looking & opened & ~dut.structure & dut.given)
            | (inside["set_"] == (program.pick(program.chosen, here) != 0)),
            all_looked_at=~inside.state("TOTAL")
            | (
                (inside["total"] == total)
                & Mux(dut.structure, program.structured, program.conditioned)
            ),
        )
        groups = program.rows[0].group & ~program.rows[0].last
        self.can(
            refused=dut.done & ~accepted & ~dut.structure & structured,
            accepted=dut.done
            & accepted
            & ~dut.structure
            & (walks == 1)
            & groups
            & (program.on[1] != 0)
            & dut.given
            & (dut.rows == 4),
        )

    @staticmethod
    def _fetched(dut, program: Program, here: Signal):
        return (
            (dut.descriptor.as_value() == program.row(here).as_value())
            & (dut.on == program.pick(program.on, here))
            & (dut.off == program.pick(program.off, here))
            & (dut.state == program.pick(program.state, here))
        )

"""The Langevin engine: Euler-Maruyama steps of ``dz = -mu grad V dt + sqrt(2 mu kT) dW``.

`docs/langevin-engine.md` has the exact meaning, and `gibbsite_hw.spec.langevin_timing` the cycles.

    sequencer -> dot -> residual ----> m           0 .. 11    cycles behind a slot of the sequencer
    sequencer -> dot -> unit (force, noise) -> z   0 .. 16
                        tail -> W, Q, V, best      12 .. 21

Twin: `gibbsite_models.golden.langevin`.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import connect, flipped

from gibbsite_hw.langevin_arithmetic import delayed
from gibbsite_hw.langevin_dot import LangevinDot
from gibbsite_hw.langevin_moments import LangevinMoments
from gibbsite_hw.langevin_readout import LangevinReadout
from gibbsite_hw.langevin_residual import LangevinResidual
from gibbsite_hw.langevin_schedule import LangevinSchedule
from gibbsite_hw.langevin_sequencer import LangevinSequencer
from gibbsite_hw.langevin_signatures import engine_members, scale_layout
from gibbsite_hw.langevin_tail import LangevinTail
from gibbsite_hw.langevin_unit import LangevinUnit
from gibbsite_hw.noise import SeedHash
from gibbsite_hw.spec.langevin_formats import TERMS
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinFlags
from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE

__all__ = ["LangevinEngine"]


class LangevinEngine(wiring.Component):
    """Runs the loaded program.

    ``write`` fills the memories while idle. ``start`` (one cycle, while not ``busy``) begins a
    run with the settings beside it, which stay as they are until ``finished`` (one cycle, with
    ``aborted``). ``abort`` ends the run after the pass at hand. Draws and moments leave on
    ``draws``. ``cycles`` ... ``saturations`` say what each cycle adds to the counters of that name,
    until the cycle after ``finished``.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        self._parameters = parameters
        super().__init__(engine_members(parameters))

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        m.submodules.sequencer = self._sequencer = LangevinSequencer(parameters)
        m.submodules.dot = self._dot = LangevinDot(parameters)
        m.submodules.residual = self._residual = LangevinResidual(parameters)
        m.submodules.unit = self._unit = LangevinUnit(parameters)
        m.submodules.tail = self._tail = LangevinTail()
        m.submodules.moments = self._moments = LangevinMoments(parameters)
        m.submodules.schedule = self._schedule = LangevinSchedule(parameters)
        m.submodules.readout = self._readout = LangevinReadout(parameters)
        m.submodules.hash = self._hash = SeedHash(parameters.hash_rounds)
        self._starting = Signal()
        self._bank = Signal()
        self._chain, self._draw = Signal(32), Signal(32)
        self._pass_begins = Signal()
        for part in (self._dot, self._residual, self._unit, self._moments, self._schedule):
            m.d.comb += [
                getattr(part.write, name).eq(getattr(self.write, name))
                for name in ("enable", "memory", "address", "lane", "data")
            ]
        self._slots(m)
        self._units(m)
        self._results(m)
        self._control(m)
        return m

    def _slots(self, m):
        """From the sequencer's slots to sums of rows and the multipliers of constraints."""
        sequencer, dot, residual, unit = self._sequencer, self._dot, self._residual, self._unit
        bank_words = self._parameters.words(self._parameters.units)
        m.d.comb += [
            sequencer.rewind.eq(self._pass_begins),
            sequencer.bank.eq(self._bank),
            sequencer.units.eq(self.units),
            sequencer.constraints.eq(self.constraints),
            sequencer.coupled.eq(self.coupled),
            dot.slot.eq(sequencer.slot),
            dot.word.eq(sequencer.word),
            dot.operand.eq(sequencer.operand),
            dot.mask.eq(sequencer.mask),
            residual.shifts.eq(self.shifts),
            residual.clear.eq(self._pass_begins),
            residual.slot.eq(sequencer.slot),
            residual.sum.eq(dot.sum),
            # Units and constraints take turns: a pause stands between them.
            dot.put.eq(residual.put | unit.put),
            dot.put_base.eq(Mux(residual.put, 2 * bank_words, Mux(self._bank, 0, bank_words))),
            dot.put_index.eq(Mux(residual.put, residual.index, unit.index)),
            dot.put_data.eq(Mux(residual.put, residual.multiplier, unit.operand)),
        ]
        m.d.sync += self.products.eq(Mux(sequencer.slot.product, sequencer.active, 0))

    def _units(self, m):
        """Units: their sums, settings and noise."""
        sequencer, dot, unit, schedule = self._sequencer, self._dot, self._unit, self._schedule
        # Cycle 6: a row of J waits until the column of k is there as well.
        coupling6 = delayed(m, "coupling", sequencer.slot.coupling, 6)[-1]
        row_sum = Signal.like(dot.sum)
        with m.If(coupling6):
            m.d.sync += row_sum.eq(dot.sum)
        start_noise = data.View(scale_layout, self.start_noise)
        m.d.comb += [
            unit.slot.eq(sequencer.slot),
            unit.coupling.eq(Mux(coupling6, dot.sum, Mux(self.coupled, row_sum, 0))),
            unit.constraint.eq(Mux(self.constraints != 0, dot.sum, 0)),
            unit.seeded.eq(self._hash.done),
            unit.seed_state.eq(self._hash.result),
            unit.shifts.eq(self.shifts),
            unit.strengths_old.eq(schedule.strengths_old),
            unit.strengths_new.eq(schedule.strengths_new),
            unit.rate.eq(schedule.rate),
            unit.noise.eq(Mux(self._starting, start_noise.as_value(), schedule.noise.as_value())),
            unit.starting.eq(self._starting),
            unit.stepping.eq(~schedule.final),
            unit.heating.eq(schedule.measured_old),
            unit.copying.eq(self._tail.current),
            unit.clear.eq(self._pass_begins),
        ]

    def _results(self, m):
        """Totals of a pass, moments and packets."""
        unit, tail, moments = self._unit, self._tail, self._moments
        schedule, readout = self._schedule, self._readout
        flags = self.flags
        m.d.comb += [
            tail.start.eq(unit.totals_ready & ~self._starting),
            tail.working.eq(schedule.measured_new),
            tail.pass_heat.eq(unit.heat),
            tail.strengths_old.eq(schedule.strengths_old),
            tail.strengths_new.eq(schedule.strengths_new),
            tail.strengths_end.eq(schedule.strengths_end),
            *(tail.energies[n].eq(unit.energies[n]) for n in range(len(TERMS))),
            tail.energies[TERMS.index("constraint")].eq(self._residual.energy),
            moments.pairs.eq(self.pairs),
            moments.read_pair.eq(readout.pair),
            *(moments.state[n].eq(unit.read_state[n]) for n in range(2)),
            unit.read_index[1].eq(moments.unit[1]),
            schedule.entries.eq(self.entries),
            schedule.thin.eq(self.thin),
            schedule.moment_every.eq(self.moment_every),
            schedule.trajectory.eq((flags & LangevinFlags.TRAJECTORY) != 0),
            schedule.last_draw.eq(self._draw + 1 == self.number_of_draws),
            readout.tag.eq(self.tag),
            readout.samples.eq((flags & LangevinFlags.SAMPLES) != 0),
            readout.with_best.eq((flags & LangevinFlags.BEST) != 0),
            readout.current.eq(tail.current),
            readout.units.eq(self.units),
            readout.pairs.eq(self.pairs),
            readout.chain.eq(self.first_chain + self._chain),
            readout.draw.eq(self._draw),
            readout.step.eq(schedule.step),
            readout.energy.eq(tail.energy),
            readout.work.eq(tail.work),
            readout.heat.eq(tail.heat),
            readout.best_energy.eq(tail.best_energy),
            readout.additions.eq(moments.additions),
            readout.state.eq(unit.read_state[0]),
            readout.best.eq(unit.read_best),
            readout.sum.eq(moments.sum),
        ]
        connect(m, readout.words, flipped(self.draws))

    def _control(self, m):
        """Chains, passes, draws and counters."""
        unit, tail, moments = self._unit, self._tail, self._moments
        schedule, readout, seed_hash = self._schedule, self._readout, self._hash
        load, opening = Signal(), Signal()
        seeding, advance, stepped = Signal(), Signal(), Signal()
        number = Signal.like(unit.seed_index)
        last_draw, last_chain = schedule.last_draw, Signal()
        m.d.comb += [
            last_chain.eq(self._chain + 1 == self.chains),
            seed_hash.seed.eq(self.seed),
            seed_hash.engine.eq(LANGEVIN_ENGINE),
            seed_hash.chain.eq((self.first_chain + self._chain)[:32]),
            seed_hash.lane.eq(number),
            unit.seed_index.eq(number),
            schedule.idle.eq(~self.busy),
            schedule.open.eq(opening),
            schedule.seeding.eq(seeding),
            schedule.looked.eq(tail.done),
            schedule.advance.eq(advance),
        ]
        counted = (
            unit.saturations + self._residual.saturations + tail.saturations + moments.saturations
        )
        # What is counted may come a cycle late. Units are counted in the pass that ends their step.
        m.d.sync += self.saturations.eq(Mux(self.busy, counted, 0))
        m.d.comb += [
            self.steps.eq(advance),
            self.updates.eq(stepped & self._sequencer.slot.unit),
        ]
        with m.If(advance):
            m.d.comb += self._pass_begins.eq(1)
            m.d.sync += [self._bank.eq(~self._bank), stepped.eq(1)]

        def go_on():
            """The next pass, in the cycle that follows."""
            m.d.comb += advance.eq(1)
            m.next = "PASS"

        def draw_or_go_on():
            with m.If(self.abort):
                m.next = "ABORTED"
            with m.Elif(schedule.due):
                m.d.comb += readout.start.eq(1)
                m.next = "DRAW"
            with m.Else():
                go_on()

        def end_chain():
            with m.If(last_chain):
                m.next = "FINISHED"
            with m.Elif(self.abort):
                m.next = "ABORTED"
            with m.Else():
                m.d.sync += [self._chain.eq(self._chain + 1), load.eq(1)]
                m.next = "SEED"

        with m.FSM() as machine:
            passing = machine.ongoing("PASS") | machine.ongoing("START")
            m.d.comb += [
                self.busy.eq(~machine.ongoing("IDLE")),
                seeding.eq(machine.ongoing("SEED")),
                self.cycles.eq(seeding | passing | machine.ongoing("MOMENTS")),
                unit.reading.eq(~passing),
                unit.read_index[0].eq(
                    Mux(machine.ongoing("MOMENTS"), moments.unit[0], readout.unit)
                ),
            ]
            with m.State("IDLE"):
                m.d.sync += [load.eq(1), opening.eq(1), self._chain.eq(0), number.eq(0)]
                with m.If(self.start):
                    m.next = "SEED"
            with m.State("SEED"):
                m.d.comb += seed_hash.start.eq(load)
                m.d.sync += [load.eq(0), opening.eq(0), stepped.eq(0)]
                m.d.sync += [self._draw.eq(0), self._starting.eq(1)]
                with m.If(seed_hash.done):
                    m.d.sync += [number.eq(number + 1), load.eq(1)]
                    with m.If(number + 1 == self.units):
                        m.d.comb += [
                            self._pass_begins.eq(1),
                            self._sequencer.starting.eq(1),
                            schedule.rewind.eq(1),
                            tail.clear.eq(1),
                            moments.clear.eq(1),
                        ]
                        m.d.sync += number.eq(0)
                        m.next = "START"
            with m.State("START"):
                with m.If(unit.ended):
                    m.d.comb += self._pass_begins.eq(1)
                    m.d.sync += [self._starting.eq(0), self._bank.eq(~self._bank)]
                    m.next = "PASS"
            with m.State("PASS"), m.If(tail.done):
                with m.If((self.pairs != 0) & schedule.adding & ~self.abort):
                    m.d.comb += moments.start.eq(1)
                    m.next = "MOMENTS"
                with m.Else():
                    draw_or_go_on()
            with m.State("MOMENTS"), m.If(moments.done):
                draw_or_go_on()
            with m.State("DRAW"), m.If(readout.done):
                m.d.comb += [schedule.drawn.eq(1), self.reads.eq(1)]
                m.d.sync += self._draw.eq(self._draw + 1)
                with m.If(last_draw & (self.pairs == 0)):
                    end_chain()
                with m.Elif(self.abort):
                    m.next = "ABORTED"
                with m.Elif(last_draw):
                    m.next = "SUMS"
                with m.Else():
                    go_on()
            with m.State("SUMS"):
                # Moments go out as soon as the last draw has left the readout.
                m.d.comb += [readout.start.eq(~readout.words.valid), readout.moments.eq(1)]
                with m.If(readout.done):
                    end_chain()
            with m.State("FINISHED"):
                m.d.comb += self.finished.eq(1)
                m.next = "IDLE"
            with m.State("ABORTED"):
                m.d.comb += [self.finished.eq(1), self.aborted.eq(1)]
                m.next = "IDLE"

"""The lattice engine: massively parallel Gibbs sampling on a fixed neighbourhood.

`docs/lattice-engine.md` has the exact meaning, `gibbsite_hw.lattice_plan` the pipeline, and
`gibbsite_hw.spec.lattice_timing` the cycles.

    passes -> store -> banks (fields, decisions, energies) -> readout
    schedule -> thresholds -^

Twin: `gibbsite_models.golden.lattice`.
"""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

from gibbsite_hw.lattice_bank import LatticeBank
from gibbsite_hw.lattice_banks import read_bank, tell_banks
from gibbsite_hw.lattice_delays import held
from gibbsite_hw.lattice_hash import LatticeHash
from gibbsite_hw.lattice_noise import LatticeSeeder
from gibbsite_hw.lattice_passes import LatticePasses
from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_readout import LatticeReadout
from gibbsite_hw.lattice_schedule import LatticeSchedule
from gibbsite_hw.lattice_seeding import seed_banks
from gibbsite_hw.lattice_signatures import engine_members
from gibbsite_hw.lattice_store import LatticeStore
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_timing import SETTLE
from gibbsite_hw.spec.registers import RunFlags

__all__ = ["LatticeEngine"]


class LatticeEngine(wiring.Component):
    """Runs the loaded program.

    ``write`` fills the memories while idle. ``sized`` comes before ``columns`` change, some dozens
    of cycles before a run. ``start`` (one cycle, while not ``busy``) begins a run with the settings
    beside it, which stay as they are until ``finished`` (one cycle, with ``aborted``). ``abort``
    ends the run after the sweep at hand. Draws leave on ``draws``. What is counted comes out cycle
    by cycle (``cycles``, ``updates``, ...), all of it before ``finished``.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        super().__init__(engine_members(parameters))

    def elaborate(self, platform):
        m = Module()
        parameters = self._parameters
        m.submodules.passes = self._passes = LatticePasses(parameters)
        m.submodules.store = self._store = LatticeStore(parameters)
        m.submodules.schedule = self._schedule = LatticeSchedule(parameters)
        m.submodules.readout = self._readout = LatticeReadout(parameters)
        m.submodules.hash = self._hash = LatticeHash(parameters.hash_rounds)
        m.submodules.seeder = self._seeder = LatticeSeeder()
        self._banks = [LatticeBank(parameters) for _ in range(parameters.banks)]
        for number, bank in enumerate(self._banks):
            m.submodules[f"bank{number}"] = bank
        self._reading = Signal()
        # Every site of a sweep comes with half the range of a field: see LatticeEnergy.
        sites = Signal(range(parameters.rows * parameters.columns + 1))
        self._preset = Signal(signed(parameters.energy_bits), reset_less=True)
        m.d.sync += [
            sites.eq(self.columns * parameters.rows),
            self._preset.eq(-(sites << (parameters.field_bits - 1))),
        ]
        self._bank = Signal(range(parameters.banks + 1))
        self._chain, self._draw = Signal(32), Signal(32)
        self._select = Signal(parameters.banks * parameters.streams, init=1)
        for part in (self._store, self._schedule):
            m.d.comb += [
                getattr(part.write, name).eq(getattr(self.write, name))
                for name in ("enable", "memory", "column", "x", "place", "step", "data")
            ]
        self._pipeline(m)
        self._results(m)
        return self._control(m)

    def _pipeline(self, m):
        """Slots, and what every bank hears."""
        passes, store, schedule = self._passes, self._store, self._schedule
        plan = LatticePlan(self._parameters)
        slots = [passes.slot]
        for cycle in range(1, plan.energy + 2):
            slot = Signal.like(passes.slot, name=f"slot{cycle}")
            m.d.sync += slot.eq(slots[-1])
            slots.append(slot)
        self._settled = slots[-1].valid & slots[-1].last
        m.d.comb += [
            passes.columns.eq(self.columns),
            passes.sized.eq(self.sized),
            passes.half.eq(schedule.half),
            passes.reading.eq(self._reading),
            passes.read_column.eq(self._readout.column),
            store.column.eq(passes.slot.column),
            store.x.eq(passes.slot.x),
            store.given.eq(
                slots[plan.field + 1].start & ((self.flags & RunFlags.GIVEN_STATE) != 0)
            ),
        ]
        tell_banks(
            *(m, self._parameters, self._banks, slots),
            *(passes, store, schedule, self._seeder, self._readout),
            preset=self._preset,
            reading=self._reading,
            select=self._select,
        )

    def _results(self, m):
        """Draws of the bank at hand."""
        readout = self._readout
        read_bank(m, self._banks, readout, self._bank)
        m.d.comb += [
            readout.tag.eq(self.tag),
            readout.samples.eq((self.flags & RunFlags.SAMPLES) != 0),
            readout.with_best.eq((self.flags & RunFlags.BEST) != 0),
            readout.columns.eq(self.columns),
            readout.chain.eq(held(m, "chain_number", (self.first_chain + self._chain)[:32])),
            readout.draw.eq(self._draw),
        ]
        connect(m, readout.words, flipped(self.draws))

    def _control(self, m):
        """Groups of chains, sweeps and draws, and what is counted of them."""
        parameters, passes = self._parameters, self._passes
        schedule, readout = self._schedule, self._readout
        seeding, load = Signal(), Signal()
        sweeping, starting, waiting = Signal(), Signal(), Signal()
        go, enter, go_now, enter_now = Signal(), Signal(), Signal(), Signal()
        left = Signal(32)  # chains that are not done
        self._active = Signal(range(parameters.banks + 1))
        bits = (parameters.rows * parameters.columns * parameters.banks).bit_length()
        self._sites, self._all_sites = Signal(bits), Signal(bits)
        m.d.sync += self._all_sites.eq(self.columns * parameters.rows)
        seeded = seed_banks(
            *(m, parameters, self._hash, self._seeder, seeding, load),
            seed=self.seed,
            first=self.first_chain + self._chain,
            active=self._active,
            select=self._select,
            each=self._sites.eq(self._sites + self._all_sites),
        )
        sweeps, once = Signal(32), Signal()
        thinning = Signal()
        open_, settle, rested = Signal(), Signal(range(SETTLE + 1)), Signal()
        no_steps, last_draw, more_banks = Signal(), Signal(), Signal()
        again, stepping = Signal(), Signal()  # behind the sweep at hand: one more, a step's first
        m.d.comb += [
            passes.begin.eq(go),
            schedule.enter.eq(enter),
            # the first step's table is begun with the seeding
            schedule.leave.eq(passes.ending & stepping & ~starting),
            # a sweep ends in the state SWEEP only, which need not be looked at
            go.eq((passes.ending & (again | (stepping & schedule.ready))) | go_now),
            enter.eq((passes.ending & stepping & schedule.ready) | enter_now),
            # what comes behind draws is the next group's first step, or no step at all
            schedule.rewind.eq(~self.busy | self._reading),
            schedule.counting.eq(sweeping | waiting | seeding),
            schedule.steps.eq(self.steps),
        ]
        m.d.sync += [
            no_steps.eq(self.steps == 0),
            last_draw.eq(self._draw + 1 == self.number_of_draws),
            once.eq(sweeps == 1),
            again.eq(~self.abort & ~starting & ~once),
            stepping.eq(~self.abort & Mux(starting, ~no_steps, once & ~thinning & ~schedule.last)),
            rested.eq(settle >= SETTLE - 2),
            more_banks.eq(self._bank + 1 != self._active),
        ]
        # set by the second pass too, since a sweep begins before the one before it is settled
        with m.If(passes.turn):
            m.d.sync += open_.eq(1)
        with m.Elif(self._settled):
            m.d.sync += open_.eq(0)
        swept = held(m, "swept", passes.ending & ~starting)
        m.d.sync += [
            self.cycles.eq(schedule.counting),
            self.sweep_cycles.eq(sweeping & ~starting),
            self.waits.eq(waiting),
            self.updates.eq(Mux(swept, self._sites, 0)),
            self.sweeps.eq(Mux(swept, self._active, 0)),
            self.reads.eq(readout.done),
        ]

        def next_step():
            """The first sweep with the next table, at once or when this is there."""
            m.d.sync += [starting.eq(0), settle.eq(0), rested.eq(0)]
            with m.If(schedule.ready):
                m.next = "SWEEP"
            with m.Else():
                m.next = "WAIT"

        with m.FSM() as machine:
            m.d.comb += [
                self.busy.eq(~machine.ongoing("IDLE")),
                seeding.eq(machine.ongoing("SEED")),
                sweeping.eq(machine.ongoing("SWEEP")),
                waiting.eq(machine.ongoing("WAIT")),
                self._reading.eq(machine.ongoing("DRAW")),
            ]
            with m.State("IDLE"):
                m.d.sync += [self._chain.eq(0), left.eq(self.chains)]
                with m.If(self.start):
                    m.next = "OPEN"
            with m.State("OPEN"):
                m.d.sync += [
                    self._active.eq(Mux(left < parameters.banks, left, parameters.banks)),
                    self._sites.eq(0),
                    self._draw.eq(0),
                    thinning.eq(0),
                ]
                m.d.comb += schedule.begin.eq(1)
                m.next = "SEED"
            with m.State("SEED"):
                with m.If(seeded):
                    m.d.comb += [go_now.eq(1), passes.start.eq(1)]
                    m.d.sync += starting.eq(1)
                    m.next = "SWEEP"
            with m.State("SWEEP"):
                with m.If(passes.ending):
                    m.d.sync += sweeps.eq(sweeps - 1)
                    with m.If(stepping):
                        next_step()
                    with m.Elif(~again):
                        m.next = "DRAIN"
            with m.State("WAIT"):
                m.d.sync += settle.eq(settle + (settle != SETTLE))
                with m.If(self.abort):
                    m.next = "DRAIN"
                with m.Elif(schedule.ready & rested):
                    m.d.comb += [go_now.eq(1), enter_now.eq(1)]
                    m.next = "SWEEP"
            with m.State("DRAIN"):
                m.d.sync += [thinning.eq(1), starting.eq(0), self._bank.eq(0)]
                with m.If(~open_):
                    with m.If(self.abort):
                        m.next = "ABORTED"
                    with m.Else():
                        m.d.comb += readout.start.eq(1)
                        m.next = "DRAW"
            with m.State("DRAW"), m.If(readout.done):
                m.d.sync += [self._bank.eq(self._bank + 1), self._chain.eq(self._chain + 1)]
                m.next = "NEXT"
            with m.State("NEXT"):
                with m.If(more_banks):
                    m.d.comb += readout.start.eq(~self.abort)
                    m.next = "DRAW"
                    with m.If(self.abort):
                        m.next = "ABORTED"
                with m.Elif(last_draw):
                    m.d.sync += left.eq(left - self._active)
                    m.next = "OPEN"
                    with m.If(left == self._active):
                        m.next = "FINISHED"
                    with m.Elif(self.abort):
                        m.next = "ABORTED"
                with m.Elif(self.abort):
                    m.next = "ABORTED"
                with m.Else():
                    m.d.sync += [
                        self._draw.eq(self._draw + 1),
                        self._chain.eq(self._chain - self._active),
                        sweeps.eq(self.thin),
                    ]
                    m.next = "AGAIN"
            with m.State("AGAIN"):
                m.d.comb += [
                    go_now.eq(~schedule.fresh | schedule.ready),
                    enter_now.eq(schedule.fresh & schedule.ready),
                ]
                with m.If(schedule.fresh):
                    next_step()
                with m.Else():
                    m.next = "SWEEP"
            with m.State("FINISHED"):
                m.d.comb += self.finished.eq(1)
                m.next = "IDLE"
            with m.State("ABORTED"):
                m.d.comb += [self.finished.eq(1), self.aborted.eq(1)]
                m.next = "IDLE"
        with m.If(enter):
            m.d.sync += sweeps.eq(Mux(thinning, self.thin, self.sweeps_per_step))
        return m

"""GraphDecide: clamped states are never written; each commit leaves one state of its group set.

Assumed is what its neighbours prove: a program that DeviceChecker accepted (`proofs.checker`), and
rows that come as GraphSequencer sends them (`proofs.sequencer`). Fields, noise and beta are free:
the claims hold whatever the scores are.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Const, Module, Mux, Signal
from proofs.decide_pipeline import Pipeline
from proofs.jobs import Harness, Inside
from proofs.program import Program

from gibbsite_hw.graph_decide import GraphDecide
from gibbsite_hw.graph_signatures import BARRIER_CYCLES
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["DecideHarness"]


class DecideHarness(Harness):
    """The spin memory and the feeding of rows around GraphDecide, for any number of passes.

    ``spec`` is the spin memory as it would be if a commit were one write; ``spins`` is the real
    one.
    """

    def __init__(self, parameters: GraphParameters, component: type = GraphDecide) -> None:
        super().__init__()
        self._parameters = parameters
        self._component = component

    def properties(self, m: Module) -> None:
        parameters = self._parameters
        depth, lanes = parameters.rows, parameters.lanes
        self.dut = dut = self._component(parameters)
        self.inside = inside = Inside(dut)
        m.submodules.dut = inside.netlist
        self.program = program = Program(m, parameters)

        # Rows come in order, at any pace, and after a barrier nine cycles later or more.
        due = Signal(parameters.row_bits)
        pause = Signal(range(BARRIER_CYCLES + 1))
        feed = Signal()
        starting = Signal()
        row = program.row(due)
        last = due + 1 == program.size
        m.d.comb += feed.eq(AnySeq(1) & self.started & (pause == 0))
        with m.If(feed):
            m.d.sync += [
                due.eq(Mux(last, 0, due + 1)),
                pause.eq(Mux(row.barrier, BARRIER_CYCLES, 0)),
            ]
        with m.Elif(pause != 0):
            m.d.sync += pause.eq(pause - 1)
        # The start pass of a chain begins and ends between passes.
        with m.If((due == 0) & (pause <= BARRIER_CYCLES - 3) & ~feed):
            m.d.sync += starting.eq(AnySeq(1))

        end = dut.row_end
        m.d.comb += [
            dut.valid.eq(feed),
            end.row.eq(due),
            end.fold.eq(row.fold),
            end.group.eq(row.group),
            end.first.eq(row.first),
            end.last.eq(row.last),
            end.pass_end.eq(last),
            end.mask.eq(row.mask),
            dut.on.eq(program.pick(program.on, due)),
            dut.off.eq(program.pick(program.off, due)),
            dut.given.eq(program.pick(program.state, due)),
            dut.starting.eq(starting),
            dut.use_given.eq(program.given),
            dut.clear.eq(AnySeq(1)),
            dut.beta.eq(AnySeq(parameters.beta_bits)),
            *(field.eq(AnySeq(parameters.field_bits)) for field in dut.field),
            *(noise.eq(AnySeq(len(noise))) for noise in dut.against),
            dut.more.eq(AnySeq(len(dut.more))),
        ]

        # The spin memory, and what it should hold. Before the first pass: what another run, under
        # other clamps, left of this program; no group has more than one state set.
        self.spins = [Signal(lanes, name=f"spins{n}") for n in range(depth)]
        self.spec = [Signal(lanes, name=f"spec{n}") for n in range(depth)]
        m.d.sync += dut.old.eq(program.pick(self.spins, due))
        group_commit, bits_commit = inside["commit_group"], inside["commit_bits"]
        end8 = inside["end8"]
        for n in range(depth):
            left_behind = AnyConst(lanes)
            real, spec = self.spins[n], self.spec[n]
            with m.If(~self.started):
                m.d.sync += [real.eq(left_behind), spec.eq(left_behind)]
            with m.Elif(dut.write & (dut.write_row == n)):
                m.d.sync += real.eq(dut.write_word)
            with m.If(bits_commit & (end8.row == n)):
                m.d.sync += spec.eq(inside["word8"])
            with m.If(group_commit & inside["has_old"] & (inside["old_row"] == n)):
                m.d.sync += spec.eq(0)
            with m.If(group_commit & (inside["best_row"] == n)):
                m.d.sync += spec.eq(1 << inside["best_lane"])

        # Any group, named by its last row.
        name = Signal(parameters.row_bits, name="any_group")
        m.d.comb += name.eq(AnyConst(parameters.row_bits))
        group = program.pick(program.group_of, name)
        members = [
            live & (of == group) for live, of in zip(program.live, program.group_of, strict=True)
        ]
        states = self._count(m, "states_set", self.spec, members)
        really = self._count(m, "states_really_set", self.spins, members)
        committed = Signal()
        with m.If(group_commit & (end8.row == name)):
            m.d.sync += committed.eq(1)
        wait, wait_row = inside["wait"], inside["wait_row"]
        half_done = wait & (program.pick(program.group_of, wait_row) == group)
        only_used = Const(1, 1)
        for n in range(depth):
            only_used = only_used & (
                ~program.live[n] | ((self.spec[n] & ~program.rows[n].mask) == 0)
            )
        self.given(
            fits=program.fits,
            structured=program.structured,
            conditioned=program.conditioned,
            named=(name < program.size) & program.row(name).group & program.row(name).last,
        )
        # Registers take what was left behind in the first cycle, so it is seen in the second.
        self.began = Signal()
        m.d.sync += self.began.eq(self.started)
        self.given(left_behind=~self.started | self.began | ((states <= 1) & only_used))

        pipeline = Pipeline(
            m, parameters, dut, inside, program, self.spec, due=due, pause=pause, starting=starting
        )
        written = program.row(dut.write_row)
        word = dut.write_word
        used_on = program.pick(program.on, dut.write_row) & written.mask
        self.always(
            # Clamps.
            writes_slots_only=~dut.write | ((word & ~written.mask) == 0),
            never_sets_a_removed_state=~dut.write
            | ((word & program.pick(program.off, dut.write_row)) == 0),
            never_clears_a_pinned_state=~dut.write | ((used_on & ~word) == 0),
            # One-hot.
            one_state=~(self.started & committed) | (states == 1),
            one_state_in_memory=~(self.started & committed & ~half_done) | (really == 1),
            never_two=~self.began | ((states <= 1) & (half_done | (really <= 1))),
            # The waiting place.
            queue_bound=~(wait & group_commit & inside["turn"]),
            nothing_waits_long=~(wait & ~(group_commit | bits_commit)) | dut.write,
            no_write_lost=~self.began | self._memory_is_spec(wait, wait_row),
            # Invariants.
            only_used=~self.began | only_used,
            **pipeline.order(),
            empty_at_first=self.began | pipeline.empty,
            then_begins=self.started | ~self.began,
            **pipeline.words(),
            **pipeline.group(),
        )
        turned = Signal()
        with m.If(group_commit & inside["turn"]):
            m.d.sync += turned.eq(1)
        self.can(
            two_writes=committed & turned & ~wait & (really == 1),
            waiting_behind_a_commit=wait & bits_commit,
            pinned=committed & (program.on[0] != 0) & (name == 1) & (program.row(0).first),
        )

    def _count(self, m: Module, name: str, words: list[Signal], members: list[object]) -> Signal:
        total = Signal(8, name=name)
        bits = [
            mine & word[lane]
            for mine, word in zip(members, words, strict=True)
            for lane in range(self._parameters.lanes)
        ]
        m.d.comb += total.eq(sum(bits))
        return total

    def _memory_is_spec(self, wait: Signal, wait_row: Signal):
        holds = ~wait | (self.inside["wait_word"] == self.program.pick(self.spec, wait_row))
        for n, (real, spec) in enumerate(zip(self.spins, self.spec, strict=True)):
            holds = holds & ((real == spec) | (wait & (wait_row == n)))
        return holds

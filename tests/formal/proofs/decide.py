"""GraphDecide: clamped states are never written; each commit leaves one state of its group set.

Assumed is what its neighbours prove: a program that DeviceChecker accepted (`proofs.checker`), and
rows that come as GraphSequencer sends them (`proofs.sequencer`). Fields, noise and beta are free:
the claims hold whatever the scores are.
"""

from amaranth.asserts import AnyConst, AnySeq
from amaranth.hdl import Cat, Const, Module, Mux, Signal
from proofs.jobs import Harness, Inside
from proofs.program import Program

from gibbsite_hw.graph_decide import GraphDecide, _turned
from gibbsite_hw.graph_signatures import BARRIER_CYCLES
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["DecideHarness"]

_STAGES = range(5, 10)


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
        self.due = due = Signal(parameters.row_bits)
        self.pause = pause = Signal(range(BARRIER_CYCLES + 1))
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
            **self._pipeline(m, starting),
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

    def _pipeline(self, m: Module, starting: Signal) -> dict[str, object]:
        """Invariants: which row is in which stage, and what the registers say of it."""
        program, inside, due = self.program, self.inside, self.due
        bits = self._parameters.row_bits
        valid = {k: Signal(name=f"in{k}") for k in _STAGES}
        row = {k: Signal(bits, name=f"row_in{k}") for k in _STAGES}
        m.d.sync += [valid[5].eq(self.dut.valid), row[5].eq(due)]
        for k in _STAGES[1:]:
            m.d.sync += [valid[k].eq(valid[k - 1]), row[k].eq(row[k - 1])]
        claims: dict[str, object] = {"due": (due < program.size) & (self.pause <= 8)}
        behind = {k: sum((valid[j] for j in range(5, k)), Const(0, 3)) for k in range(5, 11)}

        def back(number):
            """The row ``number`` rows before the one that is due."""
            return Mux(due >= number, due - number, due + program.size - number)[:bits]

        for k in _STAGES:
            descriptor = program.row(row[k])
            claims[f"order{k}"] = ~valid[k] | (
                (row[k] < program.size) & (row[k] == back(behind[k] + 1))
            )
            claims[f"barrier{k}"] = ~(valid[k] & descriptor.barrier) | (
                (behind[k] == 0) & (self.pause == BARRIER_CYCLES + 5 - k)
            )
            if k == 9:
                continue
            end = inside[f"end{k}"]
            claims[f"stage{k}"] = (inside[f"valid{k}"] == valid[k]) & (
                ~valid[k]
                | (
                    (end.row == row[k])
                    & (end.group == descriptor.group)
                    & (end.first == descriptor.first)
                    & (end.last == descriptor.last)
                    & (end.mask == descriptor.mask)
                )
            )
            claims[f"not_at_rest{k}"] = ~valid[k] | (due != 0) | (self.pause >= 13 - k)
        claims["empty_at_first"] = self.began | (
            ~Cat(valid[k] for k in _STAGES).any() & ~inside["wait"] & (due == 0) & (self.pause == 0)
        )
        claims["then_begins"] = self.started | ~self.began
        forced = starting & program.given
        lanes = range(self._parameters.lanes)

        def pinned(number, lane):
            mask = program.row(number).mask
            wanted = Mux(
                forced, program.pick(program.state, number), program.pick(program.on, number)
            )
            return wanted.bit_select(lane, 1) & mask.bit_select(lane, 1)

        def free(number, lane):
            mask, off = program.row(number).mask, program.pick(program.off, number)
            return mask.bit_select(lane, 1) & ~off.bit_select(lane, 1) & ~forced

        spec = {k: program.pick(self.spec, row[k]) for k in _STAGES}
        claims["old5"] = ~valid[5] | (self.dut.old == spec[5])
        claims["old6"] = ~valid[6] | (inside["old6"] == spec[6])
        claims["held7"] = ~valid[7] | (inside["held7"] == (spec[7] != 0))
        for k in (6, 7, 8):
            word, descriptor = inside[f"word{k}"], program.row(row[k])
            on, off = program.pick(program.on, row[k]), program.pick(program.off, row[k])
            claims[f"word{k}"] = ~(valid[k] & ~descriptor.group) | (
                ((word & ~descriptor.mask) == 0)
                & ((word & off) == 0)
                & ((on & descriptor.mask & ~word) == 0)
            )
        ranks = Const(1, 1)
        for lane in lanes:
            key, pin = inside["keys6"][lane], pinned(row[6], lane)
            if _turned(lane, len(lanes)):
                key = ~key
            ranks = ranks & (key[-1] == pin) & (key[-2] == (free(row[6], lane) & ~pin))
        claims["keys6"] = ~valid[6] | ranks

        def right(key, number, lane):
            """A key's rank is that of the slot it stands for."""
            return (~key[-1] | pinned(number, lane)) & (key[-1] | ~key[-2] | free(number, lane))

        def best_of(key, mine):
            """No slot of these rows has a higher rank than the key."""
            holds = Const(1, 1)
            for n in range(self._parameters.rows):
                for lane in lanes:
                    holds = holds & (
                        ~mine(n)
                        | (
                            (key[-1] | ~pinned(Const(n, bits), lane))
                            & (key[-1] | key[-2] | ~free(Const(n, bits), lane))
                        )
                    )
            return holds

        key7 = inside["key7"]
        claims["key7"] = ~valid[7] | (
            right(key7, row[7], inside["lane7"]) & best_of(key7, lambda n: row[7] == n)
        )

        # The group so far: rows up to the one that left stage 7 last.
        latest = Signal(bits, name="latest")
        m.d.comb += latest.eq(back(behind[8] + 1))
        open_group = Signal(name="open_group")
        tail = program.row(latest)
        m.d.comb += open_group.eq((latest < program.size) & tail.group & (~tail.last | valid[8]))
        number = program.pick(program.group_of, latest)

        def so_far(n):
            return (program.group_of[n] == number) & (latest >= n)

        def in_group(other):
            return (program.pick(program.group_of, other) == number) & (other <= latest)

        anything = Const(0, 1)
        for n in range(self._parameters.rows):
            anything = anything | (so_far(n) & (self.spec[n] != 0))
        best_key, best_row, old_row = ~inside["worst_key"], inside["best_row"], inside["old_row"]
        has_old = inside["has_old"]
        claims["best"] = ~open_group | (
            in_group(best_row)
            & right(best_key, best_row, inside["best_lane"])
            & best_of(best_key, so_far)
        )
        claims["old"] = ~open_group | (
            (has_old == anything)
            & (~has_old | (in_group(old_row) & (program.pick(self.spec, old_row) != 0)))
        )
        wait, wait_row = inside["wait"], inside["wait_row"]
        claims["waits_for"] = ~wait | (
            valid[9]
            & (program.pick(program.group_of, wait_row) == program.pick(program.group_of, row[9]))
            & (~program.row(row[9]).group | program.row(row[9]).last)
            & (wait_row <= row[9])
        )
        return claims

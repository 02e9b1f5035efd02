"""The inside of GraphDecide: which row is in which stage, and what the registers say of it.

These are the invariants that make the claims of `proofs.decide` inductive: a row keeps its place in
the order while it goes through stages 5 to 9, its key's rank is that of the slot it stands for, and
the group so far has its best slot and its old row in the registers.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from proofs.jobs import Inside
from proofs.program import Program

from gibbsite_hw.graph_decide import _turned
from gibbsite_hw.graph_signatures import BARRIER_CYCLES
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["Pipeline"]

_STAGES = range(5, 10)


class Pipeline:
    """Rows on their way: ``due`` comes next, ``pause`` cycles from now or more.

    ``spec`` is the spin memory as it would be if a commit were one write; in a ``starting`` pass a
    given state takes the place of the scores.
    """

    def __init__(
        self,
        m: Module,
        parameters: GraphParameters,
        dut: wiring.Component,
        inside: Inside,
        program: Program,
        spec: list[Signal],
        *,
        due: Signal,
        pause: Signal,
        starting: Signal,
    ) -> None:
        self._m, self._parameters, self._dut = m, parameters, dut
        self._inside, self._program, self._spec = inside, program, spec
        self._due, self._pause = due, pause
        self._forced = starting & program.given
        bits = parameters.row_bits
        self._valid = valid = {k: Signal(name=f"in{k}") for k in _STAGES}
        self._row = row = {k: Signal(bits, name=f"row_in{k}") for k in _STAGES}
        m.d.sync += [valid[5].eq(dut.valid), row[5].eq(due)]
        for k in _STAGES[1:]:
            m.d.sync += [valid[k].eq(valid[k - 1]), row[k].eq(row[k - 1])]
        self._behind = {k: sum((valid[j] for j in range(5, k)), Const(0, 3)) for k in range(5, 11)}

    @property
    def empty(self):
        """Nothing is on its way, and the first row is due."""
        stages = Cat(self._valid[k] for k in _STAGES)
        return ~stages.any() & ~self._inside["wait"] & (self._due == 0) & (self._pause == 0)

    def order(self) -> dict[str, object]:
        """Which row is in which stage, and that its descriptor goes with it."""
        program, due, pause = self._program, self._due, self._pause
        valid, row, behind = self._valid, self._row, self._behind
        claims: dict[str, object] = {"due": (due < program.size) & (pause <= 8)}
        for k in _STAGES:
            descriptor = program.row(row[k])
            claims[f"order{k}"] = ~valid[k] | (
                (row[k] < program.size) & (row[k] == self._back(behind[k] + 1))
            )
            claims[f"barrier{k}"] = ~(valid[k] & descriptor.barrier) | (
                (behind[k] == 0) & (pause == BARRIER_CYCLES + 5 - k)
            )
            if k == 9:
                continue
            end = self._inside[f"end{k}"]
            claims[f"stage{k}"] = (self._inside[f"valid{k}"] == valid[k]) & (
                ~valid[k]
                | (
                    (end.row == row[k])
                    & (end.group == descriptor.group)
                    & (end.first == descriptor.first)
                    & (end.last == descriptor.last)
                    & (end.mask == descriptor.mask)
                )
            )
            claims[f"not_at_rest{k}"] = ~valid[k] | (due != 0) | (pause >= 13 - k)
        return claims

    def words(self) -> dict[str, object]:
        """What each stage knows of its row: the old word, the new one, keys of its slots."""
        program, inside, valid, row = self._program, self._inside, self._valid, self._row
        spec = {k: program.pick(self._spec, row[k]) for k in _STAGES}
        claims: dict[str, object] = {
            "old5": ~valid[5] | (self._dut.old == spec[5]),
            "old6": ~valid[6] | (inside["old6"] == spec[6]),
            "held7": ~valid[7] | (inside["held7"] == (spec[7] != 0)),
        }
        for k in (6, 7, 8):
            word, descriptor = inside[f"word{k}"], program.row(row[k])
            on, off = program.pick(program.on, row[k]), program.pick(program.off, row[k])
            claims[f"word{k}"] = ~(valid[k] & ~descriptor.group) | (
                ((word & ~descriptor.mask) == 0)
                & ((word & off) == 0)
                & ((on & descriptor.mask & ~word) == 0)
            )
        ranks = Const(1, 1)
        lanes = self._parameters.lanes
        for lane in range(lanes):
            key, pin = inside["keys6"][lane], self._pinned(row[6], lane)
            if _turned(lane, lanes):
                key = ~key
            ranks = ranks & (key[-1] == pin) & (key[-2] == (self._free(row[6], lane) & ~pin))
        claims["keys6"] = ~valid[6] | ranks
        key7 = inside["key7"]
        claims["key7"] = ~valid[7] | (
            self._right(key7, row[7], inside["lane7"]) & self._best_of(key7, lambda n: row[7] == n)
        )
        return claims

    def group(self) -> dict[str, object]:
        """The group so far: rows up to the one that left stage 7 last."""
        m, program, inside = self._m, self._program, self._inside
        valid, row = self._valid, self._row
        latest = Signal(self._parameters.row_bits, name="latest")
        m.d.comb += latest.eq(self._back(self._behind[8] + 1))
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
            anything = anything | (so_far(n) & (self._spec[n] != 0))
        best_key, best_row, old_row = ~inside["worst_key"], inside["best_row"], inside["old_row"]
        has_old = inside["has_old"]
        wait, wait_row = inside["wait"], inside["wait_row"]
        return {
            "best": ~open_group
            | (
                in_group(best_row)
                & self._right(best_key, best_row, inside["best_lane"])
                & self._best_of(best_key, so_far)
            ),
            "old": ~open_group
            | (
                (has_old == anything)
                & (~has_old | (in_group(old_row) & (program.pick(self._spec, old_row) != 0)))
            ),
            "waits_for": ~wait
            | (
                valid[9]
                & (
                    program.pick(program.group_of, wait_row)
                    == program.pick(program.group_of, row[9])
                )
                & (~program.row(row[9]).group | program.row(row[9]).last)
                & (wait_row <= row[9])
            ),
        }

    def _back(self, number):
        """The row ``number`` rows before the one that is due."""
        due = self._due
        before = Mux(due >= number, due - number, due + self._program.size - number)
        return before[: self._parameters.row_bits]

    def _pinned(self, number, lane):
        """Whether a slot is held at 1."""
        program = self._program
        mask = program.row(number).mask
        wanted = Mux(
            self._forced, program.pick(program.state, number), program.pick(program.on, number)
        )
        return wanted.bit_select(lane, 1) & mask.bit_select(lane, 1)

    def _free(self, number, lane):
        """Whether a slot may win by its score."""
        mask, off = self._program.row(number).mask, self._program.pick(self._program.off, number)
        return mask.bit_select(lane, 1) & ~off.bit_select(lane, 1) & ~self._forced

    def _right(self, key, number, lane):
        """A key's rank is that of the slot it stands for."""
        return (~key[-1] | self._pinned(number, lane)) & (
            key[-1] | ~key[-2] | self._free(number, lane)
        )

    def _best_of(self, key, mine):
        """No slot of these rows has a higher rank than the key."""
        bits = self._parameters.row_bits
        holds = Const(1, 1)
        for n in range(self._parameters.rows):
            for lane in range(self._parameters.lanes):
                holds = holds & (
                    ~mine(n)
                    | (
                        (key[-1] | ~self._pinned(Const(n, bits), lane))
                        & (key[-1] | key[-2] | ~self._free(Const(n, bits), lane))
                    )
                )
        return holds

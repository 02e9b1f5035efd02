"""`DeviceChecker` against the golden checks: error and detail for random and broken programs."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.program import Row
from gibbsite_models.golden.checks import Refused, check_program, check_run
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.programs import Shape, packed_descriptor, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

CHECKS = 600


class Checker:
    """Plays the engine's memories; the model judges what they hold when ``start`` is seen."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, int]] = Scoreboard("verdicts")
        self.rows: list[Row] = []
        self.on: list[int] = []
        self.off: list[int] = []
        self.state: list[int] = []
        self.start = False
        self.busy = False
        self.row = 0
        self.began = 0
        self.codes: dict[int, int] = {}
        for name in ("start", "structure", "given", "rows", "words"):
            getattr(self.dut, name).value = 0
        for name in ("descriptor", "on", "off", "state"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.row = read(dut.row)
        if read(dut.start):
            self.began = self.clocked.cycle
            self.board.expect(self.model())
        if read(dut.done) and self.busy:
            error = read(dut.error)
            self.board.saw((error, read(dut.detail) if error else 0))
            self.codes[error] = self.codes.get(error, 0) + 1
            self.busy = False
            # a row a cycle, a cycle to begin, one for the sum, one to say so
            assert self.clocked.cycle - self.began <= len(self.rows) + 4

    def model(self) -> tuple[int, int]:
        try:
            if read(self.dut.structure):
                check_program(PARAMETERS, self.rows, read(self.dut.words))
            else:
                given = self.state if read(self.dut.given) else None
                check_run(self.rows, self.on, self.off, given)
        except Refused as refused:
            return int(refused.code), refused.detail
        return 0, 0

    def ask(self, structure: bool, given: bool, words: int) -> None:
        """Check the memories as they are now."""
        dut = self.dut
        dut.structure.value, dut.given.value = int(structure), int(given)
        dut.rows.value, dut.words.value = len(self.rows), words
        self.start = self.busy = True

    def drive(self) -> None:
        self.dut.start.value = int(self.start)
        self.start = False
        if self.row < len(self.rows):
            descriptor, mask = self.rows[self.row].encode()
            self.dut.descriptor.value = packed_descriptor(PARAMETERS, descriptor, mask)
            self.dut.on.value = self.on[self.row]
            self.dut.off.value = self.off[self.row]
            self.dut.state.value = self.state[self.row]


PARAMETERS = parameters_here()


def broken(rows: list[Row], rng: Random) -> list[Row]:
    """One row with one flag turned, or a row lost."""
    rows = list(rows)
    at = rng.randrange(len(rows))
    row = rows[at]
    flag = rng.choice(["group", "first", "last", "barrier", "lost"])
    if flag == "lost" and len(rows) > 1:
        del rows[at]
    else:
        flags = {name: getattr(row, name) for name in ("group", "first", "last", "barrier")}
        flags[flag if flag != "lost" else "group"] ^= True
        rows[at] = Row(row.length, row.fold, **flags, mask=row.mask)
    return rows


@cocotb.test()
async def verdicts(dut: object) -> None:
    """Good programs pass, and each fault gets its code and its row."""
    rng = Random(21)
    clocked = Clocked(dut)
    checker = Checker(clocked)
    await clocked.start()
    large = PARAMETERS.max_group
    for number in range(CHECKS):
        groups = (rng.choice([large, large + 1]),) if number % 50 == 0 else ()
        case = random_case(PARAMETERS, rng, Shape(rows=rng.randint(1, 6), groups=groups))
        checker.rows = list(case.program.rows)
        size = len(checker.rows)
        conditions = case.program.conditions
        checker.on, checker.off = list(conditions.clamps_on), list(conditions.clamps_off)
        checker.state = list(case.state)
        words = sum(row.length for row in checker.rows)
        structure = number % 2 == 0
        if structure:
            if rng.random() < 0.6:
                checker.rows = broken(checker.rows, rng)
                words = sum(row.length for row in checker.rows)
            if rng.random() < 0.1:
                words += rng.choice([-1, 1])
        else:
            for memory in (checker.on, checker.off, checker.state):
                if rng.random() < 0.4:
                    at = rng.randrange(size)
                    memory[at] = rng.choice([0, memory[at] ^ rng.getrandbits(4), 15])
        checker.ask(structure, rng.random() < 0.7, words)
        await clocked.until(lambda: not checker.busy, 300, "verdict")
    checker.board.finish(CHECKS)
    wanted = {0, ErrorCode.BAD_ROWS, ErrorCode.BAD_GROUP, ErrorCode.NO_STATE_LEFT}
    wanted |= {ErrorCode.PINNED_TWICE, ErrorCode.STATE_NOT_ONE_HOT, ErrorCode.STATE_AGAINST_CLAMP}
    assert set(checker.codes) == wanted, checker.codes

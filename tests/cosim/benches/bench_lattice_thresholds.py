"""`LatticeThresholds` against `spec.lattice_tables`: every entry, in its cycle, at its address."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.spec.lattice_tables import BETA_MAX, UNIFORM_BITS, X_END, threshold, thresholds
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import TableWrite, table_write
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

PARAMETERS = lattice_parameters_here()
MOST = PARAMETERS.field_max
BITS = PARAMETERS.field_bits
OFFSET = LatticePlan(PARAMETERS).offset
FIRST = 7
TABLES = 40


def entry(beta: int, field: int) -> int:
    """T(|f|), the sign of f above it."""
    return threshold(2 * beta * abs(field)) | (field < 0) << UNIFORM_BITS


def address(field: int) -> int:
    """Where lanes look a field up."""
    return (field + OFFSET) % (1 << BITS)


class Thresholds:
    """Starts tables; the model says which pair of entries goes out in which cycle."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, TableWrite]] = Scoreboard("entries")
        self.tables = ({}, {})  # type: tuple[dict[int, int], dict[int, int]]
        self.asked: tuple[int, int] | None = None
        self.coming: list[tuple[int, int, TableWrite]] = []
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        if read(dut.begin):
            # a magnitude enters the pipeline six cycles before its pair goes out
            self.coming = [pair for pair in self.coming if pair[0] <= now]
            beta, half = read(dut.beta), read(dut.half)
            for m in range(1, MOST + 2):
                low = m - 1 if m % 2 else -m
                pair = TableWrite(half, address(low), entry(beta, low), entry(beta, low + 1))
                self.coming.append((now + 1 + m, now + FIRST - 1 + m, pair))
        while self.coming and self.coming[0][0] <= now:
            _, at, pair = self.coming.pop(0)
            self.board.expect((at, pair))
        seen = table_write(PARAMETERS, read(dut.write))
        if seen is not None:
            self.board.saw((now, seen))
            table = self.tables[seen.half]
            table[seen.address], table[seen.address + 1] = seen.low, seen.high

    def drive(self) -> None:
        """Beta and half stand beside ``begin`` only."""
        self.dut.begin.value = int(self.asked is not None)
        rng = Random(self.clocked.cycle)
        beta, half = self.asked or (rng.getrandbits(24), rng.getrandbits(1))
        self.dut.beta.value, self.dut.half.value = beta, half
        self.asked = None


@cocotb.test()
async def tables(dut: object) -> None:
    """Betas of all sizes: whole tables, tables given up for another, tables back to back."""
    rng = Random(17)
    clocked = Clocked(dut)
    made = Thresholds(clocked)
    await clocked.start()
    edge = X_END // (2 * MOST)
    betas = [0, 1, BETA_MAX, X_END // 2, X_END // 2 - 1, X_END // 2 + 1, edge, edge + 1]
    whole = ends = 0
    for number in range(TABLES):
        beta = betas[number] if number < len(betas) else rng.getrandbits(rng.randint(12, 24))
        half = rng.getrandbits(1)
        made.asked = (beta, half)
        if number % 4 == 3:  # given up
            await clocked.wait(1 + rng.randrange(MOST + 1))
            continue
        # back to back: the next one begins when the ramp is over, six cycles before the last pair
        await clocked.wait(MOST + 4 + (rng.randrange(4) if number % 4 else 12))
        if number % 4 == 0:
            table, wanted = made.tables[half], thresholds(beta, MOST)
            for field in range(-MOST, MOST + 1):
                found = table[address(field)]
                assert found == wanted[abs(field)] | (field < 0) << UNIFORM_BITS, (beta, field)
            assert table[address(0)] == 1 << UNIFORM_BITS - 1
            whole += 1
            ends += wanted[-1] == 0
    await clocked.wait(MOST + 12)
    made.board.finish(TABLES // 2 * MOST)
    assert whole == TABLES // 4
    assert 0 < ends < whole

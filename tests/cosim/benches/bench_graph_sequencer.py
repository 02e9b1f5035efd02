"""`GraphSequencer`: every word, flag and cycle of a pass, with and without gaps in ``go``."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.program import Row
from gibbsite_models.golden.graph import BARRIER_CYCLES
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.programs import Shape, packed_descriptor, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, Stalls

PARAMETERS = parameters_here()
PROGRAMS = 12
PASSES = 3

Step = tuple[int, ...]
"""valid, word, opens, ends, row, fold, group, first, last, pass_end, mask, pass_done."""


def steps(rows: list[Row]) -> list[Step]:
    """What one pass shows in each of its cycles."""
    found: list[Step] = []
    word = 0
    for number, row in enumerate(rows):
        final = number == len(rows) - 1
        for k in range(row.length):
            ends = k == row.length - 1
            end = (row.fold, row.group, row.first, row.last, final, row.mask) if ends else (0,) * 6
            found.append((1, word, int(k == 0), int(ends), number, *map(int, end), 0))
            word += 1
        if row.barrier:
            found += [(0,) * 12] * (BARRIER_CYCLES - 1)
            found.append((*(0,) * 11, int(final)))
    return found


class Walk:
    """Plays the row memory and ``go``; sees one step in each cycle with ``go``."""

    def __init__(self, clocked: Clocked, stalls: Stalls) -> None:
        self.dut: Any = clocked.dut
        self.stalls = stalls
        self.board: Scoreboard[Step] = Scoreboard("steps")
        self.rows: list[Row] = []
        self.address = 0
        self.passes = 0
        self.going = self.rewind = False
        for name in ("rewind", "go", "rows", "row_data"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.address = read(dut.row_address)
        if not read(dut.go):
            assert not read(dut.valid)
            assert not read(dut.pass_done)
            return
        valid, ends = read(dut.valid), read(dut.ends)
        done = read(dut.pass_done)
        step: list[int] = [0] * 11
        if valid:
            step[:5] = [1, read(dut.word), read(dut.opens), ends, read(dut.row)]
        if valid and ends:
            step[5:] = self.row_end(read(dut.row_end))
            assert step[4] == read(dut.row_end) & (1 << PARAMETERS.row_bits) - 1
        self.board.saw((*step, done))
        self.passes += done

    @staticmethod
    def row_end(value: int) -> list[int]:
        fields = []
        value >>= PARAMETERS.row_bits
        for width in (PARAMETERS.lane_bits.bit_length(), 1, 1, 1, 1, PARAMETERS.lanes):
            fields.append(value & (1 << width) - 1)
            value >>= width
        return fields

    def drive(self) -> None:
        dut = self.dut
        dut.rewind.value = int(self.rewind)
        self.rewind = False
        if self.address < len(self.rows):
            descriptor, mask = self.rows[self.address].encode()
            dut.row_data.value = packed_descriptor(PARAMETERS, descriptor, mask)
        # as in the engine, go falls in the cycle after the last pass
        dut.go.value = int(self.going and self.board.open > 0 and not self.stalls.hold())


@cocotb.test()
async def passes(dut: object) -> None:
    """Random programs, several passes each, one right behind the other."""
    rng = Random(2)
    clocked = Clocked(dut)
    pattern = os.environ["GIBBSITE_STALLS"]
    walk = Walk(clocked, Stalls(*STALLS[pattern], seed=4))
    await clocked.start()
    wanted = 0
    for number in range(PROGRAMS):
        size = PARAMETERS.rows // 2 if number == 0 else rng.randint(1, 8)
        walk.rows = random_case(PARAMETERS, rng, Shape(rows=size)).program.rows
        dut.rows.value = len(walk.rows)
        one = steps(walk.rows)
        cost = sum(row.length for row in walk.rows)
        cost += BARRIER_CYCLES * sum(row.barrier for row in walk.rows)
        assert len(one) == cost
        for _ in range(PASSES):
            for step in one:
                walk.board.expect(step)
        wanted += PASSES * cost
        walk.rewind = True
        await clocked.wait(6)
        walk.passes, walk.going = 0, True
        await clocked.until(lambda: walk.passes == PASSES, 20_000, "end of the passes")
        walk.going = False
        await clocked.wait(3)
    walk.board.finish(wanted)
    assert (walk.stalls.held > 0) == (pattern != "none")

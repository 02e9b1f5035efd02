"""`LatticeSchedule`: whose table is in use when, and the cycle from which a step may begin.

The model counts as `spec.lattice_timing` does and keeps a lane's tables as they are written, two or
one; each look at the one in use must find the golden thresholds of the step at hand.
"""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import LatticeMemories
from gibbsite_hw.spec.lattice_tables import BETA_MAX, UNIFORM_BITS, thresholds
from gibbsite_hw.spec.lattice_timing import GAP, table_cycles
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import StoreWrite, table_write
from gibbsite_sim.cosim.run import lattice_parameters_here

PARAMETERS = lattice_parameters_here()
PLAN = LatticePlan(PARAMETERS)
MOST, BITS = PARAMETERS.field_max, PARAMETERS.field_bits
TWICE = PARAMETERS.tables == 2
RUNS = 14
INPUTS = ("begin", "enter", "leave", "rewind", "counting", "steps")


def whole_table(beta: int) -> dict[int, int]:
    """Every entry that a lane may look up, by its address."""
    golden = thresholds(beta, MOST)
    return {
        (field + PLAN.offset) % (1 << BITS): golden[abs(field)] | (field < 0) << UNIFORM_BITS
        for field in range(-MOST, MOST + 1)
    }


class Schedule:
    """Follows the ports: steps, the cycles left of a table, the halves, and who reads them."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.betas = [0] * PARAMETERS.schedule_steps
        self.halves: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.inputs = dict.fromkeys(INPUTS, 0)
        self.write: StoreWrite | None = None
        self.running = False
        self.step = self.left = 0  # the step whose table comes next; cycles until it may enter
        self.half: int | None = None
        self.fresh = self.last = False
        self.beta: int | None = None  # of the table that is in use
        self.looks: list[tuple[int, int, int]] = []  # cycle, half, beta of a first look to come
        # cycles of the first and the last look at each half
        self.read_from, self.read_until = [0, 0], [-1, -1]
        self.looked = self.waited = 0
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        while self.looks and self.looks[0][0] == now:
            _, half, beta = self.looks.pop(0)
            wanted = whole_table(beta)
            found = {at: self.halves[half].get(at) for at in wanted}
            assert found == wanted, f"the table of beta {beta} is not whole in its first look"
            self.looked += 1
        counting, enter = read(dut.counting), read(dut.enter)
        if self.running:
            assert read(dut.fresh) == self.fresh
            assert read(dut.half) == self.half
            if self.fresh:
                ready = self.left <= counting
                assert read(dut.ready) == ready, f"{self.left} cycles left, counting {counting}"
                self.waited += not ready
            elif not TWICE:
                assert not read(dut.ready), "no table is on its way"
            if self.beta is not None and read(dut.steps):
                assert read(dut.last) == self.last
        seen = table_write(PARAMETERS, read(dut.table))
        if seen is not None:
            in_use = self.read_from[seen.half] <= now <= self.read_until[seen.half]
            assert not in_use, "an entry is written over while lanes look at it"
            table = self.halves[seen.half]
            table[seen.address], table[seen.address + 1] = seen.low, seen.high
        self.follow(now, counting, enter)
        if read(dut.write__enable) and read(dut.write__memory) == LatticeMemories.SCHEDULE:
            self.betas[read(dut.write__step)] = read(dut.write__data) & BETA_MAX

    def follow(self, now: int, counting: int, enter: int) -> None:
        """What the cycle's inputs do."""
        dut, steps = self.dut, read(self.dut.steps)
        if counting and self.left:
            self.left -= 1
        if read(dut.rewind):
            self.step, self.running = 0, False
            self.read_until = [now, now]
        if read(dut.begin):
            self.running, self.half = True, read(dut.half)
            self.beta = None
            self.compute(steps)
        elif enter:
            assert self.half is not None
            if TWICE:
                self.left_behind(now)
                self.half = 1 - self.half
            # the last entries come while its first column is on the way to them
            self.read_from[self.half], self.read_until[self.half] = now + 1 + PLAN.field, 1 << 60
            self.beta = self.next_beta
            self.looks.append((now + 1 + PLAN.field, self.half, self.next_beta))
            self.last = self.step == steps
            self.fresh = False
            if TWICE and self.step < steps:
                self.compute(steps)
        elif read(dut.leave):
            self.left_behind(now)
            self.compute(steps)

    def left_behind(self, now: int) -> None:
        """The last column that reads the table in use is GAP cycles behind."""
        assert self.half is not None
        self.read_until[self.half] = now - GAP + PLAN.field

    def compute(self, steps: int) -> None:
        """The next table is on its way."""
        self.next_beta = self.betas[self.step] if steps else 0
        self.step += 1
        self.left, self.fresh = table_cycles(PARAMETERS), True

    def drive(self) -> None:
        for name, value in self.inputs.items():
            getattr(self.dut, name).value = value
        (self.write or StoreWrite(LatticeMemories.SCHEDULE)).drive(self.dut, bool(self.write))
        self.write = None
        self.inputs["begin"] = self.inputs["enter"] = self.inputs["leave"] = 0


@cocotb.test()
async def steps(dut: object) -> None:
    """Random schedules of every length; steps enter at once, or when their table is ready."""
    rng = Random(41)
    clocked = Clocked(dut)
    schedule = Schedule(clocked)
    schedule.inputs["rewind"] = 1
    await clocked.start()
    entered = 0
    for number in range(RUNS):
        schedule.inputs.update(rewind=1, counting=0)
        for step in range(PARAMETERS.schedule_steps):
            beta = rng.choice([0, BETA_MAX, rng.randint(0, BETA_MAX), rng.randint(0, 1 << 18)])
            above = rng.getrandbits(40) << 24  # no part of a beta
            schedule.write = StoreWrite(LatticeMemories.SCHEDULE, step=step, data=above | beta)
            await clocked.wait(1)
            # what goes to another memory is no beta
            schedule.write = StoreWrite(LatticeMemories.BIASES, step=step, data=above)
            await clocked.wait(1)
        steps = number % (PARAMETERS.schedule_steps + 1)
        schedule.inputs["steps"] = steps
        await clocked.wait(4)
        schedule.inputs["rewind"] = 0
        schedule.inputs["begin"] = 1
        await clocked.wait(1)
        slow = rng.random() < 0.4
        for step in range(max(1, steps)):
            least = rng.choice([1, 30, MOST + 40])
            for _ in range(least):
                schedule.inputs["counting"] = int(not slow or rng.random() < 0.7)
                await clocked.wait(1)
            if step and not TWICE:
                schedule.inputs.update(counting=1, leave=1)
                await clocked.wait(2)  # the second one is the first that waits
            while schedule.left:
                schedule.inputs["counting"] = int(not slow or rng.random() < 0.7)
                await clocked.wait(1)
            schedule.inputs.update(counting=1, enter=1)
            await clocked.wait(1)
            entered += 1
            if step == max(1, steps) - 1:
                await clocked.wait(rng.randrange(2 * MOST))
    assert schedule.looked >= entered - 1
    assert schedule.waited > RUNS * MOST // 2

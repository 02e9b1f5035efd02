"""`LatticeSeeder`: its words make of a cleared golden stream the state that the hash wants."""

from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_models.golden.lattice_noise import step_lattice_streams
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.scoreboard import Scoreboard

HASHES = 300
WORD = (1 << 64) - 1
CLEAR, LOADS = 2, (3, 4)
"""Cycles after ``done``: all is over four cycles later."""


class Seeder:
    """A result every fifth cycle or later; the model is a golden stream that obeys the ports."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, int, int]] = Scoreboard("seeded streams")
        self.rng = Random(5)
        self.stream = np.zeros((2, 1), dtype=np.uint64)
        self.since, self.wait = 99, 0
        self.dut.done.value = 0
        self.dut.result.value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        self.since += 1
        clear, load, word = read(dut.clear), read(dut.load), read(dut.word)
        assert clear == (self.since == CLEAR), f"clear {self.since} cycles after done"
        assert load == (self.since in LOADS), f"load {self.since} cycles after done"
        assert load or not word, "a word that no stream is loaded with"
        if clear:
            self.stream[:] = 0
        if load:
            step_lattice_streams(self.stream)
            self.stream[0] ^= np.uint64(word)
        if self.since == LOADS[-1]:
            self.board.saw((now, int(self.stream[0, 0]), int(self.stream[1, 0])))
        if read(dut.done):
            result = read(dut.result)
            self.board.expect((now + LOADS[-1], result & WORD, result >> 64))
            self.since = 0

    def drive(self) -> None:
        """The result stands for the cycle of ``done`` only."""
        rng = self.rng
        self.wait -= 1
        self.dut.done.value = int(self.wait <= 0)
        ends = [0, 1, WORD, rng.getrandbits(64), 1 << rng.randrange(64)]
        self.dut.result.value = rng.choice(ends) | rng.choice(ends) << 64
        if self.wait <= 0:
            self.wait = 5 + rng.choice([0, 0, 1, 9])


@cocotb.test()
async def seeds(dut: object) -> None:
    """Random and extreme hashes, as close as they can come."""
    clocked = Clocked(dut)
    seeder = Seeder(clocked)
    await clocked.start()
    await clocked.until(lambda: seeder.board.matched >= HASHES, 20 * HASHES, "seeding")
    assert seeder.board.open <= 1

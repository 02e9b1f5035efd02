"""`LatticeHash` against Threefry of the golden model: every bit, each in its cycle."""

from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.spec.lattice_tables import LATTICE_ENGINE
from gibbsite_models.golden.lattice_noise import seed_lattice_streams
from gibbsite_models.golden.noise import threefry2x64
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

HASHES = 100
CYCLES = 20 // lattice_parameters_here().hash_rounds
STOOD, READY = 2, 2
"""Cycles that a counter stands, the one of ``start`` included; those from ``done`` to ``ready``."""
PARITY = 0x1BD1_1BDA_A9FC_1A22
ENDS = {64: (0, 1, (1 << 64) - 1, PARITY, LATTICE_ENGINE), 32: (0, 1, (1 << 32) - 1)}


class Hasher:
    """Starts a hash when ``wait`` is over; the model hears of it from the ports.

    Chain and stream stand for as long as they must, and are garbage otherwise.
    """

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.rng = Random(11)
        self.dones: Scoreboard[int] = Scoreboard("done")
        self.hashes: Scoreboard[tuple[int, int]] = Scoreboard("hashes")
        self.asked = self.close = 0
        self.wait = 9
        self.counter = (0, 0)
        self.seed = 0
        for name in ("start", "seed", "chain", "stream"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        if read(dut.done):
            self.dones.saw(now)
        if read(dut.ready):
            self.hashes.saw((now, read(dut.result)))
        if read(dut.start):
            seed, chain, stream = (read(getattr(dut, n)) for n in ("seed", "chain", "stream"))
            counter = (np.array([chain], np.uint64), np.array([stream], np.uint64))
            x0, x1 = (int(x[0]) for x in threefry2x64((seed, LATTICE_ENGINE), counter))
            if stream < 4:  # as the engine uses it
                states = seed_lattice_streams(seed, counter[0], stream + 1)[:, 0, stream]
                assert [int(x) for x in states] == [x0, x1]
            self.dones.expect(now + CYCLES)
            self.hashes.expect((now + CYCLES + READY, (x0 | x1 << 64) or 1))

    def pick(self, bits: int) -> int:
        """Any word, or one at an end."""
        return self.rng.choice([self.rng.getrandbits(bits), self.rng.choice(ENDS[bits])])

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        self.wait -= 1
        starts = self.wait == 0 and self.asked < HASHES
        dut.start.value = int(starts)
        chain, stream = rng.getrandbits(32), rng.getrandbits(32)
        if 0 <= self.wait < STOOD:
            if self.wait == STOOD - 1:
                stream = rng.choice([rng.randrange(4), self.pick(32)])
                self.counter = self.pick(32), stream
            chain, stream = self.counter
        dut.chain.value, dut.stream.value = chain, stream
        if starts:
            self.asked += 1
            pause = rng.choice([1, 1, 1, 2, 9])
            self.close += pause == 1
            self.wait = CYCLES + pause
            if pause == 9:  # all is over before the next one: another seed
                self.wait += READY
        elif self.wait == 5 and not self.dones.open and not self.hashes.open:
            self.seed = self.pick(64)
        dut.seed.value = self.seed


@cocotb.test()
async def hashes(dut: object) -> None:
    """Random and extreme keys and counters, as close as they can come and with pauses."""
    clocked = Clocked(dut)
    hasher = Hasher(clocked)
    await clocked.start()
    await clocked.until(
        lambda: hasher.hashes.matched == HASHES, HASHES * (CYCLES + 12) + 20, "last hash"
    )
    await clocked.wait(2 * CYCLES)
    hasher.dones.finish(HASHES)
    hasher.hashes.finish(HASHES)
    assert hasher.close > HASHES // 3

"""`SeedHash` against Threefry of the golden model: every bit, and the cycle in which it comes."""

from random import Random

import cocotb
import numpy as np

from gibbsite_models.golden.noise import seed_streams, threefry2x64
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

HASHES = 60
PORTS = ("seed", "engine", "chain", "lane")


class Hasher:
    """Starts a hash whenever told; the monitor half feeds the model with what the ports carry."""

    def __init__(self, clocked: Clocked, rounds: int) -> None:
        self.dut, self.clocked = clocked.dut, clocked
        self.cycles = 20 // rounds
        self.board: Scoreboard[tuple[int, int]] = Scoreboard("seed hash")
        self.busy = False
        self.asked: list[int] | None = None
        self.engine_seeds = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        if read(self.dut.done):
            self.board.saw((self.clocked.cycle, read(self.dut.result)))
            self.busy = False
        if read(self.dut.start):
            seed, engine, chain, lane = (read(getattr(self.dut, name)) for name in PORTS)
            counter = (np.array([chain], np.uint64), np.array([lane], np.uint64))
            x0, x1 = (int(x[0]) for x in threefry2x64((seed, engine), counter))
            value = (x0 | x1 << 64) or 1
            if engine == 1 and lane < 4 and chain < 1 << 32:
                words = seed_streams(seed, np.array([chain], np.uint64), 4)[:, lane, 0]
                assert value == sum(int(w) << 32 * n for n, w in enumerate(words))
                self.engine_seeds += 1
            self.board.expect((self.clocked.cycle + self.cycles, value))

    def ask(self, pick: list[int]) -> None:
        """Start a hash in the next cycle."""
        self.asked, self.busy = pick, True

    def drive(self) -> None:
        self.dut.start.value = int(self.asked is not None)
        for name, value in zip(PORTS, self.asked or (), strict=False):
            getattr(self.dut, name).value = value
        self.asked = None


@cocotb.test()
async def hashes(dut: object) -> None:
    """Random and extreme keys and counters, back to back and with pauses."""
    clocked = Clocked(dut)
    rng = Random(11)
    for name in ("start", *PORTS):
        getattr(dut, name).value = 0
    await clocked.start()
    hasher = Hasher(clocked, parameters_here().hash_rounds)
    ends = (0, 1, (1 << 64) - 1, 0x1BD1_1BDA_A9FC_1A22)
    for number in range(HASHES):
        pick = [rng.choice([rng.getrandbits(64), rng.choice(ends)]) for _ in range(4)]
        if number % 3 == 0:  # as the engine uses it
            pick[1:] = [1, rng.getrandbits(32), rng.randrange(4)]
        hasher.ask(pick)
        await clocked.until(lambda: not hasher.busy, 30, "done")
        if number % 2:
            await clocked.wait(rng.randrange(5))
    hasher.board.finish(HASHES)
    assert hasher.engine_seeds >= HASHES // 3

"""`GaussianShaper` against the definition in the spec: every bit, five cycles later."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.langevin_tables import gaussian_code
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.scoreboard import Scoreboard

LATENCY = 5
CYCLES = 6000
ALL = (1 << 64) - 1


class Shaper:
    """A uniform each cycle; the model is fed with what the port carries."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, int]] = Scoreboard("gaussian shaper")
        self.random = Random(6)
        self.octaves: set[int] = set()
        self.first: int | None = None
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        now = self.clocked.cycle
        if self.first is None:
            self.first = now
        if now - self.first >= LATENCY:
            code, width = read(self.dut.gaussian), len(self.dut.gaussian)
            self.board.saw((now, code - (code >> width - 1 << width)))
        uniform = read(self.dut.uniform)
        self.octaves.add(63 - min(uniform, ALL - uniform).bit_length())
        self.board.expect((now + LATENCY, gaussian_code(uniform)))

    def drive(self) -> None:
        """Ends of the range, each octave, edges of segments, and plain random words."""
        rng = self.random
        word = rng.getrandbits(64)
        kind = rng.randrange(4)
        if kind == 0:
            word >>= rng.randrange(64)
        elif kind == 1:
            word = (1 << rng.randrange(65)) - rng.randrange(3) & ALL
        self.dut.uniform.value = word ^ (ALL if rng.random() < 0.5 else 0)


@cocotb.test()
async def shapes(dut: object) -> None:
    """A new uniform every cycle; every octave of both halves comes up."""
    clocked = Clocked(dut)
    shaper = Shaper(clocked)
    await clocked.start()
    await clocked.wait(CYCLES)
    assert shaper.board.open == LATENCY
    assert shaper.board.matched >= CYCLES - LATENCY - 2
    assert shaper.octaves == set(range(64))

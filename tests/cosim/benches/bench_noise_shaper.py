"""`NoiseShaper` against the golden model: every lane, every bit, four cycles later."""

from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.noise import shape_noise
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

LATENCY = 4
CYCLES = 3000


class Shaper:
    """A uniform a lane each cycle; the model is fed with what the ports carry."""

    def __init__(self, clocked: Clocked, parameters: GraphParameters) -> None:
        dut: Any = clocked.dut
        self.clocked, lanes = clocked, parameters.lanes
        self.format = (
            parameters.score_frac,
            parameters.noise_index_bits,
            parameters.noise_tail_bits,
        )
        self.uniform = [getattr(dut, f"uniform__{lane}") for lane in range(lanes)]
        self.against = [getattr(dut, f"against__{lane}") for lane in range(lanes)]
        self.more = dut.more
        self.gumbel = dut.gumbel
        self.board: Scoreboard[tuple[int, tuple[int, ...]]] = Scoreboard("noise shaper")
        self.random = Random(5)
        self.driven = 0
        self.first: int | None = None
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        now = self.clocked.cycle
        if self.first is None:
            self.first = now
        width = len(self.against[0])
        if now - self.first >= LATENCY:
            seen, more = (read(port) for port in self.against), read(self.more)
            against = (v - (v >> width - 1 << width) for v in seen)
            noise = tuple(-v - (more >> lane & 1) for lane, v in enumerate(against))
            self.board.saw((now, noise))
        uniform = np.array([read(port) for port in self.uniform], np.uint32)
        codes = shape_noise(uniform, bool(read(self.gumbel)), *self.format)
        self.board.expect((now + LATENCY, tuple(int(code) for code in codes)))

    def drive(self) -> None:
        """Ends of the range, each octave, edges of segments, and plain random words."""
        rng = self.random
        for port in self.uniform:
            word = rng.getrandbits(32)
            kind = rng.randrange(4)
            if kind == 0:
                word >>= rng.randrange(32)
            elif kind == 1:
                word = (1 << rng.randrange(33)) - rng.randrange(3) & 0xFFFF_FFFF
            port.value = word ^ (0xFFFF_FFFF if rng.random() < 0.5 else 0)
        self.gumbel.value = rng.randrange(2)
        self.driven += 1


@cocotb.test()
async def shapes(dut: object) -> None:
    """A new uniform every cycle, both shapes mixed."""
    parameters = parameters_here()
    clocked = Clocked(dut)
    shaper = Shaper(clocked, parameters)
    await clocked.start()
    await clocked.wait(CYCLES)
    assert shaper.board.open == LATENCY
    assert shaper.board.matched >= CYCLES - LATENCY - 2

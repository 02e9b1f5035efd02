"""`LatticeNoise` against the golden streams: every bit of every word, in every cycle."""

from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.lattice_noise import stream_pairs
from gibbsite_models.golden.lattice_noise import seed_lattice_streams, step_lattice_streams
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import lattice_parameters_here

STREAMS = lattice_parameters_here().streams
SEEDINGS, STEPS = 24, 60
WORD = (1 << 64) - 1


def stepped(state: tuple[int, int]) -> tuple[int, int]:
    """The golden step of one stream."""
    streams = np.array(state, dtype=np.uint64).reshape(2, 1)
    step_lattice_streams(streams)
    return int(streams[0, 0]), int(streams[1, 0])


class Noise:
    """Does what it is told; the model follows the ports: clears, loads with a word, steps, each a
    cycle late, and the word comes in that cycle."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.states: list[tuple[int, int] | None] = [None] * STREAMS
        self.compared = self.used = 0
        self.order: tuple[str, int, int] = ("", 0, 0)
        self.asked = ("", 0)  # the cycle before
        self.word = 0
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        for number, state in enumerate(self.states):
            if state is not None:
                word = read(getattr(dut, f"words__{number}"))
                assert word == state[0], f"stream {number}: {word:016x}, not {state[0]:016x}"
                self.compared += 1
        what, selected = self.asked
        step, load, clear = (what == name for name in ("step", "load", "clear"))
        self.asked = ("", 0)
        for name in ("step", "load", "clear"):
            if read(getattr(dut, name)):
                self.asked = (name, read(dut.select))
        added = read(dut.added__0)
        for number, state in enumerate(self.states):
            mine = selected >> number & 1
            if clear and mine:
                self.states[number] = (0, 0)
            elif state is not None and (step or (load and mine)):
                s0, s1 = stepped(state)
                self.states[number] = (s0 ^ added, s1)
                self.used += step

    def drive(self) -> None:
        what, selected, word = self.order
        for name in ("step", "clear", "load"):
            getattr(self.dut, name).value = int(name == what)
        self.dut.select.value = selected
        for number in range(stream_pairs(STREAMS)):
            getattr(self.dut, f"added__{number}").value = self.word
        self.word = word


@cocotb.test()
async def streams(dut: object) -> None:
    """Seeds and steps: every stream starts as the golden one, the others hold meanwhile."""
    clocked = Clocked(dut)
    noise = Noise(clocked)
    rng = Random(31)
    await clocked.start()

    async def order(what: str, selected: int = 0, word: int = 0) -> None:
        noise.order = (what, selected, word)
        await clocked.wait(1)

    for number in range(SEEDINGS):
        seed = rng.choice([0, WORD, rng.getrandbits(64)])
        chain = np.array([rng.choice([0, 0xFFFF_FFFF, rng.getrandbits(32)])], dtype=np.uint64)
        golden = seed_lattice_streams(seed, chain, STREAMS)[:, 0]
        if number == SEEDINGS - 1:  # the farthest states that words can ask for
            golden[:] = np.array([[WORD], [1]], dtype=np.uint64)
        every = list(range(STREAMS))
        rng.shuffle(every)
        for stream in every:
            s0, s1 = (int(word) for word in golden[:, stream])
            first = (s1 >> 37 | s1 << 27) & WORD
            mine = 1 << stream
            await order("clear", mine)
            await order("load", mine, first)
            await order("load", mine, s0 ^ stepped((first, 0))[0])
            await order("")
        await clocked.wait(2)  # the last order is in the streams
        assert noise.states == [(int(a), int(b)) for a, b in golden.T]
        for _ in range(STEPS):
            # what selects stands beside steps as it was left, and picks none of them
            await order(rng.choice(["step", "step", ""]), rng.getrandbits(STREAMS))
    assert noise.used > SEEDINGS * STEPS * STREAMS // 2
    assert noise.compared > SEEDINGS * STEPS * STREAMS

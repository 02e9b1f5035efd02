"""The seed hash a byte at a time: the streams of golden, and its time to the cycle."""

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from gibbsite_hw.noise import xoshiro_step
from gibbsite_hw.serial_hash import CHAIN_BYTE, SEED_BYTE, SerialSeedHash
from gibbsite_hw.spec.seeding import SERIAL_HASH_CYCLES, seeding_cycles
from gibbsite_models.golden.noise import seed_streams

CASES = [
    (0x1234_5678_9ABC_DEF0, 7, 0),
    ((1 << 64) - 1, (1 << 32) - 1, 1),
    (0, 0, 31),
    (0x1BD1_1BDA_A9FC_1A22, 1 << 31, 15),
]


def seeded(engine: int) -> list[tuple[int, list[int]]]:
    """Cycles and stream of each case, each stream left over from the one before."""
    m = Module()
    m.submodules.dut = dut = SerialSeedHash(engine)
    words = [Signal(32, name=f"word{n}") for n in range(4)]
    following = xoshiro_step(words)
    for n, word in enumerate(words):
        with m.If(dut.clear):
            m.d.sync += word.eq(0)
        with m.Elif(dut.take[n]):
            m.d.sync += word.eq(following[n] ^ dut.inject)
    found = []

    async def bench(ctx):
        for seed, chain, lane in CASES:
            ctx.set(dut.load, 1)
            for first, value, size in ((SEED_BYTE, seed, 8), (CHAIN_BYTE, chain, 4)):
                for n in range(size):
                    ctx.set(dut.place, first + n)
                    ctx.set(dut.byte, value >> 8 * n & 0xFF)
                    await ctx.tick()
            ctx.set(dut.load, 0)
            ctx.set(dut.lane, lane)
            ctx.set(dut.start, 1)
            await ctx.tick()
            ctx.set(dut.start, 0)
            cycles = 1
            while not ctx.get(dut.done):
                await ctx.tick()
                cycles += 1
            await ctx.tick()
            found.append((cycles + 1, [ctx.get(word) for word in words]))
            assert ctx.get(dut.inject) == 0

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def test_every_stream_is_that_of_golden() -> None:
    for (seed, chain, lane), (cycles, words) in zip(CASES, seeded(1), strict=True):
        wanted = seed_streams(seed, np.array([chain], np.uint64), lane + 1)[:, lane, 0]
        assert words == wanted.tolist()
        assert cycles == SERIAL_HASH_CYCLES == seeding_cycles(0)


def test_another_engine_has_other_streams() -> None:
    assert all(one != two for one, two in zip(seeded(1), seeded(2), strict=True))


@pytest.mark.parametrize(("rounds", "cycles"), [(1, 21), (2, 11), (4, 6)])
def test_wide_hashes_take_their_rounds(rounds: int, cycles: int) -> None:
    assert seeding_cycles(rounds) == cycles

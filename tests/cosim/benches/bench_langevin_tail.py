"""`LangevinTail` against the page's sentences: V, work, heat, best state, saturations, cycles."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    ENERGY_MAX,
    STRENGTH_FRAC,
    STRENGTH_MAX,
    TERMS,
    round_shift,
    saturate,
)
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.scoreboard import Scoreboard

PASSES = 1200
LATENCY = 9
ENERGY_BITS, HEAT_BITS, STRENGTH_BITS = 56, 63, 18


def signed_value(handle: Any) -> int:
    value, width = read(handle), len(handle)
    return value - (value >> width - 1 << width)


class Tail:
    """One pass after the other; the model takes what the ports carry when one starts."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, ...]] = Scoreboard("passes")
        self.random = Random(8)
        self.work = self.heat = self.best = self.counted = self.seen = 0
        self.fresh = True
        self.wait = 0
        self.done_at = -1
        self.limits: set[str] = set()
        self.chain_sign = 1
        for name in ("start", "clear", "working", "pass_heat"):
            getattr(self.dut, name).value = 0
        for number in range(len(TERMS)):
            getattr(self.dut, f"energies__{number}").value = 0
        for name in ("old", "new", "end"):
            getattr(self.dut, f"strengths_{name}").value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        if self.done_at == now - 1:
            names = ("energy", "work", "heat", "best_energy")
            values = (signed_value(getattr(dut, name)) for name in names)
            self.board.saw((*values, read(dut.current), self.seen))
        self.seen += read(dut.saturations)
        if read(dut.start):
            self.board.expect(self.model())
            self.done_at = now + LATENCY
        assert read(dut.done) == (now == self.done_at)
        if read(dut.clear):
            self.work = self.heat = 0
            self.fresh = True

    def strengths(self, name: str) -> list[int]:
        packed = read(getattr(self.dut, f"strengths_{name}"))
        codes = [packed >> STRENGTH_BITS * k & (1 << STRENGTH_BITS) - 1 for k in range(len(TERMS))]
        return [code - (code >> STRENGTH_BITS - 1 << STRENGTH_BITS) for code in codes]

    def clip(self, value: int, largest: int, what: str) -> int:
        held = saturate(value, largest)
        if held != value:
            self.counted += 1
            self.limits.add(what)
        return held

    def model(self) -> tuple[int, ...]:
        dut = self.dut
        sums = [signed_value(getattr(dut, f"energies__{k}")) for k in range(len(TERMS))]
        e = [self.clip(total, ENERGY_MAX, "energy") for total in sums]
        old, new, end = (self.strengths(name) for name in ("old", "new", "end"))
        v, v_end = (
            round_shift(sum(s * x for s, x in zip(strengths, e, strict=True)), STRENGTH_FRAC)
            for strengths in (old, end)
        )
        work = self.work
        if read(dut.working):
            gain = sum((b - a) * x for a, b, x in zip(old, new, e, strict=True))
            self.work = self.clip(work + round_shift(gain, 8), ACCUMULATOR_MAX, "work")
        heat = self.heat + signed_value(dut.pass_heat)
        self.heat = self.clip(heat, ACCUMULATOR_MAX, "heat")
        current = self.fresh or v_end < self.best
        self.best = v_end if current else self.best
        self.fresh = False
        return v, work, self.heat, self.best, int(current), self.counted

    def drive(self) -> None:
        """Chains of up to 400 passes; in some of them work and heat grow as fast as they can."""
        dut, rng = self.dut, self.random
        dut.start.value = dut.clear.value = 0
        self.wait -= 1
        if self.wait > 0:
            return
        self.wait = LATENCY + 1 + rng.randrange(3)
        if rng.random() < 1 / 200:
            dut.clear.value = 1
            self.chain_sign = rng.choice([-1, 0, 0, 1])
            self.wait = 1
            return
        dut.start.value, dut.working.value = 1, int(rng.random() < 0.9)
        sign = self.chain_sign
        energies = [rng.randint(-(1 << 44), 1 << 44) >> rng.randrange(45) for _ in TERMS]
        strengths = {n: [rng.randint(-STRENGTH_MAX, STRENGTH_MAX) for _ in TERMS] for n in "one"}
        if sign:
            energies = [sign * (1 << 44) for _ in TERMS]
            strengths["o"], strengths["n"] = [-STRENGTH_MAX] * 6, [STRENGTH_MAX] * 6
        for number, energy in enumerate(energies):
            getattr(dut, f"energies__{number}").value = energy & (1 << ENERGY_BITS) - 1
        for name, letter in (("old", "o"), ("new", "n"), ("end", "e")):
            packed = sum(
                (s & (1 << STRENGTH_BITS) - 1) << STRENGTH_BITS * k
                for k, s in enumerate(strengths[letter])
            )
            getattr(dut, f"strengths_{name}").value = packed
        heat = sign << 59 if sign else rng.randint(-(1 << 60), 1 << 60) >> rng.randrange(61)
        dut.pass_heat.value = heat & (1 << HEAT_BITS) - 1


@cocotb.test()
async def passes(dut: object) -> None:
    """Energies, strengths and heat of any size, until every accumulator meets its limit."""
    clocked = Clocked(dut)
    tail = Tail(clocked)
    await clocked.start()
    await clocked.until(lambda: tail.board.matched >= PASSES, 20 * PASSES, "pass")
    assert tail.limits == {"energy", "work", "heat"}
    assert tail.counted > PASSES // 10

"""The page of the Langevin engine read once more: one chain, one number at a time."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    ENERGY_MAX,
    FORCE_MAX,
    OPERAND_MAX,
    RESIDUAL_MAX,
    STATE_MAX,
    round_shift,
    saturate,
)
from gibbsite_hw.spec.langevin_program import LangevinProgram, LangevinRequest, ScheduleEntry
from gibbsite_hw.spec.langevin_tables import gaussian_code

WORD32, WORD64 = (1 << 32) - 1, (1 << 64) - 1


def threefry(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Threefry-2x64 with 20 rounds, from its paper."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDAA9FC1A22)
    x, y = (counter[0] + keys[0]) & WORD64, (counter[1] + keys[1]) & WORD64
    for turn in range(5):
        for left in ((16, 42, 12, 31), (16, 32, 24, 21))[turn % 2]:
            x = (x + y) & WORD64
            y = ((y << left | y >> (64 - left)) & WORD64) ^ x
        x = (x + keys[(turn + 1) % 3]) & WORD64
        y = (y + keys[(turn + 2) % 3] + turn + 1) & WORD64
    return x, y


class Stream:
    """The linear engine of xoshiro128, one word at a time."""

    def __init__(self, seed: int, chain: int, unit: int) -> None:
        x, y = threefry((seed, 2), (chain, unit))
        self.s = [x & WORD32, x >> 32, y & WORD32, y >> 32]

    def word(self) -> int:
        s = self.s
        out, shifted = s[0], s[1] << 9 & WORD32
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = (s[3] << 11 | s[3] >> 21) & WORD32
        return out


@dataclass
class Start:
    """What an accumulator holds before the first step: 0 on the device, more to reach its end."""

    work: int = 0
    heat: int = 0
    moment: int = 0


@dataclass
class Scalar:
    """One chain as docs/langevin-engine.md tells it; ``kinds`` counts what saturated, by name."""

    program: LangevinProgram
    request: LangevinRequest
    chain: int
    begin: Start = field(default_factory=Start)
    kinds: "Counter[str]" = field(default_factory=Counter)

    def sat(self, value: int, largest: int, kind: str) -> int:
        near = saturate(value, largest)
        self.kinds[kind] += near != value
        return near

    def move(self, unit: int, z: int, drift: int, noise: tuple[int, int]) -> int:
        w0, w1, w2 = (self.streams[unit].word() for _ in range(3))
        xi, dither = gaussian_code(w0 + (w1 << 32)), w2 >> 24
        spread = round_shift(noise[0] * xi * 2**16, noise[1])
        clamps = self.program.conditions.clamps
        if unit in clamps:
            return clamps[unit]
        return self.sat((z * 2**8 - drift + spread + dither) >> 8, STATE_MAX, "state")

    def gradient(self, h: list[int], strengths: tuple[int, ...], kind: str) -> int:
        total = sum(s * force for s, force in zip(strengths, h, strict=True))
        return self.sat(round_shift(total, 16), FORCE_MAX, kind)

    def penalties(self, x: list[int]) -> tuple[list[int], int]:
        """The multipliers m_a, and E_4."""
        p, shifts, n = self.program, self.program.shifts, self.program.units
        multipliers, energy = [], 0
        for a, constraint in enumerate(p.conditions.constraints):
            product = sum(p.rows[a * n + j] * x[j] for j in range(n))
            r = round_shift(product, shifts.residual) - constraint.offset
            r = self.sat(r, RESIDUAL_MAX, "residual")
            rho = max(r, 0) if constraint.hinge else r
            m = round_shift(constraint.weight * rho, shifts.multiplier)
            multipliers.append(self.sat(m, OPERAND_MAX, "multiplier"))
            energy += round_shift(multipliers[-1] * rho, shifts.penalty)
        return multipliers, energy

    def forces(self, i: int, x: list[int], multipliers: list[int]) -> list[int]:
        p, shifts, n, m = self.program, self.program.shifts, self.program.units, len(multipliers)
        x2 = round_shift(x[i] * x[i], 14)
        x3 = round_shift(x2 * x[i], 14)
        coupled = sum(p.couplings[i * n + j] * x[j] for j in range(n)) if len(p.couplings) else 0
        pulled = sum(p.rows[a * n + i] * multipliers[a] for a in range(m))
        products = [
            (p.quadratic[i] * x[i], shifts.quadratic), (p.quartic[i] * x3, shifts.quartic),
            (p.conditions.biases[i] * 2**14, shifts.bias), (coupled, shifts.coupling),
            (pulled, shifts.constraint), (p.force[i] * 2**14, shifts.force),
        ]  # fmt: skip
        return [
            self.sat(round_shift(product, shift), FORCE_MAX, f"h{term}")
            for term, (product, shift) in enumerate(products)
        ]

    def entry(self, step: int) -> ScheduleEntry:
        for entry in self.request.schedule:
            step -= entry.repeat
            if step < 0:
                return entry
        return self.request.schedule[-1]

    def run(self) -> tuple[list[tuple[Any, ...]], tuple[list[int], int], int]:
        """Draws; sums of moments and their additions; saturations."""
        request, n = self.request, self.program.units
        number = (request.first_chain + self.chain) % 2**32
        self.streams = [Stream(request.seed, number, unit) for unit in range(n)]
        given = request.state or [0] * n
        z = [self.move(i, given[i], 0, request.start) for i in range(n)]
        first = 0 if request.trajectory else sum(entry.repeat for entry in request.schedule)
        last = first + (request.draws - 1) * request.thin
        work, heat = self.begin.work, self.begin.heat
        sums = [self.begin.moment] * len(request.pairs)
        measured, additions, draws = 0, 0, list[tuple[Any, ...]]()
        kept, before, best = [0] * n, [0] * n, (0, list[int]())
        for p in range(last + 1):
            old = self.entry(max(p - 1, 0))
            new = self.entry(p) if p < last else old
            x = [round_shift(state, 14) for state in z]
            multipliers, penalty = self.penalties(x)
            E, Q, after = [0, 0, 0, 0, penalty, 0], 0, list(z)
            for i in range(n):
                h = self.forces(i, x, multipliers)
                for term, shift in ((0, 15), (1, 16), (2, 14), (3, 15), (5, 14)):
                    E[term] += round_shift(h[term] * x[i], shift)
                g_b = self.gradient(h, old.strengths, "old gradient")
                g_a = self.gradient(h, new.strengths, "new gradient")
                if p > 0 and old.measure:
                    moved = round_shift(z[i] - before[i], 4)
                    Q -= round_shift(round_shift(kept[i] + g_b, 5) * moved, 12)
                kept[i], before[i] = g_a, z[i]
                if p < last:
                    drift = round_shift(new.rate[0] * g_a, new.rate[1])
                    after[i] = self.move(i, z[i], drift, new.noise)
            e = [self.sat(value, ENERGY_MAX, f"e{term}") for term, value in enumerate(E)]

            def weighted(strengths: tuple[int, ...], e: list[int] = e) -> int:
                return sum(s * value for s, value in zip(strengths, e, strict=True))

            end = round_shift(weighted(request.schedule[-1].strengths), 16)
            if p == 0 or end < best[0]:
                best = (end, list(z))
            if p > 0 and old.measure:
                heat = self.sat(heat + Q, ACCUMULATOR_MAX, "heat")
                measured += 1
                if measured % request.moment_every == 0 and request.pairs:
                    additions += 1
                    for k, (i, j) in enumerate(request.pairs):
                        product = x[i] * (2**14 if j is None else x[j])
                        sums[k] = self.sat(sums[k] + product, ACCUMULATOR_MAX, "moment")
            if p >= first and (p - first) % request.thin == 0:
                energy = round_shift(weighted(old.strengths), 16)
                draws.append((p, energy, work, heat, list(z), *best))
            if p < last and new.measure:
                gain = [b - a for a, b in zip(old.strengths, new.strengths, strict=True)]
                change = round_shift(weighted((*gain,)), 8)
                work = self.sat(work + change, ACCUMULATOR_MAX, "work")
            z = after
        return draws, (sums, additions), sum(self.kinds.values())

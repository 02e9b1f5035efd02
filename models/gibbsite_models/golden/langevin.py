"""The Langevin engine on arrays: Euler-Maruyama steps in exact integers.

    z' = sat((z 2^8 - rate grad V(z; s) + noise xi + dither) >> 8)

Many chains go through one pass together; each unit of each chain has its own stream, so that its
samples do not depend on which chains go beside it. Arrays have the chain as their last axis:
states ``int64[units, chains]``, energies, work and heat ``int64[chains]``.

Source: the page docs/langevin-engine.md, paragraph by paragraph.
Twin: ``gibbsite_hw.langevin``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    DITHER_BITS,
    NOISE_LIFT,
    OPERAND_FRAC,
    OPERAND_SHIFT,
    STATE_MAX,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinConditions, LangevinRequest
from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE
from gibbsite_models.golden.gauss import shape_gaussian
from gibbsite_models.golden.langevin_arithmetic import Saturations, round_shift
from gibbsite_models.golden.langevin_field import Field, Look, Weights
from gibbsite_models.golden.langevin_schedule import Schedule, Setting
from gibbsite_models.golden.noise import UInt32, seed_streams, step_streams

__all__ = ["LangevinDraws", "LangevinEngine", "Walkers"]

BLOCK_BYTES = 64 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

MOST_CHAINS = 16384
"""Chains of one block at most: more of them no longer pay for the caches they overflow."""

Int64 = NDArray[np.int64]


@dataclass(slots=True)
class Walkers:
    """Chains side by side.

    ``streams`` ``uint32[4, units, chains]``; ``z``, the state ``before`` the last step and the
    gradient ``kept`` from there ``int64[units, chains]``; ``moments`` ``int64[pairs, chains]``.
    """

    streams: UInt32
    z: Int64
    before: Int64
    kept: Int64
    work: Int64
    heat: Int64
    best_z: Int64 | None
    best_energy: Int64
    moments: Int64
    additions: int
    saturations: Saturations


@dataclass(frozen=True, slots=True)
class LangevinDraws:
    """One draw of every chain of a block, and the moments with the last one.

    ``states``, ``best_states`` ``int64[chains, units]`` (no units if not asked for); ``step`` the
    step it was taken at; the others ``int64[chains]``; ``moments`` ``int64[chains, pairs]``.
    """

    number: int
    step: int
    energies: Int64
    work: Int64
    heat: Int64
    states: Int64
    best_energies: Int64
    best_states: Int64
    saturations: Int64
    moments: Int64
    additions: int


class LangevinEngine:
    """One loaded program of weights and coefficients that the shell accepts."""

    def __init__(self, parameters: LangevinParameters, weights: Weights) -> None:
        self.parameters = parameters
        self.field = Field(weights)

    def condition(self, conditions: LangevinConditions) -> None:
        """Take over biases, constraints and clamps."""
        self.field.condition(conditions)

    # --- one chain, step by step ------------------------------------------------------------------

    def seed(self, request: LangevinRequest, chain_numbers: NDArray[np.uint64]) -> Walkers:
        """Chains whose streams are seeded and whose states are not yet drawn."""
        units, count = self.field.units, chain_numbers.size
        zeros = np.zeros((units, count), dtype=np.int64)
        return Walkers(
            streams=seed_streams(request.seed, chain_numbers, units, LANGEVIN_ENGINE),
            z=zeros,
            before=zeros.copy(),
            kept=zeros.copy(),
            work=np.zeros(count, dtype=np.int64),
            heat=np.zeros(count, dtype=np.int64),
            best_z=zeros.copy() if request.best else None,
            best_energy=np.zeros(count, dtype=np.int64),
            moments=np.zeros((len(request.pairs), count), dtype=np.int64),
            additions=0,
            saturations=Saturations(count),
        )

    def start(self, walkers: Walkers, request: LangevinRequest) -> None:
        """``z_0 = state + start xi``, clamped units at their clamps."""
        state = np.zeros(self.field.units, dtype=np.int64)
        if request.state is not None:
            state += np.array(request.state, dtype=np.int64)
        still = np.zeros_like(walkers.z)
        walkers.z = self.move(walkers, state[:, None] + still, still, request.start)

    def look(self, walkers: Walkers, energies: bool) -> Look:
        """Force terms and term energies of the states at hand."""
        x = round_shift(walkers.z, OPERAND_SHIFT)
        return self.field.look(x, walkers.saturations, energies)

    def step(self, walkers: Walkers, gradient: Int64, setting: Setting) -> None:
        """``z' = z - mu dt gradient + sqrt(2 mu kT dt) xi``."""
        mantissa, shift = setting.rate
        drift = round_shift(mantissa * gradient, shift)
        walkers.before, walkers.kept = walkers.z, gradient
        walkers.z = self.move(walkers, walkers.z, drift, setting.noise)

    def move(self, walkers: Walkers, z: Int64, drift: Int64, noise: tuple[int, int]) -> Int64:
        """The moved states; a sum with 8 bits below the last one, rounded stochastically."""
        mantissa, shift = noise
        xi, dither = self.draw(walkers.streams)
        spread = round_shift((mantissa * xi) << NOISE_LIFT, shift)
        moved = (z << DITHER_BITS) - drift + spread + dither >> DITHER_BITS
        clamps = self.field.clamps
        if clamps.any():
            moved[clamps] = self.field.clamp_states[clamps][:, None]
        return walkers.saturations.clip(moved, STATE_MAX)

    def draw(self, streams: UInt32) -> tuple[Int64, Int64]:
        """Gaussian and dither of every unit: three words of each stream."""
        low, high = (step_streams(streams).astype(np.uint64) for _ in range(2))
        dither = step_streams(streams) >> np.uint32(32 - DITHER_BITS)
        return shape_gaussian(low | high << np.uint64(32)), dither.astype(np.int64)

    def heat(self, walkers: Walkers, gradient: Int64) -> Int64:
        """Heat of the last step, ``-1/2 (g_before + g_now).(z_now - z_before)`` of each chain."""
        mean = round_shift(walkers.kept + gradient, 5)
        moved = round_shift(walkers.z - walkers.before, 4)
        total: Int64 = round_shift(mean * moved, 12).sum(axis=0)
        return -total

    # --- a run ------------------------------------------------------------------------------------

    def run(self, request: LangevinRequest) -> Iterator[list[LangevinDraws]]:
        """Draws of blocks of chains: all draws of a block, or one by one of a chain on its own."""
        schedule = Schedule(request)
        block = self._block(request)
        for begin in range(0, request.chains, block):
            count = min(block, request.chains - begin)
            numbers = (request.first_chain + begin + np.arange(count)) % (1 << 32)
            walkers = self.seed(request, numbers.astype(np.uint64))
            self.start(walkers, request)
            draws = self._walk(walkers, request, schedule)
            if count == 1:
                yield from ([draw] for draw in draws)
            else:
                yield list(draws)

    def _walk(
        self, walkers: Walkers, request: LangevinRequest, schedule: Schedule
    ) -> Iterator[LangevinDraws]:
        """Passes 0 .. T: finish step p - 1, send the draw at p, make step p."""
        number, before = 0, schedule.at(0)
        for p in range(schedule.steps + 1):
            after = schedule.at(p) if p < schedule.steps else before
            draws_now = p == schedule.first + number * request.thin
            measured = p > 0 and before.measure
            change = after.strengths - before.strengths
            works = p < schedule.steps and after.measure and bool(change.any())
            look = self.look(walkers, draws_now or works or request.best)
            old, new = self._gradients(look, before.strengths, after.strengths, walkers)
            if measured:
                self._accumulate(walkers, old)
                if schedule.adds(p, request.moment_every):
                    self._add_moments(walkers, request)
            if request.best:
                self._keep_best(walkers, look, schedule.end, p == 0)
            if draws_now:
                last = number == request.draws - 1
                yield self._drawn(walkers, look, before, number, p, last, request)
                number += 1
            if works:
                gain = round_shift(look.weighted(change), 8)
                walkers.work = walkers.saturations.clip(walkers.work + gain, ACCUMULATOR_MAX)
            if p < schedule.steps:
                self.step(walkers, new, after)
                before = after

    def _gradients(
        self, look: Look, before: Int64, after: Int64, walkers: Walkers
    ) -> tuple[Int64, Int64]:
        """Gradients under the strengths of the last step and of the next one."""
        counted = walkers.saturations.count.copy()
        old = self.field.gradient(look, before, walkers.saturations)
        if (before != after).any():
            return old, self.field.gradient(look, after, walkers.saturations)
        # one sum serves for both here; the hardware forms both, so what is clipped counts twice
        walkers.saturations.count += walkers.saturations.count - counted
        return old, old

    def _accumulate(self, walkers: Walkers, gradient: Int64) -> None:
        heat = walkers.heat + self.heat(walkers, gradient)
        walkers.heat = walkers.saturations.clip(heat, ACCUMULATOR_MAX)

    def _add_moments(self, walkers: Walkers, request: LangevinRequest) -> None:
        x = round_shift(walkers.z, OPERAND_SHIFT)
        one = np.full_like(x[0], 1 << OPERAND_FRAC)
        for place, (i, j) in enumerate(request.pairs):
            total = walkers.moments[place] + x[i] * (one if j is None else x[j])
            walkers.moments[place] = walkers.saturations.clip(total[None], ACCUMULATOR_MAX)[0]
        walkers.additions += 1

    def _keep_best(self, walkers: Walkers, look: Look, end: Setting, first: bool) -> None:
        energy = look.energy(end.strengths)
        lower = energy < walkers.best_energy if not first else np.ones_like(energy, dtype=np.bool_)
        walkers.best_energy = np.where(lower, energy, walkers.best_energy)
        if walkers.best_z is not None and lower.any():
            np.copyto(walkers.best_z, walkers.z, where=lower)

    def _drawn(
        self,
        walkers: Walkers,
        look: Look,
        setting: Setting,
        number: int,
        step: int,
        last: bool,
        request: LangevinRequest,
    ) -> LangevinDraws:
        nothing = np.zeros((walkers.z.shape[1], 0), dtype=np.int64)
        best = walkers.best_z
        return LangevinDraws(
            number=number,
            step=step,
            energies=look.energy(setting.strengths),
            work=walkers.work.copy(),
            heat=walkers.heat.copy(),
            states=walkers.z.T.copy() if request.samples else nothing,
            best_energies=walkers.best_energy.copy(),
            best_states=nothing if best is None else best.T.copy(),
            saturations=walkers.saturations.count.copy(),
            moments=walkers.moments.T.copy() if last else nothing,
            additions=walkers.additions,
        )

    def _block(self, request: LangevinRequest) -> int:
        """Chains that fit `BLOCK_BYTES` together; at least one."""
        units, constraints = self.field.units, self.field.constraints
        chain = 8 * (40 * units + 6 * constraints + len(request.pairs) + 16)
        chain += 8 * request.draws * (units * (request.samples + request.best) + 8)
        return max(1, min(MOST_CHAINS, BLOCK_BYTES // chain))

"""Rounds of reads: conditions go to the device, reads come back and are judged exactly.

Couplings are loaded once, when the rounds begin; a round sends biases and clamps only. Reads are
numbered through all rounds, and each draws from the random streams of its own number.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gibbsite.agents.base import Options
from gibbsite.agents.scheduling_conditions import Target, first_weight
from gibbsite.agents.scheduling_instance import Assignment, objective_of
from gibbsite.agents.scheduling_left_shift import left_shifted
from gibbsite.agents.scheduling_program import ScheduleProgram
from gibbsite.agents.scheduling_verification import violations
from gibbsite.conditioning import Conditioned
from gibbsite.progress import Report
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.program import Counters, RunRequest

__all__ = ["Judged", "Round", "Rounds"]

ROUND_CYCLES: Final = 600_000
"""Cycles of the device that a round takes unless the number of reads is given."""

READS: Final = (16, 128)
"""Fewest and most reads of a round unless given."""

MAKESPAN_SWEEPS: Final = 40
MAKESPAN_BETAS: Final = (2.5, 12.0)
"""First and last inverse temperature of a makespan's round, per penalty."""

TOTAL_SWEEPS: Final = 40
TOTAL_BETAS: Final = (3.0, 16.0)
"""The same of a total's first round; they grow as the weight of the objective falls."""

TRACE_POINTS: Final = 20
"""Points of a replayed chain at which its energy is taken, apart from the first sweeps."""

TRACE_FIRST: Final = 8
"""Sweeps after each of which it is taken."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One distinct state: its plan as drawn, and what the exact judge and the left shift say.

    ``shifted`` is the plan itself where it is not feasible.
    """

    plan: tuple[Assignment, ...]
    broken: tuple[str, ...]
    objective: Fraction
    shifted: tuple[Assignment, ...]
    shifted_objective: Fraction

    @property
    def feasible(self) -> bool:
        """Whether the raw read itself breaks nothing."""
        return not self.broken


@dataclass(frozen=True, slots=True)
class Round:
    """One run: its target, its reads (reads x tasks, numbers of states), the judge's words."""

    target: Target
    betas: tuple[float, float]
    sweeps: int
    states: NDArray[np.int64]
    energies: NDArray[np.float64]
    judged: tuple[Judged, ...]

    @property
    def feasible(self) -> int:
        """How many raw reads are feasible."""
        return sum(read.feasible for read in self.judged)

    @property
    def best_raw(self) -> Fraction | None:
        """The best objective of a raw feasible read."""
        return min((read.objective for read in self.judged if read.feasible), default=None)

    @property
    def best_shifted(self) -> Fraction | None:
        """The best objective after the left shift."""
        return min((read.shifted_objective for read in self.judged if read.feasible), default=None)


@dataclass(slots=True)
class Rounds:
    """The device with one schedule loaded, and all rounds drawn from it so far."""

    device: Device
    program: ScheduleProgram
    options: Options
    report: Report
    history: list[Round] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    _known: dict[bytes, Judged] = field(default_factory=dict)

    @classmethod
    def begin(
        cls, device: Device, program: ScheduleProgram, options: Options, report: Report
    ) -> Rounds:
        """Load the couplings, once."""
        device.load(program.compiled.program)
        return cls(device, program, options, report)

    @property
    def reads(self) -> int:
        """Reads drawn so far."""
        return sum(len(done.judged) for done in self.history)

    def draw(self, target: Target) -> Round:
        """Send a target's conditions, run, and judge every read."""
        states, compiled = self.program.states, self.program.compiled
        conditioned = self._conditioned(target)
        self.device.condition(conditioned.conditions)
        betas, sweeps = self._betas(target), self._sweeps()
        chains = self._reads(sweeps)
        stage = f"sampling round {len(self.history) + 1}"

        def progress(done: int, total: int) -> None:
            self.report(stage, done, total)

        progress(0, chains)
        result = self.device.run(
            RunRequest(
                betas=compiled.betas(_schedule(betas, sweeps)),
                seed=self.options.seed,
                chains=chains,
                first_chain=self.reads,
            ),
            progress,
        )
        decoded = compiled.decode(result, conditioned)
        self._count(result.counters)
        chosen = decoded.values.astype(np.int64) + states.first[:-1]
        done = Round(
            target,
            betas,
            sweeps,
            chosen,
            decoded.energies,
            tuple(self._judge(row) for row in chosen),
        )
        self.history.append(done)
        return done

    def replay(self, number: int) -> tuple[list[int], list[float]]:
        """Energies of one read on its way: its chain from its start, cut off ever later.

        A chain's randomness is its number's alone, so each cut is a prefix of the same chain. It
        is drawn for the picture only: no round, so the counters leave it out.
        """
        first = 0
        for done in self.history:
            if number < first + len(done.judged):
                break
            first += len(done.judged)
        conditioned = self._conditioned(done.target)
        self.device.condition(conditioned.conditions)
        betas = self.program.compiled.betas(_schedule(done.betas, done.sweeps))
        cuts = _cuts(done.sweeps)
        energies = []
        for cut in cuts:
            request = RunRequest(betas=betas[:cut], seed=self.options.seed, first_chain=number)
            result = self.device.run(request)
            energies.append(float(self.program.compiled.decode(result, conditioned).energies[0]))
        return cuts, energies

    def energies_under(self, target: Target, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
        """Energies of reads under a target's conditions, infinite where it removed a state."""
        model = self.program.compiled.model
        values = np.zeros((len(chosen), model.slots), dtype=np.float64)
        np.put_along_axis(values, chosen, 1.0, axis=1)
        energies = self.program.compiled.base.energies(model, values)
        energies = energies + target.biases[chosen].sum(axis=1)
        return np.where(target.removed[chosen].any(axis=1), np.inf, energies)

    def _conditioned(self, target: Target) -> Conditioned:
        """A target in the terms of the program."""
        biases: dict[Hashable, NDArray[np.float64]] = {}
        removed: dict[Hashable, list[int]] = {}
        for task in range(len(self.program.grid.tasks)):
            group = self.program.states.group(task)
            biases[task] = target.biases[group]
            removed[task] = np.flatnonzero(target.removed[group]).tolist()
        return self.program.compiled.conditions(biases=biases, clamps_off=removed)

    def _judge(self, row: NDArray[np.int64]) -> Judged:
        key = row.tobytes()
        if key not in self._known:
            instance, states = self.program.grid.instance, self.program.states
            plan = []
            for task, state in enumerate(row.tolist()):
                start = int(states.start[state]) * self.program.grid.step
                end = start + instance.tasks[task].duration
                plan.append(Assignment(task, int(states.machine[state]), start, end))
            broken = tuple(violations(instance, plan))
            objective = objective_of(instance, [(item.task, item.end) for item in plan])
            shifted, better = plan, objective
            if not broken:
                shifted = left_shifted(instance, plan)
                better = objective_of(instance, [(item.task, item.end) for item in shifted])
                left = violations(instance, shifted)
                assert not left, "a left shift keeps a plan feasible"
                assert better <= objective, "a left shift makes no objective worse"
            self._known[key] = Judged(tuple(plan), broken, objective, tuple(shifted), better)
        return self._known[key]

    def _sweeps(self) -> int:
        makespan = self.program.grid.instance.objective == "makespan"
        return self.options.sweeps or (MAKESPAN_SWEEPS if makespan else TOTAL_SWEEPS)

    def _reads(self, sweeps: int) -> int:
        if self.options.reads is not None:
            return self.options.reads
        cycles = max(1, sweeps * self.program.compiled.sweep_cycles)
        return min(max(ROUND_CYCLES // cycles, READS[0]), READS[1])

    def _betas(self, target: Target) -> tuple[float, float]:
        if self.options.beta_range is not None:
            return self.options.beta_range
        if not target.weight:
            return MAKESPAN_BETAS
        factor = first_weight(self.program.grid) / target.weight
        return TOTAL_BETAS[0] * factor, TOTAL_BETAS[1] * factor

    def _count(self, more: Counters) -> None:
        self.counters.cycles += more.cycles
        self.counters.sweep_cycles += more.sweep_cycles
        self.counters.terms += more.terms
        self.counters.updates += more.updates
        self.counters.sweeps += more.sweeps
        self.counters.reads += more.reads


def _schedule(betas: tuple[float, float], sweeps: int) -> NDArray[np.float64]:
    """One inverse temperature a sweep, in equal ratios, or in equal steps from zero."""
    if 0 in betas:
        return np.linspace(*betas, sweeps)
    return np.geomspace(*betas, sweeps)


def _cuts(sweeps: int) -> list[int]:
    """Where a replay is cut off: after each of the first sweeps, which do most, then ever farther.

    The last is the whole chain.
    """
    late = np.geomspace(1, sweeps, TRACE_POINTS).round().astype(int)
    return sorted({*range(min(TRACE_FIRST, sweeps) + 1), *late.tolist()})

"""Which target comes next: downwards from the best verified answer, to a bound or a budget.

A makespan is lowered by halves towards its lower bound; a target that one round missed is passed
over first and tried again at the end. A total keeps its best value as the target (what cannot reach
it is clamped off) while the weight of its biases follows the share of feasible reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

from gibbsite.agents.scheduling_bounds import lower_bound, total_lower_bound
from gibbsite.agents.scheduling_conditions import (
    Target,
    ends_within,
    first_weight,
    target_of,
    weight_after,
)
from gibbsite.agents.scheduling_program import ScheduleProgram
from gibbsite.agents.scheduling_rounds import Rounds

__all__ = ["Outcome", "tightened"]

BUDGET_CYCLES: Final = 6_000_000
"""Cycles of the device after which no further round starts, unless rounds are given."""

MOST_ROUNDS: Final = 24
"""Rounds after which no further one starts, whatever they cost."""

ENOUGH_HITS: Final = 16
"""A total's best raw value, drawn this often with none better, ends the search unproven."""

LEAST_ROUNDS: Final = 3
"""Rounds of a total before hits can end it, so that its weight has been moved."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far the tightening came: bound and best values in units; None: nothing feasible."""

    bound: Fraction
    best: Fraction | None
    best_raw: Fraction | None
    decisive: Target


def tightened(rounds: Rounds) -> Outcome:
    """Draw rounds until the best answer meets the lower bound in raw reads, or the budget ends."""
    grid = rounds.program.grid
    if grid.instance.objective == "makespan":
        return _makespan(rounds)
    return _total(rounds)


def _makespan(rounds: Rounds) -> Outcome:
    program = rounds.program
    grid = program.grid
    bound = lower_bound(grid, program.horizon)
    low, aim = bound, program.horizon
    best: Fraction | None = None
    best_raw: Fraction | None = None
    while True:
        done = rounds.draw(_target(program, aim * grid.step, 0.0))
        improved = _least(best, done.best_shifted)
        if improved != best:
            best, low = improved, bound
        elif done.best_raw is None or done.best_raw > aim * grid.step:
            low = max(low, aim + 1)
        best_raw = _least(best_raw, done.best_raw)
        # on a coarser grid the left shift takes back rounding, which no raw read can
        reached = best_raw == best or grid.factor > 1
        steps = None if best is None else ceil(best / grid.step)
        if (steps is not None and steps <= bound and reached) or _spent(rounds):
            break
        aim = _next_aim(low, steps, reached=reached, horizon=program.horizon)
    return Outcome(bound * grid.step, best, best_raw, _decisive(rounds, best))


def _next_aim(low: int, best: int | None, *, reached: bool, horizon: int) -> int:
    """The next makespan in steps: halfway between what failed and what is known, rounded down.

    A best value that only the left shift has reached is drawn for itself at the end.
    """
    if best is None:
        return horizon
    if low < best:
        return (low + best - 1) // 2
    return best - 1 if reached else best


def _total(rounds: Rounds) -> Outcome:
    program = rounds.program
    bound = total_lower_bound(program.grid)
    weight = first_weight(program.grid)
    best: Fraction | None = None
    best_raw: Fraction | None = None
    hits = 0
    value = None if program.listed is None else program.listed.value(program.grid)
    target = _target(program, value, weight)
    while True:
        done = rounds.draw(target)
        best = _least(best, done.best_shifted)
        if done.best_raw is not None and (best_raw is None or done.best_raw < best_raw):
            best_raw, hits = done.best_raw, 0
        hits += sum(read.feasible and read.objective == best_raw for read in done.judged)
        reached = best is not None and (best == best_raw or program.grid.factor > 1)
        settled = hits >= ENOUGH_HITS and len(rounds.history) >= LEAST_ROUNDS
        if (reached and (best == bound or settled)) or _spent(rounds):
            break
        weight = weight_after(program.grid, weight, done.feasible / len(done.judged))
        target = _target(program, _least(best, value), weight)
    return Outcome(bound, best, best_raw, _decisive(rounds, best))


def _decisive(rounds: Rounds, best: Fraction | None) -> Target:
    """The tightest conditions under which the best value was drawn; votes are held under them."""
    found = [done for done in rounds.history if best is not None and done.best_shifted == best]
    return (found or rounds.history)[-1].target


def _target(program: ScheduleProgram, value: Fraction | None, weight: float) -> Target:
    """The conditions for a value; where they would leave a task no state, those of the horizon."""
    grid, states = program.grid, program.states
    if value is not None and min(ends_within(grid, program.horizon, value)) >= 0:
        target = target_of(grid, states, program.cost, program.horizon, value, weight)
        if all(not target.removed[states.group(task)].all() for task in range(len(grid.tasks))):
            return target
    return target_of(grid, states, program.cost, program.horizon, None, weight)


def _least(one: Fraction | None, two: Fraction | None) -> Fraction | None:
    return min((value for value in (one, two) if value is not None), default=None)


def _spent(rounds: Rounds) -> bool:
    asked = rounds.options.rounds
    if asked is not None:
        return len(rounds.history) >= asked
    return rounds.counters.cycles >= BUDGET_CYCLES or len(rounds.history) >= MOST_ROUNDS

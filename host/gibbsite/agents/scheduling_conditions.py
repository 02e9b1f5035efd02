"""A target becomes conditions: clamps remove what cannot reach it, biases draw towards less.

Couplings stay as they are. For a makespan T every state whose task could then not end by T is
clamped off: `end_k > T - tail`. For a total S of task costs c_i(end),

    clamped off:  c_i(end_k) > S - (lower bound of all other tasks),      bias b_k = w c_i(end_k),

both carried on to predecessors. The ratio of w to the penalty is the only free number. No ratio is
right for all schedules: with a small w reads are feasible and dull, with a large one a conflict
becomes cheaper than a delay. Measured, reads find optima soonest where about 70 % of them are
feasible; so w starts at `START_WEIGHT` penalties per mean duration and is moved towards that share
from round to round (`weight_after`). Feasibility never rests on it: each read is verified.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite.agents.scheduling_bounds import latest_ends, total_lower_bound
from gibbsite.agents.scheduling_energy import ENERGY_STEP, PENALTY, States
from gibbsite.agents.scheduling_grid import Grid, cost_of

__all__ = [
    "Target",
    "costs",
    "ends_within",
    "first_weight",
    "future_biases",
    "target_of",
    "weight_after",
]

Floats: TypeAlias = NDArray[np.float64]

START_WEIGHT: Final = 0.75
"""One mean duration of objective weighs this many penalties in the first round."""

WEIGHT_STEP: Final = 1.25
"""The weight moves by this factor from one round to the next."""

WEIGHT_RANGE: Final = 4.0
"""The weight stays within this factor of its first value, so that its biases fit the scale."""

FEASIBLE_SHARE: Final = (0.5, 0.85)
"""Between these shares of feasible reads the weight stays."""


@dataclass(frozen=True, slots=True)
class Target:
    """What one round asks: states off, biases (in penalties), and the value that is aimed at."""

    value: Fraction | None
    weight: float
    removed: NDArray[np.bool_]
    biases: Floats


def ends_within(grid: Grid, horizon: int, value: Fraction | None) -> list[int]:
    """The latest end of each task in a schedule whose objective is at most `value`; -1: none is.

    A proven bound: nothing with at most this value is cut off.
    """
    if value is None:
        return latest_ends(grid, horizon)
    if grid.instance.objective == "makespan":
        return latest_ends(grid, min(horizon, floor(value / grid.step)))
    caps = []
    for task, spec in enumerate(grid.instance.tasks):
        room = value - total_lower_bound(grid, without=task)
        if grid.instance.objective == "total_completion":
            caps.append(floor(room / grid.step))
        elif room < 0:
            caps.append(-1)
        elif spec.due is None:
            caps.append(horizon)
        else:
            caps.append(floor((spec.due + room) / grid.step))
    return latest_ends(grid, horizon, caps)


def costs(grid: Grid, states: States) -> Floats:
    """What each state costs a total beyond its task's cheapest state; 0 for a makespan."""
    result = np.zeros(states.count, dtype=np.float64)
    if grid.instance.objective == "makespan":
        return result
    pairs = zip(states.task.tolist(), states.end.tolist(), strict=True)
    result[:] = [float(cost_of(grid, task, end)) for task, end in pairs]
    for task in range(len(grid.tasks)):
        group = states.group(task)
        result[group] -= result[group].min(initial=np.inf)
    return result


def first_weight(grid: Grid) -> float:
    """The weight of one unit of a total objective in the first round; 0 for a makespan."""
    if grid.instance.objective == "makespan":
        return 0.0
    mean = sum(task.duration for task in grid.instance.tasks) / len(grid.tasks)
    return START_WEIGHT * PENALTY / float(mean)


def weight_after(grid: Grid, weight: float, feasible_share: float) -> float:
    """The weight of the next round, from the share of feasible reads in this one."""
    if weight == 0.0:
        return weight
    low, high = FEASIBLE_SHARE
    if feasible_share > high:
        weight *= WEIGHT_STEP
    elif feasible_share < low:
        weight /= WEIGHT_STEP
    start = first_weight(grid)
    return min(max(weight, start / WEIGHT_RANGE), start * WEIGHT_RANGE)


def future_biases(grid: Grid, cost: Floats) -> list[float]:
    """The finest and the largest bias of any round, for the choice of the program's scale."""
    largest = first_weight(grid) * WEIGHT_RANGE * float(cost.max(initial=0.0))
    return [ENERGY_STEP, float(np.rint(largest / ENERGY_STEP)) * ENERGY_STEP]


def target_of(
    grid: Grid,
    states: States,
    cost: Floats,
    horizon: int,
    value: Fraction | None,
    weight: float,
) -> Target:
    """The conditions under which only schedules of at most `value` can still be drawn whole."""
    last = np.array(ends_within(grid, horizon, value), dtype=np.int64)
    biases = np.rint(weight * cost / ENERGY_STEP) * ENERGY_STEP
    return Target(value, weight, states.end > last[states.task], biases)

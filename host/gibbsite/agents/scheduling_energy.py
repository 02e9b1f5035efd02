"""The energy of a schedule: each task a one-hot choice of (machine, start), conflicts as couplings.

    E(x) = sum_{k<l conflicting} w_kl x_k x_l  +  sum_k b_k x_k,     x_k in {0, 1}, one per task
    w_kl = PENALTY (1 + min(o_kl, 2 d) / d),   d the mean duration

Two states of different tasks conflict when they overlap on one machine, or when one must follow the
other and starts before it ends; o_kl is for how long. A longer conflict costs more, so that tasks
slide apart: on tight instances this finds a feasible state several times sooner than equal
penalties do. Each conflicting pair carries one coupling, loaded once; what an objective asks is put
into the biases b and into clamps (`scheduling_conditions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite.agents.scheduling_bounds import heads
from gibbsite.agents.scheduling_grid import Grid

__all__ = ["ENERGY_STEP", "PENALTY", "States", "conflicts", "couplings", "model_of", "states_of"]

IntArray: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]

PENALTY = 1.0
"""The cost of the shortest conflict: the unit in which betas and biases are stated."""

ENERGY_STEP = PENALTY / 128
"""Couplings and biases are multiples of this, which the device holds exactly side by side."""


@dataclass(frozen=True, slots=True)
class States:
    """Every state of every task, task after task: columns of equal length.

    `first[i] : first[i + 1]` are the states of task i.
    """

    task: IntArray
    machine: IntArray
    start: IntArray
    end: IntArray
    first: IntArray

    @property
    def count(self) -> int:
        """How many states there are in total."""
        return len(self.task)

    def group(self, task: int) -> slice:
        """The states of one task."""
        return slice(int(self.first[task]), int(self.first[task + 1]))

    @property
    def sizes(self) -> list[int]:
        """How many states each task has."""
        return [int(size) for size in np.diff(self.first)]


def states_of(grid: Grid, last: Sequence[int]) -> States:
    """The states that some left-shifted schedule with task ends up to `last` can use.

    A state is left out when no window holds it, when it starts before the task's head or ends after
    `last`, or when its start is not a release or window start plus durations of other
    tasks (in a left-shifted schedule every start is).
    """
    first = heads(grid)
    horizon = max(last)
    anchors = _starts_of_left_shifted(grid, horizon)
    rows: list[tuple[int, int, int, int]] = []
    offsets = [0]
    for task, spec in enumerate(grid.tasks):
        head = first[task]
        for machine in spec.machines:
            starts = {
                start
                for low, high in grid.windows[machine]
                for start in range(
                    max(low, horizon if head is None else head),
                    min(last[task], horizon if high is None else high) - spec.duration + 1,
                )
                if anchors[task] >> start & 1
            }
            rows += [(task, machine, start, start + spec.duration) for start in sorted(starts)]
        offsets.append(len(rows))
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return States(
        task=table[:, 0],
        machine=table[:, 1],
        start=table[:, 2],
        end=table[:, 3],
        first=np.array(offsets, dtype=np.int64),
    )


def conflicts(grid: Grid, states: States, one: int, two: int) -> IntArray:
    """For how many steps each state of task `one` (rows) conflicts with each of `two` (columns)."""
    rows, columns = states.group(one), states.group(two)
    row_start, row_end = states.start[rows, None], states.end[rows, None]
    column_start, column_end = states.start[None, columns], states.end[None, columns]
    same = states.machine[rows, None] == states.machine[None, columns]
    overlap = np.minimum(row_end, column_end) - np.maximum(row_start, column_start)
    clash: IntArray = np.where(same, np.maximum(overlap, 0), 0)
    if one in grid.tasks[two].after:
        clash = np.maximum(clash, row_end - column_start)
    if two in grid.tasks[one].after:
        clash = np.maximum(clash, column_end - row_start)
    return clash


def couplings(grid: Grid, states: States, most: int) -> dict[tuple[int, int], Floats] | None:
    """The weights w between the states of every pair of tasks that has a conflict at all.

    None if there are more than `most` of them; counting stops there.
    """
    mean = sum(task.duration for task in grid.tasks) / len(grid.tasks)
    result: dict[tuple[int, int], Floats] = {}
    count = 0
    for one in range(len(grid.tasks)):
        for two in range(one + 1, len(grid.tasks)):
            clash = conflicts(grid, states, one, two)
            if clash.any():
                weight = PENALTY * (1 + np.minimum(clash, 2 * mean) / mean)
                steps = np.rint(weight / ENERGY_STEP) * ENERGY_STEP
                result[one, two] = np.where(clash > 0, steps, 0.0)
                count += int(np.count_nonzero(clash))
                if count > most:
                    return None
    return result


def model_of(
    states: States, weights: dict[tuple[int, int], Floats]
) -> dimod.DiscreteQuadraticModel:
    """The couplings as dimod's discrete model: variable i is task i, all biases zero."""
    model = dimod.DiscreteQuadraticModel()
    for task, size in enumerate(states.sizes):
        model.add_variable(size, label=task)
    for (one, two), weight in weights.items():
        pairs = np.argwhere(weight).tolist()
        model.set_quadratic(one, two, {(k, m): float(weight[k, m]) for k, m in pairs})
    return model


def _starts_of_left_shifted(grid: Grid, horizon: int) -> list[int]:
    """For each task the starts that a left-shifted schedule can give it, as bits of an integer."""
    mask = (1 << (max(horizon, 0) + 1)) - 1
    bases = {task.release for task in grid.tasks}
    bases |= {low for spans in grid.windows for low, _ in spans}
    result = []
    for task in range(len(grid.tasks)):
        sums = 1
        for other, spec in enumerate(grid.tasks):
            if other != task:
                sums |= sums << spec.duration & mask
        reached = 0
        for base in bases:
            reached |= sums << base & mask
        result.append(reached)
    return result

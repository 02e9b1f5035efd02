"""Time as whole steps: a schedule on the common divisor of its times, or safely on a coarser grid.

On the common divisor `g` nothing is lost: with a regular objective some optimal schedule starts
every task at a release, a window's start, or the end of another task, and all of these are
multiples of `g`. On a coarser step `k g` durations, releases and window starts are rounded up,
deadlines and window ends down, so whatever is feasible on the grid is feasible in exact time.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from typing import TypeAlias

from gibbsite.agents.scheduling_instance import Instance, objective_of, shown

__all__ = ["Grid", "GridTask", "Span", "common_divisor", "cost_of", "grid_of"]

Span: TypeAlias = tuple[int, int | None]
"""From, to, in steps; `None` is no end."""


@dataclass(frozen=True, slots=True)
class GridTask:
    """One task in whole steps."""

    duration: int
    release: int
    deadline: int | None
    machines: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A schedule in whole steps of `step` units; `order` lists the tasks, predecessors first."""

    instance: Instance
    step: Fraction
    factor: int
    tasks: tuple[GridTask, ...]
    windows: tuple[tuple[Span, ...], ...]
    order: tuple[int, ...]
    successors: tuple[tuple[int, ...], ...]

    @property
    def assumption(self) -> str | None:
        """The sentence that a coarser grid owes, None on the common divisor."""
        if self.factor == 1:
            return None
        return (
            f"Time is planned in steps of {shown(self.step)} {self.instance.unit}s instead of the "
            f"common divisor {shown(self.step / self.factor)}, since the finer grid exceeds the "
            "device; durations, releases and window starts are rounded up, deadlines and window "
            "ends down, so the plan stays feasible and may miss the exact optimum."
        )


def common_divisor(instance: Instance) -> Fraction:
    """The largest step that divides every duration, release, deadline and finite window bound.

    Due dates that may be missed do not count: no task starts at one.
    """
    times = [task.duration for task in instance.tasks]
    times += [task.release for task in instance.tasks]
    times += [task.deadline for task in instance.tasks if task.deadline is not None]
    times += [time for spans in instance.windows for span in spans for time in span if time]
    denominator = lcm(*(time.denominator for time in times))
    return Fraction(gcd(*(int(time * denominator) for time in times)), denominator)


def grid_of(instance: Instance, factor: int = 1) -> Grid:
    """The schedule in steps of `factor` common divisors."""
    step = common_divisor(instance) * factor
    tasks = tuple(
        GridTask(
            duration=ceil(task.duration / step),
            release=ceil(task.release / step),
            deadline=None if task.deadline is None else floor(task.deadline / step),
            machines=task.machines,
            after=task.after,
        )
        for task in instance.tasks
    )
    windows = tuple(
        tuple(
            (ceil(low / step), None if high is None else floor(high / step)) for low, high in spans
        )
        for spans in instance.windows
    )
    followers: list[list[int]] = [[] for _ in tasks]
    for index, task in enumerate(tasks):
        for before in task.after:
            followers[before].append(index)
    return Grid(
        instance=instance,
        step=step,
        factor=factor,
        tasks=tasks,
        windows=windows,
        order=_topological(tasks),
        successors=tuple(tuple(row) for row in followers),
    )


def cost_of(grid: Grid, task: int, end: int) -> Fraction:
    """What task `task` adds to a total objective, in units, when it ends at step `end`."""
    return objective_of(grid.instance, [(task, end * grid.step)])


def _topological(tasks: tuple[GridTask, ...]) -> tuple[int, ...]:
    """Predecessors first, otherwise in the document's order (documents hold no cycles)."""
    order: list[int] = []
    placed: set[int] = set()
    while len(order) < len(tasks):
        ready = [
            index
            for index, task in enumerate(tasks)
            if index not in placed and placed.issuperset(task.after)
        ]
        order += ready
        placed.update(ready)
    return tuple(order)

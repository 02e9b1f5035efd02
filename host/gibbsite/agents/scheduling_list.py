"""List schedules: quick feasible schedules that bound how far the device has to look.

A list schedule is a bound, not an answer: it fixes the horizon and removes states that cost more
than it does, so at least one optimal schedule stays within the states.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from gibbsite.agents.scheduling_grid import Grid, cost_of

__all__ = ["ListSchedule", "list_schedule"]


class ListSchedule:
    """A feasible gridded schedule: `starts[task]` is its (machine, start)."""

    def __init__(self, grid: Grid, starts: dict[int, tuple[int, int]]) -> None:
        self.starts = starts
        ends = {task: start + grid.tasks[task].duration for task, (_, start) in starts.items()}
        self.makespan = max(ends.values())
        self.total = sum((cost_of(grid, task, end) for task, end in ends.items()), Fraction(0))

    def value(self, grid: Grid) -> Fraction:
        """Its objective, in units."""
        if grid.instance.objective == "makespan":
            return self.makespan * grid.step
        return self.total


def list_schedule(grid: Grid) -> ListSchedule | None:
    """The best of a few list schedules, each task at its earliest end; None if none is feasible."""
    tail = [task.duration for task in grid.tasks]
    for task in reversed(grid.order):
        after = max((tail[follower] for follower in grid.successors[task]), default=0)
        tail[task] = grid.tasks[task].duration + after
    far = 1 + sum(task.duration for task in grid.tasks) + max(t.release for t in grid.tasks)

    def urgency(task: int) -> Fraction:
        due = grid.instance.tasks[task].due
        if due is not None:
            return due / grid.step
        deadline = grid.tasks[task].deadline
        return Fraction(far if deadline is None else deadline)

    rules: list[Callable[[int], tuple[Fraction | int, ...]]] = [
        lambda task: (-tail[task], task),
        lambda task: (urgency(task), -tail[task], task),
        lambda task: (len(grid.tasks[task].machines), -tail[task], task),
        lambda task: (grid.tasks[task].duration, -tail[task], task),
        lambda task: (grid.tasks[task].release, -tail[task], task),
    ]
    found = [schedule for rule in rules if (schedule := _listed(grid, rule)) is not None]
    return min(found, key=lambda schedule: schedule.value(grid), default=None)


def _listed(grid: Grid, rule: Callable[[int], tuple[Fraction | int, ...]]) -> ListSchedule | None:
    placed: dict[int, tuple[int, int]] = {}
    busy: list[list[tuple[int, int]]] = [[] for _ in grid.windows]
    while len(placed) < len(grid.tasks):
        ready = [
            task
            for task in grid.order
            if task not in placed and all(before in placed for before in grid.tasks[task].after)
        ]
        task = min(ready, key=rule)
        spec = grid.tasks[task]
        after = [placed[before][1] + grid.tasks[before].duration for before in spec.after]
        earliest = max([spec.release, *after])
        options = [
            (start, machine)
            for machine in spec.machines
            if (start := _first_gap(grid, busy[machine], machine, spec.duration, earliest))
            is not None
        ]
        if not options:
            return None
        start, machine = min(options)
        if spec.deadline is not None and start + spec.duration > spec.deadline:
            return None
        placed[task] = (machine, start)
        busy[machine].append((start, start + spec.duration))
        busy[machine].sort()
    return ListSchedule(grid, placed)


def _first_gap(
    grid: Grid, busy: list[tuple[int, int]], machine: int, length: int, earliest: int
) -> int | None:
    """The first start at or after `earliest` where the machine is open and free for `length`."""
    best: int | None = None
    for low, high in grid.windows[machine]:
        start = max(low, earliest)
        for begin, end in busy:
            if start + length <= begin:
                break
            start = max(start, end)
        if (high is None or start + length <= high) and (best is None or start < best):
            best = start
    return best

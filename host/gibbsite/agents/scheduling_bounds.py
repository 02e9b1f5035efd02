"""What can be known about a gridded schedule without solving it: heads, latest ends, overloads.

All of it is a relaxation, so it never cuts off a feasible schedule: the lower bounds are true, and
an `Overload` or an empty interval is a proof that no schedule exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gibbsite.agents.scheduling_grid import Grid, Span, cost_of

__all__ = [
    "Overload",
    "earliest_fit",
    "heads",
    "impossible",
    "latest_ends",
    "lower_bound",
    "overload",
    "safe_horizon",
    "total_lower_bound",
]

MOST_SETS: Final = 64
"""Sets of machines that are tried for an overload; fewer are tried where tasks differ less."""

MOST_BOUNDS: Final = 16
"""Starts, and ends, of intervals that are tried for an overload; leaving some out stays sound."""


@dataclass(frozen=True, slots=True)
class Overload:
    """Tasks that must all run on `machines` inside [start, end] and need more than fits there."""

    tasks: tuple[int, ...]
    machines: tuple[int, ...]
    start: int
    end: int
    work: int
    capacity: int


def earliest_fit(grid: Grid, task: int, ready: int) -> int | None:
    """The first start at or after `ready` at which some eligible window holds the task."""
    length = grid.tasks[task].duration
    starts = [
        max(ready, low)
        for machine in grid.tasks[task].machines
        for low, high in grid.windows[machine]
        if high is None or max(ready, low) + length <= high
    ]
    return min(starts, default=None)


def heads(grid: Grid) -> list[int | None]:
    """Earliest start of each task by release, predecessors and windows; None where none exists."""
    result: list[int | None] = [None] * len(grid.tasks)
    for task in grid.order:
        ready = grid.tasks[task].release
        for before in grid.tasks[task].after:
            head = result[before]
            if head is None:
                break
            ready = max(ready, head + grid.tasks[before].duration)
        else:
            result[task] = earliest_fit(grid, task, ready)
    return result


def latest_ends(grid: Grid, horizon: int, caps: Sequence[int] | None = None) -> list[int]:
    """Latest end of each task by `horizon`, deadline, successors and windows; -1 where none exists.

    `caps` are further limits, one a task.
    """
    result = [-1] * len(grid.tasks)
    for task in reversed(grid.order):
        limit = horizon if caps is None else min(horizon, caps[task])
        deadline = grid.tasks[task].deadline
        if deadline is not None:
            limit = min(limit, deadline)
        for follower in grid.successors[task]:
            limit = min(limit, result[follower] - grid.tasks[follower].duration)
        result[task] = _last_end(grid, task, limit)
    return result


def safe_horizon(grid: Grid) -> int:
    """A step by which some optimal schedule has ended, whatever the regular objective.

    After the last release, the last finite window's end and all deadlines, only machines without
    end are left, and a left-shifted schedule never lets all of them idle while work remains:
    `H = max(releases, finite window bounds) + sum of durations`.
    """
    bounds = [time for spans in grid.windows for span in spans for time in span if time is not None]
    work = sum(task.duration for task in grid.tasks)
    horizon = max([*bounds, *(task.release for task in grid.tasks)]) + work
    open_ended = any(high is None for spans in grid.windows for _, high in spans)
    return horizon if open_ended else min(horizon, max(bounds))


def overload(grid: Grid, horizon: int) -> Overload | None:
    """An interval and machines whose tasks need more time than the windows there can hold, if any.

    Tasks with head >= a and latest end <= b lie in [a, b]; in each window piece at most the largest
    sum of their durations that fits is done (nothing runs across a window's edge).
    """
    first = heads(grid)
    last = latest_ends(grid, horizon)
    known = [index for index, head in enumerate(first) if head is not None]
    starts = _thinned({first[index] or 0 for index in known})
    for machines in _machine_sets(grid):
        group = [index for index in known if set(grid.tasks[index].machines) <= set(machines)]
        for start in starts:
            inside = [index for index in group if (first[index] or 0) >= start]
            for end in _thinned({last[index] for index in inside}):
                tasks = [index for index in inside if last[index] <= end]
                work = sum(grid.tasks[index].duration for index in tasks)
                # the plain room first: where it is short already, the proof reads best
                for packed in (None, tasks):
                    capacity = _capacity(grid, machines, start, end, packed)
                    if work > capacity:
                        return Overload(tuple(tasks), machines, start, end, work, capacity)
                    if 2 * work <= capacity:
                        break
    return None


def impossible(grid: Grid, horizon: int) -> bool:
    """Whether it is proven that nothing ends by `horizon`."""
    first = heads(grid)
    last = latest_ends(grid, horizon)
    for task, (head, end) in enumerate(zip(first, last, strict=True)):
        if head is None or head + grid.tasks[task].duration > end:
            return True
    return overload(grid, horizon) is not None


def lower_bound(grid: Grid, horizon: int) -> int:
    """The smallest makespan not excluded by heads, latest ends and overloads, at most `horizon`."""
    low, high = 0, horizon
    while low < high:
        middle = (low + high) // 2
        if impossible(grid, middle):
            low = middle + 1
        else:
            high = middle
    return low


def total_lower_bound(grid: Grid, without: int | None = None) -> Fraction:
    """A true lower bound of a total objective, in units, of all tasks or all but one.

    Each task ends no earlier than its head allows; completions also add up to at least what the
    shortest tasks first give on as many always open machines.
    """
    ends = [
        (task, head + grid.tasks[task].duration)
        for task, head in enumerate(heads(grid))
        if head is not None and task != without
    ]
    bound = sum((cost_of(grid, task, end) for task, end in ends), Fraction(0))
    if grid.instance.objective == "total_completion":
        used = {machine for task in grid.tasks for machine in task.machines}
        opened = min(low for machine in used for low, _ in grid.windows[machine])
        free = [max(opened, min(task.release for task in grid.tasks))] * len(used)
        total = 0
        for length in sorted(grid.tasks[task].duration for task, _ in ends):
            free.sort()
            free[0] += length
            total += free[0]
        bound = max(bound, total * grid.step)
    return bound


def _last_end(grid: Grid, task: int, limit: int) -> int:
    length = grid.tasks[task].duration
    ends = [
        limit if high is None else min(limit, high)
        for machine in grid.tasks[task].machines
        for low, high in grid.windows[machine]
        if (limit if high is None else min(limit, high)) - length >= low
    ]
    return max(ends, default=-1)


def _machine_sets(grid: Grid) -> list[tuple[int, ...]]:
    """Unions of what tasks may use, largest first: any other set only adds room."""
    chosen = {frozenset(task.machines) for task in grid.tasks}
    unions = set(chosen)
    grown = True
    while grown and len(unions) < MOST_SETS:
        more = {one | two for one in unions for two in chosen} - unions
        grown = bool(more)
        unions |= more
    return sorted((tuple(sorted(item)) for item in unions), key=lambda item: (-len(item), item))


def _thinned(values: set[int]) -> list[int]:
    """The values in order, at most `MOST_BOUNDS` of them, the extremes always."""
    ordered = sorted(values)
    if len(ordered) <= MOST_BOUNDS:
        return ordered
    step = (len(ordered) - 1) / (MOST_BOUNDS - 1)
    return [ordered[round(place * step)] for place in range(MOST_BOUNDS)]


def _capacity(
    grid: Grid, machines: tuple[int, ...], start: int, end: int, tasks: list[int] | None
) -> int:
    """The steps inside [start, end] that `machines` are open, or that `tasks` could fill there."""
    total = 0
    for machine in machines:
        for low, high in _merged(grid.windows[machine]):
            room = min(end, end if high is None else high) - max(start, low)
            if room <= 0:
                continue
            if tasks is None:
                total += room
                continue
            sums = 1
            for task in tasks:
                if machine in grid.tasks[task].machines:
                    sums |= sums << grid.tasks[task].duration
            total += (sums & ((1 << (room + 1)) - 1)).bit_length() - 1
    return total


def _merged(spans: tuple[Span, ...]) -> list[Span]:
    """Overlapping windows as one, which can only hold more; touching ones stay apart."""
    result: list[Span] = []
    for low, high in sorted(spans, key=lambda span: span[0]):
        if result and (result[-1][1] is None or low < result[-1][1]):
            previous_low, previous = result[-1]
            joined = None if previous is None or high is None else max(previous, high)
            result[-1] = (previous_low, joined)
        else:
            result.append((low, high))
    return result

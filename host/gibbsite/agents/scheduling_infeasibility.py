"""Cheap exact proofs that no schedule exists, each a sentence: limit, value, next step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from gibbsite.agents.scheduling_bounds import (
    Overload,
    heads,
    latest_ends,
    overload,
    safe_horizon,
)
from gibbsite.agents.scheduling_grid import Grid
from gibbsite.agents.scheduling_instance import Instance, shown

__all__ = ["Proof", "proof"]


@dataclass(frozen=True, slots=True)
class Proof:
    """Why nothing is feasible; `placeable`: each task alone has a place, so one can try."""

    sentence: str
    placeable: bool


def proof(grid: Grid) -> Proof | None:
    """Why nothing is feasible, if that can be shown without a search; needs the finest grid.

    In this order: a task longer than every window that it may use, a task whose release,
    predecessors, deadline and windows leave it no place, more work than an interval can hold.
    """
    alone = _too_long(grid.instance) or _no_place(grid)
    if alone is not None:
        return Proof(alone, placeable=False)
    together = _too_much(grid)
    return None if together is None else Proof(together, placeable=True)


def _too_long(instance: Instance) -> str | None:
    unit = instance.unit
    for task in instance.tasks:
        lengths = [
            None if high is None else high - low
            for machine in task.machines
            for low, high in instance.windows[machine]
        ]
        finite = [length for length in lengths if length is not None]
        if len(finite) == len(lengths) and max(finite) < task.duration:
            return (
                f"Task {task.id} takes {shown(task.duration)} {unit}s and the longest window of "
                f"{_machines(instance, task.machines)} has {shown(max(finite))}; shorten or split "
                "the task, or widen a window."
            )
    return None


def _no_place(grid: Grid) -> str | None:
    instance = grid.instance
    first, last = heads(grid), latest_ends(grid, safe_horizon(grid))
    # from the back: the last task of a chain names the deadline or window that binds
    for index in reversed(grid.order):
        task, head = instance.tasks[index], first[index]
        blocked = any(first[before] is None for before in grid.tasks[index].after)
        if head is None and not blocked:
            return (
                f"Task {task.id} is ready after the last window of "
                f"{_machines(instance, task.machines)} that could hold its {shown(task.duration)} "
                f"{instance.unit}s; add a window, or let it or its predecessors start earlier."
            )
        if head is not None and head + grid.tasks[index].duration > last[index]:
            earliest = (head + grid.tasks[index].duration) * grid.step
            if last[index] < 0:
                must = "no window holds it before its deadline and its successors"
            else:
                must = f"must end by {shown(last[index] * grid.step)}"
            return (
                f"Task {task.id} ends at {shown(earliest)} at the earliest (release, predecessors, "
                f"windows) and {must} (deadline, successors, windows); move its deadline or "
                "shorten what comes before it."
            )
    return None


def _too_much(grid: Grid) -> str | None:
    found = overload(grid, safe_horizon(grid))
    return None if found is None else _overload_sentence(grid, found)


def _overload_sentence(grid: Grid, found: Overload) -> str:
    instance = grid.instance

    def time(steps: int) -> str:
        return shown(Fraction(steps) * grid.step)

    names = ", ".join(instance.tasks[task].id for task in found.tasks)
    who = "All tasks together" if len(found.tasks) == len(grid.tasks) else f"Tasks {names}"
    return (
        f"{who} need {time(found.work)} {instance.unit}s on "
        f"{_machines(instance, found.machines)} between {time(found.start)} and "
        f"{time(found.end)}, and at most {time(found.capacity)} can be done there; drop or shorten "
        "tasks, widen the windows, or add a machine."
    )


def _machines(instance: Instance, machines: Sequence[int]) -> str:
    names = [instance.machine_ids[machine] for machine in machines]
    return f"machine {names[0]}" if len(names) == 1 else f"machines {', '.join(names)}"

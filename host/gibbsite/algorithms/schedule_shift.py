"""The left shift: what the host does, by name, to times that a device drew.

Tasks are taken in the order of their drawn starts, those first whose predecessors all stand. Each
starts as early as release, predecessors, machine and resources allow behind the tasks that stand
already; a task with a wish starts no earlier than its wish. So the order is the device's, small
violations vanish, and gaps close. It looks for no better order.

Source: J. Blazewicz, K. Ecker, E. Pesch, G. Schmidt and J. Weglarz, Handbook on Scheduling, 2007
(serial schedule generation).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from gibbsite.algorithms.schedule_verification import Times, exactly
from gibbsite_models.energies.tasks import Task, TaskSet

__all__ = ["left_shift"]


def left_shift(tasks: TaskSet, drawn: Mapping[str, float], wishes: bool = True) -> Times:
    """Times without overlap in the order of drawn starts; deadlines are for `broken_rules` to see.

    Without ``wishes`` tasks start as early as they can.
    """
    standing: dict[str, tuple[Fraction, Fraction]] = {}
    waiting = sorted(tasks.tasks, key=lambda task: (drawn[task.name], task.name))
    before = {task.name: {a for a, b in tasks.precedence if b == task.name} for task in waiting}
    while waiting:
        # precedence is not circular, so that some task is always free
        task = next(task for task in waiting if before[task.name] <= standing.keys())
        waiting.remove(task)
        start = _earliest(tasks, task, before[task.name], standing, wishes)
        standing[task.name] = start, start + exactly(task.duration)
    return {name: standing[name] for name in tasks.names}


def _earliest(
    tasks: TaskSet, task: Task, before: set[str], standing: Times, wishes: bool
) -> Fraction:
    floor = max([exactly(task.release), *(standing[name][1] for name in before)])
    if wishes and task.preference is not None:
        floor = max(floor, exactly(task.preference))
    for other in tasks.tasks:
        if task.machine is not None and other.machine == task.machine and other.name in standing:
            floor = max(floor, standing[other.name][1])
    # resources free up at ends only
    for start in sorted({floor, *(end for _, end in standing.values() if end > floor)}):
        if _fits(tasks, task, start, standing):
            return start
    raise AssertionError("behind all other tasks every task fits, since none exceeds a capacity")


def _fits(tasks: TaskSet, task: Task, start: Fraction, standing: Times) -> bool:
    """Whether every resource serves the task from ``start`` on, beside what stands."""
    end = start + exactly(task.duration)
    moments = {start, *(begin for begin, _ in standing.values() if start < begin < end)}
    for resource, amount in task.demand.items():
        for moment in moments if end > start else ():
            used = sum(
                exactly(other.demand[resource])
                for other in tasks.tasks
                if other.demand.get(resource)
                and other.name in standing
                and standing[other.name][0] <= moment < standing[other.name][1]
            )
            if used + exactly(amount) > exactly(tasks.capacity[resource]):
                return False
    return True

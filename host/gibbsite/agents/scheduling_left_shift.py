"""Left shift: every task as early as its machine's order, predecessors and windows allow.

Host repair: it never changes a machine, nor the order on a machine, and never makes a task later,
so no regular objective grows. Exact on the instance's own times, so it also takes back what a
coarser grid rounded up.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gibbsite.agents.scheduling_instance import Assignment, Instance

__all__ = ["left_shifted"]


def left_shifted(instance: Instance, plan: Sequence[Assignment]) -> list[Assignment]:
    """The plan with each task moved to its earliest start; needs a feasible plan."""
    free: dict[int, Fraction] = {}
    done: dict[int, Fraction] = {}
    result: list[Assignment] = []
    # in order of start, predecessors and the machine's earlier tasks are placed already
    for old in sorted(plan, key=lambda item: (item.start, item.end)):
        task = instance.tasks[old.task]
        ready = max([task.release, *(done[before] for before in task.after)])
        ready = max(ready, free.get(old.machine, Fraction(0)))
        start = min(
            max(ready, low)
            for low, high in instance.windows[old.machine]
            if high is None or max(ready, low) + task.duration <= high
        )
        end = start + task.duration
        free[old.machine] = done[old.task] = end
        result.append(Assignment(old.task, old.machine, start, end))
    return sorted(result, key=lambda item: item.task)

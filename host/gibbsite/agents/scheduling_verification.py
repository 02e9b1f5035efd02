"""The exact judge of a plan: fractions from the instance only, blind to energies and grids."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from gibbsite.agents.scheduling_instance import Assignment, Instance, InstanceTask, shown

__all__ = ["violations"]


def violations(instance: Instance, plan: Sequence[Assignment]) -> list[str]:
    """Every rule that the plan breaks, one sentence each; an empty list is a feasible plan."""
    found: list[str] = []
    placed: dict[int, Assignment] = {}
    for item in plan:
        if item.task in placed:
            found.append(f"Task {instance.tasks[item.task].id} is planned more than once.")
        placed[item.task] = item
    for index, task in enumerate(instance.tasks):
        if index not in placed:
            found.append(f"Task {task.id} is not planned.")
        else:
            found += _alone(instance, task, placed[index])
            for before in task.after:
                if before in placed and placed[before].end > placed[index].start:
                    found.append(
                        f"Task {task.id} starts at {shown(placed[index].start)}, before its "
                        f"predecessor {instance.tasks[before].id} ends at "
                        f"{shown(placed[before].end)}."
                    )
    for one, two in combinations(placed.values(), 2):
        if one.machine == two.machine and one.start < two.end and two.start < one.end:
            first, second = sorted((one, two), key=lambda item: (item.start, item.task))
            found.append(
                f"Tasks {instance.tasks[first.task].id} and {instance.tasks[second.task].id} "
                f"overlap on machine {instance.machine_ids[one.machine]} from "
                f"{shown(second.start)} to {shown(min(one.end, two.end))}."
            )
    return found


def _alone(instance: Instance, task: InstanceTask, item: Assignment) -> list[str]:
    """What is wrong with one task's place, whatever the others do."""
    found = []
    machine = instance.machine_ids[item.machine]
    span = f"from {shown(item.start)} to {shown(item.end)}"
    if item.end - item.start != task.duration:
        found.append(f"Task {task.id} runs {span} and takes {shown(task.duration)}.")
    if item.machine not in task.machines:
        found.append(f"Task {task.id} may not run on machine {machine}.")
    if item.start < task.release:
        found.append(
            f"Task {task.id} starts at {shown(item.start)}, before its release at "
            f"{shown(task.release)}."
        )
    if task.deadline is not None and item.end > task.deadline:
        found.append(
            f"Task {task.id} ends at {shown(item.end)}, after its deadline at "
            f"{shown(task.deadline)}."
        )
    inside = any(
        low <= item.start and (high is None or item.end <= high)
        for low, high in instance.windows[item.machine]
    )
    if not inside:
        found.append(f"Task {task.id} runs {span}, outside every window of machine {machine}.")
    return found

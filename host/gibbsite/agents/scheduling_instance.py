"""A schedule as exact numbers: every time a `Fraction`, every name an index, one duration a task.

`Instance` is what the verifier, the left shift and the grid read, so that none of them depends on
the energy or on floating point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias, get_args

from gibbsite.problem import Objective, ScheduleProblem, Task
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = [
    "DURATIONS",
    "Assignment",
    "Durations",
    "Instance",
    "InstanceTask",
    "ScheduleError",
    "exact",
    "instance_of",
    "number",
    "objective_of",
    "shown",
]

Durations: TypeAlias = Literal["upper", "lower", "mid"]
DURATIONS: Final[tuple[Durations, ...]] = get_args(Durations)

Window: TypeAlias = tuple[Fraction, Fraction | None]
"""From, to; `None` is no end."""


class ScheduleError(GibbsiteError):
    """A schedule that no device can be given; its sentence names limit, value, next step."""


@dataclass(frozen=True, slots=True)
class InstanceTask:
    """One task with its one duration; `deadline` is hard, `due` may be missed at a cost."""

    id: str
    duration: Fraction
    release: Fraction
    deadline: Fraction | None
    due: Fraction | None
    machines: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """The whole schedule; windows are sorted, an unrestricted machine has one without end."""

    unit: str
    objective: Objective
    tasks: tuple[InstanceTask, ...]
    machine_ids: tuple[str, ...]
    windows: tuple[tuple[Window, ...], ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Task `task` runs on machine `machine` (both indices) from `start` to `end`."""

    task: int
    machine: int
    start: Fraction
    end: Fraction


def exact(value: int | float) -> Fraction:
    """The decimal number that was written, exactly: 0.1 is 1/10, not its nearest double."""
    return Fraction(str(value))


def number(value: Fraction) -> int | float:
    """A fraction as a JSON number: an int where it is whole."""
    return int(value) if value.denominator == 1 else float(value)


def shown(value: Fraction) -> str:
    """A fraction for a sentence: `24`, `1.5`."""
    return str(number(value))


def instance_of(problem: ScheduleProblem, durations: str = "upper") -> Instance:
    """The exact instance of a document, ranges of durations decided by `durations`.

    Raises: `ScheduleError` for an unknown `durations`.
    """
    if durations not in DURATIONS:
        raise ScheduleError(
            f"durations: a range is planned at one of {', '.join(DURATIONS)}, found {durations!r}; "
            "use one of these"
        )
    task_index = {task.id: index for index, task in enumerate(problem.tasks)}
    machine_index = {machine.id: index for index, machine in enumerate(problem.machines)}
    late_allowed = problem.objective == "total_tardiness"
    tasks = []
    for task in problem.tasks:
        deadline = None if task.deadline is None else exact(task.deadline)
        named = task.machines or tuple(machine_index)
        tasks.append(
            InstanceTask(
                id=task.id,
                duration=_duration(task, durations),
                release=exact(task.release or 0),
                deadline=None if late_allowed else deadline,
                due=deadline if late_allowed else None,
                machines=tuple(sorted(machine_index[name] for name in named)),
                after=tuple(sorted(task_index[name] for name in task.after or ())),
            )
        )
    windows: list[tuple[Window, ...]] = []
    for machine in problem.machines:
        if machine.windows is None:
            windows.append(((Fraction(0), None),))
        else:
            windows.append(
                tuple((exact(low), exact(high)) for low, high in sorted(machine.windows))
            )
    return Instance(
        unit=problem.unit,
        objective=problem.objective,
        tasks=tuple(tasks),
        machine_ids=tuple(machine_index),
        windows=tuple(windows),
        assumptions=_assumptions(problem, durations),
    )


def objective_of(instance: Instance, ends: Iterable[tuple[int, Fraction]]) -> Fraction:
    """The objective of tasks with these `(task, end)`: latest end, sum of ends or of delays."""
    pairs = list(ends)
    if instance.objective == "makespan":
        return max((end for _, end in pairs), default=Fraction(0))
    if instance.objective == "total_completion":
        return sum((end for _, end in pairs), Fraction(0))
    total = Fraction(0)
    for task, end in pairs:
        due = instance.tasks[task].due
        if due is not None:
            total += max(Fraction(0), end - due)
    return total


def _duration(task: Task, durations: str) -> Fraction:
    if durations == "lower":
        return exact(task.shortest)
    if durations == "mid":
        return (exact(task.shortest) + exact(task.longest)) / 2
    return exact(task.longest)


def _assumptions(problem: ScheduleProblem, durations: str) -> tuple[str, ...]:
    ranged = [task for task in problem.tasks if task.shortest != task.longest]
    if not ranged:
        return ()
    place = {"upper": "the upper end", "lower": "the lower end", "mid": "the middle"}[durations]
    why = ", so the plan holds for all shorter ones" if durations == "upper" else ""
    spans = {(task.shortest, task.longest) for task in ranged}
    if len(spans) == 1:
        low, high = spans.pop()
        span = f"between {low} and {high} {problem.unit}s"
    else:
        span = "over different ranges"
    all_of_them = len(ranged) == len(problem.tasks)
    names = "all tasks" if all_of_them else "tasks " + ", ".join(task.id for task in ranged)
    planned = sorted({_duration(task, durations) for task in ranged})
    plural = "" if planned[0] == 1 else "s"
    values = f" ({shown(planned[0])} {problem.unit}{plural})" if len(planned) == 1 else ""
    return (
        f"Durations are given as ranges ({span}; {names}); each is planned at {place} of its "
        f"range{values}{why}.",
    )

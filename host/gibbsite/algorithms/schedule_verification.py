"""Whether start times are a schedule, in fractions and in the problem's own unit.

Numbers of a problem are what their shortest decimals say: 0.1 is 1/10. Nothing here knows rows,
orders or energies: overlap is looked for in the times themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations, pairwise

from gibbsite_models.energies.tasks import TaskSet

__all__ = ["Times", "broken_rules", "exactly"]

Times = Mapping[str, tuple[Fraction, Fraction]]
"""Start and end of every task, in the problem's unit."""


def exactly(value: float) -> Fraction:
    """The decimal number that a float stands for."""
    return Fraction(repr(float(value)))


def broken_rules(tasks: TaskSet, times: Times) -> dict[str, Fraction]:
    """Rules that the times break and by how much, in words; empty for a schedule.

    Windows, durations, precedence, machines and resources; wishes are no rules.
    """
    broken: dict[str, Fraction] = {}

    def rule(says: str, missed: Fraction) -> None:
        if missed > 0:
            broken[says] = missed

    for task in tasks.tasks:
        start, end = times[task.name]
        last = exactly(tasks.horizon if task.deadline is None else task.deadline)
        rule(f"{task.name} starts after its release", exactly(task.release) - start)
        rule(f"{task.name} ends by its deadline", end - min(last, exactly(tasks.horizon)))
        rule(f"{task.name} takes its time", abs(end - start - exactly(task.duration)))
    for first, second in tasks.precedence:
        rule(f"{first} ends before {second} starts", times[first][1] - times[second][0])
    for one, two in combinations(tasks.tasks, 2):
        if one.machine is not None and one.machine == two.machine:
            together = _together(times, [one.name, two.name])
            rule(f"{one.name} and {two.name} share {one.machine} one after the other", together)
    for resource, most in tasks.capacity.items():
        for says, missed in _overloads(tasks, times, resource, exactly(most)).items():
            rule(says, missed)
    return broken


def _together(times: Times, names: list[str]) -> Fraction:
    """For how long all of some tasks run at once."""
    return min(times[name][1] for name in names) - max(times[name][0] for name in names)


def _overloads(tasks: TaskSet, times: Times, resource: str, most: Fraction) -> dict[str, Fraction]:
    """Spans between two events in which a resource gives more than it has, and their lengths."""
    users = {t.name: exactly(t.demand[resource]) for t in tasks.tasks if t.demand.get(resource)}
    events = sorted({time for name in users for time in times[name]})
    found: dict[str, Fraction] = {}
    for begin, end in pairwise(events):
        on = sorted(name for name in users if times[name][0] <= begin and times[name][1] >= end)
        if sum(users[name] for name in on) > most:
            says = f"{', '.join(on)} fit {resource} together"
            found[says] = found.get(says, Fraction(0)) + end - begin
    return found

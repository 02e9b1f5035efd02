"""The document: a scene in one unit, with its windows cut by breaks and its facts checked."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from gibbsite.formalizer.lexemes import Moment
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene, Window
from gibbsite.formalizer.units import MINUTES, UNIT_ORDER
from gibbsite.problem import ContradictionError, Problem, ProblemError, Unit, parse_problem

__all__ = ["document_of"]


def document_of(scene: Scene) -> Problem:
    """The schedule that the scene describes.

    Raises: `FormalizationError` with `missing_durations` or `contradiction`.
    """
    missing = [task.id for task in scene.tasks if task.amount is None]
    if missing:
        names = ", ".join(missing[:8])
        raise FormalizationError(
            "missing_durations",
            f"every task needs a duration, and none is given for {names}; say how long each takes",
            names,
        )
    unit = _unit(scene)
    _settle_dates(scene, unit)
    values: dict[str, Any] = {
        "kind": "schedule",
        "unit": unit,
        "tasks": [_task(task, scene, unit) for task in scene.tasks],
        "machines": [_machine(machine, unit) for machine in scene.machines],
        "objective": scene.objective,
    }
    try:
        return parse_problem(values)
    except ContradictionError as error:
        raise FormalizationError("contradiction", str(error), _words(scene, error)) from None
    except ProblemError as error:
        raise FormalizationError("not_understood", str(error), scene.text[:80]) from None


def _words(scene: Scene, error: ContradictionError) -> str:
    """The names of the contradicting tasks as the text writes them."""
    written = {task.id: " ".join(task.words) for task in scene.tasks if not task.id.isdigit()}
    return " … ".join(written.get(name, name) for name in error.tasks)


def _unit(scene: Scene) -> Unit:
    """The smallest unit that the text uses; clock times and bare numbers do not choose."""
    used: set[Unit] = set()
    for task in scene.tasks:
        if task.amount is not None:
            used.add(task.amount.unit)
        for moment in (task.release, task.deadline):
            if moment is not None and moment.unit != "clock" and moment.unit != "bare":
                used.add(moment.unit)
    for machine in scene.machines:
        for window in (*machine.windows, *machine.breaks):
            for moment in window:
                if moment.unit != "clock" and moment.unit != "bare":
                    used.add(moment.unit)
    return next(unit for unit in UNIT_ORDER if unit in used)


def _settle_dates(scene: Scene, unit: Unit) -> None:
    """Dates without a unit are counts of it where one of them is too large for a clock."""
    moments = [m for task in scene.tasks for m in (task.release, task.deadline) if m is not None]
    if not any(moment.unit == "bare" and moment.value > 48 for moment in moments):
        return
    for task in scene.tasks:
        if task.release is not None and task.release.unit == "bare":
            task.release = Moment(task.release.value, unit)
        if task.deadline is not None and task.deadline.unit == "bare":
            task.deadline = Moment(task.deadline.value, unit)


def _number(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def _time(moment: Moment, unit: Unit) -> Fraction:
    if moment.unit == "bare":
        # 8-16 is the clock in hours and minutes, and a count of days in days
        clock = unit == "minute" and moment.value <= 48
        return moment.value * 60 if clock else moment.value
    own = MINUTES["hour"] if moment.unit == "clock" else MINUTES[moment.unit]
    return moment.value * own / MINUTES[unit]


def _task(task: Entity, scene: Scene, unit: Unit) -> dict[str, Any]:
    assert task.amount is not None
    scale = Fraction(MINUTES[task.amount.unit], MINUTES[unit])
    low, high = task.amount.low * scale, task.amount.high * scale
    values: dict[str, Any] = {
        "id": task.id,
        "duration": [_number(low), _number(high)] if low != high else _number(low),
    }
    release = _time(task.release, unit) if task.release is not None else Fraction(0)
    deadline = _time(task.deadline, unit) if task.deadline is not None else None
    if release:
        values["release"] = _number(release)
    if deadline is not None:
        midnight = task.deadline is not None and task.deadline.unit == "clock" and deadline == 0
        if midnight:
            deadline = Fraction(1440, MINUTES[unit])
        values["deadline"] = _number(deadline)
    if task.after:
        values["after"] = [other.id for other in scene.tasks if other in task.after]
    machines = _machines(task, scene)
    if machines is not None:
        values["machines"] = machines
    return values


def _machines(task: Entity, scene: Scene) -> list[str] | None:
    if task.allowed is None and not task.barred:
        return None
    possible = [
        machine
        for machine in scene.machines
        if (task.allowed is None or machine in task.allowed) and machine not in task.barred
    ]
    if not possible:
        raise FormalizationError(
            "contradiction",
            f"task {task.id!r} needs at least one machine, and the text leaves it none; allow one",
            task.id,
        )
    if len(possible) == len(scene.machines):
        return None
    return [machine.id for machine in possible]


def _machine(machine: Entity, unit: Unit) -> dict[str, Any]:
    windows = [_span(window, unit) for window in machine.windows]
    for window in machine.breaks:
        windows = _cut(windows, _span(window, unit), machine)
    if not windows:
        return {"id": machine.id}
    return {
        "id": machine.id,
        "windows": [[_number(low), _number(high)] for low, high in sorted(windows)],
    }


def _span(window: Window, unit: Unit) -> tuple[Fraction, Fraction]:
    low, high = (_time(moment, unit) for moment in window)
    if high <= low and window[0].unit in ("clock", "bare") and window[1].unit in ("clock", "bare"):
        high += Fraction(1440, MINUTES[unit])
    return low, high


def _cut(
    windows: list[tuple[Fraction, Fraction]], pause: tuple[Fraction, Fraction], machine: Entity
) -> list[tuple[Fraction, Fraction]]:
    """The windows without the pause; a pause after midnight falls into a window over midnight."""
    if not windows:
        raise FormalizationError(
            "not_understood",
            f"a break needs the window that it interrupts, and machine {machine.id!r} has none; "
            "say when it works",
            machine.id,
        )
    low, high = pause
    day = Fraction(24) * MINUTES["hour"]
    if high <= min(start for start, _ in windows):
        shift = day / 60 if max(end for _, end in windows) < 60 else day
        low, high = low + shift, high + shift
    left: list[tuple[Fraction, Fraction]] = []
    for start, end in windows:
        pieces = [(start, min(end, low)), (max(start, high), end)]
        left.extend(piece for piece in pieces if piece[0] < piece[1])
    return left

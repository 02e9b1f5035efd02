"""Facts: writing into the scene what a sentence says, and refusing two values for one thing."""

from __future__ import annotations

from fractions import Fraction

from gibbsite.formalizer.lexemes import Lexeme, Moment
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene, Window

__all__ = [
    "add_break",
    "add_predecessors",
    "add_window",
    "allow",
    "bar",
    "place_at_the_ends",
    "restrict",
    "set_all_day",
    "set_deadline",
    "set_release",
]


def add_predecessors(task: Entity, before: list[Entity]) -> None:
    """Put these tasks before `task`."""
    for other in before:
        if other not in task.after:
            task.after.append(other)


def place_at_the_ends(scene: Scene) -> None:
    """Put the tasks that come first before all that wait for none, the last ones after all ends."""
    inner = [task for task in scene.tasks if task not in scene.first]
    if scene.first:
        for task in [task for task in inner if not task.after]:
            add_predecessors(task, scene.first)
    if scene.last:
        inner = [task for task in scene.tasks if task not in scene.last]
        followed = {id(before) for task in inner for before in task.after}
        for task in scene.last:
            add_predecessors(task, [other for other in inner if id(other) not in followed])


def allow(tasks: list[Entity], machines: list[Entity]) -> None:
    """Let these machines do these tasks, beside the machines that were said to do them earlier."""
    for task in tasks:
        task.allowed = task.allowed or []
        task.allowed += [machine for machine in machines if machine not in task.allowed]


def restrict(tasks: list[Entity], machines: list[Entity]) -> None:
    """Restrict these tasks to these machines; an earlier restriction is narrowed."""
    for task in tasks:
        if task.allowed is None:
            task.allowed = list(machines)
            continue
        both = [machine for machine in machines if machine in task.allowed]
        if not both:
            names = ", ".join(machine.id for machine in machines)
            raise FormalizationError(
                "contradiction",
                f"task {task.id!r} needs a machine, and the text restricts it to "
                f"{', '.join(machine.id for machine in task.allowed)} and to {names}; keep one",
                f"{task.id} … {names}",
            )
        task.allowed = both


def bar(tasks: list[Entity], machines: list[Entity]) -> None:
    """Keep these tasks off these machines."""
    for task in tasks:
        task.barred += [machine for machine in machines if machine not in task.barred]


def set_release(tasks: list[Entity], moment: Moment, lexeme: Lexeme) -> None:
    """Let these tasks start no earlier than `moment`."""
    for task in tasks:
        if task.release is not None and task.release != moment:
            raise _two_values(task, "release", lexeme)
        task.release = moment


def set_deadline(tasks: list[Entity], moment: Moment, lexeme: Lexeme) -> None:
    """Let these tasks end no later than `moment`."""
    for task in tasks:
        if task.deadline is not None and task.deadline != moment:
            raise _two_values(task, "deadline", lexeme)
        task.deadline = moment


def _two_values(task: Entity, what: str, lexeme: Lexeme) -> FormalizationError:
    return FormalizationError(
        "contradiction",
        f"task {task.id!r} has one {what}, found another: {lexeme.text!r}; keep one of them",
        f"{task.id} … {lexeme.text}",
    )


def add_window(
    machines: list[Entity], window: Window, sentence: int, lexeme: Lexeme, more: bool
) -> None:
    """Open these machines in `window`; another sentence may repeat it but not change it."""
    for machine in machines:
        if machine.windows and machine.windows_from != sentence and not more:
            if window in machine.windows:
                continue
            raise FormalizationError(
                "contradiction",
                f"the windows of machine {machine.id!r} are said once, found another: "
                f"{lexeme.text!r}; say them in one sentence or correct one",
                f"{machine.id} … {lexeme.text}",
            )
        if window not in machine.windows:
            machine.windows.append(window)
        machine.windows_from = sentence


def add_break(machines: list[Entity], window: Window) -> None:
    """Close these machines in `window`."""
    for machine in machines:
        if window not in machine.breaks:
            machine.breaks.append(window)


def set_all_day(machines: list[Entity], sentence: int) -> None:
    """Open these machines for 24 hours from 0, without choosing the document's unit."""
    for machine in machines:
        machine.all_day = True
        machine.windows = [(Moment(Fraction(0), "clock"), Moment(Fraction(24), "clock"))]
        machine.windows_from = sentence

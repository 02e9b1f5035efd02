"""What the bars of `gibbsite.progress` look like on a terminal (rich)."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

__all__ = ["Bars"]


class Bars(Progress):
    """One bar for each stage, in the order in which stages are first heard of.

    A bar appears once its stage has taken ``delay`` seconds, also when nothing new is heard of it
    (rich redraws on a thread of its own), and a stage whose end is not known pulses. The last stage
    that is heard of and not over runs; those that it interrupted stand still meanwhile.
    """

    def __init__(self, delay: float, console: Console | None = None) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[count]}"),
            TimeElapsedColumn(),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._delay = delay
        self._stages: dict[str, TaskID] = {}
        self._open: list[str] = []

    def report(self, stage: str, done: float, total: float | None) -> None:
        """Hear how far a stage is, which then runs, or is over."""
        if stage not in self._stages:
            self._stages[stage] = self.add_task(stage, total=None, count="")
        over = total is not None and done >= total
        if stage in self._open:
            self._open.remove(stage)
        if not over:
            self._open.append(stage)
        for other, number in self._stages.items():
            self._run(number, bool(self._open) and other == self._open[-1])
        # one step that has not ended tells no more than that it runs
        known = total if total is not None and (total > 1 or over) else None
        count = "" if known is None else f"{done:g}/{known:g}"
        self.update(self._stages[stage], completed=done, total=known, count=count)

    def _run(self, number: TaskID, runs: bool) -> None:
        """Let the clock of a stage go on, or stand."""
        with self._lock:
            task = self._tasks[number]
            if runs:
                task.stop_time = None
            elif task.stop_time is None:
                self.stop_task(number)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Give rich the bars of all stages that took long enough."""
        yield self.make_tasks_table([task for task in self.tasks if self._long(task)])

    def _long(self, task: Task) -> bool:
        return (task.elapsed or 0.0) >= self._delay

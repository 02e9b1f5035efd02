"""Progress bars on stderr for whatever takes longer than a second; none where nobody watches.

Work reports as `progress(stage, done, total)`: the name of what is done, and how far it is in
units of its own; `total=None` where the end is not known.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Report", "bars"]

DELAY = 1.0
"""Seconds of work before its bar appears."""


class Report(Protocol):
    """What working code calls to say how far it is; it may be called as often as is convenient."""

    def __call__(self, stage: str, done: float, total: float | None, /) -> None: ...


@contextmanager
def bars() -> Iterator[Report]:
    """Give a `Report` that draws one bar for each stage while the block runs.

    Where stderr is no terminal it draws nothing. The bars vanish when the block ends, however it
    ends, so that the terminal is as it was.
    """
    if not sys.stderr.isatty():
        yield _silent
        return

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield _Bars(shown)


class _Bars:
    """One bar for each stage, in the order in which stages are first heard of."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}

    def __call__(self, stage: str, done: float, total: float | None) -> None:
        began = self._began.setdefault(stage, time.monotonic())
        if stage not in self._tasks:
            self._tasks[stage] = self._shown.add_task(stage, total=total, visible=False)
        visible = total is None or time.monotonic() - began >= DELAY
        self._shown.update(self._tasks[stage], completed=done, total=total, visible=visible)


def _silent(_stage: str, _done: float, _total: float | None) -> None:
    """Report to nobody."""

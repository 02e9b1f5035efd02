"""Progress bars on stderr for whatever takes longer than a second; none where nobody watches.

Work reports as `progress(stage, done, total)`: the name of what is done, and how far it is in
units of its own; `total=None` where the end is not known. A stage that is heard of while another
one runs interrupts it; when it is over, ``done`` is ``total``, the other one goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

__all__ = ["Report", "bars"]

DELAY: Final = 1.0
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

    # here, so that a command whose progress nobody watches does not wait for these
    from gibbsite.progress_bars import Bars

    with Bars(delay=DELAY) as shown:
        yield shown.report


def _silent(_stage: str, _done: float, _total: float | None) -> None:
    """Report to nobody."""

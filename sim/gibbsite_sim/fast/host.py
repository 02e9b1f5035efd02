"""What compiled engines are given besides their program: threads, and an ear for slow first calls.

Twin: what `gibbsite_models.golden.device.GoldenStream` hands to its engines, which is nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from gibbsite_sim.fast.workers import Workers

__all__ = ["COMPILING", "Host", "Stage", "silent"]

Stage = Callable[[str, int, int], None]
"""Hears what is done, how far it is, and how far it goes."""

COMPILING = "compiling the emulator"


def silent(_stage: str, _done: int, _total: int) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Host:
    """Workers, and who hears that the emulator compiles."""

    workers: Workers
    stage: Stage

    _met: ClassVar[set[str]] = set()

    @contextmanager
    def compiling(self, what: str) -> Iterator[None]:
        """Around a call that may compile: the first one of ``what`` in this process is told."""
        if what in self._met:
            yield
            return
        self.stage(COMPILING, 0, 1)
        yield
        self._met.add(what)
        self.stage(COMPILING, 1, 1)

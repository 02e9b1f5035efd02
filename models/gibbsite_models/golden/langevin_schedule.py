"""The schedule of a run, step by step: which entry holds a step, and which steps are measured.

Twin: the schedule walk of ``gibbsite_hw.langevin``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_program import LangevinRequest, ScheduleEntry

__all__ = ["Schedule", "Setting"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A schedule entry, its strengths as an array ``int64[6]``."""

    rate: tuple[int, int]
    noise: tuple[int, int]
    strengths: NDArray[np.int64]
    measure: bool

    @classmethod
    def of(cls, entry: ScheduleEntry) -> "Setting":
        """The settings of an entry."""
        return cls(entry.rate, entry.noise, np.array(entry.strengths, np.int64), entry.measure)


class Schedule:
    """Entries of a request; steps beyond them use the last one.

    ``first`` is the step of draw 0, ``steps`` that of the last draw: the steps of a chain.
    """

    def __init__(self, request: LangevinRequest) -> None:
        repeats = np.array([entry.repeat for entry in request.schedule], dtype=np.int64)
        measured = np.array([entry.measure for entry in request.schedule], dtype=np.int64)
        self._settings = [Setting.of(entry) for entry in request.schedule]
        self._ends = np.cumsum(repeats)
        self._begins = self._ends - repeats
        self._measured_before = np.cumsum(repeats * measured) - repeats * measured
        self.first = 0 if request.trajectory else int(self._ends[-1])
        self.steps = self.first + (request.draws - 1) * request.thin
        self.end = self._settings[-1]
        self._pairs = len(request.pairs)

    def at(self, step: int) -> Setting:
        """Settings of a step."""
        return self._settings[self._entry(step)]

    def adds(self, p: int, every: int) -> bool:
        """Whether pass p adds to the moments: step p - 1 is the (k every)-th measured one."""
        return self._pairs > 0 and p > 0 and self.at(p - 1).measure and self._count(p) % every == 0

    def additions(self, p: int, every: int) -> int:
        """Additions to the moments up to pass p."""
        return self._count(p) // every if self._pairs and p > 0 else 0

    def _count(self, p: int) -> int:
        """Measured steps among 0 .. p - 1."""
        entry = self._entry(p - 1)
        inside = p - int(self._begins[entry]) if self._settings[entry].measure else 0
        return int(self._measured_before[entry]) + inside

    def _entry(self, step: int) -> int:
        place = int(np.searchsorted(self._ends, step, side="right"))
        return min(place, len(self._settings) - 1)

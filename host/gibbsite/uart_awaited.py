"""Which answers a word stream still owes, so that a reader knows whether it may wait.

Every command is answered once by its engine; an accepted RUN goes on until DONE or ABORTED.
"""

from __future__ import annotations

from collections import deque

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.packets import ENGINE_FIELD, Engine, Opcode, Response

__all__ = ["Awaited"]

_ANSWERS = (Response.OK, Response.ERROR, Response.INFO)
_ENDS = (Response.DONE, Response.ABORTED)


class Awaited:
    """What the engines of ``parameters`` owe; None where nobody knows yet which there are."""

    def __init__(self, parameters: DeviceParameters | None) -> None:
        present = (
            [] if parameters is None else [Engine[name.upper()] for name in parameters.engines]
        )
        self._first = int(present[0]) if present else 0
        self._present = {int(engine) for engine in present}
        self._asked: dict[int, deque[int]] = {}
        self._running: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether a run goes on: it may take as long as it likes."""
        return bool(self._running)

    @property
    def any(self) -> bool:
        """Whether a packet may come."""
        return bool(self._running) or any(self._asked.values())

    def sent(self, header: int) -> None:
        """A command with this header was sent."""
        code = header >> 24
        self._asked.setdefault(self._engine(code), deque()).append(code & ~ENGINE_FIELD)

    def came(self, header: int) -> None:
        """A packet with this header came."""
        code = header >> 24
        engine, kind = self._engine(code), code & ~ENGINE_FIELD
        asked = self._asked.get(engine)
        if kind in _ENDS:
            self._running.discard(engine)
        elif kind in _ANSWERS and asked:
            if asked.popleft() == Opcode.RUN and kind == Response.OK:
                self._running.add(engine)

    def _engine(self, code: int) -> int:
        named = (code & ENGINE_FIELD) >> 5
        return named if named in self._present else self._first

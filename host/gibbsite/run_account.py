"""The account of runs on a device: their ledger, and what the host's meter saw meanwhile.

    account = RunAccount(device)
    device.load(program)
    result = device.run(request)
    account.count(partial(graph_ledger, result.counters, program), kinds=1)
    ledger, reading = account.close()

Runs that are thrown away are work, too: count them all.
"""

from __future__ import annotations

from collections.abc import Callable

from gibbsite.drawing import moved, moved_words
from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.engines import Traffic
from gibbsite.ledger.host_meter import HostMeter, HostReading
from gibbsite.ledger.pricing import priced
from gibbsite_hw.spec.device import Device

__all__ = ["RunAccount"]

ELSEWHERE = HostReading(None, "not measured: the host's joules stand with the other engine's runs")


class RunAccount:
    """What goes to one engine of a device, and comes back, from now until it is closed.

    ``metered``  False for the second of two accounts at one time: joules are counted once
    """

    def __init__(self, device: Device, *, metered: bool = True) -> None:
        self._device = device
        self._ledger: Ledger | None = None
        self._meter = HostMeter() if metered else None
        self.resume()
        if self._meter is not None:
            self._meter.start()

    @property
    def used(self) -> bool:
        """Whether anything was counted."""
        return self._ledger is not None

    def resume(self) -> None:
        """Leave out what others sent to the device since the last `count`."""
        self._loads, self._words = self._device.loads, moved_words(self._device)

    def count(
        self,
        engine: Callable[[Traffic], Ledger],
        *,
        kinds: int,
        runs: int = 1,
        conditioned: bool | None = None,
        linked: bool = True,
    ) -> None:
        """Add runs, and all that was sent since the last `count`.

        ``engine``       a function of `gibbsite.ledger.engines` but for its traffic
        ``kinds``        states in a draw: last, best, or both
        ``conditioned``  whether conditions were sent; None: exactly if nothing was loaded
        ``linked``       False if some runs went beside the link, so that nobody counted their words
        """
        words, loads = moved_words(self._device), self._device.loads - self._loads
        traffic = Traffic(
            loads=loads,
            conditionings=int(not loads if conditioned is None else conditioned),
            runs=runs,
            kinds=kinds,
            words=moved(self._words, words) if linked else None,
            clock_hz=self._device.info.clock_hz,
        )
        self.resume()
        counted = engine(traffic)
        self._ledger = counted if self._ledger is None else self._ledger + counted

    def close(self) -> tuple[Ledger, HostReading]:
        """The priced ledger of all that was counted, and the reading behind its joules."""
        assert self._ledger is not None, "an account is closed after a run"
        reading = ELSEWHERE if self._meter is None else self._meter.stop()
        return priced(self._ledger, reading), reading

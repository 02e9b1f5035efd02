"""Several equal devices as one: chains of a run are split over them and drawn side by side.

Randomness belongs to (seed, chain, lane) and chains are independent, so the result is that of one
device, to the bit and in the same order; counters add up. Only the words moved are more.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import fields, replace
from functools import partial
from itertools import pairwise
from types import TracebackType
from typing import Protocol, Self, TypeVar, overload

from gibbsite_hw.spec.device import (
    AnyConditions,
    AnyProgram,
    AnyRequest,
    AnyResult,
    Device,
    DeviceInfo,
    Progress,
)
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_program import LangevinCounters, LangevinRequest, LangevinResult
from gibbsite_hw.spec.lattice_program import LatticeCounters, LatticeRequest, LatticeResult
from gibbsite_hw.spec.program import Counters, RunRequest, RunResult

__all__ = ["Interruptible", "ParallelDevice"]

LOOK = 0.1
"""Seconds between two looks at how far the devices are."""

_Result = TypeVar("_Result")
_Request = TypeVar("_Request", RunRequest, LangevinRequest, LatticeRequest)
_Run = TypeVar("_Run", RunResult, LangevinResult, LatticeResult)
_Counters = TypeVar("_Counters", Counters, LangevinCounters, LatticeCounters)


class Interruptible(Protocol):
    """A stream whose waiting reader can be told to give up from another thread."""

    def interrupt(self) -> None:
        """Let the reader that waits now, or the next one, raise `DeviceError`."""
        ...

    def resume(self) -> None:
        """Forget an `interrupt` that nobody met."""
        ...


class ParallelDevice:
    """A `Device` made of equal ones, each driven in a thread of its own.

    ``streams``: those of the devices, to end their runs at Ctrl-C or when ``progress`` raises.
    Raises `DeviceError` if there is none or their fingerprints differ.
    """

    def __init__(self, devices: Sequence[Device], streams: Sequence[Interruptible] = ()) -> None:
        if len({device.info.fingerprint for device in devices}) != 1:
            raise DeviceError(
                f"{len(devices)} devices with different fingerprints cannot work as one: give one "
                "device at least, all of the same build parameters"
            )
        self._devices = list(devices)
        self._streams = list(streams)
        self._pool = ThreadPoolExecutor(len(self._devices), "gibbsite")

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint, the same for all."""
        return self._devices[0].info

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        return self._devices[0].loads

    @property
    def words_sent(self) -> int:
        """Words that went into all devices, as far as these count them."""
        return sum(int(getattr(device, "words_sent", 0)) for device in self._devices)

    @property
    def words_received(self) -> int:
        """Words that came out of all devices, as far as these count them."""
        return sum(int(getattr(device, "words_received", 0)) for device in self._devices)

    def load(self, program: AnyProgram) -> None:
        """Load couplings and first conditions into every device."""
        self._together([partial(device.load, program) for device in self._devices])

    def condition(self, conditions: AnyConditions) -> None:
        """Replace the conditions of the loaded program on every device."""
        self._together([partial(device.condition, conditions) for device in self._devices])

    @overload
    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult: ...

    @overload
    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult: ...

    @overload
    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult: ...

    def run(self, request: AnyRequest, progress: Progress | None = None) -> AnyResult:
        """Draw; the result is that of one device, whose chains are split into as many parts."""
        if isinstance(request, LatticeRequest):
            return self._shared(
                request, lambda device, part, note: device.run(part, note), progress
            )
        if isinstance(request, LangevinRequest):
            return self._shared(
                request, lambda device, part, note: device.run(part, note), progress
            )
        return self._shared(request, lambda device, part, note: device.run(part, note), progress)

    def close(self) -> None:
        """Give all devices back; closing twice is allowed."""
        self._pool.shutdown()
        for device in self._devices:
            device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _shared(
        self,
        request: _Request,
        run: Callable[[Device, _Request, Progress | None], _Run],
        progress: Progress | None,
    ) -> _Run:
        """The result of a run whose chains are shared by the devices."""
        parts = _parts(request, len(self._devices))
        if len(parts) < 2:
            return run(self._devices[0], request, progress)
        done = [0] * len(parts)

        def draw(number: int) -> _Run:
            def note(reads: int, _all: int) -> None:
                done[number] = reads

            return run(self._devices[number], parts[number], note)

        def look() -> None:
            if progress is not None:
                progress(sum(done), request.chains * request.draws)

        return _joined(
            self._together([partial(draw, number) for number in range(len(parts))], look)
        )

    def _together(
        self, calls: Sequence[Callable[[], _Result]], look: Callable[[], None] = lambda: None
    ) -> list[_Result]:
        """Results of calls that run side by side; the first error ends them all and is raised."""
        jobs: list[Future[_Result]] = [self._pool.submit(call) for call in calls]
        try:
            pending = set(jobs)
            while pending:
                finished, pending = wait(pending, LOOK, FIRST_EXCEPTION)
                for job in finished:
                    job.result()
                look()
        except BaseException:
            for stream in self._streams:
                stream.interrupt()
            wait(jobs)
            for stream in self._streams:
                stream.resume()
            raise
        return [job.result() for job in jobs]


def _parts(request: _Request, devices: int) -> list[_Request]:
    """Requests for successive runs of chains, as equal as they can be, none empty."""
    bounds = [request.chains * k // devices for k in range(devices + 1)]
    return [
        replace(
            request, chains=end - begin, first_chain=(request.first_chain + begin) & 0xFFFF_FFFF
        )
        for begin, end in pairwise(bounds)
        if end > begin
    ]


def _joined(results: Sequence[_Run]) -> _Run:
    """One result of those of successive chains: arrays one behind the other, numbers added up."""
    whole = type(results[0])()
    for field in fields(whole):
        parts = [getattr(result, field.name) for result in results]
        if field.name == "counters":
            setattr(whole, field.name, _added(parts))
        elif isinstance(parts[0], bool):
            setattr(whole, field.name, any(parts))
        elif isinstance(parts[0], int):
            setattr(whole, field.name, sum(parts))
        else:
            for part in parts:
                getattr(whole, field.name).extend(part)
    return whole


def _added(parts: Sequence[_Counters]) -> _Counters:
    """Counters of the same kind, each the sum."""
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(**{name: sum(getattr(part, name) for part in parts) for name in names})

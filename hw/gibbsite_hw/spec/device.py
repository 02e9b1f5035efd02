"""The `Device` protocol: what every device is to its user, from NumPy to silicon."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, runtime_checkable

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, RunRequest, RunResult

__all__ = ["Device", "DeviceInfo", "Progress", "WordStream"]

Progress = Callable[[int, int], None]
"""Called with (reads done, reads in all) from time to time; may raise to stop the run."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself. ``clock_hz`` is None where no clock runs in real time."""

    uri: str
    engines: tuple[str, ...]
    graph: GraphParameters
    fingerprint: int
    clock_hz: float | None = None


@runtime_checkable
class Device(Protocol):
    """One sampling device, used as a context manager; not safe to share between threads."""

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        ...

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        ...

    def load(self, program: GraphProgram) -> None:
        """Load rows, couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its rows are not independent.
        """
        ...

    def condition(self, conditions: Conditions) -> None:
        """Replace biases and clamps of the loaded program; couplings stay on the device."""
        ...

    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult:
        """Draw; the same program, conditions, request and parameters give the same result."""
        ...

    def close(self) -> None:
        """Give the device back; closing twice is allowed."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@runtime_checkable
class WordStream(Protocol):
    """The word stream of a shell: packets in, packets out. Golden, simulated and UART have it."""

    @property
    def uri(self) -> str:
        """The address under which it was opened."""
        ...

    @property
    def parameters(self) -> GraphParameters:
        """Parameters that this end expects; the fingerprint is compared with the device's."""
        ...

    def send(self, words: "list[int]") -> None:
        """Queue one packet; its last word carries ``last``."""
        ...

    def receive(self) -> "list[int]":
        """Wait for the next response packet. Raises `DeviceError` when none can come."""
        ...

    def close(self) -> None:
        """Give the stream back; closing twice is allowed."""
        ...

"""The `Device` protocol: what every device is to its user, from NumPy to silicon."""

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias, overload, runtime_checkable

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    LangevinResult,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import (
    LatticeConditions,
    LatticeProgram,
    LatticeRequest,
    LatticeResult,
)
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, RunRequest, RunResult

__all__ = [
    "AnyConditions",
    "AnyProgram",
    "AnyRequest",
    "AnyResult",
    "Device",
    "DeviceInfo",
    "Progress",
    "WordStream",
]

AnyProgram: TypeAlias = GraphProgram | LangevinProgram | LatticeProgram
AnyConditions: TypeAlias = Conditions | LangevinConditions | LatticeConditions
AnyRequest: TypeAlias = RunRequest | LangevinRequest | LatticeRequest
AnyResult: TypeAlias = RunResult | LangevinResult | LatticeResult

Progress = Callable[[int, int], None]
"""Called with (reads done, reads in all) from time to time; may raise to stop the run."""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What a device says of itself. ``clock_hz`` is None where no clock runs in real time."""

    uri: str
    parameters: DeviceParameters
    clock_hz: float | None = None

    @property
    def engines(self) -> tuple[str, ...]:
        """Names of the engines."""
        return self.parameters.engines

    @property
    def graph(self) -> GraphParameters:
        """The graph engine's parameters. Raises `ProgramError` if the device has none."""
        if self.parameters.graph is None:
            raise self.lacks("graph")
        return self.parameters.graph

    @property
    def langevin(self) -> LangevinParameters:
        """The Langevin engine's parameters. Raises `ProgramError` if the device has none."""
        if self.parameters.langevin is None:
            raise self.lacks("langevin")
        return self.parameters.langevin

    @property
    def lattice(self) -> LatticeParameters:
        """The lattice engine's parameters. Raises `ProgramError` if the device has none."""
        if self.parameters.lattice is None:
            raise self.lacks("lattice")
        return self.parameters.lattice

    @property
    def fingerprint(self) -> int:
        """64 bits that name the specification's version and all parameters."""
        return self.parameters.fingerprint()

    def lacks(self, engine: str) -> ProgramError:
        """The refusal of what an engine would be needed for that is not there."""
        return ProgramError(
            f"{self.uri} has no {engine} engine, only {', '.join(self.engines)}: open it with "
            f"engines={','.join((*self.engines, engine))}"
        )


@runtime_checkable
class Device(Protocol):
    """One sampling device, used as a context manager; not safe to share between threads.

    Each engine holds a program of its own; what is given decides by its type which one is meant.
    Every method raises `ProgramError` for an engine that the device does not have.
    """

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        ...

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        ...

    def load(self, program: AnyProgram) -> None:
        """Load couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit or its rows are not independent (graph) or its
        couplings not symmetric (lattice).
        """
        ...

    def condition(self, conditions: AnyConditions) -> None:
        """Replace the conditions of the loaded program; couplings stay on the device."""
        ...

    @overload
    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult: ...

    @overload
    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult: ...

    @overload
    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult: ...

    def run(self, request: AnyRequest, progress: Progress | None = None) -> AnyResult:
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
    def parameters(self) -> DeviceParameters:
        """Engines and parameters that this end expects; its fingerprint must be the device's."""
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

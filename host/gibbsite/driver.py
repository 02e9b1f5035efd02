"""The driver: a `Device` over any word stream, be it golden, simulated or a board's.

It hands what it is given to the driver of the engine that the type names; `gibbsite.link` says how
they share the stream.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self, overload

from gibbsite.graph_driver import GraphDriver
from gibbsite.link import Line
from gibbsite_hw.spec.device import (
    AnyConditions,
    AnyProgram,
    AnyRequest,
    AnyResult,
    DeviceInfo,
    Progress,
    WordStream,
)
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    LangevinResult,
)
from gibbsite_hw.spec.lattice_program import (
    LatticeConditions,
    LatticeProgram,
    LatticeRequest,
    LatticeResult,
)
from gibbsite_hw.spec.program import RunRequest, RunResult

if TYPE_CHECKING:
    from gibbsite.langevin_driver import LangevinDriver
    from gibbsite.lattice_driver import LatticeDriver

__all__ = ["Driver"]


class Driver:
    """One device over a word stream; see `gibbsite_hw.spec.device.Device`.

    Raises `FingerprintMismatch` if the device was built from another specification.
    """

    def __init__(self, stream: WordStream, clock_hz: float | None = None) -> None:
        self._line = Line(stream)
        self._info = DeviceInfo(stream.uri, stream.parameters, clock_hz)
        self._graph_driver: GraphDriver | None = None
        self._langevin_driver: LangevinDriver | None = None
        self._lattice_driver: LatticeDriver | None = None
        try:
            if "graph" in self._info.engines:
                self._graph_driver = GraphDriver(self._line, self._info.graph)
            if "lattice" in self._info.engines:
                from gibbsite.lattice_driver import LatticeDriver

                self._lattice_driver = LatticeDriver(self._line, self._info.lattice)
            if "langevin" in self._info.engines:
                from gibbsite.langevin_driver import LangevinDriver

                self._langevin_driver = LangevinDriver(self._line, self._info.langevin)
        except BaseException:
            stream.close()
            raise

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        return self._info

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        drivers = (self._graph_driver, self._lattice_driver, self._langevin_driver)
        return sum(driver.loads for driver in drivers if driver is not None)

    @property
    def words_sent(self) -> int:
        """Words that went into the device since it was opened."""
        return self._line.words_sent

    @property
    def words_received(self) -> int:
        """Words that came out of the device since it was opened."""
        return self._line.words_received

    def load(self, program: AnyProgram) -> None:
        """Load couplings and first conditions; a refused program changes nothing.

        Raises `ProgramError` if it does not fit, its rows are not independent (graph) or its
        couplings not symmetric (lattice).
        """
        if isinstance(program, LangevinProgram):
            self._langevin().load(program)
        elif isinstance(program, LatticeProgram):
            self._lattice().load(program)
        else:
            self._graph().load(program)

    def condition(self, conditions: AnyConditions) -> None:
        """Replace the conditions of the loaded program; couplings stay on the device."""
        if isinstance(conditions, LangevinConditions):
            self._langevin().condition(conditions)
        elif isinstance(conditions, LatticeConditions):
            self._lattice().condition(conditions)
        else:
            self._graph().condition(conditions)

    @overload
    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult: ...

    @overload
    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult: ...

    @overload
    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult: ...

    def run(self, request: AnyRequest, progress: Progress | None = None) -> AnyResult:
        """Draw; the same program, conditions, request and parameters give the same result.

        ``progress(reads done, reads in all)`` may raise to stop the run. ``words_in`` of the result
        counts words into the device, ``words_out`` words out of it.
        """
        if isinstance(request, LangevinRequest):
            return self._langevin().run(request, progress)
        if isinstance(request, LatticeRequest):
            return self._lattice().run(request, progress)
        return self._graph().run(request, progress)

    def close(self) -> None:
        """Give the device back; closing twice is allowed."""
        self._line.stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _graph(self) -> GraphDriver:
        if self._graph_driver is None:
            raise self._info.lacks("graph")
        return self._graph_driver

    def _lattice(self) -> LatticeDriver:
        if self._lattice_driver is None:
            raise self._info.lacks("lattice")
        return self._lattice_driver

    def _langevin(self) -> LangevinDriver:
        if self._langevin_driver is None:
            raise self._info.lacks("langevin")
        return self._langevin_driver

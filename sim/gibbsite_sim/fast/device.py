"""The compiled emulator as a device: golden's bits, at the speed of the machine.

    stream = FastStream(build, threads=2)
    with FastDevice(Driver(stream), stream) as device:     # what gibbsite.open("fast:") does
        result = device.run(request)

Twin: a `gibbsite.driver.Driver` over `gibbsite_models.golden.device.GoldenStream`.
"""

from types import TracebackType
from typing import Self, overload

from gibbsite_hw.spec.device import (
    AnyConditions,
    AnyProgram,
    AnyRequest,
    AnyResult,
    Device,
    DeviceInfo,
    Progress,
)
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_hw.spec.lattice_program import LatticeRequest, LatticeResult
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_sim.fast.stream import FastStream

__all__ = ["FastDevice"]


class FastDevice:
    """A `Device`: what a driver sees through a `FastStream`."""

    def __init__(self, device: Device, stream: FastStream) -> None:
        self._device, self._stream = device, stream

    @property
    def info(self) -> DeviceInfo:
        """Engines, sizes, formats and fingerprint."""
        return self._device.info

    @property
    def loads(self) -> int:
        """How often couplings were loaded since the device was opened."""
        return self._device.loads

    @property
    def words_sent(self) -> int:
        """Words that went into the device, as far as its driver counts them."""
        return int(getattr(self._device, "words_sent", 0))

    @property
    def words_received(self) -> int:
        """Words that came out of the device, as far as its driver counts them."""
        return int(getattr(self._device, "words_received", 0))

    def load(self, program: AnyProgram) -> None:
        """Load couplings and first conditions; a refused program changes nothing."""
        self._device.load(program)

    def condition(self, conditions: AnyConditions) -> None:
        """Replace the conditions of the loaded program; couplings stay on the device."""
        self._device.condition(conditions)

    @overload
    def run(self, request: RunRequest, progress: Progress | None = None) -> RunResult: ...

    @overload
    def run(self, request: LangevinRequest, progress: Progress | None = None) -> LangevinResult: ...

    @overload
    def run(self, request: LatticeRequest, progress: Progress | None = None) -> LatticeResult: ...

    def run(self, request: AnyRequest, progress: Progress | None = None) -> AnyResult:
        """Draw; the result is golden's, to the bit."""
        return self._device.run(request, progress)

    def close(self) -> None:
        """Give the device back; closing twice is allowed."""
        self._device.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

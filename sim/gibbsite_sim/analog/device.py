"""The analog device: the circuits of both engines behind the shells that every device has.

    stream = AnalogStream(build, mismatch=7)
    with AnalogDevice(Driver(stream), stream) as device:     # what gibbsite.open("analog:") does
        device.trim(Trims(...))                              # or gibbsite_sim.analog.calibrate

Packets, checks and refusals are those of every device. Results are not bit-exact: they belong to
the chip (mismatch seed, set of parameters), its trims and the run's seed, and repeat with these.

Twin: `gibbsite_models.golden.device.GoldenStream`.
"""

from dataclasses import replace
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
from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_hw.spec.lattice_program import LatticeRequest, LatticeResult
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_sim.analog.chip import Chip, TrimRange, Trims
from gibbsite_sim.analog.circuit import RESOLUTION
from gibbsite_sim.analog.graph import AnalogGraphEngine
from gibbsite_sim.analog.langevin import AnalogLangevinEngine
from gibbsite_sim.analog.parameters import DEFAULT_SET, AnalogParameters, named_set

__all__ = ["AnalogDevice", "AnalogStream"]


class AnalogStream(GoldenStream):
    """The word stream of an analog chip, by default with both engines.

    ``parameters`` is a set's name or a set; ``mismatch`` the seed of the chip's parts;
    ``resolution`` substeps in a time constant of the circuit's buffers; with ``exact`` linear
    networks need none.
    """

    def __init__(
        self,
        build: Build | None = None,
        *,
        uri: str = "analog:",
        circuit: str | AnalogParameters = DEFAULT_SET,
        mismatch: int = 0,
        resolution: int = RESOLUTION,
        exact: bool = True,
    ) -> None:
        parts = named_set(circuit) if isinstance(circuit, str) else circuit
        self.chip = Chip(parts, DeviceParameters.of(build), mismatch)
        graph = AnalogGraphEngine.on(self.chip)
        langevin = AnalogLangevinEngine.on(self.chip, resolution, exact)
        super().__init__(build, uri, Engines(graph, langevin))


class AnalogDevice:
    """A `Device` with trims: what a driver sees through an `AnalogStream`.

    Counters of cycles, products and terms are 0, since no clock runs in a circuit; steps, updates,
    sweeps, reads and saturations count as ever.
    """

    def __init__(self, device: Device, stream: AnalogStream) -> None:
        self._device, self._chip = device, stream.chip

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

    @property
    def trims(self) -> Trims:
        """The trims in force."""
        return self._chip.trims

    @property
    def trim_range(self) -> TrimRange:
        """What codes are worth and how far they reach."""
        return self._chip.range

    @property
    def circuit(self) -> AnalogParameters:
        """The set of circuit parameters; what a data sheet would say, not what this chip is."""
        return self._chip.parameters

    def trim(self, trims: Trims) -> None:
        """Set all trims; they hold from the next run on.

        Raises: ProgramError for what is no `Trims`, wrong shapes, codes beyond their bits,
        asymmetric couplings.
        """
        self._chip.trim(trims)

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
        """Draw; the same chip, trims, program, conditions and request give the same result."""
        if isinstance(request, LatticeRequest):
            raise self.info.lacks("lattice")
        if isinstance(request, LangevinRequest):
            drawn = self._device.run(request, progress)
            drawn.counters = replace(drawn.counters, cycles=0, products=0)
            return drawn
        result = self._device.run(request, progress)
        result.counters = replace(result.counters, cycles=0, sweep_cycles=0, terms=0)
        return result

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

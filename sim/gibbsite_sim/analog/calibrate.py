"""Calibration: measures offsets, gains and temperatures of a device and sets its trims.

    with gibbsite.open("analog:?mismatch=7") as device:
        report = calibrate(device, units=12)

It sees the device as any user does: programs, runs, readings and trims. The device's data sheet
(`AnalogParameters`) tells it the ADC's step and the rails; nothing tells what mismatch was drawn.
Three rounds: wells (offset, conductance), couplings, temperatures, each trimmed before the next is
measured. Then all are measured again, with other noise; trims that do not act are refused.
A device forgets its trims when it is closed, so an address is refused here.

Networks of a dozen units are small matrices, for which threads of the linear algebra below NumPy
cost more than they give: set OPENBLAS_NUM_THREADS=1 before Python starts.
"""

from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_models.energies.arguments import count
from gibbsite_sim.analog.chip import TrimRange, Trims
from gibbsite_sim.analog.experiments import LOUDER, Bench
from gibbsite_sim.analog.parameters import AnalogParameters

__all__ = ["Calibration", "Readings", "Trimmable", "calibrate"]

Floats = NDArray[np.float64]

CHAINS: Final = 512
READINGS: Final = 4
"""Chains, and readings of each, where means are measured; temperatures take `LOUDER` as many."""


@runtime_checkable
class Trimmable(Device, Protocol):
    """A device that has trims: what `AnalogDevice` adds to `Device`."""

    @property
    def trims(self) -> Trims:
        """The trims in force."""
        ...

    @property
    def trim_range(self) -> TrimRange:
        """What codes are worth and how far they reach."""
        ...

    @property
    def circuit(self) -> AnalogParameters:
        """The data sheet."""
        ...

    def trim(self, trims: Trims) -> None:
        """Set all trims."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """What was measured: 1 is nominal, offsets are parts of full scale.

    ``offset``, ``well``, ``temperature`` ``[units]``; ``coupling`` ``[units, units]``.
    """

    offset: Floats
    well: Floats
    temperature: Floats
    coupling: Floats

    @property
    def errors(self) -> dict[str, float]:
        """Root mean square distance from nominal of each kind of part."""
        pairs = self.coupling[np.triu_indices(len(self.well), 1)]
        kinds = {
            "offset": self.offset,
            "well": self.well - 1,
            "temperature": self.temperature - 1,
            "coupling": pairs - 1,
        }
        return {
            name: float(np.sqrt(np.mean(values**2))) if values.size else 0.0
            for name, values in kinds.items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """What a calibration found and did. ``cut`` counts trims whose reach was not enough."""

    units: int
    before: Readings
    after: Readings
    trims: Trims
    cut: int

    def table(self) -> str:
        """The errors before and after, a line for each kind of part."""
        after = self.after.errors
        lines = ["rms error       before     after"]
        lines += [
            f"{name:12s} {value:9.4f} {after[name]:9.4f}"
            for name, value in self.before.errors.items()
        ]
        return "\n".join(lines)


def calibrate(
    device: Device,
    units: int,
    *,
    seed: int = 0,
    chains: int = CHAINS,
    readings: int = READINGS,
) -> Calibration:
    """Measure the first ``units`` units and all couplings between them, and trim them.

    The program of the Langevin engine is replaced: load anew what you want to run. Other units keep
    their trims; those of the calibrated ones start from zero.

    Raises: ProgramError for an address, a device without trims, arguments that are no counts, or
    too few units or moments for the request; DeviceError where a unit does not answer or trims
    do not act.
    """
    if not isinstance(device, Device):
        raise ProgramError(
            "device must be an open device, since trims are forgotten when it is closed, and is of "
            f"type {type(device).__name__}: calibrate within "
            "`with gibbsite.open('analog:?mismatch=7') as device:`"
        )
    if not isinstance(device, Trimmable):
        raise ProgramError(
            f"{device.info.uri} has no trims to calibrate: open a device that has, as analog:"
        )
    units = count("units", units, 0)
    seed = count("seed", seed, 0, (1 << 64) - 7)  # seven measurements, each with its own
    chains, readings = count("chains", chains), count("readings", readings)
    p = device.circuit
    lsb = p.rails / ((1 << (p.adc_bits - 1)) - 1)
    bench = Bench(device, units, chains, readings, lsb, p.rails)
    work = _Trimming(device, units)
    well, offset = bench.wells(seed)
    work.set("offset", -offset)
    work.set("gain", 1 / well - 1)
    trimmed, _ = bench.wells(seed + 1)
    coupling = bench.couplings(trimmed, seed + 2)
    work.set("coupling", 1 / coupling - 1)
    temperature = bench.temperatures(trimmed, seed + 3)
    work.set("noise", temperature**-0.5 - 1)
    before = Readings(offset, well, temperature, coupling)
    well, offset = bench.wells(seed + 4)
    after = Readings(
        offset,
        well,
        bench.temperatures(well, seed + 5),
        bench.couplings(well, seed + 6),
    )
    # a temperature, which is known worst, errs by sqrt(2 / readings), in its trim and afterwards
    _require_better(before, after, 0.005 + 3 * float(np.sqrt(2 / (chains * readings * LOUDER))))
    return Calibration(units, before, after, device.trims, work.cut)


class _Trimming:
    """Sets trims of the first units, one kind after the other."""

    def __init__(self, device: Trimmable, units: int) -> None:
        self._device, self._units = device, units
        self.cut = 0
        for name in ("offset", "gain", "noise", "coupling"):
            self._put(name, np.int64(0))

    def set(self, name: str, values: Floats) -> None:
        """Trim by these values, as near as codes come."""
        codes = self._device.trim_range.codes(name, values)
        self.cut += int((np.abs(values) > self._reach(name)).sum())
        self._put(name, codes)

    def _reach(self, name: str) -> float:
        span = self._device.trim_range
        return span.step(name) * (span.most(name) + 0.5)

    def _put(self, name: str, codes: NDArray[np.int64] | np.int64) -> None:
        old = self._device.trims
        fields = {kind: getattr(old, kind).copy() for kind in Trims.__slots__}
        place = (slice(self._units),) * fields[name].ndim
        fields[name][place] = codes
        self._device.trim(Trims(**fields))


def _require_better(before: Readings, after: Readings, floor: float) -> None:
    """Refuse trims that did not halve an error, unless what is left may be what measuring errs."""
    first, last = before.errors, after.errors
    for name, value in last.items():
        if value > max(0.5 * first[name], floor):
            raise DeviceError(
                f"after trimming, the {name} error is {value:.4f} and was {first[name]:.4f}: the "
                "trims do not act as the data sheet says, check their sign and wiring"
            )

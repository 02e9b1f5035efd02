"""What the device behind a serial port is: known builds, reports of bitstreams, ports there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import (
    FingerprintMismatch,
    ProgramError,
    ToolMissing,
    UnknownDevice,
)

__all__ = ["Report", "find_build", "serial_ports"]


@dataclass(frozen=True, slots=True)
class Report:
    """What the JSON report beside a bitstream says of the device in it."""

    path: str
    parameters: DeviceParameters
    clock_hz: float | None

    @classmethod
    def read(cls, path: str) -> Self:
        """Read a report. Raises `UnknownDevice` if it is none, or of another release."""
        try:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
            parameters = DeviceParameters.from_engines(told["parameters"])
            fingerprint = int(told["fingerprint"], 16)
            clock_hz = float(told["clock_mhz"]) * 1e6 if "clock_mhz" in told else None
        except OSError as error:
            raise UnknownDevice(
                f"the report {path} cannot be read ({error.strerror}): give the JSON file beside "
                "the bitstream"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, ProgramError) as error:
            raise UnknownDevice(
                f"the report {path} does not describe a device ({error!r}): give the JSON file "
                "beside the bitstream"
            ) from error
        if parameters.fingerprint() != fingerprint:
            raise UnknownDevice(
                f"the report {path} names fingerprint {fingerprint:016x} and its parameters have "
                f"{parameters.fingerprint():016x} here: make the bitstream with this release"
            )
        return cls(path, parameters, clock_hz)


def find_build(
    uri: str, report: Report | None, known: Mapping[str, DeviceParameters]
) -> Callable[[int], DeviceParameters]:
    """What gives the parameters for the fingerprint that a device tells.

    With a report these are the report's. What it gives raises `FingerprintMismatch` for a
    fingerprint that neither the report nor a known build has.
    """

    def find(fingerprint: int) -> DeviceParameters:
        if report is not None:
            if report.parameters.fingerprint() == fingerprint:
                return report.parameters
            raise FingerprintMismatch(
                f"{uri} has fingerprint {fingerprint:016x} and the report {report.path} is of "
                f"{report.parameters.fingerprint():016x}: give the report of the bitstream that is "
                "loaded"
            )
        for parameters in known.values():
            if parameters.fingerprint() == fingerprint:
                return parameters
        names = ", ".join(f"{name} ({at.fingerprint():016x})" for name, at in known.items())
        raise FingerprintMismatch(
            f"{uri} has fingerprint {fingerprint:016x}, which is none of the builds known here, "
            f"{names}: add report= with the JSON file beside its bitstream, or its sizes"
        )

    return find


def serial_ports() -> list[tuple[str, str]]:
    """The serial ports of this machine and what they say they are.

    Raises `ToolMissing` without pyserial.
    """
    try:
        from serial.tools.list_ports import comports
    except ImportError as error:
        raise ToolMissing(
            "the device `uart:` needs the package pyserial, which is not installed: "
            "pip install 'gibbsite[uart]'"
        ) from error
    # ports of the mainboard that nobody wired have no hardware behind them and say "n/a"
    return sorted((port.device, port.description) for port in comports() if port.hwid != "n/a")

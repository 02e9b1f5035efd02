"""Writes the Verilog of a device on two pins; run as a program of its own by a build.

    python -m gibbsite_sim.pins_elaborate PARAMETERS.json OUT.v DIVISOR

PARAMETERS.json is a `DeviceParameters` as an object, as `gibbsite_sim.elaborate` takes it.
"""

import json
import sys
from pathlib import Path

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_sim.elaborate import component_verilog

__all__ = ["TOP", "serial_verilog"]

TOP = "gibbsite_serial"
"""Name of the Verilog module; its ports are ``clk``, ``rst``, ``rx`` and ``tx``."""


def serial_verilog(parameters: DeviceParameters, divisor: int) -> str:
    """The Verilog text of `gibbsite_hw.serial_device.SerialDevice` at so many cycles a bit."""
    from gibbsite_hw.serial_device import SerialDevice

    return component_verilog(SerialDevice(parameters, float(divisor), 1), TOP)


if __name__ == "__main__":
    given, out, cycles = sys.argv[1:]
    engines = json.loads(Path(given).read_text("utf-8"))
    text = serial_verilog(DeviceParameters.from_engines(engines), int(cycles))
    Path(out).write_text(text, encoding="utf-8")

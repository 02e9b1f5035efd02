"""Writes the device's Verilog; run as a program of its own, so that a build can end it at any time.

    python -m gibbsite_sim.elaborate PARAMETERS.json OUT.v

PARAMETERS.json is a `DeviceParameters` as an object: the parameters of each engine, or null.

Memories whose cells all start at zero are written without initial values: the model starts from
zeros anyway, and their 200,000 lines would take half of a build's time.
"""

import json
import sys
from pathlib import Path
from typing import Any

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["TOP", "component_verilog", "shell_verilog"]

TOP = "gibbsite_device"
"""Name of the Verilog module."""


def shell_verilog(parameters: DeviceParameters) -> str:
    """The Verilog text of `gibbsite_hw.device.DeviceShell` for these parameters."""
    from gibbsite_hw.device import DeviceShell

    return component_verilog(DeviceShell(parameters), TOP)


def component_verilog(component: Any, name: str, platform: Any = None) -> str:
    """The Verilog text of a component as module ``name``, elaborated for ``platform``."""
    from amaranth.back import rtlil, verilog

    emit = rtlil.ModuleEmitter.emit_memory

    def emit_unless_zero(emitter: Any, index: int, cell: Any) -> None:
        if any(cell.init):
            emit(emitter, index, cell)

    rtlil.ModuleEmitter.emit_memory = emit_unless_zero
    try:
        return str(verilog.convert(component, name=name, platform=platform, emit_src=False))
    finally:
        rtlil.ModuleEmitter.emit_memory = emit


def _main(parameters: str, out: str) -> None:
    engines = json.loads(Path(parameters).read_text("utf-8"))
    kinds = {
        "graph": GraphParameters,
        "lattice": LatticeParameters,
        "langevin": LangevinParameters,
    }
    build = {name: given and kinds[name](**given) for name, given in engines.items()}
    text = shell_verilog(DeviceParameters(**build))
    Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])

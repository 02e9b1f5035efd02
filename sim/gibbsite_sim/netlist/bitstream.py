"""A bitstream and the JSON report beside it.

Twin of the table in `docs/silicon.md`, which `tools/silicon_table.py` writes from such reports.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

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

    One flow at a time works in a folder: the next one waits, and ``step`` is told of it.

    Raises:
        DeviceError: the build is larger than the board, or a program failed.
        ToolMissing: a program of the extra `silicon` is not installed.
    """
    with _alone(folder, step):
        return _make(board, build, parameters, folder, seeds, step)


@contextmanager
def _alone(folder: Path, step: Step) -> Iterator[None]:
    """Under the folder's lock, which the system releases when its process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "flow.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        step("waiting for another flow in this folder", None)
        began = time.monotonic()
        lock.acquire(poll_interval=0.2)
        step("waiting for another flow in this folder", time.monotonic() - began)
    try:
        yield
    finally:
        lock.release()


def _make(
    board: Board,
    build: str,
    parameters: DeviceParameters,
    folder: Path,
    seeds: Sequence[int],
    step: Step,
) -> dict[str, Any]:
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

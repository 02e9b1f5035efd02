"""The figures of a bitstream, as the JSON file beside it holds them.

    flips/ns = decisions per cycle x Fmax / 1000 MHz

Decisions per cycle are those of a device that never waits: a lattice decides one site a lane and
cycle; the graph engine takes a cycle for each neighbour of a row, here counted for four of them;
the Langevin engine moves one unit in the cycles that its row of couplings takes.
"""

import re
from collections.abc import Mapping
from statistics import median
from typing import Any

from gibbsite_hw.spec.device_parameters import DeviceParameters

__all__ = ["NEIGHBOURS", "cells", "fmax_mhz", "overflow", "rates", "speeds"]

NEIGHBOURS = 4
"""Of a graph whose decisions per cycle are told."""

_LUTS = {"SB_LUT4": 1, "LUT4": 1, "CCU2C": 2, "LUT1": 1, "LUT2": 1, "LUT3": 1, "ALU": 1}
_CARRIES = ("SB_CARRY", "CCU2C", "ALU")
_FLIP_FLOP = re.compile(r"SB_DFF\w*|TRELLIS_FF|DFF\w*")
_MEMORIES = re.compile(r"SB_RAM40_4K\w*|DP16KD|PDPW16KD|SDPB|SDPX9B|SP|SPX9|DPB|DPX9B|p?ROM\w*")
_MULTIPLIERS = re.compile(r"SB_MAC16|MULT\w+")
_USED = re.compile(r"^Info:\s+(\w+):\s*(\d+)\s*/\s*(\d+)\s+\d+%", re.MULTILINE)


def cells(stat: Mapping[str, Any]) -> dict[str, int]:
    """Cells of a synthesized design by kind, from Yosys' ``stat -json``.

    ``lut4`` counts the two look-up tables of each ECP5 carry cell and the one of a Gowin ALU.
    """
    by_type: dict[str, int] = stat["design"]["num_cells_by_type"]
    return {
        "lut4": sum(_LUTS.get(kind, 0) * number for kind, number in by_type.items()),
        "ff": sum(n for kind, n in by_type.items() if _FLIP_FLOP.fullmatch(kind)),
        "carry": sum(by_type.get(kind, 0) for kind in _CARRIES),
        "memories": sum(n for kind, n in by_type.items() if _MEMORIES.fullmatch(kind)),
        "multipliers": sum(n for kind, n in by_type.items() if _MULTIPLIERS.fullmatch(kind)),
    }


def fmax_mhz(route: Mapping[str, Any]) -> float:
    """Frequency that the slowest clock of a routed design reaches, from nextpnr's report."""
    return round(min(float(clock["achieved"]) for clock in route["fmax"].values()), 2)


def overflow(said: str) -> tuple[str, int, int] | None:
    """What a board has too little of, by nextpnr's log: (kind, used, available)."""
    for kind, used, available in _USED.findall(said):
        if int(used) > int(available):
            return kind, int(used), int(available)
    return None


def rates(parameters: DeviceParameters) -> dict[str, dict[str, float]]:
    """By engine, its lanes and its decisions (Langevin: steps of a unit) per cycle."""
    found: dict[str, dict[str, float]] = {}
    if parameters.graph is not None:
        lanes = parameters.graph.lanes
        found["graph"] = {"lanes": lanes, "decisions_per_cycle": lanes / NEIGHBOURS}
    if parameters.lattice is not None:
        lanes = parameters.lattice.lanes * parameters.lattice.banks
        found["lattice"] = {"lanes": lanes, "decisions_per_cycle": lanes}
    if parameters.langevin is not None:
        p = parameters.langevin
        found["langevin"] = {
            "lanes": p.multipliers,
            "decisions_per_cycle": round(1 / p.words(p.units), 4),
        }
    return found


def speeds(fmax: Mapping[int, float], clock_hz: int) -> dict[str, Any]:
    """Fmax of all seeds, and whether the board's clock is met by the best one."""
    return {
        "fmax_mhz": {str(seed): value for seed, value in fmax.items()},
        "fmax_median_mhz": round(median(fmax.values()), 2),
        "fmax_best_mhz": max(fmax.values()),
        "clock_mhz": clock_hz / 1e6,
        "clock_met": max(fmax.values()) >= clock_hz / 1e6,
    }

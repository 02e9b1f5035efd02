"""Writes the table of docs/silicon.md anew from docs/figures/silicon/*.json.

Each file there is the report.json of one bitstream, as `tools/bitstream.py` wrote it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "silicon.md"
FIGURES = ROOT / "docs" / "figures" / "silicon"
BEGIN, END = "<!-- table: tools/silicon_table.py -->", "<!-- end of table -->"

_HEAD = (
    "board, build",
    "LUT4",
    "FF",
    "memories",
    "multipliers",
    "Fmax in MHz: median, best (seeds)",
    "clock in MHz",
    "lanes",
    "decisions a cycle",
    "flips/ns",
    "LUT4 a lane",
)


def row(report: dict[str, Any]) -> list[str]:
    """One line of the table."""
    engines = report["engines"].values()
    cells = report["cells"]

    def each(name: str) -> str:
        return ", ".join(f"{engine[name]:g}" for engine in engines)

    return [
        f"{report['board']}, `{report['build']}`",
        f"{cells['lut4']:,}",
        f"{cells['ff']:,}",
        str(cells["memories"]),
        str(cells["multipliers"]),
        f"{report['fmax_median_mhz']}, {report['fmax_best_mhz']} ({len(report['fmax_mhz'])})",
        f"{report['clock_mhz']:g}, {'met' if report['clock_met'] else 'NOT met'}",
        each("lanes"),
        each("decisions_per_cycle"),
        each("flips_per_ns"),
        f"{report['lut4_per_lane']:g}",
    ]


def table(folder: Path = FIGURES) -> str:
    """The table of all committed figures."""
    reports = [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]
    lines = [_HEAD, ["---"] * len(_HEAD), *(row(report) for report in reports)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def page(text: str) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")

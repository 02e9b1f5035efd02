"""Draws where the parts of a device lie on a routed board: one square a tile, one colour a part.

    python tools/pictures/floor_plan.py build/ulx3s-graph/routed.json docs/pictures/floor_plan.png

Reads the netlist after place and route, whose cells carry their place (``NEXTPNR_BEL``) and, in
their names, the path of the part that they came from.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.patches import Patch, Rectangle

__all__ = ["draw", "part_of", "places"]

_PLACE = re.compile(r"X(\d+)/Y(\d+)/")
_BLOCKS = ("ICESTORM_RAM", "ICESTORM_DSP", "DP16KD", "MULT18X18D", "BSRAM", "DPX9B", "SDPX9B")
# a pattern of a path, and what the legend calls it; the first one that fits
PARTS = {
    r"device\.link": "framed link",
    r"device\.receiver": "UART",
    r"device\.transmitter": "UART",
    r"engine\.shaper": "noise tables",
    r"engine\.hash": "seed hash",
    r"engine\.stream": "noise streams",
    r"engine\.decide": "decisions",
    r"engine\.field": "fields",
    r"engine\.entries": "couplings",
    r"engine\.spins": "spins",
    r"engine\.dot": "multipliers",
    r"engine\.unit": "units",
    r"bank\d+\.noise": "noise streams",
    r"bank\d+\.energies": "energies",
    r"bank\d+\.entries": "threshold tables",
    r"engine\.bank": "lanes, the rest",
    r"engine\.store": "store of couplings",
    r"engine\.(seeder|readout)": "seeding and readout",
    r"engine\.schedule": "schedule",
    r"engine\.": "engine, the rest",
    r"device\.shell": "shell",
    "": "board",
}


def part_of(name: str) -> str:
    """What the legend calls the part that a cell of this name belongs to."""
    return next(shown for path, shown in PARTS.items() if re.search(path, name))


def places(routed: Path) -> list[tuple[int, int, str, bool]]:
    """(x, y, part, whether a block memory or multiplier) of every placed cell."""
    modules = json.loads(routed.read_text("utf-8"))["modules"]
    found = []
    for module in modules.values():
        for name, cell in module["cells"].items():
            place = _PLACE.search(str(cell["attributes"].get("NEXTPNR_BEL", "")))
            if place:
                block = any(kind in cell["type"] for kind in _BLOCKS)
                found.append((int(place[1]), int(place[2]), part_of(name), block))
    return found


def draw(routed: Path, out: Path) -> None:
    """The picture of a routed netlist as a PNG file."""
    found = places(routed)
    tiles: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for x, y, part, _ in found:
        tiles[x, y][part] += 1
    blocks = {(x, y) for x, y, _, block in found if block}
    parts = [part for part, _ in Counter(part for _, _, part, _ in found).most_common()]
    colours = {part: plt.get_cmap("tab20")(number % 20) for number, part in enumerate(parts)}
    most = max(tiles[at].total() for at in tiles if at not in blocks)
    figure, axes = plt.subplots(figsize=(9, 7), dpi=150)
    for (x, y), counted in tiles.items():
        part, _ = counted.most_common(1)[0]
        full = 1.0 if (x, y) in blocks else 0.3 + 0.7 * counted.total() / most
        edge = "black" if (x, y) in blocks else "none"
        axes.add_patch(
            Rectangle((x, y), 1, 1, facecolor=(*colours[part][:3], full), edgecolor=edge, lw=0.4)
        )
    axes.set_xlim(0, max(x for x, _ in tiles) + 2)
    axes.set_ylim(max(y for _, y in tiles) + 2, 0)
    axes.set_aspect("equal")
    axes.set_xlabel("column of tiles")
    axes.set_ylabel("row of tiles")
    axes.set_title(f"{len(found):,} cells after place and route; framed: memories and multipliers")
    handles = [Patch(color=colours[part], label=part) for part in parts]
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    figure.savefig(out, bbox_inches="tight")
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))

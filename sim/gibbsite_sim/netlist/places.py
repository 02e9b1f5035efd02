"""Places for a lattice's block memories on an ECP5-85F, lane beside lane.

nextpnr places logic well around memories that stay where they are, but spreads the memories
themselves by wirelength alone, and then moves them to where there are any. A lane's wires all lead
to its memories: those of the same two lanes of all banks, and the words of the store that they
read, lie side by side here, pair after pair in a line that winds through the rows; the spin
memories, which every lane reads, lie in the middle. A lane so takes a third less wire.

Source: the places are the EBR bels of prjtrellis' database, as nextpnr names them.
"""

import re
from collections.abc import Mapping
from typing import Any

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["COLUMNS", "ROWS", "memory_places"]

ROWS = (22, 46, 70, 82)
"""Rows of block memories, from the top; the last two lie close together."""
COLUMNS = tuple(
    first + offset for first in (*range(4, 60, 9), *range(69, 120, 9)) for offset in (0, 2, 4, 6)
)
"""Columns of the memories of a row: four in every nine columns."""
_MIDDLE, _LAST = ROWS[1], ROWS[-1]


def memory_places(cells: Mapping[str, Any], lattice: LatticeParameters) -> dict[str, str]:
    """The bel of each block memory among the cells, by the cell's name.

    Raises:
        DeviceError: there are more than the chip has.
    """
    names = sorted(name for name, cell in cells.items() if cell["type"] == "DP16KD")
    if len(names) > len(ROWS) * len(COLUMNS):
        raise DeviceError(
            f"an ECP5-85F holds {len(ROWS) * len(COLUMNS)} block memories and this build needs "
            f"{len(names)}: choose fewer lanes or banks"
        )
    pairs = -(-lattice.lanes // 2)
    groups: list[list[str]] = [[] for _ in range(pairs)]
    middle: list[str] = []
    others: list[str] = []
    stores: dict[str, list[tuple[tuple[int, int], str]]] = {}
    for name in names:
        if table := re.search(r"\.entries\.table(\d+)\.", name):
            groups[int(table[1])].append(name)
        elif word := re.search(r"\.store\.([a-z]+)(\d+)[$\d]*\.\d+\.(\d+)$", name):
            key = int(word[2]), int(word[3])  # the group of lanes, the slice of its memory
            stores.setdefault(word[1], []).append((key, name))
        else:
            (middle if ".spins" in name else others).append(name)
    for slices in stores.values():
        for number, (_, name) in enumerate(sorted(slices)):
            groups[number * pairs // len(slices)].append(name)

    free = {row: list(range(len(COLUMNS))) for row in ROWS}
    centre = (len(COLUMNS) - 1) / 2
    inner = sorted(sorted(free[_MIDDLE], key=lambda at: abs(at - centre))[: len(middle)])
    places = {name: (at, _MIDDLE) for name, at in zip(middle, inner, strict=True)}
    places |= {name: (at, _LAST) for at, name in enumerate(others)}
    for at, row in places.values():
        free[row].remove(at)
    line = [(at, row) for row in ROWS for at in free[row][:: -1 if ROWS.index(row) % 2 else 1]]
    rest = [name for group in groups for name in group]
    places |= dict(zip(rest, line, strict=False))
    return {name: f"X{COLUMNS[at]}/Y{row}/EBR{at % 4}" for name, (at, row) in places.items()}

"""Places for a Langevin engine's multipliers on an ECP5-85F, stage beside stage.

A product of the engine takes up to four multipliers, whose parts nextpnr puts wherever a site is
free, a chip's width apart. The engine is one long pipeline, so its multipliers have an order
(`gibbsite_sim.netlist.spectral`), and lie along a line here that winds through the middle of their
rows. Lanes that work side by side are no line: of a device with a graph engine alone nothing is put
anywhere. On a device with several engines, one of them Langevin, all multipliers are put, a graph
engine's among them wherever the order has them; with a lattice its memories are put instead
(`gibbsite_sim.netlist.places`), and all multipliers stay free.

Source: the places are the DSP bels of prjtrellis' database, as nextpnr names them.
"""

from collections.abc import Mapping
from typing import Any

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.spectral import spectral_order

__all__ = ["BLOCKS", "ROWS", "multiplier_places"]

ROWS = (10, 34, 58)
"""Rows of multipliers, from the top."""
BLOCKS = (*range(4, 60, 9), *range(69, 125, 9))[:13]
"""Columns in which a block of four begins."""
_FOUR = (0, 1, 4, 5)
"""Columns from there, and the number in a multiplier's name."""


def multiplier_places(cells: Mapping[str, Any]) -> dict[str, str]:
    """The bel of each multiplier among the cells, by the cell's name.

    Raises:
        DeviceError: there are more than the chip has, or no order of them was found.
    """
    names = [name for name, cell in cells.items() if cell["type"] == "MULT18X18D"]
    most = len(ROWS) * len(BLOCKS) * len(_FOUR)
    if len(names) > most:
        raise DeviceError(
            f"an ECP5-85F holds {most} multipliers and this build needs {len(names)}: choose "
            "fewer of them in its parameters"
        )
    wide = -(-len(names) // (len(ROWS) * len(_FOUR)))
    first = (len(BLOCKS) - wide) // 2
    line = []
    for number, row in enumerate(ROWS):
        sites = [
            f"X{block + offset}/Y{row}/MULT18_{offset}"
            for block in BLOCKS[first : first + wide]
            for offset in _FOUR
        ]
        line += sites[:: -1 if number % 2 else 1]
    return dict(zip(spectral_order(cells, names), line, strict=False))

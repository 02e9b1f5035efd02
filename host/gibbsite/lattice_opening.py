"""Lattice devices of the size of a model, opened from an address that names none.

Wrapped edges fit exactly then: the device has the rows and columns of the model, made even.
"""

from __future__ import annotations

from typing import Any, Final

import dimod
import numpy as np

from gibbsite.devices import open as open_device
from gibbsite.schedules import ArgumentError
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_parameters import LATTICE_RULES

__all__ = ["SizedLattices", "site_of"]

FROM_THE_MODEL: Final = ("rows", "columns", "neighbours")
"""Parameters of an address that the model's size and ``neighbours=`` decide here."""


MOST_SIDE: Final = 512
"""Rows and columns of the largest lattice engine."""


class SizedLattices:
    """One device at a time, of the last model's size.

    ``neighbours``: 4, 8 or 12. Raises `ArgumentError` for another, or for an address that names a
    size.
    """

    def __init__(self, address: str, neighbours: int) -> None:
        if neighbours not in list(LATTICE_RULES):
            counts = ", ".join(map(str, LATTICE_RULES))
            raise ArgumentError(f"neighbours is {neighbours!r}: use one of {counts}")
        self._address = address
        self._neighbours = neighbours
        self._opened: Device | None = None

    def device_for(self, bqm: dimod.BinaryQuadraticModel) -> Device:
        """A device of this model's size: the one that is open, if it fits, or a new one."""
        sites = [site_of(label) for label in bqm.variables]
        rows, columns = (max((site[k] for site in sites), default=0) + 1 for k in range(2))
        rows, columns = max(rows + rows % 2, 2), max(columns + columns % 2, 2)
        if max(rows, columns) > MOST_SIDE or any(min(site) < 0 for site in sites):
            wrong = next(site for site in sites if min(site) < 0 or max(site) >= MOST_SIDE)
            raise ArgumentError(
                f"the variable {wrong} is no site of any lattice, whose rows and columns are "
                f"numbered from 0 to {MOST_SIDE - 1} at most: number them so, or draw a larger "
                "model with Sampler"
            )
        wanted = (rows, columns, self._neighbours)
        if self._opened is not None:
            lattice = self._opened.info.lattice
            if (lattice.rows, lattice.columns, lattice.neighbours) == wanted:
                return self._opened
        self.close()
        self._opened = open_device(_sized(self._address, *wanted))
        return self._opened

    def close(self) -> None:
        """Close what is open; closing twice is allowed."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def site_of(label: Any) -> tuple[int, int]:
    """The row and column that a variable's label names. Raises `ArgumentError`."""
    pair = isinstance(label, tuple) and len(label) == 2
    if not pair or not all(isinstance(at, (int, np.integer)) for at in label):
        raise ArgumentError(f"{label!r} is no site: label variables (row, column), in integers")
    return int(label[0]), int(label[1])


def _sized(device: str, rows: int, columns: int, neighbours: int) -> str:
    """The address of a lattice of this size; ``engines=lattice`` may stand in it already."""
    place, _, query = device.partition("?")
    words = [word for word in query.split("&") if word not in ("", "engines=lattice")]
    for word in words:
        name = word.partition("=")[0]
        if name == "engines" or name.removeprefix("lattice_") in FROM_THE_MODEL:
            raise ArgumentError(
                f"the address {device!r} gives {word}, and a lattice of the model's size is "
                "opened here: leave it out, choose neighbours=4, 8 or 12 as an argument, or pass "
                "an open device"
            )
    sizes = f"lattice_rows={rows}&lattice_columns={columns}&lattice_neighbours={neighbours}"
    return f"{place}?{'&'.join([*words, 'engines=lattice', sizes])}"

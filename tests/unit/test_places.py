"""Where a lattice's block memories are put on an ECP5-85F."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_sim.netlist.flow import write_places
from gibbsite_sim.netlist.places import COLUMNS, ROWS, memory_places

LATTICE = LatticeParameters(rows=64, banks=6, tables=1)
_ENGINE = "device.shell.lattice.engine"


def cells(tables: int = 16) -> dict[str, dict[str, object]]:
    """Names as synthesis makes them, and a cell that is no memory."""
    names = [f"{_ENGINE}.bank{b}.entries.table{n}.0.0" for b in range(6) for n in range(tables)]
    names += [f"{_ENGINE}.bank{b}.spins$373.{n}.0" for b in range(6) for n in range(3)]
    names += [f"{_ENGINE}.store.couplings{n // 6}.0.{n % 6}" for n in range(24)]
    names += [f"{_ENGINE}.store.bias{n // 2}$107.0.{n % 2}" for n in range(8)]
    names += [f"{_ENGINE}.store.{name}{n}.0.0" for name in ("on", "state") for n in range(2)]
    names += ["device.link.outlet.slots.0.0", "device.shell.lattice.books.words.0.0"]
    memories = {name: {"type": "DP16KD", "attributes": {}} for name in names}
    return {**memories, "logic": {"type": "LUT4", "attributes": {}}}


def at(bel: str) -> tuple[int, int] | None:
    """Column and row of a bel; None where the chip has no block memory."""
    found = re.fullmatch(r"X(\d+)/Y(\d+)/EBR(\d)", bel)
    if found is None:
        return None
    column, row, number = (int(word) for word in found.groups())
    known = row in ROWS and column in COLUMNS and COLUMNS.index(column) % 4 == number
    return (column, row) if known else None


def misplaced(places: Mapping[str, str]) -> list[str]:
    """Memories that no block memory of the chip is left for, in the order of places."""
    taken: set[tuple[int, int] | None] = {None}
    wrong = []
    for name, bel in places.items():
        if at(bel) in taken:
            wrong.append(name)
        taken.add(at(bel))
    return wrong


def torn(places: Mapping[str, str]) -> list[int]:
    """Pairs of lanes whose tables, with the couplings that they read, lie far apart: farther than a
    quarter of a row, or in three rows."""
    found = []
    for pair in range(16):
        near = [f"{_ENGINE}.bank{bank}.entries.table{pair}.0.0" for bank in range(6)]
        mine = [n for n in range(24) if n * 16 // 24 == pair]
        near += [f"{_ENGINE}.store.couplings{n // 6}.0.{n % 6}" for n in mine]
        spots = [spot for name in near if (spot := at(places[name])) is not None]
        columns, rows = zip(*spots, strict=True)
        wide = max(columns) - min(columns) > (COLUMNS[-1] - COLUMNS[0]) / 4
        if wide or len(set(rows)) > 2:
            found.append(pair)
    return found


def test_every_memory_has_a_place_of_its_own() -> None:
    places = memory_places(cells(), LATTICE)
    assert set(places) == set(cells()) - {"logic"}
    assert misplaced(places) == []


def test_memories_without_a_place_are_seen() -> None:
    """Planted: a place that another memory has, and places where the chip has none."""
    places = memory_places(cells(), LATTICE)
    first, *_, last = places
    column, row, number = re.findall(r"\d+", places[last])
    outside = [
        f"X{column}/Y{int(row) + 1}/EBR{number}",  # no row of memories
        f"X{int(column) + 1}/Y{row}/EBR{number}",  # a column of logic
        f"X{column}/Y{row}/EBR{(int(number) + 1) % 4}",  # the name of the next one
        f"X{column}/Y{row}/SLICEA",
    ]
    for planted in (places[first], *outside):
        assert misplaced({**places, last: planted}) == [last], planted


def test_what_belongs_together_lies_together() -> None:
    """All pairs of lanes but one at most, which has the spin memories in its midst."""
    places = memory_places(cells(), LATTICE)
    assert len(torn(places)) <= 1
    spins = [spot for name, bel in places.items() if ".spins" in name and (spot := at(bel))]
    assert {row for _, row in spins} == {ROWS[1]}
    assert sum(column for column, _ in spins) / len(spins) == pytest.approx(62, abs=2)


def test_lanes_that_are_torn_are_seen() -> None:
    """Planted: a table of the first pair of lanes and one of the last change places."""
    places = memory_places(cells(), LATTICE)
    one, two = (f"{_ENGINE}.bank0.entries.table{pair}.0.0" for pair in (0, 15))
    swapped = places | {one: places[two], two: places[one]}
    assert set(torn(swapped)) == {*torn(places), 0, 15}


def test_more_than_the_chip_has_are_refused() -> None:
    with pytest.raises(DeviceError, match="holds 208 block memories and this build needs 272"):
        memory_places(cells(tables=36), LATTICE)


def test_the_netlist_says_it(tmp_path: Path) -> None:
    netlist = tmp_path / "top.json"
    netlist.write_text(json.dumps({"modules": {"top": {"cells": cells()}}}))
    before = netlist.read_text()
    places = memory_places(cells(), LATTICE)
    write_places(netlist, places, tmp_path / "placed.json")
    assert netlist.read_text() == before
    written = json.loads((tmp_path / "placed.json").read_text())["modules"]["top"]["cells"]
    assert written["logic"]["attributes"] == {}
    assert {name: written[name]["attributes"]["BEL"] for name in places} == places

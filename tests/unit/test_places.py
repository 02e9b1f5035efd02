"""Where a lattice's block memories are put on an ECP5-85F."""

import json
import re
from pathlib import Path

import pytest

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_sim.netlist.places import COLUMNS, ROWS, memory_places, place_memories

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


def at(bel: str) -> tuple[int, int]:
    """Column and row of a bel."""
    found = re.fullmatch(r"X(\d+)/Y(\d+)/EBR(\d)", bel)
    assert found is not None
    column, row = int(found[1]), int(found[2])
    assert row in ROWS
    assert COLUMNS.index(column) % 4 == int(found[3])
    return column, row


def test_every_memory_has_a_place_of_its_own() -> None:
    places = memory_places(cells(), LATTICE)
    assert set(places) == set(cells()) - {"logic"}
    assert len({at(bel) for bel in places.values()}) == len(places)


def test_what_belongs_together_lies_together() -> None:
    """The tables of two lanes, and the couplings that they read: within a quarter of a row; but of
    one pair, which has the spin memories in its midst."""
    places = memory_places(cells(), LATTICE)
    torn = 0
    for pair in range(16):
        near = [f"{_ENGINE}.bank{bank}.entries.table{pair}.0.0" for bank in range(6)]
        mine = [n for n in range(24) if n * 16 // 24 == pair]
        near += [f"{_ENGINE}.store.couplings{n // 6}.0.{n % 6}" for n in mine]
        columns, rows = zip(*(at(places[name]) for name in near), strict=True)
        torn += max(columns) - min(columns) > (COLUMNS[-1] - COLUMNS[0]) / 4
        assert len(set(rows)) <= 2
    assert torn <= 1
    spins = [at(bel) for name, bel in places.items() if ".spins" in name]
    assert {row for _, row in spins} == {ROWS[1]}
    assert sum(column for column, _ in spins) / len(spins) == pytest.approx(62, abs=2)


def test_more_than_the_chip_has_are_refused() -> None:
    with pytest.raises(DeviceError, match="holds 208 block memories and this build needs 272"):
        memory_places(cells(tables=36), LATTICE)


def test_the_netlist_says_it(tmp_path: Path) -> None:
    netlist = tmp_path / "top.json"
    netlist.write_text(json.dumps({"modules": {"top": {"cells": cells()}}}))
    place_memories(netlist, LATTICE)
    written = json.loads(netlist.read_text())["modules"]["top"]["cells"]
    assert written["logic"]["attributes"] == {}
    places = memory_places(cells(), LATTICE)
    assert {name: written[name]["attributes"]["BEL"] for name in places} == places

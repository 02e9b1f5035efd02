"""The blocks of the lattice engine against their golden twins, every bit, cycle by cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import LATTICE_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


def check(bench: Bench, test: str, folder: Path) -> None:
    """Run the one cocotb test of a block's bench."""
    report = cosimulate(bench, BENCHES, f"bench_{bench.block}", folder)
    assert report.passed == (test,)


@pytest.mark.parametrize("rows", [pytest.param(2, marks=pytest.mark.nightly), 18])
def test_noise(rows: int, tmp_path: Path) -> None:
    """One stream, and three of which the last serves one lane."""
    check(Bench("lattice_noise", replace(LATTICE_SMALL, rows=rows)), "streams", tmp_path)


def test_seeder(tmp_path: Path) -> None:
    check(Bench("lattice_seeder", LATTICE_SMALL), "seeds", tmp_path)


def test_thresholds(tmp_path: Path) -> None:
    check(Bench("lattice_thresholds", LATTICE_SMALL), "tables", tmp_path)


@pytest.mark.parametrize("tables", [1, 2])
def test_schedule(tables: int, tmp_path: Path) -> None:
    check(Bench("lattice_schedule", replace(LATTICE_SMALL, tables=tables)), "steps", tmp_path)


@pytest.mark.parametrize(
    "rows", [6, *(pytest.param(n, marks=pytest.mark.nightly) for n in (2, 26))]
)
def test_energy(rows: int, tmp_path: Path) -> None:
    """Trees of lanes: three, one, and thirteen."""
    check(Bench("lattice_energy", replace(LATTICE_SMALL, rows=rows)), "sweeps", tmp_path)


@pytest.mark.parametrize("neighbours", [pytest.param(4, marks=pytest.mark.nightly), 12])
def test_passes(neighbours: int, tmp_path: Path) -> None:
    parameters = replace(LATTICE_SMALL, neighbours=neighbours, columns=30)
    check(Bench("lattice_passes", parameters), "sweeps", tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="four"),
        pytest.param({"neighbours": 12, "columns": 28, "tables": 1}, id="twelve"),
        pytest.param(
            {"neighbours": 8, "rows": 18, "columns": 16},
            marks=pytest.mark.nightly,
            id="eight",
        ),
    ],
)
def test_bank(changed: dict[str, int], tmp_path: Path) -> None:
    """The widest program of each streams; three lanes, of which two share a table, and nine."""
    check(Bench("lattice_bank", replace(LATTICE_SMALL, **changed)), "sweeps", tmp_path)

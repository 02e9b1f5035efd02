"""The lattice engine's shell against the golden one, with functional and line coverage."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gibbsite_sim.cosim.build import LATTICE_SMALL, Bench
from gibbsite_sim.cosim.lines import LineCoverage
from gibbsite_sim.cosim.run import CosimFailed, Report, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"
SHELL = Bench("lattice_shell", LATTICE_SMALL, coverage=True)
SCENARIOS = {
    *("Registers", "States", "Refusals", "Programs", "Running", "AbortAnywhere", "Resets"),
    *("StalledReader", "Closed"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One simulation of all scenarios."""
    folder = tmp_path_factory.mktemp("lattice_shell")
    settings = {"GIBBSITE_PROGRAMS": "10", "GIBBSITE_SEED": "1", "GIBBSITE_ABORT_STEP": "9"}
    return cosimulate(SHELL, BENCHES, "bench_lattice_shell", folder, settings=settings)


@pytest.fixture(scope="module")
def found(report: Report) -> dict[str, Any]:
    """Totals and bins of that simulation."""
    found: dict[str, Any] = json.loads((report.folder / "coverage.json").read_text("utf-8"))
    return found


def test_every_scenario_agrees_with_the_golden_shell(report: Report, found: dict[str, Any]) -> None:
    assert set(report.passed) == SCENARIOS
    totals = found["totals"]
    # what a silent or half dead bench would not reach
    assert totals["answers"] > 3_000
    assert totals["draws"] > 300
    assert totals["runs"] > 100
    assert totals["register checks"] > 500
    assert min(totals["stalled cycles"], totals["idle cycles"]) > 5_000


def test_every_functional_bin_is_hit(found: dict[str, Any]) -> None:
    assert found["missing"] == []
    assert min(found["hits"].values()) > 0


def test_line_coverage_of_the_verilog(report: Report) -> None:
    coverage = LineCoverage(report.coverage, SHELL.verilog())
    missed = "\n".join(" | ".join(point) for point in coverage.uncovered())
    assert coverage.line_part() >= 0.95, missed
    assert coverage.part("line") >= 0.95, missed
    assert coverage.part("branch") >= 0.95, missed


@pytest.mark.nightly
def test_abort_in_every_cycle_and_many_programs(tmp_path: Path) -> None:
    settings = {"GIBBSITE_PROGRAMS": "60", "GIBBSITE_SEED": "5", "GIBBSITE_ABORT_STEP": "1"}
    tests = ("Programs", "AbortAnywhere")
    report = cosimulate(
        SHELL, BENCHES, "bench_lattice_shell", tmp_path, tests=tests, settings=settings
    )
    assert report.passed == tests


def test_the_scoreboard_sees_a_planted_fault(tmp_path: Path) -> None:
    """The first column of a pass takes memory's spins, not those decided just now."""
    good = Bench("lattice_shell", LATTICE_SMALL).verilog()
    (line,) = re.findall(r"streaming <= \\\$\d+ ;", good)
    broken = Bench("lattice_shell", LATTICE_SMALL, patches=((line, "streaming <= 1'b0;"),))
    settings = {"GIBBSITE_PROGRAMS": "3"}
    with pytest.raises(CosimFailed, match=r"draw a3\w+ .* should be a3"):
        cosimulate(
            broken, BENCHES, "bench_lattice_shell", tmp_path, tests=("Programs",), settings=settings
        )

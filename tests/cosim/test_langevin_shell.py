"""The Langevin engine's shell against the golden one, with functional and line coverage."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_sim.cosim.build import LANGEVIN_SMALL, Bench
from gibbsite_sim.cosim.lines import LineCoverage
from gibbsite_sim.cosim.run import CosimFailed, Report, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"
SHELL = Bench("langevin_shell", LANGEVIN_SMALL, coverage=True)
LEAST = 0.95
SCENARIOS = {
    *("Registers", "States", "Refusals", "Programs", "FullMemory", "Running", "Race"),
    *("AbortAnywhere", "Resets", "StalledReader", "Unread", "Closed"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One simulation of all scenarios."""
    folder = tmp_path_factory.mktemp("langevin_shell")
    settings = {"GIBBSITE_PROGRAMS": "22", "GIBBSITE_SEED": "1", "GIBBSITE_ABORTS": "160"}
    return cosimulate(SHELL, BENCHES, "bench_langevin_shell", folder, settings=settings)


@pytest.fixture(scope="module")
def found(report: Report) -> dict[str, Any]:
    """Totals and bins of that simulation."""
    found: dict[str, Any] = json.loads((report.folder / "coverage.json").read_text("utf-8"))
    return found


def test_every_scenario_agrees_with_the_golden_shell(report: Report, found: dict[str, Any]) -> None:
    assert set(report.passed) == SCENARIOS
    totals = found["totals"]
    # what a silent or half dead bench would not reach
    assert totals["answers"] > 7_000
    assert totals["draws"] > 1_000
    assert totals["runs"] > 700
    assert totals["register checks"] > 1_500
    assert min(totals["stalled cycles"], totals["idle cycles"]) > 20_000


def test_every_functional_bin_is_hit(found: dict[str, Any]) -> None:
    assert found["missing"] == []
    assert found["bins"] > 250
    assert min(found["hits"].values()) > 0


def test_line_coverage_of_the_verilog(report: Report) -> None:
    coverage = LineCoverage(report.coverage, SHELL.verilog())
    missed = "\n".join(" | ".join(point) for point in coverage.uncovered())
    assert coverage.line_part() >= LEAST, missed
    assert coverage.part("line") >= LEAST, missed
    assert coverage.part("branch") >= LEAST, missed
    # of the shell itself nothing is missed but what cannot be: UNITS and WEIGHTS that do not grow
    shell = [point for point in coverage.uncovered() if ".engine" not in point[0]]
    assert len(shell) <= 2, missed


def test_programs_of_another_seed(tmp_path: Path) -> None:
    settings = {"GIBBSITE_PROGRAMS": "6", "GIBBSITE_SEED": "9"}
    tests = ("Programs",)
    report = cosimulate(
        SHELL, BENCHES, "bench_langevin_shell", tmp_path, tests=tests, settings=settings
    )
    assert report.passed == tests


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_random_programs(seed: int, tmp_path: Path) -> None:
    settings = {"GIBBSITE_PROGRAMS": "110", "GIBBSITE_SEED": str(seed), "GIBBSITE_ABORTS": "400"}
    tests = ("Programs", "AbortAnywhere")
    report = cosimulate(
        SHELL, BENCHES, "bench_langevin_shell", tmp_path, tests=tests, settings=settings
    )
    assert report.passed == tests


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("noise", r"draw c3\w+ .* should be c3"),
        ("heat", r"draw c3\w+ .* should be c3"),
        ("register", "register map"),
        ("deaf", "no answer at all"),
    ],
)
def test_the_scoreboard_sees_a_planted_fault(fault: str, reason: str, tmp_path: Path) -> None:
    settings = {"GIBBSITE_FAULT": fault}
    with pytest.raises(CosimFailed, match=reason):
        cosimulate(SHELL, BENCHES, "bench_langevin_faults", tmp_path, settings=settings)


def test_the_environment_without_a_fault_passes(tmp_path: Path) -> None:
    settings = {"GIBBSITE_FAULT": "none"}
    report = cosimulate(SHELL, BENCHES, "bench_langevin_faults", tmp_path, settings=settings)
    assert report.passed == ("Faulty",)


@pytest.mark.parametrize(
    "parameters",
    [
        LANGEVIN_SMALL,
        # records longer than nine words, codes that fill their halves, lengths near 2^12
        pytest.param(
            replace(LANGEVIN_SMALL, multipliers=32, weight_bits=16, payload_words=4096),
            marks=pytest.mark.nightly,
        ),
    ],
)
def test_loader(parameters: LangevinParameters, tmp_path: Path) -> None:
    bench = Bench("langevin_loader", parameters)
    report = cosimulate(bench, BENCHES, "bench_langevin_loader", tmp_path)
    assert report.passed == ("loads", "lengths")

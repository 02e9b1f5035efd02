"""The whole device against the golden device, with functional and line coverage."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_models.golden.checks import Refused, decode_rows
from gibbsite_sim.cosim.build import SMALL, Bench
from gibbsite_sim.cosim.graph_mistakes import Mistakes
from gibbsite_sim.cosim.lines import LineCoverage
from gibbsite_sim.cosim.run import CosimFailed, Report, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"
DEVICE = Bench("device_shell", SMALL, coverage=True)
PROGRAMS = 18
LEAST = 0.95
SCENARIOS = {
    *("Registers", "States", "Refusals", "Programs", "LargestGroup", "FullMemory", "Running"),
    *("Race", "Resets", "StalledReader", "Unread", "Closed"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One simulation of all scenarios."""
    folder = tmp_path_factory.mktemp("device")
    settings = {"GIBBSITE_PROGRAMS": str(PROGRAMS), "GIBBSITE_SEED": "1"}
    return cosimulate(DEVICE, BENCHES, "bench_device", folder, settings=settings)


@pytest.fixture(scope="module")
def found(report: Report) -> dict[str, Any]:
    """Totals and bins of that simulation."""
    found: dict[str, Any] = json.loads((report.folder / "coverage.json").read_text("utf-8"))
    return found


def test_every_scenario_agrees_with_the_golden_device(
    report: Report, found: dict[str, Any]
) -> None:
    assert set(report.passed) == SCENARIOS
    totals = found["totals"]
    # what a silent or half dead bench would not reach
    assert totals["answers"] > 5_000
    assert totals["draws"] > 300
    assert totals["runs"] > 200
    assert totals["register checks"] > 300
    assert min(totals["stalled cycles"], totals["idle cycles"]) > 5_000


@pytest.mark.parametrize("parameters", [SMALL, GraphParameters()], ids=["small", "default"])
def test_every_bad_row_of_the_refusals_is_one(parameters: GraphParameters) -> None:
    full = (1 << parameters.lanes) - 1
    plain = Row(1, 0, False, False, False, True, full)
    decode_rows(parameters, [0, *plain.encode()])
    for descriptor, mask in Mistakes(parameters).bad_rows(plain.encode()[0], full):
        with pytest.raises(Refused):
            decode_rows(parameters, [0, descriptor, mask])


def test_every_functional_bin_is_hit(found: dict[str, Any]) -> None:
    assert found["missing"] == []
    assert found["bins"] > 200
    assert min(found["hits"].values()) > 0


def test_line_coverage_of_the_verilog(report: Report) -> None:
    coverage = LineCoverage(report.coverage, DEVICE.verilog())
    missed = "\n".join(" | ".join(point) for point in coverage.uncovered())
    assert coverage.line_part() >= LEAST, missed
    assert len(coverage.uncovered()) <= 40, missed  # docs/verification.md explains every one
    assert coverage.part("line") >= LEAST, missed
    assert coverage.part("branch") >= LEAST, missed


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 8))
def test_many_random_programs(seed: int, tmp_path: Path) -> None:
    settings = {"GIBBSITE_PROGRAMS": "90", "GIBBSITE_SEED": str(seed)}
    report = cosimulate(
        DEVICE, BENCHES, "bench_device", tmp_path, tests=("Programs",), settings=settings
    )
    assert report.passed == ("Programs",)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("noise", r"draw 83\w+ .* should be 83"),
        ("energy", r"draw 83\w+ .* should be 83"),
        ("register", "register map"),
        ("deaf", "no answer at all"),
    ],
)
def test_the_scoreboard_sees_a_planted_fault(fault: str, reason: str, tmp_path: Path) -> None:
    settings = {"GIBBSITE_FAULT": fault}
    with pytest.raises(CosimFailed, match=reason):
        cosimulate(DEVICE, BENCHES, "bench_device_faults", tmp_path, settings=settings)


def test_the_environment_without_a_fault_passes(tmp_path: Path) -> None:
    settings = {"GIBBSITE_FAULT": "none"}
    report = cosimulate(DEVICE, BENCHES, "bench_device_faults", tmp_path, settings=settings)
    assert report.passed == ("Faulty",)


def test_a_simulation_without_a_test_fails(tmp_path: Path) -> None:
    with pytest.raises(CosimFailed, match=r"no test of bench_device_faults ran|ended early"):
        cosimulate(
            DEVICE,
            BENCHES,
            "bench_device_faults",
            tmp_path,
            tests=("Nobody",),
            settings={"GIBBSITE_FAULT": "none"},
        )


def planted(block: str, old: str, new: str) -> Bench:
    """A block with one fault in its Verilog; ``old`` is a pattern with one match."""
    text = Bench(block).verilog()
    (match,) = re.finditer(old, text)
    return Bench(block, patches=((match[0], re.sub(old, new, match[0])),))


@pytest.mark.parametrize(
    ("block", "old", "new", "reason"),
    [
        # the barrier waits a cycle less than the pipeline needs
        ("graph_sequencer", "= 4'h8;", "= 4'h7;", "steps: number"),
        # a stalled word is thrown away: `fire` does not look at `ready`
        (
            "graph_readout",
            r"assign fire = words__valid & words__ready;",
            "assign fire = words__valid;",
            "words changed|words took back|draws",
        ),
    ],
)
def test_the_bench_of_a_block_sees_a_planted_fault(
    block: str, old: str, new: str, reason: str, tmp_path: Path
) -> None:
    bench = planted(block, old, new)
    settings = {"GIBBSITE_STALLS": "short"}
    with pytest.raises(CosimFailed, match=reason):
        cosimulate(bench, BENCHES, f"bench_{block}", tmp_path, settings=settings)

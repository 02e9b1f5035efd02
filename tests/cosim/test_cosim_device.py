"""The whole device against the golden device, with functional and line coverage."""

import json
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import SMALL, Bench
from gibbsite_sim.cosim.run import Report, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"
PROGRAMS = 18


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("device")
    settings = {"GIBBSITE_PROGRAMS": str(PROGRAMS)}
    bench = Bench("device_shell", SMALL, coverage=True)
    return cosimulate(bench, BENCHES, "bench_device", folder, settings=settings)


def test_device(report: Report) -> None:
    totals = json.loads((report.folder / "coverage.json").read_text("utf-8"))
    assert not totals["missing"]

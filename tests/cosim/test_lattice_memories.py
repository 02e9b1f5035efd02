"""Store and readout of the lattice engine against what was written and what memories hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import LATTICE_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


@pytest.mark.parametrize(
    ("rows", "stalls"),
    [
        (6, "short"),
        (66, "none"),
        pytest.param(6, "none", marks=pytest.mark.nightly),
        pytest.param(66, "short", marks=pytest.mark.nightly),
    ],
)
def test_readout(rows: int, stalls: str, tmp_path: Path) -> None:
    """One word a column, and three of which the last has two rows."""
    bench = Bench("lattice_readout", replace(LATTICE_SMALL, rows=rows))
    settings = {"GIBBSITE_STALLS": stalls}
    report = cosimulate(bench, BENCHES, "bench_lattice_readout", tmp_path, settings=settings)
    assert report.passed == ("draws",)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="four"),
        pytest.param(
            {"rows": 36, "neighbours": 12, "coupling_bits": 3, "bias_bits": 4}, id="twelve"
        ),
        pytest.param(
            {"rows": 66, "neighbours": 8, "coupling_bits": 8, "bias_bits": 5},
            marks=pytest.mark.nightly,
            id="eight",
        ),
    ],
)
def test_store(changed: dict[str, int], tmp_path: Path) -> None:
    bench = Bench("lattice_store", replace(LATTICE_SMALL, **changed))
    report = cosimulate(bench, BENCHES, "bench_lattice_store", tmp_path)
    assert report.passed == ("words",)

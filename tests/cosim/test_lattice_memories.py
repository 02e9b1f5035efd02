"""Store and readout of the lattice engine against what was written and what memories hold."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import LATTICE_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


@pytest.mark.parametrize("stalls", ["none", "short"])
@pytest.mark.parametrize("rows", [6, 66])
def test_readout(rows: int, stalls: str, tmp_path: Path) -> None:
    """One word a column, and three of which the last has two rows."""
    bench = Bench("lattice_readout", replace(LATTICE_SMALL, rows=rows))
    settings = {"GIBBSITE_STALLS": stalls}
    report = cosimulate(bench, BENCHES, "bench_lattice_readout", tmp_path, settings=settings)
    assert report.passed == ("draws",)

"""Every block of the hardware against its golden twin, under cocotb."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_seed_hash(rounds: int, tmp_path: Path) -> None:
    bench = Bench("seed_hash", replace(SMALL, hash_rounds=rounds))
    report = cosimulate(bench, BENCHES, "bench_seed_hash", tmp_path)
    assert report.passed == ("hashes",)

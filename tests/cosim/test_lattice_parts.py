"""Seed hash, loader, store and readout of the lattice engine against their golden twins."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import LATTICE_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


def check(bench: Bench, tests: tuple[str, ...], folder: Path, stalls: str = "none") -> None:
    """Run all cocotb tests of a block's bench."""
    settings = {"GIBBSITE_STALLS": stalls}
    report = cosimulate(bench, BENCHES, f"bench_{bench.block}", folder, settings=settings)
    assert report.passed == tests


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_hash(rounds: int, tmp_path: Path) -> None:
    bench = Bench("lattice_hash", replace(LATTICE_SMALL, hash_rounds=rounds))
    check(bench, ("hashes",), tmp_path)

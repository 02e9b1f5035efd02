"""Seed hash, loader, store and readout of the lattice engine against their golden twins."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
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


BUILDS = {
    "four": LATTICE_SMALL,
    "eight": LatticeParameters(
        rows=66, columns=8, neighbours=8, coupling_bits=8, bias_bits=9,
        schedule_steps=5, payload_words=48,
    ),
    "twelve": LatticeParameters(
        rows=34, columns=10, neighbours=12, coupling_bits=2, bias_bits=2, banks=3,
        schedule_steps=4, payload_words=60,
    ),
}  # fmt: skip
"""Records of one, two and three words of couplings; one, three and two words of bits a column."""


@pytest.mark.parametrize(
    "build", ["four", "eight", pytest.param("twelve", marks=pytest.mark.nightly)]
)
def test_loader(build: str, tmp_path: Path) -> None:
    check(Bench("lattice_loader", BUILDS[build]), ("loads", "lengths"), tmp_path)

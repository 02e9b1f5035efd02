"""Every block of the hardware against its golden twin, under cocotb, with and without stalls."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


def check(bench: Bench, test: str, folder: Path, stalls: str = "none") -> None:
    """Run the one cocotb test of a block's bench."""
    module = f"bench_{bench.block}"
    report = cosimulate(bench, BENCHES, module, folder, settings={"GIBBSITE_STALLS": stalls})
    assert report.passed == (test,)


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_seed_hash(rounds: int, tmp_path: Path) -> None:
    check(Bench("seed_hash", replace(SMALL, hash_rounds=rounds)), "hashes", tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="finest"),
        pytest.param({"noise_index_bits": 4, "noise_tail_bits": 1}, id="coarsest"),
        pytest.param({"score_frac": 10}, marks=pytest.mark.nightly, id="10 bits"),
    ],
)
def test_noise_shaper(changed: dict[str, int], tmp_path: Path) -> None:
    check(Bench("noise_shaper", replace(SMALL, **changed)), "shapes", tmp_path)


@pytest.mark.parametrize("stalls", ["none", "short"])
@pytest.mark.parametrize(
    ("block", "test"),
    [
        ("graph_sequencer", "passes"),
        ("graph_field", "fields"),
        ("graph_decide", "decisions"),
        ("graph_readout", "draws"),
        ("graph_engine", "runs"),
        ("device_receiver", "packets"),
        ("device_router", "packets"),
    ],
)
def test_streaming_block(block: str, test: str, stalls: str, tmp_path: Path) -> None:
    check(Bench(block), test, tmp_path, stalls)


@pytest.mark.parametrize(
    ("block", "test"), [("device_loader", "loads"), ("device_checker", "verdicts")]
)
def test_memory_walker(block: str, test: str, tmp_path: Path) -> None:
    check(Bench(block), test, tmp_path)

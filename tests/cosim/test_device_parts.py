"""Books and responder of a device against small models, with every kind of request and stall."""

from pathlib import Path

import pytest

from gibbsite_sim.cosim.build import BOOKS_MOST, Bench
from gibbsite_sim.cosim.run import CosimFailed, cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


@pytest.mark.parametrize("block", BOOKS_MOST)
def test_books(block: str, tmp_path: Path) -> None:
    report = cosimulate(Bench(block), BENCHES, "bench_device_books", tmp_path)
    assert report.passed == ("operations",)


def test_books_that_lose_a_carry_are_seen(tmp_path: Path) -> None:
    """The planted fault: of what a counter gathered, only 16 bits are added."""
    fault = ("{ 8'h00, addend[22:8] }", "{ 15'h0000, addend[15:8] }")
    bench = Bench("device_books", patches=(fault,))
    with pytest.raises(CosimFailed, match="results: number"):
        cosimulate(bench, BENCHES, "bench_device_books", tmp_path)


@pytest.mark.parametrize("stalls", ["none", "short"])
def test_responder(stalls: str, tmp_path: Path) -> None:
    settings = {"GIBBSITE_STALLS": stalls}
    bench = Bench("device_responder")
    report = cosimulate(bench, BENCHES, "bench_device_responder", tmp_path, settings=settings)
    assert report.passed == ("responses",)

"""The Langevin engine's shell against the golden one, with functional and line coverage."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_sim.cosim.build import LANGEVIN_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


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

"""The Langevin engine and its Gaussian source against their golden twins, bit by bit."""

from dataclasses import replace
from pathlib import Path

import pytest

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_timing import pass_cycles
from gibbsite_sim.cosim.build import LANGEVIN_SMALL, Bench
from gibbsite_sim.cosim.run import cosimulate

pytestmark = pytest.mark.sim

BENCHES = Path(__file__).parent / "benches"


def test_gaussian(tmp_path: Path) -> None:
    report = cosimulate(
        Bench("langevin_gauss", LANGEVIN_SMALL), BENCHES, "bench_langevin_gauss", tmp_path
    )
    assert report.passed == ("shapes",)


@pytest.mark.parametrize("stalls", ["none", "short"])
@pytest.mark.parametrize(
    "parameters",
    [
        LANGEVIN_SMALL,
        # two lanes, the widest weights, no padding; and a tree of five levels, padded everywhere
        pytest.param(
            replace(LANGEVIN_SMALL, multipliers=2, weight_bits=16, hash_rounds=1),
            marks=pytest.mark.nightly,
        ),
        pytest.param(
            replace(LANGEVIN_SMALL, units=40, constraints=33, multipliers=32, hash_rounds=2),
            marks=pytest.mark.nightly,
        ),
        # no constraint fits, and no pair
        pytest.param(
            replace(LANGEVIN_SMALL, constraints=0, pairs=0, multipliers=8),
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["small", "narrow", "wide", "bare"],
)
def test_engine(parameters: LangevinParameters, stalls: str, tmp_path: Path) -> None:
    report = cosimulate(
        Bench("langevin_engine", parameters),
        BENCHES,
        "bench_langevin_engine",
        tmp_path,
        settings={"GIBBSITE_STALLS": stalls},
    )
    assert report.passed == ("runs", "aborts")


def test_use_of_the_multipliers() -> None:
    """Of a dense step of 256 units and constraints, by the cycles that RTL and golden agree on."""
    parameters, n, m = LangevinParameters(), 256, 256
    slots = parameters.multipliers * pass_cycles(parameters, n, m, coupled=True)
    assert (2 * m * n + n * n) / slots > 0.98

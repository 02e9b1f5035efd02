"""The Langevin engine and its Gaussian source against their golden twins, bit by bit."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from gibbsite_hw.spec.langevin_packets import LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.langevin_timing import pass_cycles
from gibbsite_hw.spec.packets import Packet
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.build import LANGEVIN_SMALL, Bench
from gibbsite_sim.cosim.langevin_cases import (
    LangevinShape,
    langevin_loading,
    random_langevin,
)
from gibbsite_sim.cosim.run import cosimulate
from gibbsite_sim.device import SimStream

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


def test_tail(tmp_path: Path) -> None:
    report = cosimulate(
        Bench("langevin_tail", LANGEVIN_SMALL), BENCHES, "bench_langevin_tail", tmp_path
    )
    assert report.passed == ("passes",)


@pytest.mark.nightly
@pytest.mark.parametrize("wild", [False, True], ids=["tame", "wild"])
def test_full_size(wild: bool) -> None:
    """256 units, 256 constraints, 64 multipliers behind the shell: every packet, every cycle."""
    parameters, rng = LangevinParameters(), Random(21)
    case = random_langevin(
        parameters, rng, LangevinShape(parameters.units, parameters.constraints, True, wild=wild)
    )
    settings = {**case.settings, LangevinRegister.FLAGS: 3, LangevinRegister.ENTRIES: 5}
    packets = langevin_loading(parameters, case)
    packets += [Packet(LangevinOpcode.WRITE, 0, pair) for pair in settings.items()]
    packets.append(Packet(LangevinOpcode.RUN, 0, ()))
    answers = []
    with SimStream(parameters) as real:
        for stream in (real, GoldenStream(parameters)):
            for packet in packets:
                stream.send(packet.words())
            seen = [stream.receive()]
            while seen[-1][0] >> 24 != LangevinResponse.DONE:
                seen.append(stream.receive())
            answers.append(seen)
    draws = sum(words[0] >> 24 == LangevinResponse.DRAW for words in answers[0])
    assert draws == settings[LangevinRegister.CHAINS] * settings[LangevinRegister.DRAWS]
    assert not any(words[0] >> 24 == LangevinResponse.ERROR for words in answers[0])
    assert answers[0] == answers[1]

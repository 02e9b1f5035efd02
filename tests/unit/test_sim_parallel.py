"""Several devices as one: the same result to the bit, and one end for all."""

import signal
import threading
from array import array
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest, encode_entry
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.device import SimStream
from gibbsite_sim.parallel import ParallelDevice

P = GraphParameters()


def ring(bias: int = 40) -> GraphProgram:
    """Two rows of p-bits, each slot coupled to two of the other row: a ring of 2 x lanes."""
    lanes = P.lanes
    weights = [30 + 7 * k * (-1) ** k for k in range(2 * lanes)]
    entries = array("I")
    for row in range(2):
        for side in range(2):
            for lane in range(lanes):
                # ring position 2 lane + row; its neighbours stand one before and one behind
                at = 2 * lane + row
                other = (at + (1 if side else -1)) % (2 * lanes)
                weight = weights[at if side else other]
                address = other % 2 * lanes + other // 2
                entries.append(encode_entry(P, address, weight, False))
    rows = [Row(2, 0, False, False, False, True, (1 << lanes) - 1)] * 2
    return GraphProgram(rows, entries, conditions(bias))


def conditions(bias: int) -> Conditions:
    none = array("I", [0, 0])
    biases = array("i", [bias * (-1) ** k for k in range(2 * P.lanes)])
    return Conditions(biases, none, none)


def request(**fields: int) -> RunRequest:
    betas = array("I", [4000, 9000, 20000])
    return RunRequest(**{"betas": betas, "seed": 77, "best": True, **fields})


def golden() -> Driver:
    return Driver(GoldenStream(P))


@pytest.fixture
def pair() -> Iterator[Device]:
    with ParallelDevice([golden(), golden()]) as device:
        yield device


@pytest.mark.parametrize("chains", [1, 2, 3, 8])
@pytest.mark.parametrize("first_chain", [0, 5, 2**32 - 2])
def test_the_result_is_that_of_one_device(pair: Device, chains: int, first_chain: int) -> None:
    one = golden()
    wanted = request(chains=chains, first_chain=first_chain, draws=3)
    for device in (one, pair):
        device.load(ring())
    expected = one.run(wanted)
    seen: list[tuple[int, int]] = []
    found = pair.run(wanted, lambda done, of: seen.append((done, of)))
    assert expected.reads == 3 * chains
    assert replace(found, words_in=0, words_out=0) == replace(expected, words_in=0, words_out=0)
    assert seen[-1] == (3 * chains, 3 * chains)


@pytest.mark.parametrize("chains", [1, 2, 5])
def test_langevin_runs_are_split_too(chains: int) -> None:
    small = LangevinParameters(units=8, constraints=4, multipliers=4, pairs=16)
    one, *two = (Driver(GoldenStream(small)) for _ in range(3))
    none, codes = array("i"), array("i", [700, -400, 0])
    program = LangevinProgram(
        codes, array("i", [0] * 3), codes, none, none, Shifts(), LangevinConditions(codes)
    )
    entry = ScheduleEntry(20, (1 << 14, 10), (1 << 14, 10), (1 << 14,) * 6)
    wanted = LangevinRequest(
        [entry], 9, chains, draws=3, thin=2, best=True, pairs=[(0, 1), (2, None)]
    )
    with ParallelDevice(two) as pair:
        for device in (one, pair):
            device.load(program)
        expected, found = one.run(wanted), pair.run(wanted)
    assert expected.reads == found.counters.reads == 3 * chains
    assert len(set(expected.states)) > 3 * chains
    assert replace(found, words_in=0, words_out=0) == replace(expected, words_in=0, words_out=0)


def test_conditions_reach_all(pair: Device) -> None:
    one = golden()
    for device in (one, pair):
        device.load(ring())
        device.condition(conditions(-200))
    assert pair.run(request(chains=6)).energies == one.run(request(chains=6)).energies
    assert pair.loads == 1


def test_a_refusal_is_passed_on_and_harms_nothing(pair: Device) -> None:
    with pytest.raises(DeviceError, match="no program is loaded"):
        pair.run(request(chains=4))
    pair.load(ring())
    with pytest.raises(ProgramError):
        pair.run(request(chains=0))
    assert pair.run(request(chains=4)).reads == 4


def test_only_equal_devices_work_as_one() -> None:
    with pytest.raises(DeviceError, match="different fingerprints"):
        ParallelDevice([golden(), Driver(GoldenStream(GraphParameters(lanes=8)))])
    with pytest.raises(DeviceError, match="one device at least"):
        ParallelDevice([])


@pytest.fixture(scope="module")
def simulated() -> Iterator[Device]:
    streams = [SimStream(P), SimStream(P)]
    with ParallelDevice([Driver(stream) for stream in streams], streams) as device:
        yield device


@pytest.mark.sim
def test_simulated_devices_draw_side_by_side(simulated: Device) -> None:
    one = golden()
    for device in (one, simulated):
        device.load(ring())
    found, expected = (device.run(request(chains=9, draws=4)) for device in (simulated, one))
    assert replace(found, words_in=0, words_out=0) == replace(expected, words_in=0, words_out=0)


@pytest.mark.sim
@pytest.mark.parametrize("how", ["ctrl-c", "progress"])
def test_a_stopped_run_ends_on_all(simulated: Device, how: str) -> None:
    one = golden()
    for device in (one, simulated):
        device.load(ring())
    endless = request(chains=2, sweeps_per_step=1 << 30)

    def give_up(done: int, of: int) -> None:
        if how == "progress":
            raise TimeoutError(f"{done} of {of} is enough")

    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    if how == "ctrl-c":
        timer.start()
    with pytest.raises(KeyboardInterrupt if how == "ctrl-c" else TimeoutError):
        simulated.run(endless, give_up)
    found, expected = (device.run(request(chains=4)) for device in (simulated, one))
    assert found.energies == expected.energies

"""What the Langevin engine of every device must do: golden, Verilated, analog.

The golden device is the reference: results of others are compared with it to the bit.
"""

import signal
import threading
from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from gibbsite.devices import open as open_device
from gibbsite.driver import Driver
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, ProgramError
from gibbsite_hw.spec.langevin_formats import OPERAND_SHIFT, STATE_MAX
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    LangevinResult,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_timing import (
    moment_cycles,
    pass_cycles,
    seeding_cycles,
    start_cycles,
)
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.langevin import LangevinEngine, Walkers
from gibbsite_models.golden.langevin_schedule import Setting
from gibbsite_models.langevin_float import Protocol, Segment, ramp

DIGITAL = [
    "golden:?engines=langevin",
    "golden:",
    "fast:?engines=langevin",
    pytest.param("sim:?engines=langevin", marks=pytest.mark.sim),
    pytest.param("sim:?engines=langevin&threads=2", marks=pytest.mark.sim),
]
DEVICES = [*DIGITAL, "analog:?mismatch=3"]

digital = pytest.mark.parametrize("device", DIGITAL, indirect=True, scope="module")
"""For what only devices of the same bits, clock and exact states can do."""
N, M = 11, 5


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with open_device(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def reference() -> Iterator[Device]:
    with open_device("golden:?engines=langevin") as opened:
        yield opened


def mixed() -> Potential:
    """All terms: wells of one and two bottoms, dense couplings, square and hinged rows, forces."""
    random = np.random.default_rng(11)
    J = np.triu(random.uniform(-0.3, 0.3, (N, N)), 1)
    return Potential.build(
        N,
        J2=random.uniform(-0.5, 2, N),
        J4=random.uniform(0.2, 0.6, N),
        b=random.uniform(-1, 1, N),
        J=J + J.T,
        K=random.uniform(-1, 1, (M, N)),
        d=random.uniform(-1, 1, M),
        lam=random.uniform(0.1, 1, M),
        hinge=np.arange(M) % 2 == 0,
        force=random.uniform(-1, 1, N),
    )


@pytest.fixture(scope="module")
def compiled(device: Device) -> CompiledPotential:
    return compile_potential(mixed(), device.info.langevin, headroom=4)


@pytest.fixture
def loaded(device: Device, compiled: CompiledPotential) -> Device:
    device.load(compiled.program)
    return device


def protocol() -> Protocol:
    """A rest, a ramp of all strengths and of kT, and a hold that is measured."""
    first = Segment(3, 0.9, 0.01, (0.5, 1, 0.3, 1, 0.2, -1), measure=False)
    last = Segment(4, 0.4, 0.01, (1.5, 1, 1, 0.7, 1, 1))
    return Protocol(1.3, [first, *ramp(replace(first, measure=True), last, 6), last])


def request(compiled: CompiledPotential, **fields: object) -> LangevinRequest:
    base = {"start": 0.2, "spread": 0.5, "seed": 0x0123_4567_89AB_CDEF, "chains": 6}
    return compiled.request(protocol(), **{**base, **fields})


def same(one: LangevinResult, two: LangevinResult) -> bool:
    """Equal in all that was drawn and counted; words moved depend on how the device is reached."""
    return replace(one, words_in=0, words_out=0) == replace(two, words_in=0, words_out=0)


def test_it_says_what_it_is(device: Device) -> None:
    assert isinstance(device, Device)
    assert "langevin" in device.info.engines
    assert device.info.fingerprint == device.info.parameters.fingerprint()


@digital
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"draws": 4, "thin": 3},
        {"best": True, "draws": 3},
        {"samples": False, "best": True},
        {"samples": False, "pairs": [(0, 0), (3, 7), (10, None)], "moment_every": 2, "draws": 2},
        {"trajectory": True, "draws": 9, "thin": 2, "pairs": [(1, 2)]},
        {"trajectory": True, "samples": False},
        {"first_chain": 2**32 - 3, "spread": 0.0},
    ],
    ids=["plain", "thinned", "best", "best only", "moments", "trajectory", "start", "far chains"],
)
def test_results_are_those_of_the_reference(
    loaded: Device, reference: Device, compiled: CompiledPotential, fields: dict
) -> None:
    wanted = request(compiled, **fields)
    reference.load(compiled.program)
    found = loaded.run(wanted)
    assert same(found, reference.run(wanted))
    assert found.counters.saturations == 0


def test_energies_work_and_heat_are_those_of_the_states(
    loaded: Device, compiled: CompiledPotential
) -> None:
    steps = protocol().steps
    wanted = request(compiled, trajectory=True, draws=steps + 1, best=True)
    out = compiled.decode(loaded.run(wanted), wanted)
    end = protocol().segments[-1].strengths
    at_end = compiled.held.energy(out.states, end)
    # operands have 14 fraction bits; forces here stay below 100, of 11 units
    assert out.energies[:, -1] == pytest.approx(at_end[:, -1], abs=0.03)
    assert out.best_energies[:, -1] == pytest.approx(at_end.min(axis=1), abs=0.03)
    changed = out.energies[:, -1] - compiled.held.energy(out.states[:, 3], protocol().before)
    # steps of sqrt(2 1.3 0.9 0.01) = 0.15 and third derivatives up to 24 J4 z: 0.15^3 20/12 a unit
    assert changed == pytest.approx(out.work[:, -1] - out.heat[:, -1], abs=0.5)
    assert np.abs(out.work[:, -1]).min() > 0
    assert (out.work[:, 3] == 0).all()
    assert (out.heat[:, 3] == 0).all()


@digital
def test_counters_are_those_of_the_layout(loaded: Device, compiled: CompiledPotential) -> None:
    p, steps, chains, draws, thin = loaded.info.langevin, protocol().steps, 3, 5, 2
    pairs = [(0, 1), (2, None), (4, 4)]
    wanted = request(compiled, chains=chains, draws=draws, thin=thin, pairs=pairs, moment_every=3)
    counters = loaded.run(wanted).counters
    each = steps + (draws - 1) * thin
    assert counters.steps == chains * each
    assert counters.updates == chains * each * N
    assert counters.reads == chains * draws
    assert counters.products == chains * (each + 1) * (N * N + 2 * M * N)
    added = (each - 3) // 3
    one = seeding_cycles(p, N) + start_cycles(N) + (each + 1) * pass_cycles(p, N, M, True)
    assert counters.cycles == chains * (one + added * moment_cycles(len(pairs)))


def test_any_chain_can_be_replayed_alone(loaded: Device, compiled: CompiledPotential) -> None:
    fields = {"draws": 3, "best": True, "pairs": [(0, 1), (5, None)]}
    whole = loaded.run(request(compiled, **fields))
    alone = loaded.run(request(compiled, chains=1, first_chain=4, **fields))
    assert alone.states == whole.states[12 * N : 15 * N]
    assert alone.best_states == whole.best_states[12 * N : 15 * N]
    for name in ("energies", "work", "heat", "best_energies"):
        assert getattr(alone, name) == getattr(whole, name)[12:15]
    assert alone.moments == whole.moments[8:10]
    other = loaded.run(request(compiled, seed=5))
    assert other.states != loaded.run(request(compiled)).states


@digital
def test_conditions_stream_and_clamps_hold_without_loading_again(
    loaded: Device, reference: Device, compiled: CompiledPotential
) -> None:
    loads, old = loaded.loads, compiled.potential
    before = loaded.run(request(compiled))
    reference.load(compiled.program)
    for size in (-2.0, 3.0):
        condition = Condition(
            bias=size * old.b, d=size * old.d, lam=abs(size) * old.lam, clamps={2: 0.75, 8: size}
        )
        for one in (loaded, reference):
            one.condition(compiled.conditions(condition))
        wanted = request(compiled, draws=4)
        found = loaded.run(wanted)
        assert same(found, reference.run(wanted))
        out = compiled.decode(found, wanted)
        assert (out.states[..., 2] == 0.75).all()
        assert (out.states[..., 8] == size).all()
        assert (np.ptp(out.states[..., 3]) > 0).all()
    loaded.condition(compiled.program.conditions)
    assert same(loaded.run(request(compiled)), before)
    assert loaded.loads == loads


@digital
def test_a_given_state_is_where_chains_start(loaded: Device, compiled: CompiledPotential) -> None:
    start = np.linspace(-3, 3, N)
    wanted = request(compiled, start=start, spread=0.0, trajectory=True, chains=2)
    out = compiled.decode(loaded.run(wanted), wanted)
    # a start without spread is rounded with a dither of one last bit
    assert np.abs(out.states[:, 0] - start).max() < 2 * compiled.scales.length * 2.0**-28


@digital
def test_saturations_are_counted_and_states_stay_in_range(
    device: Device, reference: Device
) -> None:
    """Two units without a potential are kicked across the range, and a third is pushed as far."""
    program = LangevinProgram(
        *(array("i", [0, 0, 0]), array("i", [0, 0, 0]), array("i", [0, 0, 1 << 20])),
        *(array("i"), array("i")),
        Shifts(),
        LangevinConditions(array("i", [0, 0, 0])),
    )
    kick = ScheduleEntry(40, (200_000, 13), (200_000, 15), (1 << 16,) * 6)
    wanted = LangevinRequest([kick], seed=3, chains=4, trajectory=True, draws=41)
    results = []
    for one in (device, reference):
        one.load(program)
        results.append(one.run(wanted))
    found = results[0]
    assert same(*results)
    z = np.array(found.states).reshape(4, 41, 3)
    assert np.abs(z).max() == STATE_MAX
    ends = (np.abs(z[:, 1:]) == STATE_MAX).sum()
    # every state at an end of the range got there by saturation, and nothing else saturates here:
    # the last pass makes no step
    assert found.counters.saturations == ends > 100
    low, high = ((z[:, 1:, 2] == end).sum() for end in (-STATE_MAX, STATE_MAX))
    assert low > 5 * (high + 1)


def test_moments_are_sums_of_what_is_drawn(loaded: Device, compiled: CompiledPotential) -> None:
    pairs = [(i, i) for i in range(N)] + [(0, 10), (4, None)]
    wanted = request(compiled, trajectory=True, draws=14, pairs=pairs)
    result = loaded.run(wanted)
    x = np.array(result.states).reshape(6, 14, N)[:, 4:]  # the first three steps are not measured
    x = x + (1 << OPERAND_SHIFT - 1) >> OPERAND_SHIFT
    sums = [(x[..., i] * (1 << 14 if j is None else x[..., j])).sum(axis=1) for i, j in pairs]
    assert (np.stack(sums) == np.array(result.moments).reshape(6, -1).T).all()
    assert list(result.moment_counts) == [10] * 6


def dense(random: np.random.Generator, units: int, rows: int) -> Potential:
    J = np.triu(random.uniform(-0.05, 0.05, (units, units)), 1)
    K = random.uniform(-0.1, 0.1, (rows, units))
    return Potential.build(units, J2=2.0, J=J + J.T, K=K, d=0.3, lam=0.2)


@digital
def test_multipliers_are_busy_by_the_device_s_own_counters(
    device: Device, reference: Device
) -> None:
    p = device.info.langevin
    built = compile_potential(dense(np.random.default_rng(1), 256, 256), p)
    wanted = built.request(Protocol(1.0, [Segment(5, 0.5, 0.01)]), spread=0.5, seed=2)
    results = []
    for one in (device, reference):
        one.load(built.program)
        results.append(one.run(wanted))
    assert same(*results)
    counters = results[0].counters
    passes = 6
    assert counters.products == passes * 3 * 256 * 256
    in_passes = counters.cycles - seeding_cycles(p, 256) - start_cycles(256)
    # all that a pass takes, its latencies and its tail too, counts as slots
    assert counters.products / (p.multipliers * in_passes) >= 0.80
    assert results[0].counters.saturations == 0


@digital
@pytest.mark.parametrize(("units", "rows"), [(1, 0), (1, 1), (63, 0), (64, 3), (65, 64), (130, 65)])
def test_sizes_around_a_coupling_word(
    device: Device, reference: Device, units: int, rows: int
) -> None:
    built = compile_potential(dense(np.random.default_rng(2), units, rows), device.info.langevin)
    wanted = built.request(Protocol(1.0, [Segment(4, 0.5, 0.01)]), spread=0.5, chains=2, best=True)
    results = []
    for one in (device, reference):
        one.load(built.program)
        results.append(one.run(wanted))
    assert same(*results)


def test_a_program_that_is_refused_changes_nothing(loaded: Device, compiled) -> None:
    before = loaded.run(request(compiled))
    loads = loaded.loads
    broken = replace(compiled.program, couplings=array("i", compiled.program.couplings))
    broken.couplings[1] += 1  # one of a pair
    with pytest.raises(ProgramError, match="symmetric"):
        loaded.load(broken)
    with pytest.raises(ProgramError, match="a clamp names unit 11"):
        loaded.condition(replace(compiled.program.conditions, clamps={11: 0}))
    with pytest.raises(ProgramError, match="schedule has 0 entries"):
        loaded.run(replace(request(compiled), schedule=[]))
    assert loaded.loads == loads
    assert same(loaded.run(request(compiled)), before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_stopped_run_leaves_it_working(
    loaded: Device, compiled: CompiledPotential, error: type[BaseException], monkeypatch
) -> None:
    monkeypatch.setattr("gibbsite.link.PROGRESS_SECONDS", 0.0)
    before = loaded.run(request(compiled))

    def stop(done: int, total: int) -> None:
        assert 0 <= done <= total == 300
        raise error

    with pytest.raises(error):
        loaded.run(request(compiled, chains=300), progress=stop)
    assert same(loaded.run(request(compiled)), before)


def test_ctrl_c_in_the_middle_of_a_run_leaves_it_working(loaded: Device, compiled) -> None:
    main = threading.main_thread().ident
    assert main is not None

    def interrupted_run(delay: float) -> None:
        timer = threading.Timer(delay, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        loaded.run(request(compiled, chains=10_000_000))

    before = loaded.run(request(compiled))
    for delay in (0.05, 0.15, 0.3):
        with pytest.raises(KeyboardInterrupt):
            interrupted_run(delay)
        assert same(loaded.run(request(compiled)), before)


def test_progress_ends_with_all_draws(loaded: Device, compiled: CompiledPotential) -> None:
    heard: list[tuple[int, int]] = []
    loaded.run(request(compiled, draws=2), progress=lambda *pair: heard.append(pair))
    assert heard[-1] == (12, 12)


def test_a_small_program_after_a_large_one(device: Device, compiled: CompiledPotential) -> None:
    device.load(compiled.program)
    device.condition(compiled.conditions(Condition(clamps={0: 1.0})))
    device.run(request(compiled))
    tiny = compile_potential(Potential.build(1, J2=0.5, b=0.8), device.info.langevin)
    device.load(tiny.program)
    wanted = tiny.request(Protocol(1.0, [Segment(40, 0.5, 0.2)]), chains=400, seed=1)
    z = tiny.decode(device.run(wanted), wanted).states
    # mean -0.8, deviation sqrt(0.5/0.9) = 0.75: 400 of them know it to 0.037; 5 of these: 6e-7
    assert abs(z.mean() + 0.8) < 5 * 0.037


def test_nothing_runs_before_a_program_and_a_closed_device_says_so() -> None:
    device = open_device("golden:?engines=langevin")
    built = compile_potential(mixed(), device.info.langevin)
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.run(request(built))
    device.close()
    device.close()
    with pytest.raises((DeviceError, CommandRefused), match="closed"):
        device.load(built.program)


def test_a_fault_of_one_last_bit_is_seen(reference: Device) -> None:
    class Off(LangevinEngine):
        def step(self, walkers: Walkers, gradient: np.ndarray, setting: Setting) -> None:
            super().step(walkers, gradient, setting)
            walkers.z[3, 0] += 1

    built = compile_potential(mixed(), reference.info.langevin)
    wanted = replace(request(built), chains=1, seed=1)
    with Driver(GoldenStream(reference.info.langevin, engines=Engines(langevin=Off))) as faulty:
        for one in (reference, faulty):
            one.load(built.program)
        assert not same(faulty.run(wanted), reference.run(wanted))

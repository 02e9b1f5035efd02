"""What every device must do, to be loaded by each: golden, the Verilated one, the analog circuit.

The golden device is the reference: results of others are compared with it to the bit.
"""

import math
import signal
import threading
from array import array
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dimod
import numpy as np
import pytest

from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.devices import open as open_device
from gibbsite.slot_model import MixedModel
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, ProgramError
from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.program import RunRequest, RunResult
from gibbsite_hw.spec.seeding import seeding_cycles
from gibbsite_sim.serial_board import GoldenCore, PtyBoard

DIGITAL = [
    "golden:",
    "fast:",
    "fast:?threads=2",
    pytest.param("uart:", marks=pytest.mark.nightly),
    pytest.param("sim:?engines=graph", marks=pytest.mark.sim),
    pytest.param("sim:?engines=graph&threads=2", marks=pytest.mark.sim),
]
DEVICES = [*DIGITAL, "analog:?mismatch=3"]

digital = pytest.mark.parametrize("device", DIGITAL, indirect=True, scope="module")
"""For what only devices of the same bits and clock can do."""


@pytest.fixture(scope="module", params=DEVICES)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    if request.param == "uart:":  # the golden device behind a pseudo-terminal
        with (
            PtyBoard(GoldenCore(DeviceParameters())) as board,
            open_device(f"uart:{board.path}") as opened,
        ):
            yield opened
        return
    with open_device(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def reference() -> Iterator[Device]:
    with open_device("golden:") as opened:
        yield opened


def mixed() -> MixedModel:
    """Twelve p-bits and three groups (3, 17 and 1 cases), couplings of both signs, and fields."""
    rng = np.random.default_rng(11)
    spins = dimod.BinaryQuadraticModel("SPIN")
    spins.add_linear_from({f"s{k}": int(rng.integers(-5, 6)) for k in range(12)})
    for k in range(12):
        for j in range(k):
            if rng.random() < 0.4:
                spins.add_quadratic(f"s{k}", f"s{j}", int(rng.integers(-6, 7)))
    choices = dimod.DiscreteQuadraticModel()
    for name, cases in (("u", 3), ("v", 17), ("w", 1)):
        choices.add_variable(cases, name)
        choices.set_linear(name, rng.integers(-9, 10, cases).tolist())
    choices.set_quadratic("u", "v", {(k % 3, k): int(rng.integers(-6, 7)) for k in range(17)})
    between = {(f"s{k}", "v", k): float(rng.integers(-6, 7)) for k in range(8)}
    between |= {("s1", "w", 0): 3.0, ("s2", "u", 2): -2.0}
    return MixedModel(spins, choices, between)


@pytest.fixture(scope="module")
def compiled(device: Device) -> CompiledModel:
    return compile_model(mixed(), device.info.graph)


@pytest.fixture
def loaded(device: Device, compiled: CompiledModel) -> Device:
    device.load(compiled.program)
    return device


def request(compiled: CompiledModel, **fields: object) -> RunRequest:
    betas = compiled.betas([0.02, 0.07, 0.2, 0.5])
    return RunRequest(**{"betas": betas, "seed": 0x0123_4567_89AB_CDEF, "chains": 6, **fields})


def same(one: RunResult, two: RunResult) -> bool:
    """Equal in all that was drawn and counted; words moved depend on how the device is reached."""
    return replace(one, words_in=0, words_out=0) == replace(two, words_in=0, words_out=0)


def test_it_says_what_it_is(device: Device) -> None:
    assert isinstance(device, Device)
    assert "graph" in device.info.engines
    assert device.info.fingerprint == device.info.parameters.fingerprint()


@digital
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"draws": 4, "thin": 3},
        {"best": True, "draws": 3},
        {"samples": False, "sweeps_per_step": 3},
        {"first_chain": 2**32 - 3},
        {"betas": array("I")},
    ],
    ids=["plain", "thinned", "best", "energies", "far chains", "no sweeps"],
)
def test_results_are_those_of_the_reference(
    loaded: Device, reference: Device, compiled: CompiledModel, fields: dict
) -> None:
    wanted = request(compiled, **fields)
    reference.load(compiled.program)
    assert same(loaded.run(wanted), reference.run(wanted))


def test_energies_are_exact(loaded: Device, compiled: CompiledModel) -> None:
    result = loaded.run(request(compiled, chains=20, draws=5, best=True))
    for best in (False, True):
        out = compiled.decode(result, best=best)
        assert out.energies == pytest.approx(out.device_energies, abs=1e-9)
    assert (np.array(result.best_energies) <= np.array(result.energies)).all()
    assert result.reads == result.counters.reads == 100


@digital
def test_counters_are_those_of_the_layout(loaded: Device, compiled: CompiledModel) -> None:
    counters = loaded.run(request(compiled, chains=3, draws=5, thin=2)).counters
    sweeps = 3 * (4 + 4 * 2)
    assert counters.sweeps == sweeps
    assert counters.sweep_cycles == sweeps * compiled.sweep_cycles
    assert counters.updates == sweeps * compiled.model.slots
    assert counters.terms == sweeps * 2 * len(compiled.model.weight)
    seeding = device_seeding(loaded)
    assert counters.cycles == counters.sweep_cycles + 3 * (seeding + compiled.sweep_cycles)


def device_seeding(device: Device) -> int:
    graph = device.info.graph
    return graph.lanes * seeding_cycles(graph.hash_rounds)


def test_any_chain_can_be_replayed_alone(loaded: Device, compiled: CompiledModel) -> None:
    rows = len(compiled.program.rows)
    whole = loaded.run(request(compiled, chains=6, draws=3))
    alone = loaded.run(request(compiled, chains=1, draws=3, first_chain=4))
    assert alone.states == whole.states[12 * rows : 15 * rows]
    assert alone.energies == whole.energies[12:15]
    other = loaded.run(request(compiled, chains=6, draws=3, seed=5))
    assert other.states != whole.states


def test_clamps_hold_without_loading_again(loaded: Device, compiled: CompiledModel) -> None:
    loads = loaded.loads
    under = compiled.conditions(
        biases={"s3": 4.0, "u": [1.0, 2.0, 3.0]},
        clamps_on={"s0": 1, "s1": -1, "v": 16},
        clamps_off={"u": [1]},
    )
    loaded.condition(under.conditions)
    # at beta 0 the two cases left are drawn alike: one is missing with probability 2^-29
    result = loaded.run(request(compiled, betas=array("I", [0]), chains=30))
    out = compiled.decode(result, under)
    column = {name: out.values[:, k] for k, name in enumerate(compiled.variables)}
    assert (column["s0"] == 1).all()
    assert (column["s1"] == -1).all()
    assert (column["v"] == 16).all()
    assert set(column["u"].tolist()) == {0, 2}
    assert out.energies == pytest.approx(out.device_energies, abs=1e-9)
    loaded.condition(compiled.program.conditions)
    assert loaded.loads == loads


def test_a_given_state_is_where_chains_start(loaded: Device, compiled: CompiledModel) -> None:
    sample = {name: 1 if name.startswith("s") else 0 for name in compiled.variables}
    state = compiled.state(sample)
    result = loaded.run(request(compiled, betas=array("I"), state=state, chains=2))
    out = compiled.decode(result)
    for values in out.values.tolist():
        assert dict(zip(compiled.variables, values, strict=True)) == sample
    assert out.energies == pytest.approx(out.device_energies, abs=1e-9)


def test_bad_conditions_and_states_are_refused_and_leave_it_working(
    loaded: Device, compiled: CompiledModel
) -> None:
    before = loaded.run(request(compiled))
    row, lane = divmod(compiled.address("u", 0), device_lanes(loaded))
    group = compiled.program.rows[row].mask

    def refused(code: ErrorCode, state: array | None = None) -> None:
        with pytest.raises(CommandRefused) as caught:
            loaded.run(request(compiled, state=state))
        assert (caught.value.code, caught.value.detail) == (code, row)

    conditions = compiled.conditions().conditions
    conditions.clamps_off[row] = group
    loaded.condition(conditions)
    refused(ErrorCode.NO_STATE_LEFT)
    conditions.clamps_off[row] = 0
    conditions.clamps_on[row] = group
    loaded.condition(conditions)
    refused(ErrorCode.PINNED_TWICE)
    loaded.condition(compiled.program.conditions)
    state = compiled.state({name: 1 if name[0] == "s" else 0 for name in compiled.variables})
    state[row] = group
    refused(ErrorCode.STATE_NOT_ONE_HOT, state)
    loaded.condition(compiled.conditions(clamps_off={"u": [0]}).conditions)
    state[row] = 1 << lane
    refused(ErrorCode.STATE_AGAINST_CLAMP, state)
    loaded.condition(compiled.program.conditions)
    assert same(loaded.run(request(compiled)), before)


def device_lanes(device: Device) -> int:
    return device.info.graph.lanes


def test_a_program_that_is_refused_changes_nothing(loaded: Device, compiled) -> None:
    before = loaded.run(request(compiled))
    loads = loaded.loads
    broken = compile_model(mixed(), loaded.info.graph).program
    broken.entries[0] ^= 1 << loaded.info.graph.address_bits  # a weight of one list alone
    with pytest.raises(ProgramError):
        loaded.load(broken)
    assert loaded.loads == loads
    assert same(loaded.run(request(compiled)), before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_stopped_run_leaves_it_working(
    loaded: Device, compiled: CompiledModel, error: type[BaseException], monkeypatch
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


@digital
@pytest.mark.parametrize(("name", "bar"), [("G14", 0.80), ("G22", 0.85)])
def test_lanes_are_busy_by_the_device_s_own_counters(
    device: Device, shared: Path, name: str, bar: float
) -> None:
    numbers = (shared / "data" / "maxcut" / f"{name}.txt").read_text(encoding="utf-8").split()
    table = np.array(numbers[2:], dtype=float).reshape(-1, 3)
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_quadratic_from([(int(i), int(j), w / 2) for i, j, w in table])
    built = compile_model(model, device.info.graph)
    device.load(built.program)
    result = device.run(RunRequest(built.betas([0.1, 1.0]), seed=3))
    counters = result.counters
    assert counters.sweeps == 2
    assert counters.terms == 2 * 2 * len(table)
    assert counters.terms / (device.info.graph.lanes * counters.sweep_cycles) >= bar
    assert built.decode(result).energies == pytest.approx(built.decode(result).device_energies)


@digital
@pytest.mark.parametrize("cases", [1, 15, 16, 17, 256])
@pytest.mark.parametrize("degree", [0, 1, 33])
def test_a_group_costs_no_more_than_its_share(device: Device, cases: int, degree: int) -> None:
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(cases, "g")
    spins = dimod.BinaryQuadraticModel("SPIN")
    spins.add_linear_from(dict.fromkeys(range(degree), 1.0))
    between = {(k, "g", case): 1.0 for k in range(degree) for case in range(cases)}
    built = compile_model(MixedModel(spins, choices, between), device.info.graph)
    device.load(built.program)
    counters = device.run(RunRequest(built.betas([0.5]), seed=1)).counters
    others = [row for row in built.program.rows if not row.group]
    own = counters.sweep_cycles - sum(row.length for row in others) - (8 if others else 0)
    assert 0 < own <= math.ceil(cases / device.info.graph.lanes) * max(degree, 1) + 8


def test_progress_ends_with_all_reads(loaded: Device, compiled: CompiledModel) -> None:
    heard: list[tuple[int, int]] = []
    loaded.run(request(compiled, draws=2), progress=lambda *pair: heard.append(pair))
    assert heard[-1] == (12, 12)


def test_a_small_program_after_a_large_one(device: Device, compiled: CompiledModel) -> None:
    device.load(compiled.program)
    tiny = compile_model(dimod.BinaryQuadraticModel({"a": 1.0}, {}, 0.5, "SPIN"), device.info.graph)
    device.load(tiny.program)
    result = device.run(RunRequest(tiny.betas([2.0]), seed=1, chains=400))
    ones = int((tiny.decode(result).values == 1).sum())
    # P(+1) = 1 / (1 + e^4) = 0.018; 400 draws: 7.2 expected, above 24 with probability below 1e-6
    assert ones <= 24


def test_a_closed_device_says_so() -> None:
    device = open_device("golden:")
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.load(compile_model(mixed(), device.info.graph).program)

"""The analog device as its user meets it: both engines' programs, trims, replays, refusals."""

from collections.abc import Iterator
from dataclasses import replace

import dimod
import numpy as np
import pytest

from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.devices import available
from gibbsite.devices import open as open_device
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError, UnknownDevice
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment
from gibbsite_sim.analog.calibrate import Trimmable
from gibbsite_sim.analog.chip import Trims
from gibbsite_sim.analog.device import AnalogDevice

KT = 0.6
PROTOCOL = Protocol(1.0, [Segment(40, kT=KT, dt=0.05)])


@pytest.fixture(scope="module")
def device() -> Iterator[AnalogDevice]:
    with open_device("analog:?mismatch=5&like=small&units=8") as opened:
        assert isinstance(opened, AnalogDevice)
        yield opened


def potential() -> Potential:
    return Potential.build(
        4,
        J2=[1.0, 1.5, 2.0, 1.2],
        J4=[0, 0, 0.5, 0],
        b=[0.5, -1, 0, 0.3],
        J={(0, 1): 0.6, (1, 2): -0.4},
    )


@pytest.fixture(scope="module")
def compiled(device: AnalogDevice) -> CompiledPotential:
    return compile_potential(potential(), device.info.langevin)


def wanted(compiled: CompiledPotential, **fields: object) -> LangevinRequest:
    return compiled.request(PROTOCOL, **{"seed": 9, "chains": 8, "draws": 3, "thin": 5, **fields})


def drawn(result: LangevinResult) -> LangevinResult:
    return replace(result, words_in=0, words_out=0)


def test_it_says_what_it_is(device: AnalogDevice) -> None:
    assert isinstance(device, Device)
    assert isinstance(device, Trimmable)
    assert device.info.engines == ("graph", "langevin")
    assert device.info.uri.startswith("analog:")
    assert device.info.clock_hz is None
    assert "mismatch" in {scheme.uri: scheme for scheme in available()}["analog:"].parameters


def test_runs_repeat_and_chains_replay_alone(
    device: AnalogDevice, compiled: CompiledPotential
) -> None:
    device.load(compiled.program)
    pairs = [(0, None), (0, 1)]
    request = wanted(compiled, best=True, pairs=pairs, spread=0.5)
    one = device.run(request)
    assert drawn(device.run(request)) == drawn(one)
    alone = device.run(replace(request, chains=1, first_chain=5))
    assert alone.states == one.states[5 * 12 : 6 * 12]
    assert alone.heat == one.heat[15:18]
    assert alone.moments == one.moments[10:12]
    other = device.run(replace(request, seed=10))
    assert other.states != one.states


def test_what_it_counts(device: AnalogDevice, compiled: CompiledPotential) -> None:
    device.load(compiled.program)
    counters = device.run(wanted(compiled)).counters
    assert (counters.steps, counters.updates, counters.reads) == (400, 1600, 24)
    assert (counters.cycles, counters.products, counters.saturations) == (0, 0, 0)


def test_states_are_readings_of_the_adc(device: AnalogDevice, compiled: CompiledPotential) -> None:
    device.load(compiled.program)
    states = np.array(device.run(wanted(compiled)).states) / 2.0**28
    steps = states / (8 / 127)
    assert steps == pytest.approx(np.rint(steps), abs=1e-5)
    assert len(np.unique(states)) > 10


def test_energies_are_those_of_the_readings(
    device: AnalogDevice, compiled: CompiledPotential
) -> None:
    device.load(compiled.program)
    request = wanted(compiled)
    found = compiled.decode(device.run(request), request)
    assert found.states is not None
    exact = compiled.held.energy(found.states)
    # x and the force terms are rounded to 2^-14 and 2^-20: a few of them for each of 4 units
    assert found.energies == pytest.approx(exact, abs=4 * 4 * 2**-14)


def test_heat_balances_energy_where_the_potential_is_quadratic(device: AnalogDevice) -> None:
    quadratic = replace(potential(), J4=np.zeros(4))
    built = compile_potential(quadratic, device.info.langevin)
    device.load(built.program)
    request = wanted(built, trajectory=True, draws=30, thin=1, spread=0.5)
    found = built.decode(device.run(request), request)
    change = found.energies - found.energies[:, :1]
    # rounding of x and of the heat's factors, over 30 steps of 4 units
    assert change == pytest.approx(found.work - found.heat, abs=30 * 4 * 2**-14)
    assert np.abs(found.heat).max() > 0.1


def test_clamps_hold_and_conditions_stream(
    device: AnalogDevice, compiled: CompiledPotential
) -> None:
    device.load(compiled.program)
    loads = device.loads
    device.condition(compiled.conditions(Condition(clamps={2: 1.25})))
    request = wanted(compiled)
    states = compiled.decode(device.run(request), request).states
    assert states is not None
    assert (states[..., 2] == 1.25).all()
    assert np.ptp(states[..., 0]) > 0.1
    assert device.loads == loads


def test_a_trim_moves_what_it_trims(device: AnalogDevice, compiled: CompiledPotential) -> None:
    device.load(compiled.program)
    request = wanted(compiled, chains=100)
    before = compiled.decode(device.run(request), request).states
    codes = np.zeros(8, dtype=np.int64)
    codes[3] = 127
    device.trim(replace(Trims.zero(8), offset=codes))
    try:
        after = compiled.decode(device.run(request), request).states
    finally:
        device.trim(Trims.zero(8))
    assert before is not None
    assert after is not None
    moved = (after - before).mean(axis=(0, 1))
    # the same noise: only the trimmed unit moves, by 0.25 of full scale (4 * 8) over its 2.4
    assert moved[:3] == pytest.approx([0, 0, 0], abs=1e-9)
    assert moved[3] == pytest.approx(-0.25 * 4 * 8 / 2.4, rel=0.15)


def test_rails_are_counted(device: AnalogDevice, compiled: CompiledPotential) -> None:
    device.load(compiled.program)
    codes = np.full(8, 127)
    device.trim(replace(Trims.zero(8), offset=codes))
    hot = Protocol(1.0, [Segment(40, kT=60.0, dt=0.05)])
    try:
        result = device.run(compiled.request(hot, seed=1, chains=4))
    finally:
        device.trim(Trims.zero(8))
    assert result.counters.saturations > 0
    assert np.abs(np.array(result.states)).max() < 2**31


def spins() -> dimod.BinaryQuadraticModel:
    rng = np.random.default_rng(4)
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from({f"s{k}": float(rng.integers(-3, 4)) for k in range(10)})
    for k in range(10):
        for j in range(k):
            if rng.random() < 0.4:
                model.add_quadratic(f"s{k}", f"s{j}", float(rng.integers(-4, 5)))
    return model


@pytest.fixture(scope="module")
def ising(device: AnalogDevice) -> CompiledModel:
    return compile_model(spins(), device.info.graph)


def test_graph_programs_run_and_their_energies_are_exact(
    device: AnalogDevice, ising: CompiledModel
) -> None:
    device.load(ising.program)
    request = RunRequest(ising.betas([0.05, 0.2, 0.4]), seed=3, chains=30, draws=4, best=True)
    result = device.run(request)
    for best in (False, True):
        out = ising.decode(result, best=best)
        assert out.energies == pytest.approx(out.device_energies, abs=1e-9)
    again = device.run(request)
    assert again.states == result.states
    assert result.counters.reads == 120
    assert (result.counters.cycles, result.counters.terms) == (0, 0)
    assert result.counters.updates == 30 * (3 + 3) * 10


def test_graph_clamps_hold(device: AnalogDevice, ising: CompiledModel) -> None:
    device.load(ising.program)
    under = ising.conditions(clamps_on={"s0": 1, "s1": -1})
    device.condition(under.conditions)
    out = ising.decode(device.run(RunRequest(ising.betas([0.1]), chains=50)), under)
    column = {name: out.values[:, k] for k, name in enumerate(ising.variables)}
    assert (column["s0"] == 1).all()
    assert (column["s1"] == -1).all()
    assert len(np.unique(column["s2"])) == 2


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("analog:?set=none", "'none' is no set of circuit parameters: use rc-2026.1"),
        ("analog:?mismatch=-1", "the mismatch seed is -1"),
        ("analog:?mismatch=x", "give an integer"),
        ("analog:?waves=a.fst", "records no waveform"),
        ("analog:?seed=1", "has the parameter 'seed', which is none: use .*mismatch, set"),
        ("analog:/dev/null", "has none: write analog:"),
    ],
)
def test_addresses_that_name_no_chip_are_refused(uri: str, sentence: str) -> None:
    with pytest.raises(UnknownDevice, match=sentence):
        open_device(uri)


def test_programs_that_do_not_fit_are_refused_as_on_every_device(device: AnalogDevice) -> None:
    large = Potential.build(9, J2=1.0)
    with pytest.raises(ProgramError, match="9 units and the device holds 8"):
        compile_potential(large, device.info.langevin)
    other = open_device("golden:?like=small&units=16")
    with other, pytest.raises(ProgramError, match="9 units and the device holds 8"):
        device.load(compile_potential(large, other.info.langevin).program)


def test_a_run_without_a_program_and_a_closed_device_are_refused() -> None:
    opened = open_device("analog:?engines=langevin&units=4&constraints=0&multipliers=4")
    built = compile_potential(Potential.build(2, J2=1.0), opened.info.langevin)
    with pytest.raises(DeviceError, match="no program is loaded"):
        opened.run(built.request(PROTOCOL))
    with pytest.raises(ProgramError, match="no graph engine"):
        opened.load(compile_model(spins(), open_device("golden:").info.graph).program)
    opened.close()
    opened.close()
    with pytest.raises(DeviceError, match="closed"):
        opened.load(built.program)

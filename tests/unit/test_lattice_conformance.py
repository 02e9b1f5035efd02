"""What every lattice device must do; golden is the reference, to the bit and to the counter."""

from array import array
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite.devices import open as open_device
from gibbsite.lattice_reader import LatticeReader
from gibbsite.replicas import run_replicas
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.lattice_packets import LatticeResponse
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeRequest, LatticeResult
from gibbsite_hw.spec.packets import header
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.golden.lattice import LatticeEngine
from gibbsite_sim.cosim.lattice_programs import (
    STYLES,
    random_conditions,
    random_program,
    random_request,
    random_state,
)
from gibbsite_sim.fast.lattice import FastLatticeEngine

BUILD = "engines=lattice&rows=10&columns=12&banks=2&schedule_steps=16&payload_words=64"
SCHEMES = ["golden:", "fast:", "fast:?threads=2"]


@pytest.fixture(scope="module", params=SCHEMES)
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    with open_device(f"{request.param}{'&' if '?' in request.param else '?'}{BUILD}") as opened:
        yield opened


@pytest.fixture(scope="module")
def reference() -> Iterator[Device]:
    with open_device(f"golden:?{BUILD}") as opened:
        yield opened


def same(one: LatticeResult, other: LatticeResult) -> None:
    assert one.energies == other.energies
    assert one.states == other.states
    assert one.best_energies == other.best_energies
    assert one.best_states == other.best_states
    assert one.counters == other.counters
    assert (one.reads, one.aborted) == (other.reads, other.aborted)


@pytest.mark.parametrize("style", STYLES)
def test_random_programs_give_goldens_bits(device: Device, reference: Device, style: str) -> None:
    p = device.info.lattice
    rng = np.random.default_rng(len(style))
    for columns in (2, 8, 12):
        program = random_program(p, columns, rng, style=style, biased=bool(rng.integers(2)))
        device.load(program)
        reference.load(program)
        for _ in range(3):
            request = random_request(p, columns, rng)
            same(device.run(request), reference.run(request))
        conditions = random_conditions(p, columns, rng, biased=True, clamped=0.2)
        device.condition(conditions)
        reference.condition(conditions)
        request = random_request(p, columns, rng)
        same(device.run(request), reference.run(request))


def test_a_chain_can_be_replayed_alone(device: Device) -> None:
    p = device.info.lattice
    rng = np.random.default_rng(3)
    device.load(random_program(p, 8, rng))
    whole = device.run(LatticeRequest(array("I", [1 << 18]), seed=9, chains=7, draws=3))
    alone = device.run(
        LatticeRequest(array("I", [1 << 18]), seed=9, chains=1, draws=3, first_chain=5)
    )
    size = 8 * p.words
    assert alone.energies == whole.energies[15:18]
    assert alone.states == whole.states[15 * size : 18 * size]


def test_clamps_win_over_a_given_state(device: Device) -> None:
    p = device.info.lattice
    rng = np.random.default_rng(4)
    program = random_program(p, 6, rng, clamped=0.3)
    device.load(program)
    state = random_state(p, 6, rng)
    found = device.run(LatticeRequest(array("I"), state=state)).states
    on, off = program.conditions.clamps_on, program.conditions.clamps_off
    assert found.tolist() == [(s | a) & ~b for s, a, b in zip(state, on, off, strict=True)]


def test_wrong_programs_are_refused_and_change_nothing(device: Device, reference: Device) -> None:
    p = device.info.lattice
    rng = np.random.default_rng(5)
    good = random_program(p, 6, rng)
    request = LatticeRequest(array("I", [1 << 17]), chains=3)
    for one in (device, reference):
        one.load(good)
    crooked = replace(good, couplings=array("b", good.couplings))
    crooked.couplings[0] ^= 1
    for wrong, words in (
        (replace(good, columns=5), "even number in 2..12"),
        (replace(good, columns=14), "even number in 2..12"),
        (replace(good, couplings=good.couplings[:-1]), "give 4 a site"),
        (crooked, "at its other end"),
        (replace(good, couplings=array("b", [16]) * 240), r"within \+-15"),
    ):
        with pytest.raises(ProgramError, match=words):
            device.load(wrong)
        same(device.run(request), reference.run(request))
    narrow = random_program(p, 2, rng)
    narrow.couplings[:] = array("b", [3]) * len(narrow.couplings)
    with pytest.raises(ProgramError, match="which meet the same site of a torus of 10 rows and 2"):
        device.load(narrow)
    both = replace(good.conditions, clamps_on=array("I", [1] * 6), clamps_off=array("I", [1] * 6))
    high = replace(good.conditions, clamps_on=array("I", [1 << 10] * 6))
    big = replace(good.conditions, biases=array("i", [64] * 60))
    for conditions, words in (
        (both, "clamped on and off"),
        (high, "a bit above row 9"),
        (big, r"within \+-63"),
        (replace(good.conditions, biases=array("i", [0])), "give one a site"),
    ):
        with pytest.raises(ProgramError, match=words):
            device.condition(conditions)
    for asked, words in (
        (replace(request, betas=array("I", [1] * 17)), "the device holds 16"),
        (replace(request, betas=array("I", [1 << 24])), "outside 0..16777215"),
        (replace(request, chains=0), "CHAINS is 0"),
        (replace(request, seed=1 << 64), "64 bits"),
        (replace(request, state=array("I", [0])), "the program needs 6"),
    ):
        with pytest.raises(ProgramError, match=words):
            device.run(asked)
    same(device.run(request), reference.run(request))


def test_draws_are_put_in_order_of_chain(reference: Device) -> None:
    """Groups of banks send draw by draw; the last group may have fewer chains."""
    p = reference.info.lattice
    reference.load(random_program(p, 4, np.random.default_rng(2)))
    request = LatticeRequest(
        array("I", [1 << 17]), chains=5, draws=3, first_chain=2**32 - 2, best=True
    )
    whole = reference.run(request)
    for chain in range(5):
        number = (2**32 - 2 + chain) % 2**32
        alone = reference.run(replace(request, chains=1, first_chain=number))
        part = slice(3 * chain, 3 * chain + 3)
        assert whole.energies[part] == alone.energies
        assert whole.best_energies[part] == alone.best_energies
        for name in ("states", "best_states"):
            words = np.array(getattr(whole, name)).reshape(5, -1)[chain]
            assert words.tolist() == getattr(alone, name).tolist()


def test_a_reader_takes_no_room_for_draws_that_did_not_come() -> None:
    """A run of 2^63 draws that was stopped is as small as what came."""
    reader = LatticeReader(LatticeRequest(array("I"), chains=2**32 - 1, draws=2**31), 8192, 2)
    done = header(LatticeResponse.ABORTED, 1, 12)
    reader.take([done, *[0] * 12], 1)
    assert reader.result.aborted
    assert reader.result.reads == len(reader.result.energies) == len(reader.result.states) == 0


@pytest.mark.parametrize("style", STYLES)
def test_crooked_couplings_are_added_up_as_on_golden(style: str) -> None:
    """No driver loads couplings that differ at their ends; the engines agree on them all the same.

    The device adds the fields of one colour, so one end counts.
    """
    p = LatticeParameters(rows=10, columns=12)
    rng = np.random.default_rng(8)
    program = random_program(p, 6, rng, style=style)
    couplings = np.array(program.couplings, dtype=np.int8).reshape(6, p.rows, p.neighbours)
    couplings = couplings * rng.choice(np.array([-1, 1], dtype=np.int8), size=couplings.shape)
    request = LatticeRequest(array("I", [1 << 17]), chains=70, draws=2)
    found = []
    for engine in (LatticeEngine(p, couplings), FastLatticeEngine(p, couplings)):
        engine.condition(program.conditions)
        found.append(list(engine.run(request)))
    for name in ("energies", "states"):
        one, other = (np.concatenate([getattr(b, name) for b in blocks]) for blocks in found)
        assert np.array_equal(one, other)


def test_other_engines_are_named_as_missing(device: Device) -> None:
    with pytest.raises(ProgramError, match="has no graph engine, only lattice"):
        device.run(RunRequest(array("I")))
    with (
        open_device("golden:?engines=graph") as other,
        pytest.raises(ProgramError, match="engines=graph,lattice"),
    ):
        other.run(LatticeRequest(array("I")))


def test_a_run_without_a_program_says_so() -> None:
    for scheme in SCHEMES:
        with (
            open_device(f"{scheme}{'&' if '?' in scheme else '?'}{BUILD}") as device,
            pytest.raises(DeviceError, match="call load"),
        ):
            device.run(LatticeRequest(array("I")))


def test_a_progress_that_raises_stops_the_run(device: Device, reference: Device) -> None:
    class Enough(Exception):
        pass

    def stop(done: int, reads: int) -> None:
        raise Enough

    p = device.info.lattice
    program = random_program(p, 12, np.random.default_rng(6))
    for one in (device, reference):
        one.load(program)
    with pytest.raises(Enough):
        device.run(LatticeRequest(array("I", [1 << 18] * 8), chains=300, draws=4), stop)
    request = LatticeRequest(array("I", [1 << 18]), chains=5)
    same(device.run(request), reference.run(request))


def test_replicas_are_runs_of_their_own(device: Device, reference: Device) -> None:
    """Chains, betas and states of their own: what each run alone gives, counters added."""
    p = device.info.lattice
    rng = np.random.default_rng(8)
    chains = np.array([3, 900, 4, (1 << 32) - 1], dtype=np.uint32)
    betas = np.array([1 << 16, 1 << 19, 1 << 16, 5], dtype=np.uint32)
    for style in ("any", "one strength"):
        program = random_program(p, 8, rng, style=style)
        states = np.array([random_state(p, 8, rng) for _ in chains], dtype=np.uint32)
        device.load(program)
        reference.load(program)
        for given_states in (states, None):
            found = run_replicas(device, 7, chains, betas, given_states, 19, LatticeRequest)
            for k, (chain, beta) in enumerate(zip(chains.tolist(), betas.tolist(), strict=True)):
                state = None if given_states is None else array("I", states[k].tolist())
                alone = reference.run(
                    LatticeRequest(
                        array("I", [beta]), 7, first_chain=chain, sweeps_per_step=19, state=state
                    )
                )
                assert found.states[k].tolist() == alone.states.tolist()
                assert found.energies[k] == alone.energies[0]
            assert found.counters["updates"] == 4 * 19 * 80
            assert found.counters["cycles"] == 4 * alone.counters.cycles
    with pytest.raises(ProgramError, match="the program needs 8"):
        run_replicas(device, 7, chains, betas, states[:, :3], 2, LatticeRequest)
    with pytest.raises(ProgramError, match="there are no replicas"):
        run_replicas(device, 7, chains[:0], betas[:0], None, 2, LatticeRequest)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.sampled_from([2, 4, 6, 10, 34, 66]),
    columns=st.sampled_from([2, 4, 6, 14, 24]),
    neighbours=st.sampled_from([4, 8, 12]),
    banks=st.integers(1, 3),
    bits=st.sampled_from([(5, 7), (2, 2), (8, 10), (3, 9)]),
    style=st.sampled_from(STYLES),
    biased=st.booleans(),
    clamped=st.sampled_from([0.0, 0.1]),
)
def test_the_emulator_is_golden_for_any_build(
    seed, rows, columns, neighbours, banks, bits, style, biased, clamped
) -> None:
    if bits == (8, 10) and neighbours == 12:
        bits = (7, 10)
    p = LatticeParameters(
        rows=rows,
        columns=24,
        neighbours=neighbours,
        coupling_bits=bits[0],
        bias_bits=bits[1],
        banks=banks,
    )
    sizes = "&".join(
        f"lattice_{name}={getattr(p, name)}"
        for name in ("rows", "columns", "neighbours", "coupling_bits", "bias_bits", "banks")
    )
    rng = np.random.default_rng(seed)
    program = random_program(p, columns, rng, style=style, biased=biased, clamped=clamped)
    request = random_request(p, columns, rng)
    results = []
    for scheme in ("golden:", "fast:"):
        with open_device(f"{scheme}?engines=lattice&{sizes}") as device:
            assert device.info.lattice == p
            device.load(program)
            results.append(device.run(request))
    same(*results)


@pytest.mark.sim
@pytest.mark.nightly
@pytest.mark.parametrize("neighbours", [4, 12])
def test_the_largest_sides(neighbours: int) -> None:
    """512 x 512 sites, RTL and emulator beside golden; fewer columns of them, too."""
    sizes = f"engines=lattice&rows=512&columns=512&lattice_neighbours={neighbours}&banks=2"
    rng = np.random.default_rng(neighbours)
    with (
        open_device(f"golden:?{sizes}") as golden,
        open_device(f"fast:?{sizes}") as fast,
        open_device(f"sim:?{sizes}") as sim,
    ):
        p = sim.info.lattice
        for columns in (512, 200):
            program = random_program(p, columns, rng, biased=True, clamped=0.1)
            request = random_request(p, columns, rng)
            found = []
            for device in (golden, fast, sim):
                device.load(program)
                found.append(device.run(request))
            same(found[0], found[1])
            same(found[0], found[2])

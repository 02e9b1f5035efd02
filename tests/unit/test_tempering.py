"""Parallel tempering: swaps in exact integers, the same bits on every device, refusals."""

import dataclasses
from array import array
from decimal import Decimal, localcontext
from itertools import pairwise

import dimod
import numpy as np
import pytest

import gibbsite
import gibbsite.devices
from gibbsite.compiler import compile_model
from gibbsite.instances import edwards_anderson, planar_torus
from gibbsite.ledger.counts import COUNTS, Ledger
from gibbsite.replicas import run_replicas
from gibbsite.schedules import ArgumentError
from gibbsite.tempering import ParallelTempering
from gibbsite.tempering_engines import GraphLadder
from gibbsite.tempering_ladder import PILOT_BETAS, PILOT_ROUNDS, PILOT_SWEEPS, spaced_ladder
from gibbsite.tempering_rounds import temper
from gibbsite.tempering_statistics import Travels
from gibbsite.tempering_swaps import CLUSTER_STREAM, SWAP_STREAM, acceptance, accepts, uniforms
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.golden.noise import threefry2x64

SIZES = "?engines=graph"
"""The build that other tests simulate, too."""
LADDER = (0.2, 0.5, 0.9, 1.4)


@pytest.fixture(scope="module")
def model() -> dimod.BinaryQuadraticModel:
    """27 spins of a spin glass, with biases that no symmetry spares."""
    made = edwards_anderson(3, 1).model
    for spin in range(27):
        made.add_linear(spin, (spin % 5 - 2) / 2)
    return made


# --- swaps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("frac", [0, 12, 20, 32])
@pytest.mark.parametrize("units", [1e-9, 0.01, 0.7, 1.0, 12.3, 44.0])
def test_acceptance_is_the_exponential_to_64_bits(frac: int, units: float) -> None:
    loss = max(1, round(units * 2**frac))
    with localcontext() as context:
        context.prec = 60
        exact = int((-(Decimal(loss) / 2**frac)).exp() * 2**64)
    assert abs(acceptance(loss, frac) - exact) <= 1


def test_what_gains_is_always_accepted_and_what_loses_too_much_never() -> None:
    top = (1 << 64) - 1
    assert acceptance(0, 20) == acceptance(-5, 20) == 1 << 64
    assert acceptance(46 << 20, 20) == 0  # exp(-46) < 2^-64
    # hot at energy -8, cold at -3: the cold place takes the lower energy for certain
    assert accepts(top, (1 << 20, -8), (2 << 20, -3), 20)
    assert not accepts(top, (1 << 20, -3), (2 << 20, -8), 20)
    # exp(-(2 - 1) 5) = 0.0067: a uniform below it accepts
    assert accepts(round(0.0067 * 2**64), (1 << 20, -3), (2 << 20, -8), 20)
    assert not accepts(round(0.0068 * 2**64), (1 << 20, -3), (2 << 20, -8), 20)


def test_uniforms_are_threefry_words_of_seed_stream_round_and_pair() -> None:
    found = uniforms(7, SWAP_STREAM, 5, 3)
    for pair in range(3):
        word, _ = threefry2x64(
            (7, SWAP_STREAM), (np.array([5], dtype=np.uint64), np.array([pair], dtype=np.uint64))
        )
        assert found[pair] == word[0]
    drawn = [
        tuple(uniforms(seed, stream, number, 50).tolist())
        for seed in (1, 2)
        for stream in (SWAP_STREAM, CLUSTER_STREAM)
        for number in (0, 1)
    ]
    assert len({word for words in drawn for word in words}) == 400, "no two share a word"


# --- devices --------------------------------------------------------------------------------------


def outcome(uri: str, model: dimod.BinaryQuadraticModel) -> dict[str, object]:
    """All that a run gives but its timing, its device's name and the words that moved."""
    with gibbsite.open(uri) as device:
        tempering = ParallelTempering(
            device, betas=LADDER, groups=2, sweeps_per_round=2, clusters=True
        )
        found = tempering.sample(model, rounds=6, seed=11)
    counters = {k: v for k, v in found.counters.items() if not k.startswith("words_")}
    assert Ledger.model_validate(found.info["ledger"]).updates == found.counters["updates"]
    result = {
        field.name: getattr(found, field.name)
        for field in dataclasses.fields(found)
        if field.name not in ("timing", "counters", "info")
    }
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in result.items()}
    return {**plain, "counters": counters}


@pytest.mark.parametrize("scheme", ["fast:", pytest.param("sim:", marks=pytest.mark.sim)])
def test_every_digital_device_tempers_to_the_same_bits(scheme: str, model) -> None:
    golden = outcome("golden:" + SIZES, model)
    assert golden["counters"]["host_swaps_made"] > 0
    assert golden["counters"]["host_cluster_sites"] > 0
    assert outcome(scheme + SIZES, model) == golden


def test_energies_are_those_of_the_states(model) -> None:
    with gibbsite.open("golden:" + SIZES) as device:
        engine = GraphLadder(device, compile_model(model, device.info.graph, beta_max=2.0))

        def check(number: int, states: np.ndarray, energies: np.ndarray) -> None:
            for words, code in zip(
                states.reshape(-1, states.shape[-1]), energies.flat, strict=True
            ):
                assert model.energy(engine.values(words)) == pytest.approx(engine.energy(code))

        found = temper(engine, engine.codes(LADDER), rounds=4, seed=2, groups=2, observer=check)
        assert model.energy(engine.values(found.best_words)) == pytest.approx(found.best_energy)
        assert found.best_code == found.energies.min() == found.lowest[-1]


def test_replica_k_of_a_round_is_the_chain_of_that_number(model) -> None:
    with gibbsite.open("golden:" + SIZES) as device:
        engine = GraphLadder(device, compile_model(model, device.info.graph, beta_max=2.0))
        codes = engine.codes(LADDER)
        held = {}
        found = temper(
            engine,
            codes,
            rounds=3,
            seed=2,
            sweeps=3,
            observer=lambda number, states, _: held.update({number: states[0].copy()}),
        )
        chains = np.arange(8, 12, dtype=np.uint32)
        again = run_replicas(device, 2, chains, codes, held[1], 3)
        assert again.energies.tolist() == found.energies[2, 0].tolist()


def test_the_lattice_engine_tempers_the_same_models() -> None:
    sites = sites_of("SPIN")
    found = {}
    for scheme in ("golden:", "fast:"):
        with gibbsite.open(scheme + "?engines=lattice&rows=4&columns=6") as device:
            tempering = ParallelTempering(
                device, betas=LADDER, groups=2, clusters=True, engine="lattice"
            )
            found[scheme] = tempering.sample(sites, rounds=8, seed=4)
    golden, fast = found["golden:"], found["fast:"]
    assert golden.energies.tolist() == fast.energies.tolist()
    assert golden.best == fast.best
    assert golden.counters["host_swaps_made"] == fast.counters["host_swaps_made"] > 0
    assert sites.energy(golden.best) == pytest.approx(golden.best_energy)


def sites_of(vartype: str) -> dimod.BinaryQuadraticModel:
    """A torus of 4 x 6 sites with biases, in either coding."""
    made = dimod.BinaryQuadraticModel("SPIN")
    torus = planar_torus(4, 6, 2)
    for low, high, weight in zip(torus.low, torus.high, torus.weight, strict=True):
        made.add_quadratic(divmod(int(low), 6), divmod(int(high), 6), float(weight))
    made.add_linear((1, 2), 2.0)
    return made.change_vartype(vartype, inplace=False)


@pytest.mark.parametrize("engine", ["graph", "lattice"])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_the_best_state_is_in_the_models_own_values(engine: str, vartype: str) -> None:
    sites = sites_of(vartype)
    with ParallelTempering("golden:?like=small", betas=LADDER, engine=engine) as tempering:
        found = tempering.sample(sites, rounds=5, seed=3)
    assert set(found.best.values()) == ({-1, 1} if vartype == "SPIN" else {0, 1})
    assert set(found.best) == set(sites.variables)
    assert sites.energy(found.best) == pytest.approx(found.best_energy)


def test_an_address_is_opened_and_given_back(monkeypatch, model) -> None:
    opened, original = [], gibbsite.devices.open

    def watched(uri: str):
        opened.append(original(uri))
        return opened[-1]

    for name in ("devices.open", "lattice_opening.open_device"):
        monkeypatch.setattr(f"gibbsite.{name}", watched)
    with ParallelTempering("golden:" + SIZES, betas=LADDER) as tempering:
        mine = tempering.sample(model, rounds=3, seed=1)
    with original("golden:" + SIZES) as device:
        with ParallelTempering(device, betas=LADDER) as tempering:
            theirs = tempering.sample(model, rounds=3, seed=1)
        device.run(RunRequest(betas=array("I", [1])))  # it is open still
    assert mine.energies.tolist() == theirs.energies.tolist()
    with ParallelTempering("golden:", betas=LADDER, engine="lattice", neighbours=8) as tempering:
        tempering.sample(sites_of("SPIN"), rounds=2, seed=1)
        tempering.sample(sites_of("SPIN"), rounds=2, seed=1)
    assert [device.info.engines for device in opened] == [("graph",), ("lattice",)]
    lattice = opened[1].info.lattice
    assert (lattice.rows, lattice.columns, lattice.neighbours) == (4, 6, 8)
    for device, request in zip(opened, (RunRequest, LatticeRequest), strict=True):
        with pytest.raises(DeviceError, match="closed"):
            device.run(request(betas=array("I", [1])))


@pytest.mark.parametrize("engine", ["graph", "lattice"])
def test_the_account_has_every_run_of_the_device(engine: str) -> None:
    """Those of the pilot, too; words are unknown where replicas do not go over the link."""
    sites = sites_of("SPIN")
    asked = {"beta_range": (0.2, 1.5), "engine": engine, "sweeps_per_round": 2}
    found = {}
    for scheme in ("golden:", "fast:"):
        with ParallelTempering(scheme, **asked) as tempering:
            found[scheme] = tempering.sample(sites, rounds=3, seed=1)
    golden = Ledger.model_validate(found["golden:"].info["ledger"])
    result = found["golden:"]
    replicas = len(result.betas)
    pilot = PILOT_BETAS * PILOT_ROUNDS
    assert golden.engines == (engine,)
    assert golden.coupling_loads == 1
    assert golden.conditionings == 0
    assert golden.runs == golden.reads == pilot + 3 * replicas
    assert golden.sweeps == pilot * PILOT_SWEEPS + 3 * replicas * 2
    assert golden.updates == 24 * golden.sweeps
    assert golden.memory_reads == 4 * golden.updates
    assert golden.values_read == 24 * golden.reads
    assert golden.words_out > golden.reads
    assert result.info["bits_moved"] == {"in": golden.bits_in, "out": golden.bits_out}
    fast = Ledger.model_validate(found["fast:"].info["ledger"])
    assert found["fast:"].info["bits_moved"] is None
    for name in COUNTS:
        wanted = None if name.startswith(("words_", "bits_")) else getattr(golden, name)
        assert getattr(fast, name) == wanted, name


# --- cluster moves --------------------------------------------------------------------------------


def test_a_cluster_move_keeps_the_sum_of_both_energies(model) -> None:
    with gibbsite.open("golden:" + SIZES) as device:
        compiled = compile_model(model, device.info.graph, beta_max=2.0)
        engine = GraphLadder(device, compiled)
        chains = np.arange(8, dtype=np.uint32)
        codes = engine.codes([0.4] * 8)
        states = engine.run(3, chains, codes, None, 4).states

        def energies() -> np.ndarray:
            return np.array([model.energy(engine.values(words)) for words in states])

        before, old = energies(), states.copy()
        first, second = np.arange(4), np.arange(4, 8)
        moved = engine.clusters().move(states, first, second, seed=1, round_number=0)
        after = energies()
        assert moved > 0
        assert (states != old).any()
        np.testing.assert_allclose(after[:4] + after[4:], before[:4] + before[4:])
        assert (before != after).any(), "single energies do change"


def test_a_cluster_is_connected_and_holds_the_site_that_was_drawn() -> None:
    """Two patches of difference on a ring: one of them is exchanged, whole."""
    ring = dimod.BinaryQuadraticModel.from_ising({}, {(i, (i + 1) % 12): 1.0 for i in range(12)})
    with gibbsite.open("golden:" + SIZES) as device:
        compiled = compile_model(ring, device.info.graph)
        engine = GraphLadder(device, compiled)
        moves = engine.clusters()
        patches = ({1, 2, 3}, {6, 7})
        exchanged = []
        for number in range(12):
            one = dict.fromkeys(range(12), 1)
            other = {i: -1 if any(i in patch for patch in patches) else 1 for i in range(12)}
            states = np.array(
                [compiled.state(one).tolist(), compiled.state(other).tolist()], dtype=np.uint32
            )
            moves.move(states, np.array([0]), np.array([1]), seed=5, round_number=number)
            exchanged.append({i for i, v in engine.values(states[0]).items() if v == -1})
        assert {frozenset(sites) for sites in exchanged} == {frozenset(p) for p in patches}


def test_one_hot_choices_take_no_cluster_moves() -> None:
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(3)
    with gibbsite.open("golden:" + SIZES) as device:
        compiled = compile_model(choices, device.info.graph)
        with pytest.raises(ProgramError, match="one-hot choices: temper it without cluster moves"):
            GraphLadder(device, compiled).clusters()


# --- the ladder -----------------------------------------------------------------------------------


def test_travels_count_round_trips_and_flow_as_they_are_defined() -> None:
    travels = Travels(1, 3)
    stay, low, high = [[0, 1, 2]], [[1, 0, 2]], [[0, 2, 1]]
    for order in (stay, low, high, stay, high, low):
        travels.follow(np.array(order))
    # walker 0: hot, then place 1, then the coldest place, back at place 1, then the hottest: a trip
    assert travels.round_trips.tolist() == [[1, 0, 0]]
    assert travels.flow[0] == 1.0
    assert travels.flow[2] == 0.0


def test_a_spaced_ladder_swaps_at_about_the_rate_asked_for() -> None:
    torus = planar_torus(6, 6, 3).model
    with gibbsite.open("golden:" + SIZES) as device:
        engine = GraphLadder(device, compile_model(torus, device.info.graph, beta_max=2.0))
        betas = spaced_ladder(engine, 0.2, 2.0, rate=0.4, seed=1)
        assert betas[0] == pytest.approx(0.2)
        assert betas[-1] == pytest.approx(2.0)
        assert all(a < b for a, b in pairwise(betas))
        found = temper(engine, engine.codes(betas), rounds=150, seed=1, sweeps=2)
    # 75 swaps a pair at 0.4: 4 sigma = 0.23, and discrete energies are normal only roughly
    assert abs(found.swap_rates[:3] - 0.4).max() < 0.3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"betas": [0.1, 1], "beta_range": [0.1, 1]}, "both given: give one of them"),
        ({"betas": [1.0, 0.5]}, r"must rise from 0 .* put the hottest first"),
        ({"betas": [1.0]}, "two betas at least"),
        ({"beta_range": (0.4, float("nan"))}, r"ladder is \[0.4, nan\] and not finite"),
        ({"betas": [0.4, float("inf")]}, r"ladder is \[0.4, inf\] and not finite"),
        ({"swap_rate": 1.0}, "swap_rate is 1.0 and must lie between 0 and 1"),
        ({"groups": 0}, "groups is 0 and must be at least 1"),
        ({"groups": 300}, "groups is 300 and at most 256: give fewer"),
        ({"clusters": True}, "clusters need two groups at least and groups is 1"),
        ({"engine": "langevin"}, "engine is 'langevin': use one of graph, lattice"),
        ({"swap_rate": "x"}, "swap_rate is 'x' and must lie"),
        ({"betas": 5}, "the ladder is 5: give inverse temperatures"),
        ({"betas": ["a", "b"]}, "give inverse temperatures"),
        ({"cluster_beta": float("nan")}, "cluster_beta is nan: give the least beta"),
        ({"sweeps_per_round": 0}, "sweeps_per_round is 0"),
    ],
)
def test_arguments_without_meaning_are_refused(options, sentence: str) -> None:
    with (
        gibbsite.open("golden:" + SIZES) as device,
        pytest.raises(ArgumentError, match=sentence),
    ):
        ParallelTempering(device, **options)


def test_more_replicas_than_chain_numbers_are_refused(model) -> None:
    with gibbsite.open("golden:" + SIZES) as device:
        tempering = ParallelTempering(device, betas=LADDER)
        with pytest.raises(ArgumentError, match="use fewer rounds with more sweeps in each"):
            tempering.sample(model, rounds=1 << 30, seed=1)


def test_a_run_from_a_later_chain_has_fewer_numbers(model) -> None:
    with gibbsite.open("golden:" + SIZES) as device:
        engine = GraphLadder(device, compile_model(model, device.info.graph, beta_max=2.0))
        codes = engine.codes(LADDER)

        def numbers(first_chain: int, rounds: int = 2) -> int:
            options = {"rounds": rounds, "seed": 1, "sweeps": 1, "first_chain": first_chain}
            return temper(engine, codes, **options).rounds

        half = 1 << 31
        assert numbers(half - 8) == numbers(half) == numbers(2 * half - 8) == 2
        for first, left in ((half - 7, 7), (2 * half - 7, 7), (2 * half + 1, 0)):
            with pytest.raises(
                ArgumentError,
                match=f"need 8 chain numbers and a run from chain {first} has {left}:",
            ):
                numbers(first)
        with pytest.raises(ArgumentError, match="first_chain is -1"):
            numbers(-1)


def test_a_run_stops_when_it_is_told_to_and_finds_the_ground_state(model) -> None:
    lowest = None
    with gibbsite.open("golden:" + SIZES) as device:
        tempering = ParallelTempering(device, betas=LADDER, sweeps_per_round=4)
        full = tempering.sample(model, rounds=40, seed=1)
        lowest = full.best_code
        part = tempering.sample(model, rounds=40, seed=1, stop=lambda _, best: best <= lowest)
    assert part.rounds == full.best_round + 1
    assert part.best == full.best
    assert model.energy(full.best) == pytest.approx(full.best_energy)
    assert full.rounds == len(full.energies) == 40

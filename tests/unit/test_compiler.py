"""The compiler against energies computed by dimod, and its limits and bars on real graphs."""

import math
import time
from array import array
from pathlib import Path

import dimod
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite.compiler import CompiledModel, compile_model
from gibbsite.program_check import check_program
from gibbsite.slot_model import MixedModel
from gibbsite_hw.spec.errors import DeviceError, ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, RunResult, decode_entry

DEFAULT = GraphParameters()
SMALL = GraphParameters(lanes=4, rows=64, words=512)


def code_energy(
    program: GraphProgram, conditions: Conditions, parameters: GraphParameters, state: array
) -> int:
    """E_code of a state, straight from the words of the program."""
    lanes = parameters.lanes

    def value(address: int, is_state: bool) -> int:
        bit = state[address // lanes] >> address % lanes & 1
        return bit if is_state else 2 * bit - 1

    linear = twice = word = 0
    for number, row in enumerate(program.rows):
        for lane in range(lanes):
            if not row.mask >> lane & 1:
                continue
            own = value(number * lanes + lane, row.group)
            linear += own * conditions.biases[number * lanes + lane]
            for k in range(row.length << row.fold):
                at = (word + (k >> row.fold)) * lanes + lane + k % (1 << row.fold)
                address, weight, kind = decode_entry(parameters, program.entries[at])
                twice += own * weight * value(address, kind) if weight else 0
        word += row.length
    assert twice % 2 == 0
    return linear + twice // 2


def mixed_model() -> MixedModel:
    spins = dimod.BinaryQuadraticModel(
        {"a": 1, "b": -2.0, "c": 0.5}, {"ab": 3, "bc": -1}, 1, "BINARY"
    )
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(3, "u")
    choices.add_variable(6, "v")
    choices.set_linear("u", [1, 5, 9])
    choices.set_quadratic("u", "v", {(0, 1): 5.0, (2, 5): -2})
    choices.offset = 3
    return MixedModel(spins, choices, {("a", "u", 1): 2.5, ("c", "v", 0): -1})


def mixed_energy(model: MixedModel, sample: dict) -> float:
    spins = {v: sample[v] for v in model.spins.variables}
    choices = {v: sample[v] for v in model.choices.variables}
    between = sum(
        w * sample[spin] * (sample[choice] == case)
        for (spin, choice, case), w in model.between.items()
    )
    return float(model.spins.energy(spins) + model.choices.energy(choices) + between)


def decoded(compiled: CompiledModel, sample: dict, under=None):
    state = compiled.state(sample)
    conditions = (under or compiled.base).conditions
    energy = code_energy(compiled.program, conditions, compiled.parameters, state)
    result = RunResult(reads=1, states=state, energies=array("q", [energy]))
    return compiled.decode(result, under)


def max_cut(path: Path) -> dimod.BinaryQuadraticModel:
    numbers = path.read_text(encoding="utf-8").split()
    table = np.array(numbers[2:], dtype=float).reshape(-1, 3)
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from(dict.fromkeys(range(int(numbers[0])), 0.0))
    model.add_quadratic_from([(int(i) - 1, int(j) - 1, w / 2) for i, j, w in table])
    return model


def graph_model(graph: nx.Graph, weight: float = 1.0) -> dimod.BinaryQuadraticModel:
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from(dict.fromkeys(graph.nodes, 0.0))
    model.add_quadratic_from([(u, v, weight) for u, v in graph.edges])
    return model


def test_mixed_model_keeps_every_energy_and_value() -> None:
    model = mixed_model()
    compiled = compile_model(model, SMALL)
    assert compiled.quantization.exact
    rng = np.random.default_rng(5)
    for _ in range(40):
        sample = {name: int(rng.integers(2)) for name in "abc"}
        sample |= {"u": int(rng.integers(3)), "v": int(rng.integers(6))}
        out = decoded(compiled, sample)
        assert dict(zip(compiled.variables, out.values[0].tolist(), strict=True)) == sample
        assert out.energies[0] == pytest.approx(mixed_energy(model, sample), abs=1e-12)
        assert out.device_energies[0] == pytest.approx(out.energies[0], abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4, 16]), st.booleans())
def test_random_models_keep_their_energies(seed: int, lanes: int, binary: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 14))
    graph = nx.gnp_random_graph(n, float(rng.random()), seed=int(rng.integers(2**31)))
    model = dimod.BinaryQuadraticModel("BINARY" if binary else "SPIN")
    model.add_linear_from({v: int(rng.integers(-9, 10)) for v in range(n)})
    model.add_quadratic_from([(u, v, int(rng.integers(-9, 10))) for u, v in graph.edges])
    model.offset = 2.5
    compiled = compile_model(model, GraphParameters(lanes=lanes, rows=64, words=512))
    check_program(compiled.program, compiled.parameters)
    low = 0 if binary else -1
    sample = {v: int(rng.choice([low, 1])) for v in range(n)}
    out = decoded(compiled, sample)
    assert out.device_energies[0] == pytest.approx(model.energy(sample), abs=1e-9)
    assert out.energies[0] == pytest.approx(model.energy(sample), abs=1e-9)


@pytest.mark.parametrize("binary", [False, True])
def test_labels_out_of_their_alphabet_keep_their_own_numbers(binary: bool) -> None:
    model = dimod.BinaryQuadraticModel(dimod.BINARY if binary else dimod.SPIN)
    for label, bias in (("c", 2.0), ("a", -3.0), ("b", 0.5)):
        model.add_linear(label, bias)
    model.add_quadratic("c", "b", 1.5)
    compiled = compile_model(model, DEFAULT)
    assert compiled.variables == ("c", "a", "b")
    low = 0 if binary else -1
    for values in ((low, 1, 1), (1, low, 1), (1, 1, low), (low, low, 1)):
        sample = dict(zip("cab", values, strict=True))
        words = compiled.state(sample)
        codes = code_energy(compiled.program, compiled.base.conditions, DEFAULT, words)
        held = compiled.base.code_offset + compiled.scale * codes
        assert held == pytest.approx(model.energy(sample))


def test_conditions_add_biases_and_move_the_offset() -> None:
    model = mixed_model()
    compiled = compile_model(model, SMALL, future_biases=[10, 20, 30])
    under = compiled.conditions(biases={"a": 10, "u": [10, 20, 30], "v": 20.0})
    sample = {"a": 1, "b": 0, "c": 1, "u": 2, "v": 5}
    wanted = mixed_energy(model, sample) + 10 + 30 + 20
    out = decoded(compiled, sample, under)
    assert out.energies[0] == pytest.approx(wanted)
    assert out.device_energies[0] == pytest.approx(wanted)
    # couplings and layout are those of the program: nothing has to be loaded again
    assert len(under.conditions.biases) == len(compiled.program.conditions.biases)


def test_clamps_lie_on_the_slots_of_their_values() -> None:
    compiled = compile_model(mixed_model(), SMALL)
    under = compiled.conditions(clamps_on={"a": 1, "v": 4, "b": 0}, clamps_off={"u": [0, 2]})
    lanes = SMALL.lanes

    def slots(masks: array) -> set[int]:
        return {r * lanes + k for r, m in enumerate(masks) for k in range(lanes) if m >> k & 1}

    address = compiled.address
    assert slots(under.conditions.clamps_on) == {address("a"), address("v", 4)}
    assert slots(under.conditions.clamps_off) == {
        address("b"),
        address("u", 0),
        address("u", 2),
    }


@pytest.mark.parametrize(
    ("clamps", "words"),
    [
        ({"clamps_off": {"u": [0, 1, 2]}}, "every value of 'u' is clamped off"),
        ({"clamps_off": {"a": [0, 1]}}, "every value of 'a' is clamped off"),
        ({"clamps_off": {"u": [3]}}, "cannot be 3"),
        ({"clamps_on": {"u": 1}, "clamps_off": {"u": [1]}}, "pinned at 1 and 1 is clamped off"),
        ({"clamps_on": {"a": 1}, "clamps_off": {"a": [1]}}, "pinned at 1 and 1 is clamped off"),
        ({"clamps_on": {"a": -1}}, "cannot be -1"),
        ({"clamps_on": {"nobody": 1}}, "no variable 'nobody'"),
        ({"biases": {"u": [1, 2]}}, "3 slots and 2 biases"),
        ({"biases": {"a": 1e9}}, "future_biases"),
        ({"biases": {"u": [1.0, math.nan, 0.0]}}, "finite"),
    ],
)
def test_bad_conditions_are_refused_by_name(clamps: dict, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_model(mixed_model(), SMALL).conditions(**clamps)


def test_no_variables_still_give_a_program_with_the_offset() -> None:
    compiled = compile_model(dimod.BinaryQuadraticModel({}, {}, 1.5, "SPIN"), SMALL)
    check_program(compiled.program, SMALL)
    out = compiled.decode(RunResult(2, array("I", [0, 1]), array("q", [0, 0])))
    assert out.values.shape == (2, 0)
    assert out.energies.tolist() == out.device_energies.tolist() == [1.5, 1.5]


def test_a_choice_without_exactly_one_case_is_an_error_of_the_device() -> None:
    compiled = compile_model(mixed_model(), SMALL)
    state = compiled.state({"a": 0, "b": 0, "c": 0, "u": 0, "v": 0})
    row, lane = divmod(compiled.address("u", 1), SMALL.lanes)
    state[row] |= 1 << lane
    with pytest.raises(DeviceError, match="2 cases set of 'u'"):
        compiled.decode(RunResult(1, state, array("q", [0])))


# bars: terms / (lanes * cycles of a sweep), from the layout; the device's counters agree with it
@pytest.mark.parametrize(("name", "bar"), [("G14", 0.80), ("G22", 0.85)])
def test_lanes_are_busy_on_max_cut_graphs(shared: Path, name: str, bar: float) -> None:
    model = max_cut(shared / "data" / "maxcut" / f"{name}.txt")
    began = time.process_time()
    compiled = compile_model(model, DEFAULT)
    assert time.process_time() - began < 10  # about one second on an idle core
    check_program(compiled.program, DEFAULT)
    terms = 2 * model.num_interactions
    assert terms / (DEFAULT.lanes * compiled.sweep_cycles) >= bar


@pytest.mark.parametrize("cases", [1, 2, 15, 16, 17, 100, 256])
@pytest.mark.parametrize("degree", [0, 1, 7, 60])
def test_a_group_costs_no_more_than_its_share(cases: int, degree: int) -> None:
    # one group whose longest list is `degree`, made by p-bits that are its only neighbours
    choices = dimod.DiscreteQuadraticModel()
    choices.add_variable(cases, "g")
    spins = dimod.BinaryQuadraticModel("SPIN")
    spins.add_linear_from(dict.fromkeys(range(degree), 1.0))
    between = {(k, "g", case): 1.0 for k in range(degree) for case in range(cases)}
    compiled = compile_model(MixedModel(spins, choices, between), DEFAULT)
    own = sum(row.length for row in compiled.program.rows if row.group)
    barrier = 8
    assert own + barrier <= math.ceil(cases / DEFAULT.lanes) * max(degree, 1) + 8


def _many_groups() -> dimod.DiscreteQuadraticModel:
    model = dimod.DiscreteQuadraticModel()
    for group in range(680):
        model.add_variable(3, group)
    rng = np.random.default_rng(3)
    for group in range(680):
        for other in set(rng.integers(0, 680, 8).tolist()) - {group}:
            model.set_quadratic(group, other, {(int(rng.integers(3)), int(rng.integers(3))): 1.0})
    return model


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("star", lambda: graph_model(nx.star_graph(2047))),
        ("complete", lambda: graph_model(nx.complete_graph(362))),
        ("random", lambda: graph_model(nx.gnm_random_graph(2048, 65536, seed=1))),
        # five hubs of every other spin, the rest at random
        (
            "hubs",
            lambda: graph_model(
                nx.compose(
                    nx.complete_multipartite_graph(5, 2043),
                    nx.gnm_random_graph(2048, 55321, seed=2),
                )
            ),
        ),
        ("two cliques", lambda: graph_model(nx.disjoint_union_all([nx.complete_graph(256)] * 2))),
        ("groups", _many_groups),
    ],
)
def test_everything_within_the_bounds_fits(name: str, model) -> None:
    built = model()
    if isinstance(built, dimod.BinaryQuadraticModel):
        assert built.num_variables <= 2048
        assert built.num_interactions <= 65536
    compiled = compile_model(built, DEFAULT)
    check_program(compiled.program, DEFAULT)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: graph_model(nx.star_graph(2048)), "2048 neighbours and the device takes 2047"),
        (lambda: graph_model(nx.complete_graph(420)), "coupling words of 16 lanes"),
        (lambda: graph_model(nx.empty_graph(40000)), "40000 spins and cases"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_limit(model, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_model(model(), DEFAULT)


def test_a_group_that_is_too_large_is_refused() -> None:
    model = dimod.DiscreteQuadraticModel()
    model.add_variable(257, "big")
    with pytest.raises(ProgramError, match="'big' has 257 cases and the device takes 256"):
        compile_model(model, DEFAULT)


def test_too_many_groups_are_refused_with_rows() -> None:
    model = dimod.DiscreteQuadraticModel()
    for group in range(65):
        model.add_variable(2, group)
    with pytest.raises(ProgramError, match="needs 65 rows of 4 slots and the device has 64"):
        compile_model(model, SMALL)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ProgramError, match="coupling of 'a' and 'b'"):
        compile_model(dimod.BinaryQuadraticModel({}, {"ab": bad}, 0, "SPIN"), SMALL)
    with pytest.raises(ProgramError, match="bias of 'a'"):
        compile_model(dimod.BinaryQuadraticModel({"a": bad}, {}, 0, "SPIN"), SMALL)
    with pytest.raises(ProgramError, match="offset"):
        compile_model(dimod.BinaryQuadraticModel({"a": 1}, {}, bad, "SPIN"), SMALL)

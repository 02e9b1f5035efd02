"""The sampler: arguments as in dwave-samplers, draws at equilibrium, and what `info` says."""

import json
import math
import warnings
from collections.abc import Iterator

import dimod
import numpy as np
import pytest
from dwave.samplers import SimulatedAnnealingSampler
from dwave.samplers.sa.sampler import default_beta_range as dwave_range

from gibbsite.devices import open as open_device
from gibbsite.sampler import Sampler
from gibbsite.schedules import ArgumentError, annealing_schedule, default_beta_range
from gibbsite.slot_model import slot_model
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import DeviceError, ProgramError


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with open_device("golden:?like=small") as opened:
        yield opened


@pytest.fixture(scope="module")
def sampler(device: Device) -> Sampler:
    return Sampler(device)


def model(vartype: str = "SPIN") -> dimod.BinaryQuadraticModel:
    label = ("x", 1)
    return dimod.BinaryQuadraticModel(
        {"a": 0.5, label: -0.25, 3: 0.0}, {("a", label): 1, (label, 3): -1.5}, 0.75, vartype
    )


def choices() -> dimod.DiscreteQuadraticModel:
    built = dimod.DiscreteQuadraticModel()
    built.add_variable(3, "u")
    built.add_variable(6, "v")
    built.set_linear("u", [1, 5, 2])
    built.set_quadratic("u", "v", {(0, 1): 5.0, (2, 5): -3})
    built.offset = 4
    return built


def test_it_is_a_dimod_sampler(sampler: Sampler) -> None:
    dimod.testing.assert_sampler_api(sampler)
    assert sampler.properties["beta_schedule_options"] == ("linear", "geometric", "custom")
    wanted = set(SimulatedAnnealingSampler().parameters)
    # those two choose between update rules, and the device has one: Gibbs, in a fixed order
    wanted -= {"randomize_order", "proposal_acceptance_criteria"}
    assert wanted <= set(sampler.parameters)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_reads_are_annealed_to_the_ground_state(sampler: Sampler, vartype: str) -> None:
    result = sampler.sample(model(vartype), num_reads=40, num_sweeps=60, seed=3)
    ground = dimod.ExactSolver().sample(model(vartype)).first
    assert result.vartype is dimod.Vartype[vartype]
    assert len(result) == 40
    assert result.first.energy == pytest.approx(ground.energy)
    dimod.testing.assert_sampleset_energies(result, model(vartype))
    assert (result.record.draw == 0).all()
    assert result.record.chain.tolist() == list(range(40))


def test_without_a_device_the_emulator_is_opened(sampler: Sampler) -> None:
    own = Sampler()
    found = own.sample(model(), num_reads=20, num_sweeps=30, seed=9)
    assert found.info["device"] == "fast:"
    with open_device("golden:") as device:
        wanted = Sampler(device).sample(model(), num_reads=20, num_sweeps=30, seed=9)
    assert (found.record.sample == wanted.record.sample).all()
    own.close()
    own.close()
    with pytest.raises(DeviceError, match="was closed"):
        own.sample(model())
    named = Sampler("golden:?engines=graph")
    again = named.sample(model(), num_reads=20, num_sweeps=30, seed=9)
    assert (again.record.sample == wanted.record.sample).all()
    named.close()
    with pytest.raises(DeviceError, match="was closed"):
        named.sample(model())
    sampler.close()  # the caller's, which stays open
    sampler.sample(model(), num_reads=1, num_sweeps=1)


def test_a_seed_repeats_and_none_is_reported(sampler: Sampler) -> None:
    one = sampler.sample(model(), num_reads=9, num_sweeps=5)
    assert 0 <= one.info["seed"] < 2**63
    two = sampler.sample(model(), num_reads=9, num_sweeps=5, seed=one.info["seed"])
    assert (one.record.sample == two.record.sample).all()
    three = sampler.sample(model(), num_reads=9, num_sweeps=5)
    assert three.info["seed"] != one.info["seed"]
    # a read is the same however many are asked for
    four = sampler.sample(model(), num_reads=4, num_sweeps=5, seed=one.info["seed"])
    assert (four.record.sample == one.record.sample[:4]).all()


def test_info_says_what_was_done(sampler: Sampler) -> None:
    result = sampler.sample(model(), num_reads=7, num_sweeps=20, beta_range=(0.5, 4.0), seed=1)
    info = result.info
    assert info["mode"] == "annealed"
    assert info["beta_range"] == [0.5, 4.0]
    assert info["beta_schedule_type"] == "geometric"
    assert info["sweeps"] == 7 * 20
    assert info["updates"] == 7 * 20 * 3
    assert info["terms"] == 7 * 20 * 4
    assert info["reads"] == 7
    assert info["cycles"] > info["sweep_cycles"] > 0
    assert info["bits_moved"]["in"] % 32 == info["bits_moved"]["out"] % 32 == 0
    assert info["bits_moved"]["out"] > 7 * 32 * 6
    assert set(info["timing"]) == {"preprocessing_ns", "sampling_ns", "postprocessing_ns"}
    assert all(isinstance(ns, int) and ns > 0 for ns in info["timing"].values())
    assert (info["joules"] is None) == ("not measured" in info["joules_provenance"])
    assert info["quantization"]["exact"] is True
    json.dumps(info)


@pytest.mark.parametrize("kind", ["linear", "geometric"])
@pytest.mark.parametrize("sweeps", [0, 1, 2, 12])
def test_schedules_are_those_of_dwave(kind: str, sweeps: int) -> None:
    built = annealing_schedule(
        slot_model(model()), beta_range=(0.3, 5.0), num_sweeps=sweeps, beta_schedule_type=kind
    )
    space = np.linspace if kind == "linear" else np.geomspace
    expected = [5.0] if sweeps == 1 else space(0.3, 5.0, sweeps)
    assert built.betas == pytest.approx(expected)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_default_ranges_are_those_of_dwave(vartype: str) -> None:
    rng = np.random.default_rng(8)
    for _ in range(10):
        built = dimod.generators.gnp_random_bqm(
            9, 0.5, vartype, random_state=int(rng.integers(2**31))
        )
        assert default_beta_range(slot_model(built)) == pytest.approx(dwave_range(built))


def test_a_model_without_any_gap_has_a_range() -> None:
    assert default_beta_range(slot_model(dimod.BinaryQuadraticModel("SPIN"))) == (0.1, 1.0)
    flat = dimod.BinaryQuadraticModel({"a": 0}, {}, 3, "SPIN")
    assert default_beta_range(slot_model(flat)) == (0.1, 1.0)


def test_sweeps_per_beta_divide_the_sweeps(sampler: Sampler) -> None:
    result = sampler.sample(model(), num_sweeps=20, num_sweeps_per_beta=5, seed=1)
    assert result.info["sweeps"] == 20
    result = sampler.sample(
        model(),
        beta_schedule=[0.5, 1.0],
        beta_schedule_type="custom",
        num_sweeps_per_beta=3,
        seed=1,
    )
    assert result.info["sweeps"] == 6
    assert result.info["beta_schedule_type"] == "custom"


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_sweeps": 10, "num_sweeps_per_beta": 3},
        {"num_sweeps": -1},
        {"num_sweeps_per_beta": 0},
        {"beta_schedule": [1.0], "beta_schedule_type": "linear"},
        {"beta_schedule_type": "custom"},
        {"beta_schedule": [1.0, -1.0], "beta_schedule_type": "custom"},
        {"beta_schedule": [1.0], "beta_schedule_type": "custom", "num_sweeps": 5},
        {
            "beta_schedule": [1.0, 2.0],
            "beta_schedule_type": "custom",
            "beta_range": (1.0, 3.0),
        },
        {"beta_range": (0.0, 1.0)},
        {"beta_range": (1.0, 2.0, 3.0)},
        {"beta_range": (-1.0, 2.0)},
        {"num_reads": 0},
        {"initial_states_generator": "none"},
        {"initial_states_generator": "tile"},
    ],
)
def test_what_dwave_refuses_is_refused(sampler: Sampler, arguments: dict) -> None:
    """Contradictions are a `ValueError` in both, and ours says more."""
    with pytest.raises(ValueError):
        SimulatedAnnealingSampler().sample(model(), **arguments)
    with pytest.raises(ValueError):
        sampler.sample(model(), **arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"beta_schedule_type": "quadratic"}, "use one of linear, geometric, custom"),
        ({"beta": 1.0, "num_sweeps": 5}, "beta was given together with num_sweeps"),
        ({"thin": 2}, "no beta was given together with thin"),
        ({"seed": 2**64}, "has 64 bits"),
        ({"seed": -1}, "at least 0"),
        ({"beta": 1.0, "burn_in": 0}, "burn_in is 0"),
        ({"beta": 1e6}, "largest beta of this program is"),
        ({"beta": math.nan}, "finite"),
        ({"beta_range": (1.0, math.inf)}, "finite"),
        ({"num_sweeps": 9000}, "holds 8192"),
        ({"clamps": {"nobody": 1}}, "no variable 'nobody'"),
        ({"clamps": {"a": 0}}, "cannot be 0"),
    ],
)
def test_arguments_without_meaning_are_refused(
    sampler: Sampler, arguments: dict, words: str
) -> None:
    with pytest.raises((ArgumentError, ProgramError), match=words):
        sampler.sample(model(), **arguments)
    assert len(sampler.sample(model(), num_sweeps=1)) == 1  # the device works on


@pytest.mark.parametrize(
    "arguments", [{"num_reads": 1.5}, {"interrupt_function": 3}, {"seed": "x"}]
)
def test_arguments_of_another_type_are_type_errors(sampler: Sampler, arguments: dict) -> None:
    with pytest.raises(TypeError):
        sampler.sample(model(), **arguments)


def test_an_unknown_argument_is_warned_about(sampler: Sampler) -> None:
    with pytest.warns(dimod.exceptions.SamplerUnknownArgWarning):
        sampler.sample(model(), num_sweeps=1, annealing_time=20)


def test_initial_states_come_first_and_the_device_draws_the_others(sampler: Sampler) -> None:
    given = [{"a": 1, ("x", 1): 1, 3: -1}, {"a": -1, ("x", 1): 1, 3: 1}]
    arguments = {"num_sweeps": 0, "seed": 2}
    result = sampler.sample(model(), initial_states=given, num_reads=20, **arguments)
    found = [dict(sample) for sample in result.samples(sorted_by=None)]
    assert found[:2] == given
    assert len({tuple(sample.values()) for sample in found[2:]}) > 2
    tiled = sampler.sample(
        model(),
        initial_states=given,
        initial_states_generator="tile",
        num_reads=5,
        **arguments,
    )
    assert [dict(s) for s in tiled.samples(sorted_by=None)] == [given[k % 2] for k in range(5)]
    alone = sampler.sample(
        model(), initial_states=given, initial_states_generator="none", **arguments
    )
    assert len(alone) == 2
    fewer = sampler.sample(model(), initial_states=given, num_reads=1, **arguments)
    assert [dict(s) for s in fewer.samples()] == given[:1]


def test_initial_states_of_the_other_vartype_are_converted(sampler: Sampler) -> None:
    given = {"a": 1, ("x", 1): 0, 3: 1}
    result = sampler.sample(model("SPIN"), initial_states=given, num_sweeps=0)
    assert dict(result.first.sample) == {"a": 1, ("x", 1): -1, 3: 1}


def test_interrupting_keeps_the_reads_so_far(sampler: Sampler) -> None:
    asked: list[int] = []

    def third() -> bool:
        asked.append(1)
        return len(asked) == 3

    whole = sampler.sample(model(), num_reads=10, num_sweeps=4, seed=5)
    part = sampler.sample(model(), num_reads=10, num_sweeps=4, seed=5, interrupt_function=third)
    assert len(part) == 3
    assert part.info["interrupted"] is True
    assert (part.record.sample == whole.record.sample[:3]).all()
    never = sampler.sample(
        model(), num_reads=10, num_sweeps=4, seed=5, interrupt_function=lambda: False
    )
    assert (never.record.sample == whole.record.sample).all()
    assert never.info["sweeps"] == whole.info["sweeps"] == 40


def test_best_states_are_no_worse_than_last_ones(sampler: Sampler) -> None:
    hot = {"num_reads": 60, "beta_range": (0.2, 0.2), "num_sweeps": 8, "seed": 4}
    last, best = sampler.sample(model(), **hot), sampler.sample(model(), best=True, **hot)
    assert (best.record.energy <= last.record.energy).all()
    assert best.record.energy.mean() < last.record.energy.mean()
    dimod.testing.assert_sampleset_energies(best, model())


def test_draws_at_equilibrium_keep_chain_and_draw(sampler: Sampler) -> None:
    result = sampler.sample(
        model(), beta=0.7, num_reads=10, num_chains=4, burn_in=6, thin=2, seed=1
    )
    pairs = list(zip(result.record.chain.tolist(), result.record.draw.tolist(), strict=True))
    # 10 draws on 4 chains: 3, 3, 2, 2
    assert pairs == [(c, d) for c, n in enumerate((3, 3, 2, 2)) for d in range(n)]
    assert result.info["mode"] == "equilibrium"
    assert result.info["sweeps"] == 4 * 6 + 2 * (2 + 2 + 1 + 1)


def test_draws_at_equilibrium_follow_the_law(sampler: Sampler) -> None:
    for beta in (0.3, 1.0, 1.5):
        result = sampler.sample(
            model(), beta=beta, num_reads=4000, num_chains=2000, burn_in=600, thin=20, seed=6
        )
        exact = dimod.ExactSolver().sample(model())
        law = np.exp(-beta * exact.record.energy)
        law /= law.sum()
        mean = float(law @ exact.record.energy)
        spread = float(np.sqrt(law @ (exact.record.energy - mean) ** 2))
        # 2000 independent chains: 5 standard errors of the mean of 2000
        assert abs(result.record.energy.mean() - mean) < 5 * spread / math.sqrt(2000)


@pytest.mark.parametrize("beta", [None, 0.5])
def test_clamps_hold(sampler: Sampler, beta: float | None) -> None:
    mode = {"num_sweeps": 5} if beta is None else {"beta": beta, "burn_in": 5}
    result = sampler.sample(model(), num_reads=50, clamps={"a": -1, 3: 1}, seed=1, **mode)
    assert {s["a"] for s in result.samples()} == {-1}
    assert {s[3] for s in result.samples()} == {1}
    assert len({s[("x", 1)] for s in result.samples()}) == 2 or beta is None
    dimod.testing.assert_sampleset_energies(result, model())


def test_discrete_models(sampler: Sampler) -> None:
    result = sampler.sample_dqm(choices(), num_reads=30, num_sweeps=40, seed=1)
    exact = dimod.ExactDQMSolver().sample_dqm(choices()).first
    assert result.first.energy == pytest.approx(exact.energy)
    energies = choices().energies([dict(s) for s in result.samples(sorted_by=None)])
    assert result.record.energy == pytest.approx(energies)
    pinned = sampler.sample_dqm(choices(), num_reads=9, num_sweeps=4, clamps={"v": 4})
    assert {s["v"] for s in pinned.samples()} == {4}


def test_discrete_initial_states(sampler: Sampler) -> None:
    given = [{"u": 2, "v": 5}, {"u": 0, "v": 3}]
    result = sampler.sample_dqm(choices(), initial_states=given, num_sweeps=0)
    assert [dict(s) for s in result.samples(sorted_by=None)] == given
    tiled = sampler.sample_dqm(
        choices(),
        initial_states=given,
        initial_states_generator="tile",
        num_reads=3,
        num_sweeps=0,
    )
    assert [dict(s) for s in tiled.samples(sorted_by=None)] == [*given, given[0]]
    for arguments, words in (
        ({"initial_states_generator": "tile"}, "needs initial_states"),
        ({"initial_states": [{"u": 1}]}, "differ in variables"),
        (
            {"initial_states": given, "initial_states_generator": "none", "num_reads": 3},
            "2 initial states were given for 3 reads",
        ),
        ({"initial_states_generator": "any"}, "use one of none, tile, random"),
    ):
        with pytest.raises(ArgumentError, match=words):
            sampler.sample_dqm(choices(), **arguments)


@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_models_with_next_to_nothing_in_them(sampler: Sampler, vartype: str) -> None:
    empty = dimod.BinaryQuadraticModel({}, {}, 1.5, vartype)
    result = sampler.sample(empty, num_reads=3)
    assert result.record.energy.tolist() == [1.5] * 3
    assert result.vartype is dimod.Vartype[vartype]
    free = dimod.BinaryQuadraticModel(dict.fromkeys(range(5), 0), {}, -2, vartype)
    result = sampler.sample(free, num_reads=40, num_sweeps=2)
    assert (result.record.energy == -2).all()
    assert len({tuple(s.values()) for s in result.samples()}) > 5
    zero = dimod.BinaryQuadraticModel({}, {("a", "b"): 0.0}, 0, vartype)
    assert len(sampler.sample(zero, num_sweeps=1).variables) == 2


def test_a_default_range_is_fitted_into_the_format_and_a_given_one_is_not(sampler) -> None:
    # the bias is lost in the codes, but would ask for a beta in the thousands
    weights = {("a", "b"): 300.0, ("b", "c"): 1.0}
    wide = dimod.BinaryQuadraticModel({"a": 1e-3}, weights, 0, "SPIN")
    fitted = sampler.sample(wide, num_sweeps=50, num_reads=3, seed=1)
    assert fitted.first.energy == pytest.approx(-301.0, abs=0.01)
    assert fitted.info["beta_range"][1] < 100 < default_beta_range(slot_model(wide))[1]
    with pytest.raises(ProgramError, match="largest beta"):
        sampler.sample(wide, num_sweeps=10, beta_range=(0.01, 1e5))


def test_quantization_is_refused_or_warned_about(sampler: Sampler) -> None:
    coarse = dimod.BinaryQuadraticModel({}, {("a", "b"): 1.0, ("b", "c"): 1e-4}, 0, "SPIN")
    with pytest.raises(ProgramError, match="to nothing"):
        sampler.sample(coarse)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = sampler.sample(coarse, on_error="warn", num_sweeps=5)
    assert len(caught) == 1
    assert result.info["quantization"]["vanished"] == 1
    dimod.testing.assert_sampleset_energies(result, coarse)  # energies are the model's own


def test_progress_counts_reads(sampler: Sampler) -> None:
    heard: list[tuple[int, int]] = []
    sampler.sample(
        model(), num_reads=6, num_sweeps=3, progress=lambda done, total: heard.append((done, total))
    )
    assert heard[-1] == (6, 6)


@pytest.mark.parametrize(
    ("options", "kind", "sentence"),
    [
        ({"beta": "x"}, TypeError, "beta must be a number, not 'x'"),
        ({"max_error": "x"}, TypeError, "max_error must be a number"),
        ({"clamps": 5}, TypeError, "clamps must be {variable: value}, not 5"),
        ({"progress": 5}, TypeError, "progress must be a function"),
        ({"beta_range": 5}, ArgumentError, "beta_range is 5: give two finite numbers"),
        ({"num_sweeps": 10**14}, ArgumentError, "a schedule has 16777216 at most: give fewer"),
        ({"initial_states": [[1]]}, ArgumentError, "give states of all 3 variables"),
        ({"initial_states_generator": "foo"}, ArgumentError, "use one of none, tile, random"),
    ],
)
def test_arguments_of_another_kind_are_refused(sampler: Sampler, options, kind, sentence) -> None:
    with pytest.raises(kind, match=sentence):
        sampler.sample(model(), **options)


def test_a_model_without_variables_has_no_certificate(sampler: Sampler) -> None:
    empty = dimod.BinaryQuadraticModel("SPIN")
    with pytest.raises(ArgumentError, match="no variable, so nothing is certified: give it some"):
        sampler.sample(empty, num_reads=4, beta=1.0, certify=True)

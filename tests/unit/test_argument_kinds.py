"""Arguments of another kind than a call takes: one of the house's errors, before any work."""

from collections.abc import Callable
from itertools import product
from typing import Any

import dimod
import pytest

import gibbsite
from gibbsite import ParallelTempering, Sampler
from gibbsite.argument_kinds import ArgumentKindError
from gibbsite.orchestrator import RequestError
from gibbsite.tempering_engines import GraphLadder
from gibbsite.tempering_rounds import temper
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import GibbsiteError, ProgramError

TEXT = "Schedule 2 tasks on 2 machines. Each task takes 2 hours."
NO_MODELS = (5, None, "model", {("a", "b"): 1.0}, dimod.QuadraticModel())


@pytest.fixture
def device():
    with gibbsite.open("golden:?like=small") as opened:
        yield opened


def chain() -> dimod.BinaryQuadraticModel:
    """Two sites of a lattice."""
    return dimod.BinaryQuadraticModel.from_ising({}, {((0, 0), (0, 1)): -1.0})


def samplers(device: Device) -> dict[str, Callable[[Any], object]]:
    """Every call that takes a binary quadratic model."""
    lattice = ParallelTempering("golden:", betas=[0.1, 1.0], engine="lattice")
    return {
        "Sampler": Sampler(device).sample,
        "LatticeSampler": gibbsite.LatticeSampler("golden:").sample,
        "ParallelTempering": ParallelTempering(device, betas=[0.1, 1.0]).sample,
        "ParallelTempering, lattice": lattice.sample,
    }


@pytest.mark.parametrize("model", NO_MODELS, ids=lambda model: type(model).__name__)
def test_what_is_no_model_is_refused_by_every_sampler(device: Device, model: object) -> None:
    found = type(model).__name__
    sentence = f"must be a dimod.BinaryQuadraticModel, not {found}: pass a dimod.Binary"
    for name, call in samplers(device).items():
        with pytest.raises(ArgumentKindError, match=sentence) as caught:
            call(model)
        assert isinstance(caught.value, TypeError), name
    assert device.loads == 0


def test_a_model_of_another_class_names_the_method_that_takes_it(device: Device) -> None:
    sampler = Sampler(device)
    calls = {
        "sample": (sampler.sample, dimod.BinaryQuadraticModel("SPIN")),
        "sample_dqm": (sampler.sample_dqm, dimod.DiscreteQuadraticModel()),
        "sample_cqm": (sampler.sample_cqm, dimod.ConstrainedQuadraticModel()),
    }
    for (taken, (call, _)), (other, (_, model)) in product(calls.items(), calls.items()):
        if taken != other:
            with pytest.raises(ArgumentKindError, match=f"or call {other} with this one"):
                call(model)


def test_a_constrained_model_needs_variables_and_a_penalty_that_is_a_number(
    device: Device,
) -> None:
    model = dimod.ConstrainedQuadraticModel()
    with pytest.raises(ProgramError, match="the model has no variable: give it one at least"):
        Sampler(device).sample_cqm(model)
    model.set_objective(dimod.Binary("x"))
    wrong: Any = "high"
    with pytest.raises(ProgramError, match="penalty is 'high' and must be a number above 0: give"):
        Sampler(device).sample_cqm(model, penalty=wrong)


@pytest.mark.parametrize("name", ["observer", "stop", "progress"])
def test_tempering_takes_functions_where_it_calls_them(device: Device, name: str) -> None:
    wrong: dict[str, Any] = {name: "loud"}
    sentence = f"{name} must be a function of .*, not 'loud': pass one, or leave it out"
    tempering = ParallelTempering(device)
    with pytest.raises(ArgumentKindError, match=sentence):
        tempering.sample(chain(), rounds=2, **wrong)
    assert device.loads == 0, "no ladder was sought in vain"
    compiled = gibbsite.compiler.compile_model(
        gibbsite.slot_model.slot_model(chain()), device.info.graph, beta_max=1.0
    )
    engine = GraphLadder(device, compiled)
    with pytest.raises(ArgumentKindError, match=sentence):
        temper(engine, engine.codes([0.1, 1.0]), rounds=2, seed=1, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"num_reads": 1.5},
        {"seed": "x"},
        {"beta": "x"},
        {"max_error": [1]},
        {"clamps": 5},
        {"progress": 5},
        {"interrupt_function": 3},
        {"initial_states_generator": ["tile"]},
    ],
    ids=str,
)
def test_arguments_of_a_sampling_call_are_refused_by_the_house(device: Device, wrong: Any) -> None:
    (name,) = wrong
    with pytest.raises(GibbsiteError, match=name):
        Sampler(device).sample(chain(), **wrong)
    assert device.loads == 0


@pytest.mark.parametrize("call", ["sample", "trajectory", "moments"])
def test_continuous_states_take_a_function_for_their_progress(call: str) -> None:
    wells = gibbsite.Potential.build(2, J2=-1.0, J4=0.5, b=[0.1, 0.0], J={(0, 1): -0.6})
    config = gibbsite.LangevinConfig(mu=1.0, kT=0.4, dt=0.02, n_steps=20, dim=2)
    with (
        gibbsite.LangevinSampler(wells, config, device="golden:") as sampler,
        pytest.raises(ArgumentKindError, match=r"progress must be a function of .*, not 5"),
    ):
        getattr(sampler, call)(progress=5)


@pytest.mark.parametrize("ends", [5, "ab", [1.0], (1.0, "2"), (2.0, 1.0), (0.0, float("inf"))])
def test_solve_wants_two_ends_in_order(ends: Any) -> None:
    with pytest.raises(RequestError, match=r"beta_range: two finite numbers .* give two in order"):
        gibbsite.solve(TEXT, device="golden:?like=small", beta_range=ends)


def test_solve_wants_a_function_for_its_progress() -> None:
    progress: Any = 5
    with pytest.raises(RequestError, match=r"progress: a function .*, found 5; pass one or leave"):
        gibbsite.solve(TEXT, device="golden:?like=small", progress=progress)

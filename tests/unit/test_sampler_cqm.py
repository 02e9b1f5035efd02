"""Constrained models against dimod's exact solver: native constraints, penalties, refusals."""

from collections.abc import Iterator

import dimod
import pytest

from gibbsite.cqm import constrained_model
from gibbsite.devices import open as open_device
from gibbsite.sampler import Sampler
from gibbsite.schedules import ArgumentError
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with open_device("golden:?like=small") as opened:
        yield opened


def binaries(names: str) -> list:
    return list(dimod.Binaries(names))


def one_hot() -> dimod.ConstrainedQuadraticModel:
    """Three items, each on one of three places, at most one a place; one native group an item."""
    cqm = dimod.ConstrainedQuadraticModel()
    x = {(i, p): dimod.Binary(f"{i}{p}") for i in range(3) for p in range(3)}
    cost = {(0, 0): 3, (0, 1): 1, (0, 2): 4, (1, 0): 1, (1, 1): 5, (1, 2): 9}
    cost |= {(2, 0): 2, (2, 1): 6, (2, 2): 5}
    cqm.set_objective(sum(cost[k] * x[k] for k in x))
    for i in range(3):
        cqm.add_constraint(sum(x[i, p] for p in range(3)) == 1, label=f"item {i}")
    for p in range(3):
        cqm.add_constraint(sum(x[i, p] for i in range(3)) <= 1, label=f"place {p}")
    return cqm


def knapsack() -> dimod.ConstrainedQuadraticModel:
    """A weight limit over five binaries: a slack is needed."""
    cqm = dimod.ConstrainedQuadraticModel()
    x = binaries("abcde")
    worth, weight = (6, 5, 8, 9, 6), (2, 3, 6, 7, 5)
    cqm.set_objective(-sum(v * x_ for v, x_ in zip(worth, x, strict=True)))
    cqm.add_constraint(sum(w * x_ for w, x_ in zip(weight, x, strict=True)) <= 11, label="weight")
    return cqm


def whole_numbers() -> dimod.ConstrainedQuadraticModel:
    """Integers with a product between them, a sum that must be 9, a bound and a spin."""
    cqm = dimod.ConstrainedQuadraticModel()
    i = dimod.Integer("i", lower_bound=2, upper_bound=7)
    j = dimod.Integer("j", lower_bound=0, upper_bound=6)
    s = dimod.Spin("s")
    b = dimod.Binary("b")
    cqm.set_objective(i * j - 4 * j + 2 * s * b + s - 3 * b * i)
    cqm.add_constraint(i + j + b == 9, label="sum")
    cqm.add_constraint(2 * j <= 9, label="bound")
    cqm.add_constraint(i - j >= -1, label="order")
    return cqm


@pytest.mark.parametrize("build", [one_hot, knapsack, whole_numbers])
def test_the_optimum_is_found_and_feasibility_is_reported(device: Device, build) -> None:
    cqm = build()
    exact = dimod.ExactCQMSolver().sample_cqm(cqm)
    optimum = exact.filter(lambda row: row.is_feasible).first.energy
    penalty = 12.0 if build is whole_numbers else None  # derived, it leaves too few codes
    result = Sampler(device).sample_cqm(cqm, penalty=penalty, num_reads=60, num_sweeps=300, seed=2)
    feasible = result.filter(lambda row: row.is_feasible)
    assert len(feasible) > 0
    assert feasible.first.energy == pytest.approx(optimum)
    assert set(result.variables) == set(cqm.variables)
    assert result.info["penalty"] > 0
    assert ("no violation pays" in result.info["penalty_derivation"]) == (penalty is None)
    for row in result.data(["sample", "energy", "is_feasible", "penalized_energy"]):
        assert row.is_feasible == cqm.check_feasible(row.sample)
        if row.is_feasible and build is not knapsack:  # a slack may still be unsettled
            assert row.penalized_energy == pytest.approx(row.energy)


def at_most_two() -> dimod.ConstrainedQuadraticModel:
    """Two of four, and one of the two cheapest."""
    cqm = dimod.ConstrainedQuadraticModel()
    a, b, c, d = binaries("abcd")
    cqm.set_objective(-4 * a - 3 * b - 2 * c - d + 2 * a * b)
    cqm.add_constraint(a + b + c + d <= 2, label="two")
    cqm.add_constraint(c + d >= 1, label="one")
    return cqm


@pytest.mark.parametrize("build", [one_hot, knapsack, whole_numbers, at_most_two])
def test_no_violation_pays(build) -> None:
    """Over all states of the translated model: the lowest is feasible and has the optimum."""
    cqm = build()
    built = constrained_model(cqm)
    model = built.model
    exact = dimod.ExactCQMSolver().sample_cqm(cqm)
    optimum = exact.filter(lambda row: row.is_feasible).first.energy
    # the choices as one-hot binaries would be too many: go through values of units instead
    from itertools import product

    spins = list(model.spins.variables)
    groups = list(model.choices.variables)
    lowest = None
    for bits in product((0, 1), repeat=len(spins)):
        values = dict(zip(spins, bits, strict=True))
        base = float(model.spins.energy(values))
        for cases in product(*(range(model.choices.num_cases(g)) for g in groups)):
            chosen = dict(zip(groups, cases, strict=True))
            if any(chosen[g] in built.removed.get(g, ()) for g in groups):
                continue
            energy = base + float(model.choices.energy(chosen)) if groups else base
            for (spin, group, case), weight in model.between.items():
                energy += weight * values[spin] * (chosen[group] == case)
            lowest = energy if lowest is None else min(lowest, energy)
    assert lowest == pytest.approx(optimum)


def test_one_hot_constraints_are_native() -> None:
    built = constrained_model(one_hot())
    assert len(built.model.choices.variables) == 3
    assert len(built.model.spins.variables) == 0


def test_constraints_on_one_variable_remove_values() -> None:
    built = constrained_model(whole_numbers())
    assert built.removed[("integer", "j")] == {5, 6}


def test_clamps_are_in_the_model_s_own_variables(device: Device) -> None:
    result = Sampler(device).sample_cqm(
        one_hot(), num_reads=20, num_sweeps=60, seed=1, clamps={"00": 1, "11": 0}
    )
    assert {s["00"] for s in result.samples()} == {1}
    assert {s["11"] for s in result.samples()} == {0}
    numbers = Sampler(device).sample_cqm(
        whole_numbers(),
        penalty=12.0,
        num_reads=20,
        num_sweeps=20,
        seed=1,
        clamps={"i": 5, "s": -1, "b": 1},
    )
    assert {(s["i"], s["s"], s["b"]) for s in numbers.samples()} == {(5, -1, 1)}


def test_soft_constraints_cost_their_weight() -> None:
    cqm = dimod.ConstrainedQuadraticModel()
    a, b, c = binaries("abc")
    cqm.set_objective(-a - b - c)
    cqm.add_constraint(a + b <= 1, label="pair", weight=5.0)
    cqm.add_constraint(a + b + c == 1, label="all", weight=2.0, penalty="quadratic")
    model = constrained_model(cqm).model
    for values in ((0, 0, 0), (1, 1, 0), (1, 1, 1), (0, 0, 1)):
        x = dict(zip("abc", values, strict=True))
        cost = 5.0 * max(0, x["a"] + x["b"] - 1) + 2.0 * (sum(values) - 1) ** 2
        found = model.spins.energy({("bit", name): value for name, value in x.items()})
        assert found == pytest.approx(cost - sum(values))


def test_a_long_slack_becomes_digits() -> None:
    cqm = dimod.ConstrainedQuadraticModel()
    a, b, c = binaries("abc")
    cqm.set_objective(-a - b - c)
    cqm.add_constraint(100 * a + 201 * b + 303 * c <= 400, label="weight")
    built = constrained_model(cqm)
    assert not built.model.choices.variables
    # 3 of the model and 9 digits that make every number up to 400
    assert len(built.model.spins.variables) == 3 + 9


def _real() -> dimod.ConstrainedQuadraticModel:
    cqm = dimod.ConstrainedQuadraticModel()
    cqm.set_objective(dimod.Real("r"))
    return cqm


def _with(add) -> dimod.ConstrainedQuadraticModel:
    cqm = dimod.ConstrainedQuadraticModel()
    a, b, c = binaries("abc")
    cqm.set_objective(a + b + c)
    add(cqm, a, b, c)
    return cqm


@pytest.mark.parametrize(
    ("cqm", "words"),
    [
        (_real, "'r' is real"),
        (lambda: _with(lambda m, a, b, c: m.add_constraint(a * b + c <= 1)), "is quadratic"),
        (lambda: _with(lambda m, a, b, c: m.add_constraint(a + b + c >= 4)), "nothing satisfies"),
        (lambda: _with(lambda m, a, b, c: m.add_constraint(2 * a == 1)), "leaves no value"),
        (
            lambda: _with(
                lambda m, a, b, c: m.add_constraint(a + 2**0.5 * b + 3.1415926535 * c <= 4)
            ),
            "no common step",
        ),
        (
            lambda: _with(lambda m, a, b, c: m.set_objective(dimod.Integer("n", upper_bound=300))),
            "'n' has 301 values and a group 256 cases",
        ),
    ],
)
def test_what_cannot_be_translated_is_refused_by_name(cqm, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        constrained_model(cqm())


def test_bad_arguments_are_refused(device: Device) -> None:
    with pytest.raises(ProgramError, match="penalty is 0"):
        Sampler(device).sample_cqm(knapsack(), penalty=0)
    with pytest.raises(ArgumentError, match="no initial_states"):
        Sampler(device).sample_cqm(knapsack(), initial_states=[{}])
    with pytest.raises(ProgramError, match="'zz' is no variable"):
        Sampler(device).sample_cqm(knapsack(), clamps={"zz": 1})

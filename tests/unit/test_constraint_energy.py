"""Penalties as data: rows, exact gradients, learned strengths, conditions, amounts and plans."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.allocation import AllocationEnergy
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.penalties import KINDS, Penalty
from gibbsite_models.energies.planning import PlanningEnergy, Product
from gibbsite_models.energies.potential import Array
from gibbsite_models.langevin_float import Protocol, Segment, ramp, simulate

PENALTIES = (
    Penalty("precedence", "x before y", {"x": 1, "y": -1}, -2.0),
    Penalty("lower", "x >= 1", {"x": 1}, 1.0, strength=7.0),
    Penalty("upper", "y <= 6", {"y": 1}, 6.0, learnable=False),
    Penalty("balance", "like", {"x": 1, "y": 1, "z": -2}, 0.5, strength=0.3),
    Penalty("demand", "total", {"x": 1, "y": 2, "z": 1}, 9.0),
    Penalty("cost", "price", {"x": 1, "z": -3}, strength=0.2),
)


def mixed(scale: float = 1.0) -> ConstraintEnergy:
    """Every sense of row at once."""
    return ConstraintEnergy(["x", "y", "z"], PENALTIES, scale)


def plan() -> PlanningEnergy:
    """Two products, a shared capacity, every soft penalty."""
    return PlanningEnergy(
        [
            Product("a", [1, 4, 2, 5], capacity=4, storage=5, initial=1, target=1, cost=0.1),
            Product("b", [2, 0, 3, 1], capacity=3, storage=4, holding=0.05),
        ],
        capacity=5.5,
        smoothness=0.05,
        scale=2.0,
    )


def amounts() -> AllocationEnergy:
    """Three items at two resources, one pair forbidden, uses that differ."""
    return AllocationEnergy(
        {"p": 3, "q": 2, "r": 1.5},
        {"left": 4, "right": 6},
        cost={("p", "left"): 0.2, ("q", "right"): 0.4},
        use={("p", "right"): 1.5},
        forbidden=[("r", "left")],
        balance=5.0,
    )


def test_energy_is_the_penalties_written_out() -> None:
    x, y, z = 2.5, 3.0, 1.1
    expected = (
        10 * max(x - y + 2, 0) ** 2
        + 7 * max(1 - x, 0) ** 2
        + 10 * max(y - 6, 0) ** 2
        + 0.3 * (x + y - 2 * z - 0.5) ** 2
        + 10 * (x + 2 * y + z - 9) ** 2
        + 0.2 * (x - 3 * z)
    )
    assert mixed().energy(np.array([x, y, z])) == pytest.approx(expected, rel=1e-13)
    # z = v / scale: rows shrink by the scale, what is linear by its first power
    scaled, state = mixed(4.0), np.array([x, y, z]) / 4
    linear = 0.2 * (x - 3 * z)
    assert scaled.energy(state) == pytest.approx((expected - linear) / 16 + linear / 4, rel=1e-13)
    assert scaled.values(state) == pytest.approx({"x": x, "y": y, "z": z})
    assert scaled.states({"x": x, "y": y, "z": z}) == pytest.approx(state)
    assert scaled.violations(state) == pytest.approx([1.5, 0, 0, 2.8, 0.6])
    assert not scaled.feasible(state, 1.4)
    assert scaled.feasible(state, 1.6)  # what is soft may be missed by more


@pytest.mark.parametrize("make", [mixed, plan, amounts])
def test_gradients_are_exact(make: Callable[[], ConstraintEnergy]) -> None:
    energy = make()
    random = np.random.default_rng(4)
    z = random.normal(size=(30, len(energy.names))) * 3
    step = 1e-6
    found = np.stack(
        [
            (energy.energy(z + step * e) - energy.energy(z - step * e)) / (2 * step)
            for e in np.eye(len(energy.names))
        ],
        axis=-1,
    )
    # central differences of piecewise quadratics are exact up to rounding, 1e-16 * 1e4 / 1e-6, and
    # within a step of a kink up to lambda k^2 step
    assert np.abs(found - energy.gradient(z)).max() < 1e-4
    wrong = energy.gradient(z) * np.where(np.arange(len(energy.names)) == 1, 1.001, 1)
    assert np.abs(found - wrong).max() > 1e-4
    energy.potential.check()


def test_every_kind_of_the_table_makes_its_row() -> None:
    for name, kind in KINDS.items():
        wall = Penalty("upper", "wall", {"v": 1}, 9.0)
        energy = ConstraintEnergy(["v"], [Penalty(name, "row", {"v": 2}, 3.0, 1.5), wall])
        below, above = energy.energy(np.array([[0.5], [2.5]]))
        expected = {"<=": (0, 6), ">=": (6, 0), "=": (6, 6), "linear": (1.5, 7.5)}[kind.sense]
        assert (below, above) == pytest.approx(expected)
        assert energy.learnable[-1]
        assert len(energy.rows) == 1 + (kind.sense != "linear")
        assert energy.learnable[0] == (kind.hard or kind.sense == "linear")  # the wall, if alone


def settled(energy: ConstraintEnergy, kT: float = 1e-5, seed: int = 1) -> Array:
    """Samples of the cold end of a ramp of kT."""
    p = energy.potential
    dt = 0.8 * p.largest_stable_dt(1.0, 0)
    hot, cold = Segment(1, 0.5, dt), Segment(1, kT, dt)
    steps = [*ramp(hot, cold, 600), Segment(6000, kT, dt)]
    return simulate(p, Protocol(1.0, steps), 8, seed, start_sigma=1.0).z


def test_strengths_grow_until_the_tolerance_holds() -> None:
    # a price of 1 pushes x against its wall: v = 1/(2 lambda), so lambda is 1/(2 tolerance)
    push = Penalty("cost", "push", {"x": -1}, strength=1.0)
    wall = Penalty("upper", "wall", {"x": 1}, 2.0, strength=3.0)
    energy = ConstraintEnergy(["x"], [push, wall])
    learned = energy
    for _ in range(3):
        learned = learned.tighten(settled(learned), tolerance=0.01)
    assert energy.lam[0] == 3
    assert learned.lam[0] == pytest.approx(50, rel=0.1)
    assert learned.feasible(settled(learned), 0.02).all()
    assert not energy.feasible(settled(energy), 0.02).any()
    assert learned.tighten(settled(learned), 0.01, largest=20).lam[0] == learned.lam[0]


def test_fixed_and_soft_strengths_stay() -> None:
    energy = mixed()
    far = energy.tighten(np.full((5, 3), 50.0), tolerance=0.1, growth=3, largest=25)
    grown = [
        row.label for row, a, b in zip(energy.rows, energy.lam, far.lam, strict=True) if a != b
    ]
    assert grown == ["x before y", "total"]  # "like" is soft and "y <= 6" fixed, though both miss
    assert far.lam[far.lam != energy.lam].tolist() == [25, 25]  # 10 times 3, and the largest
    assert type(plan().tighten(np.zeros((1, 16)), 0.1)) is PlanningEnergy
    for samples, tolerance, growth in [(0.0, 0.0, 2.0), (0.0, 0.1, 1.0), (np.nan, 0.1, 2.0)]:
        with pytest.raises(ProgramError, match=r"of tightening must|tightening needs"):
            energy.tighten(np.full((1, 3), samples), tolerance, growth)


def test_conditions_stream_bounds_strengths_biases_and_clamps() -> None:
    energy = mixed(scale=2.0)
    condition = energy.condition(
        bounds={"x >= 1": 4.0, "total": 12.0},
        strengths={"total": 0.5},
        bias={"z": 0.25},
        clamps={"y": 3.0},
    )
    assert condition.clamps == {1: 1.5}
    changed = energy.potential.conditioned(condition)
    rows = [
        Penalty("lower", "x >= 1", {"x": 1}, 4.0, 7.0) if p.label == "x >= 1"
        else Penalty("demand", "total", p.coefficients, 12.0, 0.5) if p.label == "total"
        else p
        for p in PENALTIES
    ]  # fmt: skip
    again = ConstraintEnergy(["x", "y", "z"], rows, 2.0)
    z = np.random.default_rng(1).normal(size=(20, 3))
    expected = again.energy(z) + (0.25 + 0.6) * z[:, 2]
    assert changed.energy(z) == pytest.approx(expected)
    for arguments, sentence in [
        ({"bounds": {"none": 1.0}}, "no row is labelled 'none'"),
        ({"bounds": {"total": np.nan}}, "the bound of 'total' must be finite and is nan"),
        ({"strengths": {"total": -1.0}}, "the strength of 'total' must be finite and at least 0"),
        ({"clamps": {"w": 0.0}}, "no variable is called 'w'"),
        ({"bias": {"x": np.inf}}, "the bias of 'x' must be finite and is inf"),
    ]:
        with pytest.raises(ProgramError, match=re.escape(sentence)):
            energy.condition(**arguments)


def test_a_plan_is_reached_as_the_bath_cools() -> None:
    energy: ConstraintEnergy = plan()
    for _ in range(3):
        energy = energy.tighten(settled(energy), 0.02)
    z = settled(energy)
    assert energy.feasible(z, 0.1).all()
    made = np.array([energy.values(state)["a.make.1"] for state in z])
    # period 1 needs 4 and starts with at most 1 - 1 + 4 in stock; made levels are alike
    assert (made > 2).all()


def test_amounts_are_reached_and_balanced() -> None:
    energy: ConstraintEnergy = amounts()
    for _ in range(3):
        energy = energy.tighten(settled(energy), 0.02)
    z = settled(energy)
    assert energy.feasible(z, 0.1).all()
    x = {name: np.array([energy.values(s)[name] for s in z]) for name in energy.names}
    left = (x["p/left"] + x["q/left"]) / 4
    right = (1.5 * x["p/right"] + x["q/right"] + x["r/right"]) / 6
    assert np.abs(left - right).max() < 0.25  # prices alone would part them by 0.5
    alone = AllocationEnergy(
        {"p": 3}, {"cheap": 2, "dear": 9}, {("p", "dear"): 1.0, ("p", "cheap"): 0.5}
    )
    cheap = settled(alone)[:, alone.names.index("p/cheap")]
    assert np.abs(cheap - 2).max() < 0.2


A = Product("a", [1.0, 2.0], capacity=2, storage=5)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ConstraintEnergy([], []), "at least 1"),
        (lambda: ConstraintEnergy(["x", "x"], []), "different names"),
        (lambda: ConstraintEnergy(["x"], [], scale=0), "scale must be finite and above 0"),
        (lambda: ConstraintEnergy(["x"], [Penalty("odd", "l", {"x": 1})]), "of kind 'odd'; known"),
        (lambda: ConstraintEnergy(["x"], [Penalty("cost", "l", {"y": 1})]), "called 'y'"),
        (lambda: ConstraintEnergy(["x"], [Penalty("cost", "l", {"x": 0})]), "no coefficient"),
        (
            lambda: ConstraintEnergy(["x"], [Penalty("lower", "l", {"x": 1}, np.nan)]),
            "'l' must be finite",
        ),
        (lambda: ConstraintEnergy(["x"], [Penalty("lower", "l", {"x": 1}, 1, -1)]), "at least 0"),
        (lambda: ConstraintEnergy(["x"], [Penalty("cost", "l", {"x": 1})] * 2), "two penalties"),
        (
            lambda: AllocationEnergy({"p": 1}, {"r": 0}),
            "capacity of 'r' must be finite and above 0",
        ),
        (
            lambda: AllocationEnergy({"p": -1}, {"r": 1}),
            "demand of 'p' must be finite and at least 0",
        ),
        (lambda: AllocationEnergy({"p": np.nan}, {"r": 1}), "demand of 'p'"),
        (lambda: AllocationEnergy({"p": 1}, {"r": 1}, {("q", "r"): 1}), "('q', 'r')"),
        (lambda: AllocationEnergy({"p": 1}, {"r": 1}, use={("p", "r"): 0}), "use of ('p', 'r')"),
        (lambda: AllocationEnergy({"p": 3}, {"r": 1}), "'p' asks for 3"),
        (lambda: AllocationEnergy({"p": 1}, {"r": 1}, forbidden=[("p", "r")]), "take 0 of it"),
        (lambda: AllocationEnergy({"p": 2, "q": 2}, {"r": 3}), "need at least 4 of"),
        (lambda: PlanningEnergy([]), "at least 1"),
        (lambda: PlanningEnergy([A, Product("b", [1], 1, 1)]), "found [2, 1]"),
        (lambda: PlanningEnergy([A, A]), "different names|two penalties"),
        (lambda: PlanningEnergy([A], capacity=0), "shared capacity must be finite and above 0"),
        (lambda: PlanningEnergy([A], capacity=1), "by period 1 demands need 3"),
        (lambda: PlanningEnergy([Product("a", [3], 2, 5)]), "product 'a': by period 0"),
        (lambda: Product("a", [1, np.inf], 2, 5), "must be finite"),
        (lambda: Product("a", [1], 0, 5), "capacity of 'a' must be finite and above 0"),
        (lambda: Product("a", [-1], 1, 5), "must be finite and at least 0"),
        (lambda: Product("a", [1], 1, 5, initial=6), "starts with 6"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], Any], sentence: str) -> None:
    pattern = sentence if "|" in sentence else re.escape(sentence)
    with pytest.raises(ProgramError, match=pattern):
        make()

"""Energies made of names and numbers: what fits no argument is refused in a sentence."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.allocation import AllocationEnergy
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.penalties import Penalty
from gibbsite_models.energies.planning import PlanningEnergy, Product
from gibbsite_models.energies.potential import Potential
from gibbsite_models.energies.scheduling import SchedulingEnergy, Task
from gibbsite_models.langevin_float import Segment, ramp

NEXT_STEP = re.compile("; (give|name|make)")

P = Potential.build(2, J2=[1, 2], J4=0.5, b=[1, -1], J={(0, 1): 0.5}, K=[[1, 1]], d=0.2)


def refused(make: Callable[[], Any], sentence: str) -> None:
    """One sentence that names the limit and what was found, and ends with a next step."""
    with pytest.raises(ProgramError, match=re.escape(sentence)) as caught:
        make()
    assert NEXT_STEP.search(str(caught.value)), caught.value


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"J": {(0, 1): 1, (1, 0): 1}}, "units 1 and 0 in either order, twice in all; give each"),
        ({"J": {(1, 0): 1, (0, 1): 0}}, "give each pair once, as (0, 1)"),
        ({"J2": [1, 2, 3]}, "J2 must be one number a unit, n = 2 of them, and has shape (3,)"),
        ({"J2": [[1, 2]]}, "J2 must be one number a unit, n = 2 of them, and has shape (1, 2)"),
        ({"J4": [1, 2, 3]}, "J4 must have shape (2,) for 2 units"),
    ],
)
def test_couplings_of_two_meanings(arguments: dict[str, Any], sentence: str) -> None:
    refused(lambda: Potential.build(2, **arguments), sentence)


def test_a_pair_of_either_order_is_one_coupling() -> None:
    for pair in ((0, 1), (1, 0)):
        assert Potential.build(2, J={pair: 0.7}).J.tolist() == [[0, 0.7], [0.7, 0]]


TAKES_STATES = ("terms", "energy", "forces", "gradient", "hessian", "laplacian")


@pytest.mark.parametrize("name", TAKES_STATES)
def test_states_may_be_lists(name: str) -> None:
    take = getattr(P, name)
    for states in ([1, -2], [[1, 2], [3, 4]], np.array([1, 3]), np.float32([0.5, 1])):
        assert np.array_equal(take(states), take(np.array(states, dtype=np.float64)))


@pytest.mark.parametrize("name", TAKES_STATES)
@pytest.mark.parametrize(
    ("states", "sentence"),
    [
        (1.0, "states must have 2 numbers, one a unit, in their last dimension and have shape ()"),
        ([1, 2, 3], "have shape (3,); give an array of shape (..., 2)"),
        # one number would broadcast over both units
        (np.zeros((2, 1)), "have shape (2, 1); give an array of shape (..., 2)"),
        ("ab", "states must be real numbers"),
        ([[1, 2], [3]], "states must be real numbers"),
    ],
)
def test_states_of_another_size(name: str, states: Any, sentence: str) -> None:
    refused(lambda: getattr(P, name)(states), sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1, 2, 3), "the first end of a ramp must be a Segment and is 1; give Segment"),
        ((Segment(1, 1, 0.1), "x", 3), "the last end of a ramp must be a Segment and is 'x'"),
        ((Segment(1, 1, 0.1), Segment(1, 2, 0.1), 2.5), "the steps of a ramp must be a whole"),
    ],
)
def test_ramps_between_no_segments(arguments: Any, sentence: str) -> None:
    refused(lambda: ramp(*arguments), sentence)


WALL = Penalty("upper", "wall", {"x": 1}, 2.0)
E = ConstraintEnergy(["x", "y", "z"], [WALL])
TASKS = [Task("a", 1), Task("b", 1)]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ConstraintEnergy(["a"], [("upper", "x", {"a": 1})]), "hold ('upper', 'x'"),
        (lambda: ConstraintEnergy(["x"], WALL), "penalties must be a list of at least 0 Penalty"),
        (lambda: ConstraintEnergy(3, []), "an energy needs different names, at least 1, and has 3"),
        (lambda: ConstraintEnergy("xy", []), "at least 1, and has 'xy'; give a list of strings"),
        (lambda: ConstraintEnergy(["x"], [WALL], "x"), "the scale must be finite and above 0"),
        (lambda: Penalty("upper", 3, {"x": 1}), "kind and label of a penalty must be strings"),
        (lambda: Penalty(["upper"], "l", {"x": 1}), "kind and label of a penalty must be strings"),
        (lambda: Penalty("upper", "l", [1, 2]), "the coefficient in 'l' must be a number for each"),
        (
            lambda: Penalty("upper", "l", {0: 1}),
            "the coefficient in 'l' is given for 0; give names",
        ),
        (lambda: Penalty("upper", "l", {"x": "1"}), "the coefficient in 'l' of 'x' must be finite"),
        (
            lambda: Penalty("upper", "l", {"x": 1}, "3"),
            "the bound of 'l' must be finite and is '3'",
        ),
        (lambda: Penalty("upper", "l", {"x": 1}, 1, "3"), "the strength of 'l' must be finite and"),
        (lambda: E.tighten(np.zeros((4, 2)), 0.1), "states must have 3 numbers, one a unit"),
        (lambda: E.tighten(np.zeros((2, 2, 3)), 0.1), "finite samples [reads, 3], at least 1, and"),
        (lambda: E.tighten(np.zeros((0, 3)), 0.1), "and has shape (0, 3); give states"),
        (lambda: E.tighten(np.zeros((1, 3)), "0.1"), "the tolerance of tightening must be finite"),
        (lambda: E.values([1, 2]), "states must have 3 numbers, one a unit, in their last"),
        (lambda: E.values(np.zeros((2, 3))), "values are of one state [3] and have shape (2, 3)"),
        (lambda: E.violations(np.zeros(2)), "states must have 3 numbers"),
        (lambda: E.energy(["x"] * 3), "states must be real numbers"),
        (lambda: E.states({"x": "1"}), "the value of 'x' must be finite and is '1'"),
        (lambda: E.states({"v": 1}), "no variable is called 'v'; known are x, y, z; name one"),
        (lambda: E.condition(bounds=[1]), "the bound must be a number for each name and is [1]"),
    ],
)
def test_penalties_of_no_numbers(make: Callable[[], Any], sentence: str) -> None:
    refused(make, sentence)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Task(1, 2), "the name of a task must be a string and is 1; give one"),
        (lambda: Task("a", 2, 3), "the machine of a task must be a string and is 3; give one"),
        (lambda: Task("a", "2"), "the duration of 'a' must be finite and at least 0 and is '2'"),
        (lambda: Task("a", 2, release=None), "the release of 'a' must be finite and is None"),
        (lambda: Task("a", 2, deadline="x"), "the deadline of 'a' must be finite and is 'x'"),
        (lambda: Task("a", 2, preference=np.inf), "the preference of 'a' must be finite"),
        (lambda: Task("a", 2, demand=["x"]), "what 'a' demands must be a number for each name"),
        (lambda: Task("a", 2, demand={"r": -1}), "what 'a' demands of 'r' must be finite and at"),
        (lambda: SchedulingEnergy([("a", 3)]), "tasks must be a list of Task and hold ('a', 3)"),
        (lambda: SchedulingEnergy([]), "tasks must be a list of at least 1 Task and are []"),
        (lambda: SchedulingEnergy(TASKS, ["ab"]), "must be a pair of names and is 'ab'; give"),
        (lambda: SchedulingEnergy(TASKS, "ab"), "precedence must be a list of pairs and is 'ab'"),
        (lambda: SchedulingEnergy(TASKS, 3), "precedence must be a list of pairs and is 3; give"),
        (lambda: SchedulingEnergy(TASKS, [("a", "b", "c")]), "pair of names and is ('a', 'b', 'c'"),
        (lambda: SchedulingEnergy(TASKS, capacity=[1]), "the capacity must be a number for each"),
        (lambda: SchedulingEnergy(TASKS, horizon="9"), "the horizon must be finite and above 0"),
        (lambda: SchedulingEnergy(TASKS, pull="1"), "the pull must be finite and at least 0"),
        (lambda: SchedulingEnergy(TASKS).in_order(["ab"]), "must be a pair of names and is 'ab'"),
        (
            lambda: SchedulingEnergy([Task("a", 5, deadline=3)]),
            "task 'a' has release 0 and duration 5, and must end by its deadline 3; give a later",
        ),
    ],
)
def test_tasks_of_no_numbers(make: Callable[[], Any], sentence: str) -> None:
    refused(make, sentence)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: AllocationEnergy({"a": 1}, {"r": 2}, {"a": 1}), "the cost is by (item, resource)"),
        (lambda: AllocationEnergy({"a": 1}, {"r": 2}, cost=[1]), "the cost must be a number for"),
        (
            lambda: AllocationEnergy({"a": 1}, {"r": 2}, use={("a", "r"): "2"}),
            "the use of ('a', 'r') must be finite and above 0 and is '2'",
        ),
        (lambda: AllocationEnergy({"a": 1}, {"r": 2}, forbidden=["ar"]), "of names and is 'ar'"),
        (lambda: AllocationEnergy({"a": 1}, {"r": 2}, {("a", "s"): 1}), "give pairs of these"),
        (
            lambda: AllocationEnergy([1], [2]),
            "the demand must be a number for each name and is [1]",
        ),
        (lambda: AllocationEnergy({"a": 1}, [2]), "the capacity must be a number for each name"),
        (lambda: Product("a", 5, 3, 3), "the demand of 'a' must be a list, a number a period, and"),
        (lambda: Product("a", "5", 3, 3), "the demand of 'a' must be real numbers"),
        (lambda: Product("a", [5], "3", 3), "the capacity of 'a' must be finite and above 0"),
        (lambda: Product(1, [5], 3, 3), "the name of a product must be a string and is 1"),
        (lambda: PlanningEnergy([("a", [1])]), "products must be a list of Product and hold"),
        (
            lambda: PlanningEnergy([Product("a", [1], 3, 3)], capacity="3"),
            "the shared capacity must be finite and above 0 and is '3'",
        ),
    ],
)
def test_amounts_of_no_numbers(make: Callable[[], Any], sentence: str) -> None:
    refused(make, sentence)

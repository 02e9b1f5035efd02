"""Energies made of names and numbers: what fits no argument is refused in a sentence."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential
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

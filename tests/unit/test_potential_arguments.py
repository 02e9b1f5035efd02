"""What is no number, no name and no unit is refused in a sentence that says what to give."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment, simulate

NEXT_STEP = re.compile("; (give|put|clamp)|, replace it|; replace")

P = Potential.build(2, J2=1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"K": [[1.0, 2.0], [3.0]]}, "K must be real numbers in rows of one length"),
        ({"K": 3.0}, "K must have shape (constraints, units) for 2 units"),
        ({"K": [1.0, 2.0]}, "K must have shape (constraints, units) for 2 units"),
        ({"J2": "1"}, "J2 must be real numbers in rows of one length and is '1'"),
        ({"J4": ["1", "2"]}, "J4 must be real numbers"),
        ({"b": [1j, 2.0]}, "b must be real numbers"),
        ({"b": None}, "b must be real numbers"),
        ({"d": {}}, "d must be real numbers"),
        ({"lam": [10**400]}, "lam must be real numbers"),
        ({"hinge": 2, "K": [[1, 0]]}, "hinge must be False or True and is"),
        ({"hinge": "no"}, "hinge must be real numbers"),
        ({"force": [1.0]}, "force must have shape (2,)"),
        ({"J": "strong"}, "J must be real numbers"),
        ({"J": [[0.0, 1.0], [1.0]]}, "J must be real numbers"),
        ({"J": 0.0}, "J must have shape (2, 2)"),
        ({"J": {(0, 1, 1): 1.0}}, "a coupling joins units 0 and 1 and 1; give pairs"),
        ({"J": {0: 1.0}}, "a coupling joins units 0; give pairs"),
        ({"J": {(0, 0.5): 1.0}}, "a coupling joins units 0 and 0.5; give pairs"),
        ({"J": {"01": 1.0}}, "a coupling joins units '01'; give pairs"),
        ({"J": {(1, 1): 1.0}}, "a coupling joins unit 1 to itself; give its square in J2[1]"),
        ({"J": {(0, 1): "1"}}, "J[0,1] must be finite and is '1'"),
        ({"J": {(0, 1): np.inf}}, "J[0,1] must be finite and is inf"),
        ({"names": "ab"}, "2 different names and have 'ab'"),
        ({"names": 2}, "2 different names and have 2"),
        ({"names": [["a"], ["b"]]}, "2 different names"),
        ({"names": ["a"]}, "2 different names"),
        ({"J2": []}, "J2 must be one number a unit"),
        ({"J2": np.nan}, "J2[0] is nan; all numbers must be finite, replace it"),
    ],
)
def test_what_no_potential_is_made_of(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(sentence)) as caught:
        Potential.build(2, **arguments)
    assert NEXT_STEP.search(str(caught.value)), caught.value


@pytest.mark.parametrize("n", [2.5, 2.0, -1, 0, True, "2", None, [2]])
def test_sizes_that_are_none(n: Any) -> None:
    with pytest.raises(ProgramError, match=r"n must be a whole number, at least 1, .*; give"):
        Potential.build(n)


def test_numbers_of_all_kinds_are_taken() -> None:
    p = Potential.build(
        np.int64(2), J2=[Fraction(1, 2), 2**70], b=np.float32(0.5),
        J={(np.int8(0), 1): Fraction(3)}, K=((1, 0),), hinge=np.array([1]),
        names=np.array(["a", "b"]),
    )  # fmt: skip
    assert p.J2.tolist() == [0.5, 2.0**70]
    assert p.b.tolist() == [0.5, 0.5]
    assert p.J.tolist() == [[0, 3], [3, 0]]
    assert p.hinge.tolist() == [True]
    assert p.names == ("a", "b")


CLAMPS = [
    ({"1": 0.0}, "a clamp names unit '1'; units are"),
    ({0.5: 0.0}, "a clamp names unit 0.5; units are"),
    ({True: 0.0}, "a clamp names unit True; units are"),
    ({-1: 0.0}, "a clamp names unit -1; units are"),
    ({0: "high"}, "unit 0 is clamped at 'high'; give a finite value"),
    ({0: np.inf}, "unit 0 is clamped at inf; give a finite value"),
    ({0: [1.0]}, "unit 0 is clamped at [1.0]; give a finite value"),
    ([(0, 1.0)], "clamps must map units to values and are [(0, 1.0)]; give {unit: value}"),
    (3, "clamps must map units to values and are 3"),
]


@pytest.mark.parametrize(("clamps", "sentence"), CLAMPS)
def test_clamps_that_are_none(clamps: Any, sentence: str) -> None:
    protocol = Protocol(1.0, [Segment(1, 0.5, 0.01)])
    for use in (
        lambda: Condition(clamps=clamps),
        lambda: P.check(clamps=clamps),
        lambda: P.largest_curvature(1, clamps=clamps),
        lambda: protocol.check(P, 1, clamps),
        lambda: simulate(P, protocol, 1, 1, clamps=clamps),
    ):
        with pytest.raises(ProgramError, match=re.escape(sentence)):
            use()


def test_conditions_that_are_none() -> None:
    for name, value in (("bias", ["1", "2"]), ("d", [[1.0], [2.0, 3.0]]), ("lam", {})):
        with pytest.raises(ProgramError, match=f"{name} must be real numbers .*; give"):
            Condition(**{name: value})
    condition = Condition([1, 2], clamps={np.int64(1): Fraction(1, 4)})
    assert condition.bias is not None
    assert P.conditioned(condition).b.tolist() == [1.0, 2.0]
    assert condition.clamps == {1: 0.25}


@pytest.mark.parametrize("steps", [2.5, 2.0, True, "2", None, 0, -3])
def test_steps_that_are_none(steps: Any) -> None:
    sentence = "the steps of a segment must be a whole number, at least 1, and is .*; give"
    with pytest.raises(ProgramError, match=sentence):
        Segment(steps, 0.5, 0.01)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((1, "1", 0.1), "kT must be finite and at least 0 and is '1'; give"),
        ((1, True, 0.1), "kT must be finite and at least 0 and is True; give"),
        ((1, np.nan, 0.1), "kT must be finite and at least 0 and is nan; give"),
        ((1, 0.5, "0.1"), "dt must be finite and above 0 and is '0.1'; give"),
        ((1, 0.5, None), "dt must be finite and above 0 and is None; give"),
        ((1, 0.5, 0.1, ("1",) * 6), "strengths must be real numbers"),
        ((1, 0.5, 0.1, (1, 1, 1)), "strengths must be 6 finite numbers and are (1, 1, 1); give"),
        ((1, 0.5, 0.1, 1), "strengths must be 6 finite numbers and are 1; give"),
    ],
)
def test_settings_of_a_segment_that_are_none(arguments: Any, sentence: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(sentence)):
        Segment(*arguments)


def test_numbers_of_all_kinds_make_a_segment() -> None:
    found = Segment(np.int32(3), np.float32(0.5), Fraction(1, 8), [1, 1, 1, 1, 1, Fraction(1, 2)])
    assert found == Segment(3, 0.5, 0.125, (1, 1, 1, 1, 1, 0.5))
    assert type(found.steps) is int
    assert Protocol(Fraction(1, 2), (found,), [1] * 6).before == (1.0,) * 6


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Protocol("1", [Segment(1, 1, 1)]), "the mobility mu must be finite and above 0"),
        (lambda: Protocol(1, Segment(1, 1, 1)), "a protocol needs a list of at least 1 segment"),
        (lambda: Protocol(1, [(1, 1, 1)]), "a protocol needs a list of at least 1 segment"),
        (lambda: Protocol(1, [Segment(1, 1, 1)], (1, 2)), "strengths must be 6 finite numbers"),
        (lambda: P.largest_stable_dt(0, 1), "mu must be finite and above 0 and is 0; give"),
        (lambda: P.largest_curvature(-1), "reach must be finite and at least 0 and is -1; give"),
        (lambda: P.energy(np.zeros(2), "strong"), "strengths must be real numbers"),
    ],
)
def test_settings_of_a_protocol_that_are_none(make: Any, sentence: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(sentence)) as caught:
        make()
    assert NEXT_STEP.search(str(caught.value)), caught.value

"""The golden Langevin engine where values saturate: every kind, at both ends, is counted."""

from array import array
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from langevin_parts.against_page import ONE, WEIGHT_MAX, assert_same
from langevin_parts.scalar import Scalar, Start
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    OPERAND_MAX,
    RESIDUAL_MAX,
    STATE_MAX,
    round_shift,
)
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_models.golden.langevin import LangevinEngine, Walkers
from gibbsite_models.golden.langevin_field import Field, Weights

FREE = ScheduleEntry(2, (0, 0), (0, 0), (ONE, ONE, ONE, ONE, ONE, ONE))
TOP = COEFFICIENT_MAX
WIDE = Shifts(47, 47, 47, 47, 47, 47, 0, 0, 0)


def brimful(begin: Start) -> type[LangevinEngine]:
    """The engine with accumulators that begin elsewhere than at 0."""

    class Brimful(LangevinEngine):
        def seed(self, request: LangevinRequest, chain_numbers: NDArray[np.uint64]) -> Walkers:
            walkers = super().seed(request, chain_numbers)
            walkers.work += begin.work
            walkers.heat += begin.heat
            walkers.moments += begin.moment
            return walkers

    return Brimful


def lone(n: int, sign: int = 1, **fields: Any) -> tuple[LangevinProgram, LangevinRequest]:
    """n units at an end of the range, whose program has nothing but the given fields."""
    zeros = array("i", [0] * n)
    conditions = LangevinConditions(
        fields.pop("biases", zeros), fields.pop("constraints", []), fields.pop("clamps", {})
    )
    given = {"quadratic": zeros, "quartic": zeros, "force": zeros, "couplings": array("i")}
    given |= {"rows": array("i", [0] * (n * len(conditions.constraints)))}
    schedule = fields.pop("schedule", [FREE])
    state = array("i", [sign * STATE_MAX] * n)
    request = LangevinRequest(schedule, draws=2, state=state, pairs=fields.pop("pairs", []))
    values: dict[str, Any] = {**given, "shifts": Shifts(), **fields}
    return LangevinProgram(conditions=conditions, **values), request


def full(n: int, value: int) -> "array[int]":
    return array("i", [value] * n)


def coupled(n: int, value: int) -> "array[int]":
    return array("i", [value * (i != j) for i in range(n) for j in range(n)])


def pulled(weight: int, offset: int, hinge: bool = False) -> dict[str, Any]:
    return {"constraints": [Constraint(hinge, weight, offset)], "rows": full(1, 1)}


SATURATED: dict[str, tuple[int, dict[str, Any]]] = {
    "residual": (1, pulled(0, RESIDUAL_MAX) | {"rows": full(1, -WEIGHT_MAX)}),
    "multiplier": (1, pulled(TOP, 0) | {"shifts": WIDE}),
    "h0": (1, {"quadratic": full(1, TOP)}),
    "h1": (1, {"quartic": full(1, TOP)}),
    "h2": (1, {"biases": full(1, TOP)}),
    "h3": (12, {"couplings": coupled(12, WEIGHT_MAX)}),
    "h4": (1, {
        "constraints": [Constraint(False, TOP, 0)] * 9, "rows": full(9, WEIGHT_MAX)
    }),
    "h5": (1, {"force": full(1, -TOP)}),
    "old gradient": (1, {"force": full(1, TOP), "biases": full(1, TOP)}),
    "e0": (20, {"quadratic": full(20, TOP)}),
    "e1": (40, {"quartic": full(40, TOP)}),
    "e2": (12, {"biases": full(12, -TOP)}),
    "e3": (24, {"couplings": coupled(24, WEIGHT_MAX)}),
    "e4": (1, pulled(TOP, -RESIDUAL_MAX) | {"shifts": WIDE}),
    "e5": (12, {"force": full(12, TOP)}),
    "state": (1, {"schedule": [replace(FREE, noise=(MANTISSA_MAX, 0))]}),
}  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", SATURATED)
def test_every_value_that_can_saturate_is_counted(kind: str, sign: int) -> None:
    n, fields = SATURATED[kind]
    program, request = lone(n, sign, **fields)
    assert assert_same(program, request)[kind] > 0


def test_gradients_count_under_both_strengths() -> None:
    # each h fits; their sum is clipped under the new strengths alone, then under both
    fields = {"force": full(1, 1 << 20), "biases": full(1, 1 << 20)}
    schedule = [replace(FREE, repeat=1, strengths=(0,) * 6), replace(FREE, repeat=1)]
    program, request = lone(1, schedule=schedule, **fields)
    kinds = assert_same(program, request)
    assert (kinds["old gradient"], kinds["new gradient"]) == (2, 3)
    # in the last pass the strengths of the last step stand for the next one's, even where the
    # schedule would change them
    kinds = assert_same(program, replace(request, trajectory=True))
    assert (kinds["old gradient"], kinds["new gradient"]) == (0, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", ["work", "heat", "moment"])
def test_accumulators_saturate_at_both_ends(kind: str, sign: int) -> None:
    # A linear V that is taken away does work against its sign; noise that carries units from the
    # top of it gives heat, from its bottom takes some; the moments are those of the states.
    noise = (MANTISSA_MAX, 0) if kind == "heat" else (0, 0)
    ramp = [replace(FREE, repeat=2, noise=noise), replace(FREE, strengths=(0, 0, 0, 0, 0, 0))]
    pairs = [(0, None), (0, 1)]
    side = -sign if kind == "work" else sign
    program, request = lone(4, side, biases=full(4, 1 << 18), schedule=ramp, pairs=pairs)
    begin = Start(**{kind: sign * (ACCUMULATOR_MAX - 1)})
    assert assert_same(program, request, brimful(begin), begin)[kind] > 0


def test_more_than_any_term_energy_is_known_beforehand() -> None:
    # Energies are left out of a pass that needs none, unless one could saturate: that bound holds
    # for the largest states of programs near the limit, where all of a unit's terms add up.
    for exponent, shift in product(range(15, 24, 2), (0, 3, 17)):
        for n in (1, 7, 48):
            for name in ("quadratic", "quartic", "biases", "force", "couplings", "constraints"):
                fields: dict[str, Any] = {name: full(n, (1 << exponent) - 1)}
                if name == "couplings":
                    fields = {"couplings": coupled(n, (1 << exponent - 8) - 1)}
                if name == "constraints":
                    row = full(n, (1 << exponent - 8) - 1)
                    fields = {"constraints": [Constraint(False, 99, -77)], "rows": row}
                program, request = lone(n, **fields, shifts=Shifts(*[shift] * 9))
                field_ = Field(Weights.of(program))
                field_.condition(program.conditions)
                scalar = Scalar(program, request, 0)
                x = [OPERAND_MAX] * n
                multipliers, penalty = scalar.penalties(x)
                forces = [scalar.forces(i, x, multipliers) for i in range(n)]
                sums = [
                    sum(round_shift(h[term] * OPERAND_MAX, shift) for h in forces)
                    for term, shift in ((0, 15), (1, 16), (2, 14), (3, 15), (5, 14))
                ]
                assert field_._energy_bound() >= max(map(abs, [*sums, penalty]))

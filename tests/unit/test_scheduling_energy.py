"""The energy says what the exact judge says: a plan costs nothing just where it breaks nothing.

Oracle: the verifier on fractions, which knows neither states nor energies.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gibbsite.agents.scheduling_bounds import latest_ends, safe_horizon
from gibbsite.agents.scheduling_conditions import (
    START_WEIGHT,
    costs,
    first_weight,
    target_of,
    weight_after,
)
from gibbsite.agents.scheduling_energy import (
    ENERGY_STEP,
    PENALTY,
    States,
    couplings,
    model_of,
    states_of,
)
from gibbsite.agents.scheduling_grid import Grid, grid_of
from gibbsite.agents.scheduling_instance import Assignment, instance_of, objective_of
from gibbsite.agents.scheduling_verification import violations
from gibbsite.problem import parse_problem

EVERYTHING = {
    "kind": "schedule",
    "unit": "hour",
    "tasks": [
        {"id": "a", "duration": 2},
        {"id": "b", "duration": 1.5, "after": ["c"]},
        {"id": "c", "duration": 3, "release": 1, "deadline": 9, "machines": ["M"]},
        {"id": "d", "duration": 1, "after": ["a"]},
    ],
    "machines": [{"id": "M"}, {"id": "N", "windows": [[0, 5], [6, 12]]}],
    "objective": "makespan",
}


def gridded(objective: str = "makespan") -> Grid:
    return grid_of(instance_of(parse_problem({**EVERYTHING, "objective": objective})))


def all_states(grid: Grid) -> States:
    return states_of(grid, latest_ends(grid, safe_horizon(grid)))


def plan_of(grid: Grid, states: States, chosen: list[int]) -> list[Assignment]:
    return [
        Assignment(
            task,
            int(states.machine[k]),
            int(states.start[k]) * grid.step,
            int(states.end[k]) * grid.step,
        )
        for task, k in enumerate(chosen)
    ]


def draws(states: States, count: int, seed: int) -> list[list[int]]:
    random = np.random.default_rng(seed)
    groups = [states.group(task) for task in range(len(states.sizes))]
    return [[int(random.integers(g.start, g.stop)) for g in groups] for _ in range(count)]


def test_energy_is_zero_exactly_for_feasible_plans() -> None:
    grid = gridded()
    states = all_states(grid)
    weights = couplings(grid, states, 10**6)
    assert weights is not None
    model = model_of(states, weights)
    feasible = 0
    for chosen in draws(states, 3000, seed=5):
        energy = model.energy({task: k - int(states.first[task]) for task, k in enumerate(chosen)})
        broken = violations(grid.instance, plan_of(grid, states, chosen))
        assert (energy == 0) == (not broken)
        # every pair that breaks something pays at least one penalty, once
        pairs = sum("overlap" in sentence or "predecessor" in sentence for sentence in broken)
        assert energy >= PENALTY * (pairs > 0)
        feasible += not broken
    assert 20 < feasible < 2980


def test_longer_conflicts_cost_more_and_are_exact_steps() -> None:
    grid = gridded()
    states = all_states(grid)
    weights = couplings(grid, states, 10**6)
    assert weights is not None
    found = np.unique(np.concatenate([weight[weight > 0] for weight in weights.values()]))
    assert found.min() > PENALTY
    assert found.max() <= 3 * PENALTY
    assert len(found) > 3
    assert np.array_equal(found, np.rint(found / ENERGY_STEP) * ENERGY_STEP)


def test_counting_couplings_stops_at_the_limit() -> None:
    grid = gridded()
    states = all_states(grid)
    weights = couplings(grid, states, 10**6)
    assert weights is not None
    count = sum(int(np.count_nonzero(weight)) for weight in weights.values())
    assert couplings(grid, states, count) is not None
    assert couplings(grid, states, count - 1) is None


@pytest.mark.parametrize(
    ("objective", "aims"),
    [("makespan", (8, 12, 16)), ("total_completion", (20, 28, 36)), ("total_tardiness", (0, 1, 2))],
)
def test_targets_remove_only_what_cannot_reach_them(objective: str, aims: tuple[int, ...]) -> None:
    grid = gridded(objective)
    states = all_states(grid)
    cost = costs(grid, states)
    kept = dict.fromkeys(aims, 0)
    for chosen in draws(states, 4000, seed=7):
        plan = plan_of(grid, states, chosen)
        if violations(grid.instance, plan):
            continue
        value = objective_of(grid.instance, [(item.task, item.end) for item in plan])
        for aim in kept:
            target = target_of(grid, states, cost, safe_horizon(grid), Fraction(aim), 0.1)
            if value <= aim:
                assert not target.removed[chosen].any()
                kept[aim] += 1
            elif objective == "makespan":
                # for a makespan the clamps alone decide
                assert target.removed[chosen].any()
    assert any(kept.values())


def test_biases_are_the_weighted_objective() -> None:
    grid = gridded("total_completion")
    states = all_states(grid)
    cost = costs(grid, states)
    weight = first_weight(grid)
    assert weight == pytest.approx(START_WEIGHT * PENALTY / (7.5 / 4))
    target = target_of(grid, states, cost, safe_horizon(grid), None, weight)
    chosen = draws(states, 2, seed=1)
    values = [
        objective_of(grid.instance, [(i.task, i.end) for i in plan_of(grid, states, rows)])
        for rows in chosen
    ]
    # each of 4 biases is rounded to a step, in both draws
    assert target.biases[chosen[0]].sum() - target.biases[chosen[1]].sum() == pytest.approx(
        weight * float(values[0] - values[1]), abs=4 * ENERGY_STEP
    )
    assert target.biases.min() == 0


def test_a_makespan_has_no_biases() -> None:
    grid = gridded()
    states = all_states(grid)
    assert first_weight(grid) == 0
    target = target_of(grid, states, costs(grid, states), safe_horizon(grid), Fraction(9), 0.0)
    assert not target.biases.any()
    assert target.removed.any()


def test_the_weight_follows_the_share_of_feasible_reads() -> None:
    grid = gridded("total_completion")
    start = first_weight(grid)
    assert weight_after(grid, start, 1.0) > start
    assert weight_after(grid, start, 0.7) == start
    assert weight_after(grid, start, 0.1) < start
    weight: Any = start
    for _ in range(50):
        weight = weight_after(grid, weight, 0.0)
    assert weight == pytest.approx(start / 4)

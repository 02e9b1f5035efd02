"""The exact side of scheduling: grid, bounds, verifier, left shift; oracle: enumeration."""

from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite.agents.scheduling_bounds import (
    heads,
    impossible,
    latest_ends,
    lower_bound,
    safe_horizon,
    total_lower_bound,
)
from gibbsite.agents.scheduling_conditions import ends_within
from gibbsite.agents.scheduling_energy import states_of
from gibbsite.agents.scheduling_grid import Grid, common_divisor, grid_of
from gibbsite.agents.scheduling_infeasibility import proof
from gibbsite.agents.scheduling_instance import (
    Assignment,
    Instance,
    ScheduleError,
    instance_of,
    number,
    objective_of,
)
from gibbsite.agents.scheduling_left_shift import left_shifted
from gibbsite.agents.scheduling_list import list_schedule
from gibbsite.agents.scheduling_verification import violations
from gibbsite.problem import parse_problem


def instance(
    tasks: list[dict[str, Any]],
    windows: list[list[list[float]] | None],
    objective: str = "makespan",
    durations: str = "upper",
) -> Instance:
    document = {
        "kind": "schedule",
        "unit": "hour",
        "tasks": [{"id": f"t{k}", **task} for k, task in enumerate(tasks)],
        "machines": [
            {"id": f"m{k}", **({} if spans is None else {"windows": spans})}
            for k, spans in enumerate(windows)
        ],
        "objective": objective,
    }
    return instance_of(parse_problem(document), durations)


def everything(grid: Grid, horizon: int) -> list[list[Assignment]]:
    """Every plan on the grid up to the horizon, feasible or not."""
    choices = [
        [
            Assignment(index, machine, start * grid.step, (start + task.duration) * grid.step)
            for machine in task.machines
            for start in range(horizon - task.duration + 1)
        ]
        for index, task in enumerate(grid.tasks)
    ]
    return [list(plan) for plan in product(*choices)]


def best_by_enumeration(grid: Grid, horizon: int) -> Fraction | None:
    return min(
        (
            objective_of(grid.instance, [(item.task, item.end) for item in plan])
            for plan in everything(grid, horizon)
            if not violations(grid.instance, plan)
        ),
        default=None,
    )


@st.composite
def small(draw: st.DrawFn) -> Instance:
    """Up to three tasks on up to two machines, with everything a schedule can ask."""
    count = draw(st.integers(2, 3))
    machines = draw(st.integers(1, 2))
    tasks: list[dict[str, Any]] = []
    for index in range(count):
        task: dict[str, Any] = {"duration": draw(st.integers(1, 3))}
        release = draw(st.integers(0, 2))
        if release:
            task["release"] = release
        if draw(st.booleans()):
            task["deadline"] = draw(st.integers(release, 7))
        if index and draw(st.booleans()):
            task["after"] = [f"t{draw(st.integers(0, index - 1))}"]
        if machines == 2 and draw(st.booleans()):
            task["machines"] = [f"m{draw(st.integers(0, 1))}"]
        tasks.append(task)
    spans = [
        draw(st.sampled_from([None, [[0, 4]], [[1, 3], [4, 9]], [[2, 8]]])) for _ in range(machines)
    ]
    objective = draw(st.sampled_from(["makespan", "total_completion", "total_tardiness"]))
    return instance(tasks, spans, objective)


@settings(max_examples=60, deadline=None)
@given(small())
def test_bounds_and_states_keep_an_optimum(schedule: Instance) -> None:
    """No bound exceeds the optimum, no proof is wrong, the states still hold an optimal plan."""
    grid = grid_of(schedule)
    horizon = 11
    best = best_by_enumeration(grid, horizon) if safe_horizon(grid) <= 40 else None
    if best is None:
        # longer plans exist where windows are open: then a list schedule or a proof must say so
        found = list_schedule(grid)
        assert found is None or proof(grid) is None
        return
    assert proof(grid) is None
    if schedule.objective == "makespan":
        bound = lower_bound(grid, horizon) * grid.step
        assert not impossible(grid, int(best / grid.step))
    else:
        bound = total_lower_bound(grid)
    assert bound <= best
    listed = list_schedule(grid)
    value = best if listed is None else listed.value(grid)
    assert value >= best
    # the tightest target of all: the optimum itself
    for target in (value, best):
        states = states_of(grid, ends_within(grid, safe_horizon(grid), target))
        kept = [
            [
                (int(states.machine[k]), int(states.start[k]))
                for k in range(*states.group(task).indices(states.count))
            ]
            for task in range(len(grid.tasks))
        ]
        values = []
        for choice in product(*kept):
            plan = [
                Assignment(
                    task,
                    machine,
                    start * grid.step,
                    (start + grid.tasks[task].duration) * grid.step,
                )
                for task, (machine, start) in enumerate(choice)
            ]
            if not violations(schedule, plan):
                values.append(objective_of(schedule, [(item.task, item.end) for item in plan]))
        assert min(values) == best


@settings(max_examples=60, deadline=None)
@given(small(), st.integers(0, 10**6))
def test_left_shift_keeps_plans_feasible_and_never_worse(schedule: Instance, pick: int) -> None:
    grid = grid_of(schedule)
    plans = [plan for plan in everything(grid, 9) if not violations(schedule, plan)]
    if not plans:
        return
    plan = plans[pick % len(plans)]
    shifted = left_shifted(schedule, plan)
    assert violations(schedule, shifted) == []
    for old, new in zip(plan, shifted, strict=True):
        assert (new.task, new.machine) == (old.task, old.machine)
        assert new.start <= old.start


def test_coarser_grids_stay_feasible() -> None:
    """Whatever is feasible on a coarser grid is feasible in exact time."""
    schedule = instance(
        [
            {"duration": 1.5, "release": 0.5},
            {"duration": 2, "deadline": 7},
            {"duration": 0.5, "after": ["t0"]},
        ],
        [[[0.5, 8]], None],
    )
    assert common_divisor(schedule) == Fraction(1, 2)
    seen = 0
    for factor in (2, 3, 4):
        grid = grid_of(schedule, factor)
        assert grid.assumption is not None
        states = states_of(grid, latest_ends(grid, safe_horizon(grid)))
        groups = [range(*states.group(task).indices(states.count)) for task in range(3)]
        for choice in product(*groups):
            rounded = [
                (int(states.machine[k]), int(states.start[k]), int(states.end[k])) for k in choice
            ]
            clash = any(
                a[0] == b[0] and a[1] < b[2] and b[1] < a[2]
                for n, a in enumerate(rounded)
                for b in rounded[:n]
            )
            if clash or rounded[2][1] < rounded[0][2]:
                continue
            plan = [
                Assignment(
                    task,
                    machine,
                    start * grid.step,
                    start * grid.step + schedule.tasks[task].duration,
                )
                for task, (machine, start, _) in enumerate(rounded)
            ]
            assert violations(schedule, plan) == []
            seen += 1
    assert seen > 100


def test_verifier_names_every_rule() -> None:
    schedule = instance(
        [
            {"duration": 2, "release": 1, "deadline": 4, "machines": ["m0"]},
            {"duration": 2, "after": ["t0"]},
        ],
        [[[0, 5]], None],
    )
    cases = {
        "takes 2": [(0, 0, 1, 4), (1, 1, 4, 6)],
        "may not run on machine m1": [(0, 1, 1, 3), (1, 1, 3, 5)],
        "before its release at 1": [(0, 0, 0, 2), (1, 1, 2, 4)],
        "after its deadline at 4": [(0, 0, 3, 5), (1, 1, 5, 7)],
        "outside every window of machine m0": [(0, 0, 1, 3), (1, 0, 4, 6)],
        "before its predecessor t0 ends at 3": [(0, 0, 1, 3), (1, 1, 2, 4)],
        "overlap on machine m0 from 2 to 3": [(0, 0, 1, 3), (1, 0, 2, 4)],
        "t1 is not planned": [(0, 0, 1, 3)],
        "t0 is planned more than once": [(0, 0, 1, 3), (0, 0, 1, 3), (1, 1, 3, 5)],
    }
    for words, rows in cases.items():
        plan = [Assignment(t, m, Fraction(start), Fraction(end)) for t, m, start, end in rows]
        assert any(words in sentence for sentence in violations(schedule, plan)), words
    good = [Assignment(0, 0, Fraction(1), Fraction(3)), Assignment(1, 0, Fraction(3), Fraction(5))]
    assert violations(schedule, good) == []


def test_times_are_exact_decimals() -> None:
    schedule = instance([{"duration": 0.1}, {"duration": 0.3}], [None])
    assert common_divisor(schedule) == Fraction(1, 10)
    assert sum(task.duration for task in schedule.tasks) == Fraction(2, 5)
    assert number(Fraction(3, 2)) == 1.5
    assert isinstance(number(Fraction(24)), int)


@pytest.mark.parametrize(("durations", "planned"), [("upper", 4), ("lower", 1), ("mid", 2.5)])
def test_ranges_are_planned_where_asked(durations: str, planned: float) -> None:
    schedule = instance([{"duration": [1, 4]}], [None], durations=durations)
    assert schedule.tasks[0].duration == Fraction(str(planned))
    assert len(schedule.assumptions) == 1
    assert str(planned) in schedule.assumptions[0]


def test_unknown_durations_are_refused() -> None:
    with pytest.raises(ScheduleError, match="upper, lower, mid, found 'longest'"):
        instance([{"duration": 1}], [None], durations="longest")


@pytest.mark.parametrize(
    ("tasks", "windows", "words"),
    [
        ([{"duration": 9}], [[[0, 8]], [[8, 16]]], "takes 9 hours and the longest window"),
        ([{"duration": 4}] * 5, [[[0, 8]], [[8, 16]]], "need 20 hours on machines m0, m1"),
        # 16 hours are open for 15 of work, and a window of 8 holds one task of 5
        ([{"duration": 5}] * 3, [[[0, 8]], [[0, 8]]], "at most 10 can be done there"),
        (
            [{"duration": 5}, {"duration": 6, "after": ["t0"], "deadline": 10}],
            [None, None],
            "Task t1 ends at 11 at the earliest",
        ),
        (
            [{"duration": 2, "release": 7}, {"duration": 2, "after": ["t0"]}],
            [[[0, 10]]],
            "Task t1 is ready after the last window",
        ),
        (
            [{"duration": 3, "deadline": 5}, {"duration": 3, "deadline": 5}],
            [None],
            "need 6 hours on machine m0 between 0 and 5",
        ),
    ],
)
def test_proofs_say_what_is_impossible(
    tasks: list[dict[str, Any]], windows: list[Any], words: str
) -> None:
    found = proof(grid_of(instance(tasks, windows)))
    assert found is not None
    assert words in found.sentence
    assert found.sentence.endswith(".")


def test_heads_follow_windows_and_predecessors() -> None:
    grid = grid_of(
        instance([{"duration": 3}, {"duration": 3, "after": ["t0"]}], [[[1, 5], [6, 9]]])
    )
    assert heads(grid) == [1, 6]
    assert latest_ends(grid, 100) == [5, 9]

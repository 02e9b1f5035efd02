"""Nine schedules against a proven optimum; the device's own reads reach it, blind draws do not.

Oracle: OR-tools CP-SAT, which shares no code with the agent. The control is the same pipeline with
as many reads at beta = 0, so whatever the host knows is in both and only the sampling differs.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import gcd, lcm
from pathlib import Path
from typing import Any

import pytest
from ortools.sat.python import cp_model

import gibbsite
from gibbsite.problem import ScheduleProblem, Task, parse_problem
from gibbsite.result import RawReads, Result
from gibbsite_hw.spec.device import Device

TEXT = (
    "Zaplanuj harmonogram 10 zadań na 3 maszyny. Każde zadanie trwa 1-4 godziny. Maszyna A może "
    "pracować 0-8h, B: 8-16h, C: całą dobę. Minimalizuj czas zakończenia wszystkich zadań."
)
CASES = [
    json.loads(line)
    for line in Path(__file__).with_name("schedules.jsonl").read_text(encoding="utf-8").splitlines()
]
NAMES = [case["name"] for case in CASES]
SEED = 1


@dataclass(frozen=True)
class Outcome:
    """One schedule solved, and drawn blindly with as many reads."""

    optimum: Fraction
    result: Result
    blind: RawReads


@pytest.fixture(scope="module")
def golden() -> Iterator[Device]:
    with gibbsite.open("golden:") as device:
        yield device


@cache
def problem(name: str) -> ScheduleProblem:
    return parse_problem(CASES[NAMES.index(name)]["document"])


SOLVED: dict[str, Outcome] = {}


def solved(device: Device, name: str) -> Outcome:
    """Solve each schedule once for all tests of this module."""
    if name not in SOLVED:
        result = gibbsite.solve(problem(name), device=device, seed=SEED)
        assert result.certificate is not None
        blind = gibbsite.solve(
            problem(name),
            device=device,
            seed=SEED,
            rounds=len(result.certificate.rounds),
            beta_range=(0.0, 0.0),
        )
        assert blind.certificate is not None
        assert blind.certificate.raw is not None
        SOLVED[name] = Outcome(optimum(problem(name)), result, blind.certificate.raw)
    return SOLVED[name]


def exact(value: float) -> Fraction:
    return Fraction(str(value))


def length(task: Task) -> Fraction:
    return exact(task.longest)


def optimum(schedule: ScheduleProblem) -> Fraction:
    """The proven optimal objective, ranges of durations at their upper ends."""
    times = [length(task) for task in schedule.tasks]
    times += [exact(v) for t in schedule.tasks for v in (t.release, t.deadline) if v]
    times += [exact(v) for m in schedule.machines for w in m.windows or () for v in w if v]
    low = lcm(*(time.denominator for time in times))
    step = Fraction(gcd(*(int(time * low) for time in times)), low)

    def steps(value: float | Fraction) -> int:
        return int(exact(value) / step) if not isinstance(value, Fraction) else int(value / step)

    far = sum(steps(length(task)) for task in schedule.tasks) + max(map(steps, times))
    model: Any = cp_model.CpModel()
    starts, ends, busy = {}, {}, {machine.id: [] for machine in schedule.machines}
    for task in schedule.tasks:
        size = steps(length(task))
        start = model.new_int_var(steps(task.release or 0), far, task.id)
        starts[task.id], ends[task.id] = start, start + size
        if task.deadline is not None and schedule.objective != "total_tardiness":
            model.add(start + size <= steps(task.deadline))
        places = []
        for machine in schedule.machines:
            if task.machines is not None and machine.id not in task.machines:
                continue
            for window in machine.windows or ((0, None),):
                here = model.new_bool_var("")
                places.append(here)
                model.add(start >= steps(window[0])).only_enforce_if(here)
                if window[1] is not None:
                    model.add(start + size <= steps(window[1])).only_enforce_if(here)
                busy[machine.id].append(
                    model.new_optional_interval_var(start, size, start + size, here, "")
                )
        model.add_exactly_one(places)
    for task in schedule.tasks:
        for before in task.after or ():
            model.add(starts[task.id] >= ends[before])
    for intervals in busy.values():
        model.add_no_overlap(intervals)
    if schedule.objective == "makespan":
        goal = model.new_int_var(0, 2 * far, "goal")
        for end in ends.values():
            model.add(goal >= end)
    elif schedule.objective == "total_completion":
        goal = sum(ends.values())
    else:
        late = []
        for task in schedule.tasks:
            if task.deadline is not None:
                delay = model.new_int_var(0, 2 * far, "")
                model.add(delay >= ends[task.id] - steps(task.deadline))
                late.append(delay)
        goal = sum(late)
    model.minimize(goal)
    solver: Any = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value) * step


def breaks(schedule: ScheduleProblem, result: Result) -> list[str]:
    """What the answer breaks, read from the documents alone, in exact numbers."""
    assert result.solution is not None
    found = []
    place = {item.task: item for item in result.solution.assignments}
    assert sorted(place) == sorted(task.id for task in schedule.tasks)
    windows = {machine.id: machine.windows for machine in schedule.machines}
    for task in schedule.tasks:
        item = place[task.id]
        start, end = exact(item.start), exact(item.end)
        if end - start != length(task) or start < exact(task.release or 0):
            found.append(f"{task.id}: duration or release")
        if task.machines is not None and item.machine not in task.machines:
            found.append(f"{task.id}: machine")
        if schedule.objective != "total_tardiness" and task.deadline is not None:
            found += [f"{task.id}: deadline"] * (end > exact(task.deadline))
        inside = [
            low <= item.start and item.end <= high for low, high in windows[item.machine] or ()
        ]
        if (inside and not any(inside)) or start < 0:
            found.append(f"{task.id}: window")
        found += [f"{task.id}: after {b}" for b in task.after or () if place[b].end > item.start]
        for other in place.values():
            if other.task < item.task and other.machine == item.machine:
                clash = other.start < item.end and item.start < other.end
                found += [f"{task.id}: overlaps {other.task}"] * clash
    return found


@pytest.mark.parametrize("name", NAMES)
def test_answer_is_optimal(golden: Device, name: str) -> None:
    outcome = solved(golden, name)
    result = outcome.result
    assert result.feasible
    assert result.violations == ()
    assert breaks(problem(name), result) == []
    assert result.solution is not None
    assert exact(result.solution.objective) == outcome.optimum
    assert result.route == "graph engine"


def test_couplings_are_loaded_once(golden: Device) -> None:
    runs = []
    for name in NAMES:
        ledger = solved(golden, name).result.ledger
        assert ledger is not None
        assert ledger.coupling_loads == 1
        runs.append(ledger.runs)
    # else the count would say nothing about tightening
    assert sum(count > 1 for count in runs) >= 4


def test_device_does_the_work(golden: Device) -> None:
    """The optimum stands in the raw reads of at least six; blind reads miss it on at least six."""
    in_raw, missed = [], []
    for name in NAMES:
        outcome = solved(golden, name)
        assert outcome.result.certificate is not None
        raw = outcome.result.certificate.raw
        assert raw is not None
        assert outcome.blind.reads == raw.reads
        if raw.best_objective is not None and exact(raw.best_objective) == outcome.optimum:
            in_raw.append(name)
        blind = outcome.blind.best_objective
        if blind is None or exact(blind) != outcome.optimum:
            missed.append(name)
    assert len(in_raw) >= 6, in_raw
    assert len(missed) >= 6, missed


@pytest.mark.sim
def test_text_on_the_simulated_hardware() -> None:
    result = gibbsite.solve(TEXT, device="sim:?engines=graph", seed=SEED)
    assert isinstance(result.problem, ScheduleProblem)
    assert result.solution is not None
    assert result.feasible
    assert breaks(result.problem, result) == []
    assert exact(result.solution.objective) == optimum(result.problem) == 24
    assert any("upper end" in sentence for sentence in result.assumptions)
    assert result.certificate is not None
    assert result.certificate.optimality.proven is not None
    assert result.device == "sim:?engines=graph"

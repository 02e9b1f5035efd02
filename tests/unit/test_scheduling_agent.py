"""The agent end to end on the golden device: answers, refusals, proofs, honest failures."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import gibbsite
from gibbsite.agents.scheduling_instance import ScheduleError
from gibbsite.agents.scheduling_rounds import Rounds
from gibbsite.driver import Driver
from gibbsite.ledger.counts import COUNTS
from gibbsite.orchestrator import RequestError
from gibbsite.problem import ProblemError
from gibbsite.result import Result
from gibbsite.vote import RULES, VoteError
from gibbsite_hw.spec.device import Device


@pytest.fixture(scope="module")
def golden() -> Iterator[Device]:
    with gibbsite.open("golden:") as device:
        yield device


def document(
    tasks: list[dict[str, Any]], windows: dict[str, Any], objective: str = "makespan"
) -> dict[str, Any]:
    return {
        "kind": "schedule",
        "unit": "hour",
        "tasks": [{"id": f"t{k}", **task} for k, task in enumerate(tasks)],
        "machines": [
            {"id": name, **({} if spans is None else {"windows": spans})}
            for name, spans in windows.items()
        ],
        "objective": objective,
    }


SMALL = document(
    [{"duration": 2}, {"duration": 3}, {"duration": 2, "after": ["t0"]}, {"duration": [1, 1.5]}],
    {"A": None, "B": [[1, 9]]},
)

HARD = document(  # feasible (a deadline each, one machine), and blind draws all but never see it
    [{"duration": 2, "deadline": 2 * (k + 1), "release": 2 * k} for k in range(3)]
    + [{"duration": 1, "release": 6, "deadline": 14} for _ in range(8)],
    {"A": [[0, 14]]},
)


FINE = [1.37, 2.21, 0.83, 1.9, 2.77, 1.13, 0.59, 1.61, 2.03, 1.49]


def solved(device: Device, problem: dict[str, Any], **options: Any) -> Result:
    result = gibbsite.solve(problem, device=device, **{"seed": 3, **options})
    assert result.feasible == (not result.violations)
    return result


def test_answer_is_in_the_words_of_the_problem(golden: Device) -> None:
    result = solved(golden, SMALL)
    assert result.solution is not None
    # 8.5 hours of work, B opens at 1: at least 4.75, so 5 on steps of half an hour
    assert result.solution.objective == 5
    assert [item.task for item in result.solution.assignments] == ["t0", "t1", "t2", "t3"]
    assert {item.machine for item in result.solution.assignments} <= {"A", "B"}
    assert result.problem.document() == SMALL
    assert result.route == "graph engine"
    assert result.device == "golden:"
    assert result.seed == 3
    assert "1.5 hours" in result.assumptions[0]


def test_json_has_null_for_what_does_not_apply(golden: Device) -> None:
    values = json.loads(solved(golden, SMALL).model_dump_json())
    for name in ("entropy_production", "llm_tokens", "langevin_steps", "energy_savings"):
        assert values[name] is None
    ledger = values["ledger"]
    assert (ledger["joules"] is None) == (ledger["joules_reason"] is not None)
    assert values["device_updates"] == values["ledger"]["updates"] > 0
    assert values["solution"]["objective"] == 5
    assert isinstance(values["solution"]["objective"], int)
    assert set(values["solution"]["assignments"][0]) == {"task", "machine", "start", "end"}
    assert values["certificate"]["sampling"]["claim"] == "annealed"


def test_same_seed_same_result_and_reads_differ_by_seed(golden: Device) -> None:
    def told(seed: int) -> dict[str, Any]:
        values = solved(golden, SMALL, seed=seed).model_dump(mode="json")
        values.pop("timings")
        return values

    assert told(3) == told(3)
    assert told(3)["certificate"]["raw"] != told(4)["certificate"]["raw"]


def test_seed_is_drawn_and_reported(golden: Device) -> None:
    seed = solved(golden, SMALL, seed=None, rounds=1).seed
    assert seed is not None
    assert 0 <= seed < 1 << 64


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_gives_a_feasible_answer(golden: Device, rule: str) -> None:
    result = solved(golden, SMALL, vote=rule)
    assert result.feasible
    assert result.certificate is not None
    assert result.certificate.vote is not None
    assert result.certificate.vote.rule == rule
    assert 1 <= result.certificate.vote.support <= result.certificate.vote.candidates


def test_tightening_loads_couplings_once(golden: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loads are counted by the device; each round's conditions differ from the one before."""
    sent = []
    draw = Rounds.draw
    monkeypatch.setattr(
        Rounds, "draw", lambda self, target: sent.append(target) or draw(self, target)
    )
    problem = document(
        [{"duration": k % 3 + 1, "deadline": k // 2 + 2} for k in range(6)],
        {"A": None, "B": None},
        "total_tardiness",
    )
    before = golden.loads
    result = solved(golden, problem, reads=16, sweeps=20, rounds=3)
    assert golden.loads == before + 1
    assert result.ledger is not None
    assert result.ledger.coupling_loads == 1
    assert result.ledger.runs == len(sent) == 3
    assert any(
        not np.array_equal(one.biases, two.biases) or not np.array_equal(one.removed, two.removed)
        for one, two in pairwise(sent)
    )


def test_asked_reads_and_sweeps_are_drawn(golden: Device) -> None:
    result = solved(golden, SMALL, reads=7, sweeps=9, rounds=1)
    assert result.certificate is not None
    assert result.certificate.raw is not None
    assert result.certificate.raw.reads == 7
    assert result.ledger is not None
    assert result.ledger.sweeps == 63


def test_the_ledger_counts_the_program_on_its_way_in(golden: Device) -> None:
    assert isinstance(golden, Driver)
    before = golden.words_sent
    result = solved(golden, SMALL, reads=2, sweeps=2, rounds=1)
    assert result.ledger is not None
    assert result.ledger.words_in == golden.words_sent - before


def test_the_trace_is_the_chain_behind_the_answer(golden: Device) -> None:
    """Its last energy is the read's own: the prefixes replay one chain."""
    asked = {"reads": 16, "sweeps": 40, "rounds": 1, "beta_range": (0.05, 12.0)}
    result = solved(golden, HARD, trace=True, **asked)
    assert result.certificate is not None
    trace = result.certificate.trace
    assert trace is not None
    drawn = [energy for done in result.certificate.rounds for energy in done.energies]
    assert trace.energies[-1] == drawn[trace.read] == min(drawn)
    assert max(trace.energies) > 1  # it began hot
    assert list(trace.sweeps) == sorted(set(trace.sweeps))
    assert trace.sweeps[-1] == 40
    without = solved(golden, HARD, **asked)
    assert without.certificate is not None
    assert without.certificate.trace is None
    assert result.ledger is not None
    assert without.ledger is not None
    for name in COUNTS:
        assert getattr(result.ledger, name) == getattr(without.ledger, name), "a replay is no round"


def test_raw_reads_stand_beside_the_repaired_answer(golden: Device) -> None:
    """Blind reads are rarely left-shifted already, so the answer is better than the read."""
    problem = document([{"duration": 1}, {"duration": 1}], {"A": [[0, 30]]}, "total_completion")
    result = solved(golden, problem, beta_range=(0.0, 0.0), reads=8, sweeps=2, rounds=1)
    assert result.certificate is not None
    raw = result.certificate.raw
    assert raw is not None
    assert raw.best_objective is not None
    assert result.solution is not None
    assert result.solution.objective == 3 <= raw.best_objective


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (document([{"duration": 9}], {"A": [[0, 8]]}), "takes 9 hours and the longest window"),
        (document([{"duration": 4}] * 5, {"A": [[0, 8]], "B": [[8, 16]]}), "need 20 hours"),
    ],
)
def test_impossible_problems_are_proven_so(
    golden: Device, problem: dict[str, Any], words: str
) -> None:
    result = solved(golden, problem)
    assert not result.feasible
    assert words in result.violations[0]
    assert result.certificate is not None
    assert result.certificate.optimality.proven is not None
    assert result.certificate.optimality.proven.startswith("No feasible schedule exists.")
    assert result.route.startswith("proof on the host")


def test_more_work_than_capacity_shows_the_best_attempt(golden: Device) -> None:
    result = solved(golden, document([{"duration": 4}] * 5, {"A": [[0, 8]], "B": [[8, 16]]}))
    assert result.solution is not None
    assert len(result.solution.assignments) == 5
    assert "overlap" in result.violations[1]


def test_no_feasible_answer_found_is_said(golden: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blind reads, and no list schedule to fall back on: nothing is found and nothing is proven."""
    monkeypatch.setattr("gibbsite.agents.scheduling_program.list_schedule", lambda grid: None)
    result = solved(golden, HARD, reads=4, sweeps=2, rounds=1, beta_range=(0.0, 0.0))
    assert not result.feasible
    assert result.violations[0].startswith("No feasible answer was found in 4 reads, and none is")
    assert len(result.violations) > 1
    assert result.solution is not None
    assert result.certificate is not None
    assert result.certificate.optimality.proven is None


def test_the_list_schedule_is_answered_by_name_where_no_read_is_as_good(golden: Device) -> None:
    result = solved(golden, HARD, reads=4, sweeps=2, rounds=1, beta_range=(0.0, 0.0))
    assert result.feasible
    assert result.route.startswith("list schedule on the host")
    assert result.energy is None
    assert result.certificate is not None
    assert result.certificate.raw is not None
    assert result.certificate.raw.feasible == 0
    assert result.certificate.raw.violations


def test_a_fine_grid_is_coarsened_as_an_assumption(golden: Device) -> None:
    problem = document([{"duration": value} for value in FINE], {"A": None, "B": None})
    result = solved(golden, problem, reads=16, sweeps=20, rounds=2)
    assert result.feasible
    assert any("instead of the common divisor 0.01" in text for text in result.assumptions)
    assert result.solution is not None
    # planned on the coarse grid, answered in exact time after the left shift
    durations = [round(item.end - item.start, 9) for item in result.solution.assignments]
    assert durations == FINE


def test_a_model_too_large_is_refused(golden: Device) -> None:
    loads = golden.loads
    problem = document([{"duration": 1}] * 120, {f"M{k}": None for k in range(6)})
    with pytest.raises(
        ScheduleError, match=r"too large for the device.*the device holds.*use fewer"
    ):
        solved(golden, problem)
    assert golden.loads == loads
    assert solved(golden, SMALL).feasible  # the device still works


def test_what_fits_is_read_from_the_device() -> None:
    """A smaller build refuses or coarsens what the default build holds."""
    with gibbsite.open("golden:?like=small") as device:
        wide = document([{"duration": 1.5 + 0.5 * k} for k in range(6)], {"A": None, "B": None})
        options = {"reads": 4, "sweeps": 10, "rounds": 1}
        assert any("instead of" in text for text in solved(device, wide, **options).assumptions)
        with pytest.raises(ScheduleError, match=r"too large for the device"):
            solved(device, document([{"duration": 1}] * 16, {"A": None, "B": None}))
        assert solved(device, document([{"duration": 1}] * 3, {"A": None})).feasible


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"vote": "median"}, VoteError, "energy, majority, best"),
        ({"durations": "longest"}, ScheduleError, "upper, lower, mid"),
        ({"reads": 0}, RequestError, "reads: at least 1, found 0"),
        ({"sweeps": 0}, RequestError, "sweeps: at least"),
        ({"rounds": 0}, RequestError, "rounds: at least 1"),
        ({"seed": -1}, RequestError, "seed: at least 0"),
        ({"seed": 1.5}, RequestError, "seed: a whole number, found 1.5"),
        ({"reads": "3"}, RequestError, "reads: a whole number, found '3'"),
        ({"seed": 1 << 64}, RequestError, "seed: at most"),
        ({"beta_range": (2.0, 1.0)}, RequestError, "beta_range"),
        ({"beta_range": (0.0, float("nan"))}, RequestError, "beta_range"),
    ],
)
def test_bad_arguments_are_refused(
    golden: Device, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        solved(golden, SMALL, **options)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 0, [3, 1]])
def test_bad_durations_are_refused(golden: Device, value: Any) -> None:
    with pytest.raises(ProblemError, match="duration"):
        solved(golden, document([{"duration": value}], {"A": None}))

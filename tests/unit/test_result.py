"""`Result` as a document: its fields, their order, null for what does not apply, exact numbers."""

import json

import pytest
from pydantic import ValidationError

from gibbsite.problem import parse_problem
from gibbsite.result import Result, ScheduledTask, ScheduleSolution

FIELDS = (
    "schema_version problem solution energy feasible violations assumptions route certificate "
    "ledger entropy_production llm_tokens langevin_steps device_updates energy_savings device "
    "seed timings"
).split()

PROBLEM = parse_problem(
    {
        "kind": "schedule",
        "unit": "hour",
        "tasks": [{"id": "x", "duration": 1.5}],
        "machines": [{"id": "A"}],
        "objective": "makespan",
    }
)


def result() -> Result:
    return Result(
        problem=PROBLEM,
        solution=ScheduleSolution(
            assignments=(ScheduledTask(task="x", machine="A", start=0, end=1.5),), objective=1.5
        ),
        energy=0.0,
        feasible=True,
        violations=(),
        assumptions=(),
        route="graph engine",
        certificate=None,
        ledger=None,
        entropy_production=None,
        llm_tokens=None,
        langevin_steps=None,
        device_updates=None,
        energy_savings=None,
        device=None,
        seed=None,
        timings={},
    )


def test_fields_and_order() -> None:
    assert list(json.loads(result().model_dump_json())) == FIELDS


def test_json_keeps_numbers_and_nulls() -> None:
    values = json.loads(result().model_dump_json())
    assert values["problem"] == PROBLEM.document()
    assert values["solution"] == {
        "assignments": [{"task": "x", "machine": "A", "start": 0, "end": 1.5}],
        "objective": 1.5,
    }
    assert [name for name in FIELDS if values[name] is None] == [
        "certificate",
        "ledger",
        "entropy_production",
        "llm_tokens",
        "langevin_steps",
        "device_updates",
        "energy_savings",
        "device",
        "seed",
    ]


def test_a_result_is_read_back_from_its_json() -> None:
    assert Result.model_validate_json(result().model_dump_json()) == result()


def test_a_result_is_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        result().feasible = False  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Result.model_validate({**result().model_dump(), "extra": 1})

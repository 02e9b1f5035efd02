"""Problem documents: exact JSON, strict fields, and one clear sentence for everything wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gibbsite.problem import (
    LARGEST_TIME,
    ContradictionError,
    ErrorDocument,
    ProblemError,
    ScheduleProblem,
    Task,
    parse_problem,
)
from gibbsite_hw.spec.errors import GibbsiteError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "formalize" / "examples.jsonl"

DOCUMENT: dict[str, Any] = {
    "kind": "schedule",
    "unit": "hour",
    "tasks": [
        {"id": "a", "duration": 1.5, "release": 2},
        {"id": "b", "duration": [1, 4], "deadline": 9, "after": ["a"], "machines": ["M"]},
    ],
    "machines": [{"id": "M", "windows": [[0, 8], [9, 12.25]]}, {"id": "N"}],
    "objective": "makespan",
}


def changed(field: str, value: object) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(DOCUMENT))
    place: Any = document
    *path, last = field.split(".")
    for step in path:
        place = place[int(step)] if step.isdigit() else place[step]
    if value is KeyError:
        del place[last]
    else:
        place[last] = value
    return document


def test_document_comes_back_exactly() -> None:
    text = json.dumps(DOCUMENT)
    assert json.dumps(parse_problem(text).document()) == text
    assert json.loads(parse_problem(DOCUMENT).model_dump_json()) == DOCUMENT


def test_examples_come_back_exactly() -> None:
    # the shared examples lie beside the checkout; without them the formalizer's own cases stand in
    path = SHARED if SHARED.exists() else Path(__file__).with_name("formalizer_cases.jsonl")
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line)["expect"] for line in lines]
    schedules = [document for document in expected if document["kind"] == "schedule"]
    assert schedules
    for document in schedules:
        assert json.dumps(parse_problem(document).document()) == json.dumps(document)


def test_whole_floats_become_integers() -> None:
    problem = parse_problem(changed("tasks.0.duration", 2.0))
    assert json.dumps(problem.document()["tasks"][0]["duration"]) == "2"


def test_ends_of_a_range() -> None:
    problem = parse_problem(DOCUMENT)
    assert (problem.tasks[1].shortest, problem.tasks[1].longest) == (1, 4)
    assert (problem.tasks[0].shortest, problem.tasks[0].longest) == (1.5, 1.5)


def test_problems_are_frozen() -> None:
    problem = parse_problem(DOCUMENT)
    with pytest.raises(ValueError, match="frozen"):
        problem.unit = "day"  # type: ignore[misc]


def test_models_take_python_values_too() -> None:
    problem = ScheduleProblem.model_validate(DOCUMENT)
    assert isinstance(problem.tasks[0], Task)
    assert problem == parse_problem(DOCUMENT)


def test_error_document() -> None:
    assert ErrorDocument(reason="contradiction").model_dump() == {
        "kind": "error",
        "reason": "contradiction",
    }
    with pytest.raises(ValueError, match="reason"):
        ErrorDocument.model_validate({"reason": "because"})


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{", "line 1, column 2"),
        ("[]", "one JSON object"),
        ("", "JSON"),
        ("[" * 100_000, "JSON"),
        ({"kind": object()}, "JSON values only"),
        ({}, "kind: a problem document is of kind schedule, found null"),
        ({"kind": "route"}, "later version"),
        ({"kind": "poem"}, 'found "poem"'),
        (changed("tasks.0.duration", "2"), r"tasks\[0\].duration: a duration is a number"),
        (changed("tasks.0.duration", True), r"tasks\[0\].duration"),
        (changed("tasks.0.duration", 0), "larger than 0, found 0"),
        (changed("tasks.0.duration", -1), "larger than 0, found -1"),
        (changed("tasks.0.duration", float("nan")), "finite"),
        (changed("tasks.0.duration", float("inf")), "finite"),
        (changed("tasks.0.duration", 10 * LARGEST_TIME), "at most 1000000000"),
        (changed("tasks.0.duration", [3, 1]), r"smaller end, found \[3, 1\]"),
        (changed("tasks.0.duration", [1, 2, 3]), r"tasks\[0\].duration"),
        (changed("tasks.0.release", -1), "not before the start"),
        (changed("tasks.0.id", ""), "must not be empty"),
        (changed("tasks.0.id", 3), "valid string, found 3"),
        (changed("tasks.0.id", "b"), "found 'b' 2 times"),
        (changed("tasks.0.colour", "red"), r"tasks\[0\].colour: no such field"),
        (changed("tasks.0.duration", KeyError), "must be given and is missing"),
        (changed("tasks.1.after", ["z"]), "names 'z', none of the tasks"),
        (changed("tasks.1.after", ["a", "a"]), "found 'a' 2 times"),
        (changed("tasks.1.after", []), "must not be empty"),
        (changed("tasks.1.machines", ["Q"]), "names 'Q', none of the machines"),
        (changed("tasks.1.machines", "M"), "list"),
        (changed("machines.1.id", "M"), "found 'M' 2 times"),
        (changed("machines.0.windows", []), "must not be empty"),
        (changed("machines.0.windows", [[4, 4]]), "ends after it starts"),
        (changed("machines.0.windows", [[-1, 4]]), "not before the start"),
        (changed("machines", []), "must not be empty"),
        (changed("tasks", []), "must not be empty"),
        (changed("unit", "week"), "'hour', 'minute' or 'day', found \"week\""),
        (changed("objective", "cost"), "'makespan'"),
        (changed("objective", KeyError), "objective: this field must be given"),
        (changed("extra", 1), "extra: no such field"),
    ],
)
def test_malformed_documents_are_refused_in_a_sentence(source: Any, words: str) -> None:
    with pytest.raises(ProblemError, match=words) as caught:
        parse_problem(source)
    assert isinstance(caught.value, GibbsiteError)
    assert not isinstance(caught.value, ContradictionError)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)
    assert caught.value.document().reason == "not_understood"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tasks.1.after", ["b"], "cycle, found b -> b"),
        ("tasks.0.after", ["b"], "cycle, found"),
        ("tasks.0.deadline", 1, "deadline 1 is before its release 2"),
    ],
)
def test_contradictions_are_named(field: str, value: object, words: str) -> None:
    with pytest.raises(ContradictionError, match=words) as caught:
        parse_problem(changed(field, value))
    assert caught.value.document().reason == "contradiction"


def test_deadline_at_release_and_task_longer_than_windows_are_documents() -> None:
    assert parse_problem(changed("tasks.0.deadline", 2)).tasks[0].deadline == 2
    assert parse_problem(changed("tasks.0.duration", 100)).tasks[0].duration == 100

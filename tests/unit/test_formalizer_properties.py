"""Properties of the formalizer: rendered schedules come back, and no text breaks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gibbsite.formalizer import FormalizationError, formalize
from gibbsite.problem import Problem, parse_problem

CASES = Path(__file__).with_name("formalizer_cases.jsonl")
WORDS = sorted(
    {
        word
        for line in CASES.read_text(encoding="utf-8").splitlines()
        for word in json.loads(line)["text"].split()
    }
)
NAMES = {
    "en": ("sanding", "painting", "drying", "packing", "welding", "J-7", "Q", "assembly"),
    "pl": ("szlifowanie", "malowanie", "suszenie", "pakowanie", "spawanie", "Z-7", "Q", "montaż"),
}
UNITS = {
    "en": {"hour": "h", "minute": "min", "day": "days"},
    "pl": {"hour": "godz", "minute": "minut", "day": "dni"},
}
PHRASES: dict[str, dict[str, str]] = {
    "en": {
        "after": "{0} must come after {1}.",
        "release": "{0} cannot start before {1}.",
        "deadline": "{0} has to be finished by {1}.",
        "only": "{0} can only run on {1}.",
        "machines": "There are {0} machines: {1}.",
        "window": "{0} is available from {1} to {2}.",
        "and": " and ",
    },
    "pl": {
        "after": "{0} musi być po {1}.",
        "release": "{0} nie może się zacząć przed {1}.",
        "deadline": "{0} musi się skończyć do {1}.",
        "only": "{0} tylko na {1}.",
        "machines": "Są {0} maszyny: {1}.",
        "window": "{0} jest dostępna od {1} do {2}.",
        "and": " i ",
    },
}
OBJECTIVES = {
    "en": {
        "makespan": "Finish as soon as possible.",
        "total_completion": "Minimise the sum of completion times.",
        "total_tardiness": "Minimise the total tardiness.",
    },
    "pl": {
        "makespan": "Jak najszybciej.",
        "total_completion": "Minimalizuj sumę czasów zakończenia.",
        "total_tardiness": "Minimalizuj łączne opóźnienie.",
    },
}
COUNTS = {"en": ("two", "three"), "pl": ("dwie", "trzy")}


def clock(hour: int, unit: str) -> str:
    return f"{hour}:00" if unit != "day" else f"day {hour}"


@st.composite
def schedules(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A text from templates, and the document it must give."""
    language = draw(st.sampled_from(("en", "pl")))
    unit = draw(st.sampled_from(("hour", "minute")))
    scale = 60 if unit == "minute" else 1
    names = draw(st.lists(st.sampled_from(NAMES[language]), min_size=1, max_size=6, unique=True))
    machines = ["M1", "M2", "M3"][: draw(st.integers(2, 3))]
    phrases = PHRASES[language]
    listed = []
    tasks: list[dict[str, Any]] = []
    for name in names:
        low = draw(st.integers(1, 50))
        high = draw(st.one_of(st.just(low), st.integers(low + 1, 99)))
        amount = f"{low}-{high}" if high > low else str(low)
        listed.append(f"{name} {amount} {UNITS[language][unit]}")
        tasks.append({"id": name, "duration": [low, high] if high > low else low})
    separator = draw(st.sampled_from((", ", "; ", "\n- ")))
    start = "\n- " if separator == "\n- " else ""
    sentences = [
        phrases["machines"].format(
            COUNTS[language][len(machines) - 2],
            ", ".join(machines[:-1]) + phrases["and"] + machines[-1],
        )
    ]
    sentences.append(start + separator.join(listed) + ("\n" if start else "."))
    windows: dict[str, list[list[int]]] = {}
    for machine in machines:
        if draw(st.booleans()):
            low = draw(st.integers(0, 11))
            high = draw(st.integers(low + 1, 24))
            windows[machine] = [[low * scale, high * scale]]
            sentences.append(phrases["window"].format(machine, f"{low}:00", f"{high}:00"))
    for position, task in enumerate(tasks):
        name = task["id"]
        if draw(st.booleans()):
            release = draw(st.integers(1, 10))
            task["release"] = release * scale
            sentences.append(phrases["release"].format(name, f"{release}:00"))
        if draw(st.booleans()):
            deadline = draw(st.integers(11, 20))
            task["deadline"] = deadline * scale
            sentences.append(phrases["deadline"].format(name, f"{deadline}:00"))
        if position and draw(st.booleans()):
            before = sorted(draw(st.sets(st.integers(0, position - 1), min_size=1, max_size=2)))
            task["after"] = [names[other] for other in before]
            joined = phrases["and"].join(names[other] for other in before)
            sentences.append(phrases["after"].format(name, joined))
        if draw(st.booleans()):
            machine = draw(st.sampled_from(machines))
            task["machines"] = [machine]
            sentences.append(phrases["only"].format(name, machine))
    objective = draw(st.sampled_from(sorted(OBJECTIVES[language])))
    sentences.append(OBJECTIVES[language][objective])
    document = {
        "kind": "schedule",
        "unit": unit,
        "tasks": tasks,
        "machines": [
            {"id": machine, "windows": windows[machine]} if machine in windows else {"id": machine}
            for machine in machines
        ],
        "objective": objective,
    }
    return " ".join(sentences), document


@settings(max_examples=100, deadline=None, derandomize=True, report_multiple_bugs=False)
@given(schedules())
def test_rendered_schedules_come_back(rendered: tuple[str, dict[str, Any]]) -> None:
    text, document = rendered
    assert formalize(text).document() == document


def outcome(text: str) -> Problem | None:
    """The problem or None for a refusal; anything else that is raised fails the test."""
    try:
        problem = formalize(text)
    except FormalizationError:
        return None
    assert parse_problem(problem.document()) == problem
    return problem


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_any_text_is_answered_or_refused(text: str) -> None:
    outcome(text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25).map(" ".join))
def test_any_salad_of_the_right_words_is_answered_or_refused(text: str) -> None:
    outcome(text)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sampled_from(CASES.read_text(encoding="utf-8").splitlines()))
def test_formalizing_is_deterministic(line: str) -> None:
    text = json.loads(line)["text"]
    assert outcome(text) == outcome(text)

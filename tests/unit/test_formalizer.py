"""The embedded formalizer against documents written by hand from the format's rules.

`formalizer_cases.jsonl` holds texts with the document each must give; the shared examples are
checked beside them where the shared folder is present.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gibbsite.formalizer import (
    MAX_LENGTH,
    EmbeddedFormalizer,
    FormalizationError,
    Formalizer,
    formalize,
    formalize_with_notes,
)
from gibbsite.problem import REASONS
from gibbsite_hw.spec.errors import GibbsiteError

HERE = Path(__file__).resolve()
SHARED = HERE.parents[3] / "shared" / "formalize" / "examples.jsonl"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


CASES = read(HERE.with_name("formalizer_cases.jsonl"))


def answer(text: str) -> dict[str, Any]:
    try:
        return formalize(text).document()
    except FormalizationError as error:
        return error.document().model_dump()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict[str, Any]) -> None:
    assert answer(case["text"]) == case["expect"]


def test_cases_are_many_and_varied() -> None:
    for language in ("pl", "en"):
        assert sum(case["lang"] == language for case in CASES) >= 60
    assert sum(case["expect"]["kind"] == "error" for case in CASES) >= 25
    reasons = {case["expect"].get("reason") for case in CASES}
    assert {"missing_durations", "contradiction", "not_understood"} <= reasons


def test_shared_examples() -> None:
    # they lie beside the checkout; without them their schedules are still among the cases
    examples = read(SHARED) if SHARED.exists() else CASES
    for example in examples:
        expected = example["expect"]
        if expected["kind"] not in ("schedule", "error"):
            expected = {"kind": "error", "reason": "not_understood"}
        assert answer(example["text"]) == expected, example["id"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_refusals_carry_a_sentence_and_words_of_the_text(case: dict[str, Any]) -> None:
    if case["expect"]["kind"] != "error":
        return
    with pytest.raises(FormalizationError) as caught:
        formalize(case["text"])
    error = caught.value
    assert isinstance(error, GibbsiteError)
    assert error.reason in REASONS
    assert "\n" not in str(error)
    assert len(str(error)) > 40
    words = [word for word in error.words.replace(",", " ").split() if word.isalnum()]
    plain = case["text"].lower()
    for word in words:
        assert word.lower() in plain or word.isdigit(), (word, error.words)


def test_kinds_of_later_versions_are_refused_by_name() -> None:
    with pytest.raises(FormalizationError, match="only schedules are understood for now") as caught:
        formalize("Find the shortest route from the depot through Berlin, Paris and Rome.")
    assert "route" in caught.value.words


def test_too_long_a_text_is_refused_with_the_limit() -> None:
    with pytest.raises(FormalizationError, match=f"at most {MAX_LENGTH} characters"):
        formalize("A 2 h. " * MAX_LENGTH)


def test_too_many_tasks_are_refused_with_the_limit() -> None:
    with pytest.raises(FormalizationError, match="at most 1000 tasks"):
        formalize("Schedule 1000000 jobs of 2 h on 3 machines.")


def test_choices_are_noted() -> None:
    formalization = formalize_with_notes("Sanding takes 1-2 h, painting takes 3 h.")
    assert formalization.problem.tasks[0].duration == (1, 2)
    assert len(formalization.notes) == 1
    assert "one machine '1'" in formalization.notes[0]
    assert not formalize_with_notes("Task A takes 3 h on machine M1.").notes


def test_interface() -> None:
    assert isinstance(EmbeddedFormalizer(), Formalizer)


@pytest.mark.parametrize(
    "text",
    [
        "A " * 9_000,
        "1" * 19_000,
        "1," * 9_000,
        "-" * 19_000,
        "(" * 19_000,
        "a-" * 9_000,
        "po " * 6_000,
        "A -> " * 4_000,
        "A 2 h, " * 2_800,
        "od 1 do " * 2_400,
        "job 1, " * 2_800,
        "7 jobs " * 2_800,
        "w" * 19_999,
        "jeden " * 3_000,
        "\n" * 19_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_monotonous_texts_end_soon(text: str) -> None:
    start = time.process_time()
    answer(text)
    # the slowest takes about 1 s on the slowest machine at hand; exponential readers take for ever
    assert time.process_time() - start < 20

"""Kinds of request: what marks a text that asks for something other than a schedule."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from gibbsite.formalizer.inflection import keys, readings
from gibbsite.formalizer.lexicon import Language
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.tokens import Token
from gibbsite.formalizer.units import UNITS

__all__ = ["asks_for_schedule", "refuse_other_kinds"]

_MARKS: Final[dict[str, dict[str, str]]] = {
    "allocate": {
        "en": "gb mb tb gigabytes capacity kilograms kg litres liters",
        "pl": "gb mb tb pojemność kg kilogram litr rozdzielić rozdziel przydzielić",
    },
    "route": {
        "en": "km miles kilometres kilometers route routes depot distances tour detour",
        "pl": "km kilometr trasa odległość objazd zajezdnia",
    },
    "optimize": {
        "en": "budget fund funded knapsack invest integer integers",
        "pl": "budżet sfinansować plecak zainwestować",
    },
    "sample": {
        "en": "posterior prior bayesian regression gaussian mcmc",
        "pl": "posterior aposteriori bayesowski regresja bayesowsko",
    },
    "generate": {
        "en": "generate sensors fps 1080p 720p synthesise synthesize",
        "pl": "wygenerować generować wygeneruj",
    },
    "classic": {
        "en": "sql database deploy convert csv pdf json script docker customers kubernetes staging",
        "pl": "sql baza wdrożyć wdróż przekonwertować konwertować csv pdf skrypt uruchom",
    },
}
_PLACES: Final = frozenset("depot route routes tour zajezdnia zajezdni trasa trasy".split())
"""Words of a route that name a place or a piece of work where tasks have durations."""
_MEASURES: Final = frozenset("gb mb tb kg km".split())
"""Units that ask for another kind only behind a number; alone they may be names."""
_PEOPLE: Final = {
    "en": frozenset(["people", "persons", "workers", "men", "kw", "electricians", "helpers"]),
    "pl": frozenset(["osoba", "ludzie", "kw", "człowiek"]),
}
_EITHER: Final = {"en": frozenset({"or"}), "pl": frozenset({"albo", "lub", "bądź"})}
_SCHEDULE: Final = {
    "en": frozenset(
        [
            "schedule",
            "scheduling",
            "schedules",
            "timetable",
            "plan",
            "machine",
            "machines",
            "job",
            "jobs",
            "task",
            "tasks",
            "makespan",
            "shift",
            "sequence",
            "oven",
            "ovens",
            "printer",
            "printers",
            "crew",
            "crews",
            "finish",
            "finished",
            "earliest",
            "asap",
        ]
    ),
    "pl": frozenset(
        [
            "harmonogram",
            "zaplanować",
            "grafik",
            "plan",
            "maszyna",
            "zadanie",
            "zlecenie",
            "ułożyć",
            "zlecić",
            "rozplanować",
            "uszeregować",
            "kolejność",
            "skończyć",
            "najwcześniej",
            "najszybciej",
        ]
    ),
}


def _asked(word: str, language: Language) -> frozenset[str]:
    """The word as a lexicon may call it, but a noun such as "wdrożenie" is no order to deploy."""
    if language == "pl" and any(reading.part == "ger" for reading in readings(word.lower())):
        return frozenset({word.lower()})
    return keys(word, language)


def _durations(tokens: list[Token]) -> int:
    """How many amounts of time the text gives."""
    units = {unit for table in UNITS.values() for unit in table}
    return sum(
        before.kind == "number"
        and token.kind == "word"
        and bool(keys(token.text, "pl") & set(units))
        for before, token in pairwise(tokens)
    )


def refuse_other_kinds(tokens: list[Token], language: Language) -> None:
    """Refuse a request of a later version's kind, with the words that show it."""
    words = [
        (token, _asked(token.text, language))
        for position, token in enumerate(tokens)
        if token.kind == "word"
        and (token.low not in _MEASURES or (position and tokens[position - 1].kind == "number"))
    ]
    timed = _durations(tokens) > 2
    for kind, marks in _MARKS.items():
        if timed and kind in ("classic", "generate"):
            continue  # "build 10 min, test 20 min, deploy 5 min"
        wanted = set(marks[language].split())
        found = [token.text for token, own in words if own & wanted]
        if timed and all(word.lower() in _PLACES for word in found):
            continue  # "depot work: sorting 1 h, weighing 15 min, sealing 25 min"
        if found:
            raise FormalizationError(
                "not_understood",
                f"only schedules are understood for now, and {', '.join(found[:3])!r} asks for a "
                f"problem of kind {kind!r}; name tasks with their durations, and machines",
                ", ".join(found[:3]),
            )
    _refuse_plan(tokens, language)


def _refuse_plan(tokens: list[Token], language: Language) -> None:
    """People needed at once, or alternatives of a task, make a plan and not a schedule."""
    counts = 0
    first = ""
    for before, token in pairwise(tokens):
        if token.kind == "word" and keys(token.text, language) & _PEOPLE[language]:
            if before.kind == "number" or keys(before.text, language) & {"dwa", "trzy", "two"}:
                counts += 1
                first = first or f"{before.text} {token.text}"
    if counts >= 2:
        raise FormalizationError(
            "not_understood",
            f"only schedules are understood for now, and {first!r} asks for shared resources, a "
            "problem of kind 'plan'; give each task one machine at a time",
            first,
        )


def asks_for_schedule(tokens: list[Token], language: Language) -> bool:
    """Whether a word of the text asks for a schedule."""
    return any(
        token.kind == "word" and keys(token.text, language) & _SCHEDULE[language]
        for token in tokens
    )

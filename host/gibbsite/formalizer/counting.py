"""Counted things and lists of labels: "three ovens", "osiem zadań", "machines A, B and C"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gibbsite.formalizer.inflection import readings
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexicon import Language
from gibbsite.formalizer.names import Name, is_label, name_at, nameable, number_label

__all__ = ["Counted", "counted_at", "is_plural", "label_range", "labels_from", "skip_aside"]

_ADJECTIVES: Final = frozenset({"any", "filler", "available"})
_RANGE: Final = re.compile(r"([^\W\d_]*)(\d+)[-–]\1(\d+)")
_LETTERS: Final = re.compile(r"([A-Z])[-–]([A-Z])")


@dataclass(frozen=True, slots=True)
class Counted:
    """`number` things of one noun, at lexemes `start` to `end` (exclusive)."""

    number: Fraction
    start: int
    end: int
    nouns: tuple[str, ...]
    is_task: bool
    is_machine: bool


def counted_at(lexemes: list[Lexeme], start: int, language: Language) -> Counted | None:
    """The counted noun group that starts with the number at `start`."""
    lexeme = lexemes[start]
    if lexeme.kind != "number" or lexeme.number is None or lexeme.number.denominator != 1:
        return None
    reversed_count = _counted_behind(lexemes, start)
    if reversed_count is not None:
        return reversed_count
    end = start + 1
    kind_at: int | None = None
    while end < len(lexemes) and end - start <= 4:
        part = lexemes[end]
        if part.has("task", "task_weak", "machine"):
            kind_at = end
            if language == "pl" or not (
                end + 1 < len(lexemes) and lexemes[end + 1].has("task", "task_weak", "machine")
            ):
                end += 1
                break
        elif (is_label(part.text) and end > start + 1 and part.text[:1].isupper()) or (
            not nameable(part, language)
            and not (
                part.has(*_ADJECTIVES) and part.text.isalpha() and part.text.lower() not in _STOP
            )
        ):
            break
        end += 1
    while kind_at is not None and language == "pl" and end < len(lexemes):
        part = lexemes[end]
        if not nameable(part, language) or is_label(part.text) or part.has("machine", "task"):
            break
        end += 1  # "dwa stanowiska lakiernicze"
    if end == start + 1:
        return None
    nouns = lexemes[start + 1 : end]
    head = lexemes[kind_at] if kind_at is not None else None
    return Counted(
        lexeme.number,
        start,
        end,
        tuple(part.text.lower() for part in nouns),
        head is not None and head.has("task", "task_weak") and not head.has("machine"),
        head is not None and head.has("machine"),
    )


def _counted_behind(lexemes: list[Lexeme], at: int) -> Counted | None:
    """ "Zadań jest pięć", "the machines are three": the noun before its number."""
    if at < 1 or lexemes[at].text[0].isdigit():
        return None
    noun = lexemes[at - 1]
    if lexemes[at - 1].has("filler") and at >= 2:
        noun = lexemes[at - 2]
    last = at + 1 >= len(lexemes) or lexemes[at + 1].kind == "mark" or lexemes[at + 1].has("and")
    if not last or not noun.has("task", "task_weak", "machine") or lexemes[at].text.isdigit():
        return None
    number = lexemes[at].number
    assert number is not None
    machine = noun.has("machine")
    return Counted(number, at, at + 1, (noun.text.lower(),), not machine, machine)


_STOP: Final = frozenset(
    [
        "is",
        "are",
        "must",
        "can",
        "take",
        "takes",
        "has",
        "have",
        "do",
        "be",
        "to",
        "of",
        "the",
        "and",
        "with",
        "for",
        "on",
        "musi",
        "mają",
        "ma",
        "są",
        "jest",
        "to",
        "się",
        "z",
        "ze",
        "o",
        "dla",
        "bez",
        "they",
        "we",
        "it",
        "i",
        "you",
        "that",
        "this",
        "will",
        "need",
        "should",
        "may",
        "work",
        "works",
        "run",
        "runs",
        "open",
    ]
)


def is_plural(noun: Lexeme, language: Language) -> bool:
    """Whether a kind of thing stands in the plural, so that a list of labels may follow."""
    word = noun.text.split()[-1].lower()
    if language == "en":
        return (word.endswith("s") and not word.endswith(("press", "ss"))) or word == "people"
    found = [reading for reading in readings(word) if reading.part in ("subst", "ger")]
    return any(reading.number == "pl" for reading in found)


def label_range(text: str) -> list[str]:
    """The labels of "J1-J4" or "A-D"; empty when the word is no range."""
    digits = _RANGE.fullmatch(text)
    if digits:
        prefix, low, high = digits.group(1), int(digits.group(2)), int(digits.group(3))
        if prefix and low < high <= low + 200:
            return [f"{prefix}{number}" for number in range(low, high + 1)]
    letters = _LETTERS.fullmatch(text)
    if letters and letters.group(1) < letters.group(2):
        return [chr(code) for code in range(ord(letters.group(1)), ord(letters.group(2)) + 1)]
    return []


def skip_aside(lexemes: list[Lexeme], at: int) -> int:
    """The place after a parenthesis that opens at `at`, or `at`."""
    if at >= len(lexemes) or not lexemes[at].is_mark("([") or lexemes[at].kind != "mark":
        return at
    depth = 0
    for position in range(at, len(lexemes)):
        if lexemes[position].is_mark("(["):
            depth += 1
        elif lexemes[position].is_mark(")]"):
            depth -= 1
            if depth == 0:
                return position + 1
    return len(lexemes)


def labels_from(
    lexemes: list[Lexeme], at: int, language: Language, words: bool, limit: int | None
) -> tuple[list[Name], int]:
    """The labels from `at` on, joined by commas and "and"; names of any words when `words`.

    Times and parentheses behind a label are passed over ("O1 (8-16) and O2").
    """
    found: list[Name] = []
    end = at
    if at < len(lexemes) and lexemes[at].has("from") and _spaced_range(lexemes, at + 1):
        at += 1  # "zadania od A do E"
    while at < len(lexemes) and (limit is None or len(found) < limit):
        while at < len(lexemes) and lexemes[at].text in ("the", "a", "an") and lexemes[at].cues:
            at += 1
        if at >= len(lexemes):
            break
        ranged = label_range(lexemes[at].text) or _spaced_range(lexemes, at)
        number = number_label(lexemes[at])
        if ranged:
            width = 1 if label_range(lexemes[at].text) else 3
            found.extend(Name(at, at + width, (label,), label) for label in ranged)
            at += width
        elif lexemes[at].kind == "range" and lexemes[at].span is not None and not words:
            low, high = lexemes[at].span or (Fraction(0), Fraction(0))
            labels = [str(value) for value in range(int(low), int(high) + 1)]
            found.extend(Name(at, at + 1, (label,), label) for label in labels)
            at += 1
        elif number is not None and not words and lexemes[at].text[:1].isdigit():
            raw = lexemes[at].text
            pieces = raw.split(",") if "," in raw else [number]
            found.extend(Name(at, at + 1, (piece,), piece) for piece in pieces)
            at += 1
        else:
            if lexemes[at].has("machine", "task", "task_weak") and not words and found:
                at += 1  # "machine A and machine B"
                if at >= len(lexemes):
                    break
            name = name_at(lexemes, at, language, label=not words)
            if name is None:
                break
            found.append(name)
            at = name.end
        end = at
        at = skip_aside(lexemes, at)
        if at >= len(lexemes):
            break
        joined = False
        while at < len(lexemes) and (lexemes[at].is_mark(",/&") or lexemes[at].has("and", "or")):
            joined, at = True, at + 1
        if not joined:
            break
    return found, end


def _spaced_range(lexemes: list[Lexeme], at: int) -> list[str]:
    """ "A – D", "M1 to M3"."""
    if at + 2 >= len(lexemes):
        return []
    middle = lexemes[at + 1]
    if not (middle.is_mark("-") or middle.text.lower() in ("to", "do", "through")):
        return []
    return label_range(f"{lexemes[at].text}-{lexemes[at + 2].text}")

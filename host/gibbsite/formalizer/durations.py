"""Durations: amounts that follow one another, and what was said of all tasks or of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from gibbsite.formalizer.lexemes import Amount, Lexeme
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity

__all__ = ["Durations", "Said", "gather", "two_values"]


@dataclass(slots=True)
class Durations:
    """Durations that follow one another, and where they stand."""

    first: int
    end: int
    amounts: list[Amount]
    lexemes: list[Lexeme]
    lag: bool = False


@dataclass(slots=True)
class Said:
    """Durations that hold for all tasks, or for those not named otherwise."""

    every: list[tuple[Amount, Lexeme]] = field(default_factory=list)
    others: list[tuple[Amount, Lexeme]] = field(default_factory=list)
    listed: list[list[Amount]] = field(default_factory=list)
    grouped: int = 0
    last: list[Entity] = field(default_factory=list)
    counts: set[Fraction] = field(default_factory=set)


def gather(lexemes: list[Lexeme], first: int) -> Durations:
    """The amounts from `first` on that only commas and "and" part."""
    found = Durations(first, first + 1, [], [])
    at = first
    while at < len(lexemes) and lexemes[at].kind == "amount":
        amount = lexemes[at].amount
        assert amount is not None
        found.amounts.append(amount)
        found.lexemes.append(lexemes[at])
        found.end = at + 1
        at += 1
        while at < len(lexemes) and (lexemes[at].is_mark(",") or lexemes[at].has("and")):
            at += 1
    following = lexemes[found.end] if found.end < len(lexemes) else None
    found.lag = following is not None and following.has("after", "before")
    return found


def two_values(task: Entity, words: str) -> FormalizationError:
    return FormalizationError(
        "contradiction",
        f"task {task.id!r} has one duration, found another: {words}; keep one of them",
        f"{task.id} {words}",
    )

"""Verbs: words between a name and its duration that the lexicon does not list ("piecze się")."""

from __future__ import annotations

from typing import Final

from gibbsite.formalizer.inflection import readings
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexicon import Language

__all__ = ["mark_verbs"]

_FINITE: Final = frozenset({"fin", "praet", "bedzie", "aglt"})


def mark_verbs(lexemes: list[Lexeme], language: Language) -> None:
    """Take finite Polish verbs that the lexicon does not know as words without a role.

    A form that may also be a noun ("piecze") is a verb where "się" follows it.
    """
    if language != "pl":
        return
    for position, lexeme in enumerate(lexemes):
        if lexeme.kind != "word" or lexeme.cues or not lexeme.text.islower():
            continue
        parts = {reading.part for reading in readings(lexeme.text)}
        following = lexemes[position + 1] if position + 1 < len(lexemes) else None
        reflexive = following is not None and following.text.lower() == "się"
        if parts & _FINITE and (reflexive or not parts - _FINITE):
            lexeme.cues = frozenset({"filler"})

"""Verbs: words between a name and its duration that the lexicon does not list ("piecze się")."""

from __future__ import annotations

from typing import Final

from gibbsite.formalizer.inflection import readings
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexicon import Language

__all__ = ["mark_verbs"]

_FINITE: Final = frozenset({"fin", "praet", "bedzie", "aglt"})

_PHASES: Final = frozenset(
    "zrobić zakończyć rozpocząć ukończyć wykonać skończyć zacząć wykonanie zakończenie".split()
)
"""Verbs whose nouns speak of the plan or of any task, and name none."""


def mark_verbs(lexemes: list[Lexeme], language: Language) -> None:
    """Take finite Polish verbs that the lexicon does not know as words without a role.

    A form that may also be a noun ("piecze") is a verb where "się" follows it.
    """
    if language != "pl":
        return
    for position, lexeme in enumerate(lexemes):
        found = readings(lexeme.text.lower()) if lexeme.kind == "word" else ()
        parts = {reading.part for reading in found}
        if lexeme.cues == {"filler"} and "ger" in parts <= {"ger", "subst"}:
            if not any(reading.lemma in _PHASES for reading in found):
                lexeme.cues = frozenset()  # "przygotowanie" is work, "przygotować" is not
        if lexeme.kind != "word" or lexeme.cues or not lexeme.text.islower():
            continue
        following = lexemes[position + 1] if position + 1 < len(lexemes) else None
        reflexive = following is not None and following.text.lower() == "się"
        before = lexemes[position - 1] if position else None
        label = before is not None and before.kind == "word" and before.text.isupper()
        if parts & _FINITE and (reflexive or label or not parts - _FINITE):
            lexeme.cues = frozenset({"filler"})

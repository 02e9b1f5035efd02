"""Objectives: what a schedule is to be best at, and the goals that it cannot have."""

from __future__ import annotations

from typing import Final

from gibbsite.formalizer.inflection import keys
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.lexicon import Language
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.problem import Objective

__all__ = ["read_objective"]

_SUM: Final = {
    "en": frozenset(["sum", "total", "average", "mean", "combined", "summed", "aggregate", "avg"]),
    "pl": frozenset(
        [
            "suma",
            "średni",
            "średnia",
            "średnio",
            "łączny",
            "przeciętny",
            "sumaryczny",
            "przeciętnie",
        ]
    ),
}
_COMPLETION: Final = {
    "en": frozenset(
        ["completion", "completions", "finish", "finishing", "finished", "end", "ending", "flow"]
    ),
    "pl": frozenset(
        [
            "zakończenie",
            "ukończenie",
            "zakończyć",
            "ukończyć",
            "kończyć",
            "skończyć",
            "końcowy",
            "koniec",
        ]
    ),
}
_LATE: Final = {
    "en": frozenset(
        ["tardiness", "lateness", "delay", "delays", "overdue", "tardy", "late", "delayed"]
    ),
    "pl": frozenset(
        ["spóźnienie", "opóźnienie", "zwłoka", "spóźniać", "opóźniać", "spóźnić", "przekroczenie"]
    ),
}
_WITHOUT: Final = {
    "en": frozenset(["no", "without", "avoid", "never", "not", "any"]),
    "pl": frozenset(["bez", "nie", "żaden", "unikać"]),
}
_GOAL: Final = {
    "en": frozenset(
        ["minimise", "minimize", "minimising", "minimizing", "maximise", "maximize", "maximising"]
    ),
    "pl": frozenset(["minimalizować", "zminimalizować", "maksymalizować", "zmaksymalizować"]),
}
_FOREIGN_GOALS: Final = {
    "en": frozenset(
        [
            "cost",
            "costs",
            "profit",
            "energy",
            "utilisation",
            "utilization",
            "idle",
            "revenue",
            "price",
            "waste",
            "number",
            "penalty",
            "penalties",
            "emissions",
            "distance",
        ]
    ),
    "pl": frozenset(
        [
            "koszt",
            "zysk",
            "energia",
            "wykorzystanie",
            "przestój",
            "przychód",
            "cena",
            "kara",
            "liczba",
            "odległość",
        ]
    ),
}
_REACH: Final = 5


def read_objective(sentences: list[Sentence], language: Language) -> Objective:
    """The objective that the text asks for; `makespan` when it asks for none."""
    found: dict[Objective, str] = {}
    for sentence in sentences:
        words = [
            (keys(word, language), lexeme)
            for lexeme in sentence.lexemes
            if lexeme.kind == "word"
            for word in lexeme.text.split()
        ]
        _refuse_other_goals(words, language)
        for position, (word, lexeme) in enumerate(words):
            before = [key for key, _ in words[max(0, position - 3) : position]]
            if word & _LATE[language] and not any(key & _WITHOUT[language] for key in before):
                if _measured(words, language):
                    found.setdefault("total_tardiness", lexeme.text)
            elif word & _SUM[language]:
                after = [key for key, _ in words[position + 1 : position + _REACH]]
                if any(key & _LATE[language] for key in after):
                    continue
                if any(key & _COMPLETION[language] for key in after) and not _whole(after):
                    found.setdefault("total_completion", lexeme.text)
    if len(found) > 1:
        words_found = " … ".join(found.values())
        raise FormalizationError(
            "contradiction",
            f"a schedule has one objective, found two: {words_found}; keep one of them",
            words_found,
        )
    return next(iter(found), "makespan")


def _measured(words: list[tuple[frozenset[str], Lexeme]], language: Language) -> bool:
    """Whether lateness is what the sentence minimises, not merely mentioned of one task."""
    context = [key for key, _ in words]
    asked = _GOAL[language] | _SUM[language]
    asked |= {"least", "small", "little", "low", "lowest", "smallest", "matter", "matters", "keep"}
    asked |= {"jak", "mały", "najmniejszy", "najmniej", "niski", "zależeć", "możliwie", "cel"}
    return any(key & asked for key in context)


def _whole(after: list[frozenset[str]]) -> bool:
    """ "the total time to finish everything" is the whole length, not a sum."""
    flat = [key for group in after for key in group]
    return "finish" in flat and "to" in flat


def _refuse_other_goals(words: list[tuple[frozenset[str], Lexeme]], language: Language) -> None:
    for position, (word, lexeme) in enumerate(words):
        if not word & _GOAL[language]:
            continue
        for other, named in words[position + 1 : position + 4]:
            if other & (_SUM[language] | _COMPLETION[language] | _LATE[language]):
                break
            if other & _FOREIGN_GOALS[language] or other & {"maximum", "największy"}:
                raise FormalizationError(
                    "not_understood",
                    "a schedule minimises makespan, total completion or total tardiness, found "
                    f"'{lexeme.text} {named.text}'; ask for one of these",
                    f"{lexeme.text} {named.text}",
                )

"""Elided units: numbers that take their unit from a list, a neighbour, or "in hours"."""

from __future__ import annotations

from gibbsite.formalizer.inflection import keys
from gibbsite.formalizer.lexemes import Amount, Lexeme
from gibbsite.formalizer.names import nameable, number_label
from gibbsite.formalizer.scene import Scene
from gibbsite.formalizer.units import UNITS

__all__ = ["spread_units"]


def spread_units(lexemes: list[Lexeme], scene: Scene) -> None:
    """Give plain numbers the unit that the list or the sentence states once."""
    for at in range(len(lexemes) - 1, -1, -1):
        amount = lexemes[at].amount
        if lexemes[at].kind != "amount" or amount is None:
            continue
        back = at - 1
        while back >= 1:
            if not (lexemes[back].is_mark(",") or lexemes[back].has("and")):
                break
            while back >= 1 and (lexemes[back].is_mark(",") or lexemes[back].has("and")):
                back -= 1
            if not _plain(lexemes, back):
                break
            _as_amount(lexemes[back], amount)
            back -= 1
    stated = _stated_unit(lexemes)
    model = stated or next((x.amount for x in lexemes if x.kind == "amount" and x.amount), None)
    if model is None:
        return
    for at, lexeme in enumerate(lexemes):
        dated = any(part.has("latest", "release") for part in lexemes[:at])
        if dated or not _plain(lexemes, at) or at == 0 or _label_list(lexemes, at):
            continue
        before = lexemes[at - 1]
        following = lexemes[at + 1] if at + 1 < len(lexemes) else None
        ended = following is None or following.is_mark(",)(") or following.has("and", "for")
        counts = any(part.has("takes") for part in lexemes[at + 1 : at + 4])  # "4 of them take 2 h"
        ended = ended and lexeme.text[:1].isdigit() and not counts
        opened = (
            before.is_mark(":=(-")
            or before.has("takes", "duration")
            or _name_word(lexemes, at - 1, scene)
        )
        listed = stated is not None and (before.is_mark(",") or before.has("and"))
        distributed = before.text.lower() == "po" and scene.language == "pl"
        if ended and (opened or listed or distributed):
            _as_amount(lexeme, model)


def _name_word(lexemes: list[Lexeme], at: int, scene: Scene) -> bool:
    lexeme = lexemes[at]
    if not nameable(lexeme, scene.language) or lexeme.has("task", "task_weak", "machine"):
        return False
    return scene.matching([lexeme.text]) is None or scene.named("machine", lexeme.text) is None


def _stated_unit(lexemes: list[Lexeme]) -> Amount | None:
    """ "durations in hours:", "czasy (w godzinach):"."""
    for at, lexeme in enumerate(lexemes[:-1]):
        if lexeme.text.lower() in ("in", "w") or lexeme.is_mark("(["):
            word = lexemes[at + 1].text.lower()
            found = (UNITS["en"].get(word), *(UNITS["pl"].get(key) for key in keys(word, "pl")))
            unit = next((each for each in found if each is not None), None)
            if unit is not None and lexemes[at + 1].kind == "word":
                lexemes[at + 1].cues = lexemes[at + 1].cues | {"in_unit"}
                return Amount(unit[1], unit[1], unit[0])
    return None


def _plain(lexemes: list[Lexeme], at: int) -> bool:
    """Whether this is a number or a range that could be a duration without its unit."""
    lexeme = lexemes[at]
    if lexeme.kind not in ("number", "range") or lexeme.used:
        return False
    return at == 0 or not lexemes[at - 1].has("task", "task_weak", "machine", "until", "from")


def _label_list(lexemes: list[Lexeme], at: int) -> bool:
    """Whether the number at `at` is in a list of labels, which a duration follows."""
    end = at
    while end < len(lexemes):
        if (
            number_label(lexemes[end]) is not None
            or lexemes[end].is_mark(",")
            or lexemes[end].has("and")
        ):
            end += 1
        else:
            return lexemes[end].has("takes", "each") or lexemes[end].text.lower() == "po"
    return False


def _as_amount(lexeme: Lexeme, model: Amount) -> None:
    low, high = lexeme.span or (lexeme.number, lexeme.number)
    if low is None or high is None:
        return
    lexeme.kind, lexeme.amount = "amount", Amount(low, high, model.unit)

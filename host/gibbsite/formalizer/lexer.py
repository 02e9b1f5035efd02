"""The lexer: a text becomes sentences of lexemes.

Sentences end at a full stop, at a semicolon, and at a line break that ends an item of a list.
Phrases of several words come before times, times before single words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gibbsite.formalizer.inflection import keys
from gibbsite.formalizer.lexemes import Lexeme, LexemeKind, Moment
from gibbsite.formalizer.lexicon import Language, match_cue
from gibbsite.formalizer.times import TimeReader
from gibbsite.formalizer.tokens import Token
from gibbsite.formalizer.units import UNITS
from gibbsite.formalizer.verbs import mark_verbs

__all__ = ["Sentence", "sentences"]

_ABBREVIATIONS: Final = frozenset(
    [
        "godz",
        "min",
        "hr",
        "hrs",
        "mins",
        "nr",
        "no",
        "np",
        "ok",
        "tzn",
        "tj",
        "itd",
        "itp",
        "m.in",
        "approx",
        "ca",
        "max",
        "szt",
        "zad",
        "zlec",
        "masz",
        "st",
    ]
)
_BULLETS: Final = "-*•·‣◦+–"
_LONG_LINE: Final = 50
_LABEL: Final = re.compile(r"(?:[^\W\d_]{0,3}\d+|[A-Z]{1,2}|[A-ZĄĆĘŁŃÓŚŹŻ]\w*[-/]?\d+)")


@dataclass(slots=True)
class Sentence:
    """Lexemes up to one hard stop; `item` says that it is a bullet or a line of a list."""

    lexemes: list[Lexeme]
    item: bool = False
    continues: bool = False


def sentences(tokens: list[Token], language: Language) -> list[Sentence]:
    """The sentences of a text; empty ones are dropped."""
    found = []
    for group, item, continues in _groups(tokens):
        lexemes = _lexemes(group, language)
        mark_verbs(lexemes, language)
        if lexemes:
            found.append(Sentence(_joined(lexemes), item, continues))
    _release_as_task([sentence.lexemes for sentence in found])
    return found


def _release_as_task(parts: list[list[Lexeme]]) -> None:
    """ "… release 10 min. Release after tests.": the noun is a task where it has its own order."""
    ordered = any(
        lexemes[0].text.lower() == "release"
        and lexemes[1].has("after", "before", "precedes", "follows")
        and not any(lexeme.is_time or lexeme.kind == "number" for lexeme in lexemes)
        for lexemes in parts
        if len(lexemes) > 2
    )
    if not ordered:
        return
    for lexeme in (lexeme for lexemes in parts for lexeme in lexemes):
        if lexeme.kind == "word" and lexeme.text.lower() == "release":
            lexeme.cues = frozenset()


def _groups(tokens: list[Token]) -> Iterator[tuple[list[Token], bool, bool]]:
    """Token runs between hard stops; the third value says that a semicolon came before."""
    group: list[Token] = []
    item = continues = False
    line_start = 0
    depth = 0
    for position, token in enumerate(tokens):
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        if token.kind == "break":
            if _soft(tokens, line_start, position) and group:
                line_start = position + 1
                continue
            if group:
                yield group, item, continues
            group, line_start, depth, continues = [], position + 1, 0, False
            item = _is_item(tokens, position)
            continue
        at_line_start = position == line_start
        if at_line_start and token.text in _BULLETS and token.kind == "mark":
            item = True
            continue
        if _numbering(tokens, position, line_start):
            item = True
            continue
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0)
        if token.text in ".!?" and token.kind == "mark" and not _inner_dot(tokens, position):
            if group:
                yield group, item, continues
            group, depth, continues = [], 0, False
            continue
        if token.text == ";" and depth <= 0:
            if group:
                yield group, item, continues
            group, continues = [], True
            continue
        if token.kind == "mark" and token.text in "*|_":
            if token.text == "|" and following and following.kind != "break" and group:
                group.append(Token("mark", ",", token.start, token.end))
            continue
        group.append(token)
    if group:
        yield group, item, continues


def _numbering(tokens: list[Token], position: int, line_start: int) -> bool:
    """ "1." or "2)" at the start of a line, with its mark."""
    first = tokens[line_start] if line_start < len(tokens) else None
    if first is None or first.kind != "number" or position > line_start + 1:
        return False
    if line_start + 2 >= len(tokens) or (line_start == 0 and len(tokens) < 6):
        return False
    mark, word = tokens[line_start + 1], tokens[line_start + 2]
    unit = any(
        low in table for table in UNITS.values() for low in (word.low, *keys(word.low, "pl"))
    )
    return mark.text in (".", ")") and mark.glued and word.kind == "word" and not unit


def _inner_dot(tokens: list[Token], position: int) -> bool:
    """A dot that belongs to an abbreviation or an ordinal, not to the end of a sentence."""
    token = tokens[position]
    if token.text != "." or position == 0 or position + 1 >= len(tokens):
        return False
    before, after = tokens[position - 1], tokens[position + 1]
    if after.kind == "break":
        return False
    if before.kind == "word" and before.low in _ABBREVIATIONS:
        return not after.text[:1].isupper() or before.low in ("nr", "no", "zad", "zlec", "masz")
    if before.kind != "number" or after.kind != "word" or not after.text[:1].islower():
        return False
    if after.low in ("do", "a", "i") and position + 2 < len(tokens):
        return tokens[position + 2].kind == "number"
    return any(key in table for table in UNITS.values() for key in keys(after.low, "pl"))


def _soft(tokens: list[Token], line_start: int, position: int) -> bool:
    """Whether a line break only wraps a long line."""
    if position + 1 >= len(tokens) or line_start >= position:
        return False
    last, following = tokens[position - 1], tokens[position + 1]
    length = last.end - tokens[line_start].start
    if last.kind == "arrow" or following.kind == "arrow":
        return True
    if length < _LONG_LINE or following.kind == "break" or last.text in (".", ":", ";", "!", "?"):
        return False
    return not (following.kind == "mark" or _numbering(tokens, position + 1, position + 1))


def _is_item(tokens: list[Token], position: int) -> bool:
    return position + 1 < len(tokens) and tokens[position + 1].kind == "word"


def _particle(tokens: list[Token], at: int, found: list[Lexeme], language: Language) -> bool:
    """ "pricking out 70 min": the particle of a verb that is a task's name."""
    if language != "en" or tokens[at].low not in ("out", "up", "down", "off") or not found:
        return False
    before = found[-1]
    return before.kind == "word" and not before.cues and before.text.lower().endswith("ing")


def _lexemes(tokens: list[Token], language: Language) -> list[Lexeme]:
    reader = TimeReader(tokens, language)
    found: list[Lexeme] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        cues, end = match_cue(tokens, at, language)
        if end - at < 2 or (cues <= {"filler"} and end - at < 2):
            label = bool(found) and found[-1].has("task", "task_weak", "machine")
            time = _labelled(reader, tokens, at, found[-1]) if label else None
            time = time or (None if _is_label(token) else reader.lexeme(at))
            if time is not None:
                lexeme, at = time
                if lexeme.kind in ("number", "ordinal"):
                    lexeme.cues = cues
                found.append(lexeme)
                continue
        if end > at:
            text = " ".join(part.text for part in tokens[at:end])
            kind: LexemeKind = "mark" if token.kind == "mark" else "word"
            lexeme = Lexeme(kind, text, token.start, tokens[end - 1].end, cues)
            if kind == "word" and end == at + 1 and _label_letter(tokens, at, language):
                lexeme.cues = frozenset()
            if kind == "word" and end == at + 1 and _named_like_a_cue(token, found):
                lexeme.cues = frozenset()
            if kind == "word" and end == at + 1 and _particle(tokens, at, found, language):
                lexeme.cues = frozenset()
            if kind == "word" and _small_label(tokens, at, found, language):
                lexeme.cues = frozenset()
            found.append(lexeme)
            at = end
            continue
        kind = token.kind if token.kind in ("word", "arrow") else "mark"
        found.append(Lexeme(kind, token.text, token.start, token.end))
        found[-1].glued = token.glued
        at += 1
    return found


def _is_label(token: Token) -> bool:
    """Words such as "G" or "H" that could be units stand for themselves after a kind of thing."""
    return token.kind == "word" and len(token.text) == 1 and token.text.isupper()


def _labelled(
    reader: TimeReader, tokens: list[Token], at: int, noun: Lexeme
) -> tuple[Lexeme, int] | None:
    """The label after "job" or "maszyna": a number, or a plain range of numbers."""
    token = tokens[at]
    if token.text in ("#", "nr", "no", "No", "Nr", "number", "numer") and at + 1 < len(tokens):
        skip = 2 if at + 2 < len(tokens) and tokens[at + 1].text == "." else 1
        return _labelled(reader, tokens, at + skip, noun) if skip + at < len(tokens) else None
    if token.kind != "number" or token.value is None or noun.form == "numbered":
        return None
    found = reader.lexeme(at)
    amount = found[0].amount if found is not None else None
    if found is not None and amount is not None and amount.is_range:
        spaced = at + 1 < len(tokens) and tokens[at + 1].text == "-" and not tokens[at + 1].glued
        if not spaced:
            return found if found[0].form != "from" else None
    elif found is None or found[0].kind in ("amount", "range"):
        dashed = at + 1 < len(tokens) and tokens[at + 1].text == "-"
        if not (dashed and found is not None and found[0].kind == "amount"):
            return found if found is None or found[0].form != "from" else None
    lexeme = Lexeme("number", token.text, token.start, token.end, number=token.value)
    return lexeme, at + 1


def _named_like_a_cue(token: Token, found: list[Lexeme]) -> bool:
    """Whether a capitalised word right behind a kind of thing is its label: "maszyny Ma i Mb"."""
    capital = token.text[:1].isupper() and token.text[1:].islower()
    return capital and bool(found) and found[-1].has("machine", "task") and found[-1].kind == "word"


def _small_label(tokens: list[Token], at: int, found: list[Lexeme], language: Language) -> bool:
    """Whether a small "a" or "i" is a label: "job a 10 min"."""
    if len(tokens[at].text) != 1 or not found:
        return False
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    lettered = any(part.kind == "word" and len(part.text) == 1 for part in found)
    if lettered and found[-1].is_mark(",") and following is not None:
        if following.kind == "number" and tokens[at].text in "zw":
            return True  # "x 2h, y 3h, z 1h"
    if found[-1].is_mark(":,") and following is not None and following.kind == "number":
        return tokens[at].text in "ai" and tokens[at - 1].text == ":"
    if not found[-1].has("task", "machine"):
        return False
    if following is None or following.kind in ("number", "clock"):
        return True
    if following.kind == "mark":
        return following.text in ".,:;("
    cues, _ = match_cue(tokens, at + 1, language)
    if language == "pl":
        return bool(cues & {"takes"})  # "na walcarce i po wytopie"
    return bool(cues & {"takes", "needs", "after", "before", "and", "only", "until"})


def _label_letter(tokens: list[Token], at: int, language: Language) -> bool:
    """Whether a capital "A", "I", "W", "Z" is a label and not an article or a preposition."""
    token = tokens[at]
    if len(token.text) != 1 or not token.text.isupper():
        return False
    if token.text == "I" and language == "en":
        return False
    following = tokens[at + 1] if at + 1 < len(tokens) else None
    if at > 0 and tokens[at - 1].text != ":":
        return True
    # first in its sentence: a label when no plain word follows that it could rule
    if following is None or following.kind != "word" or following.text in ("->", ">"):
        return True
    cues, _ = match_cue(tokens, at + 1, language)
    return bool(cues) and cues.isdisjoint({"task", "task_weak", "machine"})


def _joined(lexemes: list[Lexeme]) -> list[Lexeme]:
    """Amounts counted from the start become moments; "the first 8 hours" becomes a window."""
    result: list[Lexeme] = []
    at = 0
    while at < len(lexemes):
        here = lexemes[at]
        following = lexemes[at + 1 : at + 5]
        if here.kind == "amount" and here.amount is not None and not here.amount.is_range:
            end = _start_phrase(following)
            if end:
                last = following[end - 1]
                text = f"{here.text} … {last.text}"
                moment = Moment(here.amount.low, here.amount.unit)
                result.append(Lexeme("moment", text, here.start, last.end, moment=moment))
                at += 1 + end
                continue
        if here.kind == "ordinal" and here.number == 1 and following:
            amount = following[0].amount
            if following[0].kind == "amount" and amount is not None and not amount.is_range:
                window = (Moment(amount.low * 0, amount.unit), Moment(amount.high, amount.unit))
                text = f"{here.text} {following[0].text}"
                end_at = following[0].end
                result.append(Lexeme("window", text, here.start, end_at, window=window))
                at += 2
                continue
        if here.kind == "moment" and here.moment is not None and result:
            if result[-1].has("nextday") or (following and following[0].has("nextday")):
                here.moment = here.moment.later(24)
        result.append(here)
        at += 1
    return result


def _start_phrase(following: list[Lexeme]) -> int:
    """How many lexemes say "after the start"; 0 when the next ones do not."""
    if not following or not following[0].has("after", "from", "on"):
        return 0
    for position, lexeme in enumerate(following[1:4], 1):
        if lexeme.has("start"):
            return position + 1
        if not lexeme.has("filler"):
            return 0
    return 0

"""Tokens: the words, numbers, clock times and marks of a text, with their places in it.

One pass of one expression without nested repetition: linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

__all__ = ["Token", "TokenKind", "tokenize"]

TokenKind: TypeAlias = Literal["word", "number", "clock", "mark", "arrow", "break"]

_PATTERN: Final = re.compile(
    r"""
      (?P<break>\n)
    | (?P<space>[^\S\n]+)
    | (?P<clock>\d{1,2}:\d{2}(?!\d))
    | (?P<solid>(?<![\w.,])\d+[A-Z]\b)              # 3D, 2A: a name, unless it ends in a unit
    | (?P<list>\d+(?:,\d+){2,}(?!\d))               # 3,5,2 is a list, 3,5 a decimal
    | (?P<number>\d+(?:[.,]\d+)?)
    | (?P<arrow>-+>|=+>|→|⇒|➔|➜|⟶|>)
    | (?P<dotted>\b(?i:[ap]\.\s?m\.|e\.g\.|i\.e\.|m\.in\.))
    | (?P<word>[^\W\d_][\w'’]*(?:[-/&_][\w'’]+)*)
    | (?P<dash>[-–—−])
    | (?P<mark>.)
    """,
    re.VERBOSE,
)
_LONGEST_NUMBER: Final = 300  # characters; what is longer is no number of a schedule
_FRACTIONS: Final = {"½": Fraction(1, 2), "¼": Fraction(1, 4), "¾": Fraction(3, 4)}
_QUOTES: Final = dict.fromkeys(map(ord, '"„”“»«`'), None)


@dataclass(frozen=True, slots=True)
class Token:
    """One token at `start` to `end` of the text; `glued` says that no space precedes it."""

    kind: TokenKind
    text: str
    start: int
    end: int
    glued: bool = False
    value: Fraction | None = None

    @property
    def low(self) -> str:
        """The text without case."""
        return self.text.lower()


def tokenize(text: str) -> list[Token]:
    """The tokens of `text`; blanks and quotation marks are dropped, line breaks are kept."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        found = _PATTERN.match(text, position)
        assert found is not None  # the last alternative takes any character, the first one newlines
        kind = found.lastgroup or "mark"
        raw, start, end = found.group(), found.start(), found.end()
        glued = bool(tokens) and tokens[-1].end == start
        after_number = glued and tokens[-1].kind == "number"
        if kind == "solid" and raw[-1] in "HM":
            kind, end = "number", end - 1
            raw = text[start:end]
        if kind == "word" and after_number:
            # "2h30", "10am", "2nd": a unit ends where the next digit starts
            letters = re.match(r"[^\W\d_]+", raw)
            assert letters is not None
            raw, end = letters.group(), start + letters.end()
        position = end
        match kind:
            case "space":
                continue
            case "break":
                tokens.append(Token("break", raw, start, end))
            case "clock":
                hours, minutes = raw.split(":")
                value = Fraction(int(hours)) + Fraction(int(minutes), 60)
                sound = int(minutes) < 60 and int(hours) <= 48
                tokens.append(Token("clock" if sound else "mark", raw, start, end, glued, value))
            case "list" | "number" if len(raw) > _LONGEST_NUMBER:
                tokens.append(Token("word", raw, start, end, glued))
            case "list":
                tokens.extend(_listed(raw, start))
            case "number":
                value = Fraction(raw.replace(",", "."))
                tokens.append(Token("number", raw, start, end, glued, value))
            case "arrow":
                tokens.append(Token("arrow", raw, start, end, glued))
            case "dotted":
                plain = re.sub(r"[.\s]", "", raw)
                if plain.lower() in ("am", "pm"):
                    tokens.append(Token("word", plain.lower(), start, end, glued))
            case "word" | "solid":
                tokens.append(Token("word", raw, start, end, glued))
            case "dash":
                tokens.append(Token("mark", "-", start, end, glued))
            case _ if raw in _FRACTIONS:
                tokens.append(Token("number", raw, start, end, glued, _FRACTIONS[raw]))
            case _ if raw.translate(_QUOTES) and not unicodedata.category(raw).startswith("C"):
                tokens.append(Token("mark", raw, start, end, glued))
    return tokens


def _listed(raw: str, start: int) -> list[Token]:
    tokens = []
    for position, part in enumerate(raw.split(",")):
        if position:
            tokens.append(Token("mark", ",", start, start + 1))
            start += 1
        tokens.append(Token("number", part, start, start + len(part), False, Fraction(part)))
        start += len(part)
    return tokens

"""Lexemes: what the grammar sees, i.e. cues, words, numbers, amounts of time, moments and marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from gibbsite.problem import Unit

__all__ = ["Amount", "Lexeme", "LexemeKind", "Moment", "MomentUnit"]

LexemeKind: TypeAlias = Literal[
    "word", "number", "ordinal", "range", "amount", "moment", "window", "mark", "arrow"
]
MomentUnit: TypeAlias = Unit | Literal["clock", "bare"]


@dataclass(frozen=True, slots=True)
class Amount:
    """A length of time, or a range of lengths when `low` and `high` differ."""

    low: Fraction
    high: Fraction
    unit: Unit

    @property
    def is_range(self) -> bool:
        """Whether only a range was given."""
        return self.low != self.high


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time; in hours from midnight when its unit is `clock`.

    A `bare` moment is a number whose unit the context decides.
    """

    value: Fraction
    unit: MomentUnit

    def later(self, hours: int) -> Moment:
        """The clock moment so many hours later."""
        return Moment(self.value + hours, self.unit)


@dataclass(slots=True)
class Lexeme:
    """One unit of a sentence with its place in the text.

    `cues` are the roles the lexicon gives its words, `used` says that some statement has read it.
    """

    kind: LexemeKind
    text: str
    start: int
    end: int
    cues: frozenset[str] = frozenset()
    amount: Amount | None = None
    moment: Moment | None = None
    window: tuple[Moment, Moment] | None = None
    number: Fraction | None = None
    span: tuple[Fraction, Fraction] | None = None
    form: str = ""
    glued: bool = False
    used: bool = field(default=False, compare=False)

    def has(self, *cues: str) -> bool:
        """Whether the lexicon gives it one of these roles."""
        return not self.cues.isdisjoint(cues)

    def is_mark(self, marks: str) -> bool:
        """Whether it is one of these punctuation marks."""
        return self.kind == "mark" and self.text in marks

    @property
    def is_time(self) -> bool:
        """Whether it says when or how long."""
        return self.kind in ("amount", "moment", "window")

"""Numerals: numbers and ordinals at a place in a list of tokens, in digits and words."""

from __future__ import annotations

from fractions import Fraction

from gibbsite.formalizer.inflection import keys
from gibbsite.formalizer.lexemes import Lexeme, LexemeKind
from gibbsite.formalizer.numbers import CARDINALS, HALVES, ORDINALS
from gibbsite.formalizer.tokens import Token
from gibbsite.formalizer.units import UNITS
from gibbsite.problem import Unit

__all__ = ["NumeralReader"]


class NumeralReader:
    """Reads numbers at a place in a list of tokens of one language."""

    def __init__(self, tokens: list[Token], language: str) -> None:
        self._tokens = tokens
        self._language = language

    def _token(self, at: int) -> Token | None:
        return self._tokens[at] if 0 <= at < len(self._tokens) else None

    def _word(self, at: int, words: tuple[str, ...]) -> bool:
        token = self._token(at)
        return token is not None and token.kind == "word" and token.low in words

    def _mark(self, at: int, mark: str) -> bool:
        token = self._token(at)
        return token is not None and token.kind == "mark" and token.text == mark

    def _keys(self, at: int) -> frozenset[str]:
        token = self._token(at)
        return keys(token.text, self._language) if token and token.kind == "word" else frozenset()

    def _made(self, kind: LexemeKind, at: int, end: int, **values: object) -> tuple[Lexeme, int]:
        first, last = self._tokens[at], self._tokens[end - 1]
        text = " ".join(token.text for token in self._tokens[at:end])
        lexeme = Lexeme(kind, text, first.start, last.end, glued=first.glued)
        for name, value in values.items():
            setattr(lexeme, name, value)
        return lexeme, end

    def number(self, at: int) -> tuple[Fraction, int] | None:
        """A number in digits or words, "and a half" included."""
        token = self._token(at)
        if token is None:
            return None
        if token.kind == "number" and token.value is not None:
            following = self._token(at + 1)
            if following and following.kind == "number" and following.text in "½¼¾":
                assert following.value is not None
                return token.value + following.value, at + 2
            if self._mark(at + 1, "/") and following and following.glued:
                below = self._token(at + 2)
                if below and below.kind == "number" and below.glued and below.value:
                    return token.value / below.value, at + 3
            return self._and_half(token.value, at + 1)
        value = self._cardinal(at)
        if value is None:
            return None
        end = at + 1
        while True:
            more = self._cardinal(end)
            if more is None or not (0 < more < 10 <= value or 0 < more < 100 <= value):
                break
            value, end = value + more, end + 1
        if self._word(end, ("hundred",)):
            value, end = value * 100, end + 1
        return self._and_half(Fraction(value), end)

    def _cardinal(self, at: int) -> int | None:
        table = CARDINALS[self._language]
        if self._language == "en" and self._word(at, ("single",)) and self._word(at - 1, ("a",)):
            return 1
        if self._language == "pl" and self._keys(at) & {"godzina", "dzień"}:
            return None
        return next((table[key] for key in sorted(self._keys(at)) if key in table), None)

    def _and_half(self, value: Fraction, at: int) -> tuple[Fraction, int]:
        if self._language == "en" and self._word(at, ("and",)):
            half = at + 2 if self._word(at + 1, ("a", "one")) else at + 1
            for word, part in HALVES["en"].items():
                if self._word(half, (word,)):
                    return value + part, half + 1
        if self._language == "pl" and self._word(at, ("i",)) and self._word(at + 1, ("pół",)):
            following = self._unit(at + 2)
            if following is not None:
                return value + Fraction(1, 2), at + 2
        return value, at

    def _ordinal(self, at: int) -> tuple[int, int] | None:
        """ "4th", "fourth", "4." before a lower-case word, "czwarty" in any case."""
        token = self._token(at)
        if token is None:
            return None
        if token.kind == "number" and token.value is not None and token.value.denominator == 1:
            following = self._token(at + 1)
            if following and following.glued:
                if following.low in ("st", "nd", "rd", "th"):
                    return int(token.value), at + 2
                if following.text == ".":
                    after = self._token(at + 2)
                    if after and after.kind == "word" and self._unit(at + 2) is not None:
                        return int(token.value), at + 2
            if self._mark(at + 1, "-") and self._word(
                at + 2, ("go", "ego", "szy", "ty", "ej", "ta")
            ):
                return int(token.value), at + 3
            return None
        table = ORDINALS[self._language]
        found = next((table[key] for key in sorted(self._keys(at)) if key in table), None)
        return (found, at + 1) if found is not None else None

    def _number_lexeme(self, at: int) -> tuple[Lexeme, int] | None:
        ordinal = self._ordinal(at)
        if ordinal is not None:
            return self._made("ordinal", at, ordinal[1], number=Fraction(ordinal[0]))
        found = self.number(at)
        if found is None:
            return None
        value, end = found
        if self._mark(end, "-"):
            high = self.number(end + 1)
            if high is not None and high[0] > value:
                return self._made("range", at, high[1], span=(value, high[0]))
        return self._made("number", at, end, number=value, form=self._tokens[at].text)

    def _unit(self, at: int) -> tuple[Unit, Fraction, int] | None:
        token = self._token(at)
        if token is None or token.kind != "word":
            return None
        table = UNITS[self._language]
        low = token.low
        if low in ("m", "g", "d") and not token.glued:
            return None
        for key in (low, *sorted(self._keys(at))):
            if key in table:
                unit, factor = table[key]
                return unit, factor, self._after_dot(at + 1, low)
        return None

    def _after_dot(self, at: int, abbreviation: str) -> int:
        """The place after the dot of an abbreviation, unless that dot ends the sentence."""
        if abbreviation not in ("godz", "min", "hr", "hrs", "mins", "h", "m", "g"):
            return at
        if not self._mark(at, ".") or not self._tokens[at].glued:
            return at
        following = self._token(at + 1)
        ends = following is None or following.kind == "break" or following.text[:1].isupper()
        return at if ends else at + 1

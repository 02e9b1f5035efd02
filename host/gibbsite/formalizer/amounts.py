"""Amounts of time: "1 h 30 min", "półtorej godziny", "between 1 and 4 hours"."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gibbsite.formalizer.lexemes import Amount, Lexeme
from gibbsite.formalizer.numbers import HALVES, POLISH_PREFIXES
from gibbsite.formalizer.numerals import NumeralReader
from gibbsite.formalizer.units import MINUTES, finer
from gibbsite.problem import Unit

__all__ = ["BETWEEN", "FROM", "AND", "OR", "TO", "AmountReader"]

TO: Final = {"en": ("to", "till", "until", "through", "thru"), "pl": ("do", "a")}
BETWEEN: Final = {"en": ("between",), "pl": ("między", "pomiędzy")}
FROM: Final = {"en": ("from",), "pl": ("od",)}
AND: Final = {"en": ("and",), "pl": ("a", "i")}
OR: Final = {"en": ("or",), "pl": ("lub", "albo", "czy")}
_ALONE: Final = (
    "godzinę",
    "godzina",
    "godzinie",
    "dobę",
    "doba",
    "dobie",
    "minutę",
    "kwadrans",
    "kwadransie",
    "tydzień",
)
_ALONE_GENITIVE: Final = ("godziny", "doby", "minuty", "tygodnia", "kwadransa", "dzień")


class AmountReader(NumeralReader):
    """Reads amounts of time at a place in a list of tokens of one language."""

    def _part(self, at: int) -> tuple[Fraction, Unit | None, int] | None:
        """A number with its unit, or a number alone."""
        special = self._wordy(at)
        if special is not None:
            return special
        found = self.number(at)
        if found is None:
            return None
        value, end = found
        after = end + 1 if self._mark(end, "-") and self._unit(end + 1) else end
        unit = self._unit(after)
        if unit is None:
            adjective = self._adjective(end + 1, bare=True)
            if adjective is not None and self._mark(end, "-"):
                return value, adjective[1], end + 2
            return value, None, end
        return value * unit[1], unit[0], unit[2]

    def _wordy(self, at: int) -> tuple[Fraction, Unit, int] | None:
        """Amounts without digits: "half an hour", "an hour and a half", "godzinę i kwadrans"."""
        if self._language == "en":
            return self._english_wordy(at)
        token = self._token(at)
        if token is None:
            return None
        for key in sorted(self._keys(at)):
            if key in HALVES["pl"]:
                unit = self._unit(at + 1)
                if unit is not None:
                    return HALVES["pl"][key] * unit[1], unit[0], unit[2]
        adjective = self._adjective(at)
        if adjective is not None:
            return adjective
        if token.low in _ALONE or (token.low in _ALONE_GENITIVE and self._stands_alone(at)):
            unit = self._unit(at)
            before = self._token(at - 1)
            following = self._token(unit[2]) if unit else None
            bound = following is not None and following.kind in ("number", "clock")
            ruled = before is not None and before.low in ("o", "od", "przed", "co")
            ordinal = before is not None and self._ordinal(at - 1) is not None
            if unit is None or bound or ruled or ordinal or self._ordinal(unit[2]):
                return None
            end = unit[2]
            if (
                self._word(end, ("i",))
                and self._word(end + 1, ("pół",))
                and not self._unit(end + 2)
            ):
                return Fraction(3, 2), unit[0], end + 2
            return unit[1], unit[0], end
        return None

    def _stands_alone(self, at: int) -> bool:
        """Whether a genitive unit is an amount: "potrzebuje godziny," and not "2 godziny"."""
        before, following = self._token(at - 1), self._token(at + 1)
        ended = following is None or following.kind == "break" or following.text in ".,;)"
        ruled = before is not None and before.kind == "word" and before.low not in ("do", "od", "z")
        return ended and ruled and self.number(at - 1) is None

    def _english_wordy(self, at: int) -> tuple[Fraction, Unit, int] | None:
        article = at + 1 if self._word(at, ("a", "an")) else at
        for word, part in HALVES["en"].items():
            plural = word + "s"
            times = Fraction(1)
            start = article
            counted = self._cardinal(at)
            if counted is not None and self._word(at + 1, (plural,)):
                times, start = Fraction(counted), at + 1
            if self._word(start, (word, plural)):
                end = start + 1
                end += self._word(end, ("of",))
                end += self._mark(end, "-")
                end += self._word(end, ("a", "an"))
                unit = self._unit(end)
                if unit is not None:
                    if unit[0] == "hour" and word == "quarter":
                        return 15 * times, "minute", unit[2]
                    return times * part * unit[1], unit[0], unit[2]
        if article > at or self._word(at, ("one",)):
            unit = self._unit(at + 1)
            if unit is not None and self._tokens[at + 1].low in ("hour", "day", "minute", "week"):
                value, end = self._and_half(Fraction(1), unit[2])
                return value * unit[1], unit[0], end
        return None

    def _adjective(self, at: int, bare: bool = False) -> tuple[Fraction, Unit, int] | None:
        """Polish "dwugodzinny", "trzydniowe", and with digits "2-godzinne"."""
        token = self._token(at)
        if token is None or token.kind != "word" or self._language != "pl":
            return None
        prefixes = {"": Fraction(1)} if bare else POLISH_PREFIXES
        stems: dict[str, Unit] = {"godzinn": "hour", "minutow": "minute", "dniow": "day"}
        for prefix, value in prefixes.items():
            for stem, unit in stems.items():
                if token.low.startswith(prefix + stem):
                    return value, unit, at + 1
        return None

    def _amount(self, at: int) -> tuple[Fraction, Unit | None, int] | None:
        """A number with its unit and its smaller parts: "1 h 30 min", "2 godziny i 15 minut"."""
        first = self._part(at)
        if first is None or first[1] is None:
            return first
        value, unit, end = first
        assert unit is not None
        more = self._part(end)
        if more is None and self._word(end, AND[self._language]):
            more = self._part(end + 1)
        if more is None:
            return first
        extra, finer_unit, after = more
        if finer_unit is None and unit == "hour" and self._tokens[end].glued:
            finer_unit = "minute"  # 2h30
        if finer_unit is None or MINUTES[finer_unit] >= MINUTES[unit]:
            return first
        if extra >= MINUTES[unit] // MINUTES[finer_unit]:
            return first
        total = value * MINUTES[unit] / MINUTES[finer_unit] + extra
        return total, finer_unit, after

    def _amount_lexeme(self, at: int) -> tuple[Lexeme, int] | None:
        opened = self._word(at, FROM[self._language] + BETWEEN[self._language])
        start = at + 1 if opened else at
        first = self._amount(start)
        if first is None:
            return None
        low, low_unit, end = first
        joined = (
            self._mark(end, "-")
            or self._word(end, TO[self._language][:1] + OR[self._language])
            or (opened and self._word(end, AND[self._language]))
        )
        second = self._amount(end + 1) if joined else None
        if second is not None:
            high, high_unit, after = second
            if high_unit is not None:
                unit = high_unit if low_unit is None else finer(low_unit, high_unit)
                least = low * Fraction(MINUTES[low_unit or high_unit], MINUTES[unit])
                most = high * Fraction(MINUTES[high_unit], MINUTES[unit])
                if least <= most:
                    amount = Amount(least, most, unit)
                    form = "from" if opened else "to"
                    return self._made("amount", at, after, amount=amount, form=form)
        if opened or low_unit is None:
            return None
        return self._made("amount", at, end, amount=Amount(low, low, low_unit))

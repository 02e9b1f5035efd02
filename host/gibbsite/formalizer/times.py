"""Times in a text: amounts ("1 h 30 min", "półtorej godziny"), moments and windows.

A `TimeReader` looks at the tokens from one place on and gives the longest amount, moment or window
that starts there, with the place after it; it never looks back more than one token.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gibbsite.formalizer.inflection import keys, readings
from gibbsite.formalizer.lexemes import Amount, Lexeme, Moment
from gibbsite.formalizer.numbers import CARDINALS, HALVES, ORDINALS, POLISH_PREFIXES
from gibbsite.formalizer.tokens import Token
from gibbsite.formalizer.units import MINUTES, UNITS, finer
from gibbsite.problem import Unit

__all__ = ["TimeReader"]

_TO: Final = {"en": ("to", "till", "until", "through", "thru"), "pl": ("do", "a")}
_BETWEEN: Final = {"en": ("between",), "pl": ("między", "pomiędzy")}
_FROM: Final = {"en": ("from",), "pl": ("od",)}
_AND: Final = {"en": ("and",), "pl": ("a", "i")}
_OR: Final = {"en": ("or",), "pl": ("lub", "albo", "czy")}
_DAY_NAMES: Final = {
    "en": {"noon": 12, "midday": 12, "midnight": 0},
    "pl": {"południe": 12, "północ": 0},
}
_PARTS_OF_DAY: Final = {
    "en": {"morning": 0, "afternoon": 12, "evening": 12, "night": 12},
    "pl": {"rano": 0, "południu": 12, "wieczorem": 12, "wieczór": 12},
}
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
_ALONE_GENITIVE: Final = ("godziny", "doby", "minuty", "tygodnia", "kwadransa")


class TimeReader:
    """Reads times at a place in a list of tokens of one language."""

    def __init__(self, tokens: list[Token], language: str) -> None:
        self._tokens = tokens
        self._language = language

    def lexeme(self, at: int) -> tuple[Lexeme, int] | None:
        """The time that starts at token `at`, as a lexeme, and the place after it."""
        for read in (self._window, self._amount_lexeme, self._moment_lexeme, self._number_lexeme):
            found = read(at)
            if found is not None:
                return found
        return None

    # -- plain looks at tokens

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

    def _made(self, kind: str, at: int, end: int, **values: object) -> tuple[Lexeme, int]:
        first, last = self._tokens[at], self._tokens[end - 1]
        text = " ".join(token.text for token in self._tokens[at:end])
        lexeme = Lexeme(kind, text, first.start, last.end, glued=first.glued)  # type: ignore[arg-type]
        for name, value in values.items():
            setattr(lexeme, name, value)
        return lexeme, end

    # -- numbers

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

    # -- amounts

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
            adjective = self._adjective(after if after == end else end + 1, bare=True)
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
        more = self._part(end)
        if more is None and self._word(end, _AND[self._language]):
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
        opened = self._word(at, _FROM[self._language] + _BETWEEN[self._language])
        start = at + 1 if opened else at
        first = self._amount(start)
        if first is None:
            return None
        low, low_unit, end = first
        joined = (
            self._mark(end, "-")
            or self._word(end, _TO[self._language][:1] + _OR[self._language])
            or (opened and self._word(end, _AND[self._language]))
        )
        if joined:
            second = self._amount(end + 1)
            if second is not None and second[1] is not None:
                high, high_unit, after = second
                unit = high_unit if low_unit is None else finer(low_unit, high_unit)
                low *= Fraction(MINUTES[low_unit or high_unit], MINUTES[unit])
                high *= Fraction(MINUTES[high_unit], MINUTES[unit])
                if low <= high:
                    amount = Amount(low, high, unit)
                    form = "from" if opened else "to"
                    return self._made("amount", at, after, amount=amount, form=form)
        if opened or low_unit is None:
            return None
        return self._made("amount", at, end, amount=Amount(low, low, low_unit))

    # -- moments

    def _moment_lexeme(self, at: int) -> tuple[Lexeme, int] | None:
        found = self.moment(at)
        return self._made("moment", at, found[1], moment=found[0]) if found else None

    def moment(self, at: int) -> tuple[Moment, int] | None:
        """A clock time, or a numbered hour, minute or day."""
        token = self._token(at)
        if token is None:
            return None
        for read in (self._named_hour, self._clock, self._numbered):
            found = read(at)
            if found is not None:
                return found
        return None

    def _named_hour(self, at: int) -> tuple[Moment, int] | None:
        token = self._tokens[at]
        if token.kind != "word":
            return None
        names = _DAY_NAMES[self._language]
        if self._language == "en" and token.low == "half" and self._word(at + 1, ("past",)):
            hour = self._hour(at + 2)
            return (Moment(hour[0] + Fraction(1, 2), "clock"), hour[1]) if hour else None
        if self._language == "pl" and token.low == "wpół" and self._word(at + 1, ("do",)):
            hour = self._hour(at + 2)
            return (Moment(hour[0] - Fraction(1, 2), "clock"), hour[1]) if hour else None
        if self._word(at, ("po",)) and self._language == "pl":
            return None
        if (
            self._language == "pl"
            and token.low in ("południu", "północy")
            and token.low == "południu"
        ):
            return None
        key = next((key for key in sorted(self._keys(at)) if key in names), None)
        if key is None or not token.text.islower():
            return None
        return Moment(Fraction(names[key]), "clock"), at + 1

    def _hour(self, at: int) -> tuple[Fraction, int] | None:
        ordinal = self._ordinal(at)
        if ordinal is not None:
            return Fraction(ordinal[0]), ordinal[1]
        return self.number(at)

    def _clock(self, at: int) -> tuple[Moment, int] | None:
        token = self._tokens[at]
        start, named = at, False
        if self._language == "pl" and self._keys(at) & {"godzina", "godz"} and token.low != "h":
            start, named = self._after_dot(at + 1, token.low), True
        value: Fraction | None = None
        end = start
        here = self._token(start)
        if here is None:
            return None
        if here.kind == "clock":
            value, end = here.value, start + 1
        elif self._dotted_clock(start):
            hours, minutes = here.text.split(".")
            value, end = Fraction(int(hours)) + Fraction(int(minutes), 60), start + 1
        else:
            hour = self.number(start)
            if hour is None and (named or self._ruled_hour(start)):
                hour = self._hour(start)
                named = True
            if hour is None:
                return None
            value, end = hour
            if self._unit(end) is not None and not named:
                return None
        assert value is not None
        shift = self._half_day(end)
        if shift is not None:
            hours_later, end = shift
            if hours_later == 12 and value < 12:
                value += 12
            elif hours_later == 0 and value >= 12 and value < 13:
                value -= 12
            return Moment(value, "clock"), end
        if here.kind == "clock" or named or self._dotted_clock(start):
            if self._word(end, ("h", "godz", "hrs")):
                end = self._after_dot(end + 1, "h")
            return Moment(value, "clock"), end
        return None

    def _dotted_clock(self, at: int) -> bool:
        token = self._token(at)
        if token is None or token.kind != "number" or self._unit(at + 1) is not None:
            return False
        hours, dot, minutes = token.text.partition(".")
        return (
            dot == "."
            and len(minutes) == 2
            and int(minutes) < 60
            and int(hours) <= 24
            and (self._language == "pl" or minutes in ("00", "15", "30", "45"))
        )

    def _ruled_hour(self, at: int) -> bool:
        """Whether a Polish ordinal here is an hour: "od ósmej do szesnastej"."""
        token = self._token(at)
        if self._language != "pl" or token is None or token.kind != "word":
            return False
        if not token.low.endswith(("ej", "ą")):
            return False
        if not self._word(at - 1, ("o", "od", "do", "przed", "po", "a", "między", "na")):
            return False
        following = self._token(at + 1)
        if following is None or following.kind != "word":
            return True
        if following.low in _PARTS_OF_DAY["pl"] or following.low in ("po", "do", "a", "i", "z"):
            return True
        return not any(r.part in ("subst", "ign", "ger", "adj") for r in readings(following.low))

    def _half_day(self, at: int) -> tuple[int, int] | None:
        if self._word(at, ("am", "pm")):
            return (12 if self._tokens[at].low == "pm" else 0), at + 1
        if self._word(at, ("o'clock", "o’clock", "sharp")):
            return self._half_day(at + 1) or (-1, at + 1)
        parts = _PARTS_OF_DAY[self._language]
        skip = at
        if self._language == "en" and self._word(at, ("in", "at")):
            skip = at + 2 if self._word(at + 1, ("the",)) else at + 1
            if skip == at + 1 and not self._word(skip, ("night",)):
                return None
        elif self._language == "pl" and self._word(at, ("po",)):
            skip = at + 1
            if not self._word(skip, ("południu",)):
                return None
        elif self._language == "en":
            return None
        token = self._token(skip)
        if token is not None and token.low in parts and token.kind == "word":
            return parts[token.low], skip + 1
        return None

    def _numbered(self, at: int) -> tuple[Moment, int] | None:
        """ "day 4", "4th day", "4. dnia", "dnia 4", "czwartego dnia"."""
        ordinal = self._ordinal(at)
        if ordinal is not None:
            unit = self._unit(ordinal[1])
            if unit is not None and unit[1] == 1:
                return Moment(Fraction(ordinal[0]), unit[0]), unit[2]
            return None
        unit = self._unit(at)
        token = self._tokens[at]
        if unit is None or len(token.text) < 3 or token.glued:
            return None
        number = self.number(unit[2])
        if number is None or self._unit(number[1]) is not None:
            return None
        return Moment(number[0], unit[0]), number[1]

    # -- windows

    def _end_of_window(self, at: int) -> tuple[Moment, int] | None:
        found = self.moment(at)
        if found is not None:
            return found
        number = self._hour(at) if self._ordinal(at) else self.number(at)
        if number is None:
            return None
        if self._mark(number[1], ".") and self._word(number[1] + 1, ("do", "a", "i")):
            return Moment(number[0], "bare"), number[1] + 1  # "od 3. do 15. dnia"
        return Moment(number[0], "bare"), number[1]

    def _window(self, at: int) -> tuple[Lexeme, int] | None:
        opened = self._word(at, _FROM[self._language] + _BETWEEN[self._language])
        named = False
        start = at + 1 if opened else at
        if self._keys(start) & {"godzina", "godz"} and self._language == "pl":
            start, named = self._after_dot(start + 1, self._tokens[start].low), True
        leading: Unit | None = None
        unit = self._unit(start)
        if unit is not None and not named and len(self._tokens[start].text) > 2:
            leading, start = unit[0], unit[2]  # "days 3-9", "hours 2 to 10"
        first = self._end_of_window(start)
        if first is None:
            return None
        low, end = first
        if not (
            self._mark(end, "-")
            or self._word(end, _TO[self._language])
            or (opened and self._word(end, _AND[self._language]))
        ):
            return None
        if self._language == "pl" and self._word(end, ("a",)) and not opened:
            return None
        after = end + 1
        if self._word(after, ("do",)) and self._language == "pl":
            after += 1
        second = self._end_of_window(after)
        if second is None:
            return None
        high, end = second
        trailing = self._unit(end)
        if high.unit == "bare" and trailing is not None:
            if low.unit == "bare":
                return None  # "od 8 do 16 h": an amount
            high = Moment(high.value * trailing[1], trailing[0])
            end = trailing[2]
        return self._paired(at, end, low, high, leading, named, opened)

    def _paired(
        self,
        at: int,
        end: int,
        low: Moment,
        high: Moment,
        leading: Unit | None,
        named: bool,
        opened: bool,
    ) -> tuple[Lexeme, int] | None:
        if leading is not None:
            low = Moment(low.value, leading) if low.unit == "bare" else low
            high = Moment(high.value, leading) if high.unit == "bare" else high
        if named:
            low = Moment(low.value, "clock") if low.unit == "bare" else low
            high = Moment(high.value, "clock") if high.unit == "bare" else high
        if low.unit == "bare" and high.unit == "bare":
            form = "from" if opened else "to"
            if low.value >= high.value and not opened:
                if self._word(at + 1, ("to",)) or low.value == high.value:
                    return None
            span = (low.value, high.value)
            return self._made("range", at, end, span=span, form=form)
        if low.unit == "bare":
            value = low.value
            if high.unit == "clock" and 12 < high.value and value < 12:
                # "2-6 pm": both in the afternoon; "9-5 pm" starts in the morning
                written_pm = self._word(end - 1, ("pm", "południu", "wieczorem"))
                value += 12 if written_pm and value <= high.value - 12 else 0
            low = Moment(value, high.unit)
        if high.unit == "bare":
            high = Moment(high.value, low.unit)
        if low.unit == "clock" and high.unit == "clock" and high.value <= low.value:
            high = high.later(24)
        return self._made("window", at, end, window=(low, high))

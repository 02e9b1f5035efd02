"""Times in a text: amounts, moments of the clock or of the plan, and windows.

A `TimeReader` looks at the tokens from one place on and gives the longest amount, moment or window
that starts there, with the place after it; it never looks back more than one token.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gibbsite.formalizer.amounts import AND, BETWEEN, FROM, TO, AmountReader
from gibbsite.formalizer.inflection import readings
from gibbsite.formalizer.lexemes import Lexeme, Moment
from gibbsite.problem import Unit

__all__ = ["TimeReader"]

_DAY_NAMES: Final = {
    "en": {"noon": 12, "midday": 12, "midnight": 0},
    "pl": {"południe": 12, "północ": 0},
}
_PARTS_OF_DAY: Final = {
    "en": {"morning": 0, "afternoon": 12, "evening": 12, "night": 12},
    "pl": {"rano": 0, "południu": 12, "wieczorem": 12, "wieczór": 12},
}


class TimeReader(AmountReader):
    """Reads times at a place in a list of tokens of one language."""

    def lexeme(self, at: int) -> tuple[Lexeme, int] | None:
        """The time that starts at token `at`, as a lexeme, and the place after it."""
        for read in (self._window, self._amount_lexeme, self._moment_lexeme, self._number_lexeme):
            found = read(at)
            if found is not None:
                return found
        return None

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
            elif hours_later == 0 and 12 <= value < 13:
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
        opened = self._word(at, FROM[self._language] + BETWEEN[self._language])
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
            or self._word(end, TO[self._language])
            or (opened and self._word(end, AND[self._language]))
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
            if high.unit == "clock" and high.value > 12 > value:
                # "2-6 pm": both in the afternoon; "9-5 pm" starts in the morning
                written_pm = self._word(end - 1, ("pm", "południu", "wieczorem"))
                value += 12 if written_pm and value <= high.value - 12 else 0
            low = Moment(value, high.unit)
        if high.unit == "bare":
            high = Moment(high.value, low.unit)
        if low.unit == "clock" and high.unit == "clock" and high.value <= low.value:
            high = high.later(24)
        return self._made("window", at, end, window=(low, high))

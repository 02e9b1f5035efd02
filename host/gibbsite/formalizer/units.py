"""Units of time and their words: hours, minutes and days, quarters of an hour and weeks."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gibbsite.problem import Unit

__all__ = ["MINUTES", "UNITS", "UNIT_ORDER", "finer"]

MINUTES: Final[dict[Unit, int]] = {"minute": 1, "hour": 60, "day": 1440}
UNIT_ORDER: Final[tuple[Unit, ...]] = ("minute", "hour", "day")

UNITS: Final[dict[str, dict[str, tuple[Unit, Fraction]]]] = {
    "en": {
        **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "godz"), ("hour", Fraction(1))),
        **dict.fromkeys(("min", "mins", "minute", "minutes", "m"), ("minute", Fraction(1))),
        **dict.fromkeys(("d", "day", "days", "workday", "workdays"), ("day", Fraction(1))),
        **dict.fromkeys(("week", "weeks"), ("day", Fraction(7))),
    },
    "pl": {
        **dict.fromkeys(("h", "godz", "godzina", "g"), ("hour", Fraction(1))),
        **dict.fromkeys(("min", "minuta", "minutka", "m"), ("minute", Fraction(1))),
        **dict.fromkeys(("d", "dzień", "doba", "dniówka"), ("day", Fraction(1))),
        "tydzień": ("day", Fraction(7)),
        "kwadrans": ("minute", Fraction(15)),
    },
}
"""Word or lemma to its unit and how many of it one is."""


def finer(first: Unit, second: Unit) -> Unit:
    """The smaller of two units."""
    return min(first, second, key=UNIT_ORDER.index)

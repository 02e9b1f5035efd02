"""Numbers in digits and in words, in Polish and English: "2", "1,5", "dwa i pół", "twenty-five".

Polish number words are found by their lemma, so that all their cases are known ("ośmiu", "dwiema").
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

__all__ = ["CARDINALS", "HALVES", "ORDINALS", "POLISH_PREFIXES"]

_EN_SMALL: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_EN_TENS: Final = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_PL_SMALL: Final = [
    "zero",
    "jeden",
    "dwa",
    "trzy",
    "cztery",
    "pięć",
    "sześć",
    "siedem",
    "osiem",
    "dziewięć",
    "dziesięć",
    "jedenaście",
    "dwanaście",
    "trzynaście",
    "czternaście",
    "piętnaście",
    "szesnaście",
    "siedemnaście",
    "osiemnaście",
    "dziewiętnaście",
]
_PL_TENS: Final = [
    "dwadzieścia",
    "trzydzieści",
    "czterdzieści",
    "pięćdziesiąt",
    "sześćdziesiąt",
    "siedemdziesiąt",
    "osiemdziesiąt",
    "dziewięćdziesiąt",
]
_PL_COLLECTIVE: Final = {
    "dwoje": 2,
    "troje": 3,
    "czworo": 4,
    "pięcioro": 5,
    "sześcioro": 6,
    "siedmioro": 7,
    "ośmioro": 8,
}
_EN_ORDINAL: Final = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
]
_PL_ORDINAL: Final = [
    "pierwszy",
    "drugi",
    "trzeci",
    "czwarty",
    "piąty",
    "szósty",
    "siódmy",
    "ósmy",
    "dziewiąty",
    "dziesiąty",
    "jedenasty",
    "dwunasty",
    "trzynasty",
    "czternasty",
    "piętnasty",
    "szesnasty",
    "siedemnasty",
    "osiemnasty",
    "dziewiętnasty",
    "dwudziesty",
]

CARDINALS: Final[dict[str, dict[str, int]]] = {
    "en": {
        **{word: value for value, word in enumerate(_EN_SMALL)},
        **{word: 10 * value for value, word in enumerate(_EN_TENS, 2)},
        **{
            f"{tens}-{unit}": 10 * value + digit
            for value, tens in enumerate(_EN_TENS, 2)
            for digit, unit in enumerate(_EN_SMALL[1:10], 1)
        },
        "dozen": 12,
    },
    "pl": {
        **{word: value for value, word in enumerate(_PL_SMALL)},
        **{word: 10 * value for value, word in enumerate(_PL_TENS, 2)},
        **_PL_COLLECTIVE,
        "sto": 100,
        "tuzin": 12,
    },
}
"""Lemma of a cardinal to its value; tens and units are added by the reader ("dwadzieścia pięć")."""

ORDINALS: Final[dict[str, dict[str, int]]] = {
    "en": {word: value for value, word in enumerate(_EN_ORDINAL, 1)},
    "pl": {word: value for value, word in enumerate(_PL_ORDINAL, 1)},
}

HALVES: Final[dict[str, dict[str, Fraction]]] = {
    "en": {"half": Fraction(1, 2), "quarter": Fraction(1, 4)},
    "pl": {
        "pół": Fraction(1, 2),
        "półtora": Fraction(3, 2),
        "półtorej": Fraction(3, 2),
        "ćwierć": Fraction(1, 4),
    },
}

POLISH_PREFIXES: Final = {
    "pół": Fraction(1, 2),
    "jedno": Fraction(1),
    "dwu": Fraction(2),
    "trzy": Fraction(3),
    "cztero": Fraction(4),
    "pięcio": Fraction(5),
    "sześcio": Fraction(6),
    "siedmio": Fraction(7),
    "ośmio": Fraction(8),
    "dziewięcio": Fraction(9),
    "dziesięcio": Fraction(10),
}
"""First parts of adjectives such as "dwugodzinny" and "trzydniowy"."""

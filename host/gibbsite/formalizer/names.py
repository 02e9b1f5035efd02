"""Names: which words of a sentence name a task or a machine, and the id they give.

A name is the longest run of words before its duration (or after "machine", "maszyna", …) in which
no word is a cue and, in Polish, every word may be part of a noun group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gibbsite.formalizer.inflection import base_form, readings
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexicon import Language

__all__ = [
    "Name",
    "is_genitive",
    "is_label",
    "lone_verb",
    "name_at",
    "name_before",
    "nameable",
    "number_label",
]

SOFT: Final = frozenset({"task", "task_weak", "machine", "workday"})
"""Roles that a word of a name may have as well."""

_CONNECTORS: Final = {
    "en": frozenset({"of", "for", "the", "in", "to", "with"}),
    "pl": frozenset({"na", "w", "z", "do", "ze", "pod", "dla", "we"}),
}
_INNER: Final = {
    "en": frozenset({"of", "for", "the", "a", "an", "to"}),
    "pl": frozenset({"z", "ze", "do", "dla", "pod"}),
}
"""Connectors that cannot lead from a machine or a time to a name."""
_PREPOSITIONS: Final = frozenset(
    {"on", "for", "until", "after", "before", "from", "duration", "needs"}
)
_PL_PREPOSITIONS: Final = frozenset(
    [
        "z",
        "ze",
        "o",
        "dla",
        "bez",
        "nad",
        "pod",
        "u",
        "do",
        "na",
        "w",
        "we",
        "po",
        "przed",
        "od",
        "przy",
        "czas",
    ]
)
_IMPERATIVES: Final = frozenset("build make prepare create assign arrange complete finish".split())
_VERBAL: Final = frozenset({"to", "must", "should", "we", "please"})


@dataclass(frozen=True, slots=True)
class Name:
    """A name at lexemes `start` to `end` (exclusive): its words as written and its id."""

    start: int
    end: int
    words: tuple[str, ...]
    id: str


def is_label(text: str) -> bool:
    """Whether a word is a label ("S1", "B", "M-2") or a proper name ("South")."""
    return text[:1].isupper() or any(letter.isdigit() for letter in text)


def number_label(lexeme: Lexeme) -> str | None:
    """The id that a plain whole number gives."""
    if lexeme.kind != "number" or lexeme.number is None or lexeme.number.denominator != 1:
        return None
    return str(int(lexeme.number))


def nameable(lexeme: Lexeme, language: Language) -> bool:
    """Whether a name can hold this lexeme."""
    if lexeme.kind != "word" or not lexeme.cues <= SOFT:
        return False
    if language == "pl" and len(lexeme.text) > 2 and not lexeme.cues:
        found = readings(lexeme.text.lower())
        parts = {reading.part for reading in found}
        if "inf" in parts and not parts & {"subst", "ger"}:
            return False
        return any(reading.nominal for reading in found)
    return True


def name_before(lexemes: list[Lexeme], last: int, language: Language) -> Name | None:
    """The name whose last lexeme is `last`, as long as it goes to the left."""
    if lone_verb(lexemes, last):
        return _named(lexemes, last, last + 1, language)
    start = last + 1
    while start > 0 and _part_of_name(lexemes, start - 1, last, language):
        start -= 1
    if start > last:
        return None
    widened = _whole_chunk(lexemes, start, last, language)
    start = widened if widened is not None else start
    if (
        language == "en"
        and start < last
        and start > 0
        and lexemes[start - 1].text.lower() in _VERBAL
        and lexemes[start].text.islower()
    ):
        start += 1
    if language == "en" and 0 < start <= last and _imperative(lexemes, start - 1, last):
        start -= 1
    return _named(lexemes, start, last + 1, language)


def _imperative(lexemes: list[Lexeme], at: int, last: int) -> bool:
    """Whether a verb such as "build" opens the name that a colon ends: "Build bed: 50 min"."""
    opened = at == 0 or lexemes[at - 1].is_mark(",:(")
    marked = last + 1 < len(lexemes) and lexemes[last + 1].is_mark(":(-")
    return opened and marked and lexemes[at].text.lower() in _IMPERATIVES


def lone_verb(lexemes: list[Lexeme], at: int) -> bool:
    """A verb such as "build" or "finish" that stands alone before its duration is a name."""
    lexeme = lexemes[at]
    if lexeme.kind != "word" or not lexeme.has("filler") or len(lexeme.text) < 4:
        return False
    if not lexeme.cues <= SOFT | {"filler", "takes"} or " " in lexeme.text:
        return False
    opened = at == 0 or lexemes[at - 1].is_mark(",:(") or lexemes[at - 1].has("and")
    following = lexemes[at + 1] if at + 1 < len(lexemes) else None
    marked = following is not None and (following.is_mark(":(=") or following.kind == "amount")
    return opened and marked


def name_at(lexemes: list[Lexeme], start: int, language: Language, label: bool) -> Name | None:
    """The name that starts at lexeme `start`; only one label when `label`."""
    end = start
    while end < len(lexemes) and nameable(lexemes[end], language):
        letter = len(lexemes[end].text) == 1 and not lexemes[end].cues
        if label and end > start and not _proper(lexemes[end - 1 : end + 1]):
            break
        if label and end == start and not (letter or is_label(lexemes[end].text)):
            break
        end += 1
    return _named(lexemes, start, end, language) if end > start else None


def _proper(pair: list[Lexeme]) -> bool:
    """Whether two words are one proper name: "Nowa Era"."""
    return all(part.text.istitle() and part.text.isalpha() and len(part.text) > 1 for part in pair)


def _part_of_name(lexemes: list[Lexeme], at: int, last: int, language: Language) -> bool:
    lexeme = lexemes[at]
    if nameable(lexeme, language):
        return True
    if lexeme.kind == "ordinal" and at < last and not lexemes[at + 1].has("task", "machine"):
        return language == "pl" or lexeme.text.islower()
    if number_label(lexeme) is not None and 0 < at < last and lexeme.text[:1].isdigit():
        # "pakowanie 10 kartonów"
        before = lexemes[at - 1]
        plain = nameable(before, language) and not before.has("task", "task_weak", "machine")
        return plain and (language == "pl" or before.text.lower().endswith("ing"))
    if number_label(lexeme) is not None and at == last and at > 0:
        return nameable(lexemes[at - 1], language) and not lexeme.text.isalpha()
    return False


def _whole_chunk(lexemes: list[Lexeme], start: int, last: int, language: Language) -> int | None:
    """The start of the chunk, when the whole chunk is one name with connectors ("cut to size")."""
    following = lexemes[last + 1] if last + 1 < len(lexemes) else None
    if following is None:
        return None
    connectors = _CONNECTORS[language]
    if not (following.is_mark(":(-") or following.has("takes")):
        if not (following.is_mark(",") or following.kind == "amount"):
            return None
        connectors = _INNER[language]
    at = start
    while at > 0 and not lexemes[at - 1].is_mark(",:()") and lexemes[at - 1].kind != "arrow":
        part = lexemes[at - 1]
        if not (nameable(part, language) or part.text.lower() in connectors):
            return None
        at -= 1
    if last - at == 2 and is_label(lexemes[at].text) and is_label(lexemes[last].text):
        return None  # "A to E"
    if at == start or not nameable(lexemes[at], language) or lexemes[at].has("task"):
        return None
    return at


def is_genitive(word: str) -> bool:
    """Whether a Polish noun is in the genitive only: "partia herbaty" is no label."""
    found = [reading for reading in readings(word.lower()) if reading.part in ("subst", "ger")]
    cases = {case for reading in found for case in reading.cases if reading.number == "sg"}
    return "gen" in cases and "nom" not in cases


def _named(lexemes: list[Lexeme], start: int, end: int, language: Language) -> Name | None:
    """The name in this run: without the kind of thing before a label, in its base form."""
    while end - start > 1:
        first, second = lexemes[start], lexemes[start + 1]
        label = is_label(second.text) or number_label(second) is not None
        lower_rest = second.kind == "word" and second.text.islower()
        if (first.has("task", "task_weak", "machine") and label) or (
            first.has("task")
            and lower_rest
            and (language == "en" or not is_genitive(second.text))
            and not second.has("task", "task_weak", "machine")
        ):
            start += 1
        else:
            break
    if end - start == 1 and lexemes[start].has("task"):
        return None
    if end - start == 1 and lexemes[start].has("task_weak") and start > 0:
        before = lexemes[start - 1]
        if before.kind == "number" or before.has("each", "all", "others", "any"):
            return None
    written = [lexeme.text for lexeme in lexemes[start:end]]
    if end - start == 1 and number_label(lexemes[start]) is not None:
        identifier = number_label(lexemes[start]) or ""
        return Name(start, end, (identifier,), identifier)
    words = [word for text in written for word in text.split()]
    if language == "pl":
        oblique = start > 0 and (
            lexemes[start - 1].has(*_PREPOSITIONS)
            or lexemes[start - 1].text.lower() in _PL_PREPOSITIONS
        )
        base = base_form(words, oblique)
    else:
        base = words
    return Name(start, end, tuple(words), " ".join(base))

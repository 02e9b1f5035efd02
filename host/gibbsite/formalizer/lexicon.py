"""The lexicon: which cues the words at one place of a text stand for, in one language."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from gibbsite.formalizer import lexicon_en, lexicon_pl
from gibbsite.formalizer.inflection import keys, readings
from gibbsite.formalizer.tokens import Token

__all__ = ["SAME_HOURS", "FOREIGN_WORDS", "Language", "detect_language", "match_cue"]

Language: TypeAlias = Literal["pl", "en"]

FOREIGN_WORDS: Final = frozenset(
    [
        "und",
        "der",
        "die",
        "das",
        "ist",
        "sind",
        "auf",
        "mit",
        "für",
        "jede",
        "jeder",
        "jedes",
        "dauert",
        "dauern",
        "stunde",
        "stunden",
        "aufgaben",
        "maschinen",
        "muss",
        "müssen",
        "nach",
        "vor",
        "zwei",
        "drei",
        "vier",
        "fünf",
        "sechs",
        "nicht",
        "bitte",
        "ein",
        "eine",
        "einen",
        "dem",
        "den",
        "werden",
        "wird",
        "sie",
        "wir",
        "ich",
        "von",
        "zu",
        "minuten",
        "tage",
        "alle",
        "erst",
        "dann",
        "le",
        "la",
        "les",
        "des",
        "et",
        "est",
        "sont",
        "sur",
        "avec",
        "pour",
        "chaque",
        "dure",
        "durent",
        "heure",
        "heures",
        "tâche",
        "tâches",
        "doit",
        "après",
        "avant",
        "deux",
        "trois",
        "quatre",
        "cinq",
        "pas",
        "une",
        "dans",
        "nous",
        "il",
        "elle",
        "du",
        "au",
        "aux",
        "que",
        "qui",
        "el",
        "los",
        "las",
        "y",
        "es",
        "son",
        "en",
        "con",
        "para",
        "cada",
        "dura",
        "duran",
        "hora",
        "horas",
        "tarea",
        "tareas",
        "debe",
        "después",
        "antes",
        "dos",
        "tres",
        "cuatro",
        "cinco",
        "una",
        "uno",
        "por",
        "del",
        "al",
        "que",
        "os",
        "um",
        "uma",
        "são",
        "com",
        "trabalhos",
        "máquinas",
        "máquina",
        "di",
        "che",
        "sono",
        "gli",
        "ogni",
        "ore",
        "ora",
        "dopo",
        "prima",
        "due",
        "tre",
        "quattro",
        "lavori",
        "macchine",
        "macchina",
        "je",
        "jsou",
        "každý",
        "každá",
        "úkol",
        "úkoly",
        "úkolů",
        "stroj",
        "stroje",
        "strojích",
        "strojů",
        "hodin",
        "hodiny",
        "nebo",
        "musí",
        "před",
        "het",
        "een",
        "van",
        "voor",
        "met",
        "elke",
        "taak",
        "taken",
        "duurt",
        "uur",
        "moet",
        "och",
        "är",
        "på",
        "för",
        "varje",
        "timmar",
    ]
)
"""Words of other languages; those that are Polish or English too are taken out below."""

_ELSEWHERE: Final = FOREIGN_WORDS - lexicon_en.FUNCTION_WORDS - lexicon_pl.FUNCTION_WORDS

SAME_HOURS: Final = frozenset(
    [
        "the same as",
        "same hours as",
        "the same hours as",
        "tak samo jak",
        "tak jak",
        "podobnie jak",
        "te same godziny co",
        "w tych samych godzinach co",
    ]
)
"""What stands between two machines that have one and the same window."""


def detect_language(tokens: list[Token]) -> tuple[Language | None, list[Token]]:
    """The language of most function words, or None and the words of the foreign one."""
    words = [token for token in tokens if token.kind == "word" and len(token.text) > 1]
    votes = {
        "pl": sum(token.low in lexicon_pl.FUNCTION_WORDS for token in words),
        "en": sum(token.low in lexicon_en.FUNCTION_WORDS for token in words),
    }
    votes["pl"] += sum(any(letter in token.low for letter in "ąęłńśźż") for token in words)
    foreign = [token for token in words if token.low in _ELSEWHERE]
    if len(foreign) > max(votes.values()):
        return None, foreign
    letters = [token for token in tokens if token.kind == "word"]
    other_script = [token for token in letters if any(ord(letter) > 0x36F for letter in token.text)]
    if len(other_script) > len(letters) / 4:
        return None, other_script
    if votes["pl"] == votes["en"]:
        return ("pl" if _mostly_polish(words) else "en"), []
    return ("pl" if votes["pl"] > votes["en"] else "en"), []


def _mostly_polish(words: list[Token]) -> bool:
    """Whether the Polish dictionary knows most words; decides texts without function words."""
    long = [token.low for token in words if len(token.text) > 3]
    known = [low for low in long if any(reading.part != "ign" for reading in readings(low))]
    return len(known) > 0.6 * len(long)


@dataclass(frozen=True, slots=True)
class _Phrase:
    words: tuple[frozenset[str], ...]
    cue: str


@lru_cache(maxsize=2)
def _phrases(language: Language) -> dict[str, list[_Phrase]]:
    tables = lexicon_pl.CUES if language == "pl" else lexicon_en.CUES
    found: dict[str, list[_Phrase]] = {}
    for cue, entries in tables.items():
        for entry in entries.split(","):
            words = tuple(frozenset(word.split("|")) for word in entry.split())
            if words:
                phrase = _Phrase(words, cue)
                for first in words[0]:
                    found.setdefault(first, []).append(phrase)
    return found


def match_cue(tokens: list[Token], at: int, language: Language) -> tuple[frozenset[str], int]:
    """All cues of the longest phrase that starts at token `at`, and the place after it."""
    best, cues = 0, set[str]()
    table = _phrases(language)
    for key in _token_keys(tokens[at], language):
        for phrase in table.get(key, ()):
            length = len(phrase.words)
            if length < best or at + length > len(tokens):
                continue
            if all(
                word & _token_keys(tokens[at + offset], language)
                for offset, word in enumerate(phrase.words)
            ):
                if length > best:
                    best, cues = length, set()
                cues.add(phrase.cue)
    return frozenset(cues), at + best


def _token_keys(token: Token, language: Language) -> frozenset[str]:
    if token.kind != "word":
        return frozenset({token.text})
    return keys(token.text, language)

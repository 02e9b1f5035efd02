"""Inflection: which words are the same word, and what its base form is.

Polish goes through the Morfeusz dictionary (SGJP, embedded in its package): lemmas, cases, and the
nominative of an inflected noun group. English needs no dictionary: a crude stem joins "paint",
"painting" and "painted". Words that no dictionary knows are compared by their beginnings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import morfeusz2

__all__ = ["Reading", "adjective_label", "base_form", "keys", "readings", "same_word"]

_NOMINAL: Final = ("subst", "ger", "adj", "depr", "pact", "ppas", "ign", "brev", "xxx")
_HOMONYMS: Final = frozenset({"piec"})
"""Verbs whose infinitive is a noun of the lexicon as well ("piec", an oven)."""
_OBLIQUE_ENDINGS: Final = ("ę", "ą")


@dataclass(frozen=True, slots=True)
class Reading:
    """One dictionary reading of a Polish word: lemma, part of speech, and the rest of its tag."""

    lemma: str
    part: str
    cases: frozenset[str]
    number: str
    gender: str

    @property
    def nominal(self) -> bool:
        """Whether a name can hold this word."""
        return self.part in _NOMINAL


@lru_cache(maxsize=1)
def _morfeusz() -> morfeusz2.Morfeusz:
    return morfeusz2.Morfeusz()


@lru_cache(maxsize=20_000)
def readings(word: str) -> tuple[Reading, ...]:
    """All readings of one Polish word, in the order of the dictionary."""
    found = []
    if not word.isalpha():
        return (Reading(word.lower(), "ign", frozenset(), "", ""),)  # a label: "Z-7", "D1"
    for _, _, (_, lemma, tag, _, _) in _morfeusz().analyse(word):
        parts = tag.split(":")
        cases: frozenset[str] = frozenset()
        number = gender = ""
        for part in parts[1:]:
            values = part.split(".")
            if values[0] in ("nom", "gen", "dat", "acc", "inst", "loc", "voc"):
                cases = frozenset(values)
            elif part in ("sg", "pl"):
                number = part
            elif values[0][0] in "mfn" and values[0] in ("m1", "m2", "m3", "f", "n"):
                gender = values[0]
        found.append(Reading(lemma.split(":")[0].lower(), parts[0], cases, number, gender))
    return tuple(found)


@lru_cache(maxsize=20_000)
def keys(word: str, language: str) -> frozenset[str]:
    """Everything that a lexicon may call this word: itself, and its lemmas or its stem."""
    low = word.lower()
    if language == "pl":
        lemmas = {
            reading.lemma
            for reading in readings(low)
            if reading.nominal or reading.lemma not in _HOMONYMS
        }
        return frozenset({low, *lemmas})
    return frozenset({low})


@lru_cache(maxsize=20_000)
def _stems(word: str, language: str) -> frozenset[str]:
    low = word.lower().removesuffix("'s").removesuffix("’s")
    if language == "pl":
        lemmas = {reading.lemma for reading in readings(low) if reading.part != "ign"}
        return frozenset({low, *lemmas})
    return frozenset({_english_stem(low)})


def _english_stem(low: str) -> str:
    stem = low
    if len(stem) > 4 and stem.endswith("ies"):
        stem = stem[:-3] + "y"
    elif len(stem) > 3 and stem.endswith("s") and not stem.endswith(("ss", "us", "is")):
        stem = stem[:-1]
    for ending in ("ing", "ed"):
        if len(stem) > len(ending) + 2 and stem.endswith(ending):
            stem = stem[: -len(ending)]
            if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "ls":
                stem = stem[:-1]
            break
    if len(stem) > 3 and stem.endswith("e"):
        stem = stem[:-1]
    if len(stem) > 2 and stem.endswith("i"):
        stem = stem[:-1] + "y"
    return stem


def same_word(first: str, second: str, language: str) -> bool:
    """Whether two words are forms of one word; labels ("S1", "A") must be equal."""
    if first == second:
        return True
    if any(ch.isdigit() for ch in first + second) or min(len(first), len(second)) < 3:
        return first.lower() == second.lower() and len(first) > 1
    if first.lower() == second.lower():
        return True
    if _stems(first, language) & _stems(second, language):
        return True
    if language == "pl" and (_unknown(first) or _unknown(second)):
        return _alike(first.lower(), second.lower())
    return False


def _unknown(word: str) -> bool:
    return all(reading.part == "ign" for reading in readings(word.lower()))


def _alike(first: str, second: str) -> bool:
    """Two unknown words that differ in at most their last three letters."""
    common = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        common += 1
    return common >= 3 and max(len(first), len(second)) - common <= 3


def base_form(words: list[str], oblique: bool) -> list[str]:
    """A Polish noun group in the nominative, with its own number; unchanged when it stands there.

    `oblique` says that the text puts the group into another case (after a preposition, or as what
    a verb takes), so that a form which may also be nominative ("badania") is not taken as such.
    Only the head and its adjectives change: a genitive that follows the head stays.
    """
    result = list(words)
    head = next((i for i, word in enumerate(words) if _head(word)), None)
    if head is None:
        return result
    found = _restored(words[head], ("subst", "ger"), oblique)
    if found is None:
        return result
    form, reading = found
    result[head] = form
    for position, word in enumerate(words):
        nearby = position < head or position == head + 1
        if nearby and any(
            other.part in ("adj", "ppas", "pact") for other in readings(word.lower())
        ):
            if any(other.part == "subst" for other in readings(word.lower())) and position > head:
                continue
            adjective = _adjective(word, reading)
            result[position] = adjective or word
    return result


def _head(word: str) -> bool:
    found = readings(word.lower())
    return any(reading.part in ("subst", "ger") for reading in found) and not any(
        reading.part in ("adj", "ppas") and reading.lemma != word.lower() for reading in found[:1]
    )


def _restored(word: str, parts: tuple[str, ...], oblique: bool) -> tuple[str, Reading] | None:
    low = word.lower()
    nouns = [reading for reading in readings(low) if reading.part in parts]
    plural = nouns and all(reading.number == "pl" for reading in nouns)
    if (
        word.istitle()
        and plural
        and any(
            "nom" in own.cases and own.number == "sg" and own.part == "subst"
            for own in readings(word)
        )
    ):
        return None  # "Tomek" is a name, "tomek" a form of another noun
    if not nouns or not word.isalpha() or (word.isupper() and len(word) > 1):
        return None
    # A gerund's singular comes before its plural: "szlifowania" as a step is "szlifowanie".
    if not oblique:
        if any("nom" in reading.cases for reading in nouns):
            return None
        candidates = nouns
    else:
        candidates = [reading for reading in nouns if reading.cases - {"nom", "voc"}]
        if any(r.number == "sg" and "nom" in r.cases for r in nouns) and not low.endswith(
            _OBLIQUE_ENDINGS
        ):
            return None
        singular = [reading for reading in candidates if reading.number == "sg"]
        candidates = singular or candidates
    for reading in candidates:
        form = _generated(reading)
        if form:
            return _cased(form, word), reading
    return None


def _generated(reading: Reading) -> str | None:
    for form, lemma, tag, _, _ in _morfeusz().generate(reading.lemma):
        parts = tag.split(":")
        if (
            parts[0] == reading.part
            and reading.number in parts[1:2]
            and len(parts) > 2
            and "nom" in parts[2].split(".")
            and not (reading.part == "ger" and parts[-1] == "neg")
            and lemma.split(":")[0].lower() == reading.lemma
        ):
            return str(form)
    return None


def _adjective(word: str, noun: Reading) -> str | None:
    for reading in readings(word.lower()):
        if reading.part not in ("adj", "ppas", "pact"):
            continue
        for form, _, tag, _, _ in _morfeusz().generate(reading.lemma):
            parts = tag.split(":")
            if parts[0] == reading.part and len(parts) > 3 and noun.number == parts[1]:
                genders = parts[3].split(".")
                if "nom" in parts[2].split(".") and noun.gender in genders and "neg" not in parts:
                    if parts[-1] in ("com", "sup"):
                        continue
                    return _cased(str(form), word)
    return None


def adjective_label(word: str, noun: str) -> str | None:
    """The nominative singular of a label that is only an adjective, in the gender of its noun."""
    found = readings(word.lower())
    if not any(reading.part in ("adj", "ppas", "pact") for reading in found):
        return None
    if any("nom" in reading.cases for reading in found):
        return None
    kinds = [reading for reading in readings(noun.lower()) if reading.part == "subst"]
    if not kinds:
        return None
    kind = kinds[0]
    return _adjective(word, Reading(kind.lemma, "subst", frozenset({"nom"}), "sg", kind.gender))


def _cased(form: str, model: str) -> str:
    return form[:1].upper() + form[1:] if model[:1].isupper() else form

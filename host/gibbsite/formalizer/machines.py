"""Machines of a text: counted, listed, labelled, or named by what they are."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gibbsite.formalizer.counting import (
    Counted,
    counted_at,
    is_plural,
    labels_from,
    skip_aside,
)
from gibbsite.formalizer.inflection import adjective_label, base_form, readings
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.lexicon import SAME_HOURS
from gibbsite.formalizer.names import Name, is_label, name_at, name_before, number_label
from gibbsite.formalizer.scene import Scene

__all__ = ["count_unknown_machines", "find_machines", "find_single_machines"]

_GENERIC: Final = frozenset(
    (
        "machine machines station stations unit units resource resources equipment device devices "
        "worker workers person people team teams line lines tool tools employee employees maszyna "
        "stanowisko urządzenie linia zespół pracownik osoba zasób operator shift zmiana"
    ).split()
)
"""Kinds that name no particular machine when they stand alone."""

_TECHNIQUES: Final = frozenset({"3D", "2D"})
_NEXT_CLAUSE: Final = ("only", "not", "after", "before", "needs", "takes", "latest", "until")
_BOTH: Final = frozenset(["both", "oba", "obie", "obydwa", "obydwie", "obaj", "obu"])


def find_machines(sentences: list[Sentence], scene: Scene) -> None:
    """Add every machine that is counted, listed or labelled, before the tasks are read."""
    for sentence in sentences:
        _ones(sentence.lexemes, scene)
        for start in range(len(sentence.lexemes)):
            _both(sentence.lexemes, start, scene)
            _counted(sentence.lexemes, start, scene)
    for sentence in sentences:
        for start in range(len(sentence.lexemes)):
            _labelled(sentence.lexemes, start, scene)
    for sentence in sentences:
        _windowed(sentence, scene)


def _ones(lexemes: list[Lexeme], scene: Scene) -> None:
    """ "One plotter and one laser printer": two kinds, each a machine by its own name."""
    found: list[Counted] = []
    for start in range(len(lexemes)):
        counted = counted_at(lexemes, start, scene.language)
        if counted is None or not counted.is_machine:
            continue
        if counted.number != 1 or (
            found and not lexemes[start - 1].has("and") and not (lexemes[start - 1].is_mark(","))
        ):
            return
        labelled = counted.end < len(lexemes) and is_label(lexemes[counted.end].text)
        if labelled or any(counted.nouns == other.nouns for other in found):
            return
        found.append(counted)
    if len(found) < 2:
        return
    for counted in found:
        words = [lexeme.text for lexeme in lexemes[counted.start + 1 : counted.end]]
        base = base_form(words, False) if scene.language == "pl" else words
        place = lexemes[counted.start + 1].start
        lexemes[counted.start].used = True
        scene.add("machine", " ".join(base), words, place)


def _both(lexemes: list[Lexeme], start: int, scene: Scene) -> None:
    """ "Both printers", "oba piece": there are two."""
    if lexemes[start].text.lower().split()[0] not in _BOTH or start + 1 >= len(lexemes):
        return
    if lexemes[start + 1].has("machine") and scene.machine_count is None and not scene.machines:
        scene.count("machine", Fraction(2), lexemes[start])
        noun = lexemes[start + 1].text.lower()
        pair = Counted(Fraction(2), start, start + 2, (noun,), False, True)
        for name in _names_after(lexemes, pair, scene):
            scene.add("machine", name.id, list(name.words), lexemes[name.start].start)


def _counted(lexemes: list[Lexeme], start: int, scene: Scene) -> None:
    counted = counted_at(lexemes, start, scene.language)
    if counted is None or counted.is_task or lexemes[start].used:
        return
    if start and lexemes[start - 1].has("task", "task_weak") and lexemes[start].text[0].isdigit():
        return
    names = _names_after(lexemes, counted, scene)
    names = names or (_names_before(lexemes, counted, scene) if counted.is_machine else [])
    ruling = start - 1
    while ruling > 0 and lexemes[ruling].text in ("a", "an", "the"):
        ruling -= 1
    ruled = ruling >= 0 and lexemes[ruling].has("on")
    served = counted.is_machine and ruling >= 0 and lexemes[ruling].text.lower() in ("for", "dla")
    served = served and counted.number == 1 and any(part.has("task") for part in lexemes[:start])
    ruled = ruled or served  # "task list for one technician: …"
    if counted.is_machine and not (names or ruled) and _tasks_listed(lexemes, counted.end):
        for noun in lexemes[start + 1 : counted.end]:
            noun.cues = noun.cues - {"machine"} | {"task_weak"}
        return
    if not counted.is_machine:
        if not (names or ruled) or _has_duration(lexemes, counted.end):
            return
    if scene.machine_count is not None and scene.machine_count[0] != counted.number:
        other = lexemes[start - 1] if start else None
        known = any(noun in scene.nouns["machine"] for noun in counted.nouns)
        if not names and not known and not (other is not None and other.has("on")):
            return  # "three technicians repair seven devices": the second count is of tasks
    scene.nouns["machine"].update(counted.nouns)
    if any(lexeme.has("others") for lexeme in lexemes[max(0, start - 2) : start]):
        lexemes[start].used = True
        return
    if start and lexemes[start - 1].has("all", "each"):
        lexemes[start].used = True
    scene.count("machine", counted.number, lexemes[start])
    lexemes[start].used = True
    for name in names:
        scene.add("machine", name.id, list(name.words), lexemes[name.start].start)


def _has_duration(lexemes: list[Lexeme], at: int) -> bool:
    """Whether what is counted takes time: then it is no machine."""
    for lexeme in lexemes[at : at + 3]:
        ranged = lexeme.amount is not None and lexeme.amount.is_range
        arrives = lexeme.has("release") and not lexeme.text.lower().startswith(("avail", "dost"))
        if (lexeme.kind == "amount" and not ranged) or lexeme.has("takes", "needs") or arrives:
            return True
        if lexeme.is_mark(",") and at + 1 < len(lexemes) and lexemes[at + 1].has("each"):
            continue  # "five trucks, each of 50 minutes"
        if (lexeme.kind == "mark" and not lexeme.is_mark("(")) or lexeme.has("available"):
            return False
    return False


def _tasks_listed(lexemes: list[Lexeme], at: int) -> bool:
    """Whether a list of names with durations follows: "three rooms: hall 4 h, kitchen 3 h"."""
    if at >= len(lexemes) or not lexemes[at].is_mark(":"):
        return False
    amounts = [lexeme.amount for lexeme in lexemes[at:] if lexeme.amount is not None]
    windows = any(lexeme.kind in ("window", "range") for lexeme in lexemes[at:])
    return lexemes[at - 1].has("task_weak", "machine") and len(amounts) > 1 and not windows


def _names_after(lexemes: list[Lexeme], counted: Counted, scene: Scene) -> list[Name]:
    """The names that follow a count, when there are as many: "two printers, P1 and P2"."""
    at = counted.end
    limit = int(counted.number)
    separated = False
    while at < len(lexemes) and (
        lexemes[at].is_mark(",:(-") or lexemes[at].text.lower() in ("called", "named", "namely")
    ):
        separated, at = True, at + 1
    names, _ = labels_from(lexemes, at, scene.language, False, limit)
    if len(names) < limit and separated:
        names = list(_described(lexemes, at, scene, limit))
    names = [name for name in names if name.id not in _TECHNIQUES]
    if not names or len(names) != limit:
        return []
    following = names[0].end
    if _has_duration(lexemes, following):
        return []
    return names


def _names_before(lexemes: list[Lexeme], counted: Counted, scene: Scene) -> list[Name]:
    """The names in "the saw and the lathe are our two machines"."""
    start = counted.start
    while start and lexemes[start - 1].has("filler") and not lexemes[start - 1].has("and"):
        start -= 1
    if start == counted.start or counted.number < 2:
        return []
    first = 1 if lexemes[0].text.lower() in ("the", "a", "an") else 0
    names, end = labels_from(lexemes, first, scene.language, True, None)
    return names if end == start and len(names) == counted.number else []


def _described(lexemes: list[Lexeme], at: int, scene: Scene, limit: int) -> Iterator[Name]:
    """Names in a list, each with what is said of it: "O1 (8-16) and O2 from 9 to 17"."""
    found = 0
    expecting = True
    while at < len(lexemes) and found < limit:
        lexeme = lexemes[at]
        if lexeme.is_mark(",") or lexeme.has("and"):
            expecting, at = True, at + 1
            continue
        if expecting and lexeme.text not in ("a", "an", "the"):
            if lexeme.has("machine") and at + 1 < len(lexemes) and is_label(lexemes[at + 1].text):
                at += 1
            name = name_at(lexemes, at, scene.language, label=False)
            if name is not None:
                if name.end < len(lexemes) and lexemes[name.end].kind == "amount":
                    amount = lexemes[name.end].amount
                    if amount is None or not amount.is_range:
                        return
                yield name
                found += 1
                at = name.end
                expecting = False
                continue
            expecting = False
        at += 1


def _labelled(lexemes: list[Lexeme], start: int, scene: Scene) -> bool:
    """ "Bench B1", "machines A, B and C", "maszyny: tokarka, frezarka"."""
    noun = lexemes[start]
    if not noun.has("machine") or start + 1 >= len(lexemes):
        return False
    if start and lexemes[start - 1].kind == "number":
        return False
    plural = is_plural(noun, scene.language)
    at = start + 1
    if lexemes[at].kind == "range" and (not plural or lexemes[at].form == "from"):
        return False
    if plural and lexemes[at].is_mark(":") and at + 2 == len(lexemes):
        count = lexemes[at + 1].number
        if lexemes[at + 1].kind == "number" and count is not None:
            lexemes[at + 1].used = True
            scene.count("machine", count, lexemes[at + 1])
            return True
    if plural and lexemes[at].is_mark(":"):
        names, end = labels_from(lexemes, at + 1, scene.language, False, None)
        if not names or end < len(lexemes):
            names = list(_described(lexemes, at + 1, scene, 100))
    else:
        if plural and lexemes[at].is_mark("("):
            at += 1
        names, end = labels_from(lexemes, at, scene.language, False, None if plural else 1)
        while not plural and names and end < len(lexemes) and lexemes[end].has("or"):
            more, end = labels_from(lexemes, end + 1, scene.language, False, 1)
            if not more:
                break
            names += more
        if noun.has("task_weak") and names:
            return False
    names = [name for name in names if name.id not in _TECHNIQUES]  # "drukarka 3D"
    names = _without_next_clause(lexemes, names)
    if not names or (len(names) == 1 and _has_duration(lexemes, names[0].end)):
        return False
    if scene.language == "pl":
        names = [_nominative(name, noun) for name in names]
    for name in names:
        number = number_label(lexemes[name.start])
        if number is not None:
            lexemes[name.start].used = True
            if scene.machine_count is not None and int(number) <= scene.machine_count[0]:
                continue
        if scene.machine_count is not None and len(scene.machines) >= scene.machine_count[0]:
            if (
                scene.named("machine", name.id) is None
                and noun.text.lower() not in (scene.nouns["machine"])
            ):
                return False
        scene.add("machine", name.id, list(name.words), lexemes[name.start].start)
    scene.nouns["machine"].add(noun.text.lower())
    return True


def _nominative(name: Name, noun: Lexeme) -> Name:
    """ "sale Czerwoną i Niebieską": an adjective that the verb puts in another case."""
    if len(name.words) != 1 or not name.id.istitle():
        return name
    found = adjective_label(name.id, noun.text)
    return Name(name.start, name.end, name.words, found) if found else name


def _without_next_clause(lexemes: list[Lexeme], names: list[Name]) -> list[Name]:
    """The labels up to one that opens a clause: "on machine M1, B only on machine M2"."""
    for position, name in enumerate(names[1:], 1):
        following = lexemes[name.end] if name.end < len(lexemes) else None
        before = lexemes[name.start - 1]
        if following is not None and before.is_mark(",") and following.has(*_NEXT_CLAUSE):
            return names[:position]
    return names


def _windowed(sentence: Sentence, scene: Scene) -> None:
    """ "Maszyna A 0-8h, B: 8-16h": a label that is given a window is a machine."""
    lexemes = sentence.lexemes
    about_machines = False
    for at, lexeme in enumerate(lexemes):
        if lexeme.has("takes", "task", "task_weak") and not lexeme.has("machine"):
            about_machines = False
        if lexeme.has("machine", "available"):
            about_machines = True
        opens = at == 0 or lexemes[at - 1].is_mark(",(:") or lexemes[at - 1].has("and", "available")
        coded = any(letter.isdigit() for letter in lexeme.text)
        if coded and at and lexemes[at - 1].kind == "word" and not lexemes[at - 1].cues:
            opens = opens or at == 1 or lexemes[at - 2].is_mark(",(:")  # "Vat V1 is open from 6"
        if not opens or not is_label(lexeme.text) or lexeme.kind != "word" or lexeme.cues:
            continue
        after = skip_aside(lexemes, at + 1)
        if any(part.is_time for part in lexemes[at + 1 : after]):
            after = at + 1
        available = False
        while after < len(lexemes) and (
            lexemes[after].is_mark(":-(")
            or (lexemes[after].kind == "word" and lexemes[after].has("available", "filler", "only"))
        ):
            available = available or lexemes[after].has("available")
            after += 1
        if after >= len(lexemes) or not (about_machines or available):
            continue
        time = lexemes[after]
        ranged = time.kind == "amount" and time.amount is not None and time.amount.is_range
        copied = time.text.lower() in SAME_HOURS
        if time.kind in ("window", "range") or time.has("allday") or ranged or copied:
            if scene.matching([lexeme.text]) is None:
                scene.add("machine", lexeme.text, [lexeme.text], lexeme.start)


def _bare_labels(sentences: list[Sentence], scene: Scene) -> bool:
    """Sentences of labels only ("CPU0 and CPU1."): machines, when they are nothing else."""
    found: list[Name] = []
    for sentence in sentences:
        names, end = labels_from(sentence.lexemes, 0, scene.language, False, None)
        if end != len(sentence.lexemes) or not all(is_label(name.id) for name in names):
            continue
        if len(names) < 2 and not any(letter.isdigit() for letter in "".join(n.id for n in names)):
            continue  # "Hi!"
        if all(scene.matching(list(name.words)) is None for name in names):
            found.extend(names)
            for name in names:
                place = sentence.lexemes[name.start].start
                scene.add("machine", name.id, list(name.words), place)
    return bool(found)


def _unknown_kind(lexemes: list[Lexeme], scene: Scene) -> bool:
    """ "setups Left and Right": a plural that the lexicon does not know, with labels."""
    for at, noun in enumerate(lexemes):
        if noun.cues or noun.kind != "word" or not (noun.text.islower() or not at):
            continue
        names, _ = labels_from(lexemes, at + 1, scene.language, False, None)
        unknown = [name for name in names if scene.matching(list(name.words)) is None]
        if len(names) > 1 and unknown == names and is_plural(noun, scene.language):
            if not _has_duration(lexemes, names[-1].end):
                scene.nouns["machine"].add(noun.text.lower())
                for name in names:
                    scene.add("machine", name.id, list(name.words), lexemes[name.start].start)
                return True
    return False


def _at_work(lexemes: list[Lexeme], scene: Scene) -> bool:
    """ "Pracują Iza, Tomek i Olga", "Tim, Ann and Joe are working": people by their names."""
    for at, verb in enumerate(lexemes):
        acting = scene.language == "pl" and not verb.cues and _acting(verb)
        acting = acting and not any(part.is_time for part in lexemes)
        if verb.has("on", "release", "takes") or not (verb.has("available") or acting):
            continue
        names, end = labels_from(lexemes, at + 1, scene.language, False, None)
        if len(names) < 2:
            names, end = labels_from(lexemes, 0, scene.language, False, None)
            while end < at and lexemes[end].has("filler"):
                end += 1
            if end != at:
                continue
            end = at + 1
        proper = all(name.id.istitle() and len(name.words) == 1 for name in names)
        if len(names) < 2 or not proper or any(scene.matching(list(n.words)) for n in names):
            continue
        if end < len(lexemes):
            continue
        for name in names:
            scene.add("machine", name.id, list(name.words), lexemes[name.start].start)
        return True
    return False


def _acting(verb: Lexeme) -> bool:
    """Whether a Polish word is only a verb in the plural: "tną"."""
    found = readings(verb.text.lower())
    return all(reading.part == "fin" and reading.number == "pl" for reading in found)


def count_unknown_machines(sentences: list[Sentence], scene: Scene) -> None:
    """ "Dwie sprzątaczki.": a sentence that only counts, when no machine is known otherwise."""
    for sentence in sentences:
        lexemes = sentence.lexemes
        start = 0
        while start < len(lexemes) and lexemes[start].has("filler"):
            start += 1
        if start >= len(lexemes) or lexemes[start].used:
            continue
        counted = counted_at(lexemes, start, scene.language)
        if counted is None or not counted.nouns:
            continue
        if counted.end == len(lexemes) or _works(lexemes, counted.end):
            scene.nouns["machine"].update(counted.nouns)
            scene.count("machine", counted.number, lexemes[start])
            lexemes[start].used = True
            scene.notes.append(f"{lexemes[start].text} {counted.nouns[0]} are taken as machines")
            return


def _works(lexemes: list[Lexeme], at: int) -> bool:
    """Whether what was counted is available or works: "two gardeners are at work"."""
    following = lexemes[at : at + 3]
    for lexeme in following:
        if lexeme.is_mark(","):
            continue
        if lexeme.has("available"):
            return True
        if not lexeme.has("filler"):
            return False
    return False


def find_single_machines(sentences: list[Sentence], scene: Scene) -> None:
    """Machines named by what they are ("a saw and a press"), when none was found otherwise."""
    if _bare_labels(sentences, scene):
        return
    if any(_unknown_kind(sentence.lexemes, scene) for sentence in sentences):
        return
    if any(_at_work(sentence.lexemes, scene) for sentence in sentences):
        return
    for sentence in sentences:
        lexemes = sentence.lexemes
        for at, lexeme in enumerate(lexemes):
            if not lexeme.has("machine") or lexeme.has("task_weak") or lexeme.used:
                continue
            if lexeme.has("workday", "takes", "available", "on"):
                continue
            if _is_task_word(scene, lexeme):
                continue
            if at and (
                lexemes[at - 1].kind == "number" or lexemes[at - 1].has("each", "all", "any")
            ):
                continue
            words, start = _words(lexemes, at, scene)
            if scene.language == "pl":
                oblique = start > 0 and lexemes[start - 1].has("on", "for", "after", "from")
                base = base_form(words, oblique)
            else:
                base = words
            if (
                base[-1].lower() in _GENERIC
                or base[0].lower() in _GENERIC
                or (is_plural(lexeme, scene.language) and base == words and not _singular(lexeme))
            ):
                continue
            scene.add("machine", " ".join(base), words, lexemes[start].start)
            _beside(lexemes, start, at + 1, scene)


def _beside(lexemes: list[Lexeme], start: int, end: int, scene: Scene) -> None:
    """ "A press and a guillotine": what is listed with a machine is one, known or not."""
    article = ("a", "an")
    if scene.language != "en" or start == 0 or lexemes[start - 1].text.lower() not in article:
        return
    if end + 2 < len(lexemes) and lexemes[end].has("and") and lexemes[end + 1].text in article:
        name = name_at(lexemes, end + 2, "en", label=False)
        if name is not None and name.end == len(lexemes) and not scene.matching(list(name.words)):
            scene.add("machine", name.id, list(name.words), lexemes[name.start].start)
    if start >= 4 and lexemes[start - 2].has("and"):
        name = name_before(lexemes, start - 3, "en")
        ruled = name is not None and name.start and lexemes[name.start - 1].text.lower() in article
        if name is not None and ruled and not scene.matching(list(name.words)):
            scene.add("machine", name.id, list(name.words), lexemes[name.start].start)


def _words(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[list[str], int]:
    """The noun and, in English, the plain words before it ("bread oven")."""
    start = at
    if scene.language == "en":
        while start and lexemes[start - 1].kind == "word" and not lexemes[start - 1].cues:
            start -= 1
    end = at + 1
    while scene.language == "pl" and end < len(lexemes) and _adjective(lexemes[end]):
        end += 1
    return [word for part in lexemes[start:end] for word in part.text.split()], start


def _singular(lexeme: Lexeme) -> bool:
    """Whether a Polish noun may be a nominative singular too ("elektryk", of "elektryka")."""
    return any(
        reading.part == "subst" and reading.number == "sg" and "nom" in reading.cases
        for reading in readings(lexeme.text.lower())
    )


def _adjective(lexeme: Lexeme) -> bool:
    if lexeme.kind != "word" or lexeme.cues or not lexeme.text.islower():
        return False
    return all(reading.part == "adj" for reading in readings(lexeme.text))


def _is_task_word(scene: Scene, lexeme: Lexeme) -> bool:
    return any(lexeme.text.lower() in (word.lower() for word in task.words) for task in scene.tasks)

"""Tasks of a text: every amount of time that is a duration, and whose duration it is.

For each amount the reader walks to the left until it meets the subject: a name, a list of names, a
count ("three jobs", "trzy po"), labels ("jobs 1-4"), all tasks, or the others.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from gibbsite.formalizer.counting import counted_at, is_plural, labels_from
from gibbsite.formalizer.durations import Durations, Said, gather, two_values
from gibbsite.formalizer.elided_units import spread_units
from gibbsite.formalizer.inflection import same_word
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.names import lone_verb, name_at, nameable, number_label
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene
from gibbsite.formalizer.subjects import (
    clause_subject,
    counted_before,
    general_noun,
    labels_before,
    listed_labels,
    names_before,
    number_list,
    object_count,
)
from gibbsite.formalizer.totals import complete, count_tasks, name_counted_things

__all__ = ["find_tasks"]

_TIMED: Final = ("until", "from", "release", "latest", "before", "break", "available", "also")
_CONNECTED: Final = ("takes", "needs", "about", "for", "duration", "filler", "in_unit", "on")


def find_tasks(sentences: list[Sentence], scene: Scene) -> None:
    """Add every task with its duration; count those that are only counted."""
    said = Said()
    for sentence in sentences:
        listed_labels(sentence.lexemes, scene)
    for sentence in sentences:
        if any(lexeme.has("each") for lexeme in sentence.lexemes):
            _chained_names(sentence.lexemes, scene)
    for sentence in sentences:
        for start in range(len(sentence.lexemes)):
            counted = counted_at(sentence.lexemes, start, scene.language)
            if counted is not None and not counted.is_machine:
                said.counts.add(counted.number)
    for sentence in sentences:
        spread_units(sentence.lexemes, scene)
        at = 0
        while at < len(sentence.lexemes):
            if sentence.lexemes[at].kind == "amount" and not sentence.lexemes[at].used:
                durations = gather(sentence.lexemes, at)
                _assign(sentence.lexemes, durations, scene, said)
                at = durations.end
            else:
                at += 1
    for sentence in sentences:
        _chained_names(sentence.lexemes, scene)
    # whose hours they are is open where hours are given and no machine is
    hours = any(x.kind in ("window", "range") for part in sentences for x in part.lexemes)
    manned = not hours or bool(scene.machines) or scene.machine_count is not None
    name_counted_things(sentences, scene, said)
    for sentence in sentences:
        count_tasks(
            sentence.lexemes, scene, bool(said.every) and not scene.tasks, said.grouped, manned
        )
    complete(scene, said)


def _chained_names(lexemes: list[Lexeme], scene: Scene) -> None:
    """ "A -> B -> C, each 2 h": a name between two arrows is a task."""
    for at, lexeme in enumerate(lexemes[:-1]):
        if lexeme.kind != "arrow":
            continue
        name = name_at(lexemes, at + 1, scene.language, label=False)
        if name is None or scene.matching(list(name.words)) is not None:
            continue
        ended = name.end >= len(lexemes) or lexemes[name.end].kind in ("arrow", "mark")
        partly = any(
            same_word(own, word, scene.language)
            for task in scene.tasks
            for own in task.words
            for word in name.words
        )
        if ended and not partly:
            scene.add("task", name.id, list(name.words), lexemes[name.start].start)


# -- subjects


def _assign(lexemes: list[Lexeme], durations: Durations, scene: Scene, said: Said) -> None:
    at = durations.first - 1
    each = duration_noun = takes = False
    while at >= 0:
        lexeme = lexemes[at]
        if lone_verb(lexemes, at):
            break
        distributive = lexeme.text.lower() == "po" and scene.language == "pl"
        if lexeme.has("each") and at + 1 < durations.first:
            each = True
        if lexeme.has("bound"):
            _refuse_bound(lexeme, durations)
        if distributive and not durations.lexemes[0].text.lower().endswith("ach"):
            at -= 1
            continue
        if at and lexeme.text.lower() == "at" and lexemes[at - 1].kind == "number":
            at -= 1  # "three at 2 h"
            continue
        runs = lexeme.text.lower() in ("run", "runs") and not durations.amounts[0].is_range
        if runs:
            takes = True
        elif lexeme.has(*_TIMED) and not lexeme.has("takes"):
            return
        if lexeme.has("in_unit") and lexemes[at + 1].has("in_unit"):
            at -= 1  # "durations in minutes: 20, 35"
            continue
        if lexeme.has("after", "on") and not lexeme.has("takes", "for") and not duration_noun:
            return
        if lexeme.has("each", "all") and not lexeme.has("task"):
            each = True
        elif runs or lexeme.has(*_CONNECTED) or (lexeme.kind == "mark" and lexeme.text in ":-(=~"):
            duration_noun = duration_noun or lexeme.has("duration")
            takes = takes or lexeme.has("takes", "needs")
        else:
            break
        at -= 1
    following = lexemes[durations.end] if durations.end < len(lexemes) else None
    each = each or (following is not None and following.has("each"))
    if _for_name(lexemes, durations, at, scene, said):
        return
    if (at < 0 or not nameable(lexemes[at], scene.language) or lexemes[at].has("task")) and (
        _aside_name(lexemes, durations, scene, said)
    ):
        return
    if at < 0:
        _unnamed(durations, said, each, duration_noun)
        return
    marked = any(part.is_mark("-:=") for part in lexemes[at + 1 : durations.first])
    label = number_label(lexemes[at]) if marked and lexemes[at].text[:1].isdigit() else None
    if lexemes[at].kind == "ordinal" and any(
        part.has("task", "task_weak") for part in lexemes[:at]
    ):
        label = str(int(lexemes[at].number or 0))  # "zadanie pierwsze trwa 2 h, drugie 3 h"
    if label is not None and not (at and lexemes[at - 1].has("task", "task_weak", "machine")):
        lexemes[at].used = True
        _give([scene.add("task", label, [label], lexemes[at].start)], durations, said)
        return
    if label is not None and lexemes[at].kind == "ordinal":
        lexemes[at].used = True
        _give([scene.add("task", label, [label], lexemes[at].start)], durations, said)
        return
    numbers = number_list(lexemes, at)
    if numbers:
        labels = [scene.add("task", label, [label], lexemes[at].start) for label in numbers]
        for position in range(at + 1):
            if number_label(lexemes[position]) in numbers and not lexemes[position].has("task"):
                lexemes[position].used = True
        _give(labels, durations, said)
        return
    if _counted_group(lexemes, at, durations, scene, said):
        return
    lexeme = lexemes[at]
    if lexeme.has("others"):
        _use(durations)
        said.others.append((durations.amounts[0], durations.lexemes[0]))
        return
    labels = labels_before(lexemes, at - 1 if lexeme.is_mark(",") and at else at, scene)
    if labels:
        _give(labels, durations, said)
        return
    if lexeme.has("task", "task_weak") and general_noun(lexemes, at):
        if following is not None and following.is_mark(":"):
            # "all jobs take 45 minutes: J1, J2, J3"
            listed, _ = labels_from(lexemes, durations.end + 1, scene.language, True, None)
            for name in listed:
                scene.add("task", name.id, list(name.words), lexemes[name.start].start)
        _unnamed(durations, said, True, duration_noun)
        return
    if each and lexeme.is_mark(","):
        last = counted_before(lexemes, at - 1, scene)
        if last is not None and _counted_group(lexemes, last, durations, scene, said):
            return
    names = names_before(lexemes, at, scene, each or takes or len(durations.amounts) > 1)
    if len(names) == 1 and each and lexeme.is_mark(",") and scene.matching(list(names[0].words)):
        _unnamed(durations, said, True, False)
        return
    if names:
        first = names[0].start
        ruling = lexemes[first - 1] if first else None
        both = ruling is not None and ruling.text.lower() in ("both", "oba", "obie")
        if ruling is not None and ruling.has("each", "all") and len(names) == 1 and not both:
            scene.nouns["task"].update(word.lower() for word in names[0].words)
            _unnamed(durations, said, True, False)
            return
        if ruling is not None and ruling.has("duration") and len(durations.amounts) > 1:
            _unnamed(durations, said, each, True)
            return
        listed_for_all = len(names) == 1 < len(durations.amounts) and takes
        if listed_for_all and len(durations.amounts) in said.counts and names[0].end == at + 1:
            # "five patients; the visits take 20, 30, 15, 40 and 25 minutes"
            if is_plural(lexeme, scene.language):
                scene.nouns["task"].update(word.lower() for word in names[0].words)
                _unnamed(durations, said, True, True)
                return
        things = [scene.matching(list(name.words)) for name in names]
        if any(thing is not None and thing.kind == "machine" for thing in things):
            return
        tasks = [
            scene.add("task", name.id, list(name.words), lexemes[name.start].start)
            for name in names
        ]
        for task, name in zip(tasks, names, strict=True):
            if name.start and lexemes[name.start - 1].has("task", "task_weak"):
                task.noun = lexemes[name.start - 1].text
        _give(tasks, durations, said)
        return
    last = counted_before(lexemes, at - 1, scene) if lexeme.is_mark(",") else None
    if last == at - 1:
        _counted_group(lexemes, at - 1, durations, scene, said)
        return
    subject = clause_subject(lexemes, at, scene) if takes else None
    if subject is not None:
        _give([subject], durations, said)
        return
    if each or duration_noun or takes:
        _unnamed(durations, said, each, duration_noun)


def _refuse_bound(lexeme: Lexeme, durations: Durations) -> None:
    words = f"{lexeme.text} {durations.lexemes[0].text}"
    raise FormalizationError(
        "not_understood",
        f"a duration is a number or a range with both ends, found {words!r}; give both ends, "
        "e.g. 2-4 h",
        words,
    )


def _use(durations: Durations) -> None:
    for lexeme in durations.lexemes:
        lexeme.used = True


def _give(tasks: list[Entity], durations: Durations, said: Said) -> None:
    """One duration for all of them, or one for each in order."""
    amounts = durations.amounts
    if len(amounts) not in (1, len(tasks)):
        words = ", ".join(lexeme.text for lexeme in durations.lexemes)
        if len(tasks) == 1 or len(amounts) > len(tasks):
            raise two_values(tasks[0], words)
        raise FormalizationError(
            "contradiction",
            f"{len(tasks)} tasks need one duration or {len(tasks)}, found {len(amounts)}: {words}; "
            "give one for each",
            words,
        )
    _use(durations)
    for position, task in enumerate(tasks):
        amount = amounts[position] if len(amounts) > 1 else amounts[0]
        if task.amount is not None and task.amount != amount:
            words = durations.lexemes[min(position, len(amounts) - 1)].text
            raise _lag(task, words) if durations.lag else two_values(task, words)
        task.amount = amount
    said.last = tasks


def _lag(task: Entity, words: str) -> FormalizationError:
    return FormalizationError(
        "not_understood",
        f"an order of tasks has no gaps or delays between them, found {words!r} for task "
        f"{task.id!r}; give the delay as a task of its own",
        words,
    )


def _unnamed(durations: Durations, said: Said, each: bool, duration_noun: bool) -> None:
    """Durations without a name before them: for all tasks, a bare list, or the last task."""
    if len(durations.amounts) > 1:
        _use(durations)
        said.listed.append(durations.amounts)
        return
    pair = (durations.amounts[0], durations.lexemes[0])
    if each or duration_noun:
        _use(durations)
        said.every.append(pair)
    elif said.last and all(task.amount is None for task in said.last):
        _give(said.last, durations, said)


def _counted_group(
    lexemes: list[Lexeme], at: int, durations: Durations, scene: Scene, said: Said
) -> bool:
    """ "three jobs of 2 h", "trzy po 2 godziny", "the first two take 3 h"."""
    start = None
    for position in range(at, max(-1, at - 5), -1):
        lexeme = lexemes[position]
        if lexeme.kind == "number":
            start = position
            break
        if lexeme.kind == "mark" or lexeme.kind in ("amount", "arrow") or lexeme.has("and"):
            return False
    if start is None or lexemes[start].used or lexemes[start].number is None:
        return False
    counted = counted_at(lexemes, start, scene.language)
    if counted is not None and (counted.is_machine or counted.end < at + 1):
        return False
    if start and lexemes[start - 1].has("task", "task_weak") and start == at:
        return False
    if counted is not None and start and object_count(lexemes, start, scene):
        return False
    if counted is None and start != at and not lexemes[start + 1].has("on", "for", "filler"):
        return False
    if start == at and start and nameable(lexemes[start - 1], scene.language):
        return False
    number = lexemes[start].number or Fraction(0)
    if number.denominator != 1 or number < 1:
        return False
    for position in range(start - 1, max(-1, start - 3), -1):
        if lexemes[position].kind == "mark" or lexemes[position].has("and"):
            break
        if lexemes[position].has("others"):
            lexemes[start].used = True
            _use(durations)
            said.others.append((durations.amounts[0], durations.lexemes[0]))
            return True
        if lexemes[position].has("each", "all"):
            _use(durations)
            if len(durations.amounts) > 1:
                said.listed.append(durations.amounts)
            else:
                said.every.append((durations.amounts[0], durations.lexemes[0]))
            return True
    amounts = durations.amounts
    if len(amounts) not in (1, int(number)):
        words = ", ".join(lexeme.text for lexeme in durations.lexemes)
        raise FormalizationError(
            "contradiction",
            f"{lexemes[start].text} tasks need one duration or {number} of them, found "
            f"{len(amounts)}: {words}; give one for each",
            words,
        )
    lexemes[start].used = True
    _use(durations)
    if counted is not None:
        scene.nouns["task"].update(counted.nouns)
    for position in range(int(number)):
        said.grouped += 1
        task = scene.add("task", str(said.grouped), [str(said.grouped)], lexemes[start].start)
        scene.groups.setdefault(lexemes[start].start, []).append(task)
        task.from_count = True
        amount = amounts[position] if len(amounts) > 1 else amounts[0]
        if task.amount is not None and task.amount != amount:
            raise two_values(task, durations.lexemes[0].text)
        task.amount = amount
    return True


def _for_name(
    lexemes: list[Lexeme], durations: Durations, at: int, scene: Scene, said: Said
) -> bool:
    """ "3 h for sanding", "2 godziny na malowanie", "2 h of drilling"."""
    end = durations.end
    if len(durations.amounts) != 1 or end + 1 >= len(lexemes) or not lexemes[end].has("for"):
        return False
    if at >= 0 and nameable(lexemes[at], scene.language) and not lexemes[at].has("task"):
        return False
    start = end + 1
    while start < len(lexemes) and lexemes[start].text in ("the", "a", "an"):
        start += 1
    name = name_at(lexemes, start, scene.language, label=False)
    if name is None:
        return False
    thing = scene.matching(list(name.words))
    if thing is not None and thing.kind == "machine":
        return False
    task = scene.add("task", name.id, list(name.words), lexemes[start].start)
    _give([task], durations, said)
    return True


def _aside_name(lexemes: list[Lexeme], durations: Durations, scene: Scene, said: Said) -> bool:
    """ "Jobs take 2 h (A), 3 h (B)": the name in parentheses behind its duration."""
    end = durations.end
    if len(durations.amounts) != 1 or end + 2 >= len(lexemes) or not lexemes[end].is_mark("("):
        return False
    name = name_at(lexemes, end + 1, scene.language, label=False)
    if name is None or name.end >= len(lexemes) or not lexemes[name.end].is_mark(")"):
        return False
    thing = scene.matching(list(name.words))
    if thing is not None and thing.kind == "machine":
        return False
    task = scene.add("task", name.id, list(name.words), lexemes[name.start].start)
    _give([task], durations, said)
    return True

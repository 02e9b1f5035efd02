"""Subjects: whose duration an amount of time is, found to the left of it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from gibbsite.formalizer.counting import counted_at, labels_from
from gibbsite.formalizer.inflection import same_word
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.names import (
    Name,
    is_genitive,
    name_at,
    name_before,
    nameable,
    number_label,
)
from gibbsite.formalizer.scene import Entity, Scene

__all__ = [
    "clause_subject",
    "counted_before",
    "general_noun",
    "labels_before",
    "listed_labels",
    "names_before",
    "number_list",
    "object_count",
    "rename_labelled",
]

_CODE: Final = re.compile(r"[A-ZŁŚŻ]{1,3}-?\d{1,4}")
"""A numbered code that names a thing: "Z1", "JOB-7"."""


def listed_labels(lexemes: list[Lexeme], scene: Scene) -> None:
    """ "tasks A, B and C", "job 7": the labels behind a kind of task are tasks."""
    for at, noun in enumerate(lexemes[:-1]):
        unknown = nameable(noun, scene.language) and not noun.cues and _numbers_follow(lexemes, at)
        if unknown:
            noun.cues = frozenset({"task_weak"})
        if not noun.has("task", "task_weak") or noun.has("machine"):
            continue
        counted_here = at and lexemes[at - 1].kind == "number"
        start = at + 1
        if lexemes[start].is_mark(":(,") and (counted_here or lexemes[start].is_mark(":(")):
            start += 1
            if start >= len(lexemes) or number_label(lexemes[start]) is not None:
                continue
        names, end = labels_from(lexemes, start, scene.language, False, None)
        headed = end < len(lexemes) and lexemes[end].is_mark(":")
        if len(names) == 1 and headed and sum(x.kind == "amount" for x in lexemes[end:]) > 1:
            continue  # "3D prints: case 6 h, wheel 1 h"
        for name in names:
            if scene.named("machine", name.id) and not name.id.isdigit():
                break
            if lexemes[name.start].kind in ("number", "range"):
                lexemes[name.start].used = True
                lexemes[name.start].form = "label"
            task = scene.add("task", name.id, list(name.words), lexemes[name.start].start)
            task.noun = noun.text
        if names and not noun.has("task"):
            scene.nouns["task"].add(noun.text.lower())
        if end < len(lexemes) and not names:
            continue


def _numbers_follow(lexemes: list[Lexeme], at: int) -> bool:
    """ "scenes 1, 2 and 3": a noun of any kind with two or more numbers as labels."""
    end = at + 1
    numbers = 0
    while end < len(lexemes):
        if number_label(lexemes[end]) is not None and lexemes[end].text[:1].isdigit():
            numbers += 1
        elif not (lexemes[end].is_mark(",") or lexemes[end].has("and")):
            break
        end += 1
    ended = end >= len(lexemes) or lexemes[end].kind != "amount"
    labels = [number_label(lexeme) for lexeme in lexemes[at + 1 : end]]
    found = [int(label) for label in labels if label is not None]
    return numbers > 1 and ended and found == sorted(set(found)) and lexemes[at].text.islower()


def general_noun(lexemes: list[Lexeme], at: int) -> bool:
    """Whether a kind of task stands for all tasks: "each job", "the jobs", "zadania trwają"."""
    if at == 0:
        return lexemes[at].has("task")
    before = lexemes[at - 1]
    if not lexemes[at].has("task"):
        # a kind such as "test" or "cake" may be a name of its own
        return before.has("each", "all")
    return before.kind == "mark" or bool(before.cues - {"task_weak"})


def _task_nouns(lexemes: list[Lexeme]) -> list[str]:
    return [lexeme.text.lower() for lexeme in lexemes if lexeme.has("task", "task_weak")]


def number_list(lexemes: list[Lexeme], at: int) -> list[str]:
    """The labels of "1, 2 i 3" that ends at `at`; empty for fewer than two numbers."""
    found: list[str] = []
    while at >= 0:
        label = number_label(lexemes[at])
        if label is None or not lexemes[at].text[:1].isdigit():
            break
        found.insert(0, label)
        at -= 1
        joined = at
        while joined >= 0 and (lexemes[joined].is_mark(",") or lexemes[joined].has("and")):
            joined -= 1
        if joined == at:
            break
        at = joined
    ordered = all(int(one) < int(two) for one, two in pairwise(found))
    if at >= 0 and lexemes[at].has("task", "task_weak"):
        return []
    return found if len(found) > 1 and ordered else []


def counted_before(lexemes: list[Lexeme], at: int, scene: Scene) -> int | None:
    """The last word of the tasks counted in the clause that ends at `at` ("three bikes to fix")."""
    for start in range(at, max(-1, at - 7), -1):
        if lexemes[start].kind in ("mark", "amount"):
            return None
        counted = counted_at(lexemes, start, scene.language)
        if counted is not None:
            free = not lexemes[start].used and not counted.is_machine
            return counted.end - 1 if free and counted.end <= at + 1 else None
    return None


def object_count(lexemes: list[Lexeme], start: int, scene: Scene) -> bool:
    """Whether a count belongs to a name: "pakowanie 10 kartonów", "packing 10 boxes"."""
    before = lexemes[start - 1]
    if not nameable(before, scene.language) or before.has("task", "task_weak", "machine"):
        return False
    return scene.language == "pl" or before.text.lower().endswith("ing")


def labels_before(lexemes: list[Lexeme], at: int, scene: Scene) -> list[Entity]:
    """The tasks of "jobs 1-4", "zadania A, B i C" whose last label is at `at`."""
    start = at
    while start >= 0 and not lexemes[start].has("task", "task_weak"):
        lexeme = lexemes[start]
        joined = lexeme.is_mark(",-&") or lexeme.has("and") or lexeme.text.lower() in ("to", "do")
        if not joined and lexeme.kind not in ("number", "range", "word"):
            return []
        start -= 1
    if start < 0 or start == at:
        return []
    names, end = labels_from(lexemes, start + 1, scene.language, False, None)
    if not names or end != at + 1:
        return []
    return [
        scene.add("task", name.id, list(name.words), lexemes[name.start].start) for name in names
    ]


def names_before(lexemes: list[Lexeme], at: int, scene: Scene, shared: bool) -> list[Name]:
    """The name that ends at `at`, and those listed with it without a duration of their own."""
    if lexemes[at].is_mark(",)"):
        at = _before_aside(lexemes, at)
        if at < 0:
            return []
    name = name_before(lexemes, at, scene.language)
    if name is None:
        return []
    names = [name]
    start = name.start
    while shared and start > 1:
        position = start - 1
        while position >= 0 and lexemes[position].text in ("the", "a", "an"):
            position -= 1
        joined = position
        while joined >= 0 and (lexemes[joined].is_mark(",") or lexemes[joined].has("and")):
            joined -= 1
        if joined == position or joined < 0:
            break
        other = name_before(lexemes, joined, scene.language)
        if other is None or (other.start and lexemes[other.start - 1].kind == "number"):
            break
        ruled = other.start - 1
        while ruled >= 0 and lexemes[ruled].text in ("the", "a", "an"):
            ruled -= 1
        if ruled >= 0 and lexemes[ruled].has("on", "after", "before", "from"):
            break
        thing = scene.matching(list(other.words))
        if thing is not None and thing.kind == "machine":
            break
        names.insert(0, other)
        start = other.start
    return names


def clause_subject(lexemes: list[Lexeme], at: int, scene: Scene) -> Entity | None:
    """The subject at the start of the clause: "truck T1 arrives at 8:00 and needs 1 h"."""
    for start in range(at, -1, -1):
        opened = start == 0 or lexemes[start - 1].is_mark(",:(") or lexemes[start - 1].has("and")
        if not opened:
            continue
        first = start
        while first < at and lexemes[first].text in ("the", "a", "an"):
            first += 1
        name = name_at(lexemes, first, scene.language, label=False)
        if name is None or name.end > at or lexemes[name.end].kind == "mark":
            continue
        thing = scene.matching(list(name.words))
        if thing is not None and thing.kind == "machine":
            return None
        return scene.add("task", name.id, list(name.words), lexemes[name.start].start)
    return None


def _before_aside(lexemes: list[Lexeme], at: int) -> int:
    """The place before a comma or before a closed parenthesis that ends at `at`."""
    if lexemes[at].is_mark(","):
        return at - 1 if at and not lexemes[at - 1].is_time else -1
    while at >= 0 and not lexemes[at].is_mark("("):
        if lexemes[at].is_time:
            return -1
        at -= 1
    return at - 1


def rename_labelled(sentences: list[Sentence], scene: Scene) -> None:
    """ "Sample alpha … after alpha": what is mentioned without its kind is a label."""
    lexemes = [lexeme for sentence in sentences for lexeme in sentence.lexemes]
    _strip_shared_noun(scene)
    _strip_after_codes(scene)
    for task in scene.tasks:
        if len(task.words) != 2 or task.words[1][:1].isupper():
            continue
        if scene.language == "pl" and is_genitive(task.words[1]):
            continue  # "partia herbaty"
        for before, lexeme in pairwise(lexemes):
            if not same_word(lexeme.text, task.words[1], scene.language):
                continue
            kind = [part for part in lexemes if part.text == task.words[0]]
            if (
                kind
                and kind[0].has("task_weak")
                and not same_word(before.text, task.words[0], scene.language)
            ):
                task.words = task.words[1:]
                task.id = task.id.split(" ", 1)[1]
                break


def _strip_after_codes(scene: Scene) -> None:
    """ "Z1 rozładunek 40 min, Z2 załadunek 30 min": numbered codes of one letter are the names."""
    coded = [task for task in scene.tasks if _CODE.fullmatch(task.words[0])]
    letters = {task.words[0].rstrip("0123456789") for task in coded}
    codes = {task.words[0] for task in coded}
    if len(coded) < 2 or len(letters) != 1 or len(codes) != len(coded):
        return
    for task in coded:
        if all(word.islower() and word.isalpha() for word in task.words[1:]):
            task.words, task.id = task.words[:1], task.words[0]


def _strip_shared_noun(scene: Scene) -> None:
    """ "container A, container B": a noun that several labels follow is their kind."""
    if scene.language != "pl":
        return  # "cut A" is a verb with its object
    paired = [task for task in scene.tasks if len(task.words) == 2 and _short(task.words[1])]
    for task in paired:
        if len(task.words) == 1:
            continue
        shared = [
            other
            for other in paired
            if len(other.words) == 2
            and same_word(other.words[0], task.words[0], scene.language)
            and other.words[1] != task.words[1]
        ]
        if not shared or any(scene.named("task", part.words[1]) for part in (task, *shared)):
            continue
        for part in (task, *shared):
            scene.nouns["task"].add(part.words[0].lower())
            part.noun = part.words[0]
            part.words = part.words[1:]
            part.id = part.words[0]


def _short(label: str) -> bool:
    return label.isdigit() or (len(label) == 1 and label.isupper())

"""Totals: tasks that are counted, and durations that hold for all of them or for the others."""

from __future__ import annotations

from gibbsite.formalizer.counting import counted_at
from gibbsite.formalizer.durations import Said, two_values
from gibbsite.formalizer.inflection import same_word
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Scene

__all__ = ["complete", "count_tasks", "name_counted_things"]


def name_counted_things(sentences: list[Sentence], scene: Scene, said: Said) -> None:
    """ "Nine frames. A frame takes 2 h": the name is what the counted things are."""
    for sentence in sentences:
        for start, lexeme in enumerate(sentence.lexemes):
            if lexeme.kind != "number" or lexeme.used:
                continue
            counted = counted_at(sentence.lexemes, start, scene.language)
            if counted is None or not counted.nouns or lexeme.used:
                continue
            for task in list(scene.tasks):
                named = len(task.words) == 1 and any(
                    same_word(task.words[0], noun, scene.language) for noun in counted.nouns
                )
                if named and task.amount is not None and not task.id[:1].isupper():
                    scene.tasks.remove(task)
                    scene.nouns["task"].update(counted.nouns)
                    said.every.append((task.amount, lexeme))


def count_tasks(
    lexemes: list[Lexeme], scene: Scene, any_noun: bool, grouped: int, manned: bool
) -> None:
    """Declared totals: "10 zadań", "six jobs"; those with durations were read as groups."""
    for start, lexeme in enumerate(lexemes):
        if lexeme.kind != "number" or lexeme.used:
            continue
        counted = counted_at(lexemes, start, scene.language)
        if counted is None or (counted.is_machine and not any_noun):
            continue
        known = any(noun in scene.nouns["task"] for noun in counted.nouns)
        opens = counted.end < len(lexemes) and lexemes[counted.end].is_mark(":,-(")
        last = lexemes[-1].end
        listed = manned and sum(lexeme.end <= task.place <= last for task in scene.tasks)
        if not known and opens and counted.nouns and counted.number in (grouped, listed):
            # "five sets: two of 40 min and three of 1 h"
            scene.nouns["task"].update(counted.nouns)
            known = True
        if start and lexemes[start - 1].has("task", "task_weak") and lexeme.text[0].isdigit():
            continue
        if not (counted.is_task or known or any_noun):
            continue
        lexeme.used = True
        if start and lexemes[start - 1].has("others"):
            continue
        scene.count("task", counted.number, lexeme)


def complete(scene: Scene, said: Said) -> None:
    """Number the counted tasks, and hand out what was said of all of them or of the others."""
    for amounts in said.listed:
        open_tasks = [task for task in scene.tasks if task.amount is None]
        if open_tasks and len(open_tasks) == len(amounts):
            for task, amount in zip(open_tasks, amounts, strict=True):
                task.amount = amount
            continue
        for amount in amounts:
            said.grouped += 1
            name = str(said.grouped)
            task = scene.add("task", name, [name], 0)
            task.from_count = True
            task.amount = amount
    _reconcile_count(scene, said)
    for amount, _ in said.others:
        for task in scene.tasks:
            task.amount = task.amount or amount
    for amount, lexeme in said.every:
        for task in scene.tasks:
            if task.amount is not None and task.amount != amount:
                if len(said.every) > 1 or task.from_count:
                    raise two_values(task, lexeme.text)
                continue
            task.amount = amount


def _reconcile_count(scene: Scene, said: Said) -> None:
    if scene.task_count is None:
        return
    number, lexeme = scene.task_count
    names = [task.id for task in scene.tasks]
    numeric = all(name.isdigit() for name in names)
    if numeric and all(1 <= int(name) <= number for name in names):
        grouped = [task.id for task in scene.tasks if task.from_count]
        if grouped and len(grouped) == len(names) != number and not said.others:
            raise _wrong_count(number, lexeme, names)
        if number > 1000:
            scene.add("task", "", [""], 0)
        for position in range(1, number + 1):
            name = str(position)
            scene.add("task", name, [name], lexeme.start)
        scene.tasks.sort(key=lambda task: int(task.id))
    elif len(names) != number:
        raise _wrong_count(number, lexeme, names)


def _wrong_count(number: int, lexeme: Lexeme, names: list[str]) -> FormalizationError:
    return FormalizationError(
        "contradiction",
        f"the text counts {number} tasks ({lexeme.text!r}) and gives {len(names)}: "
        f"{', '.join(names[:8])}; correct the number or the list",
        f"{lexeme.text}: {', '.join(names[:8])}",
    )

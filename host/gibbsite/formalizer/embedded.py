"""The embedded formalizer: schedules in Polish and English by a deterministic grammar.

It uses no network and no model weights: a tokenizer, a lexicon for each language, the Morfeusz
dictionary for Polish forms, and small readers for times, names, machines, tasks and relations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from gibbsite.formalizer.document import document_of
from gibbsite.formalizer.kinds import asks_for_schedule, refuse_other_kinds
from gibbsite.formalizer.lexer import Sentence, sentences
from gibbsite.formalizer.lexicon import detect_language
from gibbsite.formalizer.machines import (
    count_unknown_machines,
    find_machines,
    find_single_machines,
)
from gibbsite.formalizer.mentions import place_first_mentions
from gibbsite.formalizer.objectives import read_objective
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.relations import read_relations
from gibbsite.formalizer.scene import Scene
from gibbsite.formalizer.subjects import rename_labelled
from gibbsite.formalizer.tables import write_out_tables
from gibbsite.formalizer.tasks import find_tasks
from gibbsite.formalizer.tokens import tokenize
from gibbsite.problem import Problem

__all__ = ["MAX_LENGTH", "EmbeddedFormalizer", "Formalization", "Formalizer"]

MAX_LENGTH: Final = 20_000
"""Characters of a request; longer texts are refused."""


@dataclass(frozen=True, slots=True)
class Formalization:
    """A problem and the choices that were made where the text left one open, as sentences."""

    problem: Problem
    notes: tuple[str, ...] = field(default=())


@runtime_checkable
class Formalizer(Protocol):
    """Anything that turns a request into a problem, or refuses it with `FormalizationError`."""

    def formalize(self, text: str) -> Problem:
        """The problem that `text` describes."""
        ...


class EmbeddedFormalizer:
    """The `Formalizer` that needs nothing but this package."""

    def formalize(self, text: str) -> Problem:
        """The problem that `text` describes.

        Raises: `FormalizationError` with its reason, the words that caused it, and the next step.
        """
        return self.formalize_with_notes(text).problem

    def formalize_with_notes(self, text: str) -> Formalization:
        """The problem, with a note for each choice that the text left open."""
        if len(text) > MAX_LENGTH:
            raise FormalizationError(
                "not_understood",
                f"a request has at most {MAX_LENGTH} characters, found {len(text)}; shorten it or "
                "write the problem as a JSON document",
                text[:40],
            )
        text = write_out_tables(text)
        tokens = tokenize(text)
        if not any(token.kind in ("word", "number") for token in tokens):
            raise FormalizationError(
                "not_understood",
                "a request has at least one word, found none; describe tasks, their durations and "
                "the machines in Polish or English",
                text.strip()[:40],
            )
        language, foreign = detect_language(tokens)
        if language is None:
            words = " ".join(token.text for token in foreign[:6])
            raise FormalizationError(
                "not_understood",
                f"requests are understood in Polish and English, found {words!r}; write it in one "
                "of these",
                words,
            )
        refuse_other_kinds(tokens, language)
        parts = sentences(tokens, language)
        scene = Scene(language, text)
        find_machines(parts, scene)
        find_tasks(parts, scene)
        rename_labelled(parts, scene)
        if not scene.machines and scene.machine_count is None:
            find_single_machines(parts, scene)
        if scene.tasks and not scene.machines and scene.machine_count is None:
            count_unknown_machines(parts, scene)
        _number_machines(scene)
        if not scene.tasks:
            raise _no_tasks(text, bool(scene.machines) and asks_for_schedule(tokens, language))
        if not scene.machines:
            scene.notes.append("no machine is mentioned: one machine '1' is taken")
            scene.add("machine", "1", ["1"], 0)
        place_first_mentions(parts, scene)
        if all(task.amount is None for task in scene.tasks):
            document_of(scene)
        read_relations(parts, scene)
        scene.objective = read_objective(parts, language)
        problem = document_of(scene)
        _refuse_unread(parts, scene)
        _note_open_choices(scene)
        return Formalization(problem, tuple(scene.notes))


def _no_tasks(text: str, asked: bool) -> FormalizationError:
    words = " ".join(text.split())[:60]
    if asked:
        return FormalizationError(
            "missing_durations",
            f"every task needs a duration, and {words!r} gives none; say how long each task takes",
            words,
        )
    return FormalizationError(
        "not_understood",
        "only schedules are understood for now, and no task with a duration is found in "
        f"{words!r}; name tasks with their durations, and machines",
        words,
    )


def _number_machines(scene: Scene) -> None:
    """Number counted machines; a count that differs from the names contradicts them."""
    if scene.machine_count is None:
        return
    number, lexeme = scene.machine_count
    names = [machine.id for machine in scene.machines]
    if all(name.isdigit() and 1 <= int(name) <= number for name in names):
        for position in range(1, number + 1):
            scene.add("machine", str(position), [str(position)], lexeme.start)
        scene.machines.sort(key=lambda machine: int(machine.id))
    elif len(names) != number:
        raise FormalizationError(
            "contradiction",
            f"the text counts {number} machines ({lexeme.text!r}) and names {len(names)}: "
            f"{', '.join(names[:8])}; correct the number or name them all",
            f"{lexeme.text}: {', '.join(names[:8])}",
        )


def _refuse_open_durations(sentence: Sentence, scene: Scene) -> None:
    """Refuse "A takes twice as long as B": a verb of duration without an amount of time."""
    for position, lexeme in enumerate(sentence.lexemes):
        if not lexeme.has("takes") or lexeme.has("duration", "needs") or lexeme.text == "last":
            continue
        if any(other.kind == "amount" for other in sentence.lexemes):
            continue
        first = sentence.lexemes[max(0, position - 3)]
        last = sentence.lexemes[min(len(sentence.lexemes) - 1, position + 4)]
        words = scene.text[first.start : last.end]
        raise FormalizationError(
            "not_understood",
            f"a duration is an amount of time such as 2 h, and {words!r} gives none; write it so",
            words,
        )


def _refuse_unread(parts: list[Sentence], scene: Scene) -> None:
    """Refuse when a time or a number was read by no statement: nothing is dropped silently."""
    for sentence in parts:
        _refuse_open_durations(sentence, scene)
        for position, lexeme in enumerate(sentence.lexemes):
            if lexeme.used or not (lexeme.is_time or lexeme.kind in ("range", "number")):
                continue
            if lexeme.kind == "number" and (lexeme.number == 1 and lexeme.text.isalpha()):
                continue
            if any(
                word in thing.words
                for thing in (*scene.tasks, *scene.machines)
                for word in lexeme.text.split()
            ):
                continue
            first = sentence.lexemes[max(0, position - 4)]
            last = sentence.lexemes[min(len(sentence.lexemes) - 1, position + 3)]
            words = scene.text[first.start : last.end]
            raise FormalizationError(
                "not_understood",
                f"every number must say something about a task or machine, and {lexeme.text!r} in "
                f"{words!r} is not understood; say it in other words or leave it out",
                words,
            )


def _note_open_choices(scene: Scene) -> None:
    if any(machine.all_day for machine in scene.machines):
        scene.notes.append("around the clock is one window of 24 hours from the start")
    bare = any(
        moment.unit == "bare"
        for machine in scene.machines
        for window in machine.windows
        for moment in window
    )
    if bare:
        scene.notes.append("plain numbers such as 8-16 are hours of the clock, or days")

"""The scene: what a text has said so far about tasks and machines, before it becomes a document."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, TypeAlias

from gibbsite.formalizer.inflection import same_word
from gibbsite.formalizer.lexemes import Amount, Lexeme, Moment
from gibbsite.formalizer.lexicon import Language
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.problem import Objective

__all__ = ["MAX_THINGS", "Entity", "EntityKind", "Scene", "Window"]

EntityKind: TypeAlias = Literal["task", "machine"]
Window: TypeAlias = tuple[Moment, Moment]

MAX_THINGS = 1000
"""More tasks or machines than this are refused before they are written out."""


@dataclass(eq=False, slots=True)
class Entity:
    """A task or a machine: its id, the words of its name, and what the text says of it."""

    kind: EntityKind
    id: str
    words: tuple[str, ...]
    place: int
    amount: Amount | None = None
    release: Moment | None = None
    deadline: Moment | None = None
    after: list[Entity] = field(default_factory=list)
    allowed: list[Entity] | None = None
    barred: list[Entity] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    breaks: list[Window] = field(default_factory=list)
    windows_from: int = -1
    all_day: bool = False
    from_count: bool = False
    noun: str = ""


@dataclass(eq=False)
class Scene:
    """Tasks and machines in the order of their first mention, the objective, and the notes."""

    language: Language
    text: str
    tasks: list[Entity] = field(default_factory=list)
    machines: list[Entity] = field(default_factory=list)
    task_count: tuple[int, Lexeme] | None = None
    machine_count: tuple[int, Lexeme] | None = None
    objective: Objective = "makespan"
    first: list[Entity] = field(default_factory=list)
    last: list[Entity] = field(default_factory=list)
    groups: dict[int, list[Entity]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    nouns: dict[EntityKind, set[str]] = field(
        default_factory=lambda: {"task": set(), "machine": set()}
    )

    def things(self, kind: EntityKind) -> list[Entity]:
        """All tasks or all machines."""
        return self.tasks if kind == "task" else self.machines

    def named(self, kind: EntityKind, name: str) -> Entity | None:
        """The thing with this id."""
        return next((thing for thing in self.things(kind) if thing.id == name), None)

    def group_at(self, lexeme: Lexeme) -> list[Entity]:
        """The tasks that a count in the text introduced ("three jobs")."""
        return self.groups.get(lexeme.start, [])

    def matching(self, words: list[str]) -> Entity | None:
        """The thing that these words name, in whatever form."""
        for thing in (*self.tasks, *self.machines):
            if self.same(thing, words):
                return thing
        return None

    def same(self, thing: Entity, words: list[str]) -> bool:
        """Whether these words are the thing's name, in whatever form."""
        return len(words) == len(thing.words) and all(
            same_word(own, word, self.language)
            for own, word in zip(thing.words, words, strict=True)
        )

    def add(self, kind: EntityKind, name: str, words: list[str], place: int) -> Entity:
        """A new thing, or the one that has this name already."""
        known = self.named(kind, name)
        if known is None and not name.isdigit():
            known = next((t for t in self.things(kind) if self.same(t, words)), None)
        if known is not None:
            known.place = min(known.place, place) if place else known.place
            return known
        if len(self.things(kind)) >= MAX_THINGS:
            raise FormalizationError(
                "not_understood",
                f"at most {MAX_THINGS} tasks or machines are read from a text, and this one has "
                f"more; split the request or write it as a JSON document",
                name,
            )
        thing = Entity(kind, name, tuple(words), place)
        self.things(kind).append(thing)
        return thing

    def count(self, kind: EntityKind, number: Fraction, lexeme: Lexeme) -> None:
        """Note that the text counts its tasks or machines; two different counts contradict."""
        value = int(number)
        if value < 1:
            raise FormalizationError(
                "not_understood",
                f"a schedule has at least one of its {kind}s, found {lexeme.text!r}; give a number "
                "from 1 on",
                lexeme.text,
            )
        known = self.task_count if kind == "task" else self.machine_count
        if known is not None and known[0] != value:
            raise FormalizationError(
                "contradiction",
                f"the {kind}s are counted once, found {known[1].text!r} and {lexeme.text!r}; "
                "correct one of the two",
                f"{known[1].text} … {lexeme.text}",
            )
        if kind == "task":
            self.task_count = (value, lexeme)
        else:
            self.machine_count = (value, lexeme)

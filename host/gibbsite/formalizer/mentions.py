"""Mentions: where a sentence speaks of known tasks and machines, in whatever form."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from gibbsite.formalizer.counting import counted_at, is_plural, labels_from, skip_aside
from gibbsite.formalizer.inflection import base_form, same_word
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.names import number_label
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, EntityKind, Scene

__all__ = ["Item", "items_of", "place_first_mentions"]

ItemKind: TypeAlias = Literal["task", "machine", "lexeme"]
_KINDS: Final[tuple[EntityKind, ...]] = ("task", "machine")
_ARTICLES: Final = frozenset(
    {"the", "a", "an", "of", "our", "these", "those", "te", "tych", "z", "nich"}
)


@dataclass(slots=True)
class Item:
    """A mention of things of one kind, or one other lexeme.

    `every` says that all things of the kind are meant, `others` that all but those named are.
    """

    kind: ItemKind
    lexemes: list[Lexeme]
    things: list[Entity] = field(default_factory=list)
    every: bool = False
    others: bool = False
    none: bool = False
    words: tuple[str, ...] = ()
    defines: bool = False

    @property
    def lexeme(self) -> Lexeme:
        """The first lexeme."""
        return self.lexemes[0]

    def has(self, *cues: str) -> bool:
        """Whether this is a cue of one of these roles."""
        return self.kind == "lexeme" and self.lexeme.has(*cues)

    def is_mark(self, marks: str) -> bool:
        """Whether this is one of these punctuation marks."""
        return self.kind == "lexeme" and self.lexeme.is_mark(marks)


def items_of(sentence: Sentence, scene: Scene) -> list[Item]:
    """The sentence with its mentions of tasks and machines found."""
    items: list[Item] = []
    at = 0
    lexemes = sentence.lexemes
    while at < len(lexemes):
        found = (
            _shared_head(lexemes, at, scene)
            or _quantified(lexemes, at, scene)
            or _named(lexemes, at, scene)
            or _labelled(lexemes, at, scene)
            or _kind(lexemes, at, scene)
        )
        if found is not None:
            item, at = found
            items.append(item)
            after = _skip_duration(lexemes, at)
            item.defines = after > at
            at = _skip_explanation(lexemes, after, scene)
            continue
        items.append(Item("lexeme", [lexemes[at]]))
        at += 1
    return items


def _skip_duration(lexemes: list[Lexeme], at: int) -> int:
    """The place after "(2 h)", when the parenthesis holds the duration only."""
    end = skip_aside(lexemes, at)
    inside = lexemes[at + 1 : end - 1]
    return end if len(inside) == 1 and inside[0].kind == "amount" and inside[0].used else at


def _skip_explanation(lexemes: list[Lexeme], at: int, scene: Scene) -> int:
    """The place after "(press)" behind a mention, when it says nothing else."""
    end = skip_aside(lexemes, at)
    inside = lexemes[at + 1 : end - 1]
    if end == at or any(
        lexeme.kind != "word" or lexeme.cues - {"filler", "machine", "task_weak", "workday"}
        for lexeme in inside
    ):
        return at
    if any(_named(inside, start, scene) for start in range(len(inside))):
        return at
    return end


def _kind_of(lexeme: Lexeme, scene: Scene) -> EntityKind | None:
    if lexeme.kind != "word":
        return None
    low = lexeme.text.lower()
    known: list[tuple[EntityKind, set[str]]] = [
        ("task", scene.nouns["task"]),
        ("machine", scene.nouns["machine"]),
    ]
    for kind, nouns in known:
        if low in nouns:
            return kind
    if lexeme.has("task"):
        return "task"
    for kind, nouns in known:
        if not lexeme.cues - {"task_weak", "machine"} and any(
            same_word(low, noun, scene.language) for noun in nouns if len(noun) > 3
        ):
            return kind
    if lexeme.has("machine"):
        return "machine"
    return "task" if lexeme.has("task_weak") else None


def _quantified(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """ "each job", "both machines", "the other tasks", "everything", "all five ovens"."""
    first = lexemes[at]
    if first.has("everything"):
        return Item("task", [first], list(scene.tasks), every=True), at + 1
    if first.kind == "number" and at + 1 < len(lexemes):
        return _counted_things(lexemes, at, scene)
    if not first.has("each", "all", "others", "none"):
        return None
    if at == 0 and first.text.lower() in _ALL and len(lexemes) > 1 and _of_tasks(lexemes):
        return Item("task", [first], list(scene.tasks), every=True), 1
    others = first.has("others")
    end = at + 1
    while end < len(lexemes) and (
        lexemes[end].text.lower() in _ARTICLES or lexemes[end].has("others", "all")
    ):
        others = others or lexemes[end].has("others")
        end += 1
    if end < len(lexemes) and lexemes[end].kind == "number":
        end += 1
    named = _named(lexemes, end, scene) if first.has("none") and end < len(lexemes) else None
    if named is not None and named[0].kind == "task":
        named[0].none = True  # "no mixing in studio A"
        return named
    found: EntityKind | None = None
    start = end
    while end < len(lexemes) and end - start < 3:
        found = _kind_of(lexemes[end], scene) or found
        if found is not None or lexemes[end].kind != "word":
            break
        end += 1
    if found is None:
        if others and not (start < len(lexemes) and _nominal(lexemes[start])):
            kind: EntityKind = "machine" if _windowed(lexemes, start) else "task"
            item = Item(kind, lexemes[at:start], list(scene.things(kind)), others=True)
            return item, start
        return None
    if first.text.lower() in _BOTH and found == "task" and len(scene.tasks) != 2:
        raise FormalizationError(
            "not_understood",
            f"two of {len(scene.tasks)} tasks are meant by {first.text!r}, and the text does not "
            "say which; name them",
            first.text,
        )
    for lexeme in lexemes[at : end + 1]:
        lexeme.used = True
    things = list(scene.things(found))
    item = Item(found, lexemes[at : end + 1], things, every=not others, others=others)
    item.none = first.has("none")
    return item, end + 1


def _shared_head(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """ "both assemblies", "oba rodzaje testów": the tasks whose names begin with this noun."""
    if lexemes[at].text.lower() not in _BOTH:
        return None
    end = at + 1
    while end < len(lexemes) and (
        lexemes[end].text.lower() in _ARTICLES or lexemes[end].text.lower().startswith(_SORTS)
    ):
        end += 1
    if end >= len(lexemes) or lexemes[end].kind != "word":
        return None
    word = lexemes[end].text
    found = [
        task
        for task in scene.tasks
        if (len(task.words) > 1 or task.noun)
        and any(same_word(own, word, scene.language) for own in (*task.words, task.noun))
    ]
    if len(found) != 2:
        return None
    return Item("task", lexemes[at : end + 1], found), end + 1


_BOTH: Final = frozenset(["both", "oba", "obie", "obu", "obydwa", "obydwie", "obydwu"])
_SORTS: Final = ("rodzaj", "typ", "kind", "type", "sort")
_ALL: Final = frozenset({"all", "all of them", "wszystkie", "all of these"})


def _of_tasks(lexemes: list[Lexeme]) -> bool:
    """Whether "all" alone speaks of tasks: "all must be done by 11:30"."""
    opens = lexemes[1].has("filler") and not lexemes[1].has("on", "available")
    return opens and not any(part.has("available", "break") for part in lexemes)


def _windowed(lexemes: list[Lexeme], at: int) -> bool:
    """Whether working hours follow here: "the others 7:00-15:00"."""
    for lexeme in lexemes[at : at + 4]:
        ranged = lexeme.amount is not None and lexeme.amount.is_range and lexeme.amount.low == 0
        if lexeme.kind in ("window", "range") or lexeme.has("allday") or ranged:
            return True
        if not (lexeme.has("available", "filler", "only") or lexeme.is_mark(":-")):
            return False
    return False


def _counted_things(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """ "one machine that …", "three jobs must …": what was counted, as a subject."""
    counted = counted_at(lexemes, at, scene.language)
    if counted is None or counted.end == at + 1 or not lexemes[at].used:
        return None
    group = scene.group_at(lexemes[at])
    if group:
        return Item("task", lexemes[at : counted.end], list(group)), counted.end
    for kind in _KINDS:
        count = scene.task_count if kind == "task" else scene.machine_count
        things = scene.things(kind)
        if count is not None and count[1] is lexemes[at] and len(things) == counted.number:
            return Item(kind, lexemes[at : counted.end], list(things), every=True), counted.end
    return None


def _named(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """The longest name of a known thing that starts here."""
    best: tuple[Entity, int] | None = None
    if lexemes[at].kind not in ("word", "ordinal", "number"):
        return None
    for thing in (*scene.tasks, *scene.machines):
        if thing.id.isdigit():
            continue
        length = _match(lexemes, at, thing, scene)
        exact = length and lexemes[at].text.lower() == thing.words[0].lower()
        if length and (best is None or length > best[1] or (exact and length == best[1])):
            best = (thing, length)
    if best is None:
        best = _partly_named(lexemes, at, scene)
    if best is None:
        return None
    thing, length = best
    words = tuple(word for part in lexemes[at : at + length] for word in part.text.split())
    return Item(thing.kind, lexemes[at : at + length], [thing], words=words), at + length


def _partly_named(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Entity, int] | None:
    """One word of a name of several ("panele" for "układanie paneli"), when it is of one task."""
    lexeme = lexemes[at]
    if lexeme.kind != "word" or lexeme.cues or len(lexeme.text) < 4:
        return None
    found = [
        task
        for task in scene.tasks
        if len(task.words) > 1
        and any(same_word(word, lexeme.text, scene.language) for word in task.words)
    ]
    if len(found) != 1 or found[0].place >= lexeme.start:
        return None
    return found[0], 1


def _match(lexemes: list[Lexeme], at: int, thing: Entity, scene: Scene) -> int:
    """How many lexemes from `at` on are this thing's name; 0 when they are not."""
    wanted = list(thing.words)
    end = at
    while wanted and end < len(lexemes) and lexemes[end].kind in ("word", "ordinal", "number"):
        linking = lexemes[end].kind == "word" and lexemes[end].has("filler", "and")
        if linking and end > at and lexemes[end].text.lower() != wanted[0].lower():
            return 0
        for word in lexemes[end].text.split():
            alone = (
                end + 1 >= len(lexemes)
                or bool(lexemes[end + 1].cues - {"task", "task_weak", "machine"})
                or lexemes[end + 1].kind != "word"
            )
            inner = bool(wanted) and end > at and word.lower() == wanted[0].lower()
            if not wanted or not (inner or _word_of(word, wanted[0], lexemes[end], scene, alone)):
                return 0
            wanted.pop(0)
        end += 1
    return end - at if not wanted else 0


def _word_of(word: str, name: str, lexeme: Lexeme, scene: Scene, alone: bool) -> bool:
    if len(name) < 3 and lexeme.cues:
        return word == name and alone and (not lexeme.has("filler") or word.islower())
    return same_word(word, name, scene.language)


def _labelled(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """ "job 7", "zadania 1-4", "oven 2", "the second oven"."""
    noun = lexemes[at]
    if noun.kind == "number" and _ordered_number(lexemes, at):
        thing = scene.named("task", str(noun.number))
        if thing is not None:
            noun.used = True
            return Item("task", [noun], [thing]), at + 1
        return None
    if noun.kind == "ordinal" and noun.number is not None:
        last = at + 1 >= len(lexemes)
        kind = None if last else _kind_of(lexemes[at + 1], scene)
        if kind is None and (last or not _nominal(lexemes[at + 1])) and at >= 2:
            # "the first machine works 0-8 h, the second 8-16 h"
            same = next(
                (
                    _kind_of(after, scene)
                    for before, after in pairwise(lexemes[:at])
                    if before.kind in ("ordinal", "number") and _kind_of(after, scene)
                ),
                None,
            )
            thing = scene.named(same, str(int(noun.number))) if same else None
            if same and thing:
                noun.used = True
                return Item(same, [noun], [thing]), at + 1
            return None
        thing = scene.named(kind, str(int(noun.number))) if kind else None
        if kind and thing and not is_plural(lexemes[at + 1], scene.language):
            noun.used = True
            return Item(kind, lexemes[at : at + 2], [thing]), at + 2
        return None
    kind = _kind_of(noun, scene)
    if kind is None or at + 1 >= len(lexemes):
        return None
    if lexemes[at + 1].kind == "ordinal" and scene.language == "pl":
        thing = scene.named(kind, str(int(lexemes[at + 1].number or 0)))
        if thing is not None:
            lexemes[at + 1].used = True
            return Item(kind, lexemes[at : at + 2], [thing]), at + 2
    if lexemes[at + 1].kind in ("number", "range"):
        names, _ = labels_from(lexemes, at + 1, scene.language, False, None)
        things = []
        end = at + 1
        for name in names:
            thing = scene.named(kind, name.id)
            if thing is None or lexemes[name.start].kind not in ("number", "range"):
                break
            things.append(thing)
            end = name.end
        if things:
            for lexeme in lexemes[at:end]:
                lexeme.used = True
            return Item(kind, lexemes[at:end], things), end
    following = _named(lexemes, at + 1, scene)
    if following is not None and following[0].kind == kind:
        item, end = following
        return Item(kind, lexemes[at:end], item.things, words=item.words), end
    return None


def _ordered_number(lexemes: list[Lexeme], at: int) -> bool:
    """Whether a bare number is a task in "1 before 3", on either side."""
    order = ("after", "before", "precedes", "follows")
    if at + 2 < len(lexemes) and lexemes[at + 1].has(*order):
        return lexemes[at + 2].kind == "number"
    if at >= 2 and lexemes[at - 1].has(*order):
        return lexemes[at - 2].kind == "number"
    return False


def _nominal(lexeme: Lexeme) -> bool:
    return lexeme.kind == "word" and not lexeme.cues


def _kind(lexemes: list[Lexeme], at: int, scene: Scene) -> tuple[Item, int] | None:
    """ "the machines": all of them; "the oven": the only one."""
    noun = lexemes[at]
    kind = _kind_of(noun, scene)
    if kind is None or (noun.cues - {"task", "task_weak", "machine", "workday"}):
        return None
    before = lexemes[at - 1] if at else None
    if before is not None and (before.kind in ("number", "ordinal") or before.has("any", "only")):
        return None
    things = scene.things(kind)
    if is_plural(noun, scene.language) or len(things) == 1:
        return Item(kind, [noun], list(things), every=True), at + 1
    return None


def place_first_mentions(sentences: list[Sentence], scene: Scene) -> None:
    """Order things by their first mention, and take their ids from there."""
    first: dict[int, tuple[Item, Entity]] = {}
    for sentence in sentences:
        items = items_of(sentence, scene)
        for position, item in enumerate(items):
            if item.every or item.others or len(item.things) != 1 or not item.words:
                continue
            thing = item.things[0]
            if id(thing) in first:
                continue
            first[id(thing)] = (item, thing)
            before = items[position - 1] if position else None
            _rename(thing, item, before, scene)
    for thing in (*scene.tasks, *scene.machines):
        if id(thing) in first:
            item, _ = first[id(thing)]
            exact = scene.language == "pl" or [word.lower() for word in item.words] == [
                word.lower() for word in thing.words
            ]
            if exact:
                thing.place = min(thing.place, item.lexeme.start)
    for kind in _KINDS:
        things = scene.things(kind)
        numbered = kind == "machine" or scene.task_count or any(t.from_count for t in things)
        if all(thing.id.isdigit() for thing in things) and numbered:
            things.sort(key=lambda thing: int(thing.id))
        else:
            things.sort(key=lambda thing: thing.place)


def _rename(thing: Entity, item: Item, before: Item | None, scene: Scene) -> None:
    """Take the id from the first mention where that stands before the one that defined it."""
    here = any(lexeme.start == thing.place for lexeme in item.lexemes)
    if here or item.lexeme.start >= thing.place or number_label(item.lexeme) is not None:
        return
    words = list(item.words)
    if scene.language == "pl":
        oblique = before is not None and not before.is_mark(",:(")
        base = base_form(words, oblique)
        if base == words and words != list(thing.words) and thing.id.lower() != words[0].lower():
            lower = words[0][:1].islower()
            base = [thing.id[:1].lower() + thing.id[1:] if lower else thing.id]
        thing.id = " ".join(base)
    elif " ".join(words).lower() == thing.id.lower():
        thing.id = " ".join(words)

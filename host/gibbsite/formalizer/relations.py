"""Relations: what the sentences say of known tasks and machines.

A clause is read from left to right with a subject (the things last named where no relation was
waiting for an object), at most one relation that waits for its object, and three switches (negation,
"only", "break"). What comes before its subject ("after sanding, painting …") is kept until the
subject appears, and falls to the subject of the sentence before when none does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gibbsite.formalizer.facts import (
    add_break,
    add_predecessors,
    add_window,
    allow,
    bar,
    restrict,
    set_all_day,
    set_deadline,
    set_release,
)
from gibbsite.formalizer.lexemes import Lexeme, Moment
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.mentions import Item, items_of
from gibbsite.formalizer.names import nameable, number_label
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene, Window

__all__ = ["read_relations"]

_RELATIONS: Final = ("after", "before", "needs", "follows", "precedes", "until", "then")
_CLAUSE: Final = (
    *_RELATIONS,
    "only",
    "not",
    "on",
    "release",
    "latest",
    "available",
    "takes",
    "from",
)


_EACH_ITS: Final = frozenset({"respectively", "odpowiednio"})
_PRONOUNS: Final = frozenset("it they this that to one ono ona on te ta ten".split())
_LAST: Final = frozenset("koniec końcu end all last lastly finally wreszcie".split())
_ORDER: Final = frozenset("order sequence kolejność kolejności".split())


@dataclass(slots=True)
class _State:
    """What a sentence has said so far."""

    sentence: int
    subject: list[Entity] = field(default_factory=list)
    subject_only: bool = False
    last_tasks: list[Entity] = field(default_factory=list)
    waiting: str = ""
    waiting_lexeme: Lexeme | None = None
    negated: Lexeme | None = None
    only: Lexeme | None = None
    on: bool = False
    breaking: bool = False
    hint: str = ""
    last_relation: str = ""
    last_order: str = ""
    outer: list[list[Entity]] = field(default_factory=list)
    last_negated: Lexeme | None = None
    chained: list[Entity] = field(default_factory=list)
    spans: list[tuple[Window, Lexeme]] = field(default_factory=list)
    opened: Moment | None = None
    deferred: list[Callable[[list[Entity]], None]] = field(default_factory=list)
    machines_ahead: list[Entity] = field(default_factory=list)
    ahead_only: bool = False
    ahead_negated: bool = False
    mentions: int = 0

    @property
    def kind(self) -> str:
        return self.subject[0].kind if self.subject else ""


def read_relations(sentences: list[Sentence], scene: Scene) -> None:
    """Read windows, breaks, releases, deadlines, precedences and eligibility into the scene."""
    carried: list[Entity] = []
    carried_tasks: list[Entity] = []
    for number, sentence in enumerate(sentences):
        items = items_of(sentence, scene)
        if any(item.kind == "lexeme" and item.lexeme.kind == "arrow" for item in items):
            items = _arrows(items, scene)
        reader = _Reader(scene, items, number, carried, carried_tasks)
        reader.read()
        carried = reader.state.subject or carried
        carried_tasks = reader.state.last_tasks or carried_tasks


def _arrows(items: list[Item], scene: Scene) -> list[Item]:
    """Read chains of arrows; gives back the items that are not part of them."""
    rest: list[Item] = []
    groups: list[list[Entity]] = [[]]
    joined: list[bool] = []
    end = 0
    linked = False
    for position, item in enumerate(items):
        entity = _task_of(item, scene)
        if entity:
            chained = position + 1 < len(items) and _next_is_arrow(items, position + 1)
            if not linked and not chained and not groups[-1] and not joined:
                rest.append(item)
                continue
            if groups[-1] and not linked and joined and chained and len(groups[-1]) == 1:
                groups, joined = _closed(groups, joined)
            elif (
                groups[-1]
                and not linked
                and joined
                and not chained
                and _clause_follows(items, position)
            ):
                end = position
                break
            groups[-1].extend(entity)
            item.lexeme.used = True
            linked = False
        elif item.kind == "lexeme" and item.lexeme.kind == "arrow":
            groups.append([])
            joined.append(True)
            linked = True
        elif item.kind == "lexeme" and item.lexeme.is_time and item.lexeme.used:
            continue
        elif item.is_mark(",;&+/(){}[]:") or item.has("and", "then", "filler", "task", "task_weak"):
            if item.is_mark(":") and not joined:
                rest.append(item)
        elif joined and not linked:
            end = position
            break
        elif not joined:
            rest.append(item)
        end = position + 1
    _closed(groups, joined)
    return rest + items[end:]


def _next_is_arrow(items: list[Item], at: int) -> bool:
    while at < len(items):
        item = items[at]
        if item.kind == "lexeme" and item.lexeme.kind == "arrow":
            return True
        passed = item.is_mark("(),&+/)]}") or item.has("and") or item.kind == "task"
        passed = passed or (item.kind == "lexeme" and item.lexeme.is_time and item.lexeme.used)
        if not passed:
            return False
        if (item.is_mark(",") or item.has("and")) and at + 1 < len(items):
            following = items[at + 1]
            if following.kind != "task":
                return False
        at += 1
    return False


def _clause_follows(items: list[Item], at: int) -> bool:
    return any(item.has(*_CLAUSE) for item in items[at + 1 : at + 4])


def _task_of(item: Item, scene: Scene) -> list[Entity]:
    if item.kind == "task" and not item.every:
        return item.things
    if item.kind == "lexeme":
        label = number_label(item.lexeme)
        thing = scene.named("task", label) if label else None
        return [thing] if thing else []
    return []


def _closed(
    groups: list[list[Entity]], joined: list[bool]
) -> tuple[list[list[Entity]], list[bool]]:
    """Write down a chain; the last group may open the next one."""
    for before, after in zip(groups, groups[1:], strict=False):
        if before and after:
            for task in after:
                add_predecessors(task, before)
    del joined[:]
    return [[]], []


class _Reader:
    """Reads the items of one sentence."""

    def __init__(
        self,
        scene: Scene,
        items: list[Item],
        number: int,
        carried: list[Entity],
        carried_tasks: list[Entity],
    ) -> None:
        self.scene = scene
        self.items = items
        self.carried = carried
        self.state = _State(number, last_tasks=list(carried_tasks))
        self.at = 0

    def read(self) -> None:
        """Read all items."""
        while self.at < len(self.items):
            item = self.items[self.at]
            if item.kind == "lexeme":
                self._lexeme(item)
                self.at += 1
            else:
                self.at = self._mention(item)
        self._close()

    # -- looking ahead

    def _ahead(self, at: int) -> str:
        """What comes next: a task, a machine, a time, a number, or nothing of these."""
        for item in self.items[at + 1 : at + 8]:
            if item.kind != "lexeme":
                return item.kind
            if item.lexeme.is_time:
                return "time"
            if item.lexeme.kind == "range":
                return "time"
            if item.lexeme.kind == "number":
                return "number"
            if item.is_mark(",;()") or item.has("then"):
                return ""
        return ""

    def _run(self, at: int) -> tuple[list[Item], int]:
        """The mentions of one kind that commas and "and" join, from `at` on, and the place after.

        As the object of a relation the list ends before a mention that starts a clause of its own.
        """
        kind = self.items[at].kind
        run = [self.items[at]]
        end = at + 1
        while end < len(self.items):
            position = end
            while position < len(self.items) and (
                self.items[position].is_mark(",&/")
                or self.items[position].has("and", "or")
                or self.items[position].lexeme.text in ("the", "a", "an", "neither", "nor")
            ):
                position += 1
            if position == end or position >= len(self.items):
                break
            following = self.items[position]
            if following.kind != kind:
                break
            if following.lexeme.kind == "ordinal" and run[0].every:
                break
            if self.state.waiting not in ("", "then") or self.state.on:
                # an object: what has a clause of its own is the next subject
                aside = self.items[end].is_mark(",") and not self.state.subject
                paired = position + 1 < len(self.items) and self.items[position + 1].kind == kind
                if aside or paired or self._defines(position) or self._starts_clause(position):
                    break
            run.append(following)
            end = position + 1
        return run, end

    def _defines(self, at: int) -> bool:
        """Whether the mention at `at` is given its own duration or window here."""
        if self.items[at].defines:
            return True
        for item in self.items[at + 1 : at + 6]:
            if item.kind != "lexeme":
                return False
            if item.lexeme.is_time or item.lexeme.kind == "range" or item.has("allday", "always"):
                return True
            if not (item.is_mark(":(-") or item.has("takes", "filler", "available")):
                return False
        return False

    def _starts_clause(self, at: int) -> bool:
        for item in self.items[at + 1 : at + 5]:
            if item.kind != "lexeme":
                return False
            if item.has(*_CLAUSE) and not item.has("on"):
                return True
            if item.has("on"):
                return self.state.waiting != ""
            if not item.has("filler", "also"):
                return False
        return False

    # -- mentions

    def _mention(self, item: Item) -> int:
        run, end = self._run(self.at)
        things = [thing for part in run for thing in part.things]
        state = self.state
        state.mentions += 1
        if any(part.others for part in run):
            named = {id(thing) for thing in (*state.subject, *state.last_tasks)}
            things = [thing for thing in things if id(thing) not in named]
        if any(part.none for part in run):
            state.negated = run[0].lexeme
        if item.kind == "task":
            self._tasks(things, listed=not run[0].every, run_end=end)
        else:
            self._machines(things, run, end)
        return end

    def _tasks(self, things: list[Entity], listed: bool = True, run_end: int = 0) -> None:
        state = self.state
        if state.waiting in ("after", "before"):
            relation, state.waiting = state.waiting, ""
            if state.kind == "task" and not self._opens_clause(run_end):
                self._precede(state.subject, relation, things)
                state.chained = things if relation == "before" else []
            else:
                state.deferred.append(lambda tasks: self._precede(tasks, relation, things))
            if relation == "after" or not state.subject:
                state.last_tasks = state.subject or things
            return
        if state.waiting == "then":
            state.waiting = ""
            for task in things:
                add_predecessors(task, state.last_tasks)
            state.subject, state.last_tasks = things, things
            state.subject_only = False
            return
        if state.kind == "machine" and (state.only or state.negated or self._handles()):
            self._handled(things)
            return
        before = self.items[self.at - 1] if self.at else None
        if before is not None and before.kind == "task" and state.last_order and not state.deferred:
            # "A precedes B, and B C": the verb is said once
            self._precede(state.subject, state.last_order, things)
            return
        if state.machines_ahead:
            self._bind_ahead(things)
        opening = not state.subject
        state.subject, state.last_tasks = things, things
        state.subject_only = state.only is not None
        state.only = None
        state.on = False
        state.hint = state.hint if opening else ""
        self._apply_deferred()
        if listed and len(things) > 1 and self._ordered():
            for before, task in zip(things, things[1:], strict=False):
                add_predecessors(task, [before])

    def _opens_clause(self, end: int) -> bool:
        """Whether the relation stands first in its clause: "…, po suszeniu prasowanie"."""
        start = self.at - 1
        while start >= 0 and not self.items[start].has("after", "before"):
            start -= 1
        first = start <= 0 or self.items[start - 1].is_mark(",") or self.items[start - 1].has("and")
        while end < len(self.items) and self.items[end].has("filler"):
            end += 1
        return first and 0 < end < len(self.items) and self.items[end].kind == "task"

    def _ordered(self) -> bool:
        """Whether "order:" or "in the order" stands right before the list at hand."""
        before = [
            part for part in self.items[max(0, self.at - 2) : self.at] if not part.is_mark(":")
        ]
        return bool(before) and before[-1].lexeme.text.lower() in _ORDER

    def _apply_deferred(self) -> None:
        for apply in self.state.deferred:
            apply(self.state.subject)
        self.state.deferred.clear()

    def _precede(self, tasks: list[Entity], relation: str, objects: list[Entity]) -> None:
        if relation == "after":
            for task in tasks:
                add_predecessors(task, objects)
        else:
            for task in objects:
                add_predecessors(task, tasks)

    def _handles(self) -> bool:
        """Whether a word such as "handles" or "can process" stands between machine and task."""
        before = self.items[max(0, self.at - 3) : self.at]
        return any(part.has("filler") for part in before) and not any(
            part.is_mark(",;:") or part.has("and") for part in before
        )

    def _handled(self, tasks: list[Entity]) -> None:
        """ "M1 cannot do A", "M2 only does B", "M1 can do A and B"."""
        state = self.state
        machines = state.subject
        if state.negated is not None:
            bar(tasks, machines)
        elif state.only is not None and not state.subject_only:
            others = [task for task in self.scene.tasks if task not in tasks]
            bar(others, machines)
        else:
            allow(tasks, machines)
        state.negated = state.only = None
        state.last_tasks = tasks

    def _bind_ahead(self, tasks: list[Entity]) -> None:
        """ "Only on M2 can A run", "on M1 only A and B may run"."""
        state = self.state
        machines, state.machines_ahead = state.machines_ahead, []
        if state.negated is not None or state.ahead_negated:
            bar(tasks, machines)
            state.negated = None
        elif state.only is not None:
            bar([task for task in self.scene.tasks if task not in tasks], machines)
            state.only = None
        elif state.ahead_only:
            allow(tasks, machines)
        else:
            allow(tasks, machines)

    def _machines(self, things: list[Entity], run: list[Item], end: int) -> None:
        state = self.state
        following = end
        while following < len(self.items) and self.items[following].has("filler"):
            following += 1
        opened = following < len(self.items) and self.items[following].has("available")
        timed = self._defines(end - 1) or (opened and not state.on)
        linked = state.on or state.only is not None or state.negated is not None
        aside = self.at > 0 and self.items[self.at - 1].is_mark("(")
        if state.waiting in ("needs", "after") and state.kind == "task":
            linked, state.waiting = True, ""
        if state.kind == "task" and (linked or aside) and not timed:
            self._eligible(things, any(part.every for part in run))
            return
        if (state.on or state.only is not None) and not state.subject and not timed:
            later = any(item.kind == "task" for item in self.items[end:])
            if later:
                state.machines_ahead = things
                state.ahead_only = state.only is not None
                state.ahead_negated = state.negated is not None
                state.only = state.negated = None
                state.on = False
                return
        state.subject = things
        state.subject_only = state.only is not None
        state.only = state.negated = None
        state.on = False
        state.waiting = ""
        state.hint = ""
        state.breaking = False
        state.opened = None

    def _eligible(self, machines: list[Entity], every: bool) -> None:
        state = self.state
        if state.negated is not None:
            bar(state.subject, machines)
            state.negated = None
        elif state.subject_only and state.only is None:
            bar([t for t in self.scene.tasks if t not in state.subject], machines)
            state.subject_only = False
        elif not every:
            restrict(state.subject, machines)
        state.only = None
        state.on = False

    # -- other lexemes

    def _lexeme(self, item: Item) -> None:
        state, lexeme = self.state, item.lexeme
        ahead = self._ahead(self.at)
        if lexeme.is_time or lexeme.kind in ("range", "number"):
            self._time(lexeme)
            return
        if lexeme.is_mark("("):
            state.outer.append(state.subject)
        elif lexeme.is_mark(")") and state.outer:
            state.subject = state.outer.pop() or state.subject
        if lexeme.is_mark(",;") or (lexeme.is_mark("(") and state.negated):
            state.negated = None
            state.only = None
            if state.waiting not in ("then",):
                state.waiting = ""
            return
        if lexeme.has("unsupported") and (state.mentions or ahead in ("task", "machine")):
            raise FormalizationError(
                "not_understood",
                f"schedules know times, order and machines only, found {lexeme.text!r}; "
                "leave that condition out or say it by times",
                lexeme.text,
            )
        if lexeme.has("or") and state.last_negated is not None:
            state.negated = state.last_negated
        if lexeme.has("not"):
            state.negated = lexeme
            if lexeme.has("on") or "except" in lexeme.text or "poza" in lexeme.text:
                state.on = True
        if lexeme.has("only"):
            state.only = lexeme
        if lexeme.has("break") and (state.kind != "task" or ahead == "time"):
            state.breaking = True
        elif lexeme.has("available"):
            state.breaking = False
        if lexeme.has("allday") and state.kind != "task":
            set_all_day(state.subject or self.scene.machines, state.sentence)
        if lexeme.has("then") and (state.last_tasks or state.subject):
            if ahead == "task":
                state.waiting, state.waiting_lexeme = "then", lexeme
                return
            if state.kind == "task" and lexeme.text.lower().split()[-1] in _LAST:
                self._refuse("puts a task last without saying after which")
        self._relation(lexeme, ahead)
        if lexeme.has("on") and ahead == "machine":
            state.on = True

    def _relation(self, lexeme: Lexeme, ahead: str) -> None:
        state = self.state
        if lexeme.has("before") and state.chained and self.items[self.at - 1].kind == "task":
            state.subject = state.chained  # "A before B before C"
        state.chained = []
        after = lexeme.has("after") or (lexeme.has("needs", "follows") and state.kind == "task")
        before = lexeme.has("before", "precedes")
        if ahead == "number" and (after or before) and self._numbered_task():
            ahead = "task"
        if ahead == "task" and (after or before):
            relation = "after" if after else "before"
            waits = lexeme.has("until") or lexeme.text.lower().split()[-1] in ("until", "nie", "aż")
            if state.negated is not None and lexeme.has("after", "before") and not waits:
                relation = "before" if after else "after"
            if lexeme.has("after", "before"):
                state.last_negated, state.negated = state.negated, None
            state.last_order = relation
            state.waiting, state.waiting_lexeme = relation, lexeme
            return
        if ahead == "machine" and lexeme.has("needs", "takes"):
            state.on = True
            return
        if lexeme.has("latest"):
            state.hint = "deadline"
        elif lexeme.has("release") or (lexeme.has("available") and state.kind == "task"):
            state.hint = "release"
        if ahead not in ("time", "number"):
            return
        late = lexeme.has("until", "before", "latest")
        early = lexeme.has("after", "from", "release")
        if late and early:
            early = state.negated is None and not lexeme.has("latest")
            late = not early
        if late or early:
            if state.negated is not None and lexeme.has("before", "after"):
                late, early = early, late
                state.last_negated, state.negated = state.negated, None
            elif state.negated is not None and lexeme.has("until"):
                late, early = False, True
                state.negated = None
            state.waiting = "deadline" if late else "release"
            state.waiting_lexeme = lexeme

    def _numbered_task(self) -> bool:
        for item in self.items[self.at + 1 : self.at + 4]:
            if item.kind == "lexeme" and item.lexeme.kind == "number":
                label = number_label(item.lexeme)
                return label is not None and self.scene.named("task", label) is not None
        return False

    def _time(self, lexeme: Lexeme) -> None:
        state = self.state
        if lexeme.used:
            return
        if state.waiting in ("after", "before") and lexeme.kind == "number":
            label = number_label(lexeme)
            thing = self.scene.named("task", label) if label else None
            if thing is not None:
                lexeme.used = True
                self._tasks([thing])
                return
        if state.kind == "machine" or (not state.subject and self._about_machines(lexeme)):
            self._machine_time(lexeme, state.subject or self.scene.machines)
            return
        moment = _moment(lexeme)
        relation = state.waiting if state.waiting in ("deadline", "release") else state.hint
        relation = relation or self._hint_behind() or state.last_relation
        window = _window(lexeme)
        if window is not None and not (moment and relation):
            self._bound(lexeme, lambda tasks: _between(tasks, window, lexeme))
            return
        if moment is None or relation not in ("deadline", "release"):
            return
        setter = set_deadline if relation == "deadline" else set_release
        moments = self._listed_moments(lexeme)
        if state.kind == "task" and len(moments) == len(state.subject) > 1:
            for task, (each, part) in zip(state.subject, moments, strict=True):
                part.used = True
                setter([task], each, part)
            state.waiting = state.hint = ""
            return
        state.last_relation = relation
        state.waiting = ""
        state.hint = ""
        self._bound(lexeme, lambda tasks: setter(tasks, moment, lexeme))

    def _listed_moments(self, first: Lexeme) -> list[tuple[Moment, Lexeme]]:
        """Moments that only commas and "and" part, from this one on: "deadlines 5, 6 and 12"."""
        found: list[tuple[Moment, Lexeme]] = []
        for item in self.items[self.at :]:
            if item.is_mark(",") or item.has("and"):
                continue
            moment = _moment(item.lexeme) if item.kind == "lexeme" else None
            if moment is None or item.lexeme.used:
                break
            found.append((moment, item.lexeme))
        return found if found and found[0][1] is first else []

    def _hint_behind(self) -> str:
        """ "on day 2 at the earliest": the relation after its time."""
        for item in self.items[self.at + 1 : self.at + 3]:
            if item.has("release"):
                return "release"
            if item.has("latest"):
                return "deadline"
        return ""

    def _bound(self, lexeme: Lexeme, apply: Callable[[list[Entity]], None]) -> None:
        lexeme.used = True
        if self.state.kind == "task":
            apply(self.state.subject)
            return
        if self._unknown_subject():
            self._refuse("names something that is no known task")
        self.state.deferred.append(apply)

    def _about_machines(self, lexeme: Lexeme) -> bool:
        """Whether a window without a subject is the working time of all machines."""
        if any(item.kind == "task" for item in self.items):
            return False
        if self.items[0].lexeme.text.lower() in _PRONOUNS:
            return False
        if any(item.has("workday") for item in self.items) and self.state.waiting:
            return True
        cued = any(item.has("workday", "available", "break", "machine") for item in self.items)
        return cued and (_window(lexeme) is not None or self.state.breaking)

    def _machine_time(self, lexeme: Lexeme, machines: list[Entity]) -> None:
        state = self.state
        window = _window(lexeme)
        moment = _moment(lexeme)
        if window is None and state.waiting == "release" and moment is not None:
            state.opened, state.waiting = moment, ""
            lexeme.used = True
            return
        if window is None and state.waiting == "deadline" and moment is not None:
            start = state.opened or Moment(moment.value * 0, moment.unit)
            if start.unit == moment.unit == "clock" and moment.value <= start.value:
                moment = moment.later(24)
            window = (start, moment)
            state.opened, state.waiting = None, ""
        amount = lexeme.amount
        if window is None and amount is not None and amount.low == 24 and amount.unit == "hour":
            lexeme.used = True
            set_all_day(machines, state.sentence)
            return
        if window is None:
            return
        lexeme.used = True
        state.waiting = ""
        if state.breaking:
            add_break(machines, window)
            return
        if any(
            item.kind == "lexeme" and item.lexeme.text.lower() in _EACH_ITS for item in self.items
        ):
            state.spans.append((window, lexeme))
            return
        more = any(item.has("also") for item in self.items)
        add_window(machines, window, state.sentence, lexeme, more)

    # -- the end of a sentence

    def _close(self) -> None:
        state = self.state
        if state.deferred:
            if state.kind != "task":
                if self._unknown_subject():
                    self._refuse("names something that is no known task")
                tasks = [thing for thing in self.carried if thing.kind == "task"]
                state.subject = tasks or self._all_tasks()
            if not state.subject:
                self._refuse("says of no task when or after what it runs")
            self._apply_deferred()
        if state.spans:
            machines = state.subject if state.kind == "machine" else self.scene.machines
            if len(machines) != len(state.spans):
                self._refuse("gives as many windows as it names machines")
            for machine, (window, lexeme) in zip(machines, state.spans, strict=True):
                add_window([machine], window, state.sentence, lexeme, False)
        if state.opened is not None:
            self._refuse("gives a window without its end")
        if state.waiting in ("after", "before") and state.mentions:
            self._refuse("names no task that it waits for")
        if state.negated is not None and state.mentions:
            self._refuse("forbids something that is not understood")

    def _unknown_subject(self) -> bool:
        """Whether the sentence speaks of a thing by a name that nobody introduced."""
        for item in self.items:
            if item.kind != "lexeme" or item.has(*_CLAUSE):
                return False
            lexeme = item.lexeme
            if nameable(lexeme, self.scene.language) and lexeme.text.lower() not in _PRONOUNS:
                return not lexeme.has("workday")
        return False

    def _all_tasks(self) -> list[Entity]:
        return list(self.scene.tasks)

    def _refuse(self, what: str) -> None:
        first, last = self.items[0].lexeme, self.items[-1].lexemes[-1]
        words = self.scene.text[first.start : last.end]
        raise FormalizationError(
            "not_understood",
            f"each sentence names its tasks or machines and their times; {words!r} {what}; "
            "say it in other words",
            words,
        )


def _moment(lexeme: Lexeme) -> Moment | None:
    if lexeme.moment is not None:
        return lexeme.moment
    if lexeme.kind == "amount" and lexeme.amount is not None and not lexeme.amount.is_range:
        return Moment(lexeme.amount.low, lexeme.amount.unit)
    if lexeme.kind == "number" and lexeme.number is not None:
        return Moment(lexeme.number, "bare")
    return None


def _window(lexeme: Lexeme) -> Window | None:
    if lexeme.window is not None:
        return lexeme.window
    if lexeme.kind == "amount" and lexeme.amount is not None and lexeme.amount.is_range:
        amount = lexeme.amount
        return Moment(amount.low, amount.unit), Moment(amount.high, amount.unit)
    if lexeme.kind == "range" and lexeme.span is not None:
        low, high = lexeme.span
        return Moment(low, "bare"), Moment(high if high > low else high + 24, "bare")
    return None


def _between(tasks: list[Entity], window: Window, lexeme: Lexeme) -> None:
    set_release(tasks, window[0], lexeme)
    set_deadline(tasks, window[1], lexeme)

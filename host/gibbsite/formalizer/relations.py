"""Relations: what the sentences say of known tasks and machines.

A clause is read from left to right with a subject (the things last named where no relation was
waiting for an object), at most one relation that waits for its object, and three switches:
negation, "only", "break". What comes before its subject ("after sanding, painting …") is kept until
the subject appears, and falls to the subject of the sentence before when none does.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from gibbsite.formalizer.arrows import read_arrows
from gibbsite.formalizer.clauses import (
    LAST_WORDS,
    PRONOUNS,
    RESPECTIVELY,
    WHOLE,
    ClauseState,
    moment_of,
    window_of,
)
from gibbsite.formalizer.eligibility import EligibilityReader
from gibbsite.formalizer.facts import (
    add_break,
    add_predecessors,
    add_window,
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

_BACK: Final = frozenset("both them these those oba obu obydwu nich nimi oboma".split())
_PREVIOUS: Final = frozenset("previous preceding poprzednim poprzedniej poprzednie".split())
_RELATIVE: Final = frozenset("that which która który które where".split())


def read_relations(sentences: list[Sentence], scene: Scene) -> None:
    """Read windows, breaks, releases, deadlines, precedences and eligibility into the scene."""
    carried: list[Entity] = []
    carried_tasks: list[Entity] = []
    for number, sentence in enumerate(sentences):
        items = items_of(sentence, scene)
        if any(item.kind == "lexeme" and item.lexeme.kind == "arrow" for item in items):
            items = read_arrows(items, scene)
        reader = _Reader(scene, items, number, carried, carried_tasks)
        reader.read()
        carried = reader.state.subject or carried
        carried_tasks = reader.state.last_tasks or carried_tasks


class _Reader(EligibilityReader):
    """Reads the items of one sentence."""

    def __init__(
        self,
        scene: Scene,
        items: list[Item],
        number: int,
        carried: list[Entity],
        carried_tasks: list[Entity],
    ) -> None:
        super().__init__(scene, items, ClauseState(number, last_tasks=list(carried_tasks)))
        self.carried = carried

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

    # -- mentions

    def _mention(self, item: Item) -> int:
        run, end = self.run_at(self.at)
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
            if state.kind == "task" and not self.opens_clause(run_end):
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
        if state.kind == "task":
            state.previous = state.subject
        state.chained = []
        if state.ordering:
            for task in things:
                add_predecessors(task, state.last_tasks if not opening else [])
        state.subject, state.last_tasks = things, things
        state.subject_only = state.only is not None
        state.only = None
        state.on = False
        state.hint = state.hint if opening else ""
        self._apply_deferred()
        if listed and len(things) > 1 and self.ordered():
            for earlier, task in pairwise(things):
                add_predecessors(task, [earlier])

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

    def _machines(self, things: list[Entity], run: list[Item], end: int) -> None:
        state = self.state
        following = end
        while following < len(self.items) and self.items[following].has("filler"):
            following += 1
        opened = following < len(self.items) and self.items[following].has("available")
        every = any(part.every for part in run)
        relative = end < len(self.items) and self.items[end].lexeme.text.lower() in _RELATIVE
        timed = self.defines(end - 1) or relative or (opened and (every or not state.on))
        exclusive = end + 1 < len(self.items) and self.items[end].has("only")
        timed = timed or (exclusive and self.items[end + 1].kind == "task")
        linked = state.on or state.only is not None or state.negated is not None
        aside = self.at > 0 and self.items[self.at - 1].is_mark("(")
        if state.waiting in ("needs", "after") and state.kind == "task":
            linked, state.waiting = True, ""
        ahead_of_tasks = linked and self.fronted(end)
        if state.kind == "task" and self.closes_clause(end):
            linked = True
        if state.kind == "task" and (linked or aside) and not timed and not ahead_of_tasks:
            self._eligible(things, any(part.every for part in run))
            return
        free = not state.subject or ahead_of_tasks
        if (state.on or state.only is not None) and free and not timed:
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

    # -- other lexemes

    def _lexeme(self, item: Item) -> None:
        state, lexeme = self.state, item.lexeme
        ahead = self.ahead_of(self.at)
        if lexeme.is_time or lexeme.kind in ("range", "number"):
            self._time(lexeme)
            return
        if lexeme.is_mark("("):
            state.outer.append(state.subject)
        elif lexeme.is_mark(":,"):
            state.on = False
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
        if lexeme.is_mark(":") and self.sequenced():
            state.ordering = True
        if lexeme.has("not") or (
            lexeme.has("break") and ahead == "task" and state.kind == "machine"
        ):
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
            told = any(item.has("after") for item in self.items[self.at + 1 :])
            last = lexeme.text.lower().split()[-1] in LAST_WORDS
            if state.kind == "task" and last and not told:
                self.refuse("puts a task last without saying after which")
        if state.kind == "task" and ahead in ("", "number") and self._without_object(lexeme):
            return
        self._relation(lexeme, ahead)
        if lexeme.has("on") and ahead == "machine":
            state.on = True

    def _without_object(self, lexeme: Lexeme) -> bool:
        """A relation to no named task: to "both" or "them", to the previous one, or unknown."""
        after = lexeme.has("after", "needs", "follows")
        if not after and not lexeme.has("before", "precedes"):
            return False
        state = self.state
        for item in self.items[self.at + 1 : self.at + 4]:
            low = item.lexeme.text.lower()
            if low in _BACK and state.previous:
                self._precede(state.subject, "after" if after else "before", state.previous)
                return True
            if low in _PREVIOUS and len(state.subject) == len(self.scene.tasks):
                for earlier, task in pairwise(state.subject):
                    add_predecessors(task, [earlier])
                return True
            if item.is_mark(",;()"):
                return False
            if nameable(item.lexeme, self.scene.language):
                self.refuse(f"names {item.lexeme.text!r}, which is no known task")
        return False

    def _relation(self, lexeme: Lexeme, ahead: str) -> None:
        state = self.state
        if lexeme.has("before") and state.chained and self.items[self.at - 1].kind == "task":
            state.subject = state.chained  # "A before B before C"
        state.chained = []
        after = lexeme.has("after") or (lexeme.has("needs", "follows") and state.kind == "task")
        before = lexeme.has("before", "precedes")
        if ahead == "number" and (after or before) and self.numbered_task():
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
            early = False  # "until": a deadline, or with "not" a release
        if late or early:
            if state.negated is not None and lexeme.has("before", "after"):
                late, early = early, late
                state.last_negated, state.negated = state.negated, None
            elif state.negated is not None and lexeme.has("until"):
                late, early = False, True
                state.negated = None
            state.waiting = "deadline" if late else "release"
            state.waiting_lexeme = lexeme

    def _time(self, lexeme: Lexeme) -> None:
        state = self.state
        if lexeme.used:
            state.waiting = "" if state.waiting in ("release", "deadline") else state.waiting
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
        moment = moment_of(lexeme)
        relation = state.waiting if state.waiting in ("deadline", "release") else state.hint
        relation = relation or self.hint_behind() or state.last_relation
        window = window_of(lexeme)
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
            moment = moment_of(item.lexeme) if item.kind == "lexeme" else None
            if moment is None or item.lexeme.used:
                break
            found.append((moment, item.lexeme))
        return found if found and found[0][1] is first else []

    def _bound(self, lexeme: Lexeme, apply: Callable[[list[Entity]], None]) -> None:
        lexeme.used = True
        if self.state.kind == "task":
            apply(self.state.subject)
            return
        if self.items[0].lexeme.text.lower() in WHOLE:
            apply(self.scene.tasks)
            return
        if self.unknown_subject():
            self.refuse("names something that is no known task")
        self.state.deferred.append(apply)

    def _about_machines(self, lexeme: Lexeme) -> bool:
        """Whether a window without a subject is the working time of all machines."""
        if any(item.kind == "task" for item in self.items):
            return False
        if self.items[0].lexeme.text.lower() in PRONOUNS:
            return False
        if any(item.has("workday") for item in self.items) and self.state.waiting:
            return True
        cued = any(item.has("workday", "available", "break", "machine") for item in self.items)
        return cued and (window_of(lexeme) is not None or self.state.breaking)

    def _machine_time(self, lexeme: Lexeme, machines: list[Entity]) -> None:
        state = self.state
        window = window_of(lexeme)
        moment = moment_of(lexeme)
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
            item.kind == "lexeme" and item.lexeme.text.lower() in RESPECTIVELY
            for item in self.items
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
                if self.unknown_subject():
                    self.refuse("names something that is no known task")
                tasks = [thing for thing in self.carried if thing.kind == "task"]
                state.subject = tasks or self._all_tasks()
            if not state.subject:
                self.refuse("says of no task when or after what it runs")
            self._apply_deferred()
        if state.spans:
            machines = state.subject if state.kind == "machine" else self.scene.machines
            if len(machines) != len(state.spans):
                self.refuse("gives as many windows as it names machines")
            for machine, (window, lexeme) in zip(machines, state.spans, strict=True):
                add_window([machine], window, state.sentence, lexeme, False)
        if state.opened is not None:
            self.refuse("gives a window without its end")
        if state.waiting in ("after", "before") and state.mentions:
            self.refuse("names no task that it waits for")
        if state.negated is not None and state.mentions:
            self.refuse("forbids something that is not understood")

    def _all_tasks(self) -> list[Entity]:
        return list(self.scene.tasks)


def _between(tasks: list[Entity], window: Window, lexeme: Lexeme) -> None:
    set_release(tasks, window[0], lexeme)
    set_deadline(tasks, window[1], lexeme)

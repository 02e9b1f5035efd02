"""Relations: what the sentences say of known tasks and machines.

A clause is read from left to right with a subject (the things last named where no relation was
waiting for an object), at most one relation that waits for its object, and three switches:
negation, "only", "break". What comes before its subject ("after sanding, painting …") is kept until
the subject appears, and falls to the subject of the sentence before when none does.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from gibbsite.formalizer.arrows import read_arrows
from gibbsite.formalizer.clauses import (
    LAST_WORDS,
    ClauseState,
)
from gibbsite.formalizer.facts import (
    add_predecessors,
    add_window,
    place_at_the_ends,
    set_all_day,
)
from gibbsite.formalizer.lexemes import Lexeme
from gibbsite.formalizer.lexer import Sentence
from gibbsite.formalizer.lexicon import SAME_HOURS
from gibbsite.formalizer.mentions import Item, items_of
from gibbsite.formalizer.names import nameable, number_label
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene
from gibbsite.formalizer.timing import TimingReader

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
    place_at_the_ends(scene)


class _Reader(TimingReader):
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
            things = [thing for thing in things if not thing.windows and not thing.all_day]
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
        state.last_negated = None
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
        if state.copying:
            self._copy_hours(things)
            return
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
        alone = end < len(self.items) and self.items[end].has("only")
        alone = alone and len(state.subject) < len(self.scene.tasks)
        alone = alone and (end + 1 == len(self.items) or self.items[end + 1].is_mark(",;)."))
        before = self.items[self.at - 1] if self.at else None
        aside = aside or (
            before is not None
            and before.is_mark(",")
            and len(things) < len(self.scene.machines)
            and (end == len(self.items) or self.items[end].is_mark(",;"))
            and self.at >= 2
            and (self.items[self.at - 2].lexeme.is_time or self.items[self.at - 2].kind == "task")
        )  # "wiring: 2 days, electrician, after chasing"
        if state.kind == "task" and (alone or self.closes_clause(end)):
            linked = True  # "banner: 2 h, plotter only"
        described = end + 1 < len(self.items) and self.items[end].is_mark(",")
        described = described and self.items[end + 1].lexeme.text.lower() in _RELATIVE
        if state.kind == "task" and linked and described and not timed:
            # "on machine S1, which works 8:00-12:00"
            self._eligible(things, every)
            state.former, state.subject = state.subject, things
            return
        if state.kind == "task" and (linked or aside) and not timed and not ahead_of_tasks:
            self._eligible(things, any(part.every for part in run))
            return
        free = not state.subject or ahead_of_tasks
        if (state.on or state.only is not None) and free and not timed:
            later = any(item.kind == "task" for item in self.items[end:])
            if later:
                barred = state.only is not None or state.negated is not None
                every = not barred and len(things) == len(self.scene.machines)
                state.machines_ahead = [] if every else things  # "on M1 and M2 we make: …"
                state.ahead_only = state.only is not None
                state.ahead_negated = state.negated is not None
                state.only = state.negated = None
                state.on = False
                return
        if state.kind == "task":
            state.former = state.subject
        if state.opened is not None:
            state.pending += [(machine, state.opened) for machine in state.subject]
        state.subject = things
        state.subject_only = state.only is not None
        state.only = state.negated = None
        state.on = False
        state.waiting = ""
        state.hint = ""
        state.breaking = False
        if state.window_ahead is not None:
            window, lexeme = state.window_ahead
            add_window(things, window, state.sentence, lexeme, False)
            state.window_ahead = None
        state.opened = None

    def _copy_hours(self, models: list[Entity]) -> None:
        """ "D3 the same as D2": the windows and breaks of one machine for another."""
        state = self.state
        state.copying = False
        model = models[0]
        if len(models) != 1 or not (model.windows or model.all_day):
            self.refuse("refers to hours that are not known before it")
        for machine in state.subject:
            if machine.windows or machine.breaks:
                self.refuse("gives a machine its hours twice")
            machine.windows, machine.breaks = list(model.windows), list(model.breaks)
            machine.windows_from, machine.all_day = state.sentence, model.all_day

    # -- other lexemes

    def _lexeme(self, item: Item) -> None:
        state, lexeme = self.state, item.lexeme
        ahead = self.ahead_of(self.at)
        if lexeme.is_time or lexeme.kind in ("range", "number"):
            self._number(lexeme)
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
        if lexeme.text.lower() in SAME_HOURS and state.kind == "machine" and ahead == "machine":
            state.copying = True
            return
        if lexeme.has("unsupported") and (state.mentions or ahead in ("task", "machine")):
            raise FormalizationError(
                "not_understood",
                f"schedules know times, order and machines only, found {lexeme.text!r}; "
                "leave that condition out or say it by times",
                lexeme.text,
            )
        if lexeme.has("all") and state.pending and state.opened is not None:
            state.pending += [(machine, state.opened) for machine in state.subject]
            state.subject = [machine for machine, _ in state.pending]
            state.opened = None
        if lexeme.has("or") and state.last_negated is not None:
            state.negated = state.last_negated
        if lexeme.is_mark(":") and self.sequenced():
            state.ordering = True
        if lexeme.has("not") or (
            lexeme.has("break")
            and ahead == "task"
            and state.kind == "machine"
            and not self.items[self.at + 1].is_mark(":")
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
                self.scene.last.extend(state.subject)
        if lexeme.has("earlier_first") and len(self.items) == 2 and state.kind == "task":
            self.scene.first.extend(state.subject)  # "the key ring first."
        if lexeme.has("in_order") and self.items[-1].lexeme is lexeme:
            self._in_order()
        if lexeme.has("final", "initial") and not any(
            item.has("then", "after", "before") for item in self.items[self.at + 1 :]
        ):
            ends = self.scene.last if lexeme.has("final") else self.scene.first
            if state.kind == "task":
                ends.extend(state.subject)
            elif ahead == "task":
                state.deferred.append(ends.extend)
        if state.kind == "task" and ahead in ("", "number") and self._without_object(lexeme):
            return
        self._relation(lexeme, ahead)
        if lexeme.has("on") and ahead == "machine":
            state.on = True

    def _in_order(self) -> None:
        """ "A 1 h, B 2 h, C 3 h, in this order": what the sentence listed is a chain."""
        listed = [
            thing
            for item in self.items[: self.at]
            if item.kind == "task" and not item.every
            for thing in item.things
        ]
        chain = list(dict.fromkeys(listed)) if len(listed) > 1 else self.scene.tasks
        for earlier, task in pairwise(chain):
            add_predecessors(task, [earlier])

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
        if ahead == "task" and state.kind == "task" and lexeme.text.lower() in ("go on", "goes on"):
            after = True  # "the roof goes on the frame"
        before = lexeme.has("before", "precedes")
        word = lexeme.text.lower().split()[-1]
        repeated = word == state.last_word and state.kind == "task" and not (after or before)
        if repeated and ahead == "task":
            after, before = state.last_order == "after", state.last_order == "before"
        if ahead == "number" and (after or before) and self.numbered_task():
            ahead = "task"
        if ahead == "task" and (after or before):
            relation = "after" if after else "before"
            waits = lexeme.has("until") or lexeme.text.lower().split()[-1] in ("until", "nie", "aż")
            if state.negated is not None and lexeme.has("after", "before") and not waits:
                relation = "before" if after else "after"
            if lexeme.has("after", "before"):
                state.last_negated, state.negated = state.negated, None
            state.last_order, state.last_word = relation, word
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
        dated = lexeme.has("precedes") and lexeme.text.lower().split()[-1] in ("do", "by", "for")
        late = dated or lexeme.has("until", "before", "latest")
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

    def _number(self, lexeme: Lexeme) -> None:
        """A time, or the number of a task that a relation waits for ("after 3")."""
        waits = self.state.waiting in ("after", "before") and lexeme.kind == "number"
        label = number_label(lexeme) if waits and not lexeme.used else None
        thing = self.scene.named("task", label) if label else None
        if thing is None:
            self._time(lexeme)
            return
        lexeme.used = True
        self._tasks([thing])

    # -- the end of a sentence

    def _close(self) -> None:
        state = self.state
        if state.deferred:
            if state.kind != "task":
                if self.unknown_subject():
                    self.refuse("names something that is no known task")
                tasks = state.former or [thing for thing in self.carried if thing.kind == "task"]
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
        if state.opened is not None or state.pending or state.window_ahead is not None:
            self.refuse("gives a window without its end")
        if state.waiting in ("after", "before") and state.mentions:
            self.refuse("names no task that it waits for")
        ruling = ("after", "before", "then", "needs", "follows", "precedes", "release", "latest")
        bare = not any(
            item.kind == "machine" or item.lexeme.is_time or item.has(*ruling)
            for item in self.items
        )
        if bare and self.strangers() and any(item.kind == "task" for item in self.items):
            self.refuse("speaks of somebody or something that is not introduced")
        if state.negated is not None and state.mentions:
            self.refuse("forbids something that is not understood")

    def _all_tasks(self) -> list[Entity]:
        return list(self.scene.tasks)

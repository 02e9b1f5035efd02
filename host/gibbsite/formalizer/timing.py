"""Timing: releases and deadlines of tasks, windows and breaks of machines, in one sentence."""

from __future__ import annotations

from collections.abc import Callable

from gibbsite.formalizer.clauses import PRONOUNS, RESPECTIVELY, WHOLE, moment_of, window_of
from gibbsite.formalizer.eligibility import EligibilityReader
from gibbsite.formalizer.facts import (
    add_break,
    add_window,
    set_all_day,
    set_deadline,
    set_release,
)
from gibbsite.formalizer.lexemes import Lexeme, Moment
from gibbsite.formalizer.scene import Entity, Window

__all__ = ["TimingReader"]


class TimingReader(EligibilityReader):
    """Reads what a time says of the subject that stands before or behind it."""

    def _time(self, lexeme: Lexeme) -> None:
        state = self.state
        if lexeme.used:
            state.waiting = "" if state.waiting in ("release", "deadline") else state.waiting
            return
        ahead = window_of(lexeme) if not state.subject and not state.breaking else None
        if ahead is not None and self.ahead_of(self.at) == "machine" and lexeme.kind != "amount":
            state.window_ahead = (ahead, lexeme)  # "from day 0 to day 20 crew A works"
            lexeme.used = True
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
        if not state.subject and len(moments) == len(self.scene.tasks) > 1:
            for task, (each, part) in zip(self.scene.tasks, moments, strict=True):
                part.used = True
                setter([task], each, part)  # "due dates: 60, 90, 45"
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
            lexeme.used = True
            if state.closed is not None and state.closed[0] == machines:
                self._open_closed(moment)
                return
            state.opened, state.waiting = moment, ""
            return
        if window is None and state.waiting == "deadline" and moment is not None:
            if state.opened is None and self._close_pending(moment, lexeme, machines):
                return
            start = state.opened or Moment(moment.value * 0, moment.unit)
            if start.unit == moment.unit == "clock" and moment.value <= start.value:
                moment = moment.later(24)
            window = (start, moment)
            state.closed = (machines, moment) if state.opened is None else None
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

    def _open_closed(self, start: Moment) -> None:
        """ "S1 only until 12:00, from 8:00": the start of a window behind its end."""
        state = self.state
        assert state.closed is not None
        machines, end = state.closed
        for machine in machines:
            low, _ = machine.windows[-1]
            close = end.later(24) if start.unit == "clock" and end.value <= start.value else end
            machine.windows[-1] = (start, close) if low.value == 0 else machine.windows[-1]
        state.closed, state.waiting = None, ""

    def _close_pending(self, end: Moment, lexeme: Lexeme, machines: list[Entity]) -> bool:
        """ "O1 is free from 6 am, O2 from 8 am, both until 2 pm": one end for several starts."""
        state = self.state
        found = [(machine, start) for machine, start in state.pending if machine in machines]
        if len(found) != len(machines):
            return False
        for machine, start in found:
            close = end
            if start.unit == end.unit == "clock" and end.value <= start.value:
                close = end.later(24)
            add_window([machine], (start, close), state.sentence, lexeme, False)
        state.pending = [pair for pair in state.pending if pair[0] not in machines]
        state.waiting = ""
        lexeme.used = True
        return True


def _between(tasks: list[Entity], window: Window, lexeme: Lexeme) -> None:
    set_release(tasks, window[0], lexeme)
    set_deadline(tasks, window[1], lexeme)

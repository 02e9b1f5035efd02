"""Eligibility: which tasks may run on which machines, from what a clause says of both."""

from __future__ import annotations

from gibbsite.formalizer.clauses import ClauseReader
from gibbsite.formalizer.facts import allow, bar, restrict
from gibbsite.formalizer.scene import Entity

__all__ = ["EligibilityReader"]


class EligibilityReader(ClauseReader):
    """Reads the sentences that bring tasks and machines together."""

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
        plain = state.negated is None and state.only is None
        if plain and len(machines) == len(self.scene.machines) > 1:
            return  # "two cooks prepare dinner: …"
        if plain and len(tasks) == len(self.scene.tasks) > 1:
            return  # "R2 handles everything"
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
        plain = state.negated is None and not state.ahead_negated and state.only is None
        if plain and not state.ahead_only and len(tasks) == len(self.scene.tasks):
            return  # "on P1 everything can be done"
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

    def _eligible(self, machines: list[Entity], every: bool) -> None:
        state = self.state
        joined = any(part.has("or") for part in self.items[max(0, self.at - 2) : self.at])
        if state.negated is not None:
            bar(state.subject, machines)
            state.last_negated, state.negated = state.negated, None
        elif joined and state.subject and state.subject[0].allowed is not None:
            allow(state.subject, machines)  # "on M1 or on M2"
        elif state.subject_only and state.only is None:
            bar([t for t in self.scene.tasks if t not in state.subject], machines)
            state.subject_only = False
        elif not every:
            restrict(state.subject, machines)
            state.last_negated = None
        state.only = None
        state.on = False

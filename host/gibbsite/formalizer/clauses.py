"""Clauses: the state of a sentence that is being read, and what lies ahead in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gibbsite.formalizer.lexemes import Lexeme, Moment
from gibbsite.formalizer.mentions import Item
from gibbsite.formalizer.names import nameable, number_label
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.formalizer.scene import Entity, Scene, Window

__all__ = [
    "LAST_WORDS",
    "PRONOUNS",
    "RESPECTIVELY",
    "WHOLE",
    "ClauseReader",
    "ClauseState",
    "moment_of",
    "window_of",
]

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
    "final",
    "initial",
)
WHOLE: Final = frozenset(
    "finish end complete done ready koniec zakończenie zakończyć skończyć całość kończymy".split()
)
"""First words of a sentence that speaks of the whole plan."""
RESPECTIVELY: Final = frozenset({"respectively", "odpowiednio"})
PRONOUNS: Final = frozenset(
    ["it", "they", "this", "that", "to", "one", "ono", "ona", "on", "te", "ta", "ten"]
)
LAST_WORDS: Final = frozenset(
    ["koniec", "końcu", "end", "all", "last", "lastly", "finally", "wreszcie"]
)
_ORDER: Final = frozenset(["order", "sequence", "kolejność", "kolejności"])

_ASKED: Final = ("ułoż", "ułóż", "ustal", "zaplan", "wyznacz", "znajd", "podaj")
"""Beginnings of verbs that ask for an order and give none: "ułożyć kolejność: …"."""


@dataclass(slots=True)
class ClauseState:
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
    last_word: str = ""
    former: list[Entity] = field(default_factory=list)
    ordering: bool = False
    previous: list[Entity] = field(default_factory=list)
    outer: list[list[Entity]] = field(default_factory=list)
    last_negated: Lexeme | None = None
    chained: list[Entity] = field(default_factory=list)
    spans: list[tuple[Window, Lexeme]] = field(default_factory=list)
    opened: Moment | None = None
    closed: tuple[list[Entity], Moment] | None = None
    copying: bool = False
    window_ahead: tuple[Window, Lexeme] | None = None
    pending: list[tuple[Entity, Moment]] = field(default_factory=list)
    deferred: list[Callable[[list[Entity]], None]] = field(default_factory=list)
    machines_ahead: list[Entity] = field(default_factory=list)
    ahead_only: bool = False
    ahead_negated: bool = False
    mentions: int = 0

    @property
    def kind(self) -> str:
        return self.subject[0].kind if self.subject else ""


class ClauseReader:
    """The items of one sentence, the place in them, and looks ahead and behind."""

    def __init__(self, scene: Scene, items: list[Item], state: ClauseState) -> None:
        self.scene = scene
        self.items = items
        self.state = state
        self.at = 0

    def ahead_of(self, at: int) -> str:
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

    def run_at(self, at: int) -> tuple[list[Item], int]:
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
            if any(thing in part.things for part in run for thing in following.things):
                break
            beyond = self.items[position + 1] if position + 1 < len(self.items) else None
            if beyond is not None and beyond.is_mark("(") and run[-1].defines:
                break  # "J3 (4 h), J4 (1 h, after J1)"
            elided = at > 0 and self.items[at - 1].kind == kind and bool(self.state.last_order)
            elided = elided or self.state.window_ahead is not None
            if self.state.waiting in ("after", "before") or self.state.on or elided:
                # an object: what has a clause of its own is the next subject
                comma = any(item.is_mark(",") for item in self.items[end:position])
                aside = comma and not self.state.subject and kind == "task"
                paired = position + 1 < len(self.items) and self.items[position + 1].kind == kind
                own = self.defines(position) and (comma or not following.defines)
                if aside or paired or own or self.starts_clause(position):
                    break
            if self.state.waiting == "then" and self.starts_clause(position):
                break  # "then sewing, and binding at the end"
            run.append(following)
            end = position + 1
        return run, end

    def defines(self, at: int) -> bool:
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

    def starts_clause(self, at: int) -> bool:
        for item in self.items[at + 1 : at + 5]:
            if item.kind != "lexeme":
                return False
            if item.has("release") and self.ahead_of(self.items.index(item)) != "time":
                return False  # "once legs and boards are ready"
            if item.has(*_CLAUSE) and not item.has("on"):
                return True
            if item.has("on"):
                return self.state.waiting != ""
            if not item.has("filler", "also"):
                return False
        return False

    def opens_clause(self, end: int) -> bool:
        """Whether the relation stands first in its clause: "…, po suszeniu prasowanie"."""
        start = self.at - 1
        while start >= 0 and not self.items[start].has("after", "before"):
            start -= 1
        first = start <= 0 or self.items[start - 1].is_mark(",") or self.items[start - 1].has("and")
        while end < len(self.items) and self.items[end].has("filler"):
            end += 1
        return first and 0 < end < len(self.items) and self.items[end].kind == "task"

    def sequenced(self) -> bool:
        """Whether the colon here ends "in this order:", "w kolejności:"."""
        words = [
            word for item in self.items[: self.at] for word in item.lexeme.text.lower().split()
        ]
        if not words or any(item.kind == "machine" for item in self.items[: self.at]):
            return False
        asked = len(words) == 1 or words[-2] in ("please", "to", "and")
        asked_pl = len(words) > 1 and words[-2].startswith(_ASKED)
        told = words[-1] in ("kolejność", "kolejności") and not asked_pl
        named = words[-1] == "sequence" and not asked  # not the verb: "please sequence: …"
        return told or named or (words[-1] == "order" and "in" in words)

    def fronted(self, end: int) -> bool:
        """Whether a machine stands before its tasks: "…, a na maszynie 2 zadanie C"."""
        start = self.at - 1
        while start >= 0 and not self.items[start].has("on", "only"):
            start -= 1
        first = (
            start <= 0 or self.items[start - 1].is_mark(",;") or self.items[start - 1].has("and")
        )
        for item in self.items[end:]:
            if item.kind == "task":
                return first
            if item.kind != "lexeme" or item.is_mark(",;:"):
                return False
        return False

    def closes_clause(self, end: int) -> bool:
        """Whether a machine ends a clause that a task opens: "instrukcję tłumaczy Olga"."""
        if end < len(self.items) and not self.items[end].is_mark(",;)"):
            return False
        between: list[Item] = []
        for item in reversed(self.items[: self.at]):
            if item.kind != "lexeme":
                return item.kind == "task" and bool(between)
            if item.lexeme.kind != "word" or item.has("and", "or", "then"):
                return False
            between.append(item)
        return False

    def ordered(self) -> bool:
        """Whether "order:" or "in the order" stands right before the list at hand."""
        before = [
            part for part in self.items[max(0, self.at - 2) : self.at] if not part.is_mark(":")
        ]
        return bool(before) and before[-1].lexeme.text.lower() in _ORDER

    def unknown_subject(self) -> bool:
        """Whether the sentence speaks of a thing by a name that nobody introduced."""
        for item in self.items:
            if item.kind != "lexeme" or item.has(*_CLAUSE):
                return False
            lexeme = item.lexeme
            if nameable(lexeme, self.scene.language) and lexeme.text.lower() not in PRONOUNS:
                return not lexeme.has("workday")
        return False

    def strangers(self) -> bool:
        """Whether "only" stands with a capitalised name that nobody introduced."""
        return any(item.has("only") for item in self.items) and any(
            item.kind == "lexeme"
            and item.lexeme.kind == "word"
            and not item.lexeme.cues
            and item.lexeme.text.istitle()
            for item in self.items
        )

    def hint_behind(self) -> str:
        """ "on day 2 at the earliest": the relation after its time."""
        for item in self.items[self.at + 1 : self.at + 3]:
            if item.has("release"):
                return "release"
            if item.has("latest"):
                return "deadline"
        return ""

    def numbered_task(self) -> bool:
        for item in self.items[self.at + 1 : self.at + 4]:
            if item.kind == "lexeme" and item.lexeme.kind == "number":
                label = number_label(item.lexeme)
                return label is not None and self.scene.named("task", label) is not None
        return False

    def refuse(self, what: str) -> None:
        first, last = self.items[0].lexeme, self.items[-1].lexemes[-1]
        words = self.scene.text[first.start : last.end]
        raise FormalizationError(
            "not_understood",
            f"each sentence names its tasks or machines and their times; {words!r} {what}; "
            "say it in other words",
            words,
        )


def moment_of(lexeme: Lexeme) -> Moment | None:
    if lexeme.moment is not None:
        return lexeme.moment
    if lexeme.kind == "amount" and lexeme.amount is not None and not lexeme.amount.is_range:
        return Moment(lexeme.amount.low, lexeme.amount.unit)
    if lexeme.kind == "number" and lexeme.number is not None:
        return Moment(lexeme.number, "bare")
    return None


def window_of(lexeme: Lexeme) -> Window | None:
    if lexeme.window is not None:
        return lexeme.window
    if lexeme.kind == "amount" and lexeme.amount is not None and lexeme.amount.is_range:
        amount = lexeme.amount
        return Moment(amount.low, amount.unit), Moment(amount.high, amount.unit)
    if lexeme.kind == "range" and lexeme.span is not None:
        low, high = lexeme.span
        return Moment(low, "bare"), Moment(high if high > low else high + 24, "bare")
    return None

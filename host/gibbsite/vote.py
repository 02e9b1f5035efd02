"""Voting: many independent reads become one answer, feasible ones first.

`energy` takes the read of lowest energy, `majority` the answer that most reads agree on, `best` the
best objective. What a rule leaves equal is decided by the other figures, then by the order of the
reads, and reported as ties.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias, get_args

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["RULES", "Candidate", "Rule", "Verdict", "VoteError", "checked_rule", "vote"]

Rule: TypeAlias = Literal["energy", "majority", "best"]
RULES: Final[tuple[Rule, ...]] = get_args(Rule)

Key: TypeAlias = tuple[float | Fraction | int, ...]


class VoteError(GibbsiteError, ValueError):
    """A vote that cannot be held: an unknown rule, or no reads."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One read: the answer it stands for (equal answers agree), its energy, and its worth.

    ``objective`` is to be minimised; it counts among feasible candidates only.
    """

    answer: Hashable
    energy: float
    feasible: bool
    objective: Fraction


@dataclass(frozen=True, slots=True)
class Verdict:
    """The index of the chosen candidate, and how clear the choice was.

    ``support`` candidates agree with it, ``ties`` other answers rank equally under the rule,
    ``distinct`` answers stood among the ``candidates`` that took part.
    """

    winner: int
    support: int
    ties: int
    distinct: int
    candidates: int


def checked_rule(rule: str) -> Rule:
    """The rule of that name. Raises `VoteError` if there is none."""
    for known in RULES:
        if rule == known:
            return known
    raise VoteError(f"vote: the rules are {', '.join(RULES)}, found {rule!r}; use one of these")


def vote(candidates: Sequence[Candidate], rule: str) -> Verdict:
    """The winner by `rule` among the feasible candidates, or among all if none is feasible.

    Raises: `VoteError` for an unknown rule or without candidates.
    """
    chosen = checked_rule(rule)
    if not candidates:
        raise VoteError("vote: at least 1 read is needed, found 0; ask for more reads")
    feasible = [index for index, item in enumerate(candidates) if item.feasible]
    taking_part = feasible or list(range(len(candidates)))
    support = Counter(candidates[index].answer for index in taking_part)
    rank = _rank(chosen, support, comparable=bool(feasible))
    winner = min(taking_part, key=lambda index: (*rank(candidates[index]), index))
    first = rank(candidates[winner])[0]
    equal = {
        candidates[index].answer for index in taking_part if rank(candidates[index])[0] == first
    }
    return Verdict(
        winner=winner,
        support=support[candidates[winner].answer],
        ties=len(equal) - 1,
        distinct=len(support),
        candidates=len(taking_part),
    )


def _rank(
    rule: Rule, support: Counter[Hashable], *, comparable: bool
) -> Callable[[Candidate], Key]:
    """The sort key of a rule, its own figure first; infeasible answers have no objective."""

    def objective(item: Candidate) -> Fraction:
        return item.objective if comparable else Fraction(0)

    keys: dict[Rule, Callable[[Candidate], Key]] = {
        "energy": lambda item: (item.energy, objective(item), -support[item.answer]),
        "majority": lambda item: (-support[item.answer], objective(item), item.energy),
        "best": lambda item: (
            objective(item) if comparable else item.energy,
            -support[item.answer],
            item.energy,
        ),
    }
    return keys[rule]

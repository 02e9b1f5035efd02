"""The vote: each rule's own figure first, feasible answers before all others, ties and support."""

from fractions import Fraction

import pytest

from gibbsite.vote import RULES, Candidate, VoteError, checked_rule, vote


def candidate(answer: str, energy: float, objective: int, feasible: bool = True) -> Candidate:
    return Candidate(answer, energy, feasible, Fraction(objective))


READS = [
    candidate("dull", 0.5, 9),
    candidate("dull", 0.5, 9),
    candidate("good", 0.75, 7),
    candidate("cold", 0.25, 8),
    candidate("broken", -4.0, 1, feasible=False),
    candidate("broken", -4.0, 1, feasible=False),
    candidate("broken", -4.0, 1, feasible=False),
]


@pytest.mark.parametrize(
    ("rule", "answer", "support"),
    [("energy", "cold", 1), ("majority", "dull", 2), ("best", "good", 1)],
)
def test_each_rule_takes_its_own_winner(rule: str, answer: str, support: int) -> None:
    verdict = vote(READS, rule)
    assert READS[verdict.winner].answer == answer
    assert verdict.support == support
    assert verdict.ties == 0
    assert verdict.candidates == 4  # the broken ones take no part
    assert verdict.distinct == 3


@pytest.mark.parametrize("rule", RULES)
def test_feasible_comes_first(rule: str) -> None:
    reads = [candidate("broken", -9.0, 0, feasible=False)] * 5 + [candidate("kept", 3.0, 50)]
    assert reads[vote(reads, rule).winner].answer == "kept"


@pytest.mark.parametrize("rule", RULES)
def test_without_a_feasible_read_all_take_part(rule: str) -> None:
    reads = [candidate("a", 2.0, 1, False), candidate("b", 1.0, 9, False)]
    verdict = vote(reads, rule)
    assert verdict.candidates == 2
    # objectives of infeasible answers mean nothing: the lower energy wins, not the lower objective
    assert reads[verdict.winner].answer == "b"


def test_ties_count_other_answers_not_reads() -> None:
    reads = [candidate("a", 1.0, 5), candidate("a", 1.0, 5), candidate("b", 1.0, 5)]
    verdict = vote(reads, "best")
    assert verdict.ties == 1
    assert verdict.support == 2
    assert reads[verdict.winner].answer == "a"


def test_the_order_of_reads_decides_last() -> None:
    reads = [candidate("a", 1.0, 5), candidate("b", 1.0, 5)]
    assert vote(reads, "energy").winner == 0
    assert vote(reads[::-1], "energy").winner == 0


def test_unknown_rule_is_refused() -> None:
    with pytest.raises(VoteError, match="energy, majority, best, found 'median'; use one of these"):
        checked_rule("median")
    with pytest.raises(VoteError, match="'median'"):
        vote(READS, "median")


def test_no_reads_are_refused() -> None:
    with pytest.raises(VoteError, match="at least 1 read"):
        vote([], "best")

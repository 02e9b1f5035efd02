"""Decisions with forced uniforms: rounding, scores of zero, ties, clamps, the first of equals."""

from array import array
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, GraphProgram, Row, RunRequest
from gibbsite_hw.spec.tables import noise_code
from gibbsite_models.golden.graph import Chains, GraphEngine

P = GraphParameters(lanes=4, rows=8, words=8, payload_words=16)
SHIFT = P.beta_shift


class Forced(GraphEngine):
    """The engine with uniforms that a test gives: one list a row, the same for every pass."""

    uniforms: ClassVar[list[list[int]]] = []

    def draw(self, chains: Chains) -> NDArray[np.uint32]:
        row = self._turn % len(self.uniforms)
        self._turn += 1
        lanes = np.array(self.uniforms[row], dtype=np.uint32)[:, None]
        return np.repeat(lanes, chains.energy.size, axis=1)

    def seed(self, seed: int, chain_numbers: NDArray[np.uint64], best: bool) -> Chains:
        self._turn = 0
        return super().seed(seed, chain_numbers, best)


def decide(
    rows: list[Row],
    biases: list[int],
    uniforms: list[list[int]],
    beta_code: int,
    on: list[int] | None = None,
    off: list[int] | None = None,
) -> list[int]:
    """The state after one sweep with these uniforms."""
    zeros = [0] * len(rows)
    conditions = Conditions(array("i", biases), array("I", on or zeros), array("I", off or zeros))
    program = GraphProgram(rows, array("I", [0] * (4 * len(rows))), conditions)
    engine = Forced(P, program.rows, np.zeros((len(rows), 4), dtype=np.uint32))
    engine.condition(conditions)
    Forced.uniforms = uniforms
    (draws,) = engine.run(RunRequest(array("I", [beta_code])))
    return [int(word) for word in draws.states[0, 0]]


PBITS = Row(1, 0, False, False, False, True, 0b1111)
GROUP = [
    Row(1, 0, True, True, False, False, 0b1111),
    Row(1, 0, True, False, True, True, 0b0111),
]


def even_uniform() -> tuple[int, int]:
    """A uniform whose logistic code is even and positive, and the code."""
    for uniform in range(0xA000_0000, 0xA100_0000, 0x10001):
        code = noise_code(uniform, False, P.score_frac)
        if code > 0 and code % 2 == 0 and code // 2 <= P.bias_max:
            return uniform, code
    raise AssertionError("no such uniform")


def test_a_score_of_zero_is_off_and_one_above_is_on() -> None:
    uniform, code = even_uniform()
    # beta_code = 2^beta_shift: the drift is 2 b, exactly
    half = code // 2
    for bias, bit in ((half + 1, 0), (half, 0), (half - 1, 1)):
        assert decide([PBITS], [bias] * 4, [[uniform] * 4], 1 << SHIFT) == [0b1111 * bit]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_drift_is_rounded_down(sign: int) -> None:
    # the product is one below, at and one above a multiple of 2^beta_shift: floor, not truncation
    for beta_code in ((1 << SHIFT) - 1, 1 << SHIFT, (1 << SHIFT) + 1):
        for bias in (1, 3, 7):
            for uniform in range(0x7FFF_0000, 0x8001_0000, 0x101):
                drift = beta_code * 2 * sign * bias >> SHIFT
                score = noise_code(uniform, False, P.score_frac) - drift
                if abs(score) <= 1:
                    state = decide([PBITS], [sign * bias] * 4, [[uniform] * 4], beta_code)
                    assert state == [0b1111 if score > 0 else 0]


def test_ties_go_to_the_earlier_row_then_the_lower_lane() -> None:
    same = [[0x1234_5678] * 4] * 2
    assert decide(GROUP, [0] * 8, same, 0) == [0b0001, 0]
    assert decide(GROUP, [0] * 8, same, 0, off=[0b0001, 0]) == [0b0010, 0]
    assert decide(GROUP, [0] * 8, same, 0, off=[0b1111, 0b0010]) == [0, 0b0001]
    # a better score in the later row beats the tie
    better = [[0x1234_5678] * 4, [0x1234_5678, 0x1334_5678, 0x1334_5678, 0]]
    assert decide(GROUP, [0] * 8, better, 0) == [0, 0b0010]


def test_the_lower_field_wins_by_exactly_one_code() -> None:
    same = [[0x1234_5678] * 4] * 2
    biases = [0, 0, 0, 0, 0, -1, 0, 0]
    assert decide(GROUP, biases, same, 1 << SHIFT) == [0, 0b0010]


def test_a_states_drift_is_rounded_down() -> None:
    same, below = [[0x1234_5678] * 4] * 2, (1 << SHIFT) - 1
    # 15/16 of a code is none: a tie, which the earlier state wins in spite of its field
    assert decide(GROUP, [1, 0, 0, 0, 0, 0, 0, 0], same, below) == [0b0001, 0]
    # -1/16 of a code is one code less
    assert decide(GROUP, [0, 0, -1, 0, 0, 0, 0, 0], same, 1) == [0b0100, 0]


def test_clamps_beat_any_score() -> None:
    best = [[0, 0, 0, 0xFFFF_FFFF], [0, 0, 0, 0]]
    assert decide(GROUP, [0] * 8, best, 0) == [0b1000, 0]
    assert decide(GROUP, [0] * 8, best, 0, on=[0, 0b0100]) == [0, 0b0100]
    assert decide([PBITS], [0] * 4, [[0, 0, 0xFFFF_FFFF, 0xFFFF_FFFF]], 0, [1], [8]) == [0b0101]


def test_of_equal_energies_the_first_state_stays_the_best() -> None:
    conditions = Conditions(array("i", [0] * 4), array("I", [0]), array("I", [0]))
    engine = GraphEngine(P, [PBITS], np.zeros((1, 4), dtype=np.uint32))
    engine.condition(conditions)
    request = RunRequest(
        array("I", [5] * 3), seed=6, chains=20, best=True, state=array("I", [0b0110])
    )
    (draws,) = engine.run(request)
    assert set(draws.best_states.reshape(-1).tolist()) == {0b0110}
    assert len(set(draws.states.reshape(-1).tolist())) > 5

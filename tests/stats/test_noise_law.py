"""A draw's law, computed from the tables: at most 1e-4 from the exact one in total variation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.exact.noise import cells, group_error, pbit_error
from gibbsite_models.golden.noise import shape_noise

BOUND = 1e-4
DEFAULT = GraphParameters()


def cut_at_3_sigma(uniform: NDArray[np.uint32], gumbel: bool, score_frac: int) -> NDArray[np.int64]:
    """The planted fault: noise that ends three standard deviations from its mean."""
    code = shape_noise(uniform, gumbel, score_frac)
    mean = np.euler_gamma if gumbel else 0.0
    sigma = math.pi / math.sqrt(6 if gumbel else 3)
    least, most = (round((mean + k * sigma) * 2**score_frac) for k in (-3, 3))
    return np.clip(code, least, most)


def test_a_pbit_draw_is_within_the_bound() -> None:
    assert pbit_error(DEFAULT.score_frac) <= BOUND


@pytest.mark.parametrize("states", [2, 3, 16, DEFAULT.max_group])
def test_a_group_draw_is_within_the_bound(states: int) -> None:
    assert group_error(DEFAULT.score_frac, states) <= BOUND


def test_a_tail_cut_at_3_sigma_is_not() -> None:
    # the logistic has exp(-3 pi / sqrt 3) = 0.43 % of its mass beyond either cut
    assert pbit_error(DEFAULT.score_frac, cut_at_3_sigma) > 40 * BOUND
    assert group_error(DEFAULT.score_frac, 2, cut_at_3_sigma) > 40 * BOUND


@pytest.mark.parametrize("upper", [False, True])
def test_cells_are_all_uniforms_of_a_half_and_give_one_code_each(upper: bool) -> None:
    half = cells(upper)
    assert half.count.sum() == 2**31
    assert np.array_equal(half.near[1:], half.far[:-1])
    assert half.far[-1] == 0.5
    # the last uniform of every cell: towards the middle of the unit interval
    last = half.uniform.astype(np.int64) + (half.count - 1) * (-1 if upper else 1)
    for gumbel in (False, True):
        first_codes = shape_noise(half.uniform, gumbel, 16)
        assert np.array_equal(shape_noise(last.astype(np.uint32), gumbel, 16), first_codes)


def test_the_group_bound_holds_for_a_draw_counted_in_full() -> None:
    # Two states, noise on 2^11 x 2^11 uniforms at cell middles: the law of the winner is counted
    # exactly and compared with the softmax. The grid alone is off by about 1/2^11.
    middles = ((np.arange(2048) * 2 + 1) << 20).astype(np.uint32)
    code = np.sort(shape_noise(middles, True, 16))
    for drift in (0.0, 0.7, 3.0):
        first_wins = np.searchsorted(code, code + round(drift * 2**16), side="right").sum() / 2**22
        assert abs(first_wins - 1 / (1 + math.exp(-drift))) < 1 / 2048 + BOUND

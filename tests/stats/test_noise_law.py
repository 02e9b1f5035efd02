"""A draw's law, computed from the tables: at most 1e-4 from the exact one in total variation."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.tables import INDEX_BITS, noise_tables
from gibbsite_models.exact.noise import cells, group_error, pbit_error
from gibbsite_models.golden.noise import shape_noise

BOUND = 1e-4
DEFAULT = GraphParameters()


# index bits, tail bits, largest group within the bound (1: p-bits alone), entries of the tables
SMALLER = [(6, 5, 64, 3744), (6, 3, 2, 1944), (4, 1, 1, 486)]


def cut_at_3_sigma(
    uniform: NDArray[np.uint32], gumbel: bool, score_frac: int, index_bits: int, tail_bits: int
) -> NDArray[np.int64]:
    """The planted fault: noise that ends three standard deviations from its mean."""
    code = shape_noise(uniform, gumbel, score_frac, index_bits, tail_bits)
    mean = np.euler_gamma if gumbel else 0.0
    sigma = math.pi / math.sqrt(6 if gumbel else 3)
    least, most = (round((mean + k * sigma) * 2**score_frac) for k in (-3, 3))
    return np.clip(code, least, most)


def test_a_pbit_draw_is_within_the_bound() -> None:
    assert pbit_error(DEFAULT.score_frac) <= BOUND


@pytest.mark.parametrize("states", [2, 3, 16, DEFAULT.max_group])
def test_a_group_draw_is_within_the_bound(states: int) -> None:
    assert group_error(DEFAULT.score_frac, states) <= BOUND


@pytest.mark.parametrize(("index_bits", "tail_bits", "states", "entries"), SMALLER)
def test_smaller_tables_keep_the_bound_for_smaller_groups(
    index_bits: int, tail_bits: int, states: int, entries: int
) -> None:
    frac = DEFAULT.score_frac
    assert len(noise_tables(frac, index_bits, tail_bits)[0]) == entries
    assert pbit_error(frac, index_bits=index_bits, tail_bits=tail_bits) <= BOUND
    if states > 1:
        assert group_error(frac, states, index_bits=index_bits, tail_bits=tail_bits) <= BOUND
    # and the bound is what it costs: some larger group is beyond it
    assert group_error(frac, 256, index_bits=index_bits, tail_bits=tail_bits) > BOUND


def test_a_tail_cut_at_3_sigma_is_not() -> None:
    # the logistic has exp(-3 pi / sqrt 3) = 0.43 % of its mass beyond either cut
    assert pbit_error(DEFAULT.score_frac, cut_at_3_sigma) > 40 * BOUND
    assert group_error(DEFAULT.score_frac, 2, cut_at_3_sigma) > 40 * BOUND


@pytest.mark.parametrize("widths", [(INDEX_BITS, INDEX_BITS), (4, 1)])
@pytest.mark.parametrize("upper", [False, True])
def test_cells_are_all_uniforms_of_a_half_and_give_one_code_each(
    upper: bool, widths: tuple[int, int]
) -> None:
    half = cells(upper, *widths)
    assert half.count.sum() == 2**31
    assert np.array_equal(half.near[1:], half.far[:-1])
    assert half.far[-1] == 0.5
    # the last uniform of every cell: towards the middle of the unit interval
    last = half.uniform.astype(np.int64) + (half.count - 1) * (-1 if upper else 1)
    for gumbel in (False, True):
        first_codes = shape_noise(half.uniform, gumbel, 16, *widths)
        found = shape_noise(last.astype(np.uint32), gumbel, 16, *widths)
        assert np.array_equal(found, first_codes)


def test_the_group_bound_holds_for_a_draw_counted_in_full() -> None:
    # Two states, noise on 2^11 x 2^11 uniforms at cell middles: the law of the winner is counted
    # exactly and compared with the softmax. The grid alone is off by about 1/2^11.
    middles = ((np.arange(2048) * 2 + 1) << 20).astype(np.uint32)
    code = np.sort(shape_noise(middles, True, 16))
    for drift in (0.0, 0.7, 3.0):
        first_wins = np.searchsorted(code, code + round(drift * 2**16), side="right").sum() / 2**22
        assert abs(first_wins - 1 / (1 + math.exp(-drift))) < 1 / 2048 + BOUND

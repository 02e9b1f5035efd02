"""Noise shaping with forced uniforms, against independent formulas of the exact variates."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import gumbel_r, logistic

from gibbsite_hw.spec.tables import INDEX_BITS, OCTAVES, noise_code
from gibbsite_models.golden.noise import shape_noise

FRAC = 16


def forced() -> NDArray[np.uint32]:
    """Both ends of every octave of both halves and points between, and some segments' ends."""
    random = np.random.default_rng(20)
    lower: set[int] = {0}
    for octave in range(OCTAVES - 1):
        first = 1 << (30 - octave)
        lower |= {first, 2 * first - 1, first + first // 2}
        lower |= {int(v) for v in random.integers(first, 2 * first, 40)}
        step = max(1, first >> 7)
        for segment in random.integers(0, 128, 10):
            lower |= {min(2 * first - 1, first + int(segment) * step)}
            lower |= {min(2 * first - 1, first + int(segment) * step + step - 1)}
    half = np.array(sorted(lower), dtype=np.uint32)
    return np.concatenate([half, ~half])


UNIFORMS = forced()


@pytest.mark.parametrize("widths", [(INDEX_BITS, INDEX_BITS), (6, 5), (4, 1)])
@pytest.mark.parametrize("score_frac", [12, 16, 20])
@pytest.mark.parametrize("gumbel", [False, True])
def test_arrays_and_integers_give_the_same_codes(
    gumbel: bool, score_frac: int, widths: tuple[int, int]
) -> None:
    expected = [noise_code(int(u), gumbel, score_frac, *widths) for u in UNIFORMS]
    assert shape_noise(UNIFORMS, gumbel, score_frac, *widths).tolist() == expected


def largest_error(codes: NDArray[np.int64], gumbel: bool) -> NDArray[np.float64]:
    """In units of the score, against SciPy's quantiles at the middle of the uniform's cell."""
    number = 2 * UNIFORMS.astype(np.float64) + 1  # exact
    law = gumbel_r if gumbel else logistic
    lower, upper = number / 2.0**33, (2.0**33 - number) / 2.0**33  # both exact
    exact = np.where(upper < 0.5, law.isf(upper), law.ppf(lower))
    return np.asarray(np.abs(codes / 2.0**FRAC - exact))


# A code is off by half of its own last place (2^-17), half of the fraction's step (a relative
# 2^-18 of q, which moves the logistic by at most 2 and a Gumbel variate by at most 1.45 as much),
# the sag of a chord that is left on either side (at most 2^-14 / 16 times the second derivative in
# ln q, below 1 for both), and three roundings to 2^-21 or 2^-20 of the tables.
BOUND = 2.0**-17 + 2 * 2.0**-18 + 2.0**-18 + 2 * 2.0**-21 + 2.0**-20


@pytest.mark.parametrize("gumbel", [False, True])
def test_codes_lie_on_the_exact_quantiles(gumbel: bool) -> None:
    error = largest_error(shape_noise(UNIFORMS, gumbel, FRAC), gumbel)
    assert error.max() < BOUND


@pytest.mark.parametrize("gumbel", [False, True])
def test_a_wrong_place_in_a_segment_is_seen(gumbel: bool) -> None:
    codes = shape_noise(UNIFORMS, gumbel, FRAC)
    # bit 15 is the third lowest of the fraction in octave 0, which is here wired the wrong way
    wrong = shape_noise(UNIFORMS ^ np.uint32(1 << 15), gumbel, FRAC)
    codes = np.where(UNIFORMS >> np.uint32(30) == 1, wrong, codes)
    assert largest_error(codes, gumbel).max() > BOUND


def test_the_logistic_is_odd() -> None:
    codes = shape_noise(UNIFORMS, False, FRAC)
    assert shape_noise(~UNIFORMS, False, FRAC).tolist() == (-codes).tolist()


@pytest.mark.parametrize("gumbel", [False, True])
def test_codes_rise_with_the_uniform(gumbel: bool) -> None:
    ordered = np.sort(UNIFORMS)
    codes = shape_noise(ordered, gumbel, FRAC)
    # neighbouring segments are rounded apart: a fall of one code at a joint is rounding
    assert np.diff(codes).min() >= -1

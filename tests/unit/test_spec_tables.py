"""The noise tables against SciPy's quantiles: a shared table is a shared mistake."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import gumbel_r, logistic

from gibbsite_hw.spec.tables import (
    BASE_BITS,
    BASE_FRAC,
    GUMBEL_LOWER,
    GUMBEL_UPPER,
    INDEX_BITS,
    LOGISTIC,
    NEAR_OCTAVES,
    OCTAVES,
    noise_tables,
    octave_bits,
    octave_start,
    slope_bits,
)


def variate(kind: int, q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantile at the distance q from the lower end, or from the upper for the last kind."""
    if kind == LOGISTIC:
        return np.asarray(logistic.ppf(q))
    return np.asarray(gumbel_r.ppf(q) if kind == GUMBEL_LOWER else gumbel_r.isf(q))


def places(index_bits: int, tail_bits: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Octave of each entry of a kind, and its place in the octave."""
    counts = [1 << (index_bits if k < NEAR_OCTAVES else tail_bits) for k in range(OCTAVES)]
    octave = np.repeat(np.arange(OCTAVES), counts)
    return octave, np.concatenate([np.arange(n) / n for n in counts])


@pytest.mark.parametrize("widths", [(INDEX_BITS, INDEX_BITS), (6, 5), (4, 1)])
@pytest.mark.parametrize("score_frac", [12, 16, 20])
@pytest.mark.parametrize("kind", [LOGISTIC, GUMBEL_LOWER, GUMBEL_UPPER])
def test_every_line_joins_its_ends(kind: int, score_frac: int, widths: tuple[int, int]) -> None:
    base, slope = (np.array(t).reshape(3, -1)[kind] for t in noise_tables(score_frac, *widths))
    octave, place = places(*widths)
    width = np.array([2.0 ** -octave_bits(int(k), *widths) for k in octave])
    assert [octave_start(kind, k, *widths) for k in range(OCTAVES)] == [
        kind * len(base) + int(np.searchsorted(octave, k)) for k in range(OCTAVES)
    ]
    q0 = 2.0 ** -(octave + 2.0) * (1 + place)
    q1 = 2.0 ** -(octave + 2.0) * (1 + place + width)
    left, middle, right = variate(kind, q0), variate(kind, (q0 + q1) / 2), variate(kind, q1)
    one = 2.0**BASE_FRAC
    # a rounding is off by half a code; SciPy's and libm's quantiles agree to far below one
    assert np.abs(slope - (right - left) * one).max() <= 0.51
    half_cut = 2.0 ** (BASE_FRAC - score_frac - 1) if score_frac < BASE_FRAC else 0.0
    sag = middle - (left + right) / 2
    assert np.abs(base - (left + sag / 2) * one - half_cut).max() <= 0.51
    assert np.abs(base).max() < 1 << (BASE_BITS - 1)
    assert np.abs(slope).max() < 1 << (slope_bits(*widths) - 1)

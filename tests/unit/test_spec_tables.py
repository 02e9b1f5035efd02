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
    OCTAVES,
    SLOPE_BITS,
    noise_tables,
)

SEGMENTS = 1 << INDEX_BITS


def variate(kind: int, q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantile at the distance q from the lower end, or from the upper for the last kind."""
    if kind == LOGISTIC:
        return np.asarray(logistic.ppf(q))
    return np.asarray(gumbel_r.ppf(q) if kind == GUMBEL_LOWER else gumbel_r.isf(q))


@pytest.mark.parametrize("score_frac", [12, 16, 20])
@pytest.mark.parametrize("kind", [LOGISTIC, GUMBEL_LOWER, GUMBEL_UPPER])
def test_every_line_joins_its_ends(kind: int, score_frac: int) -> None:
    base, slope = (
        np.array(t).reshape(3, OCTAVES, SEGMENTS)[kind] for t in noise_tables(score_frac)
    )
    octave, segment = np.arange(OCTAVES)[:, None], np.arange(SEGMENTS)[None, :]
    q0 = 2.0 ** -(octave + 2) * (1 + segment / SEGMENTS)
    q1 = 2.0 ** -(octave + 2) * (1 + (segment + 1) / SEGMENTS)
    left, middle, right = variate(kind, q0), variate(kind, (q0 + q1) / 2), variate(kind, q1)
    one = 2.0**BASE_FRAC
    # a rounding is off by half a code; SciPy's and libm's quantiles agree to far below one
    assert np.abs(slope - (right - left) * one).max() <= 0.51
    half_cut = 2.0 ** (BASE_FRAC - score_frac - 1) if score_frac < BASE_FRAC else 0.0
    sag = middle - (left + right) / 2
    assert np.abs(base - (left + sag / 2) * one - half_cut).max() <= 0.51
    assert np.abs(base).max() < 1 << (BASE_BITS - 1)
    assert np.abs(slope).max() < 1 << (SLOPE_BITS - 1)

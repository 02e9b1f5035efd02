"""`solve` and `inverse` against NumPy: the law of their errors, at kT other than 1.

In the norm that makes all modes alike, the squared error of N states is a sum of ``dof`` squares of
equal size, so the logarithm of its root mean square over repeats has a standard deviation of
1/sqrt(2 dof repeats); the slope's follows from least squares.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gibbsite.algorithms import linear_algebra
from gibbsite.algorithms.gaussian_well import GaussianWell
from gibbsite.algorithms.linear_algebra import Estimate, inverse, solve

Floats = NDArray[np.float64]

SIZE = 10
CHAINS = 64
REPEATS = 6
SAMPLES = np.array([512, 4096, 32768])
"""At least 8 states a chain: in shorter ones correlation counts less, which tilts the slope; here
by less than 0.01."""
SIGMAS = 3


def problem() -> tuple[Floats, Floats]:
    """A matrix with a condition number near 6 and scales over a factor of 100, and a vector."""
    random = np.random.default_rng(6)
    M = random.normal(size=(SIZE, SIZE))
    scale = np.geomspace(0.1, 10, SIZE)
    A = (M @ M.T / SIZE + 0.6 * np.eye(SIZE)) * scale * scale[:, None]
    return A, 20 * random.normal(size=SIZE)


def of_solve(samples: int, seed: int) -> float:
    A, b = problem()
    off = solve(A, b, samples=samples, kT=0.4, chains=CHAINS, seed=seed).value - np.linalg.solve(
        A, b
    )
    return float(off @ A @ off)


def of_inverse(samples: int, seed: int) -> float:
    A, _ = problem()
    root = np.linalg.cholesky(A)
    found = inverse(A, samples=samples, kT=2.5, chains=CHAINS, seed=seed).value
    return float(((root.T @ found @ root - np.eye(SIZE)) ** 2).sum())


def slope(squared: Callable[[int, int], float], repeats: int = REPEATS) -> float:
    errors = [
        np.mean([squared(int(samples), 10 * k + r) for r in range(repeats)]) ** 0.5
        for k, samples in enumerate(SAMPLES)
    ]
    return float(np.polyfit(np.log(SAMPLES), np.log(errors), 1)[0])


def allowed(dof: int, repeats: int = REPEATS) -> float:
    spread = np.log(SAMPLES) - np.log(SAMPLES).mean()
    return float(SIGMAS / np.sqrt(2 * dof * repeats) / np.sqrt((spread**2).sum()))


def test_the_error_of_solve_falls_as_one_over_the_root_of_the_samples() -> None:
    assert abs(slope(of_solve) + 0.5) < allowed(SIZE)  # 0.093


def test_the_error_of_inverse_falls_as_one_over_the_root_of_the_samples() -> None:
    assert abs(slope(of_inverse) + 0.5) < allowed(SIZE * (SIZE + 1) // 2)  # 0.040


def test_a_finite_step_that_nobody_corrects_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_algebra, "_corrected", lambda second, well: second / well.kT)
    assert slope(of_inverse, 1) + 0.5 > 2 * allowed(SIZE * (SIZE + 1) // 2, 1)


def test_an_origin_that_b_does_not_follow_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = GaussianWell._settle

    def misplaced(self: GaussianWell) -> None:
        settle(self)
        self.centre = self.centre * 1.01  # after the program with its b was loaded

    monkeypatch.setattr(GaussianWell, "_settle", misplaced)
    assert slope(of_solve, 1) + 0.5 > 1.2 * allowed(SIZE, 1)


def test_standard_errors_are_those_of_the_estimates() -> None:
    A, b = problem()
    # 20 repeats of 10 and 55 numbers: squares in units of their errors average 1. Chains' spread
    # has 63 degrees of freedom, so their mean is 63/61; modes are alike in pairs at worst, so it
    # is known to sqrt(2 / (20 * 5)) = 0.14
    finders: list[tuple[Callable[[int], Estimate], NDArray[Any]]] = [
        (lambda seed: solve(A, b, samples=1024, kT=0.2, seed=seed), np.linalg.solve(A, b)),
        (lambda seed: inverse(A, samples=1024, kT=3.0, seed=seed), np.linalg.inv(A)),
    ]
    for find, exact in finders:
        found = [find(100 + k) for k in range(20)]
        squares = [((one.value - exact) / one.standard_error) ** 2 for one in found]
        assert abs(float(np.mean(squares)) - 63 / 61) < SIGMAS * 0.14

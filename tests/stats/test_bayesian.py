"""Posteriors from the device against closed forms and a long float run, with planted faults.

Standard errors come from the effective sample size, of products for a covariance; every mean and
covariance may miss by 3 of them. Seeds are fixed, so what passes once passes always.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gibbsite.algorithms import augmentation, polya_gamma
from gibbsite.algorithms.augmentation import Augmentation
from gibbsite.algorithms.bayesian import BayesianSampler, LinearRegression, LogisticRegression
from gibbsite.algorithms.gaussian_well import GaussianWell
from gibbsite.algorithms.posterior import Posterior
from gibbsite_models.convergence import r_hat_limit
from gibbsite_models.langevin_float import Protocol

Floats = NDArray[np.float64]
SIGMAS = 3


def misses(
    found: Posterior, mean: Floats, cov: Floats, error: Any = 0.0, cov_error: Any = 0.0
) -> float:
    """The largest distance of a mean or covariance in standard errors, the reference's included."""
    off = np.abs(found.mean - mean) / np.hypot(found.standard_error, error)
    apart = np.abs(found.covariance - cov) / np.hypot(found.covariance_error, cov_error)
    return float(max(off.max(), apart.max()))


def line() -> LinearRegression:
    """Intercept and slopes of very different scales, one prior flat, one informative."""
    random = np.random.default_rng(1)
    X = random.normal(size=(40, 3)) * [1, 20, 0.1] + [5, 1000, -3]
    X[:, 1] += 15 * X[:, 0]
    y = 7 + X @ [1, -0.2, 3] + 0.5 * random.normal(size=40)
    scale = [np.inf, 10, 1, 0.7]
    return LinearRegression(X=X, y=y, sigma=0.5, prior_mean=[0, 0, 0, 1], prior_scale=scale)


def answers() -> LogisticRegression:
    random = np.random.default_rng(2)
    X = random.normal(size=(40, 2)) * [2, 0.5] + [1, -4]
    odds = -4 + X @ [0.9, -1.2]
    y = (random.random(40) < 1 / (1 + np.exp(-odds))).astype(float)
    return LogisticRegression(X=X, y=y, prior_mean=[0, 0.5, 0], prior_scale=[20, 1.5, 3])


@pytest.mark.parametrize("kT", [1.0, 0.35, 2.6])
def test_a_linear_posterior_is_the_closed_form(kT: float) -> None:
    model = line()
    found = BayesianSampler(model, kT=kT).sample(chains=8, draws=500, seed=11)
    assert misses(found, *model.exact()) < SIGMAS
    assert found.ess.min() > 2000  # draws a relaxation time apart: tau is near 1
    for k in range(model.size):
        # chains in agreement exceed the limit once in 1000 series
        assert found.r_hat[k] < r_hat_limit(found.draws[..., k], 1e-3)


def test_raw_states_instead_of_midpoints_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def raw(self: GaussianWell, chains: int, draws: int, thin: int, progress: Any = None) -> Floats:
        states = self._run(self.seed, chains, progress, draws=draws * thin).states
        assert states is not None
        return self.centre + states[:, ::thin]

    monkeypatch.setattr(GaussianWell, "midpoints", raw)
    found = BayesianSampler(line()).sample(chains=8, draws=500, seed=11)
    assert misses(found, *line().exact()) > 2 * SIGMAS


def metropolis(model: LogisticRegression, seed: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean and covariance with their errors, of 1000 float chains of 1500 steps each.

    Chains are independent, so errors are those of chains' averages about each other.
    """
    random = np.random.default_rng(seed)
    at = model.coordinates(0.25)
    chains, steps, drop = 1000, 1500, 500
    z = 3 * random.standard_normal((chains, model.size))
    level = model.log_posterior(z @ at.T.T)
    first, second = np.zeros_like(z), np.zeros((chains, model.size, model.size))
    for step in range(steps):
        to = z + 1.3 * random.standard_normal(z.shape)
        other = model.log_posterior(to @ at.T.T)
        taken = np.log(random.random(chains)) < other - level
        z, level = np.where(taken[:, None], to, z), np.where(taken, other, level)
        if step >= drop:
            first += z
            second += z[:, :, None] * z[:, None, :]
    first, second = first / (steps - drop), second / (steps - drop)
    mean = first.mean(axis=0)
    # about the common mean: its own error is of second order here
    about = second - first[:, :, None] * mean - mean[:, None] * first[:, None, :]
    about = at.T @ (about + np.outer(mean, mean)) @ at.T.T
    first = first @ at.T.T
    root = np.sqrt(chains)
    return first.mean(0), about.mean(0), first.std(0) / root, about.std(0) / root


def logistic(kT: float) -> float:
    """How far the device's posterior is off the float run's, in standard errors of both."""
    model = answers()
    found = BayesianSampler(model, kT=kT).sample(chains=6, draws=500, seed=3, warm_up=100)
    mean, cov, error, cov_error = metropolis(model, 8)
    assert found.info["chains_together"] == 6
    return misses(found, mean, cov, error, cov_error)


def test_a_logistic_posterior_is_that_of_a_long_float_run() -> None:
    assert logistic(0.45) < SIGMAS


def mean_weights(c: Floats, _random: Any) -> Floats:
    return polya_gamma.mean(c)


def without_half_step(self: Augmentation, weights: Floats) -> Protocol:
    whole = ORIGINAL(self, weights)
    return Protocol(whole.mu, whole.segments[:1])


ORIGINAL = Augmentation._protocol


@pytest.mark.parametrize(
    ("owner", "name", "fault"),
    [
        (augmentation, "polya_gamma", mean_weights),
        (Augmentation, "_protocol", without_half_step),
    ],
)
def test_planted_faults_of_the_augmentation_are_caught(
    owner: Any, name: str, fault: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, fault)
    assert logistic(0.45) > SIGMAS + 1


@pytest.mark.parametrize("c", [0.0, 0.4, -2.5, 9.0, 60.0])
def test_polya_gamma_has_its_mean_variance_and_laplace_transform(c: float) -> None:
    draws = 100_000
    w = polya_gamma.polya_gamma(np.full(draws, c), np.random.default_rng(int(abs(10 * c))))
    half, t = abs(c) / 2, 2 + c**2 / 50
    variance = (
        1 / 24 if not c else (np.sinh(2 * half) - 2 * half) / (32 * half**3 * np.cosh(half) ** 2)
    )
    wanted = [
        (w, polya_gamma.mean(c)),
        ((w - polya_gamma.mean(c)) ** 2, variance),
        (np.exp(-t * w), np.cosh(half) / np.cosh(np.sqrt(half**2 + t / 2))),
    ]
    for values, exact in wanted:
        # draws are independent; 15 comparisons at 4 standard errors fail by chance in 1e-3
        assert abs(values.mean() - exact) < 4 * values.std() / np.sqrt(draws)

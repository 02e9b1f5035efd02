"""Regressions as posteriors: what is refused, the coordinates, the forms of draws."""

import sys
from typing import Any

import numpy as np
import pytest

import gibbsite
from gibbsite.algorithms.bayesian import BayesianSampler, LinearRegression, LogisticRegression
from gibbsite.algorithms.polya_gamma import mean, polya_gamma
from gibbsite.algorithms.posterior import Posterior
from gibbsite_hw.spec.errors import ProgramError, ToolMissing

X = np.array([[1.0, 900.0], [2.0, 1100.0], [4.0, 1000.0], [5.0, 1020.0]])
Y = np.array([0.3, 1.4, 2.0, 3.1])
ANSWERS = np.array([0.0, 1.0, 0.0, 1.0])


def linear(**changes: Any) -> LinearRegression:
    given: dict[str, Any] = {"X": X, "y": Y, "sigma": 0.4, "prior_scale": 5.0}
    return LinearRegression(**given | changes)


def logistic(**changes: Any) -> LogisticRegression:
    given: dict[str, Any] = {"X": X, "y": ANSWERS, "prior_scale": 5.0}
    return LogisticRegression(**given | changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"X": [[1.0], [np.nan]], "y": [0, 1]}, r"X\[1, 0\] is nan"),
        ({"y": [0, 1, np.inf, 0]}, r"y\[2\] is inf"),
        ({"y": [0, 1]}, r"shapes \(4, 2\) and \(2,\)"),
        ({"X": np.zeros((0, 2)), "y": []}, "shapes"),
        ({"X": np.zeros((4, 0)), "intercept": False}, "at least 1 parameter"),
        ({"prior_scale": 0.0}, "prior_scale must be above 0 and is 0"),
        ({"prior_scale": [1.0, 2.0]}, r"3 parameters and has shape \(2,\)"),
        ({"X": ["a", "b", "c", "d"]}, "X must be real numbers in rows of one length"),
        ({"X": [[1], [2, 3], [4], [5]]}, "X must be real numbers in rows of one length"),
        ({"y": [1j, 0, 1, 0]}, "y must be real numbers"),
        ({"X": X * 1e60}, r"X\[0, 0\] is 1e\+60; all data must be finite and at most 1e\+50"),
        ({"prior_scale": "wide"}, "prior_scale must be real numbers"),
        ({"prior_scale": 1e-200}, "a standard deviation of 1e-50 or more"),
        ({"prior_mean": "a"}, "prior_mean must be real numbers"),
        ({"prior_mean": 1e60}, r"prior_mean must be numbers of at most 1e\+50"),
        ({"names": 5}, "3 parameters need 3 different names, intercept first, not 5"),
        ({"names": "abc"}, "not 'abc': give a list of strings"),
        ({"intercept": "yes"}, "intercept must be"),
        ({"prior_mean": np.inf}, "prior_mean must be numbers"),
        ({"names": ["a", "b"]}, "3 parameters need 3 different names, intercept first"),
        ({"X": X[:, [0, 0]], "prior_scale": np.inf}, "improper|proper and is not"),
        ({"X": X[:2], "y": [0, 1], "prior_scale": np.inf}, "drop the column"),
    ],
)
def test_ill_posed_regressions_are_refused(changes: dict[str, Any], sentence: str) -> None:
    for make in (linear, logistic):
        with pytest.raises(ProgramError, match=sentence):
            make(**changes)


@pytest.mark.parametrize("sigma", [0.0, -1.0, np.nan, np.inf, "a", None, [0.4], 1e-200, 10**400])
def test_noise_that_is_none_is_refused(sigma: Any) -> None:
    with pytest.raises(ProgramError, match="sigma must be finite and above 0"):
        linear(sigma=sigma)
    with pytest.raises(ProgramError, match=r"sigma must be at most 1e\+50 and is 1e\+200"):
        linear(sigma=1e200)


def test_a_prior_so_wide_that_it_is_flat_is_taken() -> None:
    assert np.allclose(linear(prior_scale=1e200).exact()[0], linear(prior_scale=np.inf).exact()[0])


def test_answers_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(ProgramError, match="holds -1"):
        logistic(y=[-1, 1, -1, 1])


def test_separable_data_need_a_prior_in_the_direction_that_separates() -> None:
    x, y = np.array([-2.0, -1.0, 1.0, 3.0]), [0, 0, 1, 1]
    with pytest.raises(ProgramError, match="separable, most of all by slope"):
        logistic(X=x, y=y, prior_scale=np.inf)
    # touching at one point is still separable
    with pytest.raises(ProgramError, match="separable"):
        logistic(X=[-1.0, 0.0, 0.0, 1.0], y=[0, 0, 1, 1], prior_scale=np.inf)
    logistic(X=x, y=y, prior_scale=[np.inf, 4.0])  # the intercept alone separates nothing
    logistic(X=[-1.0, 1.0, -2.0, 2.0], y=[0, 0, 1, 1], prior_scale=np.inf)


def test_coordinates_are_an_exact_map_of_the_log_posterior() -> None:
    model = linear(prior_mean=[1, -1, 0.5], prior_scale=[3, np.inf, 0.02])
    at, weight = model.coordinates(1 / 0.4**2), 1 / 0.4**2
    A = weight * at.rows.T @ at.rows + at.prior
    b = weight * at.rows.T @ model.target + at.pull
    assert np.allclose(np.diag(A), 1)
    z = np.random.default_rng(5).normal(size=(6, 3))
    V = 0.5 * np.einsum("si,ij,sj->s", z, A, z) - z @ b
    found = -model.log_posterior(z @ at.T.T)
    assert np.allclose(V - V[0], found - found[0], rtol=1e-9)
    centre = at.T @ np.linalg.solve(A, b)
    assert np.allclose(model.exact()[0], centre)


def test_too_large_for_the_device_is_refused_with_its_limit() -> None:
    small = (
        "golden:?engines=langevin&units=8&constraints=16&multipliers=4&langevin_payload_words=64"
    )
    random = np.random.default_rng(0)
    wide = random.normal(size=(20, 9))
    with pytest.raises(ProgramError, match="10 unknowns were given and the device holds 8 units"):
        BayesianSampler(linear(X=wide, y=wide[:, 0]), small).sample()
    answers = (wide[:, 0] > 0).astype(float)
    with pytest.raises(ProgramError, match="10 parameters and the device holds 8"):
        BayesianSampler(logistic(X=wide, y=answers), small).sample()
    with pytest.raises(ProgramError, match="20 rows of data and the device holds 16"):
        BayesianSampler(logistic(X=wide[:, :2], y=answers), small).sample()
    with gibbsite.open("golden:?engines=graph") as device, pytest.raises(ProgramError, match="eng"):
        BayesianSampler(linear(), device).sample()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"chains": 1}, "chains must be a whole number, at least 2"),
        ({"draws": 2.5}, "draws must be a whole number, at least 4"),
        ({"thin": 0}, "thin must be"),
        ({"seed": -1}, "seed must be"),
        ({"warm_up": -1}, "warm_up must be"),
    ],
)
def test_counts_that_are_none_are_refused(settings: dict[str, Any], sentence: str) -> None:
    for model in (linear(), logistic()):
        with pytest.raises(ProgramError, match=sentence):
            BayesianSampler(model).sample(**settings)


@pytest.mark.parametrize("model", [None, LinearRegression, "linear"])
def test_what_is_no_model_is_refused(model: Any) -> None:
    with pytest.raises(ProgramError, match="model must be a LinearRegression or a Logistic"):
        BayesianSampler(model)


def test_numbers_of_numpy_are_numbers() -> None:
    eight, five = np.int64(8), np.int32(5)
    for model in (linear(sigma=np.float64(0.4)), logistic()):
        sampler = BayesianSampler(model, kT=np.float32(0.5))
        one = sampler.sample(chains=eight, draws=five, seed=np.uint64(3), warm_up=np.int8(4))
        two = sampler.sample(chains=8, draws=5, seed=3, warm_up=4)
        assert np.array_equal(one.draws, two.draws)


@pytest.mark.parametrize("kT", [0.0, -1.0, np.nan, "hot", None, 1e-320])
def test_a_temperature_that_is_none_is_refused(kT: Any) -> None:
    for model in (linear(), logistic()):
        with pytest.raises(ProgramError, match="kT must be finite and above 0"):
            BayesianSampler(model, kT=kT).sample()


def test_equal_arguments_give_equal_draws_and_chains_differ() -> None:
    for model in (linear(), logistic()):
        one, two, other = (
            BayesianSampler(model, kT=0.6).sample(chains=3, draws=6, warm_up=2, seed=seed)
            for seed in (4, 4, 5)
        )
        assert one.draws.shape == (3, 6, 3)
        assert (one.draws == two.draws).all()
        assert not (one.draws == other.draws).any()
        assert len(np.unique(one.draws[..., 1])) == 18


@pytest.mark.sim
def test_golden_and_the_rtl_give_the_same_draws() -> None:
    build = "?engines=langevin&units=8&constraints=16&multipliers=4&pairs=16"
    for model in (linear(), logistic()):
        golden, rtl = (
            BayesianSampler(model, scheme + build, kT=0.6).sample(
                chains=2, draws=4, warm_up=2, seed=3
            )
            for scheme in ("golden:", "sim:")
        )
        assert (golden.draws == rtl.draws).all()
        assert golden.info["cycles"] == rtl.info["cycles"] > 0


def test_chains_beyond_the_rows_of_a_device_take_several_runs() -> None:
    # 4 rows of data: a device of 8 rows holds two chains in a run
    small = "golden:?engines=langevin&constraints=8"
    found = BayesianSampler(logistic(), small).sample(chains=5, draws=8, warm_up=2)
    assert found.info["chains_together"] == 2
    assert found.info["runs"] == 3 * found.info["sweeps"]
    assert found.draws.shape == (5, 8, 3)
    assert len(np.unique(found.draws[..., 1])) == 40


def test_a_posterior_in_all_its_forms() -> None:
    series = np.random.default_rng(1).normal(size=(4, 200, 2)) * [1, 3] + [5, -2]
    posterior = Posterior(series, ("intercept", "slope"), {"device": "golden:"})
    given = posterior.to_dict()
    assert given["names"] == ["intercept", "slope"]
    assert np.allclose(given["mean"], series.mean(axis=(0, 1)))
    assert np.allclose(given["covariance"], np.cov(series.reshape(-1, 2).T))
    assert given["ess"] == posterior.ess.min()
    data = posterior.to_inference_data().posterior
    assert data["slope"].dims == ("chain", "draw")
    assert (data["slope"].values == series[..., 1]).all()


def test_without_arviz_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "arviz", None)
    posterior = Posterior(np.zeros((2, 4, 1)), ("slope",), {"device": "golden:"})
    with pytest.raises(ToolMissing, match="pip install 'arviz<1'"):
        posterior.to_inference_data()


def test_polya_gamma_refuses_what_is_not_finite_and_keeps_shapes() -> None:
    random = np.random.default_rng(0)
    with pytest.raises(ProgramError, match="finite"):
        polya_gamma([0.0, np.nan], random)
    assert polya_gamma(np.zeros((3, 0, 2)), random).shape == (3, 0, 2)
    assert (polya_gamma([[1e-9, 700.0, -1e5]], random) > 0).all()
    assert np.allclose(mean([0.0, 1e-5, 2.0]), [0.25, 0.25, np.tanh(1) / 4])

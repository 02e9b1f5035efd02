"""Effective beta: closed forms, its root and interval; conditional laws against enumeration."""

import itertools
import math

import numpy as np
import pytest

from gibbsite_models.conditional_checks import check_conditionals
from gibbsite_models.pair_model import ModelError, PairModel
from gibbsite_models.pseudo_likelihood import effective_beta, score


def mixed(rng: np.random.Generator) -> PairModel:
    """Two spins, a choice of three and one of two, coupled through all slots."""
    first = np.array([0, 1, 2, 5, 7])
    low, high = np.array([0, 0, 1, 1, 2, 3, 4]), np.array([1, 3, 2, 6, 5, 6, 5])
    return PairModel(
        first,
        np.array([True, True, False, False]),
        rng.normal(size=7),
        low,
        high,
        rng.normal(size=7),
        0.25,
        np.ones(4, np.bool_),
    )


def every_state() -> np.ndarray:
    return np.array(list(itertools.product([-1, 1], [-1, 1], range(3), range(2))))


def test_energies_and_conditionals_are_those_of_enumeration() -> None:
    model, beta = mixed(np.random.default_rng(1)), 0.7
    states = every_state()
    energies = model.energies(states)
    for state, energy in zip(states, energies, strict=True):
        v = [state[0], state[1], *(state[2] == np.arange(3)), *(state[3] == np.arange(2))]
        pairs = zip(model.low, model.high, model.weight, strict=True)
        plain = 0.25 + model.linear @ v + sum(w * v[i] * v[j] for i, j, w in pairs)
        assert energy == pytest.approx(plain)
    found = model.conditionals(states, beta)
    weight = np.exp(-beta * energies)
    for variable, slots in enumerate(([0], [1], [2, 3, 4], [5, 6])):
        others = np.delete(states, variable, axis=1)
        for row in range(len(states)):
            same = (others == others[row]).all(axis=1)
            for case, slot in enumerate(slots):
                on = same & (states[:, variable] == (1 if len(slots) == 1 else case))
                exact = weight[on].sum() / weight[same].sum()
                assert found.probability[row, slot] == pytest.approx(exact)


def test_the_score_vanishes_at_the_law_and_falls_with_its_information() -> None:
    model, beta = mixed(np.random.default_rng(2)), 0.6
    states = every_state()
    weight = np.exp(-beta * model.energies(states))
    weight /= weight.sum()
    u = [score(model, model.conditionals(state[None], beta), beta)[0] for state in states]
    assert weight @ u == pytest.approx(0, abs=1e-12)
    found = model.conditionals(states, beta)
    step = 1e-5
    slope = (score(model, found, beta + step)[0] - score(model, found, beta - step)[0]) / (2 * step)
    assert -slope == pytest.approx(score(model, found, beta)[1], rel=1e-6)


def test_one_spin_in_a_field_has_a_closed_form() -> None:
    # 70 of 100 up in a field of -1/2: tanh(beta / 2) = 0.4
    none = np.zeros(0, np.int64)
    model = PairModel.of_spins(np.array([-0.5]), none, none, np.zeros(0))
    ups = np.tile([1] * 7 + [-1] * 3, (10, 1))[:, :, None]
    kept = [model.conditionals(part, 1.0) for part in ups]

    def scores(beta: float) -> tuple[np.ndarray, np.ndarray]:
        pairs = [score(model, found, beta) for found in kept]
        return np.array([u for u, _ in pairs]), np.array([i for _, i in pairs])

    for stated in (0.1, 0.8, 5.0):
        found = effective_beta(scores, stated, 0.99)
        assert found is not None
        assert found.estimate == pytest.approx(2 * math.atanh(0.4))
        assert found.error == pytest.approx(0, abs=1e-9)  # all parts are alike
        assert found.within == (abs(stated - found.estimate) < 1e-9)


def test_the_jackknife_leaves_out_one_chain_at_a_time() -> None:
    rng = np.random.default_rng(3)
    model = mixed(rng)
    states = every_state()
    weight = np.exp(-0.6 * model.energies(states))
    parts = states[rng.choice(len(states), (12, 500), p=weight / weight.sum())]
    kept = [model.conditionals(part, 0.6) for part in parts]

    def scores(beta: float, leave: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        pairs = [score(model, found, beta) for k, found in enumerate(kept) if k != leave]
        return np.array([u for u, _ in pairs]), np.array([i for _, i in pairs])

    found = effective_beta(scores, 0.6, 0.99)
    assert found is not None
    without = np.empty(12)
    for leave in range(12):
        left = effective_beta(lambda beta, leave=leave: scores(beta, leave), 0.6, 0.99)
        assert left is not None
        without[leave] = left.estimate
    error = math.sqrt(11 / 12 * ((without - without.mean()) ** 2).sum())
    assert found.error == pytest.approx(error, rel=0.02)  # one Newton step: of order 1/m


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    model, runs, level, missed = mixed(rng), 200, 0.95, 0
    states = every_state()
    weight = np.exp(-0.6 * model.energies(states))
    names = ["a", "b", "c", "d"]
    for _ in range(runs):
        parts = states[rng.choice(len(states), (12, 60), p=weight / weight.sum())]
        report = check_conditionals(model, parts, 0.6, names, 1 - level)
        assert report.beta is not None
        missed += not report.beta.within
    # 10 of 200 expected: more than 22 has probability 3e-4, fewer than 1 4e-5
    assert 1 <= missed <= 22, missed


def test_where_nothing_goes_against_its_field_there_is_no_estimate() -> None:
    model = PairModel.of_spins(np.array([-1.0, -1.0]), np.array([0]), np.array([1]), -np.ones(1))
    parts = np.ones((12, 50, 2), np.int64)
    report = check_conditionals(model, parts, 10.0, ["a", "b"], 1e-3)
    assert report.beta is None
    assert any("effective beta" in text for text in report.not_checked)
    assert all(check.passed for check in report.checks)


def test_arrays_that_are_no_model_are_refused() -> None:
    one = np.array([0])
    with pytest.raises(ModelError, match="slot 5 of 2"):
        PairModel.of_spins(np.zeros(2), one, np.array([5]), np.ones(1))
    with pytest.raises(ModelError, match="couples variable 0 to itself"):
        PairModel.of_spins(np.zeros(2), one, one, np.ones(1))
    model = PairModel.of_spins(np.zeros(2), one, np.array([1]), np.ones(1))
    with pytest.raises(ModelError, match="neither -1 nor \\+1"):
        model.energies(np.array([[0, 1]]))
    with pytest.raises(ModelError, match="have 3 variables and the model 2"):
        model.energies(np.ones((1, 3), np.int64))

"""Certificates: statistics against closed forms, verdicts, and what is said to be unchecked."""

import json
import math

import numpy as np
import pytest
from scipy import signal

from gibbsite_models.certificate import (
    CertificateError,
    Law,
    boltzmann_law,
    certify,
)
from gibbsite_models.convergence import autocorrelation_time, split_r_hat


def ar1(rng: np.random.Generator, chains: int, draws: int, phi: float) -> np.ndarray:
    """Stationary AR(1) chains of unit variance; tau = (1 + phi) / (1 - phi)."""
    noise = rng.normal(size=(chains, draws)) * math.sqrt(1 - phi**2)
    noise[:, 0] = rng.normal(size=chains)
    return signal.lfilter([1.0], [1.0, -phi], noise, axis=1)


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9])
def test_the_autocorrelation_time_of_an_ar1_chain(phi: float) -> None:
    chains = ar1(np.random.default_rng(1), 8, 20_000, phi)
    time, window = autocorrelation_time(chains)
    exact = (1 + phi) / (1 - phi)
    # Sokal: the standard error is tau sqrt(2 (2 M + 1) / N); five of them, and the window's bias
    error = exact * math.sqrt(2 * (2 * window + 1) / chains.size)
    assert abs(time - exact) < 5 * error + exact * math.exp(-5)


def test_r_hat_against_its_definition_and_bounds() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(4, 1000))
    # for Gaussian draws rank normalisation changes next to nothing: the plain formula agrees
    halves = np.concatenate([x[:, :500], x[:, 500:]])
    plain = math.sqrt(
        499 / 500 + halves.mean(axis=1).var(ddof=1) / halves.var(axis=1, ddof=1).mean()
    )
    assert split_r_hat(x) == pytest.approx(plain, abs=2e-3)
    assert split_r_hat(x) < 1.01
    assert split_r_hat(x + np.arange(4)[:, None]) > 1.3
    # a drift in one chain is seen because chains are split
    assert split_r_hat(x + np.linspace(0, 3, 1000)) > 1.1
    # invariant under monotone maps, as ranks are
    assert split_r_hat(np.exp(x)) == pytest.approx(split_r_hat(x))
    assert math.isinf(split_r_hat(np.repeat([[0.0], [1.0]], 20, axis=1)))
    assert math.isnan(split_r_hat(np.zeros((2, 20))))


def test_good_chains_are_certified() -> None:
    certificate = certify(ar1(np.random.default_rng(3), 4, 2000, 0.6))
    assert certificate.equilibrated is True
    assert certificate.agreement is not None
    assert certificate.agreement.agrees
    assert certificate.autocorrelation is not None
    assert certificate.autocorrelation.reliable
    assert certificate.autocorrelation.effective_draws == pytest.approx(8000 / 4, rel=0.3)
    assert any("no enumerated law" in text for text in certificate.not_checked)
    assert any("no states" in text for text in certificate.not_checked)


def test_chains_in_different_modes_are_called_that() -> None:
    rng = np.random.default_rng(4)
    energies = rng.normal(size=(4, 500))  # the modes look alike to the energy
    states = np.repeat(np.array([1, -1, 1, -1]), 500).reshape(4, 500, 1)
    noisy = np.where(rng.random((4, 500, 1)) < 0.1, -states, states)
    assert certify(energies).equilibrated is True
    for values in (states, noisy):
        certificate = certify(energies, values, names=["magnet"])
        assert certificate.equilibrated is False
        assert certificate.agreement is not None
        assert certificate.agreement.statistic == "magnet"
        assert "did not equilibrate: chains disagree on magnet" in certificate.verdict


def test_too_few_draws_show_nothing() -> None:
    certificate = certify(ar1(np.random.default_rng(5), 4, 60, 0.95))
    assert certificate.equilibrated is not True
    single = certify(np.random.default_rng(6).normal(size=(30, 1)))
    assert single.equilibrated is None
    assert any(text.startswith("agreement between chains: 30") for text in single.not_checked)
    assert any(text.startswith("autocorrelation: 1 draws") for text in single.not_checked)


def test_annealed_reads_claim_no_equilibrium() -> None:
    certificate = certify(np.random.default_rng(7).normal(size=(4, 100)), claim="annealed")
    assert certificate.equilibrated is None
    assert "no equilibrium is claimed" in certificate.verdict
    assert certificate.agreement is None
    assert len(certificate.not_checked) == 4


def test_draws_that_never_change_are_said_to() -> None:
    certificate = certify(np.ones((3, 50)), np.ones((3, 50, 2), dtype=int))
    assert certificate.equilibrated is None
    assert any("every draw is the same" in text for text in certificate.not_checked)


def test_a_law_is_enumerated_and_compared() -> None:
    def energy(values: np.ndarray) -> np.ndarray:
        return values[:, 0] * values[:, 1] + 0.5 * (values[:, 2] == 3)

    law = boltzmann_law([[-1, 1], [-1, 1], [0, 1, 3]], energy, 0.7)
    assert law.values.shape == (12, 3)
    weight = np.exp(-0.7 * energy(law.values))
    assert law.probabilities == pytest.approx(weight / weight.sum())
    rng = np.random.default_rng(8)

    def draws(of: Law) -> np.ndarray:
        return of.values[rng.choice(12, 8000, p=of.probabilities)].reshape(4, 2000, 3)

    good = draws(law)
    certificate = certify(energy(good.reshape(-1, 3)).reshape(4, 2000), good, law=law)
    assert certificate.equilibrated is True
    assert certificate.total_variation is not None
    assert certificate.total_variation.states == 12
    assert 0 < certificate.total_variation.distance <= certificate.total_variation.floor < 0.05
    assert not certificate.not_checked
    bad = draws(boltzmann_law([[-1, 1], [-1, 1], [0, 1, 3]], energy, 0.77))
    certificate = certify(energy(bad.reshape(-1, 3)).reshape(4, 2000), bad, law=law)
    assert certificate.equilibrated is False
    assert "mean energy" in certificate.verdict
    # as far from the law, but with its mean energy: only the states tell
    other = law.probabilities.copy()
    other[[0, 1]] += [0.03, -0.03]
    bad = draws(Law(law.values, law.energies, other))
    certificate = certify(energy(bad.reshape(-1, 3)).reshape(4, 2000), bad, law=law)
    assert certificate.equilibrated is False
    assert "total variation" in certificate.verdict


def test_a_state_that_the_law_excludes_counts_fully() -> None:
    law = boltzmann_law([[-1, 1], [1]], lambda values: np.zeros(len(values)), 1.0)
    rng = np.random.default_rng(9)
    states = np.stack([rng.choice([-1, 1], (2, 500)), np.ones((2, 500), int)], axis=2)
    energies = np.zeros((2, 500))
    assert certify(energies, states, law=law).equilibrated is True
    states[0, 250, 1] = -1
    certificate = certify(energies, states, law=law)
    assert certificate.equilibrated is False
    assert "1 draws are of excluded states" in certificate.verdict


def test_it_is_json() -> None:
    certificate = certify(ar1(np.random.default_rng(10), 4, 200, 0.3))
    assert json.loads(json.dumps(certificate.as_dict()))["chains"] == 4


@pytest.mark.parametrize(
    ("energies", "states", "words"),
    [
        (np.zeros(5), None, "chains x draws"),
        (np.zeros((0, 5)), None, "chains x draws"),
        (np.full((2, 5), np.nan), None, "not finite"),
        (np.zeros((2, 5)), np.zeros((2, 4, 1)), "chains x draws x"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(energies, states, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        certify(energies, states)


def test_too_many_states_are_not_enumerated() -> None:
    with pytest.raises(CertificateError, match="131072 states and at most 65536"):
        boltzmann_law([[-1, 1]] * 17, lambda values: values.sum(axis=1), 1.0)

"""Certificates: statistics against closed forms, verdicts, and what is said to be unchecked."""

import json
import math

import numpy as np
import pytest
from scipy import signal

from gibbsite_models.certificate import (
    Certificate,
    CertificateError,
    Claim,
    Law,
    boltzmann_law,
    certify,
    certify_series,
)
from gibbsite_models.convergence import autocorrelation_time, r_hat_limit, split_r_hat
from gibbsite_models.exact.transfer_matrix import TransferMatrix
from gibbsite_models.law_checks import noise_limit
from gibbsite_models.pair_model import PairModel


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


def spins(
    rng: np.random.Generator, size: int = 8, chains: int = 16, draws: int = 400
) -> tuple[PairModel, np.ndarray, np.ndarray]:
    """A narrow spin model, exact independent draws at beta 0.7, and starts at beta = 0."""
    low = np.arange(size - 1)
    model = PairModel.of_spins(
        rng.normal(size=size) / 2, low, low + 1, rng.normal(size=size - 1), offset=0.3
    )
    states = TransferMatrix(model, 0.7).draw(chains * draws, int(rng.integers(1 << 30)))
    starts = rng.choice([-1, 1], size=(chains, size))
    return model, states.reshape(chains, draws, size), starts


def test_the_limit_of_r_hat_holds_for_rare_events() -> None:
    # two draws of 1000 in the rarer state, in stretches of five on average
    rng = np.random.default_rng(13)
    runs, chains, draws, above = 200, 32, 360, 0
    state = rng.random((runs, chains)) < 0.002
    series = np.empty((runs, chains, draws))
    for draw in range(draws):
        fresh = rng.random((runs, chains)) < 0.002
        state = np.where(rng.random((runs, chains)) < 0.8, state, fresh)
        series[..., draw] = state
    for chain in series:
        if chain.any():
            above += split_r_hat(chain) > r_hat_limit(chain, 1e-4)
    # at 1e-4 a second one of 200 has probability 2e-4; without the kurtosis it is 1 % each
    assert above <= 1, above


def test_good_chains_from_over_dispersed_starts_are_certified() -> None:
    model, states, starts = spins(np.random.default_rng(3))
    known = Claim(model, 0.7, starts, "beta = 0", exact=TransferMatrix(model, 0.7))
    certificate = certify(model.energies(states), states, known=known)
    assert certificate.verdict == "certified", certificate.reason
    assert certificate.equilibrated is True
    assert certificate.agreement is not None
    assert certificate.agreement.agrees
    assert certificate.autocorrelation is not None
    assert certificate.autocorrelation.reliable
    assert certificate.starts is not None
    assert certificate.starts.over_dispersed
    assert certificate.effective_beta is not None
    assert certificate.effective_beta.low < 0.7 < certificate.effective_beta.high
    assert [check.name for check in certificate.checks] == [
        "memory",
        "variables",
        "slopes",
        "couplings",
        "neighbours",
        "calibration",
        "means",
        "products",
    ]
    assert not certificate.not_checked


def test_what_was_not_told_is_unknown() -> None:
    model, states, starts = spins(np.random.default_rng(4))
    energies = model.energies(states)

    def found(values: np.ndarray | None, known: Claim) -> Certificate:
        return certify(energies, values, known=known)

    for certificate, words in (
        (found(None, Claim()), "where the chains started is not known"),
        (found(states, Claim()), "where the chains started is not known"),
        (found(states, Claim(model, 0.7)), "where the chains started is not known"),
        (
            found(states, Claim(model, 0.7, np.ones_like(starts), "all up")),
            "did not start far enough apart: dispersion 0.000",
        ),
    ):
        assert certificate.verdict == "unknown"
        assert words in certificate.reason
        assert certificate.equilibrated is None
    few = certify(energies[:8], states[:8], known=Claim(model, 0.7, starts[:8], "beta = 0"))
    assert "8 chains are fewer than 12" in few.reason
    assert any("no states" in text for text in found(None, Claim()).not_checked)


def test_chains_in_different_modes_are_called_that() -> None:
    rng = np.random.default_rng(4)
    energies = rng.normal(size=(4, 500))  # the modes look alike to the energy
    states = np.repeat(np.array([1, -1, 1, -1]), 500).reshape(4, 500, 1)
    noisy = np.where(rng.random((4, 500, 1)) < 0.1, -states, states)
    assert certify(energies).verdict == "unknown"
    for values in (states, noisy):
        certificate = certify(energies, values, names=["magnet"])
        assert certificate.verdict == "not equilibrated"
        assert certificate.equilibrated is False
        assert certificate.agreement is not None
        assert certificate.agreement.statistic == "magnet"
        assert "chains disagree on magnet" in certificate.reason


def test_chains_that_remember_their_starts_are_called_that() -> None:
    # every spin leans to its chain's start by 3 %: too little for R-hat on any of them
    rng = np.random.default_rng(5)
    size, chains, draws = 64, 16, 400
    none = np.zeros(0, np.int64)
    model = PairModel.of_spins(np.zeros(size), none, none, np.zeros(0))
    starts = rng.choice([-1, 1], size=(chains, size))
    for lean, verdict in ((0.0, "certified"), (0.03, "not equilibrated")):
        up = rng.random((chains, draws, size)) < 0.5 + lean * starts[:, None] / 2
        states = np.where(up, 1, -1)
        certificate = certify(
            rng.normal(size=(chains, draws)), states, known=Claim(model, 0.7, starts, "beta = 0")
        )
        assert certificate.verdict == verdict, certificate.reason
        assert certificate.agreement is not None
        assert certificate.agreement.agrees
        assert certificate.effective_beta is None  # no field acts


def test_continuous_draws_are_compared_and_their_law_is_not() -> None:
    rng = np.random.default_rng(12)
    draws = np.stack([ar1(rng, 4, 800, 0.5) for _ in range(3)], axis=2)
    found = certify_series(draws, ["a", "b", "c"])
    assert found.verdict == "unknown"
    assert "law of continuous draws is not checked" in found.reason
    assert found.agreement is not None
    draws[0, :, 1] += 1.0
    found = certify_series(draws, ["a", "b", "c"])
    assert found.verdict == "not equilibrated"
    assert "disagree on b" in found.reason
    with pytest.raises(CertificateError, match="chains x draws x variables"):
        certify_series(draws[0])


def test_too_few_draws_show_nothing() -> None:
    certificate = certify(ar1(np.random.default_rng(5), 4, 60, 0.95))
    assert certificate.equilibrated is not True
    short = certify(ar1(np.random.default_rng(5), 16, 63, 0.4))
    assert short.autocorrelation is not None
    needed = math.ceil(40 * short.autocorrelation.time)
    assert 63 < needed < 63 * 3
    assert "63 draws in each of 16 are fewer than 40 autocorrelation times" in short.reason
    assert f"draw {needed} or more in each, {16 * needed} in all" in short.reason
    alone = certify(ar1(np.random.default_rng(5), 1, 900, 0.4))
    assert "1 was drawn; start 12 or more" in alone.reason
    single = certify(np.random.default_rng(6).normal(size=(30, 1)))
    assert single.verdict == "unknown"
    assert any(text.startswith("agreement between chains: 30") for text in single.not_checked)
    assert any(text.startswith("autocorrelation: 1 draws") for text in single.not_checked)


def test_annealed_reads_claim_no_equilibrium() -> None:
    certificate = certify(np.random.default_rng(7).normal(size=(4, 100)), claim="annealed")
    assert certificate.verdict == "unknown"
    assert "no equilibrium is claimed" in certificate.reason
    assert certificate.agreement is None
    assert len(certificate.not_checked) == 4


def test_draws_that_never_change_are_said_to() -> None:
    certificate = certify(np.ones((3, 50)), np.ones((3, 50, 2), dtype=int))
    assert certificate.verdict == "unknown"
    assert any("every draw is the same" in text for text in certificate.not_checked)


def test_a_law_is_enumerated_and_compared() -> None:
    def energy(values: np.ndarray) -> np.ndarray:
        return values[:, 0] * values[:, 1] + 0.5 * (values[:, 2] == 3)

    law = boltzmann_law([[-1, 1], [-1, 1], [0, 1, 3]], energy, 0.7)
    assert law.values.shape == (12, 3)
    weight = np.exp(-0.7 * energy(law.values))
    assert law.probabilities == pytest.approx(weight / weight.sum())
    rng = np.random.default_rng(8)

    def certified(of: Law) -> Certificate:
        draws = of.values[rng.choice(12, 8000, p=of.probabilities)].reshape(4, 2000, 3)
        energies = energy(draws.reshape(-1, 3)).reshape(4, 2000)
        return certify(energies, draws, known=Claim(law=law))

    good = certified(law)
    assert good.verdict == "unknown"  # nothing is known of the starts
    assert good.total_variation is not None
    assert good.total_variation.states == 12
    assert 0 < good.total_variation.distance <= good.total_variation.floor < 0.05
    bad = certified(boltzmann_law([[-1, 1], [-1, 1], [0, 1, 3]], energy, 0.77))
    assert bad.verdict == "biased"
    assert "mean energy" in bad.reason
    # as far from the law, but with its mean energy: only the states tell
    other = law.probabilities.copy()
    other[[0, 1]] += [0.03, -0.03]
    bad = certified(Law(law.values, law.energies, other))
    assert bad.verdict == "biased"
    assert "total variation" in bad.reason


def test_a_state_that_the_law_excludes_counts_fully() -> None:
    law = boltzmann_law([[-1, 1], [1]], lambda values: np.zeros(len(values)), 1.0)
    rng = np.random.default_rng(9)
    states = np.stack([rng.choice([-1, 1], (2, 500)), np.ones((2, 500), int)], axis=2)
    energies = np.zeros((2, 500))
    assert certify(energies, states, known=Claim(law=law)).verdict == "unknown"
    states[0, 250, 1] = -1
    certificate = certify(energies, states, known=Claim(law=law))
    assert certificate.verdict == "biased"
    assert "1 draws are of excluded states" in certificate.reason


@pytest.mark.parametrize(("states", "draws"), [(2, 1000), (12, 8000), (200, 500)])
def test_the_noise_floor_is_exceeded_as_rarely_as_it_says(states: int, draws: int) -> None:
    rng = np.random.default_rng(11)
    law = rng.dirichlet(np.ones(states))
    floor = noise_limit(law, draws, 1e-2)
    away = np.abs(rng.multinomial(draws, law, 20_000) / draws - law).sum(axis=1) / 2
    above = int((away > floor).sum())
    # 1e-2 of 20,000 are 200; five standard errors, and the floor's own error of 4000 replicas
    assert 200 - 5 * 14 - 120 < above < 200 + 5 * 14 + 60, above


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("values", [2, 3])
def test_the_unit_of_energy_does_not_count(values: int, scale: float) -> None:
    """Chains that stay for about ten draws, in any unit and far from zero."""
    rng = np.random.default_rng(14)
    chains = np.repeat(rng.integers(0, values, (16, 400)).astype(float), 10, axis=1)
    plain = certify(chains)
    found = certify((chains + 1000) * scale)
    assert plain.agreement is not None
    assert plain.agreement.agrees
    assert plain.autocorrelation is not None
    assert plain.autocorrelation.time > 8
    assert found.verdict == plain.verdict
    assert found.agreement is not None
    assert found.autocorrelation is not None
    assert math.isclose(found.agreement.r_hat, plain.agreement.r_hat, rel_tol=1e-9)
    assert math.isclose(found.agreement.limit, plain.agreement.limit, rel_tol=1e-9)
    assert math.isclose(found.autocorrelation.time, plain.autocorrelation.time, rel_tol=1e-6)


def test_chains_that_stand_still_are_json_too() -> None:
    still = np.repeat(np.arange(4.0)[:, None], 100, axis=1)
    found = certify(still)
    assert found.verdict == "not equilibrated"
    assert found.agreement is not None
    assert math.isinf(found.agreement.r_hat)
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["agreement"]["r_hat"] is None


@pytest.mark.parametrize("names", [["a"], ["a", "a"], ["a", "energy"], ["a", "b", "c"]])
def test_every_variable_needs_a_name_of_its_own(names: list[str]) -> None:
    states = np.random.default_rng(15).choice([-1, 1], size=(2, 8, 2))
    with pytest.raises(CertificateError, match="a name of its own"):
        certify(np.zeros((2, 8)), states, names=names)
    if "energy" in names:  # of continuous draws no energy is followed
        certify_series(states.astype(float), names=names)
        return
    with pytest.raises(CertificateError, match="a name of its own"):
        certify_series(states.astype(float), names=names)


def test_it_is_json() -> None:
    model, states, starts = spins(np.random.default_rng(10))
    known = Claim(model, 0.7, starts, "beta = 0", exact=TransferMatrix(model, 0.7))
    plain = json.loads(json.dumps(certify(model.energies(states), states, known=known).as_dict()))
    assert plain["chains"] == 16
    assert plain["verdict"] == "certified"
    assert plain["checks"][0]["name"] == "memory"


@pytest.mark.parametrize(
    ("energies", "states", "words"),
    [
        (np.zeros(5), None, "chains x draws"),
        (np.zeros((0, 5)), None, "chains x draws"),
        (np.full((2, 5), np.nan), None, "not finite"),
        (np.zeros((2, 5)), np.zeros((2, 4, 1)), "chains x draws x"),
        (np.zeros((2, 5)), np.full((2, 5, 1), 0.5), "no whole number"),
        (np.zeros((2, 5)), np.full((2, 5, 1), np.nan), "no whole number"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(energies, states, words: str) -> None:
    with pytest.raises(CertificateError, match=words):
        certify(energies, states)


def test_too_many_states_are_not_enumerated() -> None:
    with pytest.raises(CertificateError, match="131072 states and at most 65536"):
        boltzmann_law([[-1, 1]] * 17, lambda values: values.sum(axis=1), 1.0)

"""What the best test of all could see where the certificate misses something: `FAINT`.

Noise redrawn within c has decisions P' = (P - p) / (1 - 2p), p = 1 / (1 + e^c). The law that the
sampler then has is computed, and with it the power of the most powerful test against it, which
knows this law and spends its whole alarm on it.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest
from certificate_parts.cases import case_of, spins, striped, torus
from certificate_parts.samplers import CUT
from certificate_parts.three_colours import Ratio, ThreeColours, settled
from scipy import special, stats

from gibbsite.bench.figures import write_figures
from gibbsite_models.claim_checks import ALARM, KINDS

OUT = 1 / (1 + math.exp(CUT))
"""Share of the noise beyond three sigma, on either side."""


def small(p: float, beta: float = 0.4) -> ThreeColours:
    """Nine spins of `triangles`' kind; no decision may be rarer than p."""
    fields = 0.3 * np.random.default_rng(4).normal(size=9)
    model = spins(torus(3, "pm", 1, diagonal=True), fields)
    return ThreeColours(model, beta, striped(9, 3, 3), redrawn(beta, p))


def redrawn(beta: float, p: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda field: (special.expit(-2 * beta * field) - p) / (1 - 2 * p)


def swept(chain: ThreeColours, law: np.ndarray) -> np.ndarray:
    """``law[state]`` of all nine spins after a sweep, one spin after another."""
    states = np.arange(len(law))
    values = 2.0 * (states[:, None] >> np.arange(9) & 1) - 1
    for spin in (spin for colour in chain.colours for spin in colour):
        up = chain.decide(chain.linear[spin] + values @ chain.weights[spin])
        either = law + law[states ^ 1 << spin]
        law = either * np.where(values[:, spin] > 0, up, 1 - up)
    return law


def whole(chain: ThreeColours) -> np.ndarray:
    """The stationary law of all nine spins."""
    law = np.full(512, 1 / 512)
    for _ in range(400):
        law = swept(chain, law)
    assert np.abs(swept(chain, law) - law).sum() < 1e-13
    return law


def two_colours(chain: ThreeColours, law: np.ndarray) -> np.ndarray:
    """``mu[x, y]`` of a law of all."""
    states = np.arange(512)
    x, y, _ = (
        sum((states >> spin & 1) << bit for bit, spin in enumerate(colour))
        for colour in chain.colours
    )
    mu = np.zeros((8, 8))
    np.add.at(mu, (x, y), law)
    return mu


@pytest.mark.parametrize(("p", "beta"), [(OUT, 0.4), (0.1, 0.15)])
def test_the_law_is_that_of_all_states(p: float, beta: float) -> None:
    chain, sound = small(p, beta), small(0.0, beta)
    mu = settled(chain, 1e-12)
    q, own = whole(chain), whole(sound)
    # sums of 512 rounded terms, some hundred sweeps
    assert np.abs(mu - two_colours(chain, q)).max() < 1e-11
    assert np.abs(chain.of_model() - two_colours(chain, own)).max() < 1e-11
    found, logarithm = chain.ratio(mu), np.log(q / own)
    for law, mean, variance in (
        (q, found.mean_sampler, found.variance_sampler),
        (own, found.mean_model, found.variance_model),
    ):
        assert mean == pytest.approx(law @ logarithm, rel=1e-6)
        assert variance == pytest.approx(law @ logarithm**2 - (law @ logarithm) ** 2, rel=1e-6)


def test_another_law_is_seen() -> None:
    """Planted: the noise that is redrawn within a cut farther out by a tenth of a sigma."""
    other = 1 / (1 + math.exp(CUT * 3.1 / 3))
    mu = settled(small(other), 1e-12)
    assert np.abs(mu - two_colours(small(OUT), whole(small(OUT)))).max() > 1e-5


def test_sound_decisions_keep_the_models_law() -> None:
    sound = small(0.0)
    mu = sound.sweep(sound.of_model())
    assert np.abs(mu - sound.of_model()).max() < 1e-14
    assert abs(sound.ratio(mu).mean_sampler) < 1e-13


def test_power_is_that_of_counted_coins() -> None:
    """p = 1/2 against q = 0.52, 10,000 tosses: the most powerful test counts heads."""
    p, q, draws, alarm = 0.5, 0.52, 10_000, 1e-3
    up, down = math.log(q / p), math.log((1 - q) / (1 - p))
    step = (up - down) ** 2
    ratio = Ratio(
        q * up + (1 - q) * down, q * (1 - q) * step, p * up + (1 - p) * down, p * (1 - p) * step
    )
    limit = stats.binom.isf(alarm, draws, p)
    # a count of heads is whole: half a count is 0.01 standard deviations, 0.004 of probability,
    # and the limit takes another whole one
    assert ratio.power(draws, alarm) == pytest.approx(stats.binom.sf(limit, draws, q), abs=0.008)


@pytest.mark.nightly
def test_the_best_power_on_triangles() -> None:
    """At 10,000 independent draws it is below the 95 of 100 that are asked elsewhere."""
    case = case_of("triangles")
    chain = ThreeColours(case.model, case.beta, case.colours, redrawn(case.beta, OUT))
    # a sweep leaves 0.6 of what is missing: 0.5 % then, far less than would lift 90 % to 95
    ratio = chain.ratio(settled(chain, 3e-3))
    drawn = 32 * case.draws
    power = {
        f"{draws} draws": {
            "all": ratio.power(draws, ALARM),
            "kind": ratio.power(draws, ALARM / KINDS),
        }
        for draws in (10_000, drawn)
    }
    away = (ratio.mean_sampler - ratio.mean_model) / math.sqrt(ratio.variance_model)
    figures = {"case": "triangles", "fault": "redrawn", "deviations": 100 * away, "power": power}
    write_figures("certificate-bound", figures)
    assert power["10000 draws"]["all"] < 0.95
    assert power[f"{drawn} draws"]["kind"] < 0.95
    assert power["10000 draws"]["kind"] == pytest.approx(0.73, abs=0.01)  # of the power table

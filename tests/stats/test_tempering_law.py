"""Parallel tempering draws every beta's Boltzmann law, and swaps as often as the laws say.

The engine here is exact: eight lines of Gibbs sampling in float64 that start in equilibrium, so
that what is tested is the ladder alone. Independent groups give independent draws.
"""

from itertools import product

import numpy as np
import pytest

from gibbsite import tempering_rounds
from gibbsite.replicas import Replicas
from gibbsite.tempering_rounds import temper
from gibbsite.tempering_swaps import accepts, uniforms
from gibbsite_models.exact.enumeration import noise_floor, total_variation

SPINS, FRAC = 5, 12
BETAS = (0.05, 0.15, 0.4)
GROUPS, ROUNDS, SWEEPS = 128, 240, 2
EVERY = 8
"""Rounds between two counted draws: 16 sweeps at these betas leave no correlation to be seen."""

STATES = np.array(list(product((-1, 1), repeat=SPINS)))


class ExactEngine:
    """Gibbs sampling of five spins; a state is one word, spin 0 its highest bit."""

    frac = FRAC

    def __init__(self, reuse_chains: bool = False) -> None:
        random = np.random.default_rng(5)
        self.fields = random.integers(-3, 4, SPINS)
        weights = np.triu(random.integers(-4, 5, (SPINS, SPINS)), 1)
        self.weights = weights + weights.T
        self.reuse_chains = reuse_chains
        self.energies = STATES @ self.fields + ((STATES @ self.weights) * STATES).sum(axis=1) // 2

    def codes(self, betas):
        return np.rint(np.array(betas) * 2**FRAC).astype(np.uint32)

    def beta(self, code: int) -> float:
        return code / 2**FRAC

    def energy(self, code: int) -> float:
        return float(code)

    def law(self, beta: float) -> np.ndarray:
        weight = np.exp(-beta * (self.energies - self.energies.min()))
        return weight / weight.sum()

    def run(self, seed, chains, codes, states, sweeps) -> Replicas:
        first = 0 if self.reuse_chains and states is not None else int(chains[0])
        random = np.random.default_rng([seed, first])
        betas = codes / 2**FRAC
        if states is None:
            drawn = [random.choice(len(STATES), p=self.law(beta)) for beta in betas]
            return self._replicas(np.array(drawn))
        spins = STATES[states[:, 0]].copy()
        for _ in range(sweeps):
            for spin in range(SPINS):
                field = self.fields[spin] + spins @ self.weights[spin]
                up = random.random(len(spins)) < 1 / (1 + np.exp(2 * betas * field))
                spins[:, spin] = np.where(up, 1, -1)
        return self._replicas((spins > 0) @ (1 << np.arange(SPINS)[::-1]))

    def _replicas(self, numbers) -> Replicas:
        return Replicas(numbers[:, None].astype(np.uint32), self.energies[numbers])


def distances(engine: ExactEngine) -> list[float]:
    """By beta, total variation to the law in units of its noise floor."""
    counts = np.zeros((len(BETAS), len(STATES)), dtype=np.int64)

    def count(number: int, states: np.ndarray, _: np.ndarray) -> None:
        if number % EVERY == EVERY - 1:
            for place in range(len(BETAS)):
                counts[place] += np.bincount(states[:, place, 0], minlength=len(STATES))

    codes = engine.codes(BETAS)
    temper(engine, codes, rounds=ROUNDS, seed=3, groups=GROUPS, sweeps=SWEEPS, observer=count)
    # the floor is what as many independent draws of the law stay below with probability 0.999
    laws = [engine.law(engine.beta(int(code))) for code in codes]
    return [
        float(total_variation(found, law) / noise_floor(law, int(found.sum())))
        for found, law in zip(counts, laws, strict=True)
    ]


def test_every_place_of_the_ladder_has_its_own_law() -> None:
    assert max(distances(ExactEngine())) < 1


def wrong_sign(uniform, hot, cold, frac):
    """Metropolis with the betas' difference turned round."""
    return accepts(uniform, (cold[0], hot[1]), (hot[0], cold[1]), frac)


def always(uniform, hot, cold, frac):
    """Swaps that ask no energy."""
    return True


@pytest.mark.parametrize("fault", [wrong_sign, always])
def test_a_wrong_acceptance_is_seen_in_the_law(monkeypatch, fault) -> None:
    monkeypatch.setattr(tempering_rounds, "accepts", fault)
    assert max(distances(ExactEngine())) > 2


def test_swaps_that_reuse_their_noise_are_seen_in_the_law(monkeypatch) -> None:
    """One uniform for all, as if the counter were left out."""
    monkeypatch.setattr(
        tempering_rounds,
        "uniforms",
        lambda seed, stream, number, count: np.repeat(uniforms(seed, stream, 0, 1), count),
    )
    assert max(distances(ExactEngine())) > 2


def test_sweeps_that_reuse_their_chains_are_seen_in_the_law() -> None:
    assert max(distances(ExactEngine(reuse_chains=True))) > 2


def exact_rate(engine: ExactEngine, hot: float, cold: float) -> float:
    """Mean of min(1, exp((hot - cold) (E - E'))) over both laws."""
    difference = engine.energies[:, None] - engine.energies[None, :]
    accepted = np.minimum(1.0, np.exp((hot - cold) * difference))
    return float(engine.law(hot) @ accepted @ engine.law(cold))


def test_swap_rates_are_those_of_the_laws() -> None:
    engine = ExactEngine()
    codes = engine.codes(BETAS)
    found = temper(engine, codes, rounds=ROUNDS, seed=4, groups=GROUPS, sweeps=SWEEPS)
    betas = [engine.beta(int(code)) for code in codes]
    for pair, rate in enumerate(found.swap_rates):
        exact = exact_rate(engine, betas[pair], betas[pair + 1])
        # swaps of a pair are one in two rounds; two sweeps leave at most half of them correlated,
        # which makes the error of a mean of n coins at most sqrt(3) larger; 4 sigma
        error = 4 * np.sqrt(3 * exact * (1 - exact) / (GROUPS * ROUNDS / 2))
        assert abs(rate - exact) < error
    # a rate that is off by one in ten would be seen
    assert 0.1 * exact_rate(engine, *betas[:2]) > error


def test_in_equilibrium_flow_falls_along_the_ladder_and_walkers_come_round() -> None:
    engine = ExactEngine()
    found = temper(engine, engine.codes(BETAS), rounds=ROUNDS, seed=5, groups=GROUPS, sweeps=SWEEPS)
    assert found.flow[0] == 1.0
    assert found.flow[-1] == 0.0
    assert 0.2 < found.flow[1] < 0.8
    # a walk over three places returns within some ten rounds: many trips for every walker
    assert found.round_trips.min() >= 1

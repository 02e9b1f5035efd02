"""Certificates of the device itself: sound, with planted faults, and caught in one mode of two."""

from collections.abc import Mapping
from typing import Any

import dimod
import numpy as np
import pytest

from gibbsite.driver import Driver
from gibbsite.lattice_sampler import LatticeSampler
from gibbsite.sampler import Sampler
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.graph import GraphEngine

BETA = 0.9
SIDE = 8


def lattice() -> dimod.BinaryQuadraticModel:
    """64 spins on a torus with couplings +-1/2 and fields +-3/2: some decisions are nearly sure."""
    rng = np.random.default_rng(2)
    model = dimod.BinaryQuadraticModel("SPIN")
    for y in range(SIDE):
        for x in range(SIDE):
            model.add_linear((y, x), float(rng.choice([-1.5, 1.5])))
    for y in range(SIDE):
        for x in range(SIDE):
            for other in ((y, (x + 1) % SIDE), ((y + 1) % SIDE, x)):
                model.add_quadratic((y, x), other, float(rng.choice([-0.5, 0.5])))
    return model


class Hot(GraphEngine):
    """Its beta is 3 % too small."""

    def score(self, row, field, uniform, beta_code):
        return super().score(row, field, uniform, round(0.97 * beta_code))


class Stuck(GraphEngine):
    """The first lane of its first row is always up."""

    def field(self, row, chains, start):
        field = super().field(row, chains, start)
        if row.number == 0:
            field[0] = -(1 << 20)
        return field


class OneShift(GraphEngine):
    """Each lane's noise is a 32-bit register that one new bit enters a draw."""

    def draw(self, chains):
        register = chains.streams[0]
        new = (register ^ register >> 10 ^ register >> 30 ^ register >> 31) & np.uint32(1)
        register[...] = register >> np.uint32(1) | new << np.uint32(31)
        return register.copy()


class Together(GraphEngine):
    """The first two colours are decided at once."""

    def __init__(self, parameters, rows, entries):
        super().__init__(parameters, rows, entries)
        self._classes[:2] = [self._classes[0] + self._classes[1]]


class Cut(GraphEngine):
    """Its noise ends at three standard deviations."""

    def noise(self, uniform, gumbel):
        edge = round(5.44 * 2**self.parameters.score_frac)
        return np.clip(super().noise(uniform, gumbel), -edge, edge)


def certificate(
    engine: type[GraphEngine] = GraphEngine,
    model: dimod.BinaryQuadraticModel | None = None,
    beta: float = BETA,
    **settings: Any,
) -> Mapping[str, Any]:
    """What a golden device with this engine is certified for."""
    device = Driver(GoldenStream(GraphParameters(lanes=32), engines=Engines(graph=engine)))
    chosen = {"num_reads": 32 * 400, "num_chains": 32, "burn_in": 50, "thin": 3, "seed": 1}
    result = Sampler(device).sample(
        lattice() if model is None else model, beta=beta, certify=True, **{**chosen, **settings}
    )
    found = result.info["certificate"]
    assert isinstance(found, dict)
    return found


def test_the_device_is_certified() -> None:
    found = certificate()
    assert found["verdict"] == "certified", found["reason"]
    assert found["starts"]["origin"] == "32 drawn by the device at beta = 0"
    assert found["starts"]["over_dispersed"]
    assert found["autocorrelation"]["effective_draws"] > 8000
    assert found["effective_beta"]["low"] < BETA < found["effective_beta"]["high"]
    assert found["total_variation"]["distance"] <= found["total_variation"]["floor"]
    assert not found["not_checked"]


@pytest.mark.parametrize("engine", [Hot, Stuck, OneShift, Together, Cut])
def test_a_broken_device_is_caught(engine: type[GraphEngine]) -> None:
    assert certificate(engine)["verdict"] in ("biased", "not equilibrated")


def ferromagnet() -> dimod.BinaryQuadraticModel:
    """A 4 x 4 torus, in whose cold modes all spins are alike."""
    pairs = {}
    for y in range(4):
        for x in range(4):
            for other in ((y, (x + 1) % 4), ((y + 1) % 4, x)):
                pairs[(y, x), other] = -1.0
    return dimod.BinaryQuadraticModel({}, pairs, 0.0, "SPIN")


def test_chains_caught_in_one_mode_pass_pseudo_likelihood_and_are_not_certified() -> None:
    # at beta 0.8 a chain stays in its mode for far longer than 1600 sweeps
    model = ferromagnet()
    up = dict.fromkeys(model.variables, 1)
    settings = {"model": model, "beta": 0.8}
    alone = certificate(**settings, initial_states=[up] * 32)
    beta = alone["effective_beta"]
    assert beta["low"] < 0.8 < beta["high"]
    assert alone["agreement"]["agrees"]
    assert not alone["starts"]["over_dispersed"]
    assert alone["verdict"] != "certified"


def test_from_over_dispersed_starts_the_modes_show() -> None:
    model = ferromagnet()
    up, down = dict.fromkeys(model.variables, 1), dict.fromkeys(model.variables, -1)
    settings = {"model": model, "beta": 0.8}
    halves = certificate(**settings, initial_states=[up] * 16 + [down] * 16)
    assert halves["starts"]["over_dispersed"]
    assert halves["verdict"] == "not equilibrated"
    assert "chains disagree" in halves["reason"]
    assert certificate(**settings)["verdict"] == "not equilibrated"  # drawn at beta = 0
    # where chains do cross, the same starts are certified
    warm = certificate(model=model, beta=0.25, initial_states=[up] * 16 + [down] * 16)
    assert warm["verdict"] == "certified", warm["reason"]


def test_modes_without_over_dispersed_starts_stay_unknown_without_a_law() -> None:
    """The law of 4 x 4 spins is enumerated and shows the missing mode; 20 x 20 spins have none."""
    pairs = {}
    for y in range(20):
        for x in range(20):
            for other in ((y, (x + 1) % 20), ((y + 1) % 20, x)):
                pairs[(y, x), other] = -1.0
    model = dimod.BinaryQuadraticModel({}, pairs, 0.0, "SPIN")
    up = dict.fromkeys(model.variables, 1)
    found = certificate(
        model=model,
        beta=0.6,
        initial_states=[up] * 16,
        num_reads=16 * 200,
        num_chains=16,
    )
    assert found["verdict"] == "unknown", found["reason"]
    assert "did not start far enough apart" in found["reason"]
    assert all(check["passed"] for check in found["checks"])


def choices() -> dimod.DiscreteQuadraticModel:
    """Six choices of three cases on a ring that prefers neighbours to differ."""
    rng = np.random.default_rng(8)
    model = dimod.DiscreteQuadraticModel()
    for k in range(6):
        model.add_variable(3, f"c{k}")
        model.set_linear(f"c{k}", rng.normal(size=3))
    for k in range(6):
        for case in range(3):
            model.set_quadratic_case(f"c{k}", case, f"c{(k + 1) % 6}", case, 1.0)
    return model


@pytest.mark.parametrize(("engine", "verdict"), [(GraphEngine, "certified"), (Hot, "biased")])
def test_choices_are_certified_too(engine: type[GraphEngine], verdict: str) -> None:
    device = Driver(GoldenStream(GraphParameters(lanes=4), engines=Engines(graph=engine)))
    # with so few variables 3 % would take more draws: the heat capacity is small
    result = Sampler(device).sample_dqm(
        choices(), beta=1.5, certify=True, num_reads=160 * 400, num_chains=160, burn_in=20, seed=2
    )
    assert result.info["certificate"]["verdict"] == verdict, result.info["certificate"]["reason"]


def test_binary_models_clamps_and_annealed_reads() -> None:
    device = Driver(GoldenStream(GraphParameters(lanes=4)))
    rng = np.random.default_rng(21)
    model = dimod.BinaryQuadraticModel("BINARY")
    model.add_linear_from({k: float(rng.integers(-3, 4)) / 4 for k in range(8)})
    model.add_quadratic_from(
        [(k, j, float(rng.integers(-4, 5)) / 4) for k in range(8) for j in range(k)]
    )
    settings = {"num_reads": 3200, "thin": 3, "seed": 8, "certify": True}
    found = Sampler(device).sample(model, beta=0.8, clamps={2: 1}, **settings).info["certificate"]
    assert found["verdict"] == "certified", found["reason"]
    assert found["chains"] == 16
    assert found["total_variation"]["states"] == 128
    annealed = Sampler(device).sample(model, num_reads=20, num_sweeps=20, seed=8, certify=True)
    assert annealed.info["certificate"]["claim"] == "annealed"
    assert annealed.info["certificate"]["verdict"] == "unknown"


def test_the_lattice_is_certified_too() -> None:
    settings = {"num_reads": 16 * 400, "burn_in": 50, "thin": 4, "seed": 4, "certify": True}
    with LatticeSampler("golden:") as sampler:
        found = sampler.sample(lattice(), beta=0.7, **settings).info["certificate"]
        annealed = sampler.sample(lattice(), num_reads=8, seed=4, certify=True).info["certificate"]
    assert found["verdict"] == "certified", found["reason"]
    assert found["starts"]["over_dispersed"]
    assert found["effective_beta"]["low"] < 0.7 < found["effective_beta"]["high"]
    assert annealed["verdict"] == "unknown"

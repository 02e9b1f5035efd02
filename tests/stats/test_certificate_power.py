"""A certificate passes a good sampler as often as it says, and catches broken ones."""

import math
from collections.abc import Iterator

import dimod
import numpy as np
import pytest
from scipy import signal, stats

from gibbsite.devices import open as open_device
from gibbsite.sampler import Sampler
from gibbsite_hw.spec.device import Device
from gibbsite_models.certificate import Law, boltzmann_law, certify


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with open_device("golden:?like=small") as opened:
        yield opened


def spins() -> dimod.BinaryQuadraticModel:
    """Eight spins with fields and couplings of both signs and unequal size."""
    rng = np.random.default_rng(21)
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from({k: float(rng.integers(-3, 4)) / 4 for k in range(8)})
    model.add_quadratic_from(
        [(k, j, float(rng.integers(-4, 5)) / 4) for k in range(8) for j in range(k)]
    )
    return model


def law_of(model: dimod.BinaryQuadraticModel, beta: float) -> Law:
    names = list(model.variables)
    return boltzmann_law([[-1, 1]] * 8, lambda v: model.energies((v.astype(np.int8), names)), beta)


def chains(device: Device, model: dimod.BinaryQuadraticModel, beta: float, seed: int, **more):
    """Energies and states of 40 chains of 200 draws."""
    settings = {"num_reads": 8000, "num_chains": 40, "burn_in": 60, "thin": 4, "seed": seed}
    result = Sampler(device).sample(model, beta=beta, **{**settings, **more})
    return (
        result.record.energy.reshape(40, -1),
        result.record.sample.reshape(40, -1, len(model.variables)),
    )


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.7])
def test_the_device_passes_at_every_beta(device: Device, beta: float) -> None:
    energies, states = chains(device, spins(), beta, seed=1)
    certificate = certify(energies, states, law=law_of(spins(), beta))
    assert certificate.equilibrated is True, certificate.verdict
    assert certificate.not_checked == ()


@pytest.mark.parametrize("beta", [0.3, 0.5, 0.7])
def test_a_beta_off_by_ten_percent_is_caught(device: Device, beta: float) -> None:
    energies, states = chains(device, spins(), 1.1 * beta, seed=2)
    certificate = certify(energies, states, law=law_of(spins(), beta))
    assert certificate.equilibrated is False


def test_a_spin_that_ignores_its_field_is_caught(device: Device) -> None:
    broken = spins()
    broken.set_linear(7, 0.0)
    energies, states = chains(device, broken, 0.7, seed=3)
    energies = spins().energies((states.reshape(-1, 8), list(broken.variables))).reshape(40, -1)
    assert certify(energies, states, law=law_of(spins(), 0.7)).equilibrated is False


def test_chains_that_do_not_mix_are_caught_without_a_law(device: Device) -> None:
    # two modes, far apart in a ferromagnet at low temperature: the energy sees no difference
    model = dimod.BinaryQuadraticModel({}, {(k, k + 1): -1.0 for k in range(7)}, 0.0, "SPIN")
    model.add_quadratic_from([(k, j, -1.0) for k in range(8) for j in range(k)])
    energies, states = chains(device, model, 2.0, seed=4)
    assert certify(energies).equilibrated is not False
    certificate = certify(energies, states)
    assert certificate.equilibrated is False
    assert "chains disagree" in certificate.verdict
    warm_energies, warm_states = chains(device, model, 0.05, seed=5)
    assert certify(warm_energies, warm_states).equilibrated is True


def test_a_burn_in_that_is_too_short_is_caught() -> None:
    # AR(1) chains of tau 19, started ten sigma away: the first halves of all chains differ
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(4, 200)) * math.sqrt(1 - 0.9**2)
    noise[:, 0] += 10
    drifting = signal.lfilter([1.0], [1.0, -0.9], noise, axis=1)
    assert certify(drifting).equilibrated is not True
    settled = signal.lfilter([1.0], [1.0, -0.9], rng.normal(size=(4, 3000)), axis=1)
    assert certify(settled[:, 200:]).equilibrated is True


@pytest.mark.parametrize("phi", [0.0, 0.5])
def test_good_chains_are_rarely_called_bad(phi: float) -> None:
    rng = np.random.default_rng(7)
    runs, bad = 300, 0
    for _ in range(runs):
        noise = rng.normal(size=(4, 400)) * math.sqrt(1 - phi**2)
        noise[:, 0] = rng.normal(size=4)
        certificate = certify(signal.lfilter([1.0], [1.0, -phi], noise, axis=1))
        bad += certificate.equilibrated is False
    # a false alarm has probability 1e-3 by construction: more than 4 of 300 has 2e-5
    assert stats.binom.sf(4, runs, 1e-3) < 1e-4
    assert bad <= 4


def test_the_sampler_carries_its_certificate(device: Device) -> None:
    result = Sampler(device).sample(
        spins(), beta=0.5, num_reads=2000, thin=3, seed=8, certify=True, clamps={2: 1}
    )
    certificate = result.info["certificate"]
    assert certificate["equilibrated"] is True
    assert certificate["total_variation"]["states"] == 128
    annealed = Sampler(device).sample(spins(), num_reads=20, num_sweeps=20, seed=8, certify=True)
    assert annealed.info["certificate"]["claim"] == "annealed"
    assert annealed.info["certificate"]["equilibrated"] is None

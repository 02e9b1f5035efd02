r"""Harmonic and coupled wells in fixed point against their exact Gaussian at a finite dt.

    mean -A^-1 B,      covariance kT A^-1 (1 - mu dt A/2)^-1,

with A and B of the potential that the codes stand for: couplings, biases, a force, square rows.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gibbsite_hw.spec.langevin_formats import OPERAND_SHIFT
from gibbsite_models.energies.potential import Potential
from gibbsite_models.exact.langevin import gaussian
from gibbsite_models.langevin_float import Protocol, Segment

MU, DT = 1.3, 0.05


def coupled(n: int = 6, rows: int = 3) -> Potential:
    """Curvatures from 1.2 to about 9, so that mu k dt reaches 0.6 and a time step is seen."""
    random = np.random.default_rng(5)
    J = random.uniform(-0.5, 0.5, (n, n))
    return Potential.build(
        n,
        J2=np.linspace(1.2, 2.6, n),
        b=random.uniform(-1.5, 1.5, n),
        J=J + J.T - np.diag(2 * np.diag(J)),
        K=random.uniform(-1, 1, (rows, n)),
        d=random.uniform(-1, 1, rows),
        lam=random.uniform(0.2, 1, rows),
        force=random.uniform(-1, 1, n),
    )


def harmonic() -> Potential:
    return Potential.build(4, J2=[0.6, 1.0, 2.0, 4.0], b=[0.5, -0.8, 2.0, -3.0])


@dataclass(frozen=True)
class Gap:
    """Deviations from the exact Gaussian in standard errors."""

    mean: float
    covariance: float
    temperature: float

    @property
    def largest(self) -> float:
        return max(self.mean, self.covariance, self.temperature)


def gap(bench, potential: Potential, kT: float, clamps=None, chains: int = 20_000) -> Gap:
    compiled = bench.compile(potential, reach=7.5 * max(1.0, kT**0.5), clamps=clamps)
    law = gaussian(compiled.held, kT, clamps=clamps)
    start = np.zeros(potential.size)
    start[list(law.units)] = law.mean
    # the slowest mode, k = 1.2, relaxes in 13 steps: 120 forget all but 1e-4 of the start
    protocol = Protocol(MU, [Segment(120, kT, DT, measure=False)])
    # a Gaussian scales with kT: with one seed, other kT would see the same draws
    seed = round(100 * kT)
    samples = bench.run(compiled, protocol, start=start, chains=chains, seed=seed)
    z = samples.states[:, 0, list(law.units)] - law.mean
    exact = law.covariance_at(MU, DT)
    error = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / chains)
    means = z.mean(axis=0) / np.sqrt(np.diag(exact) / chains)
    # with C the covariance, z.C^-1 z is a chi-square of n degrees: its mean is kT over the exact kT
    ratio = (z @ np.linalg.inv(exact) * z).sum(axis=1).mean() / len(law.units)
    return Gap(
        mean=float(np.abs(means).max()),
        covariance=float((np.abs(z.T @ z / chains - exact) / error).max()),
        temperature=float(abs(ratio - 1) / (2 / (chains * len(law.units))) ** 0.5),
    )


@pytest.mark.parametrize("kT", [0.3, 0.5, 2.0])
def test_a_coupled_well_with_constraints_is_its_gaussian(bench, kT: float) -> None:
    # the largest of 28 deviations: beyond 5 with probability 1.6e-5
    found = gap(bench(), coupled(), kT)
    assert found.largest < 5, found


def test_harmonic_wells_are_their_gaussians(bench) -> None:
    found = gap(bench(), harmonic(), 0.7)
    assert found.largest < 5, found


def test_clamped_units_leave_the_others_their_conditional_law(bench) -> None:
    found = gap(bench(), coupled(), 0.5, clamps={1: 1.7, 4: -0.9})
    assert found.largest < 5, found


def test_a_wrong_bath_drift_or_mobility_is_seen(bench) -> None:
    # 3 % too warm, half the drift, mu in the noise alone: each is far in one of the three
    assert gap(bench(noise=1.03**0.5), coupled(), 0.5).temperature > 6
    assert gap(bench(drift=0.5), coupled(), 0.5, chains=4000).covariance > 20
    assert gap(bench(drift=1 / MU), coupled(), 0.5, chains=4000).covariance > 8


@pytest.mark.parametrize("every", [1, 3])
def test_moments_on_chip_are_those_of_the_states(bench, every: int) -> None:
    device = bench()
    compiled = device.compile(coupled())
    n = compiled.potential.size
    pairs = [(i, j) for i in range(n) for j in range(i + 1)] + [(i, None) for i in range(n)]
    rest = Segment(12, 0.5, DT, measure=False)
    request = compiled.request(
        Protocol(MU, [rest, Segment(60, 0.5, DT)]),
        pairs=pairs,
        chains=7,
        seed=3,
        trajectory=True,
        thin=every,
        draws=(12 + 60) // every + 1,
        moment_every=every,
    )
    device.device.load(compiled.program)
    result = device.device.run(request)
    z = np.array(result.states, dtype=np.int64).reshape(7, request.draws, n)
    x = z + (1 << OPERAND_SHIFT - 1) >> OPERAND_SHIFT
    kept = x[:, np.array(result.steps[: request.draws]) > 12]
    wanted = [
        (kept[:, :, i] * (kept[:, :, j] if j is not None else 1 << 14)).sum(axis=1)
        for i, j in pairs
    ]
    found = np.array(result.moments).reshape(7, len(pairs)).T
    assert (found == wanted).all()  # integers: equal, not near
    assert list(result.moment_counts) == [60 // every] * 7


def test_moments_on_chip_are_the_gaussian_s(bench) -> None:
    device, kT, chains, steps = bench(), 2.0, 1500, 400
    compiled = device.compile(coupled(), reach=12)
    law, n = gaussian(compiled.held, kT), compiled.potential.size
    pairs = [(i, j) for i in range(n) for j in range(i + 1)] + [(i, None) for i in range(n)]
    protocol = Protocol(MU, [Segment(120, kT, DT, measure=False), Segment(steps, kT, DT)])
    samples = device.run(
        compiled, protocol, start=law.mean, pairs=pairs, chains=chains, samples=False, seed=9
    )
    exact = law.covariance_at(MU, DT) + np.outer(law.mean, law.mean)
    wanted = [law.mean[i] if j is None else exact[i, j] for i, j in pairs]
    # chains are independent, so their spread gives the error; 27 deviations beyond 5: 1.6e-5
    error = samples.moments.std(axis=0) / chains**0.5
    assert (np.abs(samples.moments.mean(axis=0) - wanted) < 5 * error).all()
    assert error.max() < 0.03

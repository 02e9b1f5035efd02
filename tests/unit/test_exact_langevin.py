"""The exact laws themselves, against integrals that are written out another way."""

import itertools
import math
import re

import numpy as np
import pytest
from scipy import integrate, special

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential
from gibbsite_models.exact.langevin import gaussian, well

S = (1.5, 1.0, 0.8, 0.9, 1.2, 0.7)


def two() -> Potential:
    """Two coupled units with a square constraint, biases and a force."""
    return Potential.build(
        2,
        J2=[0.8, 1.5],
        b=[0.4, -0.3],
        J={(0, 1): 0.9},
        K=[[1, -2], [0.5, 0.5]],
        d=[0.6, -0.2],
        lam=[0.3, 0.8],
        force=[0.0, 0.5],
    )


@pytest.mark.parametrize("kT", [0.3, 1.7])
def test_a_gaussian_is_the_integral_over_a_plane(kT: float) -> None:
    p = two()
    law = gaussian(p, kT, S)
    # the trapezoid rule on 8 sigma of a Gaussian: error below exp(-32)
    sigma = np.sqrt(np.diag(law.covariance))
    axes = [np.linspace(m - 9 * s, m + 9 * s, 401) for m, s in zip(law.mean, sigma, strict=True)]
    z = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    weight = np.exp(-p.energy(z, S) / kT)
    area = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    assert law.free_energy == pytest.approx(-kT * math.log(weight.sum() * area), rel=1e-9)
    weight /= weight.sum()
    mean = np.einsum("ij,ijk->k", weight, z)
    assert law.mean == pytest.approx(mean, abs=1e-9)
    moved = z - mean
    assert law.covariance == pytest.approx(np.einsum("ij,ijk,ijl->kl", weight, moved, moved))


def test_finite_dt_has_the_stationary_covariance_of_its_own_recursion() -> None:
    kT, mu, dt = 0.6, 0.7, 0.08
    law = gaussian(two(), kT, S)
    step = np.eye(2) - mu * dt * law.curvature
    covariance = law.covariance_at(mu, dt)
    again = step @ covariance @ step.T + 2 * mu * kT * dt * np.eye(2)
    assert again == pytest.approx(covariance, rel=1e-12)
    assert law.covariance_at(mu, 1e-9) == pytest.approx(law.covariance, rel=1e-7)
    one = gaussian(Potential.build(1, J2=5), 0.5).covariance_at(1.0, 1e-3)
    assert one[0, 0] == pytest.approx(0.5 / (10 * (1 - 10 * 1e-3 / 2)), rel=1e-13)
    with pytest.raises(ProgramError, match="dt must be below"):
        law.covariance_at(mu, 10)


def test_relaxation_is_the_limit_of_small_steps() -> None:
    law, mu, steps = gaussian(two(), 0.6, S), 0.7, 20_000
    start, time = np.array([1.0, -2.0]), 0.5
    step = np.eye(2) - mu * time / steps * law.curvature
    mean, covariance = start - law.mean, np.zeros((2, 2))
    for _ in range(steps):
        mean = step @ mean
        covariance = step @ covariance @ step.T + 2 * mu * 0.6 * time / steps * np.eye(2)
    exact_mean, exact_covariance = law.relaxed(mu, time, start)
    # Euler's error is first order: 1/20,000 of a few relaxation times
    assert exact_mean == pytest.approx(mean + law.mean, rel=1e-3)
    assert exact_covariance == pytest.approx(covariance, rel=1e-3)


def test_clamps_leave_the_conditional_law() -> None:
    p, kT = two(), 0.4
    whole, part = gaussian(p, kT, S), gaussian(p, kT, S, clamps={1: 0.9})
    c = whole.covariance
    assert part.units == (0,)
    assert part.mean[0] == pytest.approx(whole.mean[0] + c[0, 1] / c[1, 1] * (0.9 - whole.mean[1]))
    assert part.covariance[0, 0] == pytest.approx(c[0, 0] - c[0, 1] ** 2 / c[1, 1])
    line = well(p, kT, S, clamps={1: 0.9})
    assert line.mean == pytest.approx(part.mean[0], abs=1e-10)
    assert line.variance == pytest.approx(part.covariance[0, 0], rel=1e-10)
    assert line.free_energy == pytest.approx(part.free_energy, rel=1e-10)


@pytest.mark.parametrize("kT", [0.2, 1.0, 30.0])
@pytest.mark.parametrize(("J2", "J4", "b"), [(-2.0, 1.0, 0.3), (0.0, 0.5, 0.0), (1e-3, 2e3, -5.0)])
def test_a_well_is_its_integral(J2: float, J4: float, b: float, kT: float) -> None:
    p = Potential.build(1, J2=J2, J4=J4, b=b)
    law = well(p, kT)

    def weighted(order: int) -> float:
        bound = 6 * max(1.0, kT) ** 0.5 if J4 < 1e3 else 2.0
        edges = np.linspace(-bound, bound, 41)
        energy = float(p.energy(law.z[:, None]).min())
        return sum(
            integrate.quad(
                lambda z: z**order * math.exp(-(float(p.energy(np.array([z]))) - energy) / kT),
                low,
                high,
            )[0]
            for low, high in itertools.pairwise(edges)
        )

    norm = weighted(0)
    for order in (1, 2, 4):
        assert law.moment(order) == pytest.approx(weighted(order) / norm, rel=1e-7, abs=1e-9)
    lowest = float(p.energy(law.z[:, None]).min())
    assert law.free_energy == pytest.approx(lowest - kT * math.log(norm), rel=1e-7, abs=1e-9)
    assert law.probability(np.array([-np.inf, 0.0, np.inf])).sum() == pytest.approx(1)


def test_a_pure_quartic_and_a_wall_have_closed_forms() -> None:
    kT, J4 = 0.7, 1.9
    law = well(Potential.build(1, J4=J4), kT)
    gamma = special.gamma
    assert law.variance == pytest.approx(math.sqrt(kT / J4) * gamma(0.75) / gamma(0.25), rel=1e-10)
    z = 0.5 * gamma(0.25) * (kT / J4) ** 0.25
    assert law.free_energy == pytest.approx(-kT * math.log(z), rel=1e-10)
    # slope against a hinge: exponential to one side, half a Gaussian to the other, at zero slope
    slope = Potential.build(1, J2=0.5, K=[[1]], lam=1.5, hinge=True)
    left, right = math.sqrt(kT), math.sqrt(kT / 4)
    expected = math.sqrt(2 / math.pi) * (right**2 - left**2) / (left + right)
    assert well(slope, kT).mean == pytest.approx(expected, rel=1e-6)


def test_what_has_no_exact_law_is_refused() -> None:
    p = Potential.build(2, J2=1, J4=[0, 1])
    for call, sentence in [
        (lambda: gaussian(p, 1), "without quartic terms and hinges"),
        (lambda: gaussian(Potential.build(1, J2=1, K=[[1]], hinge=True), 1), "without quartic"),
        (lambda: gaussian(two(), 0), "a finite kT above 0"),
        (lambda: gaussian(Potential.build(1, J2=-1), 1), "curvature is negative"),
        (lambda: well(p, 1), "exactly 1 free unit and this one has 2"),
        (lambda: well(Potential.build(1), 1), "no term grows"),
    ]:
        with pytest.raises(ProgramError, match=re.escape(sentence)):
            call()
    # strengths may switch off what stands in the way
    assert gaussian(p, 1, (1, 0, 1, 1, 1, 1)).covariance[1, 1] == pytest.approx(0.5)

"""The potential: exact derivatives, conditions, curvature bounds, and what cannot be sampled."""

import itertools
import re
from typing import Any

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import TERMS, Array, Condition, Potential

STRENGTHS = (0.7, 1.3, 0.4, -0.8, 1.9, 0.6)


def some(seed: int = 1, n: int = 5, m: int = 6) -> Potential:
    """All terms at once, of unequal size."""
    random = np.random.default_rng(seed)
    upper = np.triu(random.normal(size=(n, n)), 1)
    return Potential.build(
        n,
        J2=3 + random.random(n),
        J4=random.random(n),
        b=random.normal(size=n),
        J=upper + upper.T,
        K=random.normal(size=(m, n)),
        d=random.normal(size=m),
        lam=0.5 + random.random(m),
        hinge=np.arange(m) % 2,
        force=random.normal(size=n),
    )


def test_energy_is_the_sum_written_out() -> None:
    p, z = some(), np.random.default_rng(2).normal(size=5)
    total = sum(
        p.J2[i] * z[i] ** 2 + p.J4[i] * z[i] ** 4 + p.b[i] * z[i] - p.force[i] * z[i]
        for i in range(5)
    )
    total += sum(p.J[i, j] * z[i] * z[j] for i, j in itertools.combinations(range(5), 2))
    for a in range(6):
        r = sum(p.K[a, i] * z[i] for i in range(5)) - p.d[a]
        total += p.lam[a] * (max(r, 0) ** 2 if p.hinge[a] else r**2)
    assert p.energy(z) == pytest.approx(total, rel=1e-13)
    terms = p.terms(z[None, None, :])
    assert terms.shape == (1, 1, len(TERMS))
    assert p.energy(z, STRENGTHS) == pytest.approx(float(terms[0, 0] @ STRENGTHS), rel=1e-13)


def differences(function: Any, z: Array, step: float = 1e-5) -> Array:
    """Central differences along every unit, on the last axis."""
    return np.stack(
        [
            (function(z + step * e) - function(z - step * e)) / (2 * step)
            for e in np.eye(z.shape[-1])
        ],
        axis=-1,
    )


def test_derivatives_are_those_of_the_energy() -> None:
    p, z = some(), np.random.default_rng(3).normal(size=(40, 5))
    # no state within a step of a hinge's kink, where the second derivative does not exist
    assert np.abs(z @ p.K.T - p.d).min() > 1e-4
    # central differences: error h^2/6 V''' ~ 1e-10 * 24 * 3, rounding 1e-16 * 100 / 1e-5
    assert (
        np.abs(differences(lambda x: p.energy(x, STRENGTHS), z) - p.gradient(z, STRENGTHS)).max()
        < 1e-7
    )
    assert (
        np.abs(np.einsum("m,...mi->...i", STRENGTHS, p.forces(z)) - p.gradient(z, STRENGTHS)).max()
        < 1e-12
    )
    for m in range(len(TERMS)):
        one = np.eye(len(TERMS))[m]
        assert (
            np.abs(differences(lambda x, s=one: p.energy(x, s), z) - p.forces(z)[:, m]).max() < 1e-7
        )
    hessian = p.hessian(z, STRENGTHS)
    assert np.abs(differences(lambda x: p.gradient(x, STRENGTHS), z) - hessian).max() < 1e-7
    assert np.allclose(np.trace(hessian, axis1=-2, axis2=-1), p.laplacian(z, STRENGTHS))


def test_conditions_replace_only_what_they_name() -> None:
    p = some()
    other = p.conditioned(Condition(bias=np.arange(5.0), lam=np.full(6, 2.0)))
    assert (other.b == np.arange(5)).all()
    assert (other.lam == 2).all()
    assert (other.d == p.d).all()
    assert (other.J == p.J).all()
    assert (other.K == p.K).all()
    with pytest.raises(ProgramError, match=re.escape("d must have shape (6,)")):
        p.conditioned(Condition(d=np.zeros(3)))
    with pytest.raises(ProgramError, match="a clamp names unit 5; units are 0 to 4"):
        p.conditioned(Condition(clamps={5: 0.0}))
    with pytest.raises(ProgramError, match="unit 2 is clamped at nan"):
        p.conditioned(Condition(clamps={2: float("nan")}))


@pytest.mark.parametrize("seed", range(5))
def test_no_curvature_exceeds_the_bound_and_some_comes_near(seed: int) -> None:
    p, reach = some(seed), 1.5
    bound = p.largest_curvature(reach, STRENGTHS)
    z = np.random.default_rng(seed).uniform(-reach, reach, (500, 5))
    corners = reach * np.array(list(itertools.product([-1, 1], repeat=5)))
    top = np.linalg.eigvalsh(p.hessian(np.vstack([z, corners]), STRENGTHS))[:, -1]
    assert top.max() <= bound * (1 + 1e-12)
    assert p.largest_stable_dt(0.5, reach, STRENGTHS) == pytest.approx(4 / bound)
    smooth = Potential.build(5, J2=p.J2, J4=p.J4, J=p.J, K=p.K, lam=p.lam)
    exact = np.linalg.eigvalsh(smooth.hessian(corners))[:, -1].max()
    assert smooth.largest_curvature(reach) == pytest.approx(exact)


def test_flat_potentials_are_stable_at_any_dt() -> None:
    assert Potential.build(2, J2=-1).largest_stable_dt(1, 1) == float("inf")


@pytest.mark.parametrize("held", [[4], [0, 3], [0, 1, 2, 4]])
def test_only_free_units_have_curvature(held: list[int]) -> None:
    p, reach, clamps = some(), 1.5, dict.fromkeys(held, 1e6)
    free = [i for i in range(5) if i not in clamps]
    alone = Potential.build(
        len(free), J2=p.J2[free], J4=p.J4[free], J=p.J[np.ix_(free, free)], K=p.K[:, free],
        lam=p.lam, hinge=p.hinge,
    )  # fmt: skip
    bound = alone.largest_curvature(reach, STRENGTHS)
    assert p.largest_curvature(reach, STRENGTHS, clamps) == pytest.approx(bound)
    assert bound < p.largest_curvature(reach, STRENGTHS)
    assert p.largest_stable_dt(0.5, reach, STRENGTHS, clamps) == pytest.approx(4 / bound)


def test_without_a_free_unit_every_dt_is_stable() -> None:
    p = some()
    assert p.largest_curvature(1, clamps=dict.fromkeys(range(5), 0.5)) == 0
    assert p.largest_stable_dt(1, 1, clamps=dict.fromkeys(range(5), 0.5)) == float("inf")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"J2": [1.0, 2.0, 3.0]}, "J2 must be one number a unit, n = 2"),
    ({"J2": 1, "b": [float("nan"), 0]}, "b[0] is nan"),
    ({"J2": 1, "K": [[1.0, 1.0]], "d": float("inf")}, "d[0] is inf"),
    ({"J2": 1, "J": [[0, 1], [2, 0]]}, "J must be symmetric"),
    ({"J2": 1, "J": [[1, 0], [0, 0]]}, "J must be symmetric with zero diagonal"),
    ({"J2": 1, "J": {(0, 2): 1.0}}, "a coupling joins units 0 and 2"),
    ({"J2": 1, "K": [[1.0, 1.0, 1.0]]}, "K must have shape (1, 2)"),
    ({"J2": 1, "names": ["a", "a"]}, "2 different names"),
    ({"J2": [[1.0, 2.0]]}, "J2 must be one number a unit"),
    ({"J2": 1, "J4": [0, -1]}, "J4 must be at least 0 and is -1 at 1"),
    ({"J2": 1, "K": [[1, 0]], "lam": -2}, "lambda must be at least 0 and is -2 at 0"),
    ({"J2": [1, -1]}, "unit 1 (z1), where its curvature is negative"),
    ({"J2": [1, 0]}, "no term grows along it"),
    ({"J2": 1, "J": {(0, 1): 3.0}}, "its curvature is negative"),
    ({"J2": 1, "J": {(0, 1): 2.0}, "b": [1, 0]}, "no term grows along it"),
    ({"J4": [0, 1], "J": {(0, 1): 1.0}}, "a coupling to a quartic unit pulls it without end"),
    # the square takes what the coupling gives: 0.2 z0 z1 - 0.2 z0 z1, up to rounding
    ({"J2": [-0.01, 1], "J": {(0, 1): -0.06}, "K": [[0.1, 0.3]]}, "no term grows along it"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED)
def test_what_cannot_be_sampled_is_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(sentence)):
        Potential.build(2, **arguments).check()


ACCEPTED: list[dict[str, Any]] = [
    {"J4": 1, "J2": -5, "J": {(0, 1): 9.0}},
    {"J2": [1, -1], "J4": [0, 1], "J": {(0, 1): 7.0}},  # positive definite beside a quartic
    {"J2": [1, 0], "b": [0, -1], "K": [[0, 1]], "hinge": True},  # a slope against a wall
    {
        "J2": [1, -0.5],
        "K": [[0, 1], [0, -1]],
        "lam": [1, 2],
        "d": 1,
        "hinge": True,
    },  # two walls
    {"J4": [0, 1], "J": {(0, 1): 1.0}, "K": [[1, 0], [-1, 0]], "hinge": True},
    {"J2": 0, "K": [[1, 0], [0, 1], [-1, -1]], "hinge": True},  # three walls, no pair of them
    {"J2": [1, 0], "b": [0, -1e-10], "K": [[0, 1]], "hinge": True},  # a slope beside a stiff wall
]


@pytest.mark.parametrize("arguments", ACCEPTED)
def test_what_can_be_sampled_passes(arguments: dict[str, Any]) -> None:
    Potential.build(2, **arguments).check()


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e12, 1e200])
def test_the_verdict_is_that_of_any_multiple(scale: float) -> None:
    for arguments in ACCEPTED:
        Potential.build(2, **arguments).check([scale] * 6)
    unsound = [(a, s) for a, s in REFUSED if re.search("grows|curvature|pulls", s)]
    assert len(unsound) >= 6
    for arguments, sentence in unsound:
        with pytest.raises(ProgramError, match=re.escape(sentence)):
            Potential.build(2, **arguments).check([scale] * 6)


def test_strengths_and_clamps_change_what_is_sound() -> None:
    p = Potential.build(2, J2=[1, -1], J4=[0, 1], J={(0, 1): 1.0})
    p.check()
    with pytest.raises(ProgramError, match="unit 1"):
        p.check((1, 0, 1, 1, 1, 1))
    p.check((1, 0, 1, 1, 1, 1), clamps={1: 0.3})
    # the clamped unit's pull becomes a slope: against the wall it is held, away from it it is not
    q = Potential.build(2, J2=[0, 1], J={(0, 1): 1.0}, K=[[1, 0]], hinge=True)
    q.check(clamps={1: -0.5})
    with pytest.raises(ProgramError, match="unit 0"):
        q.check(clamps={1: 0.5})
    with pytest.raises(ProgramError, match="strengths must be 6 finite numbers"):
        p.check((1, 1))


def refusal(p: Potential) -> str | None:
    """The sentence with which a potential is refused; None where it passes."""
    try:
        p.check()
    except ProgramError as error:
        return str(error)
    return None


def lowest_on_circle(p: Potential, radius: float) -> float:
    """The least V/R of two units at distance R, looked for on a fine circle and close to rays."""
    rays = np.arctan2(*np.array(list(itertools.product(range(-4, 5), repeat=2))).T)
    near = np.concatenate([[0.0], np.logspace(-7, -1, 400)])
    angles = np.concatenate(
        [np.linspace(-np.pi, np.pi, 4001), *(rays + s * e for s in (-1, 1) for e in near)]
    )
    z = radius * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return float(p.energy(z).min() / radius)


def test_refusals_are_those_of_a_search_on_a_large_circle() -> None:
    # V of small integers either grows like the distance R at least, or stays below a constant there
    random, verdicts, exotic = np.random.default_rng(11), {True: 0, False: 0}, 0
    for _ in range(600):
        hinge = random.random(2) < 0.8
        p = Potential.build(
            2,
            J2=random.choice([-1, 0, 0, 0, 1], 2),
            J4=random.choice([0, 0, 1], 2),
            b=random.choice([-1, 0, 1], 2),
            J={(0, 1): float(random.choice([-1, 0, 0, 0, 1]))},
            K=random.choice([-1, 0, 1], (2, 2)),
            d=random.choice([-1, 0, 1], 2),
            lam=random.choice([0, 1, 2], 2),
            hinge=hinge,
        )
        low = lowest_on_circle(p, 1e4)
        grows = low > 0.1
        assert grows or low < 1e-3, low
        sentence = refusal(p)
        if sentence and grows:
            # the stated exception: negative curvature that only unlike hinges hold together
            assert "curvature is negative" in sentence
            assert hinge.any()
            exotic += 1
        else:
            assert grows == (sentence is None), p
            verdicts[grows] += 1
    assert min(verdicts.values()) > 100, verdicts
    assert exotic < 20, exotic


@pytest.mark.parametrize("seed", range(4))
def test_many_units_with_a_flat_plane(seed: int) -> None:
    # a quadratic form of rank n - 2 in a random frame; hinges on the plane decide, ray by ray
    random, n, seen = np.random.default_rng(seed), 6, set()
    for _ in range(40):
        frame = np.linalg.qr(random.normal(size=(n, n)))[0]
        plane = frame[:, :2]
        K = np.vstack([frame[:, 2:].T, random.choice([-1, 0, 1], (3, 2)) @ plane.T])
        slope = random.choice([-1, 0, 1], 2)
        p = Potential.build(n, b=plane @ slope, K=K, hinge=np.arange(n - 2 + 3) >= n - 2)
        walls = K[n - 2 :] @ plane
        # extreme rays of the cone are perpendicular to a wall; between them lie the open sectors
        rays = np.arctan2(walls[:, 0], -walls[:, 1])
        rays = np.sort(np.concatenate([rays, rays + np.pi, np.arange(8) * np.pi / 4]) % (2 * np.pi))
        rays = np.concatenate([rays, (rays + np.roll(rays, -1)) / 2])
        v = np.stack([np.cos(rays), np.sin(rays)], axis=-1)
        held = ((v @ walls.T > 1e-9).any(axis=1) | (v @ slope > 1e-9)).all()
        seen.add(bool(held))
        if held:
            p.check()
        else:
            with pytest.raises(ProgramError, match="no term grows along it"):
                p.check()
    assert seen == {True, False}

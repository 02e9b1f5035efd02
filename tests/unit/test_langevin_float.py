"""Euler-Maruyama in float: steps by hand, the heat's convention, schedules, clamps, refusals."""

import re

import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment, ramp, simulate

ONES = (1.0,) * 6


def some() -> Potential:
    """Two quartic wells, a soft unit, couplings, a square and a hinge constraint, a force."""
    return Potential.build(
        3,
        J2=[-1.0, 0.5, 1.0],
        J4=[0.5, 0.2, 0.0],
        b=[0.3, -0.2, 0.1],
        J={(0, 1): 0.4, (1, 2): -0.6},
        K=[[1, 1, 0], [0, 1, -1]],
        d=[0.5, 0.2],
        lam=[0.7, 1.5],
        hinge=[False, True],
        force=[0.2, 0.0, -0.4],
    )


def driven(dt: float, steps: int, mu: float = 0.8, kT: float = 0.6) -> Protocol:
    """Equilibrate, then stiffen the quartic and the coupling while the force comes in."""
    weak, strong = (1, 0.5, 1, 0.2, 1, 0.0), (1, 1.5, 1, 1.0, 1, 1.0)
    segments = ramp(Segment(1, kT, dt, weak), Segment(1, kT, dt, strong), steps)
    return Protocol(mu, [Segment(steps, kT, dt, weak, measure=False), *segments])


def test_steps_are_those_of_the_equation() -> None:
    p, mu, chains = some(), 0.7, 4
    first, second = (1, 1, 0.5, 1, 1, 0), (1, 1.2, 0.5, 0.3, 1, 1.0)
    protocol = Protocol(
        mu, [Segment(2, 0.4, 0.01, first), Segment(1, 1.7, 0.02, second)], initial=ONES
    )
    found = simulate(p, protocol, chains, 5, start=[0.1, -0.2, 0.3], start_sigma=0.5, every=1)
    random = np.random.default_rng(5)
    z = np.array([0.1, -0.2, 0.3]) + 0.5 * random.standard_normal((chains, 3))
    work, heat, entropy, old = np.zeros(chains), np.zeros(chains), np.zeros(chains), ONES
    for k, (s, kT, dt) in enumerate([(first, 0.4, 0.01), (first, 0.4, 0.01), (second, 1.7, 0.02)]):
        work += p.energy(z, s) - p.energy(z, old)
        noise = np.sqrt(2 * mu * kT * dt) * random.standard_normal((chains, 3))
        new = z - mu * dt * p.gradient(z, s) + noise
        gained = -((p.gradient(z, s) + p.gradient(new, s)) / 2 * (new - z)).sum(axis=1)
        heat, entropy, z, old = heat + gained, entropy + gained / kT, new, s
        assert np.allclose(found.states[:, k], z, rtol=1e-12, atol=1e-14)
    for name, value in (("work", work), ("heat", heat), ("entropy", entropy), ("z", z)):
        assert np.allclose(getattr(found, name), value, rtol=1e-9, atol=1e-12), name
    assert np.allclose(found.energy_start, p.energy(found.states[:, 0] * 0 + z_start(5), ONES))
    assert np.allclose(found.energy_end, p.energy(z, second))


def z_start(seed: int) -> np.ndarray:
    """The start of four chains that the test above draws."""
    return np.array([0.1, -0.2, 0.3]) + 0.5 * np.random.default_rng(seed).standard_normal((4, 3))


def test_energy_is_work_less_heat_up_to_the_trapezoid_error() -> None:
    worst = []
    for dt in (4e-3, 1e-3):
        found = simulate(some(), driven(dt, int(0.4 / dt)), 2000, 3, start_sigma=0.3, reach=2)
        assert np.allclose(found.energy_change, found.energy_end - found.energy_start)
        assert found.work.std() > 0.1
        worst.append(float(np.sqrt((found.trapezoid_error**2).mean())))
    # the error of a step is V''' dz^3 / 12 ~ dt^1.5; of independent sign, over 1/dt steps ~ dt
    assert 3 < worst[0] / worst[1] < 5.5
    assert worst[1] < 5e-3


def test_a_quadratic_potential_has_no_trapezoid_error() -> None:
    p = Potential.build(2, J2=[1, 2], b=[1, -1], J={(0, 1): 0.7}, K=[[1, 2]], d=0.3, force=[1, 0])
    found = simulate(p, driven(5e-3, 200), 100, 3, start_sigma=0.3)
    assert np.abs(found.trapezoid_error).max() < 1e-12


def test_a_left_point_heat_sum_fails_by_the_laplacian() -> None:
    p, mu, kT, dt, steps, chains = some(), 0.8, 0.6, 1e-3, 400, 4000
    protocol = Protocol(mu, [Segment(steps, kT, dt)])
    found = simulate(p, protocol, chains, 8, start_sigma=0.4, every=1, reach=2)
    start = 0.4 * np.random.default_rng(8).standard_normal((chains, 3))
    path = np.concatenate([start[:, None], found.states], axis=1)
    left = -(p.gradient(path[:, :-1]) * np.diff(path, axis=1)).sum(axis=(1, 2))
    error = found.energy_change + left  # dV = -Q without work
    assert np.abs(found.trapezoid_error).mean() < 0.01 < 0.5 < error.mean()
    predicted = mu * kT * dt * p.laplacian(path[:, :-1]).sum(axis=1)
    # the difference of means is known to its standard error; O(dt) of the prediction is the rest
    deviation = float((error - predicted).std() / np.sqrt(chains))
    assert abs(float((error - predicted).mean())) < 4 * deviation + 0.01 * float(predicted.mean())


def test_clamped_units_do_not_move_and_take_no_heat() -> None:
    p = some()
    found = simulate(p, driven(1e-3, 100), 50, 1, clamps={1: 0.7}, every=10, moments=True, reach=2)
    assert (found.states[:, :, 1] == 0.7).all()
    assert np.ptp(found.states[:, :, 0]) > 0.1
    assert np.abs(found.trapezoid_error).max() < 0.05
    assert found.mean[:, 1] == pytest.approx(0.7)
    everything = dict(enumerate([0.1, 0.2, 0.3]))
    still = simulate(p, driven(1e-3, 100), 3, 1, clamps=everything, reach=2)
    assert (still.heat == 0).all()
    assert np.allclose(still.work, still.energy_change)


def test_moments_and_states_are_those_of_the_measured_steps() -> None:
    p = some()
    segments = [Segment(7, 0.5, 1e-2, measure=False), Segment(20, 0.5, 1e-2)]
    found = simulate(p, Protocol(1.0, segments), 6, 2, every=1, moments=True, reach=2)
    kept = found.states[:, 7:]
    assert np.allclose(found.mean, kept.mean(axis=1))
    assert np.allclose(found.second, np.einsum("cki,ckj->ij", kept, kept) / (6 * 20))
    assert simulate(p, Protocol(1.0, segments), 6, 2, every=9, reach=2).states.shape == (6, 3, 3)
    assert (found.z == simulate(p, Protocol(1.0, segments), 6, 2, reach=2).z).all()
    assert (found.z != simulate(p, Protocol(1.0, segments), 6, 3, reach=2).z).all()
    assert np.isnan(simulate(p, Protocol(1.0, segments), 6, 2, reach=2).mean).all()


def test_a_ramp_ends_where_it_says_and_is_checked_at_its_ends() -> None:
    first, last = (
        Segment(5, 2.0, 1e-3, (1, 1, 1, 0, 1, 0)),
        Segment(9, 0.4, 1e-3, (2, 1, 1, 1, 1, 0)),
    )
    steps = ramp(first, last, 300)
    assert len(steps) == 300
    assert steps[-1].kT == pytest.approx(0.4)
    assert steps[-1].strengths == last.strengths
    assert steps[74].kT == pytest.approx(1.6)
    assert steps[74].strengths == pytest.approx((1.25, 1, 1, 0.25, 1, 0))
    corners = Protocol(1.0, [first, *steps, last]).corners()
    assert [s for s, _ in corners] == [first.strengths, last.strengths]
    there_and_back = Protocol(1.0, [first, *steps, *ramp(last, first, 100)]).corners()
    assert last.strengths in [s for s, _ in there_and_back]
    # unsound in the middle only
    unsound = [*ramp(first, Segment(1, 2.0, 1e-3, (-9, 0, 1, 1, 1, 0)), 10), *ramp(last, first, 10)]
    with pytest.raises(ProgramError, match="must be bounded below"):
        Protocol(1.0, unsound).check(some(), 2)


def test_zero_temperature_is_plain_descent_without_an_entropy() -> None:
    p = Potential.build(1, J2=1, b=1)
    found = simulate(p, Protocol(1.0, [Segment(500, 0.0, 0.05)]), 2, 1, start=3.0)
    assert found.z == pytest.approx(-0.5)
    assert found.heat == pytest.approx(float(p.energy(np.array([3.0])) + 0.25))
    assert np.isnan(found.entropy).all()


def test_bad_settings_are_refused_before_they_run() -> None:
    p, good = Potential.build(2, J2=[1, 10]), Segment(1, 0.5, 1e-3)
    cases = [
        (lambda: Segment(0, 1, 1), "the steps of a segment must be a whole number, at least 1"),
        (lambda: Segment(1, -1, 1), "kT must be finite and at least 0"),
        (lambda: Segment(1, 1, 0), "dt must be finite and above 0"),
        (lambda: Segment(1, 1, 1, (1.0,)), "strengths must be 6 finite numbers"),
        (lambda: Protocol(0, [good]), "mobility mu"),
        (lambda: Protocol(1, []), "at least 1 segment"),
        (lambda: ramp(good, good, 0), "the steps of a ramp must be a whole number, at least 1"),
        (lambda: simulate(p, Protocol(1, [good]), 0, 1), "chains must be a whole number"),
        (lambda: simulate(p, Protocol(1, [good]), 2, 1, start=np.zeros(3)), "must fit (2, 2)"),
        (lambda: simulate(p, Protocol(1, [good]), 2, 1, start=np.nan), "must be finite"),
        (lambda: simulate(p, Protocol(1, [good]), 2, 1, clamps={2: 0}), "a clamp names unit 2"),
        (lambda: simulate(Potential.build(1), Protocol(1, [good]), 2, 1), "not"),
        # 2 / (mu k) with k = 20
        (lambda: simulate(p, Protocol(2, [Segment(1, 1, 0.05)]), 2, 1), "dt must be below 0.05,"),
    ]
    for call, sentence in cases:
        with pytest.raises(ProgramError, match=re.escape(sentence)):
            call()
    simulate(p, Protocol(2, [Segment(1, 1, 0.0499)]), 2, 1)


def test_a_clamped_unit_does_not_make_a_step_unstable() -> None:
    # 2 / (mu k): k = 2 of unit 0 alone; unit 1 is a thousand times as stiff and does not move
    p = Potential.build(2, J2=[1, 1000], J4=[0, 1], J={(0, 1): 1.0})
    protocol = Protocol(1, [Segment(300, 0.5, 0.1)])
    with pytest.raises(ProgramError, match=r"dt must be below 0\.00099\d*, .* within \|z\| <= 1\)"):
        simulate(p, protocol, 2, 1, reach=1)
    found = simulate(p, protocol, 400, 1, clamps={1: 0.5}, reach=1)
    # Euler-Maruyama's own variance is kT/k / (1 - k dt/2) = 0.25 / 0.9; 400 chains: 4 x 7 %
    assert found.z[:, 0].var() == pytest.approx(0.25 / 0.9, rel=0.28)
    assert found.z[:, 0].mean() == pytest.approx(-0.25, abs=4 * 0.53 / 20)
    with pytest.raises(ProgramError, match="dt must be below 1,") as caught:
        Protocol(1, [Segment(1, 0.5, 1)]).check(p, 0, {1: 0.5})
    assert "largest curvature), and is 1;" in str(caught.value)


def test_chains_that_run_away_are_not_returned() -> None:
    p = Potential.build(1, J4=1)
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ProgramError, match=r"a chain ran away before step 60 with dt = 0\.1"),
    ):
        simulate(p, Protocol(1, [Segment(60, 1, 0.1)]), 2, 1, start=9.0, reach=0.5)

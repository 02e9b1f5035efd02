"""The sampler of potentials: independent reproducible samples, conditions, frames, refusals."""

from collections.abc import Iterator

import numpy as np
import pytest

import gibbsite
from gibbsite.langevin_entropy import entropy_production
from gibbsite.langevin_sampler import LangevinConfig, LangevinSampler
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.exact.langevin import gaussian
from gibbsite_models.langevin_float import Protocol, Segment

CONFIG = LangevinConfig(mu=1.5, kT=0.6, dt=0.02, n_steps=300, dim=3)


def potential() -> Potential:
    """Two coupled harmonic units and a quartic one."""
    return Potential.build(
        3, J2=[1, 0.5, 0.2], J4=[0, 0, 0.1], b=[0.1, 0.2, 0.3], J={(0, 1): 0.4}, force=[0, 0, 1]
    )


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with gibbsite.open("golden:?engines=langevin") as opened:
        yield opened


def test_samples_are_different_independent_and_reproducible(device: Device) -> None:
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        draws = sampler.sample(n_samples=200, seed=7)
        again = sampler.sample(n_samples=200, seed=7)
        other = sampler.sample(n_samples=200, seed=8)
        alone = sampler.sample(n_samples=3, seed=7)
    assert np.asarray(draws).shape == (200, 3)
    assert len({tuple(state) for state in draws}) == len(draws) == 200
    assert np.array_equal(draws.states, again.states)
    assert np.array_equal(draws.states[:3], alone.states)  # a sample is its own, however many
    assert not np.array_equal(draws.states, other.states)
    assert draws.energies == pytest.approx(potential().energy(draws.states), abs=2e-3)
    assert draws.best.tolist() == draws.states[draws.energies.argmin()].tolist()
    assert draws.info["seed"] == 7
    assert draws.info["steps"] == 200 * 300
    assert draws.info["saturations"] == 0
    info = draws.info
    assert (info["joules"] is None) == ("not measured" in info["joules_provenance"])
    # neighbouring samples are no closer than others: correlation 0 +- 5 / sqrt(199)
    x = draws.states[:, 0]
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / np.sqrt(199)


def test_conditions_stream_without_loading_again(device: Device) -> None:
    model = Potential.build(2, J2=1.0, J={(0, 1): 0.5}, K=[[1.0, 1.0]], d=0.2, lam=0.5)
    config = LangevinConfig(kT=0.4, dt=0.02, n_steps=400, dim=2)
    with LangevinSampler(model, config, device) as sampler:
        sampler.sample(n_samples=1, seed=1)
        loads = device.loads
        condition = Condition(bias=np.array([0.5, -0.2]), d=np.array([0.1]), lam=np.array([0.8]))
        draws = sampler.sample(condition, n_samples=4000, seed=1)
        assert device.loads == loads
        law = gaussian(model.conditioned(condition), 0.4)
        # 4,000 samples: five standard errors of each mean
        limit = 5 * np.sqrt(np.diag(law.covariance_at(1.0, 0.02)) / 4000)
        assert (np.abs(draws.states.mean(axis=0) - law.mean) < limit).all()
        held = sampler.sample(Condition(clamps={1: 0.75}), n_samples=5, seed=2)
        assert (held.states[:, 1] == 0.75).all()
        assert device.loads == loads
        # far beyond the scales that were chosen: loaded anew, and right
        far = Condition(bias=np.array([400.0, 0.0]))
        assert sampler.sample(far, n_samples=50, seed=3).states.mean(axis=0) == pytest.approx(
            gaussian(model.conditioned(far), 0.4).mean, abs=1.0
        )
        assert device.loads == loads + 1


def test_frames_begin_at_the_start_and_end_where_samples_do(device: Device) -> None:
    with LangevinSampler(potential(), CONFIG, device, start=[1, 0, -1], spread=0.5) as sampler:
        path = sampler.trajectory(seed=7, every=100, chains=20)
        ends = sampler.sample(n_samples=20, seed=7)
    assert path.steps.tolist() == [0, 100, 200, 300]
    assert path.states.shape == (20, 4, 3)
    assert np.array_equal(path.states[:, -1], ends.states)
    assert np.array_equal(path.heat[:, -1], ends.heat)
    assert (path.heat[:, 0] == 0).all()
    # the start: mean of 60 normal numbers within 5 standard errors
    assert abs((path.states[:, 0] - [1, 0, -1]).mean()) < 5 * 0.5 / np.sqrt(60)


def test_a_relaxing_well_produces_what_theory_says(device: Device) -> None:
    """From a wide Gaussian into a narrow one: Sigma = D_KL(start || equilibrium), exactly known.

    Once relaxed the total is the relative entropy, here 1/2 (r - 1 - ln r) with r = s^2 k / kT.
    """
    k, kT, spread = 2.0, 0.5, 1.0
    model = Potential.build(1, J2=k / 2)
    config = LangevinConfig(kT=kT, dt=0.005, n_steps=600, dim=1)
    with LangevinSampler(model, config, device, spread=spread) as sampler:
        path = sampler.trajectory(seed=5, every=600, chains=6000)
        found = sampler.estimate_entropy_production(path)
    ratio = spread**2 * k / kT
    assert found.total is not None
    assert found.total_error is not None
    # 0.01: kT dt k / 2 of the stationary variance, to first order 0.5 k dt mu = 0.5 %, twice
    limit = 5 * found.total_error + 0.01
    assert found.total == pytest.approx(0.5 * (ratio - 1 - np.log(ratio)), abs=limit)
    assert found.total_error < 0.03
    assert found.bath_error is not None
    # the heat that a chain gives and the entropy that it loses go together
    assert found.total_error < found.bath_error
    # heat of the other sign is no entropy production of this relaxation
    wrong = entropy_production(-path.heat, path.states, path.kT)
    assert wrong.total is not None
    assert abs(wrong.total - found.total) > limit


def test_a_chain_on_its_own_has_an_error_bar_of_its_blocks(device: Device) -> None:
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        found = sampler.estimate_entropy_production(sampler.trajectory(seed=1, every=2))
        few = sampler.estimate_entropy_production(sampler.trajectory(seed=1, every=150))
    assert found.bath_error is not None
    assert found.bath_error > 0
    assert few.bath_error is None
    assert found.total is found.total_error is None  # one chain has no entropy of its own


def test_a_protocol_anneals_on_the_device(device: Device) -> None:
    hot = [Segment(50, kT, 0.02) for kT in (2.0, 1.0, 0.5, 0.1, 0.01)]
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        cold = sampler.sample(n_samples=200, seed=3, protocol=Protocol(1.5, hot))
        warm = sampler.sample(n_samples=200, seed=3)
    assert cold.energies.mean() < warm.energies.mean() - 0.3
    assert cold.info["steps"] == 200 * 250


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mu": 0.0}, "mobility mu must be finite and above 0 and is 0"),
        ({"kT": -1.0}, "kT must be finite and at least 0 and is -1"),
        ({"kT": float("nan")}, "kT must be finite"),
        ({"dt": 0.0}, "dt must be finite and above 0 and is 0"),
        ({"n_steps": 0}, "n_steps must be a whole number, at least 1, and is 0"),
        ({"dim": True}, "dim must be a whole number, at least 1, and is True"),
        ({"dim": 2.0}, "dim must be a whole number, at least 1, and is 2.0"),
    ],
)
def test_ill_posed_settings_are_refused(settings: dict, says: str) -> None:
    with pytest.raises(ProgramError, match=says):
        LangevinConfig(**settings)


def test_what_does_not_fit_the_energy_is_refused_before_it_runs(device: Device) -> None:
    with pytest.raises(ProgramError, match=r"dim is 64 and the energy has 3 units: give Lang"):
        LangevinSampler(potential(), LangevinConfig(), device)
    with pytest.raises(ProgramError, match=r"dt must be below 0\.\d+, .* and is 3; take a smaller"):
        LangevinSampler(potential(), LangevinConfig(dim=3, dt=3.0), device)
    with pytest.raises(ProgramError, match="bounded below and normalizable"):
        LangevinSampler(Potential.build(1, J2=-1.0), LangevinConfig(dim=1), device)
    with pytest.raises(ProgramError, match="spread must be finite and at least 0 and is -1"):
        LangevinSampler(potential(), CONFIG, device, spread=-1.0)
    sampler = LangevinSampler(potential(), CONFIG, device)
    for wrong in (0, -3, 1.5, True):
        with pytest.raises(ProgramError, match="n_samples must be a whole number, at least 1"):
            sampler.sample(n_samples=wrong)
    with pytest.raises(ProgramError, match=r"every must lie in 1\.\.300"):
        sampler.trajectory(every=301)
    with pytest.raises(ProgramError, match="a clamp names unit 9; units are 0 to 2"):
        sampler.sample(Condition(clamps={9: 0.0}))
    with pytest.raises(ProgramError, match="b must have shape"):
        sampler.sample(Condition(bias=np.zeros(2)))
    with pytest.raises(ProgramError, match="the largest curvature"):
        sampler.sample(protocol=Protocol(1.5, [Segment(5, 0.1, 9.0)]))


# --- what one sample leaves for the next ----------------------------------------------------------


def test_a_clamp_ends_with_its_sample(device: Device) -> None:
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        plain = sampler.sample(n_samples=30, seed=4)
        held = sampler.sample(Condition(clamps={0: 1.0}), n_samples=30, seed=4)
        after = sampler.sample(n_samples=30, seed=4)
    assert (held.states[:, 0] == 1.0).all()
    assert np.array_equal(after.states, plain.states)


def test_equal_arguments_give_equal_samples_whatever_came_before(device: Device) -> None:
    far = Condition(bias=np.array([300.0, 0.0, 0.0]))
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        fresh = sampler.sample(far, n_samples=20, seed=4)
        sampler.sample(n_samples=5, seed=1)
        sampler.sample(Condition(clamps={1: 20.0}), n_samples=5, seed=1)
        again = sampler.sample(far, n_samples=20, seed=4)
    assert np.array_equal(fresh.states, again.states)


def test_samplers_share_a_device(device: Device) -> None:
    soft, stiff = Potential.build(1, J2=0.5), Potential.build(1, J2=5.0)
    config = LangevinConfig(kT=0.3, dt=0.02, n_steps=400, dim=1)
    one, two = LangevinSampler(soft, config, device), LangevinSampler(stiff, config, device)
    alone = one.sample(n_samples=50, seed=6)
    two.sample(n_samples=50, seed=6)
    assert np.array_equal(one.sample(n_samples=50, seed=6).states, alone.states)


@pytest.mark.parametrize(
    ("model", "condition", "mean"),
    [
        (Potential.build(1, J2=0.5), Condition(bias=np.array([40.0])), -40.0),
        (Potential.build(1, J2=1e-3, K=[[1.0]], d=0.1), Condition(d=np.array([30.0])), 30.0),
        (Potential.build(1, J4=1e-4), Condition(bias=np.array([-3.0])), (3 / 4e-4) ** (1 / 3)),
    ],
)
def test_states_that_leave_the_reach_are_drawn_again_with_a_larger_one(
    device: Device, model: Potential, condition: Condition, mean: float
) -> None:
    config = LangevinConfig(kT=0.01, dt=0.1, n_steps=3000, dim=1)
    with LangevinSampler(model, config, device) as sampler:
        draws = sampler.sample(condition, n_samples=40, seed=2)
    assert draws.info["saturations"] == 0
    assert draws.states.mean() == pytest.approx(mean, rel=0.02)


def test_a_hotter_protocol_finds_its_room(device: Device) -> None:
    config = LangevinConfig(kT=0.5, dt=0.05, n_steps=200, dim=1)
    with LangevinSampler(Potential.build(1, J2=0.5), config, device) as sampler:
        draws = sampler.sample(
            n_samples=3000, seed=1, protocol=Protocol(1.0, [Segment(200, 50, 0.05)])
        )
    assert draws.info["saturations"] == 0
    # variance kT / (k (1 - k dt / 2)); relative error sqrt(2 / 3000) = 0.026, five of them
    assert draws.states.var() == pytest.approx(50 / 0.975, rel=0.13)


def test_a_refused_sample_leaves_the_sampler_working(device: Device) -> None:
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        before = sampler.sample(n_samples=5, seed=1)
        for wrong in ({0: 1e30}, {0: float("nan")}, {7: 0.0}):
            with pytest.raises(ProgramError):
                sampler.sample(Condition(clamps=wrong), seed=1)
        assert np.array_equal(sampler.sample(n_samples=5, seed=1).states, before.states)


def test_a_well_that_only_a_condition_holds_is_welcome(device: Device) -> None:
    flat = Potential.build(2, J2=[0.5, 0.0])
    config = LangevinConfig(kT=0.4, dt=0.02, n_steps=200, dim=2)
    with pytest.raises(ProgramError, match="bounded below"):
        LangevinSampler(flat, config, device)
    held = Condition(clamps={1: 0.25})
    with LangevinSampler(flat, config, device, condition=held) as sampler:
        assert (sampler.sample(n_samples=9, seed=1).states[:, 1] == 0.25).all()


def test_a_bias_counts_in_what_dt_a_quartic_unit_bears(device: Device) -> None:
    model = Potential.build(1, J4=1.0, b=-1000.0)
    with pytest.raises(ProgramError, match=r"dt must be below 0\.00\d+, .* and is 0\.01"):
        LangevinSampler(model, LangevinConfig(dim=1), device)


def test_a_scale_that_does_not_resolve_the_heat_is_refused(device: Device) -> None:
    config = LangevinConfig(kT=1e-6, dt=0.01, n_steps=200, dim=1)
    sampler = LangevinSampler(Potential.build(1, J2=0.5, b=-1000.0), config, device)
    with pytest.raises(ProgramError, match=r"sees states in steps of .* choose a reach below"):
        sampler.sample(seed=1)


def test_entropy_across_a_change_of_temperature_is_refused_between_frames(device: Device) -> None:
    cooling = Protocol(1.0, [Segment(50, 1.0, 0.02), Segment(50, 0.1, 0.02)])
    with LangevinSampler(potential(), CONFIG, device) as sampler:
        fine = sampler.trajectory(seed=1, every=50, chains=20, protocol=cooling)
        assert fine.kT[1:].tolist() == [1.0, 0.1]
        sampler.estimate_entropy_production(fine)
        coarse = sampler.trajectory(seed=1, every=100, chains=20, protocol=cooling)
        with pytest.raises(ProgramError, match="record more frames"):
            sampler.estimate_entropy_production(coarse)


def test_moments_and_best_states_come_from_the_device(device: Device) -> None:
    model = Potential.build(2, J2=[0.5, 1.0], b=[0.3, -0.2], J={(0, 1): 0.4})
    config = LangevinConfig(kT=0.5, dt=0.05, n_steps=2000, dim=2)
    law = gaussian(model, 0.5)
    with LangevinSampler(model, config, device) as sampler:
        found = sampler.moments(seed=3, chains=200)
        draws = sampler.sample(n_samples=20, seed=3, best=True)
    assert (np.abs(found.mean - law.mean) < 5 * found.mean_error).all()
    # exact at this dt; five standard errors
    exact = law.covariance_at(1.0, 0.05)
    assert (np.abs(found.covariance - exact) < 5 * found.covariance_error).all()
    assert draws.best_energies is not None
    assert (draws.best_energies <= draws.energies + 1e-9).all()
    assert model.energy(draws.best) == pytest.approx(law.lowest, abs=0.05)


@pytest.mark.parametrize("spread", [0.2, 1.5])
def test_error_bars_of_entropy_are_those_of_its_scatter(spread: float) -> None:
    """Exact Gaussian chains, V = z^2 a unit, from a cold or hot start into equilibrium."""
    rng, kT, chains, repeats = np.random.default_rng(3), 0.7, 200, 150
    kTs = np.array([np.nan, kT])
    found = []
    for _ in range(repeats):
        ends = rng.normal(size=(2, chains, 2))
        ends *= np.array([spread, np.sqrt(kT / 2)])[:, None, None]
        energy = (ends**2).sum(axis=2)
        heat = np.stack([np.zeros(chains), energy[0] - energy[1]], axis=1)
        found.append(entropy_production(heat, ends.transpose(1, 0, 2), kTs))
    ratio = spread**2 * 2 / kT
    off = np.array([one.total for one in found]) - (ratio - 1 - np.log(ratio))
    bars = np.array([one.total_error for one in found])
    # 150 squares of a unit normal scatter by 0.12; bars of 20 blocks, known to 1/6, add 0.09
    assert 0.6 < np.mean((off / bars) ** 2) < 1.6


def test_error_bars_of_entropy_know_that_heat_and_entropy_go_together() -> None:
    """In equilibrium they cancel to first order: parts in quadrature would be far too wide."""
    rng, kT, chains = np.random.default_rng(4), 0.7, 400
    ends = rng.normal(size=(2, chains, 2)) * np.sqrt(kT / 2)
    energy = (ends**2).sum(axis=2)
    heat = np.stack([np.zeros(chains), energy[0] - energy[1]], axis=1)
    found = entropy_production(heat, ends.transpose(1, 0, 2), np.array([np.nan, kT]))
    assert found.total_error is not None
    assert found.total_error < 0.3 * np.hypot(found.bath_error, found.system_error)
    assert abs(found.total) < 5 * found.total_error


def test_discarded_runs_are_told(device: Device) -> None:
    config = LangevinConfig(kT=0.5, dt=0.05, n_steps=100, dim=1)
    hot = Protocol(1.0, [Segment(100, 60.0, 0.05)])
    with LangevinSampler(Potential.build(1, J2=0.5), config, device) as sampler:
        assert sampler.sample(seed=1).info["widenings"] == 0
        info = sampler.sample(n_samples=50, seed=1, protocol=hot).info
    assert info["widenings"] >= 1
    assert info["discarded_steps"] == info["widenings"] * 50 * 100
    assert info["saturations"] == 0


@pytest.mark.parametrize("model", ["hinge", "collective"])
def test_stiff_directions_count_in_what_a_reach_resolves(device: Device, model: str) -> None:
    if model == "hinge":
        b = -2e-4 * 6000 - 5
        wall = Potential.build(1, J2=1e-4, b=b, K=[[1.0]], d=6000.0, lam=500.0, hinge=True)
        config = LangevinConfig(kT=0.05, dt=4e-4, n_steps=50, dim=1)
        sampler = LangevinSampler(wall, config, device, start=6000.0)
    else:
        n = 64
        A = Potential.build(n, J2=0.5, J=0.9 * (np.ones((n, n)) - np.eye(n)))
        config = LangevinConfig(kT=0.5, dt=0.02, n_steps=50, dim=n)
        sampler = LangevinSampler(A, config, device, reach=30000.0)
    with pytest.raises(ProgramError, match="sees states in steps of"):
        sampler.sample(seed=1)


def test_what_is_not_claimed_is_said(device: Device) -> None:
    config = LangevinConfig(kT=0.5, dt=0.5, n_steps=200, dim=1)
    with LangevinSampler(Potential.build(1, J2=1.0), config, device) as sampler:
        draws = sampler.sample(n_samples=4000, seed=1)
    assert draws.info["claim"].startswith("none")
    # h = 2: 1 / (1 - 1/2) - 1 = 1, so the variance is twice kT / h; five errors of 4,000 samples
    assert draws.info["dt_bias"] == pytest.approx(1.0)
    assert draws.states.var() == pytest.approx(2 * 0.25, rel=5 * np.sqrt(2 / 4000))


def test_objects_of_another_kind_are_refused(device: Device) -> None:
    sampler = LangevinSampler(potential(), CONFIG, device)
    for wrong in ({"bias": [0, 1, 2]}, 3):
        with pytest.raises(ProgramError, match=r"a condition is a Condition\(bias="):
            sampler.sample(wrong)
    with pytest.raises(ProgramError, match="LangevinDraws is none: give what trajectory"):
        sampler.estimate_entropy_production(sampler.sample(seed=1))
    with pytest.raises(ProgramError, match=r"configuration is a LangevinConfig\(...\), not int"):
        LangevinSampler(potential(), 5, device)
    with pytest.raises(ProgramError, match=r"every must lie in 1\.\.300, the steps that count"):
        sampler.moments(every=301)
    assert repr(sampler.trajectory(every=100)) == (
        "Trajectory(chains=1, frames=4, units=3, steps=300)"
    )

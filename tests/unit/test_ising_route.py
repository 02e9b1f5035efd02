"""Binary models as double wells on the device: minima, vartypes, counts, a law that is near."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import dimod
import numpy as np
import pytest

import gibbsite
from gibbsite.algorithms.ising import sample_double_wells, wells_protocol
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.ising import double_wells


def model(n: int = 6, seed: int = 3) -> dimod.BinaryQuadraticModel:
    """Spins with biases and couplings of both signs and unequal size, labels out of order."""
    random, labels = np.random.default_rng(seed), "hgfedcba"[:n]
    return dimod.BinaryQuadraticModel.from_ising(
        {v: random.normal() for v in labels},
        {pair: random.normal() / np.sqrt(n) for pair in itertools.combinations(labels, 2)},
        offset=0.7,
    )


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    with gibbsite.open("golden:") as opened:
        yield opened


@pytest.mark.parametrize("vartype", [dimod.SPIN, dimod.BINARY])
def test_reads_reach_the_minimum_in_the_models_own_vartype(
    device: Device, vartype: dimod.Vartype
) -> None:
    given = model().change_vartype(vartype, inplace=False)
    best = dimod.ExactSolver().sample(given).first
    found = sample_double_wells(given, device, num_reads=40, num_steps=1500, seed=2)
    assert found.vartype is vartype
    assert found.first.energy == pytest.approx(best.energy)
    assert dict(found.first.sample) == dict(best.sample)
    assert found.record.energy == pytest.approx(given.energies(found))
    assert found.info["updates"] == 40 * 1500 * 6
    assert found.info["steps"] == 1500
    assert found.info["mode"] == "annealed"
    assert found.info["claim"].startswith("none")
    info = found.info
    assert (info["joules"] is None) == ("not measured" in info["joules_provenance"])
    # an anneal that never cools is no anneal: reads spread over half of the patterns and more
    hot = sample_double_wells(given, device, num_reads=40, num_steps=200, seed=2, beta=1.0)
    assert len(hot.aggregate()) > len(found.aggregate())


def test_equal_arguments_give_equal_reads(device: Device) -> None:
    runs = [
        sample_double_wells(model(), device, num_reads=20, num_steps=100, seed=seed)
        for seed in (5, 5, 6)
    ]
    samples = [run.record.sample for run in runs]
    assert np.array_equal(samples[0], samples[1])
    assert not np.array_equal(samples[0], samples[2])


def test_signs_follow_the_law_less_the_barriers_part_and_freeze_where_it_is_high(
    device: Device,
) -> None:
    """A pair at beta 1.25: aligned with probability 1/(1 + exp(2 beta J (1 - 3 kT/(8 B))))."""
    beta, J, reads = 1.25, -0.5, 3000
    pair = dimod.BinaryQuadraticModel.from_ising({}, {"ab": J})
    shares = []
    for barrier in (2.5, 6.0):
        found = sample_double_wells(
            pair, device, num_reads=reads, num_steps=2000, seed=1, beta=beta, barrier=barrier
        )
        shares.append(float((found.record.sample.prod(axis=1) > 0).mean()))
        assert found.info["kT_range"][1] == 0.8
    exact = 1 / (1 + np.exp(2 * beta * J))
    error = 5 * np.sqrt(exact * (1 - exact) / reads)
    near = 1 / (1 + np.exp(2 * beta * J * (1 - 3 / (8 * beta * 2.5))))
    # the formula's next order, (3 kT/(8 B))^2 of an exponent of 1.25 at a slope of 1/4
    order = (3 / (8 * beta * 2.5)) ** 2 * abs(2 * beta * J) / 4
    assert abs(shares[0] - near) < error + order
    # at 7.5 kT wells are left too seldom: the reads are not the law's, and the same bound sees it
    assert abs(shares[1] - exact) > error + order


def test_protocols_fall_to_the_beta_that_was_asked() -> None:
    wells = double_wells(model())
    annealed, held = wells_protocol(wells, 1000), wells_protocol(wells, 1001, beta=2.0)
    assert annealed.steps == 1000
    assert held.steps == 1001
    kTs = [segment.kT for segment in annealed.segments]
    assert kTs == sorted(kTs, reverse=True)
    assert annealed.segments[0].strengths[0] == 0  # one well
    assert annealed.segments[-1].strengths == (1.0,) * 6
    assert held.segments[-1].kT == 0.5
    assert held.segments[-1].steps == 501
    assert wells_protocol(wells, 2).steps == 2
    assert wells_protocol(wells, np.int64(1001), np.float32(2)) == held


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"num_steps": 1}, "num_steps must be a whole number, at least 2, and is 1"),
        ({"num_steps": 10.0}, "num_steps must be a whole number, at least 2, and is 10.0"),
        ({"num_reads": 0}, "num_reads must be a whole number"),
        ({"beta": -1.0}, "beta must be finite and above 0 and is -1"),
        ({"beta": float("nan")}, "beta must be finite"),
        ({"beta": 1e-3}, "beta must be at least"),
        ({"beta": "a"}, "beta must be finite and above 0 and is 'a'"),
        ({"barrier": "a"}, "the barrier must be finite and is 'a'"),
        ({"barrier": 0.1}, "the barrier must be finite, above 0 and at least"),
    ],
)
def test_what_makes_no_run_is_refused(device: Device, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ProgramError, match=re.escape(says)):
        sample_double_wells(model(), device, **settings)


def test_too_many_spins_are_refused_with_the_limit() -> None:
    nine = dimod.BinaryQuadraticModel.from_ising(dict.fromkeys(range(9), 1.0), {})
    with (
        gibbsite.open("golden:?like=small") as small,
        pytest.raises(ProgramError, match="9 units and the device holds 8"),
    ):
        sample_double_wells(nine, small)


@pytest.mark.sim
def test_golden_and_the_rtl_read_the_same_spins() -> None:
    build = "?lanes=4&rows=64&words=512&units=8&constraints=16&multipliers=4&pairs=16"
    found = []
    for scheme in ("golden:", "sim:"):
        with gibbsite.open(scheme + build) as opened:
            found.append(sample_double_wells(model(), opened, num_reads=5, num_steps=100, seed=1))
    golden, rtl = found
    assert np.array_equal(golden.record.sample, rtl.record.sample)
    for name in ("cycles", "products", "updates", "saturations"):
        assert golden.info[name] == rtl.info[name]

"""Binary models as double wells: energies at the minima, every sign pattern a minimum, read-out."""

import itertools
import re

import dimod
import numpy as np
import pytest

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.ising import double_wells, read_spins
from gibbsite_models.langevin_float import Protocol, Segment, ramp, simulate


def model(seed: int = 3, n: int = 6) -> dimod.BinaryQuadraticModel:
    """Spins with biases and couplings of both signs and unequal size."""
    random = np.random.default_rng(seed)
    pairs = {p: random.normal() for p in itertools.combinations("abcdefgh"[:n], 2)}
    return dimod.BinaryQuadraticModel.from_ising(
        {v: random.normal() for v in "abcdefgh"[:n]}, pairs, offset=0.7
    )


def test_energies_at_the_minima_are_the_models() -> None:
    spins = model()
    for given in (spins, spins.change_vartype(dimod.BINARY, inplace=False)):
        wells = double_wells(given)
        for signs in itertools.product((-1, 1), repeat=6):
            state = dict(zip(wells.variables, signs, strict=True))
            energy = float(wells.potential.energy(np.array(signs, dtype=float)))
            expected = spins.energy(state) - spins.offset - 6 * wells.barrier
            assert energy == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.75, 1.0, 3.0])
def test_every_sign_pattern_keeps_its_minimum(share: float) -> None:
    barrier = share * double_wells(model()).barrier * (1 + 1e-9)
    p = double_wells(model(), barrier).potential
    patterns = np.array(list(itertools.product((-1.0, 1.0), repeat=6)))
    dt = 0.5 * p.largest_stable_dt(1.0, 1.3)
    z = patterns.copy()
    for _ in range(3000):
        z -= dt * p.gradient(z)
    assert (np.sign(z) == patterns).all()
    assert np.abs(p.gradient(z)).max() < 1e-9
    # far below the limit some pattern loses its minimum
    weak = double_wells(dimod.BinaryQuadraticModel.from_ising({}, {"ab": -1.0}), 0.75).potential
    assert weak.J4[0] == 0.75


def test_annealing_reads_out_the_ground_state() -> None:
    spins = model(5)
    wells = double_wells(spins)
    dt = 0.4 * wells.potential.largest_stable_dt(1.0, 1.5)
    hot, cold = Segment(1, 2.0, dt, (0.0, 1, 1, 1, 1, 1)), Segment(1, 0.05, dt)
    z = simulate(
        wells.potential, Protocol(1.0, ramp(hot, cold, 4000)), 60, 2, start_sigma=0.3, reach=1.5
    ).z
    found = wells.sampleset(z)
    best = dimod.ExactSolver().sample(spins).first
    assert found.first.energy == pytest.approx(best.energy)
    assert dict(found.first.sample) == dict(best.sample)
    assert found.vartype is dimod.SPIN
    binary = double_wells(spins.change_vartype(dimod.BINARY, inplace=False)).sampleset(z)
    assert binary.vartype is dimod.BINARY
    assert np.allclose(binary.record.energy, found.record.energy)


def test_signs_follow_boltzmann_where_the_barrier_is_high() -> None:
    # one pair, by integration over the plane: |z| is 1 - 3 kT/(16 B) on average, 0.97 here
    kT, J, B = 0.8, -0.5, 5.0
    wells = double_wells(dimod.BinaryQuadraticModel.from_ising({}, {"ab": J}), B)
    axis = np.linspace(-2, 2, 801)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    weight = np.exp(-wells.potential.energy(grid) / kT)
    aligned = weight[np.sign(grid[..., 0]) == np.sign(grid[..., 1])].sum() / weight.sum()
    expected = 1 / (1 + np.exp(2 * J * (1 - 3 * kT / (8 * B)) / kT))
    # what is left is of second order, (3 kT/(8 B))^2 = 0.4 % of an exponent near 1
    assert aligned == pytest.approx(expected, abs=0.005)
    assert abs(aligned - 1 / (1 + np.exp(2 * J / kT))) > 0.01


def test_what_is_no_double_well_is_refused() -> None:
    pair = dimod.BinaryQuadraticModel.from_ising({"a": 0.5}, {"ab": 1.5})
    with pytest.raises(ProgramError, match=re.escape("at least 1.5, so that the largest field 2")):
        double_wells(pair, 1.49)
    for barrier in (float("nan"), 0.0, -1.0):
        with pytest.raises(ProgramError, match="the barrier must be"):
            double_wells(pair, barrier)
    with pytest.raises(ProgramError, match="at least 1 variable"):
        double_wells(dimod.BinaryQuadraticModel(dimod.SPIN))
    with pytest.raises(ProgramError, match="must be finite"):
        double_wells(dimod.BinaryQuadraticModel.from_ising({"a": float("inf")}, {}))
    assert read_spins(np.array([-0.1, 0.0, 2.0])).tolist() == [-1, 1, 1]

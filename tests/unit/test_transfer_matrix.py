"""Exact sums by elimination: against enumeration, and the closed form of a ring."""

import itertools
import math

import numpy as np
import pytest

from gibbsite_models.exact.transfer_matrix import TransferMatrix, reach
from gibbsite_models.pair_model import ModelError, PairModel


def lattice(
    rng: np.random.Generator, rows: int, columns: int, *, periodic: bool, field: float = 0.5
) -> PairModel:
    """A strip with couplings and fields of its own at every site."""
    pairs = set()
    for y, x in itertools.product(range(rows), range(columns)):
        for other_y, other_x in ((y, x + 1), (y + 1, x)):
            if periodic or (other_y < rows and other_x < columns):
                pair = sorted((y * columns + x, other_y % rows * columns + other_x % columns))
                if pair[0] != pair[1]:
                    pairs.add((pair[0], pair[1]))
    low, high = np.array(sorted(pairs)).T
    size = rows * columns
    return PairModel.of_spins(
        field * rng.normal(size=size), low, high, rng.normal(size=len(low)), offset=1.5
    )


def assert_exact(model: PairModel, beta: float, states: np.ndarray) -> None:
    """All sums are those over the given states."""
    energies = model.energies(states)
    weight = np.exp(-beta * energies)
    law = weight / weight.sum()
    exact = TransferMatrix(model, beta, states[0])
    v = model.slot_values(states)
    assert exact.log_z == pytest.approx(math.log(weight.sum()))
    assert exact.mean_energy() == pytest.approx(law @ energies)
    assert exact.on() == pytest.approx(law @ (v > 0))
    assert exact.pairs() == pytest.approx(law @ (v[:, model.low] * v[:, model.high]))
    for clique in exact.cliques:
        index = np.where(model.spin, (states + 1) // 2, states)[:, clique.variables]
        joint = np.zeros(clique.law.shape)
        np.add.at(joint, tuple(index.T), law)
        assert clique.law == pytest.approx(joint)


@pytest.mark.parametrize("beta", [0.3, 1.7])
@pytest.mark.parametrize(
    ("rows", "columns", "periodic"), [(3, 4, True), (2, 6, False), (1, 9, True)]
)
def test_strips_are_summed_exactly(rows: int, columns: int, periodic: bool, beta: float) -> None:
    model = lattice(np.random.default_rng(1), rows, columns, periodic=periodic)
    states = np.array(list(itertools.product([-1, 1], repeat=model.variables)))
    assert_exact(model, beta, states)


def test_spins_and_choices_with_some_of_them_held() -> None:
    rng = np.random.default_rng(2)
    first = np.array([0, 1, 4, 5, 7, 8])
    pairs = [(0, 2), (1, 4), (3, 5), (4, 6), (0, 4), (2, 7), (6, 7)]
    low, high = np.array(pairs).T
    spin = np.array([True, False, True, False, True])
    free = np.array([True, True, False, True, True])
    weights = rng.normal(size=len(pairs))
    model = PairModel(first, spin, rng.normal(size=8), low, high, weights, 0.3, free)
    states = np.array(list(itertools.product([-1, 1], range(3), [-1], range(2), [-1, 1])))
    assert_exact(model, 0.8, states)
    with pytest.raises(ModelError, match="its value was not given"):
        TransferMatrix(model, 0.8)


@pytest.mark.parametrize("beta", [0.4, 1.1])
def test_a_ring_has_the_transfer_matrix_s_closed_form(beta: float) -> None:
    size, coupling = 200, 0.7
    low = np.append(np.arange(size - 1), 0)
    high = np.append(np.arange(1, size), size - 1)
    ring = PairModel.of_spins(np.zeros(size), low, high, -coupling * np.ones(size))
    exact = TransferMatrix(ring, beta)
    big, small = 2 * math.cosh(beta * coupling), 2 * math.sinh(beta * coupling)
    assert exact.log_z == pytest.approx(size * math.log(big) + math.log1p((small / big) ** size))
    t = small / big
    energy = -coupling * size * t * (1 + t ** (size - 2)) / (1 + t**size)
    assert exact.mean_energy() == pytest.approx(energy)


def test_draws_are_of_the_law() -> None:
    model, beta, draws = lattice(np.random.default_rng(3), 8, 8, periodic=True), 0.6, 20_000
    exact = TransferMatrix(model, beta)
    found = exact.draw(draws, seed=4)
    on = exact.on()
    # 64 means of independent draws: 4.5 standard errors leave 4e-4 for all together
    error = np.sqrt(on * (1 - on) / draws)
    assert (np.abs((found > 0).mean(axis=0) - on) < 4.5 * error).all()
    energies = model.energies(found)
    assert abs(energies.mean() - exact.mean_energy()) < 4.5 * energies.std() / math.sqrt(draws)
    wrong = TransferMatrix(model, 1.03 * beta).mean_energy()
    assert abs(energies.mean() - wrong) > 4.5 * energies.std() / math.sqrt(draws)


def test_wide_models_are_out_of_reach() -> None:
    assert reach(lattice(np.random.default_rng(5), 30, 30, periodic=True)) is None
    low, high = np.triu_indices(40, 1)
    dense = PairModel.of_spins(np.zeros(40), low, high, np.ones(len(low)))
    assert reach(dense) is None
    with pytest.raises(ModelError, match="too wide"):
        TransferMatrix(dense, 1.0)

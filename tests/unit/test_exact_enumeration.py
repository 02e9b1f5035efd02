"""The referee itself: enumeration against sums that are written out, and its own invariants."""

import itertools
import math
from array import array

import dimod
import numpy as np
import pytest

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import decode_entry
from gibbsite_models.exact.enumeration import Enumeration, noise_floor, total_variation
from gibbsite_models.exact.models import CodeModel, Layout, random_model

P = GraphParameters(lanes=4, rows=64, words=256, payload_words=64)
MIXED = random_model(5, (1, 3, 1, 4), 0.5, 9, pinned=1, removed=1)


def states(model: CodeModel) -> list[list[int]]:
    """All states that keep groups and clamps, written out."""
    options = [
        [[0], [1]] if size == 1 else [[int(s == k) for s in range(size)] for k in range(size)]
        for size in model.sizes
    ]
    found = [list(itertools.chain(*parts)) for parts in itertools.product(*options)]
    return [
        bits
        for bits in found
        if all(bits[slot] for slot in model.on) and not any(bits[slot] for slot in model.off)
    ]


@pytest.mark.parametrize("beta", [0.03, 0.1, 0.4])
def test_boltzmann_is_the_sum_written_out(beta: float) -> None:
    exact, law = Enumeration(MIXED), np.zeros(Enumeration(MIXED).energies.size)
    weights = {tuple(bits): math.exp(-beta * MIXED.energy(bits)) for bits in states(MIXED)}
    for bits, weight in weights.items():
        index = int(exact.index(np.array([bits], dtype=np.uint8))[0])
        assert exact.bits(index) == list(bits)
        assert exact.energies.reshape(-1)[index] == MIXED.energy(bits)
        law[index] = weight / sum(weights.values())
    assert np.allclose(exact.boltzmann(beta).reshape(-1), law, rtol=1e-12, atol=0)


def test_energies_of_spins_are_dimods() -> None:
    model = random_model(8, (1,) * 7, 0.5, 50)
    bqm = dimod.BinaryQuadraticModel.from_ising(
        dict(enumerate(model.biases)), dict(model.couplings)
    )
    exact = Enumeration(model)
    for bits in states(model):
        spins = {slot: 2 * bit - 1 for slot, bit in enumerate(bits)}
        index = int(exact.index(np.array([bits], dtype=np.uint8))[0])
        assert exact.energies.reshape(-1)[index] == bqm.energy(spins) == model.energy(bits)


def test_one_step_of_one_variable_is_its_conditional_law() -> None:
    beta, exact = 0.2, Enumeration(MIXED)
    start = states(MIXED)[0]
    for variable, size in enumerate(MIXED.sizes):
        law = exact.after(start, beta, [variable], 1)
        first = MIXED.starts[variable]
        reach = [
            bits
            for bits in states(MIXED)
            if bits[:first] == start[:first] and bits[first + size :] == start[first + size :]
        ]
        total = sum(math.exp(-beta * MIXED.energy(bits)) for bits in reach)
        for bits in reach:
            index = int(exact.index(np.array([bits], dtype=np.uint8))[0])
            expected = math.exp(-beta * MIXED.energy(bits)) / total
            assert law.reshape(-1)[index] == pytest.approx(expected)
        assert law.sum() == pytest.approx(1)


def test_a_sweep_keeps_boltzmanns_law_and_only_at_its_own_beta() -> None:
    exact, order = Enumeration(MIXED), [2, 0, 3, 1]
    law = exact.boltzmann(0.2)
    assert np.abs(exact.sweep(law, 0.2, order) - law).sum() < 1e-12
    assert np.abs(exact.sweep(law, 0.21, order) - law).sum() > 1e-3


def test_relaxation_is_the_first_sweep_that_is_near() -> None:
    exact, order, beta = Enumeration(MIXED), [0, 1, 2, 3], 0.1
    sweeps = exact.relaxation(beta, order, 1e-3, 100)
    assert sweeps is not None
    worst = [
        max(
            np.abs(exact.after(bits, beta, order, k) - exact.boltzmann(beta)).sum() / 2
            for bits in states(MIXED)
        )
        for k in (sweeps - 1, sweeps)
    ]
    assert worst[1] <= 1e-3 < worst[0]
    assert exact.relaxation(beta, order, 1e-3, sweeps - 1) is None


def test_the_noise_floor_is_that_of_a_coin() -> None:
    # two states: the distance is |n / N - 1/2|, whose 99.9 % quantile is 3.29 standard errors
    reads = 10_000
    floor = noise_floor(np.array([0.5, 0.5]), reads)
    # 4,000 replicas leave the 99.9 % quantile uncertain by about a tenth
    assert floor == pytest.approx(3.2905 * 0.5 / math.sqrt(reads), rel=0.12)
    assert total_variation(np.array([3, 1]), np.array([0.5, 0.5])) == 0.25


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_a_layout_holds_the_model_and_nothing_else(fold: int) -> None:
    model = random_model(2, (1, 5, 1, 1, 2), 0.6, 100, pinned=1, removed=2)
    place = Layout(P, model, fold).place()
    slot_at = {int(address): slot for slot, address in enumerate(place.addresses)}
    assert len(slot_at) == len(model.biases)
    found: dict[tuple[int, int], int] = {}
    word = 0
    for number, row in enumerate(place.program.rows):
        assert row.fits(P)
        for at in range(word, word + row.length):
            for lane in range(P.lanes):
                address, weight, state = decode_entry(P, place.program.entries[at * P.lanes + lane])
                if weight:
                    slot = slot_at[number * P.lanes + (lane >> fold << fold)]
                    assert state == (model.sizes[model.variable_of()[slot_at[address]]] > 1)
                    found[slot, slot_at[address]] = weight
        word += row.length
    both = {(i, j): w for (i, j), w in model.couplings.items()}
    assert found == both | {(j, i): w for (i, j), w in both.items()}
    conditions = place.program.conditions
    for slot, address in enumerate(place.addresses.tolist()):
        row, lane = divmod(address, P.lanes)
        assert conditions.biases[address] == model.biases[slot]
        assert bool(conditions.clamps_on[row] >> lane & 1) == (slot in model.on)
        assert bool(conditions.clamps_off[row] >> lane & 1) == (slot in model.off)


def test_states_come_back_from_words_and_copies_stand_apart() -> None:
    model = MIXED.copies(3)
    place = Layout(P, model, 1).place()
    bits = [bit for state in states(MIXED)[:3] for bit in state]
    words = place.words(bits)
    assert isinstance(words, array)
    assert place.bits(np.array([words], dtype=np.uint32))[0].tolist() == bits
    assert model.energy(bits) == sum(MIXED.energy(state) for state in states(MIXED)[:3])
    assert len(model.couplings) == 3 * len(MIXED.couplings)

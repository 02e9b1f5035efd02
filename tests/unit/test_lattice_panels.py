"""Where sliced spins lie, in which order bands pass, and chains of several panels."""

from array import array

import numpy as np
import pytest

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_models.golden.lattice import LatticeEngine
from gibbsite_sim.cosim.lattice_programs import random_program
from gibbsite_sim.fast import lattice_chains
from gibbsite_sim.fast.lattice import FastLatticeEngine
from gibbsite_sim.fast.lattice_order import BAND, bands_apart, place_of_sites, wave

SHAPES = [(2, 2), (6, 8), (10, 12), (16, 4), (34, 10), (66, 24), (64, 64)]


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_sites_lie_as_passes_meet_them(rows: int, columns: int) -> None:
    place = place_of_sites(rows, columns)
    met = [
        column * rows + BAND * band + 2 * part + (column + colour) % 2
        for band in range(-(-rows // BAND))
        for colour in range(2)
        for column in range(columns)
        for part in range(min(BAND, rows - BAND * band) // 2)
    ]
    assert place[met].tolist() == list(range(rows * columns))


def too_early(order: np.ndarray, bands: int, apart: int) -> bool:
    """Whether a band passes before a band that it touches is as far as it must be."""
    done = [0] * bands
    for band, colour in order.tolist():
        near = [done[(band + step) % bands] for step in range(-apart, apart + 1)]
        if done[band] % 2 != colour or min(near) < done[band] or max(near) > done[band] + 1:
            return True
        done[band] += 1
    return len(set(done)) > 1


@pytest.mark.parametrize("sweeps", [1, 2, 3])
@pytest.mark.parametrize("apart", [0, 1, 2, 3])
@pytest.mark.parametrize("bands", [1, 2, 3, 5, 8, 64])
def test_no_band_passes_too_early(bands: int, apart: int, sweeps: int) -> None:
    order = wave(bands, apart, sweeps)
    assert len(order) == 2 * bands * sweeps
    assert not too_early(order, bands, apart)
    if bands > 1 and apart:
        assert too_early(order[::-1], bands, apart)
        swapped = order.copy()
        swapped[[0, np.flatnonzero(order[:, 1])[0]]] = order[[np.flatnonzero(order[:, 1])[0], 0]]
        assert too_early(swapped, bands, apart)


@pytest.mark.parametrize(("neighbours", "rows", "apart"), [(4, 64, 1), (8, 64, 1), (12, 64, 2)])
def test_how_far_neighbours_reach(neighbours: int, rows: int, apart: int) -> None:
    assert bands_apart(rows, LatticeParameters(neighbours=neighbours).offsets) == apart
    assert bands_apart(8, LatticeParameters(neighbours=neighbours).offsets) == 0


def both(p: LatticeParameters, seed: int, style: str) -> tuple[LatticeEngine, FastLatticeEngine]:
    program = random_program(p, p.columns, np.random.default_rng(seed), style=style, biased=False)
    codes = np.array(program.couplings, dtype=np.int8).reshape(p.columns, p.rows, p.neighbours)
    engines = LatticeEngine(p, codes), FastLatticeEngine(p, codes)
    for engine in engines:
        engine.condition(program.conditions)
    return engines


def energies_and_states(engine: LatticeEngine, request: LatticeRequest) -> list[np.ndarray]:
    blocks = list(engine.run(request))
    return [np.concatenate([getattr(b, name) for b in blocks]) for name in ("energies", "states")]


@pytest.mark.parametrize("style", ["any", "one strength"])
def test_chains_of_several_panels_are_goldens(style: str) -> None:
    """1,100 chains are two panels and a part; energies have more terms than a counter holds."""
    p = LatticeParameters(rows=26, columns=24, banks=3)
    golden, fast = both(p, 5, style)
    request = LatticeRequest(array("I", [1 << 17, 1 << 18]), chains=1100, sweeps_per_step=3)
    found = energies_and_states(fast, request)
    for first, count in ((0, 3), (510, 6), (1098, 2)):
        alone = LatticeRequest(request.betas, chains=count, first_chain=first, sweeps_per_step=3)
        for one, other in zip(found, energies_and_states(golden, alone), strict=True):
            assert np.array_equal(one[first : first + count], other)


def test_a_wrong_order_of_bands_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault: bands have both passes of a sweep at once."""
    p = LatticeParameters(rows=26, columns=24)
    golden, fast = both(p, 6, "one strength")
    request = LatticeRequest(array("I", [1 << 17]), chains=2, sweeps_per_step=2)
    wanted = energies_and_states(golden, request)
    same = energies_and_states(fast, request)
    assert all(np.array_equal(one, other) for one, other in zip(wanted, same, strict=True))

    def wrong(bands: int, _apart: int, sweeps: int) -> np.ndarray:
        order = [(band, colour) for band in range(bands) for colour in range(2)] * sweeps
        return np.array(order, dtype=np.int32)

    monkeypatch.setattr(lattice_chains, "wave", wrong)
    assert not np.array_equal(energies_and_states(fast, request)[1], wanted[1])

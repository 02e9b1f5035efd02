"""`LatticeSampler`: models on sites become programs, reads become their spins again."""

import itertools
import re
from dataclasses import replace

import dimod
import numpy as np
import pytest

import gibbsite
from gibbsite.lattice_model import compile_lattice
from gibbsite.schedules import ArgumentError
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeRequest

RULES = {4: [(0, 1)], 8: [(0, 1), (4, 1)], 12: [(0, 1), (4, 1), (9, 10)]}


def lattice(
    rows: int, columns: int, neighbours: int = 4, *, wrapped: bool = True, seed: int = 0
) -> dimod.BinaryQuadraticModel:
    """Couplings of both signs, biases, sites in a scrambled order."""
    rng = np.random.default_rng(seed)
    sites = list(itertools.product(range(rows), range(columns)))
    rng.shuffle(sites)
    model = dimod.BinaryQuadraticModel("SPIN")
    for row, column in sites:
        model.add_variable((int(row), int(column)), float(rng.integers(-3, 4)))
    for row, column in itertools.product(range(rows), range(columns)):
        for a, b in RULES[neighbours]:
            for dr, dc in ((a, b), (-b, a)):
                there = (row + dr, column + dc)
                if wrapped:
                    there = (there[0] % rows, there[1] % columns)
                elif not (0 <= there[0] < rows and 0 <= there[1] < columns):
                    continue
                model.add_quadratic((row, column), there, float(rng.choice([-2, -1, 1, 2])))
    return model


@pytest.mark.parametrize(
    ("rows", "columns", "neighbours", "wrapped"),
    [(4, 6, 4, True), (3, 5, 4, False), (12, 14, 8, True), (24, 26, 12, True), (5, 4, 8, False)],
)
def test_the_programs_energy_is_the_models(rows, columns, neighbours, wrapped) -> None:
    """The device's own energies are those of the model, state by state."""
    model = lattice(rows, columns, neighbours, wrapped=wrapped)
    with gibbsite.LatticeSampler("golden:", neighbours=neighbours) as sampler:
        device = sampler._device_for(model)
        compiled = compile_lattice(model, device.info.lattice)
        assert compiled.quantization.exact
        device.load(compiled.program)
        request = LatticeRequest(compiled.betas([0.2, 0.5]), chains=7)
        result = device.run(request)
        spins = compiled.spins(result.states)
    wanted = model.energies((spins, list(compiled.sites)))
    assert np.allclose(np.array(result.energies) * compiled.scale + model.offset, wanted)
    assert (compiled.spins(compiled.state(spins[3])) == spins[3]).all()


def test_annealed_reads_find_the_ground_state() -> None:
    model = lattice(3, 4, wrapped=False, seed=4)
    ground = dimod.ExactSolver().sample(model).first.energy
    with gibbsite.LatticeSampler("golden:") as sampler:
        found = sampler.sample(model, num_reads=30, num_sweeps=100, seed=5)
        again = sampler.sample(model, num_reads=30, num_sweeps=100, seed=5)
        best = sampler.sample(model, num_reads=30, num_sweeps=100, seed=5, best=True)
    assert found.first.energy == ground
    assert (found.record.sample == again.record.sample).all()
    assert (best.record.energy <= found.record.energy).all()
    assert found.info["updates"] == 30 * 100 * 4 * 4  # a row is added, so that rows are even


def test_binary_models_come_back_binary() -> None:
    model = lattice(4, 4, seed=2).change_vartype("BINARY", inplace=False)
    with gibbsite.LatticeSampler("golden:") as sampler:
        found = sampler.sample(model, num_reads=5, num_sweeps=20, seed=1)
    assert found.vartype is dimod.BINARY
    assert np.allclose(found.record.energy, model.energies(found))


def test_clamps_hold_and_draws_are_shared_among_chains() -> None:
    model = lattice(4, 4, seed=3)
    with gibbsite.LatticeSampler("golden:") as sampler:
        held = {(0, 0): 1, (2, 3): -1}
        found = sampler.sample(model, num_reads=35, beta=0.4, burn_in=5, clamps=held, seed=1)
    assert len(found) == 35
    assert sorted(set(found.record.chain)) == list(range(16))
    for site, value in held.items():
        assert set(found.samples(sorted_by=None)[:, site]) == {value}


def test_clamps_of_binary_models_are_0_or_1() -> None:
    model = lattice(4, 4, seed=3).change_vartype("BINARY", inplace=False)
    with gibbsite.LatticeSampler("golden:") as sampler:
        found = sampler.sample(model, num_reads=4, clamps={(0, 0): 1, (2, 3): 0}, seed=1)
    assert set(found.record.sample[:, found.variables.index((0, 0))]) == {1}
    assert set(found.record.sample[:, found.variables.index((2, 3))]) == {0}


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (2, 5), (4, 2), (1, 2)])
def test_lattices_of_two_open_rows_or_columns(rows: int, columns: int) -> None:
    """Both ways round the torus meet the same site there, and each site needs one of them."""
    model = lattice(rows, columns, wrapped=False, seed=2)
    with gibbsite.LatticeSampler("golden:") as sampler:
        found = sampler.sample(model, num_reads=20, seed=3)
    exact = dimod.ExactSolver().sample(model)
    assert np.isclose(found.first.energy, exact.first.energy)
    assert np.allclose(found.record.energy, model.energies(found))


def test_what_no_lattice_holds_is_refused() -> None:
    p = LatticeParameters(rows=6, columns=6)
    model = dimod.BinaryQuadraticModel.from_ising({}, {((0, 0), (1, 1)): 1.0})
    with pytest.raises(ProgramError, match=r"no neighbours among the 4 of this engine"):
        compile_lattice(model, p)
    model = dimod.BinaryQuadraticModel.from_ising({(0, 6): 1.0}, {})
    with pytest.raises(ProgramError, match="open a device with more"):
        compile_lattice(model, p)
    model = dimod.BinaryQuadraticModel.from_ising({"a": 1.0}, {})
    with pytest.raises(ProgramError, match="label variables"):
        compile_lattice(model, p)
    model = dimod.BinaryQuadraticModel.from_ising(
        {}, {((0, 0), (0, 1)): 1.0, ((0, 0), (1, 0)): 0.01}
    )
    with pytest.raises(ProgramError, match="quantizes to nothing"):
        compile_lattice(model, p)
    with pytest.raises(ProgramError, match="no variable"):
        compile_lattice(dimod.BinaryQuadraticModel("SPIN"), p)
    with gibbsite.LatticeSampler("golden:") as sampler:
        small = lattice(4, 4)
        with pytest.raises(gibbsite.GibbsiteError, match="clamp it to -1"):
            sampler.sample(small, clamps={(0, 0): 0})
        with pytest.raises(gibbsite.GibbsiteError, match="clamp it to 0 or 1"):
            sampler.sample(small.change_vartype("BINARY", inplace=False), clamps={(0, 0): -1})
        with pytest.raises(gibbsite.GibbsiteError, match="is no site"):
            sampler.sample(small, clamps={(0.5, 0): 1})
        with pytest.raises(gibbsite.GibbsiteError, match="is no site"):
            sampler.sample(dimod.BinaryQuadraticModel.from_ising({("a", "b"): 1.0}, {}))
        with pytest.raises(gibbsite.GibbsiteError, match="no variable of the model"):
            sampler.sample(small, clamps={(9, 0): 1})
        with pytest.raises(gibbsite.GibbsiteError, match="initial_states is none"):
            sampler.sample(small, initial_states=[1])
        for site in ((-1, 0), (0, 512), (600, 600)):
            sentence = rf"\({site[0]}, {site[1]}\) is no site of any lattice, .* 0 to 511 at most"
            with pytest.raises(gibbsite.GibbsiteError, match=sentence):
                sampler.sample(dimod.BinaryQuadraticModel.from_ising({site: 1.0}, {}))
    with pytest.raises(ProgramError, match=r"columns must be a whole number in 2\.\.512"):
        LatticeParameters(columns=514)  # what the sentence above says
    with pytest.raises(TypeError, match="5 is neither an open device nor an address"):
        gibbsite.LatticeSampler(5)


@pytest.mark.parametrize(
    ("other", "p", "advice"),
    [
        ((1, 1), LatticeParameters(rows=16, columns=16, neighbours=8),
         r"offsets \(0, 1\), \(4, 1\), .* no neighbours= couples these, so draw with Sampler"),
        ((4, 1), LatticeParameters(rows=16, columns=16), r"\(0, 1\), .* with neighbours=8, which"),
        ((9, 10), LatticeParameters(rows=40, columns=40), r"device with neighbours=12, which"),
        ((5, 0), LatticeParameters(rows=64, columns=16), r"with neighbours=4 and rows=6, which"),
    ],
)  # fmt: skip
def test_a_pair_that_is_not_coupled_is_sent_to_what_couples_it(other, p, advice) -> None:
    model = dimod.BinaryQuadraticModel.from_ising({(9, 30): 1.0} if other == (9, 10) else {}, {})
    model.add_quadratic((0, 0), other, 1.0)
    with pytest.raises(ProgramError, match=advice):
        compile_lattice(model, p)
    if "Sampler" not in advice:  # the advice works
        number = int(re.search(r"neighbours=(\d+)", advice)[1])
        rows = 6 if "rows=6" in advice else p.rows
        compile_lattice(model, replace(p, neighbours=number, rows=rows))


@pytest.mark.parametrize(("rows", "columns", "what"), [(5, 4, "5 rows"), (4, 5, "5 columns")])
def test_an_odd_wrapped_size_is_refused_by_its_size(rows: int, columns: int, what: str) -> None:
    with (
        gibbsite.LatticeSampler("golden:") as sampler,
        pytest.raises(ProgramError, match=rf"wrap a lattice of {what}, .* use 4 or 6"),
    ):
        sampler.sample(lattice(rows, columns), num_reads=1)


@pytest.mark.parametrize("neighbours", [6, 0, "8", None, [4]])
def test_another_number_of_neighbours_is_refused_at_once(neighbours) -> None:
    sentence = rf"neighbours is {re.escape(repr(neighbours))}: use one of 4, 8, 12"
    with pytest.raises(ArgumentError, match=sentence):
        gibbsite.LatticeSampler("golden:", neighbours=neighbours)
    with pytest.raises(ArgumentError, match=sentence):
        gibbsite.ParallelTempering("golden:", engine="lattice", neighbours=neighbours)


def test_an_address_names_an_engine_and_no_size() -> None:
    model = lattice(4, 4, wrapped=False)
    with gibbsite.LatticeSampler("golden:?engines=lattice&banks=2") as sampler:
        assert sampler.sample(model, num_reads=2, seed=1).info["device"].endswith("neighbours=4")
    for word in ("engines=graph", "rows=4", "lattice_columns=4", "neighbours=8"):
        with (
            gibbsite.LatticeSampler(f"golden:?{word}") as sampler,
            pytest.raises(gibbsite.GibbsiteError, match=f"gives {word}, .* leave it out"),
        ):
            sampler.sample(model, num_reads=2)

"""The lattice engine against exact laws: enumerated small lattices, the 2D Ising model at 64x64.

The emulator draws, since these need many sweeps; that it is the golden engine and the RTL to the
bit is shown elsewhere. Every tolerance is five standard errors of independent chains, each of which
gives one number, or the 99.9 % quantile of total variation for as many exact draws.
"""

from array import array

import numpy as np
import pytest

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_tables import BETA_FRAC, thresholds
from gibbsite_models.exact.enumeration import noise_floor, total_variation
from gibbsite_models.exact.ising_torus import (
    CRITICAL_TEMPERATURE,
    log_partition,
    torus_energy,
    yang_magnetization,
)
from gibbsite_models.golden.lattice import LatticeEngine, unpack_columns
from gibbsite_sim.fast.lattice import FastLatticeEngine

SIZE = 64
CHAINS = 512


def couplings(p: LatticeParameters, columns: int, rng: np.random.Generator | None, *, open_rows=0):
    """Random couplings, or a ferromagnet's -1; ``open_rows`` > 0: that many rows, open edges."""
    codes = np.zeros((columns, p.rows, p.neighbours), dtype=np.int8)
    for k, (dr, dc) in enumerate(p.offsets):
        if k % 4 > 1:
            continue
        for column in range(columns):
            for row in range(p.rows):
                there = (row + dr, column + dc)
                if open_rows and not (0 <= there[0] < open_rows and 0 <= there[1] < columns):
                    continue
                value = -1 if rng is None else int(rng.integers(-9, 10))
                codes[column, row, k] = value
                codes[there[1] % columns, there[0] % p.rows, k + 2] = value
    return codes


def drawn(engine: LatticeEngine, beta: float, sweeps: int, chains: int, **fields):
    """Last states ``[chains, rows, columns]`` and energies."""
    code = round(beta * 2**BETA_FRAC)
    request = LatticeRequest(
        array("I", [code]), chains=chains, sweeps_per_step=sweeps, **({"seed": 11} | fields)
    )
    blocks = list(engine.run(request))
    states = np.concatenate([block.states[:, 0] for block in blocks])
    energies = np.concatenate([block.energies[:, 0] for block in blocks])
    return unpack_columns(states, engine.parameters.rows), energies


def conditioned(engine: LatticeEngine, biases: np.ndarray) -> LatticeEngine:
    """The engine with these biases ``[columns, rows]`` and no clamps."""
    none = array("I", [0]) * (engine.columns * engine.parameters.words)
    engine.condition(LatticeConditions(array("i", biases.ravel().tolist()), none, none))
    return engine


def enumerated(codes: np.ndarray, biases: np.ndarray, p: LatticeParameters) -> np.ndarray:
    """Energies of all states of columns x rows sites, site c * rows + r at that bit."""
    columns, rows = biases.shape
    bits = np.arange(1 << biases.size)[:, None] >> np.arange(biases.size) & 1
    spins = (2 * bits - 1).reshape(-1, columns, rows)
    energies = (spins * biases).sum(axis=(1, 2))
    for k, (dr, dc) in enumerate(p.offsets):
        if k % 4 < 2:
            energies = energies + (spins * np.roll(spins, (-dc, -dr), (1, 2)) * codes[:, :, k]).sum(
                axis=(1, 2)
            )
    return energies


def small(which: str) -> tuple[LatticeParameters, np.ndarray, np.ndarray, int]:
    """Parameters, couplings, biases, and rows that are used."""
    rng = np.random.default_rng(3)
    p = LatticeParameters(rows=4, columns=4)
    open_rows = 3 if which == "open 3x4" else 0
    codes = couplings(p, 4, rng, open_rows=open_rows)
    biases = rng.integers(-12, 13, (4, 4))
    if open_rows:
        biases[:, 3] = 0
    return p, codes, biases, open_rows or 4


def variation(engine: LatticeEngine, which: str, beta: float) -> tuple[float, float]:
    """Total variation of 60,000 draws to the enumerated law, and its noise floor."""
    p, codes, biases, rows = small(which)
    states, _ = drawn(engine, beta, 40, 60_000)
    used = states[:, :rows].transpose(0, 2, 1).reshape(len(states), -1)
    found = np.bincount(used @ (1 << np.arange(used.shape[1])), minlength=1 << used.shape[1])
    energies = enumerated(codes[:, :rows], biases[:, :rows], p)
    weights = np.exp(-beta * (energies - energies.min()))
    law = weights / weights.sum()
    return total_variation(found, law), noise_floor(law, len(states))


@pytest.mark.parametrize("beta", [0.02, 0.05])
@pytest.mark.parametrize("which", ["wrapped 4x4", "open 3x4"])
def test_small_lattices_follow_their_enumerated_law(which: str, beta: float) -> None:
    p, codes, biases, _ = small(which)
    found, floor = variation(conditioned(FastLatticeEngine(p, codes), biases), which, beta)
    assert found < floor


def test_a_threshold_that_is_off_by_five_percent_is_seen() -> None:
    class Warm(FastLatticeEngine):
        def table(self, beta_code):
            return super().table(round(0.95 * beta_code))

    p, codes, biases, _ = small("open 3x4")
    found, floor = variation(conditioned(Warm(p, codes), biases), "open 3x4", 0.05)
    assert found > floor


def test_the_thresholds_law_is_within_its_bound() -> None:
    """Every threshold of 200 betas: total variation of one draw below 1.1e-5."""
    worst = 0.0
    for beta in np.geomspace(1e-3, 15.9, 200):
        code = round(beta * 2**BETA_FRAC)
        m = np.arange(244)
        exact = 1.0 / (1.0 + np.exp(np.minimum(2 * code / 2**BETA_FRAC * m, 700.0)))
        worst = max(worst, float(np.abs(np.array(thresholds(code, 243)) / 65536 - exact).max()))
    assert 1e-6 < worst < 1.1e-5


def test_the_exact_ising_model_is_the_enumerated_one() -> None:
    """Kaufman's partition function on 3x4 and 4x4 tori, by enumeration."""
    for rows, columns in ((4, 4), (3, 4)):
        bits = np.arange(1 << rows * columns)[:, None] >> np.arange(rows * columns) & 1
        spins = (2 * bits - 1).reshape(-1, rows, columns)
        pairs = sum((spins * np.roll(spins, 1, axis)).sum((1, 2)) for axis in (1, 2))
        for temperature in (1.5, 2.269, 4.0):
            weights = np.exp((pairs - pairs.max()) / temperature)
            log_z = np.log(weights.sum()) + pairs.max() / temperature
            assert abs(log_z - log_partition(rows, columns, 1 / temperature)) < 1e-9
            energy = -(weights * pairs).sum() / weights.sum() / (rows * columns)
            assert abs(energy - torus_energy(rows, columns, temperature)) < 1e-8


def ferromagnet(engine: type[LatticeEngine] = FastLatticeEngine) -> LatticeEngine:
    p = LatticeParameters(rows=SIZE, columns=SIZE)
    built = engine(p, couplings(p, SIZE, None))
    return conditioned(built, np.zeros((SIZE, SIZE), dtype=np.int64))


def ising(
    temperature: float, sweeps: int, chains: int, *, up: bool, engine=FastLatticeEngine, seed=11
) -> dict[str, tuple[float, float]]:
    """Mean and standard error of energy and magnetization a site, over independent chains."""
    start = array("I", [0xFFFF_FFFF]) * (SIZE * SIZE // 32) if up else None
    states, energies = drawn(
        ferromagnet(engine), 1 / temperature, sweeps, chains, state=start, seed=seed
    )
    magnetization = 2.0 * states.mean(axis=(1, 2)) - 1.0
    values = {"energy": energies / SIZE**2, "magnetization": magnetization}
    return {
        name: (float(v.mean()), float(v.std(ddof=1) / np.sqrt(len(v))))
        for name, v in values.items()
    }


@pytest.mark.parametrize(
    ("temperature", "sweeps", "up"),
    [
        (2.0, 2000, True),  # ordered: from the ordered state
        (2.6, 2000, False),  # disordered: from a random one
        # critical: from order, so that no chain has to get rid of a wall between its phases
        (2.269, 12_000, True),
    ],
)
def test_the_ising_model_at_64x64(temperature: float, sweeps: int, up: bool) -> None:
    """Kaufman's energy of this very torus, Yang's magnetization below, none above."""
    found = ising(temperature, sweeps, CHAINS, up=up)
    energy, error = found["energy"]
    assert abs(energy - torus_energy(SIZE, SIZE, temperature)) < 5 * error
    magnetization, error = found["magnetization"]
    if temperature == 2.0:  # corrections of a finite torus are e^(-64 / 2.3) here
        assert abs(magnetization - yang_magnetization(temperature)) < 5 * error
    if temperature > CRITICAL_TEMPERATURE:
        assert abs(magnetization) < 5 * error


@pytest.mark.nightly
def test_the_critical_ising_model_from_both_sides() -> None:
    """Energy at T = 2.269 from ordered and from random starts, 2,048 chains, 60,000 sweeps."""
    for up in (True, False):
        energy, error = ising(2.269, 60_000, 2048, up=up, seed=up)["energy"]
        exact = torus_energy(SIZE, SIZE, 2.269)
        print(
            f"T = 2.269, {'up' if up else 'random'}: {energy:.6f} +- {error:.6f}, exact {exact:.6f}"
        )
        assert abs(energy - exact) < 5 * error


class OneShift(LatticeEngine):
    """A pass takes the uniforms of the one before, shifted by one bit: a slow shift register."""

    last = None

    def uniforms(self, chains):
        fresh = super().uniforms(chains)
        self.last = fresh if self.last is None else self.last << 1 | fresh & 1
        return self.last


@pytest.mark.parametrize(("engine", "sound"), [(LatticeEngine, True), (OneShift, False)])
def test_the_ising_model_sees_a_shift_register(engine, sound: bool) -> None:
    """The noise's own test: with 48 golden chains at T = 2.6 the true stream passes, this fails."""
    energy, error = ising(2.6, 150, 48, up=False, engine=engine)["energy"]
    assert (abs(energy - torus_energy(SIZE, SIZE, 2.6)) < 5 * error) == sound

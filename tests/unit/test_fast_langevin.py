"""The compiled Langevin engine against golden: every packet of random programs, to the bit."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import ACCUMULATOR_MAX
from gibbsite_hw.spec.langevin_packets import LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinRequest
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.langevin_tables import gaussian_code
from gibbsite_hw.spec.packets import Packet
from gibbsite_models.golden.langevin import LangevinEngine, Walkers
from gibbsite_models.golden.langevin_shell import LangevinShell
from gibbsite_sim.cosim.langevin_cases import (
    LangevinCase,
    LangevinShape,
    langevin_loading,
    random_langevin,
)
from gibbsite_sim.fast import langevin as fast_langevin
from gibbsite_sim.fast.compiled import bare
from gibbsite_sim.fast.host import Host, silent
from gibbsite_sim.fast.langevin import FastLangevinEngine
from gibbsite_sim.fast.langevin_machine import LANES
from gibbsite_sim.fast.langevin_noise import NOISE_ROWS, draw, gaussian_lines
from gibbsite_sim.fast.langevin_panels import multiply, panels
from gibbsite_sim.fast.langevin_terms import Terms, Tiles
from gibbsite_sim.fast.workers import Workers

SMALL = LangevinParameters(
    units=20, constraints=7, multipliers=4, weight_bits=12, schedule_entries=4, pairs=5
)
WIDE = replace(SMALL, units=300, constraints=2, weight_bits=16)
R = LangevinRegister


def packets(
    parameters: LangevinParameters, case: LangevinCase, engine: type[LangevinEngine]
) -> list[list[int]]:
    """All that a shell around this engine answers to a case."""
    shell = LangevinShell(parameters, 1, engine)
    writes = [Packet(LangevinOpcode.WRITE, 0, pair) for pair in case.settings.items()]
    run = Packet(LangevinOpcode.RUN, 0, ())
    for packet in (*langevin_loading(parameters, case), *writes, run):
        shell.send(packet.words())
    found = []
    while shell.pending:
        found.append(shell.receive())
    return found


def same(
    parameters: LangevinParameters,
    case: LangevinCase,
    engine: type[LangevinEngine] = FastLangevinEngine,
    golden: type[LangevinEngine] = LangevinEngine,
) -> bool:
    return packets(parameters, case, engine) == packets(parameters, case, golden)


def case_of(seed: int, wild: bool, chains: int | None = None, **shape: Any) -> LangevinCase:
    case = random_langevin(SMALL, Random(seed), LangevinShape(wild=wild, **shape))
    if chains is not None:
        case.settings[R.CHAINS] = chains
    return case


def check(seed: int, wild: bool, chains: int) -> None:
    assert same(SMALL, case_of(seed, wild, chains))


SEEDS = st.integers(0, 2**32)
CHAINS = st.sampled_from([1, 2, 3, LANES, LANES + 1, 2 * LANES + 5])


@given(SEEDS, st.booleans(), CHAINS)
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs_give_golden_s_packets(seed: int, wild: bool, chains: int) -> None:
    check(seed, wild, chains)


@pytest.mark.nightly
@given(SEEDS, st.booleans(), CHAINS)
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_random_programs_give_golden_s_packets(seed: int, wild: bool, chains: int) -> None:
    check(seed, wild, chains)


@pytest.mark.parametrize("wild", [False, True])
@pytest.mark.parametrize("units", [1, 7, 300])
def test_wide_couplings_and_many_units(units: int, wild: bool) -> None:
    # 300 units of 16-bit couplings: sums of one part do not fit 32 bits, those of two take chunks
    case = random_langevin(WIDE, Random(units), LangevinShape(units, 2, True, wild=wild))
    case.settings.update({R.CHAINS: 2, R.PAIRS: 0})
    assert same(WIDE, case)


@pytest.mark.parametrize("flags", range(8))
def test_long_runs_of_plain_steps(flags: int) -> None:
    # unmeasured steps of one entry: what most steps of a sampler are, and their loop of their own
    case = case_of(5, False, LANES + 3, units=20, constraints=flags % 4, coupled=True)
    schedule = [replace(case.schedule[0], repeat=40, measure=False), *case.schedule]
    case = replace(case, schedule=schedule[: SMALL.schedule_entries])
    case.settings.update({R.FLAGS: flags & ~1, R.DRAWS: 3, R.THIN: 17, R.ENTRIES: 1, R.PAIRS: 0})
    assert same(SMALL, case)


@given(SEEDS, st.integers(1, 40), st.integers(1, 90), st.sampled_from([200, 4000, 262_142]))
@settings(max_examples=30, deadline=None)
def test_products_are_exact(seed: int, rows: int, columns: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.choice([-32767, 32767, 0, 5, -1], (rows, columns))
    changes = np.zeros((columns + columns % 2, LANES), dtype=np.int32)
    changes[:columns] = rng.choice([-largest, largest, 1, 0, -3], (columns, LANES))
    sums = np.zeros((-(-rows // 8) * 8, LANES), dtype=np.int64)
    sums[:rows] = rng.integers(-(1 << 40), 1 << 40, (rows, LANES))
    wanted = sums[:rows] + matrix @ changes[:columns].astype(np.int64)
    packed = np.zeros((2, len(changes) // 2, LANES), dtype=np.int32)
    multiply(panels(matrix), changes, packed, sums)
    assert (sums[:rows] == wanted).all()


@bare
def drawn_row(streams: NDArray[Any], rows: NDArray[Any], lines: NDArray[Any]) -> None:
    """`draw`, which is made to become part of its caller, for Python."""
    draw(streams, rows, lines)


def test_gaussians_of_every_octave_and_both_halves() -> None:
    rng, lines = Random(3), gaussian_lines()
    numbers = [u for zeros in range(64) for u in _led(rng, zeros)] + [
        0,
        2**64 - 1,
        2**63,
        2**63 - 1,
    ]
    numbers += [0] * (-len(numbers) % LANES)
    for at in range(0, len(numbers), LANES):
        row = numbers[at : at + LANES]
        low = np.array([u & 0xFFFF_FFFF for u in row], dtype=np.uint32)
        high = np.array([u >> 32 for u in row], dtype=np.uint32)
        # the first word is s0, the second s0 ^ s1 ^ s3
        streams = np.stack([low, low * 0, low * 0, low ^ high]).view(np.int32)
        found = np.zeros((NOISE_ROWS, LANES), dtype=np.int32)
        drawn_row(streams, found, lines)
        assert found[0].tolist() == [gaussian_code(u) for u in row]


def _led(rng: Random, zeros: int) -> list[int]:
    """Uniforms whose number ``2 v + 1`` has so many leading zeros."""
    v = ((1 << 63 - zeros) | rng.getrandbits(63 - zeros)) >> 1 if zeros < 63 else 0
    return [v, v ^ (2**64 - 1)]


@pytest.mark.parametrize("kind", ["work", "heat", "moments"])
@pytest.mark.parametrize("sign", [1, -1])
def test_accumulators_saturate_like_golden_s(kind: str, sign: int) -> None:
    edge = sign * (ACCUMULATOR_MAX - 1)

    class Brimful(LangevinEngine):
        def seed(self, request: LangevinRequest, chain_numbers: NDArray[np.uint64]) -> Walkers:
            walkers = super().seed(request, chain_numbers)
            getattr(walkers, kind)[...] += edge
            return walkers

    class FastBrimful(FastLangevinEngine):
        def seeded(self, request: LangevinRequest, numbers: NDArray[np.uint64]) -> Tiles:
            tiles = super().seeded(request, numbers)
            places = {"work": tiles.totals[:, 0], "heat": tiles.totals[:, 1]}
            places.get(kind, tiles.moments)[...] += edge
            return tiles

    counted = 0
    for seed in range(24):
        case = case_of(seed, False, 3)
        case.settings.update({R.PAIRS: len(case.pairs), R.ENTRIES: len(case.schedule)})
        brim = packets(SMALL, case, FastBrimful)
        assert brim == packets(SMALL, case, Brimful)
        counted += brim[-1] != packets(SMALL, case, FastLangevinEngine)[-1]
    assert counted > 0


@pytest.mark.parametrize("wild", [False, True])
def test_threads_blocks_and_slices_do_not_show(monkeypatch: pytest.MonkeyPatch, wild: bool) -> None:
    case = case_of(11, wild, 5 * LANES + 1, units=9, constraints=2)
    case.settings.update({R.DRAWS: 3, R.THIN: 3})
    wanted = packets(SMALL, case, LangevinEngine)
    workers = Workers(2)
    assert packets(SMALL, case, FastLangevinEngine.on(Host(workers, silent))) == wanted
    workers.close()
    for name, value in (("SLICE", 1.0), ("BLOCK_BYTES", 1), ("BLOCK_BYTES", 20_000)):
        with monkeypatch.context() as patch:
            patch.setattr(fast_langevin, name, value)
            assert packets(SMALL, case, FastLangevinEngine) == wanted


def _off_coupling(terms: Terms) -> Terms:
    terms.couplings.weights[0, 0] ^= 1
    return terms


FAULTS: dict[str, Callable[[Terms], Terms]] = {
    "a coupling off by one": _off_coupling,
    "saturated constants counted once more": lambda terms: terms._replace(
        clipped=terms.clipped + 1
    ),
    "a shift off by one": lambda terms: terms._replace(shifts=terms.shifts + 1),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_seen(fault: str) -> None:
    class Faulty(FastLangevinEngine):
        def run(self, request: LangevinRequest) -> Any:
            terms = FAULTS[fault](self.field.terms())
            vars(self.field)["terms"] = lambda: terms
            return super().run(request)

    case = case_of(7, False, 3, units=12, coupled=True, clamps=0.0)
    case.settings[R.DRAWS] = 3
    assert same(SMALL, case)
    assert not same(SMALL, case, Faulty)

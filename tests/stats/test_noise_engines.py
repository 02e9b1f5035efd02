"""The batteries read the golden words; and what the linear engines behind them cannot do."""

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE
from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_models.golden.lattice_noise import seed_lattice_streams, step_lattice_streams
from gibbsite_models.golden.noise import seed_streams, step_streams

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from noise_sources import SOURCES, words

ALARM = 1e-6


def chains(first: int, count: int) -> NDArray[np.uint64]:
    return np.arange(first, first + count, dtype=np.uint64)


def graph_words(streams: NDArray[np.uint32], steps: int) -> NDArray[np.uint32]:
    """``[streams, steps]`` words of streams ``[4, ...]``."""
    state = streams.reshape(4, -1).copy()
    return np.stack([step_streams(state) for _ in range(steps)], axis=1)


def lattice_words(states: NDArray[np.uint64], steps: int) -> NDArray[np.uint64]:
    """``[steps, streams]`` words of streams ``[2, ...]``."""
    state = states.reshape(2, -1).copy()
    return np.stack([step_lattice_streams(state) for _ in range(steps)])


@pytest.mark.parametrize("name", SOURCES)
def test_the_battery_reads_the_golden_words(name: str) -> None:
    source, seed = SOURCES[name], 2**64 - 3
    blocks = words(source, seed)
    found = np.concatenate([next(blocks).ravel().copy() for _ in range(2)])
    number = chains(0, 1024 if source.in_turn else source.chains)
    steps = 1024 if source.in_turn else 40
    if source.engine == "lattice":
        golden = lattice_words(seed_lattice_streams(seed, number, source.streams), steps)
        golden = golden.astype(np.uint16) if source.low_field else golden
    else:
        engine = {"graph": GRAPH_ENGINE, "langevin": LANGEVIN_ENGINE}[source.engine]
        states = seed_streams(seed, number, source.streams, engine)
        golden = graph_words(states.transpose(0, 2, 1), steps).T
    order = golden.T if source.in_turn else golden
    assert np.array_equal(found[: order.size], order.ravel())
    assert found.dtype == golden.dtype


# --- what a linear engine cannot do ---------------------------------------------------------------


def linear_complexity(bits: NDArray[np.uint8]) -> int:
    """Length of the shortest linear shift register that gives these bits (Berlekamp and Massey)."""
    ahead, behind, length, since = 1, 1, 0, 1  # polynomials as integers, bit k for x^k
    window = 0
    for n, bit in enumerate(bits):
        window = window << 1 | int(bit)
        if (ahead & window).bit_count() & 1:
            before = ahead
            ahead ^= behind << since
            if 2 * length <= n:
                length, behind, since = n + 1 - length, before, 0
        since += 1
    return length


def rank(rows: list[int]) -> int:
    """Rank over GF(2) of rows that are bit sets."""
    basis: list[int] = []
    for row in rows:
        for other in basis:
            row = min(row, row ^ other)
        if row:
            basis.append(row)
    return len(basis)


def test_a_bit_of_a_stream_is_a_shift_register_of_128_bits() -> None:
    """What no battery of ours asks, and docs/noise.md says: order 128, and so is a large rank."""
    graph = graph_words(seed_streams(3, chains(0, 1), 1), 1024)[0] >> np.uint32(31)
    lattice = lattice_words(seed_lattice_streams(3, chains(0, 1), 1), 1024)[:, 0] & np.uint64(1)
    for drawn in (graph, lattice):
        assert linear_complexity(drawn.astype(np.uint8)) == 128
    true = np.random.default_rng(3).integers(0, 2, 1024, dtype=np.uint8)
    assert abs(linear_complexity(true) - 512) < 20
    # 256 bits in a row of single bits: half of the rank is missing; 32 words of 32: none is
    big = [int("".join(map(str, graph[k : k + 256])), 2) for k in range(0, 768, 2)]
    assert rank(big) == 128


def test_the_rank_of_32_words_has_its_law() -> None:
    """Chi-square of the ranks 32, 31 and less of 4,000 matrices of 32 successive words."""
    matrices, law = 4000, np.array([0.288788, 0.577576, 0.133636])
    drawn = graph_words(seed_streams(9, chains(0, 125), 1), 1024).reshape(-1, 32)
    ranks = np.array([rank([int(word) for word in matrix]) for matrix in drawn[:matrices]])
    found = np.bincount(np.minimum(32 - ranks, 2), minlength=3)
    assert ((found - matrices * law) ** 2 / (matrices * law)).sum() < chi2.isf(ALARM, 2)

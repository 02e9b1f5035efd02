"""Streams beside each other: neighbouring lanes, units, chains and seeds show nothing in common.

Of every two sequences of uniforms: Pearson's correlation at each lag, the joint cells of their top
four bits, and (of the first 32 sequences) the correlation of every bit with every other. Under
independence a correlation times the root of the sample size is normal, and the 16 x 16 cells,
whose law is known, give a chi-square of 255 degrees of freedom. All numbers of one comparison share
one false alarm of ALARM by Bonferroni, so a threshold follows from sample size and count alone.
Seeds are fixed: a pass stays a pass.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from gibbsite.bench.figures import write_figures
from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE
from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_models.golden.lattice_noise import (
    lane_uniforms,
    seed_lattice_streams,
    step_lattice_streams,
)
from gibbsite_models.golden.noise import seed_streams, step_streams

ALARM = 1e-6
SIDE = 64
"""Columns of a lattice: a lane's next pass over the same column is so many steps later."""
LAGS = tuple(range(5))  # of every ordered pair, so negative ones are in
PASSES = (*LAGS, SIDE - 1, SIDE, SIDE + 1, 2 * SIDE)
LONG = 1 << 18
SHORT = 1 << 14

Uniforms = NDArray[np.uint16]
"""``[sequences, steps]``: the top 16 bits of each draw."""


@dataclass(frozen=True)
class Compared:
    """The largest correlations (in standard errors) and chi-square, each beside its threshold."""

    correlation: float
    bits: float
    correlation_bar: float
    chi_square: float
    chi_square_bar: float
    tests: int

    @property
    def sound(self) -> bool:
        worst = max(self.correlation, self.bits)
        return worst < self.correlation_bar and self.chi_square < self.chi_square_bar


def compare(uniforms: Uniforms, lags: tuple[int, ...] = LAGS) -> Compared:
    """All ordered pairs of sequences at all lags, cells of pairs four apart at most, bits."""
    count, steps = uniforms.shape
    bits = 16 * min(count, 32)
    used = steps - max(lags)
    near = [(i, i + d) for d in (1, 2, 3, 4) for i in range(count - d)]
    # lag 0: each pair once, no sequence with itself; other lags: every ordered pair, and itself
    tests = sum(count * (count - 1) // 2 if lag == 0 else count**2 for lag in lags)
    tests += len(near) + bits * (bits - 1) // 2 + bits**2
    unit = np.sqrt(12) * ((uniforms.astype(np.float64) + 0.5) / 65536 - 0.5)
    worst = 0.0
    for lag in lags:
        found = unit[:, lag : lag + used] @ unit[:, :used].T / np.sqrt(used)
        if lag == 0:
            np.fill_diagonal(found, 0.0)
        worst = max(worst, float(np.abs(found).max()))
    top = (uniforms >> 12).astype(np.int64)
    expected = steps / 256
    chi = max(
        float(((np.bincount(16 * top[i] + top[j], minlength=256) - expected) ** 2).sum()) / expected
        for i, j in near
    )
    bars = float(norm.isf(ALARM / tests / 2)), float(chi2.isf(ALARM / tests, 255))
    return Compared(worst, worst_bits(uniforms[:32]), bars[0], chi, bars[1], tests)


def worst_bits(uniforms: Uniforms) -> float:
    """The largest correlation of two bits of one step or of two successive ones.

    In pieces, whose sums of signs float32 takes without error (up to 2^24).
    """
    count, steps = 16 * len(uniforms), uniforms.shape[1] - 1
    same, after = np.zeros((count, count)), np.zeros((count, count))
    for begin in range(0, steps, SHORT):
        piece = uniforms[:, None, begin : begin + SHORT + 1]
        bits = (piece >> np.arange(16, dtype=np.uint16)[:, None] & np.uint16(1)).astype(np.float32)
        signs = 2 * bits.reshape(count, -1) - 1
        same += signs[:, 1:] @ signs[:, 1:].T
        after += signs[:, 1:] @ signs[:, :-1].T
    np.fill_diagonal(same, 0.0)
    return float(max(np.abs(same).max(), np.abs(after).max()) / np.sqrt(steps))


# --- what stands beside each other ----------------------------------------------------------------


def graph_words(streams: NDArray[np.uint32], steps: int) -> NDArray[np.uint32]:
    """``[streams, steps]`` words of streams ``[4, ...]``."""
    state = streams.reshape(4, -1).copy()
    return np.stack([step_streams(state) for _ in range(steps)], axis=1)


def top(drawn: NDArray[np.uint32]) -> Uniforms:
    return (drawn >> 16).astype(np.uint16)


def chains(first: int, count: int) -> NDArray[np.uint64]:
    return np.arange(first, first + count, dtype=np.uint64)


def graph_lanes(seed: int, steps: int) -> Uniforms:
    return top(graph_words(seed_streams(seed, chains(0, 1), 64), steps))


def graph_chains(seed: int, steps: int) -> Uniforms:
    return top(graph_words(seed_streams(seed, chains(5, 64), 1), steps))


def graph_seeds(seed: int, steps: int) -> Uniforms:
    states = [seed_streams(seed + k, chains(0, 1), 1).reshape(4, 1) for k in range(64)]
    return top(graph_words(np.concatenate(states, axis=1), steps))


def engines(seed: int, steps: int) -> Uniforms:
    """Lane k of the graph engine beside unit k of the Langevin engine, same seed and chain."""
    states = [
        seed_streams(seed, chains(0, 1), 32, engine).reshape(4, 32)
        for engine in (GRAPH_ENGINE, LANGEVIN_ENGINE)
    ]
    return top(graph_words(np.stack(states, axis=2).reshape(4, 64), steps))


def langevin_units(seed: int, steps: int) -> Uniforms:
    """The three words of 21 units side by side: tail, sign and size of the Gaussian, dither."""
    drawn = graph_words(seed_streams(seed, chains(0, 1), 21, LANGEVIN_ENGINE), 3 * steps)
    return top(drawn.reshape(21, steps, 3).transpose(0, 2, 1).reshape(63, steps))


def lattice_words(states: NDArray[np.uint64], steps: int) -> NDArray[np.uint64]:
    """``[steps, streams]`` words of streams ``[2, ...]``."""
    state = states.reshape(2, -1).copy()
    return np.stack([step_lattice_streams(state) for _ in range(steps)])


def lattice_lanes(seed: int, steps: int) -> Uniforms:
    """16 streams, the four fields of each: the lanes of 128 rows, column after column."""
    states = seed_lattice_streams(seed, chains(0, 1), 16)
    return np.ascontiguousarray(lane_uniforms(lattice_words(states, steps), 64).T)


def lattice_chains(seed: int, steps: int) -> Uniforms:
    """Four lanes of 16 consecutive chains."""
    states = seed_lattice_streams(seed, chains(5, 16), 1)
    return np.ascontiguousarray(lane_uniforms(lattice_words(states, steps), 64).T)


def lattice_seeds(seed: int, steps: int) -> Uniforms:
    states = [seed_lattice_streams(seed + k, chains(0, 1), 1) for k in range(16)]
    drawn = lattice_words(np.concatenate(states, axis=2), steps)
    return np.ascontiguousarray(lane_uniforms(drawn, 64).T)


def graph_first_draws(seed: int, steps: int) -> Uniforms:
    """The first four draws of 16 lanes, chain after chain: what the hash alone makes."""
    drawn = graph_words(seed_streams(seed, chains(0, steps), 16), 4)
    return top(drawn.reshape(16, steps, 4).transpose(0, 2, 1).reshape(64, steps))


def lattice_first_draws(seed: int, steps: int) -> Uniforms:
    """The first two draws of 32 lanes, chain after chain."""
    drawn = lattice_words(seed_lattice_streams(seed, chains(0, steps), 8), 2)
    lanes = lane_uniforms(drawn.reshape(2, steps, 8), 32)
    return np.ascontiguousarray(lanes.transpose(2, 0, 1).reshape(64, steps))


Neighbours = Callable[[int, int], Uniforms]
PLACES: list[tuple[Neighbours, tuple[int, ...]]] = [
    (graph_lanes, LAGS),
    (graph_chains, LAGS),
    (graph_seeds, LAGS),
    (engines, LAGS),
    (langevin_units, LAGS),
    (graph_first_draws, LAGS),
    (lattice_first_draws, LAGS),
    # a lane decides its rows in turn, a colour a pass: its neighbouring spins are one or a few
    # columns apart in a pass, or one pass and a column
    (lattice_lanes, PASSES),
    (lattice_chains, PASSES),
    (lattice_seeds, PASSES),
]


@pytest.mark.parametrize(("place", "lags"), PLACES, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.parametrize("seed", [1, 2**63 + 5])
def test_neighbouring_streams_are_independent(
    place: Neighbours, lags: tuple[int, ...], seed: int
) -> None:
    found = compare(place(seed, SHORT), lags)
    assert found.sound, found


@pytest.mark.nightly
def test_neighbouring_streams_are_independent_over_many_steps() -> None:
    """The same over 2^18 steps: correlations above 0.014 would be seen."""
    figures = {}
    for place, lags in PLACES:
        found = compare(place(11, LONG), lags)
        figures[place.__name__] = vars(found) | {"steps": LONG, "lags": lags}
        print(place.__name__, found)
        assert found.sound, found
    write_figures("noise-streams", {"alarm": ALARM, "places": figures})


# --- planted faults -------------------------------------------------------------------------------


def rotated_taps(seed: int, steps: int) -> Uniforms:
    """One register for all lanes, each with the bits rotated by its number."""
    word = graph_words(seed_streams(seed, chains(0, 1), 1), steps)[0]
    return np.stack([top(word << np.uint32(k) | word >> np.uint32(32 - k)) for k in range(1, 17)])


def one_shift(seed: int, steps: int) -> Uniforms:
    """A shift register that moves on by one bit a step: a draw is half of the one before."""
    bits = top(graph_words(seed_streams(seed, chains(0, 1), 16), steps + 16)) >> 15
    drawn = np.zeros((16, steps), dtype=np.uint16)
    for k in range(16):
        drawn |= bits[:, k : k + steps] << np.uint16(15 - k)
    return drawn


def rotated_far(seed: int, steps: int) -> Uniforms:
    """Taps so far apart that single draws share few top bits, in time order only: k steps late."""
    word = graph_words(seed_streams(seed, chains(0, 1), 1), steps + 16)[0]
    return top(np.stack([word[k : k + steps] for k in range(16)]))


def counted_seeds(seed: int, steps: int) -> Uniforms:
    """The lane's number is added after the hash, not hashed: the first draws of many chains."""
    states = np.repeat(seed_streams(seed, chains(0, steps), 1), 16, axis=1)
    states[0] += np.arange(16, dtype=np.uint32)[:, None]
    drawn = graph_words(states, 4).reshape(16, steps, 4)
    return top(drawn.transpose(0, 2, 1).reshape(64, steps))


def overlapping_fields(seed: int, steps: int) -> Uniforms:
    """Lanes whose fields of the word overlap by four bits."""
    drawn = lattice_words(seed_lattice_streams(seed, chains(0, 1), 1), steps)[:, 0]
    return np.stack([(drawn >> np.uint64(12 * k)).astype(np.uint16) for k in range(4)])


@pytest.mark.parametrize(
    "fault", [rotated_taps, rotated_far, one_shift, counted_seeds, overlapping_fields]
)
def test_a_fault_between_streams_is_seen(fault: Neighbours) -> None:
    assert not compare(fault(1, SHORT)).sound


def test_a_lane_that_repeats_the_pass_before_is_seen() -> None:
    drawn = lattice_lanes(1, SHORT)
    drawn[7, SIDE:] = drawn[6, :-SIDE]
    assert compare(drawn).sound  # nothing at small lags
    assert not compare(drawn, PASSES).sound

"""The golden lattice engine against an interpreter of docs/lattice-engine.md in plain integers.

The interpreter knows no arrays: one site after the other, in the order of the page, with its own
Threefry, streams, thresholds and sums.
"""

import math
from array import array
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pytest

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_tables import threshold
from gibbsite_hw.spec.lattice_timing import (
    GAP,
    SETTLE,
    SHORT,
    TABLE_LATENCY,
    group_cycles,
    pass_cycles,
)
from gibbsite_models.golden.lattice import LatticeEngine

MASK = (1 << 64) - 1
NEAR = [(0, 1), (-1, 0), (0, -1), (1, 0)]
KNIGHT = [(4, 1), (-1, 4), (-4, -1), (1, -4)]
FAR = [(9, 10), (-10, 9), (-9, -10), (10, -9)]
OFFSETS = {4: NEAR, 8: [*NEAR, *KNIGHT], 12: [*NEAR, *KNIGHT, *FAR]}


def left(word: int, by: int) -> int:
    return (word << by | word >> (64 - by)) & MASK


def threefry(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Threefry-2x64 with 20 rounds."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDAA9FC1A22)
    a, b = (counter[0] + key[0]) & MASK, (counter[1] + key[1]) & MASK
    for number in range(20):
        a = (a + b) & MASK
        b = left(b, (16, 42, 12, 31, 16, 32, 24, 21)[number % 8]) ^ a
        if number % 4 == 3:
            j = number // 4 + 1
            a, b = (a + keys[j % 3]) & MASK, (b + keys[(j + 1) % 3] + j) & MASK
    return a, b


@dataclass
class Chain:
    """One chain, site by site; ``spin[row, column]`` is -1 or +1."""

    p: LatticeParameters
    columns: int
    couplings: dict[tuple[int, int], list[int]]
    bias: dict[tuple[int, int], int]
    on: set[tuple[int, int]]
    off: set[tuple[int, int]]

    def seed(self, seed: int, number: int) -> None:
        self.streams = []
        for stream in range(-(-self.p.rows // 8)):
            s0, s1 = threefry((seed, 3), (number, stream))
            self.streams.append([s0, s1] if s0 or s1 else [1, 0])
        self.spin = {
            (row, column): -1 for row in range(self.p.rows) for column in range(self.columns)
        }

    def field(self, row: int, column: int) -> int:
        spins = [
            self.spin[(row + a) % self.p.rows, (column + b) % self.columns]
            for a, b in OFFSETS[self.p.neighbours]
        ]
        terms = [j * s for j, s in zip(self.couplings[row, column], spins, strict=True)]
        return self.bias[row, column] + sum(terms)

    def sweep(self, beta: int | None, given: set[tuple[int, int]] | None = None) -> None:
        """With no beta the start sweep."""
        self.energy = 0
        for colour in range(2):
            for column in range(self.columns):
                words = []
                for stream in self.streams:
                    s0, s1 = stream
                    words.append(s0)
                    x = s0 ^ s1
                    stream[:] = [left(s0, 24) ^ x ^ (x << 16) & MASK, left(x, 37)]
                decided = {}
                for lane in range(self.p.rows // 2):
                    row = 2 * lane + (column + colour) % 2
                    u = words[lane // 4] >> 16 * (lane % 4) & 0xFFFF
                    f = self.field(row, column)
                    if beta is not None:
                        up = (f < 0) != (u < threshold(2 * beta * abs(f)))
                    elif given is not None:
                        up = (row, column) in given
                    else:
                        up = u < 1 << 15
                    up = (row, column) in self.on or (up and (row, column) not in self.off)
                    decided[row, column] = 1 if up else -1
                    self.energy += (f if colour else self.bias[row, column]) * (1 if up else -1)
                self.spin.update(decided)

    def whole_energy(self) -> int:
        """E by the sum over sites and pairs; each pair is seen from both of its ends."""
        pairs = sum(
            j * s * self.spin[(row + a) % self.p.rows, (column + b) % self.columns]
            for (row, column), s in self.spin.items()
            for j, (a, b) in zip(
                self.couplings[row, column], OFFSETS[self.p.neighbours], strict=True
            )
        )
        assert pairs % 2 == 0
        return sum(self.bias[at] * s for at, s in self.spin.items()) + pairs // 2

    def words(self) -> list[int]:
        found = []
        for column in range(self.columns):
            for word in range(-(-self.p.rows // 32)):
                rows = range(32 * word, min(32 * word + 32, self.p.rows))
                found.append(sum((self.spin[r, column] > 0) << r % 32 for r in rows))
        return found


CASES = [
    LatticeParameters(rows=4, columns=8),
    LatticeParameters(rows=34, columns=4, banks=2),
    LatticeParameters(rows=10, columns=12, neighbours=8),
    LatticeParameters(rows=22, columns=24, neighbours=12, coupling_bits=4),
]


def symmetric(p: LatticeParameters, columns: int, dice: Random) -> dict[tuple[int, int], list[int]]:
    """Couplings that stand at both ends of every pair; offsets k and k + 2 are opposite."""
    sites = [(row, column) for column in range(columns) for row in range(p.rows)]
    found = {site: [0] * p.neighbours for site in sites}
    for row, column in sites:
        for k, (a, b) in enumerate(OFFSETS[p.neighbours]):
            if k % 4 < 2:
                code = dice.randint(-p.coupling_max, p.coupling_max)
                found[row, column][k] = code
                found[(row + a) % p.rows, (column + b) % columns][k + 2] = code
    return found


@pytest.fixture(params=range(len(CASES)))
def pair(request: pytest.FixtureRequest) -> tuple[LatticeEngine, Chain]:
    """The golden engine and a chain with the same random program."""
    dice = Random(request.param)
    p = CASES[request.param]
    columns = p.columns
    couplings = symmetric(p, columns, dice)
    sites = list(couplings)
    bias = {site: dice.randint(-p.bias_max, p.bias_max) for site in sites}
    on = {site for site in sites if dice.random() < 0.1}
    off = {site for site in sites if dice.random() < 0.1} - on
    engine = LatticeEngine(
        p,
        np.array([couplings[site] for site in sites], dtype=np.int8).reshape(columns, p.rows, -1),
    )

    def packed(chosen: set[tuple[int, int]]) -> "array[int]":
        words: array[int] = array("I", [0]) * (columns * p.words)
        for row, column in chosen:
            words[column * p.words + row // 32] |= 1 << row % 32
        return words

    engine.condition(
        LatticeConditions(array("i", [bias[site] for site in sites]), packed(on), packed(off))
    )
    return engine, Chain(p, columns, couplings, bias, on, off)


@pytest.mark.parametrize("is_given", [False, True])
def test_runs_follow_the_page(pair: tuple[LatticeEngine, Chain], is_given: bool) -> None:
    engine, chain = pair
    p = chain.p
    dice = Random(9)
    given = {site for site in chain.bias if dice.random() < 0.5}
    words = array("I", [0]) * (chain.columns * p.words)
    for row, column in given:
        words[column * p.words + row // 32] |= 1 << row % 32
    betas = [1 << 14, 1 << 16, 3 << 15]
    request = LatticeRequest(
        array("I", betas), seed=0xFEDC_BA98_7654_3210, chains=2, draws=3,
        first_chain=0xFFFF_FFFF, sweeps_per_step=2, thin=1, best=True,
        state=words if is_given else None,
    )  # fmt: skip
    (draws,) = engine.run(request)
    for number in range(2):
        chain.seed(request.seed, (request.first_chain + number) % 2**32)
        chain.sweep(None, given if is_given else None)
        best, best_words = chain.energy, chain.words()
        sweeps = [beta for beta in betas for _ in range(2)]
        for draw in range(3):
            for beta in sweeps:
                chain.sweep(beta)
                assert chain.energy == chain.whole_energy()
                if chain.energy < best:
                    best, best_words = chain.energy, chain.words()
            sweeps = betas[-1:]
            assert draws.energies[number, draw] == chain.energy
            assert draws.states[number, draw].tolist() == chain.words()
            assert draws.best_energies[number, draw] == best
            assert draws.best_states[number, draw].tolist() == best_words


def test_the_interpreter_sees_a_planted_fault(pair: tuple[LatticeEngine, Chain]) -> None:
    """A field that is one too large somewhere makes another chain."""
    engine, chain = pair
    chain.bias[1, 1] += 1
    (draws,) = engine.run(LatticeRequest(array("I", [1 << 15]), sweeps_per_step=4))
    chain.seed(0, 0)
    chain.sweep(None)
    for _ in range(4):
        chain.sweep(1 << 15)
    assert draws.energies[0, 0] != chain.energy


@pytest.mark.parametrize("beta", [0, 1, 1 << 12, 1 << 20, 5 << 20, (1 << 24) - 1])
def test_thresholds_are_the_law(beta: int) -> None:
    """Within 0.7 of 65536 / (1 + exp(2 beta m)): total variation at most 1.1e-5."""
    for m in range(128):
        exact = 65536 / (1 + math.exp(min(700.0, 2 * beta * m / 2**20)))
        assert abs(threshold(2 * beta * m) - exact) < 0.7
    assert threshold(0) == 32768


def test_the_page_has_the_constants_of_the_timing() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lattice-engine.md").read_text()
    told = f"GAP = {GAP}, SHORT = {SHORT}, TABLE_LATENCY = {TABLE_LATENCY}, SETTLE = {SETTLE}"
    assert told in page


def test_cycles_of_a_group() -> None:
    """The page's sum, written out for a build whose first step and later steps wait."""
    p = LatticeParameters(rows=8, columns=16)
    # 4 lanes make one stream: one hash of 5 cycles and the one that starts it
    seeding, sweep, table = 6, 2 * (16 + 3), 4 * 15 + 63 + 1 + 4
    assert pass_cycles(p, 16) == 19
    assert pass_cycles(p, 8) == 8 + 10
    first, later = table - seeding - sweep, table - sweep
    assert group_cycles(p, 16, steps=3, sweeps_per_step=1, thinned=4) == (
        seeding + sweep + first + 2 * later + 7 * sweep,
        first + 2 * later,
    )
    # 3 sweeps take 114 of 128 cycles; 4 take all; a wait of 14 stays, one below 8 becomes 8
    assert group_cycles(p, 16, steps=2, sweeps_per_step=3, thinned=0)[1] == first + 14
    assert group_cycles(p, 16, steps=2, sweeps_per_step=4, thinned=0)[1] == first
    assert group_cycles(p, 16, steps=0, sweeps_per_step=1, thinned=0) == (seeding + sweep, 0)
    assert group_cycles(p, 16, steps=0, sweeps_per_step=1, thinned=2)[1] == first
    # with one table a lane every step but the first waits for all of it
    one = LatticeParameters(rows=8, columns=16, tables=1)
    assert group_cycles(one, 16, steps=3, sweeps_per_step=9, thinned=4)[1] == first + 2 * table
    # 58 columns take 122 cycles a sweep, 6 fewer than the table
    assert group_cycles(
        LatticeParameters(rows=8, columns=60), 58, steps=2, sweeps_per_step=1, thinned=0
    ) == (seeding + 3 * 122 + 8, 8)

"""The uniform source: published hash vectors, the period of a stream, the freshness of draws."""

import numpy as np
import pytest

from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_models.golden.noise import (
    seed_streams,
    step_streams,
    threefry2x64,
)

PERIOD = 2**128 - 1
# the factors of Fermat numbers F0 to F6: 2^128 - 1 = F0 F1 F2 F3 F4 F5 F6
PRIMES = (3, 5, 17, 257, 641, 65537, 274177, 6700417, 67280421310721)

# key, counter, output: Random123's kat_vectors for threefry2x64 with 20 rounds
ONES = 2**64 - 1
KNOWN = [
    ((0, 0), (0, 0), (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)),
    ((ONES, ONES), (ONES, ONES), (0xE02CB7C4D95D277A, 0xD06633D0893B8B68)),
    (
        (0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x243F6A8885A308D3, 0x13198A2E03707344),
        (0x263C7D30BB0F0AF1, 0x56BE8361D3311526),
    ),
]


@pytest.mark.parametrize(("key", "counter", "output"), KNOWN)
def test_threefry_gives_its_published_values(
    key: tuple[int, int], counter: tuple[int, int], output: tuple[int, int]
) -> None:
    x0, x1 = (np.array([word], dtype=np.uint64) for word in counter)
    assert tuple(int(word[0]) for word in threefry2x64(key, (x0, x1))) == output


def test_streams_are_seeded_by_seed_chain_and_lane() -> None:
    streams = seed_streams(0x0123456789ABCDEF, np.array([7, 0xFFFFFFFF], dtype=np.uint64), 4)
    assert streams.shape == (4, 4, 2)
    for lane in range(4):
        for place, chain in enumerate((7, 0xFFFFFFFF)):
            counter = (np.array([chain], dtype=np.uint64), np.array([lane], dtype=np.uint64))
            x0, x1 = (int(x[0]) for x in threefry2x64((0x0123456789ABCDEF, GRAPH_ENGINE), counter))
            expected = [x0 & 0xFFFFFFFF, x0 >> 32, x1 & 0xFFFFFFFF, x1 >> 32]
            assert streams[:, lane, place].tolist() == expected


def stepped(state: int) -> tuple[int, int]:
    """Output and next state of a stream whose 128 bits are ``s3 s2 s1 s0``."""
    words = [state >> shift & 0xFFFFFFFF for shift in (0, 32, 64, 96)]
    streams = np.array(words, dtype=np.uint32)[:, None]
    out = int(step_streams(streams)[0])
    return out, sum(int(word) << 32 * n for n, word in enumerate(streams[:, 0]))


STEP_COLUMNS = [stepped(1 << bit)[1] for bit in range(128)]
"""The step as a matrix over GF(2): image of every unit vector."""


def apply(columns: list[int], vector: int) -> int:
    image = 0
    while vector:
        low = vector & -vector
        image ^= columns[low.bit_length() - 1]
        vector ^= low
    return image


def product(a: list[int], b: list[int]) -> list[int]:
    return [apply(a, column) for column in b]


def rank(rows: list[int]) -> int:
    pivots: dict[int, int] = {}
    for vector in rows:
        row = vector
        while row and row.bit_length() in pivots:
            row ^= pivots[row.bit_length()]
        if row:
            pivots[row.bit_length()] = row
    return len(pivots)


def test_the_step_is_linear() -> None:
    random = np.random.default_rng(5)
    for _ in range(50):
        a, b = (int.from_bytes(random.bytes(16), "little") for _ in range(2))
        assert stepped(a ^ b)[1] == stepped(a)[1] ^ stepped(b)[1]
        assert apply(STEP_COLUMNS, a) == stepped(a)[1]


def test_the_period_is_2_to_the_128_minus_1() -> None:
    # T has order 2^128 - 1: T^(2^128 - 1) = 1 and T^((2^128 - 1) / p) != 1 for every prime p. The
    # prime 67280421310721 divides no 2^d - 1 with d < 128, so T's minimal polynomial has an
    # irreducible factor of degree 128: it is primitive, and every state but 0 lies on one cycle.
    left = PERIOD
    for prime in PRIMES:
        assert left % prime == 0
        left //= prime
    assert left == 1
    assert all(pow(2, d, PRIMES[-1]) != 1 for d in range(1, 128))

    squares = [STEP_COLUMNS]
    for _ in range(127):
        squares.append(product(squares[-1], squares[-1]))
    unit = [1 << bit for bit in range(128)]

    def power(exponent: int) -> list[int]:
        result = unit
        for bit in range(128):
            if exponent >> bit & 1:
                result = product(squares[bit], result)
        return result

    assert power(PERIOD) == unit
    assert all(power(PERIOD // prime) != unit for prime in PRIMES)


def outputs(state: int, draws: int) -> int:
    joined = 0
    for draw in range(draws):
        out, state = stepped(state)
        joined |= out << 32 * draw
    return joined


def test_four_draws_are_a_bijection_of_the_state() -> None:
    assert rank([outputs(1 << bit, 4) for bit in range(128)]) == 128


def test_a_source_that_shifts_one_bit_a_draw_fails_the_bijection() -> None:
    def shifted(state: int) -> int:
        joined = 0
        for draw in range(4):
            joined |= (state & 0xFFFFFFFF) << 32 * draw
            state = state >> 1 | (state & 1) << 127
        return joined

    assert rank([shifted(1 << bit) for bit in range(128)]) == 35

"""The Gaussian's law, computed from the tables, and what the streams of many units draw from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import chi2

from gibbsite_hw.spec.langevin_tables import (
    FRACTION_BITS,
    GAUSS_FRAC,
    INDEX_BITS,
    LANGEVIN_ENGINE,
    gaussian_code,
)
from gibbsite_models.exact.gauss import GaussLaw, Shape, cells, gauss_law
from gibbsite_models.golden import gauss as golden_gauss
from gibbsite_models.golden.gauss import shape_gaussian
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.noise import seed_streams, step_streams

DISTANCE = 2.0**-16
TAIL = 0.02
MOST = 8.0

Codes = NDArray[np.int64]
Float64 = NDArray[np.float64]
ONES = (1 << 64) - 1


@pytest.fixture(scope="module")
def law() -> GaussLaw:
    return gauss_law()


# --- the law, from the tables -------------------------------------------------------------------


def test_the_law_is_within_the_bounds(law: GaussLaw) -> None:
    assert law.distance <= DISTANCE
    assert law.tail_error(MOST) <= TAIL
    assert (law.x[0], law.x[-1]) == (-law.x[-1], pytest.approx(9.155, abs=1e-3))


def test_the_figures_of_the_page(law: GaussLaw) -> None:
    assert law.distance == pytest.approx(4.05e-6, abs=0.01e-6)
    assert law.tail_error(MOST) == pytest.approx(5.9e-5, abs=0.1e-5)
    assert law.variance - 1 == pytest.approx(1.7e-6, abs=0.1e-6)
    assert law.kurtosis - 3 == pytest.approx(-3.8e-6, abs=0.1e-6)


def test_the_law_is_symmetric_and_whole(law: GaussLaw) -> None:
    assert law.weight.sum() == pytest.approx(1, abs=1e-12)
    assert np.array_equal(law.x, -law.x[::-1])
    assert np.array_equal(law.weight, law.weight[::-1])
    assert np.array_equal(law.below, law.above[::-1])
    assert law.below[0] == law.above[-1] == 0
    # every cell of every octave has a value of its own, but for the ones that meet at a code
    assert len(law.x) > 0.99 * 2 * 47 * 2 ** (INDEX_BITS + FRACTION_BITS)


def cut_at_3_sigma(uniform: NDArray[np.uint64]) -> Codes:
    """The planted fault: a Gaussian that ends three standard deviations from 0."""
    return np.clip(shape_gaussian(uniform), -3 << GAUSS_FRAC, 3 << GAUSS_FRAC)


def with_tables(change: Callable[[Codes, Codes], tuple[Codes, Codes]]) -> Shape:
    """The golden shape with other tables."""

    def shape(uniform: NDArray[np.uint64]) -> Codes:
        with pytest.MonkeyPatch.context() as patch:
            tables = change(*golden_gauss._tables())
            patch.setattr(golden_gauss, "_tables", lambda: tables)
            return shape_gaussian(uniform)

    return shape


def wrong_octave(base: Codes, slope: Codes) -> tuple[Codes, Codes]:
    """The planted fault: the octave that begins near 3 sigma is taken from its neighbour."""
    at, size = 8 << INDEX_BITS, 1 << INDEX_BITS
    base = base.copy()
    base[at : at + size] = base[at + size : at + 2 * size]
    return base, slope


FAULTS: dict[str, tuple[Shape, str]] = {
    "cut at 3 sigma": (cut_at_3_sigma, "distance tail"),
    "slopes off by 1/64": (with_tables(lambda b, s: (b, s + (s >> 6))), "distance"),
    "no slopes": (with_tables(lambda b, s: (b, s * 0)), "distance"),
    "off by 2^-14 sigma": (with_tables(lambda b, s: (b + 2**10, s)), "distance"),
    "a wrong octave": (with_tables(wrong_octave), "distance tail"),
    "spread by 0.3 %": (with_tables(lambda b, s: (b + b // 333, s + s // 333)), "distance tail"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_tables_are_out_of_the_bounds(fault: str) -> None:
    shape, shows = FAULTS[fault]
    law = gauss_law(shape)
    assert law.distance > DISTANCE
    assert (law.tail_error(MOST) > TAIL) == ("tail" in shows)


@pytest.mark.parametrize("upper", [False, True])
def test_cells_are_all_uniforms_of_a_half_and_give_one_code_each(upper: bool) -> None:
    half = cells(upper)
    outwards = half.first if not upper else ~half.first
    inwards = half.last if not upper else ~half.last
    assert outwards[0] == 0
    assert np.array_equal(outwards[1:], inwards[:-1] + np.uint64(1))
    assert inwards[-1] == 2**63 - 1
    assert np.array_equal(inwards - outwards + np.uint64(1), half.count)
    codes = shape_gaussian(half.first)
    assert np.array_equal(codes, shape_gaussian(half.last))
    steps = np.diff(codes)
    assert (steps <= 0).all() if upper else (steps >= 0).all()  # the code grows with u


def edges() -> list[int]:
    """Uniforms at the edges: of octaves, of segments and places in some, of both halves."""
    found = {0, 1, 2, 3, 2**63 - 1}
    for octave in range(63):
        low = 1 << (62 - octave)
        found |= {low - 1, low, low + 1, 2 * low - 1}
        for bit in range(max(0, 62 - octave - 20), 62 - octave):
            found |= {low | 1 << bit, (low | 1 << bit) - 1}
    found |= {1 << 52, (1 << 53) - 1, (1 << 53) + 1, (1 << 54) - 1, (1 << 63) - 513}
    return [u for u in found if u < 1 << 63]


def test_forced_uniforms_give_the_defined_code_near_the_quantile() -> None:
    forced = edges()
    assert len(forced) > 2000
    for flip in (0, ONES):
        uniforms = [u ^ flip for u in forced]
        codes = shape_gaussian(np.array(uniforms, dtype=np.uint64))
        assert codes.tolist() == [gaussian_code(u) for u in uniforms]
        sign = -1 if flip else 1
        exact = sign * ndtri((np.array(forced, dtype=np.float64) + 0.5) / 2.0**64)
        # half a code, half a cell of 2^-16 octaves (at most 1 sigma long), and the chord's sag
        inside = np.array(forced) >= 1 << 20
        assert np.abs(codes / 2.0**GAUSS_FRAC - exact)[inside].max() < 2.0**-20 + 2.0**-16
        assert np.abs(codes / 2.0**GAUSS_FRAC - exact).max() < 0.05  # cells of one uniform or two


# --- what streams draw --------------------------------------------------------------------------

SIGMA = 5.0
"""Every figure is a sum of independent terms and within 5 of its standard deviations: some fifty
of them fail together once in 30,000 seeds; the seeds here are fixed."""


@dataclass(frozen=True)
class Draws:
    """``xi`` and ``dither``, ``[steps, units, chains]``."""

    xi: Float64
    dither: Codes


def drawn(
    steps: int, units: int, chains: int, seed: int, draw: Callable[..., tuple[Codes, Codes]]
) -> Draws:
    """Draws of the golden engine's streams, three words a step."""
    numbers = np.arange(chains, dtype=np.uint64)
    streams = seed_streams(seed, numbers, units, LANGEVIN_ENGINE)
    xi = np.empty((steps, units, chains))
    dither = np.empty((steps, units, chains), dtype=np.int64)
    for step in range(steps):
        codes, dither[step] = draw(None, streams)
        xi[step] = codes / 2.0**GAUSS_FRAC
    return Draws(xi, dither)


def figures(draws: Draws) -> Iterator[tuple[str, float]]:
    """Named figures, each of mean 0 and variance 1 for independent normal draws."""
    xi, dither = draws.xi, draws.dither / 256 - 255 / 512
    root = np.sqrt(xi.size)
    # E xi^k and the variance of xi^k, from the normal law's moments 1, 3, 15, 105
    for order, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        yield f"moment {order}", float((xi**order).mean() - mean) * root / np.sqrt(variance)
    for sigmas in (2.0, 3.0, 4.0, 4.5):
        rare = 2 * ndtr(-sigmas)
        if rare * xi.size > 50:  # so that the count is near normal
            seen = (np.abs(xi) > sigmas).mean()
            yield f"beyond {sigmas:g} sigma", float((seen - rare) * root / np.sqrt(rare))
    square = (xi**2 - 1) / np.sqrt(2)

    def product(name: str, a: Float64, b: Float64) -> tuple[str, float]:
        return name, float((a * b).sum() / np.sqrt(a.size))

    for lag in (1, 2, 3, 4, 5, 10, 100):
        yield product(f"lag {lag}", xi[lag:], xi[:-lag])
        yield product(f"squares at lag {lag}", square[lag:], square[:-lag])
    for name, axis in (("units", 1), ("chains", 2)):
        for shift in (0, 1, 2):  # the neighbour's draw in the same step and in later ones
            left = np.moveaxis(xi, axis, 1)[: len(xi) - shift, :-1]
            right = np.moveaxis(xi, axis, 1)[shift:, 1:]
            yield product(f"neighbouring {name}, {shift} later", left, right)
            squares = (left**2 - 1) * (right**2 - 1) / 2
            yield f"squares of {name}, {shift} later", float(squares.sum() / np.sqrt(left.size))
    spread = dither / np.sqrt((256**2 - 1) / 12 / 256**2)
    yield product("dither with xi", spread, xi)
    yield product("dither with the next xi", spread[:-1], xi[1:])
    yield product("dither at lag 1", spread[1:], spread[:-1])


def improbable(draws: Draws, bins: int) -> list[str]:
    """Names of what is further off than `SIGMA`, the chi-squares at the same probability."""
    found = [name for name, value in figures(draws) if abs(value) > SIGMA]
    counts = np.bincount(
        np.minimum((ndtr(draws.xi) * bins).astype(np.int64), bins - 1).ravel(), minlength=bins
    )
    bytes_ = np.bincount(draws.dither.ravel(), minlength=256)
    for name, seen in (("law of xi", counts), ("law of the dither", bytes_)):
        expected = draws.xi.size / seen.size
        assert expected > 50  # so that chi-square's own approximation holds
        statistic = float(((seen - expected) ** 2 / expected).sum())
        rare = 2 * ndtr(-SIGMA)
        if min(chi2.cdf(statistic, seen.size - 1), chi2.sf(statistic, seen.size - 1)) < rare / 2:
            found.append(name)
    return found


def test_streams_draw_independent_normal_variates() -> None:
    assert improbable(drawn(2500, 5, 8, 0x5EED, LangevinEngine.draw), 512) == []  # 10^5


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [1, 0xFEDCBA9876543210])
def test_ten_million_draws_are_independent_normal_variates(seed: int) -> None:
    assert improbable(drawn(10_000, 25, 40, seed, LangevinEngine.draw), 4096) == []


class Engines:
    """Planted faults of the draw: what must show in 10^5 draws."""

    @staticmethod
    def cut(engine: None, streams: NDArray[np.uint32]) -> tuple[Codes, Codes]:
        xi, dither = LangevinEngine.draw(engine, streams)
        return np.clip(xi, -3 << GAUSS_FRAC, 3 << GAUSS_FRAC), dither

    @staticmethod
    def one_stream(engine: None, streams: NDArray[np.uint32]) -> tuple[Codes, Codes]:
        streams[:, 1::2] = streams[:, 0::2][:, : streams[:, 1::2].shape[1]]
        return LangevinEngine.draw(engine, streams)

    @staticmethod
    def overlapping(engine: None, streams: NDArray[np.uint32]) -> tuple[Codes, Codes]:
        """The last words of a draw are the first of the next one, in the other order."""
        xi, dither = LangevinEngine.draw(engine, streams.copy())
        step_streams(streams)
        return xi, dither

    @staticmethod
    def dither_of_the_draw(engine: None, streams: NDArray[np.uint32]) -> tuple[Codes, Codes]:
        xi, _ = LangevinEngine.draw(engine, streams)
        return xi, np.abs(xi) >> 12 & 0xFF

    @staticmethod
    def narrow(engine: None, streams: NDArray[np.uint32]) -> tuple[Codes, Codes]:
        xi, dither = LangevinEngine.draw(engine, streams)
        return xi * 97 // 100, dither


@pytest.mark.parametrize(
    ("fault", "shows"),
    [
        (Engines.cut, "beyond 3 sigma"),
        (Engines.one_stream, "neighbouring units, 0 later"),
        (Engines.overlapping, "dither with the next xi"),
        (Engines.dither_of_the_draw, "law of the dither"),
        (Engines.narrow, "moment 2"),
    ],
)
def test_planted_faults_show(fault: Callable[..., tuple[Codes, Codes]], shows: str) -> None:
    assert shows in improbable(drawn(2500, 5, 8, 0x5EED, fault), 512)

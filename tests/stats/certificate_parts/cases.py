"""Models on which certificates are judged, each with draws that are worth about 10,000."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from gibbsite_models.pair_model import PairModel

NAMES = ("fields", "glass", "ring", "triangles", "potts")


@dataclass(frozen=True)
class Case:
    """A model, its beta, colours to update in turn, and draws that are worth about 10,000."""

    model: PairModel
    beta: float
    colours: tuple[np.ndarray, ...]
    draws: int
    thin: int
    exact: bool = True

    @property
    def cases(self) -> int:
        return int(self.model.values_of[0])


def torus(size: int, kind: str, seed: int, diagonal: bool = False) -> list[tuple[int, int, float]]:
    """Couplings of a periodic lattice, with one diagonal of each square where asked."""
    rng = np.random.default_rng(seed)
    steps = ((0, 1), (1, 0), (1, 1)) if diagonal else ((0, 1), (1, 0))
    found = []
    for y in range(size):
        for x in range(size):
            for dy, dx in steps:
                other = (y + dy) % size * size + (x + dx) % size
                weight = -1.0 if kind == "ferro" else rng.choice([-1.0, 1.0])
                found.append((*sorted((y * size + x, other)), weight))
    return found


def spins(pairs: list[tuple[int, int, float]], fields: np.ndarray) -> PairModel:
    low, high, weight = zip(*pairs, strict=True)
    return PairModel.of_spins(fields, np.array(low), np.array(high), np.array(weight))


def potts(size: int, cases: int) -> PairModel:
    """A ferromagnet of one-hot choices, with a field of its own on every case."""
    rng, low, high, weight = np.random.default_rng(6), [], [], []
    for a, b, _ in torus(size, "ferro", 1):
        for case in range(cases):
            low.append(a * cases + case)
            high.append(b * cases + case)
            weight.append(-1.0)
    count = size * size
    return PairModel(
        np.arange(count + 1) * cases,
        np.zeros(count, np.bool_),
        1.5 * rng.normal(size=count * cases),
        np.array(low),
        np.array(high),
        np.array(weight),
        0.0,
        np.ones(count, np.bool_),
    )


def striped(count: int, size: int, colours: int) -> tuple[np.ndarray, ...]:
    sites = np.arange(count)
    return tuple(
        np.flatnonzero((sites // size + sites % size) % colours == c) for c in range(colours)
    )


@cache
def case_of(name: str) -> Case:
    rng = np.random.default_rng(3)
    if name == "glass":
        return Case(spins(torus(8, "pm", 1), np.zeros(64)), 0.5, striped(64, 8, 2), 900, 4)
    if name == "fields":
        half = [(i, j, weight / 2) for i, j, weight in torus(8, "pm", 2)]
        fields = 1.5 * rng.choice([-1.0, 1.0], size=64)
        return Case(spins(half, fields), 1.2, striped(64, 8, 2), 360, 4)
    if name == "triangles":
        pairs = torus(6, "ferro", 1, diagonal=True)
        return Case(spins(pairs, 0.3 * rng.normal(size=36)), 0.18, striped(36, 6, 3), 430, 3)
    if name == "ring":
        ring = [(*sorted((k, (k + 1) % 16)), -1.0) for k in range(16)]
        return Case(spins(ring, np.zeros(16)), 1.2, striped(16, 16, 2), 800, 18)
    return Case(potts(6, 3), 0.8, striped(36, 6, 2), 380, 3, False)

"""A lattice program on a GPU: the arrays that its kernels look up, and how kernels are launched.

Twin: ``gibbsite_sim.fast.lattice_banded``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gibbsite_sim.fast.lattice_chains import LatticeModel
from gibbsite_sim.fast.lattice_sites import CASES, COUNTS, HELD, PAIRS, Sites, fields_of_cases

__all__ = ["CudaSites", "Sliced", "cuda_sites", "grid", "sliced", "to_host"]

THREADS = 128
"""Threads of a block where nothing else is said."""


@dataclass(frozen=True, slots=True)
class CudaSites:
    """What any program has, on the GPU and flat, sites in the order ``column * rows + row``.

    ``weight``, ``neighbour``  int32[sites * neighbours]
    ``bias``    int32[sites]
    ``held``    int8[sites]: the value of a clamped site, 0 elsewhere
    """

    rows: int
    columns: int
    words: int
    neighbours: int
    weight: Any
    neighbour: Any
    bias: Any
    held: Any

    @property
    def count(self) -> int:
        """Sites."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True)
class Sliced:
    """What a program that slices has besides.

    ``start``     int8[sites], here: 0 or 1 where a site is held, -1 elsewhere
    ``strength``  the one strength of all couplings if no free site has a bias or more than four
                  neighbours, and ``arguments`` are those of `one_strength_pass`; else None, and
                  those of `sliced_pass`
    ``cases``     fields and signs for `places_of_cases`; empty if no site needs them
    """

    start: NDArray[np.int8]
    strength: int | None
    arguments: tuple[Any, ...]
    cases: tuple[Any, ...] = ()


def cuda_sites(engine: LatticeModel) -> CudaSites:
    """The engine's program, sent to the GPU."""
    p = engine.parameters
    return CudaSites(
        p.rows,
        engine.columns,
        p.words,
        p.neighbours,
        *_sent(engine.weight, engine.neighbour, engine.bias, engine.held),
    )


def sliced(sites: Sites) -> Sliced:
    """The sites, sent to the GPU."""
    held = sites.kind == HELD
    start = np.where(held, (sites.on & np.uint64(1)).astype(np.int8), np.int8(-1))
    magnitude = np.abs(sites.weight[:, 0].astype(np.int32))
    few = sites.degree <= 4
    strengths = set(magnitude[~held & (sites.degree > 0)].tolist())
    counted = (sites.kind == PAIRS) | (sites.kind == COUNTS)
    if (held | (few & counted)).all() and len(strengths) <= 1:
        strength = strengths.pop() if strengths else 1
        return Sliced(start, strength, _sent(*_of_one_strength(sites, start)))
    # what up to four spins say is decided by cases, which cost less here than counts
    looks = np.zeros((len(held), 8), dtype=np.int32)
    looks[:, 0] = np.where(held, HELD, np.where(few, CASES, COUNTS))
    looks[:, 1], looks[:, 2], looks[:, 3] = magnitude, sites.negative, start == 1
    looks[:, 4:] = sites.neighbour[:, :4]
    looks[~few, 4] = sites.degree[~few]
    arguments = _sent(sites.neighbour, looks)
    if not (looks[:, 0] == CASES).any():
        return Sliced(start, None, arguments)
    fields, signs = fields_of_cases(sites.weight, sites.bias)
    return Sliced(start, None, arguments, _sent(fields.astype(np.int32), signs.astype(np.int32)))


def _of_one_strength(sites: Sites, start: NDArray[np.int8]) -> tuple[NDArray[np.int32], ...]:
    """Neighbours ``[sites, 4]`` and signs as `one_strength_pass` takes them.

    Missing neighbours are the site behind the last one, whose spins are 0 and turned or not: of an
    even number half of them, of an odd one half and one more, so that they add 0 or 1 in all.
    """
    missing = np.arange(4) >= sites.degree[:, None]
    nth = np.cumsum(missing, axis=1) - 1
    turned = np.where(missing, nth % 2 == 0, sites.negative[:, None] >> np.arange(4) & 1)
    neighbour = np.where(missing, len(start), sites.neighbour[:, :4]).astype(np.int32)
    signs = (turned << np.arange(4)).sum(axis=1) | (start >= 0) << 4 | (start == 1) << 5
    return neighbour, (signs | (sites.degree & 1) << 6).astype(np.int32)


def _sent(*parts: NDArray[Any]) -> tuple[Any, ...]:
    return tuple(cuda.to_device(np.ascontiguousarray(part).ravel()) for part in parts)


def grid(count: int, others: int = 1, threads: int = THREADS) -> tuple[tuple[int, int], int]:
    """Blocks and threads of a kernel: a thread for each of ``count``, and that ``others`` times."""
    size = min(threads, count)
    return (-(-count // size), others), size


def to_host(array: Any) -> NDArray[Any]:
    """A copy of the array, here."""
    copy: NDArray[Any] = array.copy_to_host()
    return copy

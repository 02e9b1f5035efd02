"""Raw words of the noise sources, as fast as a battery eats them.

    for block in words(SOURCES["graph-lanes"], seed): pipe.write(block)

A source is some streams of one engine, seeded as a device seeds them, and an order in which their
words are written: step by step (all streams once, as the hardware steps them) or in turn (some
thousand words of a stream, then the next chain's: what a program that restarts often draws).

Twin: ``gibbsite_models.golden.noise.step_streams``, ``golden.lattice_noise.step_lattice_streams``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE
from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_models.golden.lattice_noise import seed_lattice_streams
from gibbsite_models.golden.noise import seed_streams
from gibbsite_sim.fast.compiled import compiled

__all__ = ["SOURCES", "Source", "words"]

BLOCK: Final = 1 << 19
"""Words of a block, of the engine's own width."""

IN_TURN: Final = 1024
"""Words of a stream before the next chain's begins."""


@dataclass(frozen=True, slots=True)
class Source:
    """``streams`` streams from ``chains`` chains of an engine, and how their words are written."""

    engine: str
    what: str
    chains: int = 1
    streams: int = 1
    in_turn: bool = False
    """Chains follow one another for ever, `IN_TURN` words of each stream."""
    low_field: bool = False
    """The low 16 bits alone of each 64-bit word: the uniforms of one lane."""


SOURCES: Final = {
    "graph-stream": Source("graph", "one stream"),
    "graph-lanes": Source("graph", "64 lanes of a chain, step by step", streams=64),
    "graph-chains": Source("graph", "lane 0 of 64 chains, step by step", chains=64),
    "graph-restarts": Source("graph", "lane 0, 1,024 words of each chain", in_turn=True),
    "langevin-units": Source("langevin", "64 units of a chain, step by step", streams=64),
    "lattice-stream": Source("lattice", "one stream, low half first"),
    "lattice-lane": Source("lattice", "16-bit uniforms of one lane", low_field=True),
    "lattice-streams": Source("lattice", "16 streams (64 lanes), step by step", streams=16),
    "lattice-chains": Source("lattice", "stream 0 of 64 chains, step by step", chains=64),
    "lattice-restarts": Source("lattice", "stream 0, 1,024 words of each chain", in_turn=True),
}


def words(source: Source, seed: int) -> Iterator[NDArray[Any]]:
    """Blocks of raw words without end; their bytes are what a battery reads, low byte first.

    A block is good until the next one is asked for, which may be written over it.
    """
    first = 0
    chains = BLOCK // IN_TURN if source.in_turn else source.chains
    states = _seeded(source, seed, first, chains)
    lattice = source.engine == "lattice"
    steps = IN_TURN if source.in_turn else BLOCK // len(states[0])
    drawn = np.empty((steps, len(states[0])), dtype=states.dtype)
    while True:
        (_lattice_words if lattice else _graph_words)(states, drawn)
        block = drawn.T if source.in_turn else drawn
        if source.low_field:
            block = block.astype(np.uint16)
        yield np.ascontiguousarray(block)
        if source.in_turn:
            first += chains
            states = _seeded(source, seed, first, chains)


def _seeded(source: Source, seed: int, first: int, chains: int) -> NDArray[Any]:
    """First states ``[words, chains * streams]``, the streams of a chain side by side."""
    numbers = (np.arange(first, first + chains) & 0xFFFF_FFFF).astype(np.uint64)
    if source.engine == "lattice":
        return np.ascontiguousarray(
            seed_lattice_streams(seed, numbers, source.streams).reshape(2, -1)
        )
    key = {"graph": GRAPH_ENGINE, "langevin": LANGEVIN_ENGINE}[source.engine]
    states = seed_streams(seed, numbers, source.streams, key)  # [4, lanes, chains]
    return np.ascontiguousarray(states.transpose(0, 2, 1).reshape(4, -1))


@compiled
def _graph_words(states: NDArray[np.uint32], drawn: NDArray[np.uint32]) -> None:
    """Step every stream ``drawn.shape[0]`` times; row t of ``drawn`` has the words of step t.

    numba makes 64 bits of what is shifted, so shifts are cut to a word each time.
    """
    left, right, shift = np.uint32(11), np.uint32(21), np.uint32(9)
    for i in range(states.shape[1]):
        s0, s1, s2, s3 = states[0, i], states[1, i], states[2, i], states[3, i]
        for t in range(drawn.shape[0]):
            drawn[t, i] = s0
            shifted = np.uint32(s1 << shift)
            s2 ^= s0
            s3 ^= s1
            s1 ^= s2
            s0 ^= s3
            s2 ^= shifted
            s3 = np.uint32(s3 << left | s3 >> right)
        states[0, i], states[1, i], states[2, i], states[3, i] = s0, s1, s2, s3


@compiled
def _lattice_words(states: NDArray[np.uint64], drawn: NDArray[np.uint64]) -> None:
    """The same for the lattice's streams of 64-bit words."""
    for i in range(states.shape[1]):
        s0, s1 = states[0, i], states[1, i]
        for t in range(drawn.shape[0]):
            drawn[t, i] = s0
            x = s0 ^ s1
            s0 = (s0 << np.uint64(24) | s0 >> np.uint64(40)) ^ x ^ x << np.uint64(16)
            s1 = x << np.uint64(37) | x >> np.uint64(27)
        states[0, i], states[1, i] = s0, s1

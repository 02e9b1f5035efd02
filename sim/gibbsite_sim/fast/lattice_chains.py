"""A block of chains of a lattice program in either form, and what compiled loops do with it.

Twin: ``gibbsite_models.golden.lattice.LatticeChains``.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast import lattice_bits, lattice_sliced, lattice_wide
from gibbsite_sim.fast.lattice_noise import slice_words
from gibbsite_sim.fast.lattice_sites import CASES, Sites

__all__ = ["LatticeModel", "SlicedChains", "WideChains"]

Ints = NDArray[np.int32]
Int64 = NDArray[np.int64]


class LatticeModel(Protocol):
    """What chains ask of their engine; sites are in the order ``column * rows + row``."""

    parameters: LatticeParameters
    columns: int
    weight: Ints
    neighbour: Ints
    bias: Ints
    held: NDArray[np.int8]


class SlicedChains:
    """Chains as bits of machine words."""

    def __init__(self, engine: LatticeModel, sites: Sites, words: NDArray[np.uint64]) -> None:
        self._engine, self._sites = engine, sites
        self._count = words.shape[1]
        width = -(-self._count // 64)
        streams = engine.parameters.streams
        self._spins = np.zeros((len(sites.kind), width), dtype=np.uint64)
        self._streams = np.zeros((2, streams, 64 * width), dtype=np.uint64)
        few = bool((sites.kind == CASES).any())
        self._room = (
            np.zeros((4, 64 * width), dtype=np.uint64),
            np.zeros((16, width), dtype=np.uint64),
            np.zeros((16, width), dtype=np.uint64),
            np.zeros((4, width), dtype=np.uint64),
            np.zeros((3, 16), dtype=np.int32),
            np.zeros((len(sites.kind) if few else 1, 16), dtype=np.int32),
            np.zeros(len(sites.kind) if few else 1, dtype=np.int32),
            np.array([0, 0xFFFF_FFFF_FFFF_FFFF], dtype=np.uint64),
        )
        for half in range(2):
            slice_words(np.ascontiguousarray(words[half]), self._streams[half], width)

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep."""
        if given is None:
            given = np.full(len(self._sites.kind), -1, dtype=np.int8)
        rows = self._engine.parameters.rows
        lattice_sliced.start_sliced(
            self._spins,
            self._streams,
            rows,
            self._sites.kind,
            self._sites.on,
            given,
            self._room[0],
        )

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        s = self._sites
        lattice_sliced.sliced_sweeps(
            sweeps,
            self._spins,
            self._streams,
            self._engine.parameters.rows,
            s.kind,
            s.degree,
            s.neighbour,
            s.weight,
            s.negative,
            s.bias,
            s.on,
            table,
            *self._room,
        )

    def energies(self) -> Int64:
        """Exact energies."""
        wide = np.empty((self._spins.shape[0], 64 * self._spins.shape[1]), dtype=np.int8)
        lattice_bits.widen(self._spins, wide)
        return _energies(self._engine, wide)[: self._count]

    def states(self) -> UInt32:
        """States in words."""
        p = self._engine.parameters
        states = np.empty((self._count, self._engine.columns * p.words), dtype=np.uint32)
        lattice_bits.sliced_states(self._spins, p.rows, states)
        return states


class WideChains:
    """Chains as numbers side by side."""

    def __init__(self, engine: LatticeModel, words: NDArray[np.uint64]) -> None:
        self._engine = engine
        self._streams = np.ascontiguousarray(words.transpose(0, 2, 1))
        self._spins = np.zeros((len(engine.bias), words.shape[1]), dtype=np.int8)

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep."""
        if given is None:
            given = np.full(self._spins.shape[0], -1, dtype=np.int8)
        self.start_each(np.broadcast_to(given[:, None], self._spins.shape))

    def start_each(self, given: NDArray[np.int8]) -> None:
        """The start sweep with a state of its own for every chain, ``[sites, chains]``."""
        rows, held = self._engine.parameters.rows, self._engine.held
        given = np.ascontiguousarray(given)
        lattice_wide.start_wide(self._spins, self._streams, rows, held, given)

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        self.sweep_each(sweeps, table[None], np.zeros(self._spins.shape[1], dtype=np.int32))

    def sweep_each(self, sweeps: int, tables: Ints, beta: Ints) -> None:
        """So many sweeps, every chain by the table that ``beta`` gives it."""
        e = self._engine
        lattice_wide.wide_sweeps(
            sweeps,
            self._spins,
            self._streams,
            e.parameters.rows,
            e.weight,
            e.neighbour,
            e.bias,
            e.held,
            tables,
            beta,
        )

    def energies(self) -> Int64:
        """Exact energies."""
        return _energies(self._engine, self._spins)

    def states(self) -> UInt32:
        """States in words."""
        p = self._engine.parameters
        shape = (self._spins.shape[1], self._engine.columns * p.words)
        states = np.empty(shape, dtype=np.uint32)
        lattice_bits.wide_states(self._spins, p.rows, states)
        return states


def _energies(engine: LatticeModel, spins: NDArray[np.int8]) -> Int64:
    energies = np.empty(spins.shape[1], dtype=np.int64)
    lattice_wide.wide_energies(
        spins, engine.parameters.rows, engine.weight, engine.neighbour, engine.bias, energies
    )
    return energies

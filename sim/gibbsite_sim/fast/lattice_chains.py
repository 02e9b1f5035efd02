"""A block of chains of a lattice program in either form, and what compiled loops do with it.

Twin: ``gibbsite_models.golden.lattice.LatticeChains``.
"""

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_models.golden.noise import UInt32, UInt64
from gibbsite_sim.fast import lattice_bits, lattice_sliced, lattice_wide
from gibbsite_sim.fast.lattice_banded import BandedSites
from gibbsite_sim.fast.lattice_energy import CODE_BITS, COUNTER, sliced_energies
from gibbsite_sim.fast.lattice_forms import Int64, Ints
from gibbsite_sim.fast.lattice_noise import slice_words
from gibbsite_sim.fast.lattice_order import wave
from gibbsite_sim.fast.lattice_vectors import PANEL, WORDS

__all__ = ["LatticeModel", "SlicedChains", "WideChains"]

WAVE = 2
"""Sweeps whose passes follow each other through the bands: more of them do not fit the caches."""

ROOM = 256
"""Vectors that passes work in: a stream's state, and the one that follows."""


class LatticeModel(Protocol):
    """What chains ask of their engine; sites are in the order ``column * rows + row``."""

    parameters: LatticeParameters
    columns: int
    weight: Ints
    neighbour: Ints
    bias: Ints
    held: NDArray[np.int8]


class SlicedChains:
    """Chains as bits of vectors, panels of 512 one after the other."""

    def __init__(self, sites: BandedSites, words: UInt64) -> None:
        self._sites = sites
        self._count = words.shape[1]
        panels = -(-self._count // PANEL)
        self._spins = _vectors(panels, len(sites.kind) * WORDS)
        self._streams = _vectors(panels, 2, words.shape[2], PANEL)
        self._room = _vectors(ROOM * WORDS)
        self._masks = np.array([0, 0xFFFF_FFFF_FFFF_FFFF], dtype=np.uint64)
        for panel, first in enumerate(range(0, self._count, PANEL)):
            for half in range(2):
                some = np.ascontiguousarray(words[half, first : first + PANEL])
                slice_words(some, self._streams[panel, half])

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep."""
        s = self._sites
        each = np.full(len(s.kind), -1, dtype=np.int8)
        if given is not None:
            each[s.place] = given
        for spins, streams in zip(self._spins, self._streams, strict=True):
            lattice_sliced.start_sliced(
                s.columns, s.rows, spins, streams, s.kind, s.on, each, self._room
            )

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        together = min(sweeps, WAVE)
        for spins, streams in zip(self._spins, self._streams, strict=True):
            self._waves(spins, streams, sweeps // together, together, table)
            if sweeps % together:
                self._waves(spins, streams, 1, sweeps % together, table)

    def _waves(self, spins: UInt64, streams: UInt64, times: int, sweeps: int, table: Ints) -> None:
        """``times`` times so many sweeps of one panel."""
        s = self._sites
        lattice_sliced.sliced_sweeps(
            times,
            wave(streams.shape[1], s.apart, sweeps),
            s.columns,
            s.rows,
            spins,
            streams,
            s.kind,
            s.degree,
            s.strength,
            s.negative,
            s.neighbour,
            s.fields,
            s.signs,
            s.on,
            table,
            self._room,
            self._masks,
        )

    def energies(self) -> Int64:
        """Exact energies."""
        s = self._sites
        energies = np.empty((len(self._spins), PANEL), dtype=np.int64)
        counters = _vectors(CODE_BITS * COUNTER * WORDS)
        held = np.zeros(CODE_BITS, dtype=np.int32)
        for spins, sums in zip(self._spins, energies, strict=True):
            sliced_energies(
                s.columns,
                s.rows,
                spins,
                s.degree,
                s.weight,
                s.bias,
                s.neighbour,
                counters,
                held,
                self._masks,
                sums,
            )
        return energies.ravel()[: self._count]

    def states(self) -> UInt32:
        """States in words."""
        s = self._sites
        words = -(-s.rows // 32)
        states = np.empty((self._count, s.columns * words), dtype=np.uint32)
        for panel, spins in enumerate(self._spins):
            some = states[panel * PANEL : (panel + 1) * PANEL]
            lattice_bits.sliced_states(spins.reshape(-1, WORDS), s.place, s.rows, some)
        return states


def _vectors(*shape: int) -> UInt64:
    """Zeros that begin at a whole vector: one that straddles two lines of the cache costs two."""
    words = math.prod(shape)
    room = np.zeros(words + WORDS, dtype=np.uint64)
    first = -(room.ctypes.data // 8) % WORDS
    return room[first : first + words].reshape(shape)


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

    def start_from(self, states: UInt32) -> None:
        """The start sweep from ``states uint32[chains, columns * words]``."""
        given = np.empty_like(self._spins)
        lattice_bits.given_bits(states, self._engine.parameters.rows, given)
        self.start_each(given)

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
            np.empty(len(beta), dtype=np.int32),
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

"""The compiled lattice engine: the golden one's draws, to the bit, of many chains at once.

A block of chains is run sliced, 64 chains a machine word, if the program allows it
(`lattice_sites`), and wide otherwise (`lattice_wide`).

Twin: ``gibbsite_models.golden.lattice``.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_tables import thresholds
from gibbsite_models.golden.lattice import LatticeDraws, LatticeEngine, unpack_columns
from gibbsite_models.golden.lattice_noise import seed_lattice_streams
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast import lattice_bits, lattice_sliced, lattice_wide
from gibbsite_sim.fast.lattice_noise import slice_words
from gibbsite_sim.fast.lattice_sites import Sites, sort_sites

__all__ = ["FastLatticeEngine"]

BLOCK_CHAINS = 2048
"""Chains of a block: 32 machine words, four vectors of 512 bits."""

BLOCK_BYTES = 256 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

SLICE_FLIPS = 2e8
"""Decisions of one call of compiled code, some tenth of a second: then signals are heard."""

Ints = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Chains(Protocol):
    """A block of chains, in either form."""

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        ...

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        ...

    def energies(self) -> Int64:
        """Exact energies."""
        ...

    def states(self) -> UInt32:
        """States in words."""
        ...


class FastLatticeEngine(LatticeEngine):
    """One loaded program; see `gibbsite_models.golden.lattice.LatticeEngine`."""

    def __init__(self, parameters: LatticeParameters, couplings: NDArray[np.int8]) -> None:
        super().__init__(parameters, couplings)
        count = parameters.neighbours
        sites = parameters.rows * self.columns
        column, row = np.indices((self.columns, parameters.rows))
        place = [
            (column + dc) % self.columns * parameters.rows + (row + dr) % parameters.rows
            for dr, dc in parameters.offsets
        ]
        self.neighbour = np.stack(place).reshape(count, sites).T.astype(np.int32)
        self.weight = couplings.reshape(sites, count).astype(np.int32)
        self._sorted: Sites | None = None

    def condition(self, conditions: LatticeConditions) -> None:
        """Take over biases and clamps."""
        super().condition(conditions)
        self.bias = self._biases.T.ravel().astype(np.int32)
        held = self._on.astype(np.int8) - self._off.astype(np.int8)
        self.held = np.ascontiguousarray(held.T).ravel()
        self._sorted = sort_sites(
            self._couplings,
            self._biases,
            self._on.astype(np.bool_),
            self._off.astype(np.bool_),
            self.parameters.offsets,
        )

    def run(self, request: LatticeRequest) -> Iterator[LatticeDraws]:
        """All draws, block of chains by block; a block is whole groups of banks."""
        block = self._block(request)
        for begin in range(0, request.chains, block):
            count = min(block, request.chains - begin)
            yield self._drawn(request, begin, count)

    def _drawn(self, request: LatticeRequest, begin: int, count: int) -> LatticeDraws:
        """Draws of a block."""
        numbers = (request.first_chain + begin + np.arange(count)) % (1 << 32)
        chains = self.chains(request.seed, numbers)
        best = _Best(chains) if request.best else None
        chains.start(None if request.state is None else self._given(request.state))
        if best is not None:
            best.begin()
        for beta_code in request.betas:
            self._sweep(chains, best, request.sweeps_per_step, beta_code)
        last = request.betas[-1] if len(request.betas) else 0
        width = self.columns * self.parameters.words
        energies = np.zeros((count, request.draws), dtype=np.int64)
        states = np.zeros((count, request.draws, width * request.samples), dtype=np.uint32)
        best_energies = np.zeros((count, request.draws), dtype=np.int64)
        best_states = np.zeros((count, request.draws, width * request.best), dtype=np.uint32)
        for draw in range(request.draws):
            if draw:
                self._sweep(chains, best, request.thin, last)
            energies[:, draw] = chains.energies()
            if request.samples:
                states[:, draw] = chains.states()
            if best is not None:
                best_energies[:, draw], best_states[:, draw] = best.energies, best.states
        return LatticeDraws(energies, states, best_energies, best_states)

    def chains(self, seed: int, numbers: NDArray[np.int64]) -> Chains:
        """Fresh chains of these numbers, in the form that the program allows."""
        words = seed_lattice_streams(seed, numbers.astype(np.uint64), self.parameters.streams)
        if self._sorted is None:
            return WideChains(self, words)
        return SlicedChains(self, self._sorted, words)

    def table(self, beta_code: int) -> Ints:
        """T(m) for m = 0..field_max."""
        return np.array(thresholds(beta_code, self.parameters.field_max), dtype=np.int32)

    def _sweep(self, chains: Chains, best: "_Best | None", sweeps: int, beta_code: int) -> None:
        table = self.table(beta_code)
        flips = self.parameters.rows * self.columns * BLOCK_CHAINS
        at_once = 1 if best is not None else max(1, int(SLICE_FLIPS / flips))
        for done in range(0, sweeps, at_once):
            chains.sweep(min(at_once, sweeps - done), table)
            if best is not None:
                best.compare()

    def _given(self, state: Sequence[int]) -> NDArray[np.int8]:
        bits = unpack_columns(np.array(state, dtype=np.uint32), self.parameters.rows)
        return np.ascontiguousarray(bits.T).ravel().astype(np.int8)

    def _block(self, request: LatticeRequest) -> int:
        """Chains that fit together, in whole groups of banks; one group at least."""
        sites = self.parameters.rows * self.columns
        state = 4 * self.columns * self.parameters.words + 16
        chain = 2 * sites + 2 * state * request.draws * (request.samples + request.best + 1)
        banks = self.parameters.banks
        fitting: int = min(BLOCK_CHAINS, BLOCK_BYTES // chain)
        return max(banks, fitting // banks * banks)


class SlicedChains:
    """Chains as bits of machine words."""

    def __init__(self, engine: FastLatticeEngine, sites: Sites, words: NDArray[np.uint64]) -> None:
        self._engine, self._sites = engine, sites
        self._count = words.shape[1]
        width = -(-self._count // 64)
        streams = engine.parameters.streams
        self._spins = np.zeros((len(sites.kind), width), dtype=np.uint64)
        self._streams = np.zeros((2, streams, 64 * width), dtype=np.uint64)
        self._room = (
            np.zeros((4, 64 * width), dtype=np.uint64),
            np.zeros((16, width), dtype=np.uint64),
            np.zeros((16, width), dtype=np.uint64),
            np.zeros((4, width), dtype=np.uint64),
            np.zeros((3, 16), dtype=np.int32),
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

    def __init__(self, engine: FastLatticeEngine, words: NDArray[np.uint64]) -> None:
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


class _Best:
    """The best state of every chain: of equals the first."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains

    def begin(self) -> None:
        """The state after the start sweep."""
        self.energies, self.states = self._chains.energies(), self._chains.states()

    def compare(self) -> None:
        """The state after a sweep, where it is lower."""
        energies = self._chains.energies()
        lower = energies < self.energies
        if lower.any():
            self.energies = np.where(lower, energies, self.energies)
            self.states = np.where(lower[:, None], self._chains.states(), self.states)


def _energies(engine: FastLatticeEngine, spins: NDArray[np.int8]) -> Int64:
    energies = np.empty(spins.shape[1], dtype=np.int64)
    lattice_wide.wide_energies(spins, engine.weight, engine.neighbour, engine.bias, energies)
    return energies

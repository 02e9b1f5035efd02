"""The compiled lattice engine: the golden one's draws, to the bit, of many chains at once.

A block of chains is run sliced, 512 chains a vector, if the program allows it
(`lattice_sites`), and wide otherwise (`lattice_wide`).

Twin: ``gibbsite_models.golden.lattice``.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_tables import thresholds
from gibbsite_models.golden.lattice import LatticeDraws, LatticeEngine, unpack_columns
from gibbsite_models.golden.lattice_noise import seed_lattice_streams
from gibbsite_models.golden.noise import UInt64
from gibbsite_sim.fast.host import Host, silent
from gibbsite_sim.fast.lattice_banded import BandedSites, by_bands
from gibbsite_sim.fast.lattice_forms import Best, Chains, CopiedBest, Int64, Ints, Replicas
from gibbsite_sim.fast.lattice_sites import Sites, sort_sites
from gibbsite_sim.fast.workers import Workers

__all__ = ["FastLatticeEngine"]

BLOCK_CHAINS = 2048
"""Chains of a block, four panels."""

PANEL_CHAINS = 512
"""Chains that are swept together, and take as long as one of them."""

BLOCK_BYTES = 256 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

SLICE_FLIPS = 2e8
"""Decisions of one call of compiled code, some tenth of a second: then signals are heard."""

REPLICA_FLIPS = 2e7
"""The same of replicas, which are run chain by chain."""

LEAST_PART, MOST_PART = 32, 64
"""Replicas that a thread takes at once: a vector of spins takes as long as a part of one."""


class FastLatticeEngine(LatticeEngine):
    """One loaded program; see `gibbsite_models.golden.lattice.LatticeEngine`."""

    host: ClassVar[Host] = Host(Workers(), silent)
    most_chains: ClassVar[int] = BLOCK_CHAINS
    slice_flips: ClassVar[float] = SLICE_FLIPS
    replica_flips: ClassVar[float] = REPLICA_FLIPS

    @classmethod
    def on(cls, host: Host) -> "type[FastLatticeEngine]":
        """The engine of a stream, as a shell takes it."""
        return type(cls.__name__, (cls,), {"host": host})

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
        self._banded: BandedSites | None = None
        self._tables: tuple[bytes, Ints] | None = None

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
        self._banded = None

    def run(self, request: LatticeRequest) -> Iterator[LatticeDraws]:
        """All draws, block of chains by block; a block is whole groups of banks."""
        with self.guarded():
            block = self._block(request)
        begins = range(0, request.chains, block)
        threads = self.host.workers.threads
        for first in range(0, len(begins), threads):
            found: dict[int, LatticeDraws] = {}
            jobs = [
                partial(self._work, request, begin, min(block, request.chains - begin), found)
                for begin in begins[first : first + threads]
            ]
            with self.host.compiling("lattice"), self.guarded():
                self.host.workers.run(jobs)
            yield from (found[begin] for begin in begins[first : first + threads])

    def _work(
        self, request: LatticeRequest, begin: int, count: int, found: dict[int, LatticeDraws]
    ) -> Iterator[None]:
        """Draw a block; yields after every slice of compiled code."""
        numbers = (request.first_chain + begin + np.arange(count)) % (1 << 32)
        chains = self.chains(request.seed, numbers)
        best = self._keeper(chains) if request.best else None
        chains.start(None if request.state is None else self._given(request.state))
        if best is not None:
            best.begin()
        for beta_code in request.betas:
            yield from self._sweep(chains, count, best, request.sweeps_per_step, beta_code)
        last = request.betas[-1] if len(request.betas) else 0
        width = self.columns * self.parameters.words
        energies = np.zeros((count, request.draws), dtype=np.int64)
        states = np.zeros((count, request.draws, width * request.samples), dtype=np.uint32)
        best_energies = np.zeros((count, request.draws), dtype=np.int64)
        best_states = np.zeros((count, request.draws, width * request.best), dtype=np.uint32)
        for draw in range(request.draws):
            if draw:
                yield from self._sweep(chains, count, best, request.thin, last)
            energies[:, draw] = chains.energies()
            best_energies[:, draw] = energies[:, draw] if best is None else best.energies
            if request.samples:
                states[:, draw] = chains.states()
            if best is not None:
                best_states[:, draw] = best.states
        found[begin] = LatticeDraws(energies, states, best_energies, best_states)

    def chains(self, seed: int, numbers: NDArray[np.int64]) -> Chains:
        """Fresh chains of these numbers, in the form that the program allows."""
        words = seed_lattice_streams(seed, numbers.astype(np.uint64), self.parameters.streams)
        return self._chains(words)

    def replicas(self, seed: int, numbers: NDArray[np.int64]) -> Replicas:
        """Fresh chains of these numbers, each with a state and a beta of its own."""
        words = seed_lattice_streams(seed, numbers.astype(np.uint64), self.parameters.streams)
        return self._side_by_side(words)

    def at_once(self, flips: float, chains: int) -> int:
        """Sweeps of so many chains that make so many flips, or one."""
        return max(1, int(flips / (self.parameters.rows * self.columns * chains)))

    def guarded(self) -> AbstractContextManager[None]:
        """Around work whose errors are not ours."""
        return nullcontext()

    def parts(self, replicas: int) -> list[slice]:
        """Replicas as threads share them: whole vectors, and enough of them for all threads."""
        share = min(MOST_PART, replicas // self.host.workers.threads)
        size = max(LEAST_PART, share // LEAST_PART * LEAST_PART)
        return [slice(first, min(first + size, replicas)) for first in range(0, replicas, size)]

    def _side_by_side(self, words: UInt64) -> Replicas:
        from gibbsite_sim.fast.lattice_chains import WideChains

        return WideChains(self, words)

    def _chains(self, words: UInt64) -> Chains:
        # late: a device that never draws compiles nothing and needs no compiler
        from gibbsite_sim.fast.lattice_chains import SlicedChains

        if self._sorted is None:
            return self._side_by_side(words)
        if self._banded is None:  # several threads may come here at once, and find the same
            p = self.parameters
            self._banded = by_bands(self._sorted, p.rows, p.offsets)
        return SlicedChains(self._banded, words)

    def _keeper(self, chains: Chains) -> Best:
        """Who keeps the best of these chains."""
        return CopiedBest(chains)

    def table(self, beta_code: int) -> Ints:
        """T(m) for m = 0..field_max."""
        return np.array(thresholds(beta_code, self.parameters.field_max), dtype=np.int32)

    def tables(self, codes: Int64) -> Ints:
        """``[beta, m]``: the same for several betas, kept for as long as they are asked for."""
        key = codes.tobytes()
        if self._tables is None or self._tables[0] != key:
            self._tables = key, np.stack([self.table(int(code)) for code in codes])
        return self._tables[1]

    def _sweep(
        self, chains: Chains, count: int, best: Best | None, sweeps: int, beta_code: int
    ) -> Iterator[None]:
        table = self.table(beta_code)
        panels = -(-count // PANEL_CHAINS) * PANEL_CHAINS
        at_once = 1 if best is not None else self.at_once(self.slice_flips, panels)
        for done in range(0, sweeps, at_once):
            chains.sweep(min(at_once, sweeps - done), table)
            if best is not None:
                best.compare()
            yield

    def _given(self, state: Sequence[int]) -> NDArray[np.int8]:
        bits = unpack_columns(np.array(state, dtype=np.uint32), self.parameters.rows)
        return np.ascontiguousarray(bits.T).ravel().astype(np.int8)

    def _block(self, request: LatticeRequest) -> int:
        """Chains that fit together, in whole groups of banks; one group at least.

        Threads get equal shares, in whole panels.
        """
        state = 4 * self.columns * self.parameters.words + 16
        chain = self._chain_bytes() + 2 * state * request.draws * (
            request.samples + request.best + 1
        )
        banks = self.parameters.banks
        share = -(-request.chains // self.host.workers.threads)
        fitting: int = min(
            self.most_chains,
            self._room() // chain,
            -(-share // PANEL_CHAINS) * PANEL_CHAINS,
        )
        return max(banks, fitting // banks * banks)

    def _room(self) -> int:
        """Memory that the chains of a block may take."""
        return BLOCK_BYTES

    def _chain_bytes(self) -> int:
        """Memory of a chain's spins: a bit each, or a byte and another while energies are found."""
        sites: int = self.parameters.rows * self.columns
        return 2 * sites if self._sorted is None else sites // 8

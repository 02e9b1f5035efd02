"""A block of sliced chains of a lattice program on a GPU, and the best state of each.

Spins and streams stay on the GPU from the start of a block to its last draw; energies and states
are found there too, and only they come back.

Twin: ``gibbsite_sim.fast.lattice_chains``.
"""

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast.lattice_cuda_reads import (
    keep_lower,
    lower_words,
    sliced_energies,
    sliced_states,
)
from gibbsite_sim.fast.lattice_cuda_sites import CudaSites, Sliced, grid, to_host
from gibbsite_sim.fast.lattice_cuda_sliced import (
    PLACES,
    TEAM,
    places_of_cases,
    sliced_pass,
    start_pass,
)
from gibbsite_sim.fast.lattice_cuda_streams import BLOCK_WORDS, PLANES, slice_words
from gibbsite_sim.fast.lattice_cuda_strength import one_strength_pass
from gibbsite_sim.fast.lattice_forms import Int64, Ints

__all__ = ["CudaBest", "SlicedCuda"]

WARP = 32
"""Threads of a block of passes of one strength: few fit, since each has some 200 registers, and
small blocks leave the fewest registers unused."""


class SlicedCuda:
    """Chains as bits of 32-bit words; ``words uint32[streams, 4, chains]`` are their streams'."""

    def __init__(self, sites: CudaSites, program: Sliced, words: UInt32) -> None:
        self._sites, self._program = sites, program
        streams, _, self.count = words.shape
        self.width = -(-self.count // 32)
        room = -(-self.width // BLOCK_WORDS) * BLOCK_WORDS * streams * PLANES
        self._passes = grid(self.width, streams, WARP)
        self._places: tuple[bytes, Any] | None = None
        self._streams = cuda.device_array(room, dtype=np.uint32)
        # one site more than there are: that of neighbours that a site has not
        self.spins = cuda.device_array((sites.count + 1) * self.width, dtype=np.uint32)
        self.spins[sites.count * self.width :].copy_to_device(np.zeros(self.width, np.uint32))
        slice_words[self._passes](cuda.to_device(words), self._streams)

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        s, held = self._sites, self._program.start
        on_gpu = cuda.to_device(held if given is None else np.where(held < 0, given, held))
        for colour in range(2):
            start_pass[self._passes](
                self.spins, self._streams, self.width, s.rows, s.columns, colour, on_gpu
            )

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        s, program = self._sites, self._program
        sizes = (self.spins, self._streams, self.width, s.rows, s.columns)
        if program.strength is not None:
            thresholds = [_bits(int(table[k * program.strength])) for k in (1, 2, 3, 4)]
            for colour in [0, 1] * sweeps:
                one_strength_pass[self._passes](*sizes, colour, *thresholds, *program.arguments)
        else:
            on_gpu = cuda.to_device(table)
            tables = self._places_at(table, on_gpu), on_gpu
            team = grid(self.width, self._passes[0][1], TEAM)
            for colour in [0, 1] * sweeps:
                sliced_pass[team](*sizes, colour, s.neighbours, *program.arguments, *tables)
        cuda.synchronize()

    def _places_at(self, table: Ints, on_gpu: Any) -> Any:
        """What cases of all sites look up at this beta; one where there are none."""
        if not self._program.cases:
            return cuda.device_array(1, dtype=np.uint16)
        fields, signs = self._program.cases
        key = table.tobytes()
        if self._places is None or self._places[0] != key:
            places = cuda.device_array(signs.shape[0] * PLACES, dtype=np.uint16)
            places_of_cases[grid(signs.shape[0])](fields, signs, on_gpu, places)
            self._places = key, places
        return self._places[1]

    def energies(self) -> Int64:
        """Exact energies."""
        return to_host(self.energies_there())

    def energies_there(self) -> Any:
        """The same, ``int64[chains]`` on the GPU."""
        s = self._sites
        energies = cuda.to_device(np.zeros(self.count, dtype=np.int64))
        sliced_energies[grid(self.count, s.columns)](
            self.spins,
            self.count,
            self.width,
            s.rows,
            s.neighbours,
            s.weight,
            s.neighbour,
            s.bias,
            energies,
        )
        return energies

    def states(self) -> UInt32:
        """States in words."""
        return self.states_of(self.spins)

    def states_of(self, spins: Any) -> UInt32:
        """The same of these spins."""
        s = self._sites
        states = cuda.device_array((self.count, s.columns * s.words), dtype=np.uint32)
        sliced_states[grid(self.count, states.shape[1])](
            spins, self.count, self.width, s.rows, states
        )
        return to_host(states)


def _bits(threshold: int) -> tuple[np.uint32, ...]:
    """All ones for a set bit of sixteen, bit 0 first."""
    return tuple(np.uint32(0xFFFF_FFFF if threshold >> k & 1 else 0) for k in range(16))


class CudaBest:
    """The best state of every sliced chain, kept on the GPU: of equals the first."""

    def __init__(self, chains: SlicedCuda) -> None:
        self._chains = chains

    def begin(self) -> None:
        """The state after the start sweep."""
        self._energies = self._chains.energies_there()
        self._spins = cuda.device_array_like(self._chains.spins)
        self._spins.copy_to_device(self._chains.spins)

    def compare(self) -> None:
        """The state after a sweep, where it is lower."""
        c = self._chains
        lower = cuda.device_array(c.width, dtype=np.uint32)
        now = c.energies_there()
        lower_words[grid(c.width)](now, self._energies, c.count, lower)
        keep_lower[grid(c.spins.shape[0])](c.spins, self._spins, c.width, lower)

    @property
    def energies(self) -> Int64:
        """The lowest energies."""
        return to_host(self._energies)

    @property
    def states(self) -> UInt32:
        """States of these energies."""
        return self._chains.states_of(self._spins)

"""Replicas of a lattice program on a GPU: chains as numbers, one a thread.

Any program, and betas and states of their own.

Twin: ``WideChains`` of ``gibbsite_sim.fast.lattice_chains``.
"""

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gibbsite_models.golden.noise import UInt32, UInt64
from gibbsite_sim.fast.lattice_bits import given_bits, wide_states
from gibbsite_sim.fast.lattice_cuda_sites import CudaSites, grid, to_host
from gibbsite_sim.fast.lattice_cuda_wide import wide_energies, wide_pass
from gibbsite_sim.fast.lattice_forms import Int64, Ints

__all__ = ["WideCuda"]


class WideCuda:
    """Chains as numbers, one a thread: any program, and betas of their own."""

    def __init__(self, sites: CudaSites, words: UInt64) -> None:
        self._sites = sites
        self._count = words.shape[1]
        self._streams = cuda.to_device(np.ascontiguousarray(words.transpose(0, 2, 1)))
        self._spins = cuda.to_device(np.zeros(sites.count * self._count, dtype=np.int8))
        self._nothing = cuda.to_device(np.full(1, -1, dtype=np.int8))

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        shape = (self._sites.count, self._count)
        each = np.full(self._sites.count, -1, dtype=np.int8) if given is None else given
        self._start(np.broadcast_to(each[:, None], shape))

    def start_from(self, states: UInt32) -> None:
        """The start sweep from ``states uint32[chains, columns * words]``."""
        given = np.empty((self._sites.count, self._count), dtype=np.int8)
        given_bits(states, self._sites.rows, given)
        self._start(given)

    def _start(self, given: NDArray[np.int8]) -> None:
        tables = np.zeros((1, 1), dtype=np.int32)
        on_gpu = cuda.to_device(np.ascontiguousarray(given).ravel())
        self._sweeps(1, True, on_gpu, tables, np.zeros(self._count, dtype=np.int32))

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        self.sweep_each(sweeps, table[None], np.zeros(self._count, dtype=np.int32))

    def sweep_each(self, sweeps: int, tables: Ints, beta: Ints) -> None:
        """So many sweeps, every chain by the table that ``beta`` gives it."""
        self._sweeps(sweeps, False, self._nothing, tables, beta)

    def _sweeps(self, sweeps: int, toss: bool, given: Any, tables: Ints, beta: Ints) -> None:
        s = self._sites
        fields = tables.shape[1]
        on_gpu, which = cuda.to_device(tables.ravel()), cuda.to_device(beta)
        for _ in range(sweeps):
            for colour in range(2):
                wide_pass[grid(self._count, self._streams.shape[1])](
                    self._spins,
                    self._streams,
                    self._count,
                    s.rows,
                    s.columns,
                    colour,
                    toss,
                    given,
                    s.neighbours,
                    s.weight,
                    s.neighbour,
                    s.bias,
                    s.held,
                    fields,
                    on_gpu,
                    which,
                )
        cuda.synchronize()

    def energies(self) -> Int64:
        """Exact energies."""
        s = self._sites
        energies = cuda.to_device(np.zeros(self._count, dtype=np.int64))
        wide_energies[grid(self._count, s.columns)](
            self._spins,
            self._count,
            s.rows,
            s.neighbours,
            s.weight,
            s.neighbour,
            s.bias,
            energies,
        )
        return to_host(energies)

    def states(self) -> UInt32:
        """States in words."""
        s = self._sites
        states = np.empty((self._count, s.columns * s.words), dtype=np.uint32)
        wide_states(to_host(self._spins).reshape(s.count, self._count), s.rows, states)
        return states

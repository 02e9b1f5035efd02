"""The lattice engine on a CUDA GPU: `fast:?engines=lattice&target=cuda`, golden's bits.

Spins and streams stay on the GPU from the start of a block to its last draw; draws come back as
spins and are packed and weighed by the functions of the CPU's emulator.

Twin: ``gibbsite_sim.fast.lattice``.
"""

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gibbsite_models.golden.noise import UInt32, UInt64
from gibbsite_sim.fast import lattice_bits, lattice_wide
from gibbsite_sim.fast.lattice import Chains, FastLatticeEngine, Replicas
from gibbsite_sim.fast.lattice_chains import Int64, Ints, LatticeModel
from gibbsite_sim.fast.lattice_cuda_loops import sliced_pass, wide_pass
from gibbsite_sim.fast.lattice_sites import Sites

__all__ = ["CudaLatticeEngine", "cuda_present"]

THREADS = 128
"""Threads of a block."""


def cuda_present() -> bool:
    """Whether numba finds a GPU and what it needs to compile for it (or simulates one)."""
    return bool(cuda.is_available())


class CudaLatticeEngine(FastLatticeEngine):
    """One loaded program; its chains are the GPU's."""

    def _side_by_side(self, words: UInt64) -> Replicas:
        return WideCuda(self, words)

    def parts(self, replicas: int) -> list[slice]:
        """All replicas at once: the GPU shares them among its threads."""
        return [slice(0, replicas)]

    def _chains(self, words: UInt64) -> Chains:
        if self._sorted is None:
            return self._side_by_side(words)
        return SlicedCuda(self, self._sorted, words)

    def _chain_bytes(self) -> int:
        sites: int = self.parameters.rows * self.columns
        return 2 * sites  # energies are found in whole bytes


class SlicedCuda:
    """Chains as bits of 32-bit words, one word a thread."""

    def __init__(self, engine: LatticeModel, sites: Sites, words: UInt64) -> None:
        self._engine = engine
        self._count = words.shape[1]
        self._width = 2 * -(-self._count // 64)  # whole 64-bit words, as the CPU's functions read
        self._spins = cuda.to_device(np.zeros((len(sites.kind), self._width), dtype=np.uint32))
        self._streams = cuda.to_device(_planes(words, self._width))
        self._sites = [
            cuda.to_device(np.ascontiguousarray(part))
            for part in (
                sites.kind,
                sites.degree,
                sites.neighbour,
                sites.weight.astype(np.int32),
                sites.negative.astype(np.int32),
                sites.bias.astype(np.int32),
                (sites.on & np.uint64(0xFFFF_FFFF)).astype(np.uint32),
            )
        ]
        self._nothing = np.full(len(sites.kind), -1, dtype=np.int8)

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        self._sweep(True, self._nothing if given is None else given, np.zeros(1, dtype=np.int32))

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        on_gpu = cuda.to_device(table)
        for _ in range(sweeps):
            self._sweep(False, self._nothing, on_gpu)
        cuda.synchronize()

    def _sweep(self, toss: bool, given: NDArray[np.int8], table: Ints) -> None:
        p = self._engine.parameters
        grid = (-(-self._width // THREADS), p.streams)
        threads = min(THREADS, self._width)
        for colour in range(2):
            sliced_pass[grid, (threads, 1)](
                self._spins, self._streams, p.rows, colour, toss, given, *self._sites, table
            )

    def energies(self) -> Int64:
        """Exact energies."""
        spins = self._host_spins()
        wide = np.empty((spins.shape[0], 64 * spins.shape[1]), dtype=np.int8)
        lattice_bits.widen(spins, wide)
        return _energies(self._engine, wide)[: self._count]

    def states(self) -> UInt32:
        """States in words."""
        p = self._engine.parameters
        states = np.empty((self._count, self._engine.columns * p.words), dtype=np.uint32)
        place = np.arange(len(self._nothing), dtype=np.int32)
        lattice_bits.sliced_states(self._host_spins(), place, p.rows, states)
        return states

    def _host_spins(self) -> UInt64:
        """``uint64[sites, width / 2]``: two words of the GPU are one of the CPU's."""
        return np.ascontiguousarray(self._spins.copy_to_host()).view("<u8")


class WideCuda:
    """Chains as numbers, one a thread: any program, and betas of their own."""

    def __init__(self, engine: LatticeModel, words: UInt64) -> None:
        self._engine = engine
        self._count = words.shape[1]
        self._streams = cuda.to_device(np.ascontiguousarray(words.transpose(0, 2, 1)))
        self._spins = cuda.to_device(np.zeros((len(engine.bias), self._count), dtype=np.int8))
        parts = (engine.weight, engine.neighbour, engine.bias, engine.held)
        self._sites = [cuda.to_device(np.ascontiguousarray(part)) for part in parts]
        self._nothing = np.full((1, 1), -1, dtype=np.int8)

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        shape = (len(self._engine.bias), self._count)
        each = np.full(len(self._engine.bias), -1, dtype=np.int8) if given is None else given
        self._start(np.ascontiguousarray(np.broadcast_to(each[:, None], shape)))

    def start_from(self, states: UInt32) -> None:
        """The start sweep from ``states uint32[chains, columns * words]``."""
        given = np.empty((len(self._engine.bias), self._count), dtype=np.int8)
        lattice_bits.given_bits(states, self._engine.parameters.rows, given)
        self._start(given)

    def _start(self, given: NDArray[np.int8]) -> None:
        tables = np.zeros((1, 1), dtype=np.int32)
        self._sweep(True, given, tables, np.zeros(self._count, dtype=np.int32))

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        self.sweep_each(sweeps, table[None], np.zeros(self._count, dtype=np.int32))

    def sweep_each(self, sweeps: int, tables: Ints, beta: Ints) -> None:
        """So many sweeps, every chain by the table that ``beta`` gives it."""
        on_gpu, which = cuda.to_device(tables), cuda.to_device(beta)
        for _ in range(sweeps):
            self._sweep(False, self._nothing, on_gpu, which)
        cuda.synchronize()

    def _sweep(self, toss: bool, given: NDArray[np.int8], tables: Ints, beta: Ints) -> None:
        p = self._engine.parameters
        grid, threads = (-(-self._count // THREADS), p.streams), min(THREADS, self._count)
        for colour in range(2):
            wide_pass[grid, (threads, 1)](
                self._spins, self._streams, p.rows, colour, toss, given, *self._sites, tables, beta
            )

    def energies(self) -> Int64:
        """Exact energies."""
        return _energies(self._engine, np.ascontiguousarray(self._spins.copy_to_host()))

    def states(self) -> UInt32:
        """States in words."""
        p = self._engine.parameters
        states = np.empty((self._count, self._engine.columns * p.words), dtype=np.uint32)
        lattice_bits.wide_states(np.ascontiguousarray(self._spins.copy_to_host()), p.rows, states)
        return states


def _planes(words: UInt64, width: int) -> UInt32:
    """Planes ``uint32[2, 64, streams, width]`` of words ``uint64[2, chains, streams]``."""
    halves, chains, streams = words.shape
    padded = np.zeros((halves, 32 * width, streams), dtype="<u8")
    padded[:, :chains] = words
    octets = padded[..., None].view(np.uint8)  # [halves, chains, streams, 8]
    bits = np.unpackbits(octets, axis=-1, bitorder="little")  # [halves, chains, streams, 64]
    packed = np.packbits(bits.transpose(0, 3, 2, 1), axis=-1, bitorder="little")
    return np.ascontiguousarray(packed).view("<u4").astype(np.uint32)


def _energies(engine: LatticeModel, spins: NDArray[np.int8]) -> Int64:
    energies = np.empty(spins.shape[1], dtype=np.int64)
    lattice_wide.wide_energies(
        spins, engine.parameters.rows, engine.weight, engine.neighbour, engine.bias, energies
    )
    return energies

"""The lattice engine on a CUDA GPU: `fast:?engines=lattice&target=cuda`, golden's bits.

Twin: ``gibbsite_sim.fast.lattice``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numba import config, cuda
from numba.cuda.cudadrv.driver import CudaAPIError
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions
from gibbsite_hw.spec.lattice_tables import LATTICE_ENGINE
from gibbsite_models.golden.noise import UInt64
from gibbsite_sim.fast.host import Host
from gibbsite_sim.fast.lattice import FastLatticeEngine
from gibbsite_sim.fast.lattice_cuda_chains import CudaBest, SlicedCuda
from gibbsite_sim.fast.lattice_cuda_replicas import WideCuda
from gibbsite_sim.fast.lattice_cuda_sites import CudaSites, Sliced, cuda_sites, sliced
from gibbsite_sim.fast.lattice_forms import Best, Chains, CopiedBest, Replicas
from gibbsite_sim.fast.noise import seed_streams
from gibbsite_sim.fast.workers import Workers

__all__ = ["CudaLatticeEngine", "cuda_present"]

MOST_LAUNCHES = 2000
"""Launches of one call: small ones take some 30 us each, and then signals are heard."""

BLOCK_BYTES = 2 << 30
"""Memory that the chains of one block may take on the GPU, draws that wait to be read included."""

# numba warns whoever starts few threads; how many there are is what a run asks for
vars(config)["CUDA_LOW_OCCUPANCY_WARNINGS"] = 0


def cuda_present() -> bool:
    """Whether numba finds a GPU and what it needs to compile for it (or simulates one)."""
    return bool(cuda.is_available())


class CudaLatticeEngine(FastLatticeEngine):
    """One loaded program; its chains are the GPU's.

    A block is larger than one of the processor's: a GPU has work for all of it from some 100,000
    chains of 64 x 64 on. One thread of the host gives it work, however many the device has.
    """

    most_chains: ClassVar[int] = 1 << 20
    slice_flips: ClassVar[float] = 1e11
    replica_flips: ClassVar[float] = 5e9

    @classmethod
    def on(cls, host: Host) -> type[FastLatticeEngine]:
        """The engine of a stream, as a shell takes it."""
        return super().on(replace(host, workers=Workers()))

    def __init__(self, parameters: LatticeParameters, couplings: NDArray[np.int8]) -> None:
        super().__init__(parameters, couplings)
        self._sites: CudaSites | None = None
        self._sliced: Sliced | None = None

    def condition(self, conditions: LatticeConditions) -> None:
        """Take over biases and clamps."""
        super().condition(conditions)
        self._sites = self._sliced = None

    def chains(self, seed: int, numbers: NDArray[np.int64]) -> Chains:
        """Fresh chains of these numbers, in the form that the program allows."""
        if self._sorted is None:
            return self.replicas(seed, numbers)
        if self._sliced is None:
            self._sliced = sliced(self._sorted)
        words = np.empty((self.parameters.streams, 4, len(numbers)), dtype=np.uint32)
        key = np.array([seed], dtype=np.uint64), np.array([LATTICE_ENGINE], dtype=np.uint64)
        seed_streams(*key, numbers.astype(np.uint64), words)
        return SlicedCuda(self._program(), self._sliced, words)

    def parts(self, replicas: int) -> list[slice]:
        """As many replicas at once as fit: the GPU shares them among its threads."""
        size = max(1, min(self.most_chains, self._room() // self._wide_bytes()))
        return [slice(first, min(first + size, replicas)) for first in range(0, replicas, size)]

    def at_once(self, flips: float, chains: int) -> int:
        """The same, and no more than `MOST_LAUNCHES` allows."""
        most = flips if self._sorted is not None else min(flips, self.replica_flips)
        return min(MOST_LAUNCHES // 2, super().at_once(most, chains))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Around work on the GPU. Raises `DeviceError` where it refuses."""
        try:
            yield
        except CudaAPIError as error:
            raise DeviceError(
                f"the GPU refused the run ({error}); {_memory()}: ask for fewer chains, end what "
                "else uses it, or leave target=cuda out to run the same program, with the same "
                "bits, on this machine's processor"
            ) from error

    def _side_by_side(self, words: UInt64) -> Replicas:
        return WideCuda(self._program(), words)

    def _keeper(self, chains: Chains) -> Best:
        return CudaBest(chains) if isinstance(chains, SlicedCuda) else CopiedBest(chains)

    def _program(self) -> CudaSites:
        if self._sites is None:
            self._sites = cuda_sites(self)
        return self._sites

    def _room(self) -> int:
        """Half of what is free on the GPU, and no more than `BLOCK_BYTES`."""
        free, _ = cuda.current_context().get_memory_info()
        return int(min(BLOCK_BYTES, free / 2))

    def _chain_bytes(self) -> int:
        """Memory of a chain: its spins and its best ones, its streams and their words."""
        if self._sorted is None:
            return self._wide_bytes()
        sites: int = self.parameters.rows * self.columns
        return 2 * sites // 8 + 32 * self.parameters.streams

    def _wide_bytes(self) -> int:
        """The same of a chain as numbers: its spins and those that it starts from, its streams."""
        sites: int = self.parameters.rows * self.columns
        return 2 * sites + 16 * self.parameters.streams


def _memory() -> str:
    """How much the GPU has left, if it still says so."""
    try:
        free, total = (number / 2**20 for number in cuda.current_context().get_memory_info())
    except CudaAPIError:
        return "it does not say how much memory is free"
    return f"{free:.0f} of {total:.0f} MiB are free"

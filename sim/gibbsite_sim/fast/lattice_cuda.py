"""The lattice engine on a CUDA GPU: `fast:?engines=lattice&target=cuda`, golden's bits.

Twin: ``gibbsite_sim.fast.lattice``.
"""

from typing import ClassVar

import numpy as np
from numba import config, cuda
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions
from gibbsite_hw.spec.lattice_tables import LATTICE_ENGINE
from gibbsite_models.golden.noise import UInt64
from gibbsite_sim.fast.lattice import FastLatticeEngine
from gibbsite_sim.fast.lattice_cuda_chains import CudaBest, SlicedCuda
from gibbsite_sim.fast.lattice_cuda_replicas import WideCuda
from gibbsite_sim.fast.lattice_cuda_sites import CudaSites, Sliced, cuda_sites, sliced
from gibbsite_sim.fast.lattice_forms import Best, Chains, CopiedBest, Replicas
from gibbsite_sim.fast.noise import seed_streams

__all__ = ["CudaLatticeEngine", "cuda_present"]

# numba warns whoever starts few threads; how many there are is what a run asks for
vars(config)["CUDA_LOW_OCCUPANCY_WARNINGS"] = 0


def cuda_present() -> bool:
    """Whether numba finds a GPU and what it needs to compile for it (or simulates one)."""
    return bool(cuda.is_available())


class CudaLatticeEngine(FastLatticeEngine):
    """One loaded program; its chains are the GPU's.

    A block is larger than one of the processor's: a GPU has work for all of it from some 100,000
    chains of 64 x 64 on.
    """

    most_chains: ClassVar[int] = 1 << 20
    most_bytes: ClassVar[int] = 2 << 30
    slice_flips: ClassVar[float] = 1e11

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
        """All replicas at once: the GPU shares them among its threads."""
        return [slice(0, replicas)]

    def _side_by_side(self, words: UInt64) -> Replicas:
        return WideCuda(self._program(), words)

    def _keeper(self, chains: Chains) -> Best:
        return CudaBest(chains) if isinstance(chains, SlicedCuda) else CopiedBest(chains)

    def _program(self) -> CudaSites:
        if self._sites is None:
            self._sites = cuda_sites(self)
        return self._sites

    def _chain_bytes(self) -> int:
        """Memory of a chain's spins, and of its best ones: a bit each, or a byte."""
        sites: int = self.parameters.rows * self.columns
        return 2 * sites if self._sorted is None else 2 * sites // 8

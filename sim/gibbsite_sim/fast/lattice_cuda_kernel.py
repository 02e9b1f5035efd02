"""A CUDA kernel whose threads have no more registers than it is given, so that more warps fit.

A multiprocessor has 65,536: 200 a thread leave room for ten warps, 168 for twelve.
"""

from collections.abc import Callable
from typing import Any

from numba import config, cuda

__all__ = ["kernel_of"]


def kernel_of(registers: int) -> Callable[[Callable[..., None]], Any]:
    """`cuda.jit` with this limit; numba's simulator has no registers to count."""
    limits = {} if vars(config)["ENABLE_CUDASIM"] else {"max_registers": registers}
    made: Callable[[Callable[..., None]], Any] = cuda.jit(**limits)
    return made

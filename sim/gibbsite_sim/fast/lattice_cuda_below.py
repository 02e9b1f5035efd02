"""Uniforms of 32 chains below thresholds, bit plane by bit plane from the lowest.

Planes ``first`` to ``first + 15`` are the uniforms', in registers; ``first`` must be a constant
once loops are written out.

Twin: ``gibbsite_sim.fast.lattice_below``, and `choose` of ``lattice_vectors``.
"""

from typing import Any

from numba import cuda, uint32

__all__ = ["below", "below2", "choose", "majority", "mask"]


@cuda.jit(device=True)
def mask(bits: Any, k: int) -> Any:
    """All ones where bit k is set."""
    return uint32(0xFFFFFFFF) if (bits >> k) & 1 else uint32(0)


@cuda.jit(device=True)
def choose(where: Any, yes: Any, no: Any) -> Any:
    """``yes`` where a bit of ``where`` is set, else ``no``."""
    return (where & yes) | (~where & no)


@cuda.jit(device=True)
def majority(a: Any, b: Any, c: Any) -> Any:
    """Bits that two of the three have, in the form of which the assembler makes one operation."""
    return c ^ ((a ^ c) & (b ^ c))


@cuda.jit(device=True)
def below(planes: Any, first: int, a: Any) -> Any:
    """The chains whose uniform is below the threshold."""
    x = uint32(0)
    for k in range(16):
        x = majority(x, ~planes[first + k], mask(a, k))
    return x


@cuda.jit(device=True)
def below2(planes: Any, first: int, a: Any, b: Any) -> Any:
    """The same for two thresholds, each given as sixteen masks."""
    x, y = uint32(0), uint32(0)
    for k in range(16):
        v = ~planes[first + k]
        x = majority(x, v, a[k])
        y = majority(y, v, b[k])
    return x, y

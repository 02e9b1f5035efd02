"""Uniforms of 512 chains below thresholds, bit plane by bit plane from the lowest:

    u < T:   lt = T_k ? lt | ~u_k : lt & ~u_k,   which is the majority of lt, ~u_k and T_k

A uniform's sixteen planes are vectors ``first`` to ``first + 15`` of a stream's planes. ``masks``
are no ones and all ones: read, not computed, since a compiler that knows what they can be makes
branches of them.
"""

from gibbsite_sim.fast.compiled import inlined
from gibbsite_sim.fast.lattice_vectors import Vector, Words, load, majority, spread

__all__ = ["below", "below2", "below4", "mask"]

UNIFORM_BITS = 16


@inlined
def mask(bits: int, k: int, masks: Words) -> Vector:
    """All ones where bit k is set."""
    return spread(masks[bits >> k & 1])


@inlined
def below(planes: Words, first: int, a: int, masks: Words) -> Vector:
    """The chains whose uniform is below the threshold."""
    lt = spread(masks[0])
    for k in range(UNIFORM_BITS):
        lt = majority(lt, ~load(planes, first + k), mask(a, k, masks))
    return lt


@inlined
def below2(planes: Words, first: int, a: int, b: int, masks: Words) -> tuple[Vector, Vector]:
    """The same for two thresholds."""
    x = y = spread(masks[0])
    for k in range(UNIFORM_BITS):
        v = ~load(planes, first + k)
        x = majority(x, v, mask(a, k, masks))
        y = majority(y, v, mask(b, k, masks))
    return x, y


@inlined
def below4(
    planes: Words, first: int, a: int, b: int, c: int, d: int, masks: Words
) -> tuple[Vector, Vector, Vector, Vector]:
    """The same for four thresholds."""
    x = y = z = t = spread(masks[0])
    for k in range(UNIFORM_BITS):
        v = ~load(planes, first + k)
        x = majority(x, v, mask(a, k, masks))
        y = majority(y, v, mask(b, k, masks))
        z = majority(z, v, mask(c, k, masks))
        t = majority(t, v, mask(d, k, masks))
    return x, y, z, t

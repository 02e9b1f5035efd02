"""Arithmetic of the Langevin engine on rows of chains, integer for integer that of golden.

Each function works on one unit of all chains of a tile: rows ``int64[LANES]`` that do not overlap.
``counted`` takes one for every value that saturates.

Source: docs/langevin-engine.md. Twin: `gibbsite_models.golden.langevin_arithmetic`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    DITHER_BITS,
    FORCE_MAX,
    NOISE_LIFT,
    OPERAND_FRAC,
    OPERAND_SHIFT,
    STATE_MAX,
    STRENGTH_FRAC,
)
from gibbsite_sim.fast.langevin_machine import inlined, whole_vectors

__all__ = [
    "add_energy",
    "add_heat",
    "add_term",
    "add_to",
    "copy",
    "cubes",
    "force",
    "glide",
    "gradient",
    "limit",
    "move",
    "operands",
    "products",
]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
W = np.int32

_CUBE_HALF = 1 << OPERAND_FRAC - 1
_STRENGTH_HALF = 1 << STRENGTH_FRAC - 1
_OPERAND_HALF = 1 << OPERAND_SHIFT - 1


@inlined
def copy(row: NDArray[Any], out: NDArray[Any]) -> None:
    """``out = row``."""
    for lane in range(row.shape[0]):
        out[lane] = row[lane]


@inlined
def add_to(total: Int64, value: int) -> None:
    """``total += value``."""
    for lane in range(total.shape[0]):
        total[lane] += value


@inlined
def operands(z: Int32, x: Int32) -> None:
    """``x = rs(z, OPERAND_SHIFT)``."""
    whole_vectors()
    for lane in range(z.shape[0]):
        x[lane] = W(z[lane] + W(_OPERAND_HALF)) >> W(OPERAND_SHIFT)


@inlined
def products(coefficient: int, x: Int32, out: Int64) -> None:
    """``coefficient x``."""
    whole_vectors()
    for lane in range(x.shape[0]):
        out[lane] = coefficient * x[lane]


@inlined
def cubes(coefficient: int, x: Int32, out: Int64) -> None:
    """``coefficient x^3``, the cube an operand again."""
    whole_vectors()
    for lane in range(x.shape[0]):
        one = np.int64(x[lane])
        square = (one * one + _CUBE_HALF) >> OPERAND_FRAC
        out[lane] = coefficient * ((square * one + _CUBE_HALF) >> OPERAND_FRAC)


@inlined
def force(sums: Int64, shift: int, out: Int64, counted: Int64) -> None:
    """``sat(rs(sums, shift), FORCE_MAX)``."""
    whole_vectors()
    half = (1 << shift) >> 1
    for lane in range(sums.shape[0]):
        value = (sums[lane] + half) >> shift
        near = min(max(value, -FORCE_MAX), FORCE_MAX)
        counted[lane] += value != near
        out[lane] = near


@inlined
def add_term(strength: int, h: Int64, total: Int64) -> None:
    """``total += strength h``."""
    whole_vectors()
    for lane in range(h.shape[0]):
        total[lane] += strength * h[lane]


@inlined
def gradient(total: Int64, out: Int64, counted: Int64, times: int) -> None:
    """``sat(rs(total, STRENGTH_FRAC), FORCE_MAX)``; what is clipped counts ``times``."""
    whole_vectors()
    for lane in range(total.shape[0]):
        value = (total[lane] + _STRENGTH_HALF) >> STRENGTH_FRAC
        near = min(max(value, -FORCE_MAX), FORCE_MAX)
        counted[lane] += times * (value != near)
        out[lane] = near


@inlined
def add_energy(h: Int64, x: Int32, shift: int, energy: Int64) -> None:
    """``energy += rs(h x, shift)``."""
    whole_vectors()
    half = (1 << shift) >> 1
    for lane in range(x.shape[0]):
        energy[lane] += (h[lane] * x[lane] + half) >> shift


@inlined
def add_heat(kept: Int64, now: Int64, z: Int32, before: Int32, heat: Int64) -> None:
    """``heat -= rs(rs(kept + now, 5) rs(z - before, 4), 12)``."""
    whole_vectors()
    for lane in range(kept.shape[0]):
        mean = (kept[lane] + now[lane] + 16) >> 5
        moved = (np.int64(z[lane]) - np.int64(before[lane]) + 8) >> 4
        heat[lane] -= (mean * moved + 2048) >> 12


@inlined
def move(
    drift: tuple[int, int],
    spread: tuple[int, int],
    gradients: Int64,
    xi: Int32,
    dither: Int32,
    z: Int32,
    change: Int32,
    counted: Int64,
) -> None:
    """``z' = sat((z 2^8 - drift gradient + spread xi + dither) >> 8)`` in place.

    ``drift`` and ``spread`` are mantissa and shift; ``change`` becomes that of the operand.
    """
    whole_vectors()
    rate, down = drift
    lift, down_noise = spread
    half, half_noise = (1 << down) >> 1, (1 << down_noise) >> 1
    for lane in range(z.shape[0]):
        old = z[lane]
        drifted = (rate * gradients[lane] + half) >> down
        noise = (((lift * xi[lane]) << NOISE_LIFT) + half_noise) >> down_noise
        total = (np.int64(old) << DITHER_BITS) - drifted + noise + dither[lane]
        value = total >> DITHER_BITS
        near = min(max(value, -STATE_MAX), STATE_MAX)
        counted[lane] += value != near
        new = W(near)
        z[lane] = new
        after = W(W(new + W(_OPERAND_HALF)) >> W(OPERAND_SHIFT))
        change[lane] = after - W(W(old + W(_OPERAND_HALF)) >> W(OPERAND_SHIFT))


@inlined
def glide(
    quadratic: tuple[int, int, int],
    coupling: tuple[int, int],
    constant: int,
    more: bool,
    drift: tuple[int, int],
    spread: tuple[int, int],
    sums: Int64,
    others: Int64,
    xi: Int32,
    dither: Int32,
    z: Int32,
    change: Int32,
    counted: Int64,
) -> None:
    """Quadratic and coupling force, gradient and `move` in one.

    ``quadratic`` is coefficient, shift and strength, ``coupling`` shift and strength; ``others``,
    if there are ``more``, the sum of the other terms. The gradient counts twice.
    """
    whole_vectors()
    coefficient, down0, strength0 = quadratic
    down3, strength3 = coupling
    rate, down = drift
    lift, down_noise = spread
    half0, half3 = (1 << down0) >> 1, (1 << down3) >> 1
    half, half_noise = (1 << down) >> 1, (1 << down_noise) >> 1
    for lane in range(z.shape[0]):
        old = z[lane]
        x = W(W(old + W(_OPERAND_HALF)) >> W(OPERAND_SHIFT))
        one = int(coefficient * x + half0) >> down0
        h0 = min(max(one, -FORCE_MAX), FORCE_MAX)
        two = int(sums[lane] + half3) >> down3
        h3 = min(max(two, -FORCE_MAX), FORCE_MAX)
        total = constant + strength0 * h0 + strength3 * h3
        if more:
            total += others[lane]
        three = int(total + _STRENGTH_HALF) >> STRENGTH_FRAC
        slope = min(max(three, -FORCE_MAX), FORCE_MAX)
        noise = (((lift * xi[lane]) << NOISE_LIFT) + half_noise) >> down_noise
        moved = (np.int64(old) << DITHER_BITS) - ((rate * slope + half) >> down) + noise
        four = (moved + dither[lane]) >> DITHER_BITS
        near = min(max(four, -STATE_MAX), STATE_MAX)
        counted[lane] += (
            np.int64(one != h0) + np.int64(two != h3) + 2 * np.int64(three != slope)
        ) + np.int64(four != near)
        new = W(near)
        z[lane] = new
        change[lane] = W(W(new + W(_OPERAND_HALF)) >> W(OPERAND_SHIFT)) - x


@inlined
def limit(values: Int64, largest: int, counted: Int64) -> None:
    """``sat(values, largest)`` in place."""
    for lane in range(values.shape[0]):
        value = values[lane]
        near = min(max(value, -largest), largest)
        counted[lane] += value != near
        values[lane] = near

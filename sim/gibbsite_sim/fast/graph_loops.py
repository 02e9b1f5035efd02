"""One slot of the graph engine in all chains of a pack: each function is one loop of vector code.

Rows of a pack are ``x int32[chains]`` (int64 where fields are wide), ``bits int8[chains]``,
``turn int32[chains]``, new bits less old ones. Functions that decide
give 0 if no chain's bit turned.

    p-bit:  1 where  u > T(x)  or T(x) is ALWAYS,     T(x) = max {u : noise(u) <= drift(x)}
    without a table:  1 where  noise(u) > (beta_code * 2 f >> beta_shift)

Source: docs/graph-engine.md. Twin: ``gibbsite_models.golden.graph``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import inner
from gibbsite_sim.fast.noise import shape

__all__ = [
    "add",
    "add_bits",
    "by_score",
    "by_threshold",
    "compete",
    "elect",
    "hold",
    "keep",
    "lower",
    "spend",
]

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int8 = NDArray[np.int8]
UInt32 = NDArray[np.uint32]


@inner
def by_threshold(
    x: Int32, uniform: UInt32, bits: Int8, turn: Int32, level: Int32, table: UInt32, always: int
) -> np.int32:
    """New bits of a p-bit; ``turn`` is new less old; not 0 if any chain's turned."""
    turned = np.int32(0)
    for r in range(x.size):
        threshold = table[level[r] + x[r]]
        new = np.int32((uniform[r] > threshold) | (threshold == always))
        change = np.int32(new - bits[r])
        turn[r] = change
        bits[r] = new
        turned |= change
    return turned


@inner
def by_score(
    x: Int32,
    uniform: UInt32,
    bits: Int8,
    turn: Int32,
    beta: Int64,
    origin: int,
    unit: int,
    shift: int,
    base: Int32,
    slope: Int32,
    shifts: UInt32,
    starts: Int32,
    cut: int,
) -> np.int32:
    """As `by_threshold`, by the score itself."""
    turned = np.int32(0)
    for r in range(x.size):
        drift = beta[r] * (2 * (origin + unit * np.int64(x[r]))) >> shift
        noise = shape(uniform[r], False, base, slope, shifts, starts, cut)
        new = np.int32(noise > drift)
        change = np.int32(new - bits[r])
        turn[r] = change
        bits[r] = new
        turned |= change
    return turned


@inner
def hold(bits: Int8, turn: Int32, new: int) -> np.int32:
    """As `by_threshold`, for a bit that is the same in all chains."""
    turned = np.int32(0)
    for r in range(bits.size):
        change = np.int32(new - bits[r])
        turn[r] = change
        bits[r] = new
        turned |= change
    return turned


@inner
def compete(
    x: Int32,
    uniform: UInt32,
    beta: Int64,
    origin: int,
    unit: int,
    shift: int,
    base: Int32,
    slope: Int32,
    shifts: UInt32,
    starts: Int32,
    cut: int,
    slot: int,
    score: Int64,
    winner: Int32,
) -> None:
    """Let a state compete: the best score so far and whose it is; the earlier one keeps a tie."""
    for r in range(x.size):
        drift = beta[r] * (origin + unit * np.int64(x[r])) >> shift
        mine = shape(uniform[r], True, base, slope, shifts, starts, cut) - drift
        better = mine > score[r]
        score[r] = mine if better else score[r]
        winner[r] = slot if better else winner[r]


@inner
def elect(winner: Int32, slot: int, bits: Int8, turn: Int32) -> np.int32:
    """A state's bits after its group's competition, as `by_threshold`."""
    turned = np.int32(0)
    for r in range(bits.size):
        new = np.int32(winner[r] == slot)
        change = np.int32(new - bits[r])
        turn[r] = change
        bits[r] = new
        turned |= change
    return turned


@inner
def add(x: Int32, turn: Int32, gain: int) -> None:
    """Tell a neighbour's field."""
    for r in range(x.size):
        x[r] += np.int32(gain * turn[r])


@inner
def add_bits(x: Int32, bits: Int8, gain: int) -> None:
    """Add a neighbour to a field that is made afresh."""
    for r in range(x.size):
        x[r] += gain * np.int64(bits[r])


@inner
def spend(energy: Int64, x: Int32, turn: Int32, scale: int, origin: int, unit: int) -> None:
    """``energy += scale f turn``."""
    for r in range(energy.size):
        energy[r] += scale * (origin + unit * np.int64(x[r])) * np.int64(turn[r])


@inner
def keep(best: Int8, bits: Int8, found: Int8) -> None:
    """Keep the bits of chains that were found lower."""
    for r in range(best.size):
        best[r] = bits[r] if found[r] else best[r]


@inner
def lower(energy: Int64, best: Int64, found: Int8) -> np.int8:
    """Where the energy is below the best, which it then is."""
    some = np.int8(0)
    for r in range(energy.size):
        less = np.int8(energy[r] < best[r])
        found[r] = less
        best[r] = energy[r] if less else best[r]
        some |= less
    return some

"""Rounding, saturation and delays as the pipelines of the Langevin engine use them.

    round_shift(v, s) = (v + (2^s >> 1)) >> s = ((2 v >> s) + 1) >> 1

The right side needs no power of two: a shifter, a register between, and an increment.

Twin: ``round_shift`` and ``saturate`` of `gibbsite_hw.spec.langevin_formats`.
"""

from amaranth.hdl import Mux, Signal, signed

__all__ = ["delayed", "half_shift", "round_by", "round_half", "saturate"]


def half_shift(value, shift):
    """``2 value >> shift``, what `round_half` makes ``round_shift(value, shift)`` of."""
    return (value << 1) >> shift


def round_half(half):
    """The second half of a rounded shift."""
    return (half + 1) >> 1


def round_by(value, shift):
    """``round_shift`` by a constant."""
    return (value + (1 << shift >> 1)) >> shift


def saturate(m, name, value, largest):
    """Signals with ``value`` held in ``-largest .. largest`` and whether that changed it."""
    result = Signal(signed(largest.bit_length() + 1), name=name)
    changed = Signal(name=f"{name}_saturates")
    above, below = value > largest, value < -largest
    m.d.comb += [
        changed.eq(above | below),
        result.eq(Mux(above, largest, Mux(below, -largest, value))),
    ]
    return result, changed


def delayed(m, name, value, cycles):
    """``[value, value one cycle later, ...]``, up to ``cycles`` cycles later."""
    chain = [value]
    for number in range(1, cycles + 1):
        register = Signal.like(value, name=f"{name}{number}", init=0)
        m.d.sync += register.eq(chain[-1])
        chain.append(register)
    return chain

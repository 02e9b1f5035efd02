"""Registers of the lattice engine's pipelines, which no reset reaches: what they hold counts only
beside a valid slot."""

from amaranth.hdl import Signal

__all__ = ["held", "later"]


def held(m, name, value):
    """``value``, one cycle later."""
    register = Signal.like(value, name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


def later(m, name, value, cycles):
    """``value``, ``cycles`` cycles later."""
    for number in range(cycles):
        value = held(m, f"{name}_{number + 1}", value)
    return value

"""Registers of the lattice engine's pipelines, which no reset reaches: what they hold counts only
beside a valid slot."""

from amaranth.hdl import Signal

__all__ = ["COPY", "copied", "held", "later"]

COPY = "copy_"
"""How the names of copies begin; synthesis keeps what is called so apart
(`gibbsite_sim.netlist.flow`)."""


def held(m, name, value):
    """``value``, one cycle later."""
    register = Signal.like(value, name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


def copied(m, name, value, count):
    """``value``, one cycle later, in ``count`` registers for as many parts of the chip: a wire from
    one register to all of it would take longer than a cycle."""
    return [held(m, f"{COPY}{name}_{number}", value) for number in range(count)]


def later(m, name, value, cycles):
    """``value``, ``cycles`` cycles later."""
    for number in range(cycles):
        value = held(m, f"{name}_{number + 1}", value)
    return value

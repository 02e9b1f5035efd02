"""What the Langevin engine's shell asks of every command first: its state and its length."""

from amaranth.hdl import Signal

from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
    LANGEVIN_RECORDS,
    LangevinOpcode,
)

__all__ = ["LOADING", "length_fits", "may_come"]

LOADING = (*LANGEVIN_RECORDS, LangevinOpcode.WEIGHTS)
"""The commands that fill memories."""


def may_come(m, opcode, state):
    """Whether the command may come in this state."""
    legal = Signal()
    with m.Switch(opcode):
        for code, states in LANGEVIN_LEGAL_STATES.items():
            with m.Case(code), m.Switch(state), m.Case(*sorted(states)):
                m.d.comb += legal.eq(1)
    return legal


def length_fits(m, opcode, length, whole_records):
    """Fixed lengths, or one word and then ``whole_records``."""
    fits = Signal()
    with m.Switch(opcode):
        for code, number in LANGEVIN_FIXED_LENGTHS.items():
            with m.Case(code):
                m.d.comb += fits.eq(length == number)
        with m.Case(*LOADING):
            m.d.comb += fits.eq(whole_records)
    return fits

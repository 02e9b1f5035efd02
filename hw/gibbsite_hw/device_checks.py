"""What a shell asks of every command first: its state and its length."""

from amaranth.hdl import Signal

__all__ = ["length_fits", "may_come"]


def may_come(m, opcode, state, legal_states):
    """Whether the command may come in this state, by ``{opcode: states}``."""
    legal = Signal()
    with m.Switch(opcode):
        for code, states in legal_states.items():
            with m.Case(code), m.Switch(state), m.Case(*sorted(states)):
                m.d.comb += legal.eq(1)
    return legal


def length_fits(m, opcode, length, fixed_lengths, whole_records):
    """Fixed lengths by opcode, or whether the records are whole, by ``{opcodes: bit}``."""
    fits = Signal()
    with m.Switch(opcode):
        for code, number in fixed_lengths.items():
            with m.Case(code):
                m.d.comb += fits.eq(length == number)
        for codes, whole in whole_records.items():
            with m.Case(*codes):
                m.d.comb += fits.eq(whole)
    return fits

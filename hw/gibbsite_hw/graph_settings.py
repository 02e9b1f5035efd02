"""The graph engine's registers and sizes: which there are, and which values they take.

Twin: ``read`` and ``write`` in `gibbsite_models.golden.packet_shell`, ``_begin`` in
`gibbsite_models.golden.graph_shell`.
"""

from amaranth.hdl import Signal

from gibbsite_hw.device_books import FIRST_COUNTER, IDENTITY
from gibbsite_hw.spec.packets import MAGIC
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.registers import REGISTERS, Register

__all__ = ["above", "bad_size", "identity_words", "out_of_range", "registers_at"]


def identity_words(parameters: GraphParameters, fingerprint: int) -> dict[int, int]:
    """The words of the books that IDENTIFY is answered with."""
    identity = [
        MAGIC,
        SPEC_VERSION,
        fingerprint & 0xFFFF_FFFF,
        fingerprint >> 32,
        parameters.lanes,
        parameters.rows,
        parameters.words,
        parameters.schedule_steps,
    ]
    return {IDENTITY + n: word for n, word in enumerate(identity)}


def registers_at(m, offset):
    """Whether there is a register at this offset, it may be written, it stands in the shell."""
    known, writable, status = Signal(), Signal(), Signal()
    shown = (Register.STATE, Register.ROWS, Register.WORDS)
    with m.If(offset[6:] == 0), m.Switch(offset[:6]):
        with m.Case(*(r for r in REGISTERS if REGISTERS[r].writable)):
            m.d.comb += [known.eq(1), writable.eq(1)]
        with m.Case(*shown):
            m.d.comb += [known.eq(1), status.eq(1)]
        with m.Case(*(r for r in REGISTERS if r >= FIRST_COUNTER)):
            m.d.comb += known.eq(1)
    return known, writable, status


def out_of_range(m, offset, value):
    """Whether a register may not take this value."""
    bad = Signal()
    limits = {}
    for register, info in REGISTERS.items():
        if info.writable:
            limits.setdefault((info.minimum, info.maximum), []).append(register)
    with m.Switch(offset):
        for (least, most), registers in limits.items():
            with m.Case(*registers):
                m.d.comb += bad.eq(((value == 0) if least else 0) | above(value, most))
    return bad


def above(value, limit):
    """``value > limit`` without a comparator where no bit of ``limit`` can be."""
    bits = limit.bit_length() if isinstance(limit, int) else len(limit)
    if isinstance(limit, int) and limit == (1 << bits) - 1:
        return value[bits:].any()
    return value[bits:].any() | (value[:bits] > limit)


def bad_size(value, most):
    """Whether BEGIN may not ask for so many rows or words."""
    return (value == 0) | above(value, most)

"""The lattice engine's registers: what READ and WRITE find at each offset.

What can be written is kept twice: here, for the engine, and in the books, for READ.

Twin: ``read`` and ``write`` in `gibbsite_models.golden.packet_shell`.
"""

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.device_books import FIRST_COUNTER, IDENTITY
from gibbsite_hw.spec.lattice_packets import LatticeErrorCode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.packets import MAGIC
from gibbsite_hw.spec.parameters import SPEC_VERSION

__all__ = ["LatticeSettings", "books_words", "settings_layout"]

settings_layout = data.StructLayout(
    {
        register.name.lower(): unsigned(32)
        for register, info in LATTICE_REGISTERS.items()
        if info.writable
    }
)
"""All registers that WRITE sets."""


def books_words(parameters: LatticeParameters, fingerprint: int) -> dict[int, int]:
    """Words of the books: registers as they are after a reset, and what IDENTIFY is answered."""
    identity = [
        MAGIC,
        SPEC_VERSION,
        fingerprint & 0xFFFF_FFFF,
        fingerprint >> 32,
        parameters.rows,
        parameters.columns,
        parameters.neighbours,
        parameters.schedule_steps,
    ]
    words = {int(register): info.reset for register, info in LATTICE_REGISTERS.items()}
    return words | {IDENTITY + n: word for n, word in enumerate(identity)}


class LatticeSettings(wiring.Component):
    """A cycle behind ``offset``: whether this register is ``known``, and ``shown`` by the shell
    itself, not by the books.

    WRITE of ``word`` to it is refused with ``error`` and ``detail``; where ``error`` is 0,
    ``write`` sets it, which looks at ``error`` no more. All that can be written stand in
    ``settings``.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "offset": In(32),
                "known": Out(1),
                "shown": Out(1),
                "word": In(32),
                "write": In(1),
                "error": Out(8),
                "detail": Out(32),
                "settings": Out(settings_layout),
            }
        )

    def elaborate(self, platform):
        m = Module()
        values = {
            register: Signal(32, name=f"register_{register.name.lower()}", init=info.reset)
            for register, info in LATTICE_REGISTERS.items()
            if info.writable
        }
        m.d.comb += [
            self.error.eq(LatticeErrorCode.BAD_REGISTER),
            self.detail.eq(self.offset),
            *(self.settings[at.name.lower()].eq(value) for at, value in values.items()),
        ]
        # a cycle later, with one bit for all that no register's number has
        bits = max(LatticeRegister).bit_length()
        number = Signal(bits + 1)
        m.d.sync += number.eq(Cat(self.offset[:bits], self.offset[bits:].any()))
        with m.Switch(number):
            for register in LatticeRegister:
                with m.Case(register):
                    m.d.comb += self.known.eq(1)
                    if register in values:
                        self._set(m, register, values[register])
                    else:
                        m.d.comb += [
                            self.shown.eq(register < FIRST_COUNTER),
                            self.error.eq(LatticeErrorCode.READ_ONLY),
                        ]
        return m

    def _set(self, m, register: LatticeRegister, value: Signal) -> None:
        """A register that can be written, within its bounds."""
        info = LATTICE_REGISTERS[register]
        outside = [self.word < info.minimum] if info.minimum > 0 else []
        if info.maximum < 0xFFFF_FFFF:
            outside.append(self.word > info.maximum)
        m.d.comb += self.error.eq(0)
        if outside:
            with m.If(Cat(outside).any()):
                m.d.comb += [self.error.eq(LatticeErrorCode.BAD_VALUE), self.detail.eq(1)]
        with m.If(self.write):
            m.d.sync += value.eq(self.word)

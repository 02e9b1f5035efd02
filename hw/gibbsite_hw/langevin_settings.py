"""The Langevin engine's registers: what READ and WRITE find at each offset.

What can be written is kept twice: here, as wide as the engine needs it in every cycle, and in the
books, for READ and for what RUN checks.

Twin: ``read`` and ``write`` in `gibbsite_models.golden.packet_shell`.
"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.device_books import FIRST_COUNTER, IDENTITY
from gibbsite_hw.spec.langevin_packets import LangevinErrorCode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinRegister
from gibbsite_hw.spec.packets import MAGIC
from gibbsite_hw.spec.parameters import SPEC_VERSION

__all__ = ["LangevinSettings", "books_words", "settings_layout"]


def books_words(parameters: LangevinParameters, fingerprint: int) -> dict[int, int]:
    """Words of the books: registers as they are after a reset, and what IDENTIFY is answered."""
    identity = [
        MAGIC,
        SPEC_VERSION,
        fingerprint & 0xFFFF_FFFF,
        fingerprint >> 32,
        parameters.units,
        parameters.constraints,
        parameters.multipliers,
        parameters.schedule_entries,
    ]
    words = {int(register): info.reset for register, info in LANGEVIN_REGISTERS.items()}
    return words | {IDENTITY + n: word for n, word in enumerate(identity)}


def settings_layout(parameters: LangevinParameters) -> data.StructLayout:
    """All registers that WRITE sets, in as many bits as a run can have."""
    most = {
        register: info.maximum for register, info in LANGEVIN_REGISTERS.items() if info.writable
    }
    # RUN refuses more than was loaded.
    most[LangevinRegister.ENTRIES] = parameters.schedule_entries
    most[LangevinRegister.PAIRS] = parameters.pairs
    return data.StructLayout(
        {register.name.lower(): max(1, value.bit_length()) for register, value in most.items()}
    )


class LangevinSettings(wiring.Component):
    """Whether the register at ``offset`` is ``known``, and ``shown`` by the shell instead of the
    books.

    WRITE of ``word`` to it is refused with ``error``, whose detail is 1 for BAD_VALUE and the
    offset otherwise; if ``error`` is 0, ``write`` sets it. The settings of a run stand in
    ``settings``, cut to their width.
    """

    def __init__(self, parameters: LangevinParameters) -> None:
        super().__init__(
            {
                "offset": In(32),
                "known": Out(1),
                "shown": Out(1),
                "word": In(32),
                "write": In(1),
                "error": Out(8),
                "settings": Out(settings_layout(parameters)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        values = {}
        for register, info in LANGEVIN_REGISTERS.items():
            if info.writable:
                name = register.name.lower()
                setting = self.settings[name]
                value = Signal(len(setting), name=f"register_{name}", init=info.reset)
                m.d.comb += setting.eq(value)
                values[register] = value
        m.d.comb += self.error.eq(LangevinErrorCode.BAD_REGISTER)
        with m.If(self.offset[6:] == 0), m.Switch(self.offset[:6]):
            for register in LangevinRegister:
                with m.Case(register):
                    m.d.comb += self.known.eq(1)
                    if register in values:
                        self._set(m, register, values[register])
                    else:
                        m.d.comb += [
                            self.shown.eq(register < FIRST_COUNTER),
                            self.error.eq(LangevinErrorCode.READ_ONLY),
                        ]
        return m

    def _set(self, m, register: LangevinRegister, value: Signal) -> None:
        """A register that can be written, within its bounds."""
        info = LANGEVIN_REGISTERS[register]
        outside = [self.word < info.minimum] if info.minimum > 0 else []
        if info.maximum < 0xFFFF_FFFF:
            outside.append(self.word > info.maximum)
        m.d.comb += self.error.eq(0)
        if outside:
            with m.If(Cat(outside).any()):
                m.d.comb += self.error.eq(LangevinErrorCode.BAD_VALUE)
        with m.If(self.write & (self.error == 0)):
            m.d.sync += value.eq(self.word)

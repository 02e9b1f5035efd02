"""The register model: what every register must answer, read from its map and nothing else.

It follows READ and WRITE on its own, as a second opinion beside the golden device.
"""

from collections.abc import Mapping
from typing import Any

from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.registers import REGISTERS, RegisterInfo

__all__ = ["RegisterModel"]

_WORD = 0xFFFF_FFFF


class RegisterModel:
    """Mirror of the writable registers of a map. An answer is (error code or None, word)."""

    def __init__(self, registers: Mapping[Any, RegisterInfo] = REGISTERS) -> None:
        self.checked = 0
        self._map: dict[int, RegisterInfo] = {int(at): info for at, info in registers.items()}
        self._values: dict[int, int] = {}
        self.reset()

    def reset(self) -> None:
        """All writable registers have their reset values."""
        self._values = {at: info.reset for at, info in self._map.items() if info.writable}

    def write(self, offset: int, value: int) -> tuple[ErrorCode | None, int]:
        """What WRITE must answer; the mirror follows an accepted one."""
        if offset not in self._map:
            return ErrorCode.BAD_REGISTER, offset
        info = self._map[offset]
        if not info.writable:
            return ErrorCode.READ_ONLY, offset
        if not info.minimum <= value <= info.maximum:
            return ErrorCode.BAD_VALUE, 1
        self._values[offset] = value
        return None, 0

    def read(self, offset: int) -> tuple[ErrorCode | None, int | None]:
        """What READ must answer; None for the value of a status register."""
        if offset not in self._map:
            return ErrorCode.BAD_REGISTER, offset
        return None, self._values.get(offset)

    @staticmethod
    def probes(registers: Mapping[Any, RegisterInfo] = REGISTERS) -> list[tuple[int, int]]:
        """Writes (offset, value) at and beyond every bound, and to offsets that do not exist."""
        probes = []
        for register, info in registers.items():
            values = {info.minimum, info.maximum, info.minimum - 1, info.maximum + 1}
            values |= {0, 1, 0x8000_0000, _WORD}
            probes += [(int(register), value) for value in sorted(values) if 0 <= value <= _WORD]
        unknown = [at for at in range(0x40) if at not in registers]
        unknown += [0x100, 0x1_0000, 0x8000_0000, _WORD]
        return probes + [(offset, 1) for offset in unknown]

"""What differs between the engines on the word stream, for the parts of a bench that serve all."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
    LangevinErrorCode,
    LangevinOpcode,
)
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinFlags
from gibbsite_hw.spec.lattice_packets import (
    LATTICE_FIXED_LENGTHS,
    LATTICE_LEGAL_STATES,
    LatticeErrorCode,
    LatticeOpcode,
)
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS
from gibbsite_hw.spec.packets import FIXED_LENGTHS, LEGAL_STATES, Engine, ErrorCode, Opcode
from gibbsite_hw.spec.registers import REGISTERS, RegisterInfo, RunFlags, State

__all__ = ["GRAPH", "LANGEVIN", "LATTICE", "Dialect"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """Tables of one engine, keyed by its own enumerations.

    What all engines have, such as READ, OK or BAD_VALUE, has the same number in each, but for
    ``engine_code`` in opcodes and kinds of response.
    """

    engine_code: int
    opcodes: type[IntEnum]
    legal_states: Mapping[Any, frozenset[State]]
    fixed_lengths: Mapping[Any, int]
    errors: type[IntEnum]
    registers: Mapping[Any, RegisterInfo]
    flags: type[IntFlag]

    def common(self, words: "list[int] | tuple[int, ...]") -> int:
        """Opcode or kind of a packet without the engine code; those of others are no graph's."""
        return words[0] >> 24 ^ self.engine_code

    def own(self, code: int) -> int:
        """Opcode or kind as this engine has it."""
        return code | self.engine_code


GRAPH = Dialect(0, Opcode, LEGAL_STATES, FIXED_LENGTHS, ErrorCode, REGISTERS, RunFlags)
LANGEVIN = Dialect(
    Engine.LANGEVIN.code,
    LangevinOpcode,
    LANGEVIN_LEGAL_STATES,
    LANGEVIN_FIXED_LENGTHS,
    LangevinErrorCode,
    LANGEVIN_REGISTERS,
    LangevinFlags,
)
LATTICE = Dialect(
    Engine.LATTICE.code,
    LatticeOpcode,
    LATTICE_LEGAL_STATES,
    LATTICE_FIXED_LENGTHS,
    LatticeErrorCode,
    LATTICE_REGISTERS,
    RunFlags,
)

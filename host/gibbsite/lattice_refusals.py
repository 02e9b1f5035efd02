"""What the lattice engine's error codes mean to the reader: one sentence each, with the detail."""

from __future__ import annotations

from typing import Final

from gibbsite.refusals import SENTENCES as COMMON
from gibbsite_hw.spec.errors import CommandRefused
from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import ErrorCode
from gibbsite_hw.spec.registers import State

__all__ = ["lattice_refusal"]

_C = LatticeErrorCode

PARTS: Final = ("couplings", "biases")
"""What COMMIT may miss, in the order of INCOMPLETE's detail."""

OWN: Final[dict[LatticeErrorCode, str]] = {
    _C.UNKNOWN_OPCODE: (
        "opcode {detail:#04x} is none of gibbsite_hw.spec.lattice_packets.LatticeOpcode; send one "
        "of these"
    ),
    _C.BAD_REGISTER: (
        "offset {detail:#04x} is no register; use one of gibbsite_hw.spec.lattice_registers"
    ),
    _C.BAD_SIZE: "its columns must be even and lie in 2..{p.columns}; use a narrower lattice",
    _C.INCOMPLETE: "its {part} were not loaded whole; load every one of them before COMMIT",
}
"""What differs from the graph engine's sentences."""


def lattice_refusal(
    command: int, code: int, detail: int, parameters: LatticeParameters
) -> CommandRefused:
    """The exception for an ERROR that answered a command."""
    known = command in set(LatticeOpcode)
    name = LatticeOpcode(command).name if known else f"command {command:#04x}"
    if code in set(_C):
        state = State(detail).name if detail in set(State) else str(detail)
        part = PARTS[detail] if detail < len(PARTS) else f"part {detail}"
        sentence = OWN.get(_C(code)) or COMMON[ErrorCode(code)]
        sentence = sentence.format(detail=detail, state=state, part=part, p=parameters)
    else:
        sentence = f"code {code} (detail {detail}) is not in this specification; update the host"
    return CommandRefused(f"the device refused {name}: {sentence}", code, detail)

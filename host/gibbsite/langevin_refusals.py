"""What the Langevin engine's error codes mean to the reader: one sentence each, with the detail."""

from __future__ import annotations

from typing import Final

from gibbsite_hw.spec.errors import CommandRefused
from gibbsite_hw.spec.langevin_formats import SHIFT_MAX
from gibbsite_hw.spec.langevin_packets import LangevinErrorCode, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.registers import State

__all__ = ["langevin_refusal"]

_C = LangevinErrorCode

PARTS: Final = ("units", "weights", "biases", "constraints")
"""What COMMIT may miss, in the order of INCOMPLETE's detail."""

SENTENCES: Final[dict[LangevinErrorCode, str]] = {
    _C.UNKNOWN_OPCODE: (
        "opcode {detail:#04x} is none of gibbsite_hw.spec.langevin_packets.LangevinOpcode; send "
        "one of these"
    ),
    _C.TRUNCATED: (
        "the packet ended after {detail} payload words, before the length that its header "
        "announced; send it whole"
    ),
    _C.OVERSIZED: (
        "the packet went on beyond the {detail} payload words that its header announced; mark "
        "its last word"
    ),
    _C.TOO_LONG: (
        "{detail} payload words were announced and it takes {p.payload_words}; send shorter packets"
    ),
    _C.BAD_LENGTH: "{detail} payload words are no length of this command; send whole records",
    _C.WRONG_STATE: (
        "it is {state}, and this command needs another state; load a program or wait for the run"
    ),
    _C.BAD_ADDRESS: (
        "address {detail} is past the end or not the next one; load in order and within the program"
    ),
    _C.BAD_VALUE: "payload word {detail} is out of its range; see gibbsite_hw.spec for the bounds",
    _C.BAD_REGISTER: (
        "offset {detail:#04x} is no register; use one of gibbsite_hw.spec.langevin_registers"
    ),
    _C.READ_ONLY: "register {detail:#04x} can only be read; write a control register",
    _C.BAD_SIZE: (
        "payload word {detail} of its size is off: there are {p.units} units and {p.constraints} "
        "constraints, and shifts go to {shift_max}; use a smaller program"
    ),
    _C.INCOMPLETE: "its {part} were not loaded whole; load every one of them before COMMIT",
    _C.NO_SCHEDULE: (
        "{detail} schedule entries were asked, none or more than are loaded; load the schedule "
        "first"
    ),
    _C.NO_PAIRS: "{detail} pairs were asked and fewer are loaded; load the pairs first",
}


def langevin_refusal(
    command: int, code: int, detail: int, parameters: LangevinParameters
) -> CommandRefused:
    """The exception for an ERROR that answered a command."""
    known = command in set(LangevinOpcode)
    name = LangevinOpcode(command).name if known else f"command {command:#04x}"
    if code in set(LangevinErrorCode):
        state = State(detail).name if detail in set(State) else str(detail)
        part = PARTS[detail] if detail < len(PARTS) else str(detail)
        sentence = SENTENCES[LangevinErrorCode(code)].format(
            detail=detail, state=state, part=part, p=parameters, shift_max=SHIFT_MAX
        )
    else:
        sentence = f"code {code} (detail {detail}) is not in this specification; update the host"
    return CommandRefused(f"the device refused {name}: {sentence}", code, detail)

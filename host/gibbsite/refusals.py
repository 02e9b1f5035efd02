"""What a device's error codes mean to the reader: one sentence each, with the detail that came."""

from __future__ import annotations

from typing import Final

from gibbsite_hw.spec.errors import CommandRefused
from gibbsite_hw.spec.packets import ErrorCode, Opcode
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import State

__all__ = ["refusal"]

SENTENCES: Final[dict[ErrorCode, str]] = {
    ErrorCode.UNKNOWN_OPCODE: (
        "opcode {detail:#04x} is none of gibbsite_hw.spec.packets.Opcode; send one of these"
    ),
    ErrorCode.TRUNCATED: (
        "the packet ended after {detail} payload words, before the length that its header "
        "announced; send it whole"
    ),
    ErrorCode.OVERSIZED: (
        "the packet went on beyond the {detail} payload words that its header announced; mark "
        "its last word"
    ),
    ErrorCode.TOO_LONG: (
        "{detail} payload words were announced and it takes {p.payload_words}; send shorter packets"
    ),
    ErrorCode.BAD_LENGTH: (
        "{detail} payload words are no length of this command; send whole records"
    ),
    ErrorCode.WRONG_STATE: (
        "it is {state}, and this command needs another state; load a program or wait for the run"
    ),
    ErrorCode.BAD_ADDRESS: (
        "address {detail} is past the end or not the next one; load in order and within the program"
    ),
    ErrorCode.BAD_VALUE: (
        "payload word {detail} is out of its range; see gibbsite_hw.spec for the bounds"
    ),
    ErrorCode.BAD_REGISTER: (
        "offset {detail:#04x} is no register; use one of gibbsite_hw.spec.registers"
    ),
    ErrorCode.READ_ONLY: "register {detail:#04x} can only be read; write a control register",
    ErrorCode.BAD_SIZE: (
        "payload word {detail} of its size is 0 or above the {p.rows} rows and {p.words} words "
        "there are; use a smaller model"
    ),
    ErrorCode.BAD_ROWS: (
        "the rows do not fit each other at row {detail}, or something is missing; load every row, "
        "word and bias of a checked program"
    ),
    ErrorCode.BAD_GROUP: (
        "the group at row {detail} has more than {p.max_group} states or none; use fewer cases"
    ),
    ErrorCode.NO_STATE_LEFT: (
        "every state of the group that ends at row {detail} is clamped off; leave it one"
    ),
    ErrorCode.PINNED_TWICE: (
        "a state of row {detail} is pinned and removed at once, or its group is pinned twice; drop "
        "one of the clamps"
    ),
    ErrorCode.STATE_NOT_ONE_HOT: (
        "the given state sets none or several states of the group at row {detail}, or a slot that "
        "is not used; set one a group"
    ),
    ErrorCode.STATE_AGAINST_CLAMP: (
        "the given state contradicts a clamp at row {detail}; change the state or the clamp"
    ),
    ErrorCode.NO_SCHEDULE: (
        "{detail} schedule steps were asked and fewer are loaded; load the schedule first"
    ),
}


def refusal(command: int, code: int, detail: int, parameters: GraphParameters) -> CommandRefused:
    """The exception for an ERROR that answered a command."""
    name = Opcode(command).name if command in set(Opcode) else f"command {command:#04x}"
    if code in set(ErrorCode):
        state = State(detail).name if detail in set(State) else str(detail)
        sentence = SENTENCES[ErrorCode(code)].format(detail=detail, state=state, p=parameters)
    else:
        sentence = f"code {code} (detail {detail}) is not in this specification; update the host"
    return CommandRefused(f"the device refused {name}: {sentence}", code, detail)

"""Commands and responses of the lattice engine: those of `packets`, with its engine code.

Framing, answers, states and the order of checks are those of the graph engine;
docs/lattice-engine.md has what each command checks.
"""

from enum import IntEnum

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.registers import State

__all__ = [
    "LATTICE_FIXED_LENGTHS",
    "LATTICE_LEGAL_STATES",
    "LatticeErrorCode",
    "LatticeOpcode",
    "LatticeResponse",
    "lattice_record_words",
]


class LatticeOpcode(IntEnum):
    """Commands. In brackets: the payload words."""

    IDENTIFY = 0x21
    """[] Answer: INFO [magic, spec version, fingerprint low, high, rows, columns, neighbours,
    schedule steps]."""
    READ = 0x22
    """[offset] Answer: INFO [value]."""
    WRITE = 0x23
    """[offset, value] Set one register."""
    BEGIN = 0x30
    """[columns] Forget the program and start to load one of this size. Clamps and the initial
    state become zero, the schedule empty, the registers stay."""
    COUPLINGS = 0x31
    """[first site, one word a rule ...] Four signed bytes a word, offset 0 of the rule lowest.
    COUPLINGS and, while loading, BIASES come in order: each starts where the one before it
    ended."""
    BIASES = 0x33
    """[first site, bias ...] Sign-extended bias codes."""
    CLAMPS = 0x34
    """[first word, (on bits, off bits) ...] Word w of column c has number ``c * words + w``."""
    SCHEDULE = 0x35
    """[first step, beta code ...] Starts at most where the steps loaded so far end."""
    STATE = 0x36
    """[first word, bits ...] The initial state that GIVEN_STATE starts from."""
    COMMIT = 0x37
    """[] Check that everything was loaded; then ready."""
    RUN = 0x3E
    """[] Run."""
    ABORT = 0x3F
    """[] End the run after the sweep at hand, without further draws."""


class LatticeResponse(IntEnum):
    """Kinds of response."""

    OK = 0xA0
    """[]"""
    ERROR = 0xA1
    """[error code, detail]"""
    INFO = 0xA2
    """[values ...]"""
    DRAW = 0xA3
    """[chain number, draw, energy low, high, bits of all columns if SAMPLES, best energy low, high
    and bits if BEST]; draws of the chains of a group of banks come together."""
    DONE = 0xA4
    """[cycles low, high, sweep cycles low, high, updates low, high, sweeps low, high,
    reads low, high, waits low, high]"""
    ABORTED = 0xA5
    """Payload like DONE."""


class LatticeErrorCode(IntEnum):
    """Why a command was refused; numbers and details as in `packets.ErrorCode` if it has them."""

    UNKNOWN_OPCODE = 1
    TRUNCATED = 2
    OVERSIZED = 3
    TOO_LONG = 4
    BAD_LENGTH = 5
    WRONG_STATE = 6
    BAD_ADDRESS = 7
    BAD_VALUE = 8
    BAD_REGISTER = 9
    READ_ONLY = 10
    BAD_SIZE = 11
    """[0]: BEGIN with an odd number of columns, none, or more than there are."""
    INCOMPLETE = 12
    """[0 couplings, 1 biases]: COMMIT before all of these were loaded."""
    NO_SCHEDULE = 18
    """[steps asked]: more schedule steps than were loaded since BEGIN."""


_O = LatticeOpcode
_LOADED = frozenset({State.LOADING, State.READY})
_NOT_RUNNING = _LOADED | {State.EMPTY}
LATTICE_LEGAL_STATES: dict[LatticeOpcode, frozenset[State]] = {
    _O.IDENTIFY: frozenset(State),
    _O.READ: frozenset(State),
    _O.WRITE: _NOT_RUNNING,
    _O.BEGIN: _NOT_RUNNING,
    _O.COUPLINGS: frozenset({State.LOADING}),
    _O.BIASES: _LOADED,
    _O.CLAMPS: _LOADED,
    _O.SCHEDULE: _LOADED,
    _O.STATE: _LOADED,
    _O.COMMIT: frozenset({State.LOADING}),
    _O.RUN: frozenset({State.READY}),
    _O.ABORT: frozenset({State.RUNNING}),
}

LATTICE_FIXED_LENGTHS: dict[LatticeOpcode, int] = {
    _O.IDENTIFY: 0,
    _O.READ: 1,
    _O.WRITE: 2,
    _O.BEGIN: 1,
    _O.COMMIT: 0,
    _O.RUN: 0,
    _O.ABORT: 0,
}
"""Payload words of the commands that always have the same."""


def lattice_record_words(parameters: LatticeParameters, opcode: LatticeOpcode) -> int:
    """Payload words of a record of the other commands."""
    if opcode is _O.COUPLINGS:
        return parameters.neighbours // 4
    return 2 if opcode is _O.CLAMPS else 1

"""Commands and responses of the Langevin engine: those of `packets`, with its engine code.

Framing, answers, states and the order of checks are those of the graph engine;
docs/langevin-engine.md has what each command checks.
"""

from enum import IntEnum

from gibbsite_hw.spec.registers import State

__all__ = [
    "LANGEVIN_FIXED_LENGTHS",
    "LANGEVIN_LEGAL_STATES",
    "LANGEVIN_RECORDS",
    "LangevinErrorCode",
    "LangevinOpcode",
    "LangevinResponse",
]


class LangevinOpcode(IntEnum):
    """Commands. In brackets: the payload words."""

    IDENTIFY = 0x41
    """[] Answer: INFO [magic, spec version, fingerprint low, high, units, constraints, multipliers,
    schedule entries]."""
    READ = 0x42
    """[offset] Answer: INFO [value]."""
    WRITE = 0x43
    """[offset, value] Set one register."""
    BEGIN = 0x50
    """[units, constraints, coupled (0, 1), three words of shifts] Forget the program and start to
    load one of this size. Clamps and initial state become zero, schedule and pairs empty."""
    UNITS = 0x51
    """[first unit, (J2, J4, force) ...] UNITS and WEIGHTS come in order, and while loading BIASES
    and CONSTRAINTS too: each starts where the one before it ended."""
    WEIGHTS = 0x52
    """[first word, codes x multipliers / 2 ...] Coupling words; a packet word holds two codes,
    the lower lane in the lower half."""
    BIASES = 0x53
    """[first unit, b ...]"""
    CLAMPS = 0x54
    """[first unit, (clamped (0, 1), state) ...]"""
    SCHEDULE = 0x55
    """[first entry, nine words an entry ...] Starts at most where the entries so far end."""
    STATE = 0x56
    """[first unit, state ...] Where chains start."""
    COMMIT = 0x57
    """[] Check that everything was loaded; then ready."""
    CONSTRAINTS = 0x58
    """[first constraint, (hinge (0, 1), lambda, d) ...]"""
    PAIRS = 0x59
    """[first pair, i | j << 12 | alone << 24 ...] Starts at most where the pairs so far end."""
    RUN = 0x5E
    """[] Check schedule and pairs, then run."""
    ABORT = 0x5F
    """[] End the run after the pass at hand, without a further draw."""


class LangevinResponse(IntEnum):
    """Kinds of response."""

    OK = 0xC0
    """[]"""
    ERROR = 0xC1
    """[error code, detail]"""
    INFO = 0xC2
    """[values ...]"""
    DRAW = 0xC3
    """[chain number, draw, step, energy low, high, work low, high, heat low, high, states if
    SAMPLES, best energy low, high and states if BEST]"""
    DONE = 0xC4
    """[cycles low, high, products low, high, updates low, high, steps low, high, reads low, high,
    saturations low, high]"""
    ABORTED = 0xC5
    """Payload like DONE."""
    MOMENTS = 0xC6
    """[chain number, additions, (sum low, high) x PAIRS] after the last draw of each chain."""


class LangevinErrorCode(IntEnum):
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
    """[payload index]: BEGIN with more units or constraints than there are, or no unit, or a flag
    or shift out of its range."""
    INCOMPLETE = 12
    """[0 units, 1 weights, 2 biases, 3 constraints]: COMMIT before all of these were loaded."""
    NO_SCHEDULE = 18
    """[entries asked]: none, or more than were loaded since BEGIN."""
    NO_PAIRS = 19
    """[pairs asked]: more than were loaded since BEGIN."""


_O = LangevinOpcode
_LOADED = frozenset({State.LOADING, State.READY})
_NOT_RUNNING = _LOADED | {State.EMPTY}
LANGEVIN_LEGAL_STATES: dict[LangevinOpcode, frozenset[State]] = {
    _O.IDENTIFY: frozenset(State),
    _O.READ: frozenset(State),
    _O.WRITE: _NOT_RUNNING,
    _O.BEGIN: _NOT_RUNNING,
    _O.UNITS: frozenset({State.LOADING}),
    _O.WEIGHTS: frozenset({State.LOADING}),
    _O.BIASES: _LOADED,
    _O.CLAMPS: _LOADED,
    _O.SCHEDULE: _LOADED,
    _O.STATE: _LOADED,
    _O.COMMIT: frozenset({State.LOADING}),
    _O.CONSTRAINTS: _LOADED,
    _O.PAIRS: _LOADED,
    _O.RUN: frozenset({State.READY}),
    _O.ABORT: frozenset({State.RUNNING}),
}

LANGEVIN_FIXED_LENGTHS: dict[LangevinOpcode, int] = {
    _O.IDENTIFY: 0,
    _O.READ: 1,
    _O.WRITE: 2,
    _O.BEGIN: 6,
    _O.COMMIT: 0,
    _O.RUN: 0,
    _O.ABORT: 0,
}
"""Payload words of the commands that always have the same."""

LANGEVIN_RECORDS: dict[LangevinOpcode, int] = {
    _O.UNITS: 3,
    _O.BIASES: 1,
    _O.CLAMPS: 2,
    _O.SCHEDULE: 9,
    _O.STATE: 1,
    _O.CONSTRAINTS: 3,
    _O.PAIRS: 1,
}
"""Words of a record of the others; a record of WEIGHTS has ``multipliers / 2``."""

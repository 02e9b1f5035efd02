"""Commands and responses on the word stream, their legal states, and the error codes.

A packet is a run of 32-bit words, the last of which is marked ``last``. Word 0 is ``opcode << 24
| tag << 16 | n`` with n payload words behind it; the tag comes back in the response. Every
command gets exactly one OK, ERROR or INFO, except RUN, which gets OK at once, a DRAW for every
draw and DONE (or ABORTED) at its end. A command that is refused changes nothing.
"""

from dataclasses import dataclass
from enum import IntEnum

from gibbsite_hw.spec.registers import State

__all__ = [
    "ENGINE_FIELD",
    "FIXED_LENGTHS",
    "LEGAL_STATES",
    "MAGIC",
    "Engine",
    "ErrorCode",
    "Opcode",
    "Packet",
    "Response",
    "header",
]

ENGINE_FIELD = 0x60
"""Bits 6:5 of an opcode or a kind of response: which engine's it is. On a device with several, a
packet goes to the engine that its header names, and to the first one if the device lacks that."""

MAGIC = 0x47425354
"""First payload word of IDENTIFY's answer: ``GBST``."""


class Engine(IntEnum):
    """Numbers of the engines, in the order in which a device lists them."""

    GRAPH = 0
    LATTICE = 1
    LANGEVIN = 2

    @property
    def code(self) -> int:
        """What the engine adds to an opcode or a kind of response: its number in ENGINE_FIELD."""
        return self << 5


class Opcode(IntEnum):
    """Commands. In brackets: the payload words."""

    IDENTIFY = 0x01
    """[] Answer: INFO [magic, spec version, fingerprint low, high, lanes, rows, words, steps]."""
    READ = 0x02
    """[offset] Answer: INFO [value]."""
    WRITE = 0x03
    """[offset, value] Set one register."""
    BEGIN = 0x10
    """[rows, words] Forget the program and start to load one of this size. The clamps and the
    initial state of all rows become zero, the schedule empty, the registers stay."""
    ROWS = 0x11
    """[first row, (descriptor, mask) ...] Row descriptors, see `program.Row`. ROWS, ENTRIES and,
    while loading, BIASES come in order: each starts where the one before it ended."""
    ENTRIES = 0x12
    """[first word, entry x lanes ...] Neighbour entries, see `program.encode_entry`."""
    BIASES = 0x13
    """[first row, bias x lanes ...] Sign-extended bias codes."""
    CLAMPS = 0x14
    """[first row, (on mask, off mask) ...] States pinned and states removed."""
    SCHEDULE = 0x15
    """[first step, beta code ...] Starts at most where the steps loaded so far end."""
    STATE = 0x16
    """[first row, bits ...] The initial state that GIVEN_STATE starts from."""
    COMMIT = 0x17
    """[] Check that everything was loaded and that the rows fit each other; then ready."""
    RUN = 0x1E
    """[] Check clamps (and the given state), then run."""
    ABORT = 0x1F
    """[] End the run after the current sweep, without further draws: it ends with ABORTED, or with
    DONE if the last draw was already on its way (the OK may then come after DONE)."""


class Response(IntEnum):
    """Kinds of response."""

    OK = 0x80
    """[]"""
    ERROR = 0x81
    """[error code, detail]"""
    INFO = 0x82
    """[values ...]"""
    DRAW = 0x83
    """[chain number, draw, energy low, high, bits x rows if SAMPLES, best energy low, high and
    bits x rows if BEST]; the chain number is FIRST_CHAIN + chain modulo 2^32."""
    DONE = 0x84
    """[cycles low, high, sweep cycles low, high, terms low, high, updates low, high,
    sweeps low, high, reads low, high]"""
    ABORTED = 0x85
    """Payload like DONE."""


class ErrorCode(IntEnum):
    """Why a command was refused. In brackets: the detail word."""

    UNKNOWN_OPCODE = 1
    """[opcode]"""
    TRUNCATED = 2
    """[payload words received]: ``last`` came before the announced length."""
    OVERSIZED = 3
    """[payload words announced]: ``last`` did not come with the announced length."""
    TOO_LONG = 4
    """[payload words announced]: more than the device's payload memory."""
    BAD_LENGTH = 5
    """[payload words announced]: not a length that this opcode can have."""
    WRONG_STATE = 6
    """[state]"""
    BAD_ADDRESS = 7
    """[address]: past the end of the program or memory."""
    BAD_VALUE = 8
    """[payload index of the first bad word]: out of its range."""
    BAD_REGISTER = 9
    """[offset]"""
    READ_ONLY = 10
    """[offset]"""
    BAD_SIZE = 11
    """[payload index]: BEGIN with more rows or words than there are, or none."""
    BAD_ROWS = 12
    """[row]: descriptors that do not fit each other; [number of rows]: rows, entries or biases
    are missing, or the lengths do not add up to the words that BEGIN announced."""
    BAD_GROUP = 13
    """[row]: a group with more states than a group may have."""
    NO_STATE_LEFT = 14
    """[last row of the group]: every state of the group is clamped off."""
    PINNED_TWICE = 15
    """[row]: two states of a group are clamped on, or one state both on and off."""
    STATE_NOT_ONE_HOT = 16
    """[row]: the given state sets none or several of a group, or a slot that is not used."""
    STATE_AGAINST_CLAMP = 17
    """[row]"""
    NO_SCHEDULE = 18
    """[steps asked]: more schedule steps than were loaded since BEGIN."""


LEGAL_STATES: dict[Opcode, frozenset[State]] = {
    Opcode.IDENTIFY: frozenset(State),
    Opcode.READ: frozenset(State),
    Opcode.WRITE: frozenset({State.EMPTY, State.LOADING, State.READY}),
    Opcode.BEGIN: frozenset({State.EMPTY, State.LOADING, State.READY}),
    Opcode.ROWS: frozenset({State.LOADING}),
    Opcode.ENTRIES: frozenset({State.LOADING}),
    Opcode.BIASES: frozenset({State.LOADING, State.READY}),
    Opcode.CLAMPS: frozenset({State.LOADING, State.READY}),
    Opcode.SCHEDULE: frozenset({State.LOADING, State.READY}),
    Opcode.STATE: frozenset({State.LOADING, State.READY}),
    Opcode.COMMIT: frozenset({State.LOADING}),
    Opcode.RUN: frozenset({State.READY}),
    Opcode.ABORT: frozenset({State.RUNNING}),
}

FIXED_LENGTHS: dict[Opcode, int] = {
    Opcode.IDENTIFY: 0,
    Opcode.READ: 1,
    Opcode.WRITE: 2,
    Opcode.BEGIN: 2,
    Opcode.COMMIT: 0,
    Opcode.RUN: 0,
    Opcode.ABORT: 0,
}
"""Payload words of the commands that always have the same; the others hold whole records."""


def header(opcode: int, tag: int, payload_words: int) -> int:
    """Word 0 of a packet: ``opcode << 24 | tag << 16 | payload_words``."""
    return (opcode & 0xFF) << 24 | (tag & 0xFF) << 16 | (payload_words & 0xFFFF)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet taken apart."""

    opcode: int
    tag: int
    payload: tuple[int, ...]

    def words(self) -> list[int]:
        """The words on the stream; the last one carries ``last``."""
        return [header(self.opcode, self.tag, len(self.payload)), *self.payload]

    @classmethod
    def parse(cls, words: "list[int] | tuple[int, ...]") -> "Packet":
        """The packet whose words were received up to ``last``."""
        return cls(words[0] >> 24, words[0] >> 16 & 0xFF, tuple(words[1:]))

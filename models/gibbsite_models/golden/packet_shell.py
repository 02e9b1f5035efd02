"""What the shells of all engines share: framing, legal states, registers, answers, runs.

A packet that is sent is taken at once and its answers wait in order. A run's draws are computed
when they are received, so a run is RUNNING until its last packet was taken: commands sent before
that find the engine running, and counters then show what the draws taken so far cost. ABORT ends a
run after the draw taken last.

Source: "The shell" in docs/graph-engine.md and docs/langevin-engine.md.
Twin: ``gibbsite_hw.device_receiver`` and ``gibbsite_hw.device_responder``.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.packets import Engine, ErrorCode, Response, header
from gibbsite_hw.spec.registers import RegisterInfo, State
from gibbsite_models.golden.checks import Refused

__all__ = ["Dialect", "PacketShell", "signed_words", "two_words"]

WORD = 0xFFFF_FFFF
_FIRST_COUNTER = 0x20


@dataclass(frozen=True, slots=True)
class Dialect:
    """The tables of one engine's packets; ``counters`` are the names in the order of DONE.

    Keys are opcodes and offsets, of that engine's own enumerations.
    """

    engine: Engine
    legal_states: Mapping[Any, frozenset[State]]
    fixed_lengths: Mapping[Any, int]
    registers: Mapping[Any, RegisterInfo]
    counters: tuple[str, ...]
    payload_words: int


class PacketShell(ABC):
    """One engine's shell. Protocol: `gibbsite_models.golden.device.EngineShell`.

    A subclass gives `commands`, `record_words`, `status` and the packets of a run.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._answers: deque[list[int]] = deque()
        self._state = State.EMPTY
        self._registers: dict[int, int] = {
            at: info.reset for at, info in dialect.registers.items() if info.writable
        }
        self._run: Iterator[list[int]] | None = None
        self._run_tag = 0
        self._counters: dict[str, int] = dict.fromkeys(dialect.counters, 0)

    # --- what a subclass gives --------------------------------------------------------------------

    @abstractmethod
    def commands(self) -> Mapping[Any, Callable[[int, list[int]], None]]:
        """What each opcode does, called with tag and payload of a packet whose frame is good."""

    @abstractmethod
    def record_words(self, opcode: int) -> int:
        """Payload words of a record of a loading command."""

    @abstractmethod
    def status(self) -> Mapping[int, int]:
        """Values of the registers that show what is loaded."""

    # --- packets ----------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """Answers that wait; the draws of a run are none."""
        return len(self._answers)

    @property
    def pending(self) -> bool:
        """Whether `receive` has something to give: an answer, a draw or the end of a run."""
        return bool(self._answers) or self._run is not None

    def send(self, words: list[int]) -> None:
        """Take one packet of words of 32 bits, well formed or not."""
        tag = words[0] >> 16 & 0xFF
        try:
            opcode, payload = self._check_frame(words)
            self.commands()[opcode](tag, payload)
        except Refused as refused:
            self.answer(Response.ERROR, tag, [int(refused.code), refused.detail])

    def receive(self) -> list[int]:
        """The next answer, else the next packet of a run."""
        if self._answers:
            return self._answers.popleft()
        if self._run is None:
            raise DeviceError(
                "no answer can come, since every command was answered: send a command first"
            )
        return next(self._run)

    def answer(self, kind: Response, tag: int, payload: list[int]) -> None:
        """Queue an answer."""
        self._answers.append([self.header(kind, tag, len(payload)), *payload])

    def header(self, kind: int, tag: int, length: int) -> int:
        """Word 0 of a response of this engine."""
        return header(kind | self._dialect.engine.code, tag, length)

    def _check_frame(self, words: list[int]) -> tuple[int, list[int]]:
        """What holds for every command: length, opcode, state and the length of this opcode."""
        dialect = self._dialect
        opcode, announced, received = words[0] >> 24, words[0] & 0xFFFF, len(words) - 1
        if announced > dialect.payload_words:
            raise Refused(ErrorCode.TOO_LONG, announced)
        if opcode not in dialect.legal_states:
            raise Refused(ErrorCode.UNKNOWN_OPCODE, opcode)
        if received < announced:
            raise Refused(ErrorCode.TRUNCATED, received)
        if received > announced:
            raise Refused(ErrorCode.OVERSIZED, announced)
        if self._state not in dialect.legal_states[opcode]:
            raise Refused(ErrorCode.WRONG_STATE, self._state)
        if opcode in dialect.fixed_lengths:
            fits = announced == dialect.fixed_lengths[opcode]
        else:
            fits = announced > 1 and (announced - 1) % self.record_words(opcode) == 0
        if not fits:
            raise Refused(ErrorCode.BAD_LENGTH, announced)
        return opcode, words[1:]

    def place(self, payload: list[int], record: int, size: int, expected: int | None) -> int:
        """The first address of a packet of records, if it is the expected one and all fit."""
        first = payload[0]
        if expected is not None and first != expected:
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        if first + (len(payload) - 1) // record > size:
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        return first

    # --- registers --------------------------------------------------------------------------------

    def read(self, tag: int, payload: list[int]) -> None:
        """READ."""
        offset = self._register(payload[0])
        self.answer(Response.INFO, tag, [self._value(offset)])

    def write(self, tag: int, payload: list[int]) -> None:
        """WRITE."""
        offset, value = self._register(payload[0]), payload[1]
        info = self._dialect.registers[offset]
        if not info.writable:
            raise Refused(ErrorCode.READ_ONLY, offset)
        if not info.minimum <= value <= info.maximum:
            raise Refused(ErrorCode.BAD_VALUE, 1)
        self._registers[offset] = value
        self.answer(Response.OK, tag, [])

    def _register(self, offset: int) -> int:
        if offset not in self._dialect.registers:
            raise Refused(ErrorCode.BAD_REGISTER, offset)
        return offset

    def _value(self, offset: int) -> int:
        if offset in self._registers:
            return self._registers[offset]
        if offset >= _FIRST_COUNTER:
            place, high = divmod(offset - _FIRST_COUNTER, 2)
            return self._counters[self._dialect.counters[place]] >> 32 * high & WORD
        return self.status()[offset]

    # --- runs -------------------------------------------------------------------------------------

    def begin_run(self, tag: int, packets: Iterator[list[int]]) -> None:
        """Answer RUN; the packets, whose last one ends the run, follow as they are received."""
        self._counters = dict.fromkeys(self._dialect.counters, 0)
        self._run_tag = tag
        self._run = packets
        self._state = State.RUNNING
        self.answer(Response.OK, tag, [])

    def end_run(self, kind: Response) -> None:
        """Queue DONE or ABORTED with the counters; ready again."""
        payload: list[int] = []
        for name in self._dialect.counters:
            payload += two_words(self._counters[name])
        self.answer(kind, self._run_tag, payload)
        self._run = None
        self._state = State.READY

    def abort(self, tag: int, _payload: list[int]) -> None:
        """ABORT."""
        self.answer(Response.OK, tag, [])
        self.end_run(Response.ABORTED)


def two_words(value: int) -> list[int]:
    """A 64-bit two's complement integer, low word first."""
    return [value & WORD, value >> 32 & WORD]


def signed_words(values: "list[int]") -> list[int]:
    """Signed codes as words."""
    return [value & WORD for value in values]

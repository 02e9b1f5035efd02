"""The golden device beside the real one: predicts every answer and every draw from what was seen.

Answers and draws are two ordered streams. The golden device computes draws when they are asked for,
so it is asked for a draw only once the hardware shows a later packet of the run: both then leave
RUNNING at the same word. A command is judged one cycle after its last word.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from gibbsite_hw.spec.langevin_packets import LangevinResponse
from gibbsite_hw.spec.packets import Engine, ErrorCode, Opcode, Response, header
from gibbsite_hw.spec.registers import Register, State
from gibbsite_sim.cosim.dialects import GRAPH, Dialect
from gibbsite_sim.cosim.registers import RegisterModel
from gibbsite_sim.cosim.streams import PacketSeen

__all__ = ["Answered", "Golden", "PacketPredictor"]

READ_DELAY = 4
"""Cycles from a command's last word to the one in which READ looks at its register."""

MOMENTS = LangevinResponse.MOMENTS ^ Engine.LANGEVIN.code
"""Packets of a run that only one engine sends; in the order of draws."""


class Golden(Protocol):
    """A golden device or the golden shell of one engine."""

    def send(self, words: list[int]) -> None:
        """Take one packet."""

    def receive(self) -> list[int]:
        """The next answer, else the next packet of a run."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A command that was answered as predicted: what coverage counts."""

    words: tuple[int, ...]
    state: State
    error: IntEnum | None
    detail: int
    stalled: bool

    @property
    def opcode(self) -> int:
        """The opcode, known or not."""
        return self.words[0] >> 24


@dataclass(slots=True)
class _Expected:
    command: PacketSeen
    state: State
    answer: list[int]
    live: bool


class PacketPredictor(ABC):
    """Fed with packets in the order of their last words, responses before commands in one cycle.

    Raises AssertionError at the first word that differs. ``on_answer`` and ``on_run`` (with DONE or
    ABORTED) hear what was right. A subclass says what an engine does for itself.
    """

    dialect: Dialect = GRAPH

    def __init__(
        self, on_answer: Callable[[Answered], None], on_run: Callable[[Response], None]
    ) -> None:
        self._on_answer = on_answer
        self._on_run = on_run
        self.registers = RegisterModel(self.dialect.registers)
        self.answers = 0
        self.draws = 0
        self.runs = 0
        self.words = 0
        self.reset()

    # --- what a subclass gives --------------------------------------------------------------------

    @abstractmethod
    def golden(self) -> Golden:
        """A golden shell as it is after reset."""

    @abstractmethod
    def check_aborted(self, counters: Sequence[int], draws: int) -> None:
        """Counters of a run that was cut off after so many draws. Raises AssertionError."""

    # ----------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """The hardware was reset."""
        self._golden = self.golden()
        self.registers.reset()
        self._expected: deque[_Expected] = deque()
        self._draws: deque[list[int]] = deque()
        self._tag = 0
        self._aborting = False
        self._run_draws = 0
        self._ended = -1
        self._aborted: dict[int, int] = {}
        self._live: list[tuple[int, int]] = []
        self.running = False

    @property
    def open(self) -> int:
        """Commands without their answer."""
        return len(self._expected)

    # --- commands ---------------------------------------------------------------------------------

    def command(self, seen: PacketSeen) -> None:
        """A whole command went in."""
        words, code = seen.words, self.dialect.common(seen.words)
        state = self.state()
        live = False
        if self.running and words == [self._header(Opcode.ABORT, words[0])]:
            # The golden device would stop at once, the hardware goes on to the end of a sweep.
            answer = [self._header(Response.OK, words[0])]
            self._aborting = True
        else:
            self._golden.send(words)
            answer = self._golden.receive()
            register = words[1] if code == Opcode.READ and len(words) == 2 else None
            if register is not None and self.dialect.common(answer) == Response.INFO:
                live = self.running and register >= Register.STATE
                if register in self._aborted:
                    answer[1] = self._aborted[register]
        self._check_registers(words, answer, live)
        if code == Opcode.RUN and self.dialect.common(answer) == Response.OK:
            self.running, self._tag, self._run_draws = True, words[0] >> 16 & 0xFF, 0
            self._aborting, self._aborted, self._live = False, {}, []
        self._expected.append(_Expected(seen, state, answer, live))

    def state(self) -> State:
        """The state in which the next command finds the device."""
        if self.running:
            return State.RUNNING
        self._golden.send([header(self.dialect.own(Opcode.READ), 0, 1), Register.STATE])
        return State(self._golden.receive()[1])

    def _check_registers(self, words: list[int], answer: list[int], live: bool) -> None:
        """The golden device and the register model must agree on every READ and WRITE."""
        opcode, kind = self.dialect.common(words), self.dialect.common(answer)
        error = answer[1] if kind == Response.ERROR else None
        if error is not None and error < ErrorCode.BAD_VALUE:
            return  # refused for its frame or state, before any register was looked at
        said: tuple[int | None, int | None]
        if opcode == Opcode.WRITE:
            said = self.registers.write(words[1], words[2])
            given = (error, answer[2] if error is not None else 0)
        elif opcode == Opcode.READ:
            said = self.registers.read(words[1])
            given = (error, answer[2] if error is not None else answer[1])
            if said == (None, None):
                return
        else:
            return
        if said != given:
            raise AssertionError(f"{words}: golden says {given}, the register map {said}")
        self.registers.checked += not live

    # --- responses --------------------------------------------------------------------------------

    def response(self, seen: PacketSeen) -> None:
        """A whole response came out."""
        self.words += len(seen.words)
        kind = self.dialect.common(seen.words)
        if kind in (Response.DRAW, MOMENTS):
            self._draw(seen.words)
        elif kind in (Response.DONE, Response.ABORTED):
            self._end(seen, Response(kind))
        else:
            self._answer(seen)

    def _answer(self, seen: PacketSeen) -> None:
        if not self._expected:
            raise AssertionError(f"an answer without a command: {_show(seen.words)}")
        expected = self._expected.popleft()
        if expected.live:
            self._check_live(expected, seen.words)
        elif seen.words != expected.answer:
            raise AssertionError(
                f"command {_show(expected.command.words)} in {expected.state.name} is answered "
                f"{_show(seen.words)} and not {_show(expected.answer)}"
            )
        self.answers += 1
        refused = self.dialect.common(seen.words) == Response.ERROR
        error = self.dialect.errors(seen.words[1]) if refused else None
        detail = seen.words[2] if refused else 0
        stalled = expected.command.stalled or seen.stalled
        words = tuple(expected.command.words)
        self._on_answer(Answered(words, expected.state, error, detail, stalled))

    def _check_live(self, expected: _Expected, words: list[int]) -> None:
        """Registers that move while a run goes on."""
        register = expected.command.words[1]
        if words[0] != expected.answer[0] or len(words) != 2:
            raise AssertionError(f"READ of {register:#x} is answered {_show(words)}")
        if register == Register.STATE:
            looked = expected.command.last + READ_DELAY
            ended = expected.command.last < self._ended < looked
            wanted = State.READY if ended else State.RUNNING
            if words[1] != wanted:
                raise AssertionError(f"STATE reads {words[1]} in a run, and not {wanted}")
        elif register < Register.CYCLES_LOW:
            if words != expected.answer:
                raise AssertionError(f"READ of {register:#x}: {_show(words)}")
        else:
            before = [value for at, value in self._live if at == register]
            if before and words[1] < before[-1]:
                raise AssertionError(f"counter {register:#x} fell from {before[-1]} to {words[1]}")
            self._live.append((register, words[1]))

    def _draw(self, words: list[int]) -> None:
        if not self.running:
            raise AssertionError(f"a draw without a run: {_show(words)}")
        if any(
            e.state is State.READY and self.dialect.common(e.command.words) == Opcode.RUN
            for e in self._expected
        ):
            raise AssertionError("a draw came before the answer to its RUN")
        self._run_draws += self.dialect.common(words) == Response.DRAW
        self._draws.append(words)
        if len(self._draws) > 1:
            self._compare_draw()

    def _compare_draw(self) -> None:
        words, wanted = self._draws.popleft(), self._golden.receive()
        if words != wanted:
            raise AssertionError(f"draw {_show(words)} should be {_show(wanted)}")
        self.draws += 1

    def _end(self, seen: PacketSeen, kind: Response) -> None:
        words = seen.words
        if not self.running:
            raise AssertionError(f"the end of a run that was not started: {_show(words)}")
        while self._draws:
            self._compare_draw()
        if kind is Response.ABORTED:
            if not self._aborting:
                raise AssertionError("ABORTED without ABORT")
            self._golden.send([self._header(Opcode.ABORT)])
            wanted = [self._golden.receive(), self._golden.receive()]
            if [self.dialect.common(w) for w in wanted] != [Response.OK, Response.ABORTED]:
                raise AssertionError("ABORTED, though every draw was sent: that is DONE")
            self._take_aborted(words)
        else:
            wanted_words = self._golden.receive()
            if words != wanted_words:
                raise AssertionError(f"{_show(words)} should be {_show(wanted_words)}")
        for register, value in self._live:
            final = words[1 + register - Register.CYCLES_LOW]
            if value > final:
                raise AssertionError(f"counter {register:#x} was {value} and ended at {final}")
        self.runs += 1
        self.running = False
        self._ended = seen.last
        self._on_run(kind)

    def _take_aborted(self, words: list[int]) -> None:
        if (
            words[0] != header(self.dialect.own(Response.ABORTED), self._tag, 12)
            or len(words) != 13
        ):
            raise AssertionError(f"ABORTED is {_show(words)}")
        values = [low | high << 32 for low, high in zip(words[1::2], words[2::2], strict=True)]
        self.check_aborted(values, self._run_draws)
        self._aborted = {Register.CYCLES_LOW + n: word for n, word in enumerate(words[1:])}
        if not all(at in self.dialect.registers for at in self._aborted):
            raise AssertionError("the counters of DONE are not the registers of the map")

    def _header(self, code: int, like: int = 0) -> int:
        """Word 0 of a packet without payload, with the tag of another one."""
        return header(self.dialect.own(code), like >> 16 & 0xFF, 0)

    def finish(self) -> None:
        """End of a test: nothing is open, and something was compared."""
        if self._expected or self.running:
            raise AssertionError(f"{len(self._expected)} commands unanswered, or a run unended")
        if not self.answers:
            raise AssertionError("the scoreboard saw no answer at all")


def _show(words: Sequence[int]) -> str:
    """Words in hexadecimal, long packets cut."""
    text = " ".join(f"{word:08x}" for word in words[:20])
    return text + (f" ... ({len(words)} words)" if len(words) > 20 else "")

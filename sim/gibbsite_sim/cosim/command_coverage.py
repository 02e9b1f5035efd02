"""Functional coverage of commands: bins from an engine's tables, filled with what was right."""

from collections.abc import Sequence
from enum import IntEnum

from gibbsite_hw.spec.packets import ENGINE_FIELD, ErrorCode, Opcode, Response
from gibbsite_hw.spec.registers import Register, State
from gibbsite_sim.cosim.dialects import GRAPH, Dialect
from gibbsite_sim.cosim.packet_predictor import Answered

__all__ = ["Bin", "CommandCoverage"]

Bin = tuple[str, ...]


class CommandCoverage:
    """Counts bins; a bin that nobody foresaw is an error.

    Commands in every state with and without stalls, error codes, registers, ends of runs with all
    flags, resets. A subclass adds ``more`` bins of its engine's programs.
    """

    def __init__(self, dialect: Dialect = GRAPH, more: Sequence[Bin] = ()) -> None:
        self.dialect = dialect
        self.hits: dict[Bin, int] = dict.fromkeys([*bins(dialect), *more], 0)
        self.forget()

    def forget(self) -> None:
        """The device was reset: no program, registers as the map says."""
        self.registers = {int(at): info.reset for at, info in self.dialect.registers.items()}

    def missing(self) -> list[Bin]:
        """Bins that were never hit."""
        return [name for name, hits in self.hits.items() if not hits]

    def hit(self, *name: str) -> None:
        """Count one bin."""
        self.hits[name] += 1

    def reset_in(self, state: State) -> None:
        """The reset was pulsed in this state."""
        self.hit("reset", state.name)
        self.forget()

    def run_ended(self, kind: Response) -> None:
        """DONE or ABORTED came, and all before it was right."""
        self.hit("end", kind.name)
        flags = self.registers[Register.FLAGS]
        self.hit("flags", str(self.dialect.flags(flags)) if flags else "none")

    def answered(self, event: Answered) -> None:
        """A command was answered as predicted."""
        if event.error is not None:
            self.hit("error", event.error.name)
        if event.opcode not in self.dialect.legal_states:
            return
        opcode = self.dialect.opcodes(event.opcode)
        framed = event.error not in (
            ErrorCode.TRUNCATED,
            ErrorCode.OVERSIZED,
            ErrorCode.TOO_LONG,
        )
        legal = event.state in self.dialect.legal_states[opcode]
        if framed and legal == (event.error == ErrorCode.WRONG_STATE):
            raise AssertionError(f"{opcode.name} in {event.state.name} gave {event.error}")
        # a command that is legal counts once it was accepted, not when its payload was refused
        if event.error is None or (framed and not legal):
            stalled = "stalled" if event.stalled else "flowing"
            self.hit("command", opcode.name, event.state.name, stalled)
        payload = event.words[1:]
        if opcode & ~ENGINE_FIELD in (Opcode.READ, Opcode.WRITE) and framed and legal:
            self._register(opcode, payload, event.error)
        if event.error is None:
            self.follow(opcode, payload)
        elif framed and legal:
            self.refused(opcode, event)

    def follow(self, opcode: IntEnum, payload: tuple[int, ...]) -> None:
        """A command was accepted."""

    def refused(self, opcode: IntEnum, event: Answered) -> None:
        """A command was refused for what it says."""

    def _register(self, opcode: IntEnum, payload: tuple[int, ...], error: IntEnum | None) -> None:
        if error == ErrorCode.BAD_LENGTH or payload[0] not in self.dialect.registers:
            return
        name = type(next(iter(self.dialect.registers)))(payload[0]).name
        self.hit("register", name, opcode.name if error is None else error.name)
        if opcode & ~ENGINE_FIELD == Opcode.WRITE and error is None:
            self.registers[payload[0]] = payload[1]


def bins(dialect: Dialect) -> list[Bin]:
    """Every bin that any engine has, in words."""
    found: list[Bin] = [
        ("command", opcode.name, state.name, flow)
        for opcode in dialect.opcodes
        for state in State
        for flow in ("stalled", "flowing")
    ]
    found += [("error", code.name) for code in dialect.errors]
    found += [("flags", str(dialect.flags(n)) if n else "none") for n in range(8)]
    found += [("end", kind.name) for kind in (Response.DONE, Response.ABORTED)]
    found += [("reset", state.name) for state in State]
    for register, info in dialect.registers.items():
        found.append(("register", register.name, "READ"))
        access = "WRITE" if info.writable else ErrorCode.READ_ONLY.name
        found.append(("register", register.name, access))
        if info.writable and (info.minimum > 0 or info.maximum < 0xFFFF_FFFF):
            found.append(("register", register.name, ErrorCode.BAD_VALUE.name))
    return found

"""Functional coverage: bins from `spec`, filled with commands and runs that were found right."""

from gibbsite_hw.spec.packets import LEGAL_STATES, ErrorCode, Opcode, Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_sim.cosim.predictor import Answered

__all__ = ["Coverage"]

Bin = tuple[str, ...]


class Coverage:
    """Counts bins; a bin that nobody foresaw is an error."""

    def __init__(self, parameters: GraphParameters) -> None:
        self._parameters = parameters
        self.hits: dict[Bin, int] = dict.fromkeys(bins(parameters), 0)
        self.forget()

    def forget(self) -> None:
        """The device was reset: no program, registers as the map says."""
        self._registers = {at: info.reset for at, info in REGISTERS.items()}
        self._rows: list[Row] = []
        self._on: dict[int, int] = {}
        self._off: dict[int, int] = {}

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
        flags = self._registers[Register.FLAGS]
        self.hit("flags", str(RunFlags(flags)) if flags else "none")
        size, clamped = 0, False
        for number, row in enumerate(self._rows):
            on, off = (masks.get(number, 0) & row.mask for masks in (self._on, self._off))
            names = ("state" if row.group else "p-bit",)
            for kind_of, used in (("on", on), ("off", off), ("free", row.mask & ~(on | off))):
                if used:
                    self.hit("clamp", *names, kind_of)
            if row.group:
                size = (0 if row.first else size) + row.mask.bit_count()
                clamped = (clamped and not row.first) or bool(on | off)
                name = ("group", str(size), "clamped" if clamped else "free")
                if row.last and name in self.hits:
                    self.hit(*name)
            self.hit("fold", str(row.fold))

    def answered(self, event: Answered) -> None:
        """A command was answered as predicted."""
        if event.error is not None:
            self.hit("error", event.error.name)
        if event.opcode not in LEGAL_STATES:
            return
        opcode = Opcode(event.opcode)
        framed = event.error not in (
            ErrorCode.TRUNCATED,
            ErrorCode.OVERSIZED,
            ErrorCode.TOO_LONG,
        )
        legal = event.state in LEGAL_STATES[opcode]
        if framed and legal == (event.error is ErrorCode.WRONG_STATE):
            raise AssertionError(f"{opcode.name} in {event.state.name} gave {event.error}")
        # a command that is legal counts once it was accepted, not when its payload was refused
        if event.error is None or (framed and not legal):
            stalled = "stalled" if event.stalled else "flowing"
            self.hit("command", opcode.name, event.state.name, stalled)
        payload = event.words[1:]
        if opcode in (Opcode.READ, Opcode.WRITE) and framed and legal:
            self._register(opcode, payload, event.error)
        if event.error is None:
            self._follow(opcode, payload)

    def _register(self, opcode: Opcode, payload: tuple[int, ...], error: ErrorCode | None) -> None:
        if error is ErrorCode.BAD_LENGTH or payload[0] not in REGISTERS:
            return
        register = Register(payload[0])
        access = opcode.name if error is None else error.name
        self.hit("register", register.name, access)
        if opcode is Opcode.WRITE and error is None:
            self._registers[register] = payload[1]

    def _follow(self, opcode: Opcode, payload: tuple[int, ...]) -> None:
        if opcode is Opcode.BEGIN:
            self._rows, self._on, self._off = [], {}, {}
        elif opcode is Opcode.ROWS:
            pairs = zip(payload[1::2], payload[2::2], strict=True)
            self._rows += [Row.decode(descriptor, mask) for descriptor, mask in pairs]
        elif opcode is Opcode.CLAMPS:
            for n in range((len(payload) - 1) // 2):
                self._on[payload[0] + n] = payload[1 + 2 * n]
                self._off[payload[0] + n] = payload[2 + 2 * n]


def bins(parameters: GraphParameters) -> list[Bin]:
    """Every bin, in words."""
    lanes = parameters.lanes
    found: list[Bin] = [
        ("command", opcode.name, state.name, flow)
        for opcode in Opcode
        for state in State
        for flow in ("stalled", "flowing")
    ]
    found += [("error", code.name) for code in ErrorCode]
    sizes = (1, lanes - 1, lanes, lanes + 1, parameters.max_group)
    found += [("group", str(n), how) for n in sizes for how in ("clamped", "free")]
    found += [("clamp", kind, how) for kind in ("p-bit", "state") for how in ("on", "off", "free")]
    found += [("flags", str(RunFlags(n)) if n else "none") for n in range(8)]
    found += [("fold", str(fold)) for fold in range(parameters.lane_bits + 1)]
    found += [("end", kind.name) for kind in (Response.DONE, Response.ABORTED)]
    found += [("reset", state.name) for state in State]
    for register, info in REGISTERS.items():
        found.append(("register", register.name, "READ"))
        access = "WRITE" if info.writable else ErrorCode.READ_ONLY.name
        found.append(("register", register.name, access))
        if info.writable and (info.minimum > 0 or info.maximum < 0xFFFF_FFFF):
            found.append(("register", register.name, ErrorCode.BAD_VALUE.name))
    return found

"""The graph engine's shell at packet level: `GraphEngine` behind packets, without a clock.

A packet that is sent is taken at once and its answers wait in order. A run's draws are computed
when they are received, so a run is RUNNING until its last draw was taken: commands sent before that
find the device running, and counters then show what the draws taken so far cost. ABORT ends a run
after the draw taken last.

Source: "The shell" in docs/graph-engine.md; `gibbsite_hw.spec.packets` and `registers`.
Twin: ``gibbsite_hw.graph_shell``.
"""

from array import array
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.packets import (
    FIXED_LENGTHS,
    LEGAL_STATES,
    MAGIC,
    ErrorCode,
    Opcode,
    Response,
    header,
)
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.program import Conditions, Counters, Row, RunRequest
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_models.golden.checks import (
    Refused,
    check_entries,
    check_program,
    check_run,
    check_signed,
    check_words,
    decode_rows,
)
from gibbsite_models.golden.graph import Draws, GraphEngine

__all__ = ["GraphShell"]

_WORD = 0xFFFF_FFFF

_COUNTERS: dict[Register, str] = {
    Register.CYCLES_LOW: "cycles",
    Register.SWEEP_CYCLES_LOW: "sweep_cycles",
    Register.TERMS_LOW: "terms",
    Register.UPDATES_LOW: "updates",
    Register.SWEEPS_LOW: "sweeps",
    Register.READS_LOW: "reads",
}


class GraphShell:
    """The golden shell of the graph engine; ``fingerprint`` is that of the whole device.

    ``engine`` is `GraphEngine` or, in tests of tests, a broken one. Protocol:
    `gibbsite_models.golden.device.EngineShell`.
    """

    def __init__(
        self,
        parameters: GraphParameters,
        fingerprint: int,
        engine: type[GraphEngine] = GraphEngine,
    ) -> None:
        self._parameters = parameters
        self._fingerprint = fingerprint
        self._engine_type = engine
        self._answers: deque[list[int]] = deque()
        self._state = State.EMPTY
        self._registers = {at: info.reset for at, info in REGISTERS.items() if info.writable}
        self._program_rows = 0
        self._program_words = 0
        self._rows: list[Row] = []
        self._entries = array("I")
        self._biases = array("i")
        self._biases_loaded = 0
        self._on = array("I")
        self._off = array("I")
        self._betas = array("I")
        self._given = array("I")
        self._engine: GraphEngine | None = None
        self._run: Iterator[list[int]] | None = None
        self._run_tag = 0
        self._counters = Counters()
        self._commands: dict[Opcode, Callable[[int, list[int]], None]] = {
            Opcode.IDENTIFY: self._identify,
            Opcode.READ: self._read,
            Opcode.WRITE: self._write,
            Opcode.BEGIN: self._begin,
            Opcode.ROWS: self._load_rows,
            Opcode.ENTRIES: self._load_entries,
            Opcode.BIASES: self._load_biases,
            Opcode.CLAMPS: self._load_clamps,
            Opcode.SCHEDULE: self._load_schedule,
            Opcode.STATE: self._load_state,
            Opcode.COMMIT: self._commit,
            Opcode.RUN: self._start_run,
            Opcode.ABORT: self._abort,
        }

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
            self._commands[opcode](tag, payload)
        except Refused as refused:
            self._answer(Response.ERROR, tag, [int(refused.code), refused.detail])

    def receive(self) -> list[int]:
        """The next answer or draw. Raises `DeviceError` when nothing was asked."""
        if self._answers:
            return self._answers.popleft()
        if self._run is None:
            raise DeviceError(
                "no answer can come, since every command was answered: send a command first"
            )
        draw = next(self._run)
        if (
            self._counters.reads
            == self._registers[Register.CHAINS] * self._registers[Register.DRAWS]
        ):
            self._end_run(Response.DONE)
        return draw

    def _answer(self, kind: Response, tag: int, payload: list[int]) -> None:
        self._answers.append([header(kind, tag, len(payload)), *payload])

    def _check_frame(self, words: list[int]) -> tuple[Opcode, list[int]]:
        """What holds for every command: length, opcode, state and the length of this opcode."""
        announced, received = words[0] & 0xFFFF, len(words) - 1
        if announced > self._parameters.payload_words:
            raise Refused(ErrorCode.TOO_LONG, announced)
        if words[0] >> 24 not in LEGAL_STATES:
            raise Refused(ErrorCode.UNKNOWN_OPCODE, words[0] >> 24)
        if received < announced:
            raise Refused(ErrorCode.TRUNCATED, received)
        if received > announced:
            raise Refused(ErrorCode.OVERSIZED, announced)
        opcode = Opcode(words[0] >> 24)
        if self._state not in LEGAL_STATES[opcode]:
            raise Refused(ErrorCode.WRONG_STATE, self._state)
        if opcode in FIXED_LENGTHS:
            fits = announced == FIXED_LENGTHS[opcode]
        else:
            fits = announced > 1 and (announced - 1) % self._record(opcode) == 0
        if not fits:
            raise Refused(ErrorCode.BAD_LENGTH, announced)
        return opcode, words[1:]

    def _record(self, opcode: Opcode) -> int:
        """Payload words of one row, coupling word or step."""
        if opcode in (Opcode.ENTRIES, Opcode.BIASES):
            return self._parameters.lanes
        return 2 if opcode in (Opcode.ROWS, Opcode.CLAMPS) else 1

    # --- registers --------------------------------------------------------------------------------

    def _identify(self, tag: int, _payload: list[int]) -> None:
        p = self._parameters
        fingerprint = self._fingerprint
        words = [MAGIC, SPEC_VERSION, fingerprint & _WORD, fingerprint >> 32]
        self._answer(Response.INFO, tag, [*words, p.lanes, p.rows, p.words, p.schedule_steps])

    def _read(self, tag: int, payload: list[int]) -> None:
        self._answer(Response.INFO, tag, [self._value(self._register(payload[0]))])

    def _write(self, tag: int, payload: list[int]) -> None:
        offset, value = payload
        register = self._register(offset)
        info = REGISTERS[register]
        if not info.writable:
            raise Refused(ErrorCode.READ_ONLY, offset)
        if not info.minimum <= value <= info.maximum:
            raise Refused(ErrorCode.BAD_VALUE, 1)
        self._registers[register] = value
        self._answer(Response.OK, tag, [])

    def _register(self, offset: int) -> Register:
        if offset not in REGISTERS:
            raise Refused(ErrorCode.BAD_REGISTER, offset)
        return Register(offset)

    def _value(self, register: Register) -> int:
        if register in self._registers:
            return self._registers[register]
        if register is Register.STATE:
            return self._state
        if register is Register.ROWS:
            return self._program_rows
        if register is Register.WORDS:
            return self._program_words
        if register in _COUNTERS:
            return int(getattr(self._counters, _COUNTERS[register])) & _WORD
        low = Register(register - 1)
        return int(getattr(self._counters, _COUNTERS[low])) >> 32 & _WORD

    # --- the program ------------------------------------------------------------------------------

    def _begin(self, tag: int, payload: list[int]) -> None:
        rows, words = payload
        if not 1 <= rows <= self._parameters.rows:
            raise Refused(ErrorCode.BAD_SIZE, 0)
        if not 1 <= words <= self._parameters.words:
            raise Refused(ErrorCode.BAD_SIZE, 1)
        self._program_rows, self._program_words = rows, words
        self._rows, self._entries = [], array("I")
        self._biases, self._biases_loaded = array("i", [0]) * (rows * self._parameters.lanes), 0
        self._on, self._off = array("I", [0]) * rows, array("I", [0]) * rows
        self._given, self._betas = array("I", [0]) * rows, array("I")
        self._engine = None
        self._state = State.LOADING
        self._answer(Response.OK, tag, [])

    def _place(self, payload: list[int], record: int, size: int, expected: int | None) -> int:
        """The first address of a packet of records, if it is the expected one and all fit."""
        first = payload[0]
        if expected is not None and first != expected:
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        if first + (len(payload) - 1) // record > size:
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        return first

    def _load_rows(self, tag: int, payload: list[int]) -> None:
        self._place(payload, 2, self._program_rows, len(self._rows))
        self._rows += decode_rows(self._parameters, payload)
        self._answer(Response.OK, tag, [])

    def _load_entries(self, tag: int, payload: list[int]) -> None:
        lanes = self._parameters.lanes
        self._place(payload, lanes, self._program_words, len(self._entries) // lanes)
        check_entries(self._parameters, self._program_rows, payload)
        self._entries.extend(payload[1:])
        self._answer(Response.OK, tag, [])

    def _load_biases(self, tag: int, payload: list[int]) -> None:
        lanes = self._parameters.lanes
        expected = self._biases_loaded if self._state is State.LOADING else None
        first = self._place(payload, lanes, self._program_rows, expected)
        codes = check_signed(self._parameters.bias_max, payload)
        self._biases[first * lanes : first * lanes + len(codes)] = array("i", codes)
        if self._state is State.LOADING:
            self._biases_loaded += len(codes) // lanes
        self._answer(Response.OK, tag, [])

    def _load_clamps(self, tag: int, payload: list[int]) -> None:
        first = self._place(payload, 2, self._program_rows, None)
        check_words((1 << self._parameters.lanes) - 1, payload)
        count = (len(payload) - 1) // 2
        self._on[first : first + count] = array("I", payload[1::2])
        self._off[first : first + count] = array("I", payload[2::2])
        self._answer(Response.OK, tag, [])

    def _load_schedule(self, tag: int, payload: list[int]) -> None:
        first = self._place(payload, 1, self._parameters.schedule_steps, None)
        if first > len(self._betas):
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        check_words(self._parameters.beta_max, payload)
        self._betas[first : first + len(payload) - 1] = array("I", payload[1:])
        self._answer(Response.OK, tag, [])

    def _load_state(self, tag: int, payload: list[int]) -> None:
        first = self._place(payload, 1, self._program_rows, None)
        check_words((1 << self._parameters.lanes) - 1, payload)
        self._given[first : first + len(payload) - 1] = array("I", payload[1:])
        self._answer(Response.OK, tag, [])

    def _commit(self, tag: int, _payload: list[int]) -> None:
        lanes = self._parameters.lanes
        loaded = (len(self._rows), self._biases_loaded, len(self._entries) // lanes)
        if loaded != (self._program_rows, self._program_rows, self._program_words):
            raise Refused(ErrorCode.BAD_ROWS, self._program_rows)
        check_program(self._parameters, self._rows, self._program_words)
        entries = np.array(self._entries, dtype=np.uint32).reshape(-1, lanes)
        self._engine = self._engine_type(self._parameters, self._rows, entries)
        self._state = State.READY
        self._answer(Response.OK, tag, [])

    # --- runs -------------------------------------------------------------------------------------

    def _start_run(self, tag: int, _payload: list[int]) -> None:
        registers = self._registers
        steps, flags = registers[Register.STEPS], registers[Register.FLAGS]
        if steps > len(self._betas):
            raise Refused(ErrorCode.NO_SCHEDULE, steps)
        given = self._given if flags & RunFlags.GIVEN_STATE else None
        check_run(self._rows, self._on, self._off, given)
        request = RunRequest(
            betas=self._betas[:steps],
            seed=registers[Register.SEED_HIGH] << 32 | registers[Register.SEED_LOW],
            chains=registers[Register.CHAINS],
            draws=registers[Register.DRAWS],
            first_chain=registers[Register.FIRST_CHAIN],
            sweeps_per_step=registers[Register.SWEEPS_PER_STEP],
            thin=registers[Register.THIN],
            samples=bool(flags & RunFlags.SAMPLES),
            best=bool(flags & RunFlags.BEST),
            state=given,
        )
        assert self._engine is not None, "READY has an engine"
        self._engine.condition(Conditions(self._biases, self._on, self._off))
        self._counters = Counters()
        self._run_tag = tag
        self._run = self._draw_packets(self._engine, request)
        self._state = State.RUNNING
        self._answer(Response.OK, tag, [])

    def _draw_packets(self, engine: GraphEngine, request: RunRequest) -> Iterator[list[int]]:
        """DRAW after DRAW; the counters stand as they are when the draw at hand is sent."""
        read = 0
        for block in engine.run(request):
            for draw in _payloads(block, request):
                chain, number = divmod(read, request.draws)
                read += 1
                self._count(engine, request, chain, number)
                payload = [(request.first_chain + chain) & _WORD, number, *draw]
                yield [header(Response.DRAW, self._run_tag, len(payload)), *payload]

    def _count(self, engine: GraphEngine, request: RunRequest, chain: int, draw: int) -> None:
        """Counters when this draw of this chain is sent: whole chains before it, and its own."""
        cost = engine.cost
        burn_in = len(request.betas) * request.sweeps_per_step
        whole = burn_in + (request.draws - 1) * request.thin
        sweeps = chain * whole + burn_in + draw * request.thin
        self._counters = Counters(
            cycles=(chain + 1) * (cost.seeding + cost.cycles) + sweeps * cost.cycles,
            sweep_cycles=sweeps * cost.cycles,
            terms=sweeps * cost.terms,
            updates=sweeps * cost.updates,
            sweeps=sweeps,
            reads=chain * request.draws + draw + 1,
        )

    def _abort(self, tag: int, _payload: list[int]) -> None:
        self._answer(Response.OK, tag, [])
        self._end_run(Response.ABORTED)

    def _end_run(self, kind: Response) -> None:
        payload: list[int] = []
        for name in _COUNTERS.values():
            value = int(getattr(self._counters, name))
            payload += [value & _WORD, value >> 32 & _WORD]
        self._answer(kind, self._run_tag, payload)
        self._run = None
        self._state = State.READY


def _payloads(block: Draws, request: RunRequest) -> Iterator[list[int]]:
    """Energy and state, then best energy and best state, of every draw of a block in order."""
    for chain in range(block.energies.shape[0]):
        energies = block.energies[chain].tolist()
        best_energies = block.best_energies[chain].tolist()
        for draw in range(block.energies.shape[1]):
            payload = _two_words(energies[draw]) + block.states[chain, draw].tolist()
            if request.best:
                payload += _two_words(best_energies[draw])
                payload += block.best_states[chain, draw].tolist()
            yield payload


def _two_words(value: int) -> list[int]:
    """A 64-bit two's complement integer, low word first."""
    return [value & _WORD, value >> 32 & _WORD]

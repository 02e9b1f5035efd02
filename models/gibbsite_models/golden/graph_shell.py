"""The golden shell of the graph engine: packets in, packets out.

Source: "The shell" in docs/graph-engine.md; `gibbsite_hw.spec.packets` and `registers`.
Twin: ``gibbsite_hw.graph_shell``.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gibbsite_hw.spec.packets import (
    FIXED_LENGTHS,
    LEGAL_STATES,
    MAGIC,
    Engine,
    ErrorCode,
    Opcode,
    Response,
)
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.program import Conditions, Row, RunRequest
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
from gibbsite_models.golden.packet_shell import WORD, Dialect, PacketShell, two_words

__all__ = ["GraphShell"]

COUNTERS = ("cycles", "sweep_cycles", "terms", "updates", "sweeps", "reads")


class GraphShell(PacketShell):
    """The shell around `GraphEngine`; ``fingerprint`` is that of the whole device.

    ``engine`` is `GraphEngine` or, in tests of tests, a broken one.
    """

    def __init__(
        self,
        parameters: GraphParameters,
        fingerprint: int,
        engine: type[GraphEngine] = GraphEngine,
    ) -> None:
        super().__init__(
            Dialect(
                engine=Engine.GRAPH,
                legal_states=LEGAL_STATES,
                fixed_lengths=FIXED_LENGTHS,
                registers=REGISTERS,
                counters=COUNTERS,
                payload_words=parameters.payload_words,
            )
        )
        self._parameters = parameters
        self._fingerprint = fingerprint
        self._engine_type = engine
        self._engine: GraphEngine | None = None
        self._forget(0, 0)

    def commands(self) -> Mapping[Any, Callable[[int, list[int]], None]]:
        """What each opcode does."""
        return {
            Opcode.IDENTIFY: self._identify,
            Opcode.READ: self.read,
            Opcode.WRITE: self.write,
            Opcode.BEGIN: self._begin,
            Opcode.ROWS: self._load_rows,
            Opcode.ENTRIES: self._load_entries,
            Opcode.BIASES: self._load_biases,
            Opcode.CLAMPS: self._load_clamps,
            Opcode.SCHEDULE: self._load_schedule,
            Opcode.STATE: self._load_state,
            Opcode.COMMIT: self._commit,
            Opcode.RUN: self._start_run,
            Opcode.ABORT: self.abort,
        }

    def record_words(self, opcode: int) -> int:
        """Payload words of one row, coupling word or step."""
        if opcode in (Opcode.ENTRIES, Opcode.BIASES):
            return self._parameters.lanes
        return 2 if opcode in (Opcode.ROWS, Opcode.CLAMPS) else 1

    def status(self) -> Mapping[int, int]:
        """Registers that show what is loaded."""
        return {
            Register.STATE: self._state,
            Register.ROWS: self._program_rows,
            Register.WORDS: self._program_words,
        }

    # --- the program ------------------------------------------------------------------------------

    def _forget(self, rows: int, words: int) -> None:
        """No program but its size."""
        self._program_rows, self._program_words = rows, words
        self._rows: list[Row] = []
        self._entries = array("I")
        self._biases, self._biases_loaded = array("i", [0]) * (rows * self._parameters.lanes), 0
        self._on, self._off = array("I", [0]) * rows, array("I", [0]) * rows
        self._given, self._betas = array("I", [0]) * rows, array("I")

    def _identify(self, tag: int, _payload: list[int]) -> None:
        p, fingerprint = self._parameters, self._fingerprint
        words = [MAGIC, SPEC_VERSION, fingerprint & WORD, fingerprint >> 32]
        self.answer(Response.INFO, tag, [*words, p.lanes, p.rows, p.words, p.schedule_steps])

    def _begin(self, tag: int, payload: list[int]) -> None:
        rows, words = payload
        if not 1 <= rows <= self._parameters.rows:
            raise Refused(ErrorCode.BAD_SIZE, 0)
        if not 1 <= words <= self._parameters.words:
            raise Refused(ErrorCode.BAD_SIZE, 1)
        self._forget(rows, words)
        self._engine = None
        self._state = State.LOADING
        self.answer(Response.OK, tag, [])

    def _load_rows(self, tag: int, payload: list[int]) -> None:
        self.place(payload, 2, self._program_rows, len(self._rows))
        self._rows += decode_rows(self._parameters, payload)
        self.answer(Response.OK, tag, [])

    def _load_entries(self, tag: int, payload: list[int]) -> None:
        lanes = self._parameters.lanes
        self.place(payload, lanes, self._program_words, len(self._entries) // lanes)
        check_entries(self._parameters, self._program_rows, payload)
        self._entries.extend(payload[1:])
        self.answer(Response.OK, tag, [])

    def _load_biases(self, tag: int, payload: list[int]) -> None:
        lanes = self._parameters.lanes
        expected = self._biases_loaded if self._state is State.LOADING else None
        first = self.place(payload, lanes, self._program_rows, expected)
        codes = check_signed(self._parameters.bias_max, payload)
        self._biases[first * lanes : first * lanes + len(codes)] = array("i", codes)
        if self._state is State.LOADING:
            self._biases_loaded += len(codes) // lanes
        self.answer(Response.OK, tag, [])

    def _load_clamps(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 2, self._program_rows, None)
        check_words((1 << self._parameters.lanes) - 1, payload)
        count = (len(payload) - 1) // 2
        self._on[first : first + count] = array("I", payload[1::2])
        self._off[first : first + count] = array("I", payload[2::2])
        self.answer(Response.OK, tag, [])

    def _load_schedule(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 1, self._parameters.schedule_steps, None)
        if first > len(self._betas):
            raise Refused(ErrorCode.BAD_ADDRESS, first)
        check_words(self._parameters.beta_max, payload)
        self._betas[first : first + len(payload) - 1] = array("I", payload[1:])
        self.answer(Response.OK, tag, [])

    def _load_state(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 1, self._program_rows, None)
        check_words((1 << self._parameters.lanes) - 1, payload)
        self._given[first : first + len(payload) - 1] = array("I", payload[1:])
        self.answer(Response.OK, tag, [])

    def _commit(self, tag: int, _payload: list[int]) -> None:
        lanes = self._parameters.lanes
        loaded = (len(self._rows), self._biases_loaded, len(self._entries) // lanes)
        if loaded != (self._program_rows, self._program_rows, self._program_words):
            raise Refused(ErrorCode.BAD_ROWS, self._program_rows)
        check_program(self._parameters, self._rows, self._program_words)
        entries = np.array(self._entries, dtype=np.uint32).reshape(-1, lanes)
        self._engine = self._engine_type(self._parameters, self._rows, entries)
        self._state = State.READY
        self.answer(Response.OK, tag, [])

    # --- runs -------------------------------------------------------------------------------------

    def ready(self) -> GraphEngine | None:
        """The engine under the conditions at hand; None where RUN would be refused for them."""
        if self._engine is None or self._state is not State.READY:
            return None
        try:
            check_run(self._rows, self._on, self._off, None)
        except Refused:
            return None
        self._engine.condition(Conditions(self._biases, self._on, self._off))
        return self._engine

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
        self.begin_run(tag, self._draw_packets(self._engine, request))

    def _draw_packets(self, engine: GraphEngine, request: RunRequest) -> Iterator[list[int]]:
        """DRAW after DRAW, the counters as they are when it is sent; the last one ends the run."""
        read = 0
        for block in engine.run(request):
            for draw in _payloads(block, request):
                chain, number = divmod(read, request.draws)
                read += 1
                self._count(engine, request, chain, number)
                payload = [(request.first_chain + chain) & WORD, number, *draw]
                if read == request.chains * request.draws:
                    self.end_run(Response.DONE)
                yield [self.header(Response.DRAW, self._run_tag, len(payload)), *payload]

    def _count(self, engine: GraphEngine, request: RunRequest, chain: int, draw: int) -> None:
        """Counters when this draw of this chain is sent: whole chains before it, and its own."""
        cost = engine.cost
        burn_in = len(request.betas) * request.sweeps_per_step
        whole = burn_in + (request.draws - 1) * request.thin
        sweeps = chain * whole + burn_in + draw * request.thin
        self._counters = {
            "cycles": (chain + 1) * (cost.seeding + cost.cycles) + sweeps * cost.cycles,
            "sweep_cycles": sweeps * cost.cycles,
            "terms": sweeps * cost.terms,
            "updates": sweeps * cost.updates,
            "sweeps": sweeps,
            "reads": chain * request.draws + draw + 1,
        }


def _payloads(block: Draws, request: RunRequest) -> Iterator[list[int]]:
    """Energy and state, then best energy and best state, of every draw of a block in order."""
    for chain in range(block.energies.shape[0]):
        energies = block.energies[chain].tolist()
        best_energies = block.best_energies[chain].tolist()
        for draw in range(block.energies.shape[1]):
            payload = two_words(energies[draw]) + block.states[chain, draw].tolist()
            if request.best:
                payload += two_words(best_energies[draw])
                payload += block.best_states[chain, draw].tolist()
            yield payload

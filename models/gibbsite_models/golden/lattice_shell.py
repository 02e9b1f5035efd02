"""The golden shell of the lattice engine: packets in, packets out.

Source: "The shell" in docs/lattice-engine.md; `gibbsite_hw.spec.lattice_packets`.
Twin: ``gibbsite_hw.lattice_shell``.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from gibbsite_hw.spec.lattice_packets import (
    LATTICE_FIXED_LENGTHS,
    LATTICE_LEGAL_STATES,
    LatticeErrorCode,
    LatticeOpcode,
    LatticeResponse,
    lattice_record_words,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.lattice_tables import BETA_MAX
from gibbsite_hw.spec.lattice_timing import group_cycles, sweep_cycles
from gibbsite_hw.spec.packets import MAGIC, Engine, Response
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import RunFlags, State
from gibbsite_models.golden.checks import Refused, check_signed, check_words
from gibbsite_models.golden.lattice import LatticeDraws, LatticeEngine
from gibbsite_models.golden.packet_shell import WORD, Dialect, PacketShell, two_words

__all__ = ["LatticeShell"]

COUNTERS = ("cycles", "sweep_cycles", "updates", "sweeps", "reads", "waits")
_R = LatticeRegister
_O = LatticeOpcode


class LatticeShell(PacketShell):
    """The shell around `LatticeEngine`; ``fingerprint`` is that of the whole device.

    ``engine`` is `LatticeEngine` or, in tests of tests, a broken one.
    """

    def __init__(
        self,
        parameters: LatticeParameters,
        fingerprint: int,
        engine: type[LatticeEngine] = LatticeEngine,
    ) -> None:
        super().__init__(
            Dialect(
                engine=Engine.LATTICE,
                legal_states=LATTICE_LEGAL_STATES,
                fixed_lengths=LATTICE_FIXED_LENGTHS,
                registers=LATTICE_REGISTERS,
                counters=COUNTERS,
                payload_words=parameters.payload_words,
            )
        )
        self._parameters = parameters
        self._fingerprint = fingerprint
        self._engine_type = engine
        self._engine: LatticeEngine | None = None
        self._forget(0)

    def commands(self) -> Mapping[Any, Callable[[int, list[int]], None]]:
        """What each opcode does."""
        return {
            _O.IDENTIFY: self._identify,
            _O.READ: self.read,
            _O.WRITE: self.write,
            _O.BEGIN: self._begin,
            _O.COUPLINGS: self._load_couplings,
            _O.BIASES: self._load_biases,
            _O.CLAMPS: self._load_clamps,
            _O.SCHEDULE: self._load_schedule,
            _O.STATE: self._load_state,
            _O.COMMIT: self._commit,
            _O.RUN: self._start_run,
            _O.ABORT: self.abort,
        }

    def record_words(self, opcode: int) -> int:
        """Payload words of a site, a word of clamps or a step."""
        return lattice_record_words(self._parameters, LatticeOpcode(opcode))

    def status(self) -> Mapping[int, int]:
        """Registers that show what is loaded."""
        return {_R.STATE: self._state, _R.COLUMNS: self._columns}

    # --- the program ------------------------------------------------------------------------------

    def _forget(self, columns: int) -> None:
        """No program but its size."""
        self._columns = columns
        self._sites = columns * self._parameters.rows
        self._words = columns * self._parameters.words
        self._couplings = array("I")
        self._biases, self._biases_loaded = array("i", [0]) * self._sites, 0
        self._on, self._off = array("I", [0]) * self._words, array("I", [0]) * self._words
        self._given, self._betas = array("I", [0]) * self._words, array("I")

    def _identify(self, tag: int, _payload: list[int]) -> None:
        p, fingerprint = self._parameters, self._fingerprint
        words = [MAGIC, SPEC_VERSION, fingerprint & WORD, fingerprint >> 32]
        self.answer(Response.INFO, tag, [*words, p.rows, p.columns, p.neighbours, p.schedule_steps])

    def _begin(self, tag: int, payload: list[int]) -> None:
        (columns,) = payload
        if columns % 2 or not 2 <= columns <= self._parameters.columns:
            raise Refused(LatticeErrorCode.BAD_SIZE, 0)
        self._forget(columns)
        self._engine = None
        self._state = State.LOADING
        self.answer(Response.OK, tag, [])

    def _load_couplings(self, tag: int, payload: list[int]) -> None:
        rules = self._parameters.neighbours // 4
        self.place(payload, rules, self._sites, len(self._couplings) // rules)
        codes = np.array(payload[1:], dtype="<u4").view(np.int8)
        # as int16, since the magnitude of -128 is no int8
        bad = np.flatnonzero(np.abs(codes.astype(np.int16)) > self._parameters.coupling_max)
        if bad.size:
            raise Refused(LatticeErrorCode.BAD_VALUE, 1 + int(bad[0]) // 4)
        self._couplings.extend(payload[1:])
        self.answer(Response.OK, tag, [])

    def _load_biases(self, tag: int, payload: list[int]) -> None:
        expected = self._biases_loaded if self._state is State.LOADING else None
        first = self.place(payload, 1, self._sites, expected)
        codes = check_signed(self._parameters.bias_max, payload)
        self._biases[first : first + len(codes)] = array("i", codes)
        if self._state is State.LOADING:
            self._biases_loaded += len(codes)
        self.answer(Response.OK, tag, [])

    def _load_clamps(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 2, self._words, None)
        self._check_bits(payload, first, 2)
        for at in range(2, len(payload), 2):
            if payload[at - 1] & payload[at]:
                raise Refused(LatticeErrorCode.BAD_VALUE, at)
        count = (len(payload) - 1) // 2
        self._on[first : first + count] = array("I", payload[1::2])
        self._off[first : first + count] = array("I", payload[2::2])
        self.answer(Response.OK, tag, [])

    def _load_schedule(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 1, self._parameters.schedule_steps, None)
        if first > len(self._betas):
            raise Refused(LatticeErrorCode.BAD_ADDRESS, first)
        check_words(BETA_MAX, payload)
        self._betas[first : first + len(payload) - 1] = array("I", payload[1:])
        self.answer(Response.OK, tag, [])

    def _load_state(self, tag: int, payload: list[int]) -> None:
        first = self.place(payload, 1, self._words, None)
        self._check_bits(payload, first, 1)
        self._given[first : first + len(payload) - 1] = array("I", payload[1:])
        self.answer(Response.OK, tag, [])

    def _check_bits(self, payload: list[int], first: int, record: int) -> None:
        """BAD_VALUE for a bit beyond the last row, in the last word of a column."""
        words = self._parameters.words
        last = WORD >> (32 * words - self._parameters.rows)
        for at in range(1, len(payload)):
            word = (first + (at - 1) // record) % words
            if word == words - 1 and payload[at] > last:
                raise Refused(LatticeErrorCode.BAD_VALUE, at)

    def _commit(self, tag: int, _payload: list[int]) -> None:
        p = self._parameters
        if len(self._couplings) != self._sites * (p.neighbours // 4):
            raise Refused(LatticeErrorCode.INCOMPLETE, 0)
        if self._biases_loaded != self._sites:
            raise Refused(LatticeErrorCode.INCOMPLETE, 1)
        codes = np.array(self._couplings, dtype="<u4").view(np.int8)
        couplings = codes.reshape(self._columns, p.rows, p.neighbours)
        self._engine = self._engine_type(p, couplings)
        self._state = State.READY
        self.answer(Response.OK, tag, [])

    # --- runs -------------------------------------------------------------------------------------

    def ready(self) -> LatticeEngine | None:
        """The engine under the conditions at hand; None where none could run."""
        if self._engine is None or self._state is not State.READY:
            return None
        self._engine.condition(LatticeConditions(self._biases, self._on, self._off))
        return self._engine

    def _start_run(self, tag: int, _payload: list[int]) -> None:
        registers = self._registers
        steps, flags = registers[_R.STEPS], registers[_R.FLAGS]
        if steps > len(self._betas):
            raise Refused(LatticeErrorCode.NO_SCHEDULE, steps)
        request = LatticeRequest(
            betas=self._betas[:steps],
            seed=registers[_R.SEED_HIGH] << 32 | registers[_R.SEED_LOW],
            chains=registers[_R.CHAINS],
            draws=registers[_R.DRAWS],
            first_chain=registers[_R.FIRST_CHAIN],
            sweeps_per_step=registers[_R.SWEEPS_PER_STEP],
            thin=registers[_R.THIN],
            samples=bool(flags & RunFlags.SAMPLES),
            best=bool(flags & RunFlags.BEST),
            state=self._given if flags & RunFlags.GIVEN_STATE else None,
        )
        assert self._engine is not None, "READY has an engine"
        self._engine.condition(LatticeConditions(self._biases, self._on, self._off))
        self.begin_run(tag, self._draw_packets(self._engine, request))

    def _draw_packets(self, engine: LatticeEngine, request: LatticeRequest) -> Iterator[list[int]]:
        """DRAW after DRAW, group of banks by group, draw by draw; the last one ends the run."""
        banks, read, done = self._parameters.banks, 0, 0
        cost = lru_cache(1024)(partial(self._cost, request))  # the same for every group
        for block in engine.run(request):
            for begin in range(0, block.energies.shape[0], banks):
                group = range(begin, min(begin + banks, block.energies.shape[0]))
                for draw in range(request.draws):
                    for chain in group:
                        read += 1
                        self._count(request, cost, (done + begin) // banks, len(group), draw, read)
                        number = (request.first_chain + done + chain) & WORD
                        payload = [number, draw, *_payload(block, chain, draw, request)]
                        if read == request.chains * request.draws:
                            self.end_run(Response.DONE)
                        yield [
                            self.header(LatticeResponse.DRAW, self._run_tag, len(payload)),
                            *payload,
                        ]
            done += block.energies.shape[0]

    def _cost(self, request: LatticeRequest, thinned: int) -> tuple[int, int, int]:
        """Cycles of a group after so many sweeps between draws, those waited, those of a sweep."""
        cycles, waits = group_cycles(
            self._parameters,
            self._columns,
            steps=len(request.betas),
            sweeps_per_step=request.sweeps_per_step,
            thinned=thinned,
        )
        return cycles, waits, sweep_cycles(self._parameters, self._columns)

    def _count(
        self,
        request: LatticeRequest,
        cost: Callable[[int], tuple[int, int, int]],
        group: int,
        active: int,
        draw: int,
        read: int,
    ) -> None:
        """Counters when this draw of this group is sent: whole groups before it, and its own."""
        burn_in = len(request.betas) * request.sweeps_per_step
        whole, part = (request.draws - 1) * request.thin, draw * request.thin
        passed = group * (burn_in + whole) + burn_in + part
        sweeps = group * self._parameters.banks * (burn_in + whole) + active * (burn_in + part)
        (cycles, waits, sweep), (cycles_now, waits_now, _) = cost(whole), cost(part)
        self._counters = {
            "cycles": group * cycles + cycles_now,
            "sweep_cycles": passed * sweep,
            "updates": sweeps * self._sites,
            "sweeps": sweeps,
            "reads": read,
            "waits": group * waits + waits_now,
        }


def _payload(block: LatticeDraws, chain: int, draw: int, request: LatticeRequest) -> list[int]:
    """Energy and state, then best energy and best state, of one draw."""
    payload = two_words(int(block.energies[chain, draw]))
    payload += block.states[chain, draw].tolist()
    if request.best:
        payload += two_words(int(block.best_energies[chain, draw]))
        payload += block.best_states[chain, draw].tolist()
    return payload

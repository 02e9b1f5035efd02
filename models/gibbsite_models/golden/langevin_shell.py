"""The golden shell of the Langevin engine: packets in, packets out.

Source: "The shell" in docs/langevin-engine.md; `gibbsite_hw.spec.langevin_packets`.
Twin: ``gibbsite_hw.langevin_shell``.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
    LANGEVIN_RECORDS,
    LangevinErrorCode,
    LangevinOpcode,
    LangevinResponse,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinRequest, Shifts
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinFlags, LangevinRegister
from gibbsite_hw.spec.langevin_timing import (
    moment_cycles,
    pass_cycles,
    seeding_cycles,
    start_cycles,
)
from gibbsite_hw.spec.packets import MAGIC, Engine, Response
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden.checks import Refused
from gibbsite_models.golden.langevin import LangevinDraws, LangevinEngine
from gibbsite_models.golden.langevin_checks import check_begin, check_records, record_checks
from gibbsite_models.golden.langevin_schedule import Schedule
from gibbsite_models.golden.langevin_words import (
    decode_conditions,
    decode_pairs,
    decode_schedule,
    decode_weights,
    mantissa_and_shift,
    signed_records,
)
from gibbsite_models.golden.packet_shell import WORD, Dialect, PacketShell, signed_words, two_words

__all__ = ["LangevinShell"]

COUNTERS = ("cycles", "products", "updates", "steps", "reads", "saturations")
_R = LangevinRegister
_O = LangevinOpcode


class LangevinShell(PacketShell):
    """The shell around `LangevinEngine`; ``fingerprint`` is that of the whole device.

    ``engine`` is `LangevinEngine` or, in tests of tests, a broken one.
    """

    def __init__(
        self,
        parameters: LangevinParameters,
        fingerprint: int,
        engine: type[LangevinEngine] = LangevinEngine,
    ) -> None:
        super().__init__(
            Dialect(
                engine=Engine.LANGEVIN,
                legal_states=LANGEVIN_LEGAL_STATES,
                fixed_lengths=LANGEVIN_FIXED_LENGTHS,
                registers=LANGEVIN_REGISTERS,
                counters=COUNTERS,
                payload_words=parameters.payload_words,
            )
        )
        self._parameters = parameters
        self._fingerprint = fingerprint
        self._engine_type = engine
        self._engine: LangevinEngine | None = None
        self._forget(0, 0, False, Shifts())

    def commands(self) -> Mapping[Any, Callable[[int, list[int]], None]]:
        """What each opcode does."""
        loads = {opcode: self._loader(opcode) for opcode in (*LANGEVIN_RECORDS, _O.WEIGHTS)}
        return {
            _O.IDENTIFY: self._identify,
            _O.READ: self.read,
            _O.WRITE: self.write,
            _O.BEGIN: self._begin,
            _O.COMMIT: self._commit,
            _O.RUN: self._start_run,
            _O.ABORT: self.abort,
            **loads,
        }

    def record_words(self, opcode: int) -> int:
        """Payload words of a record."""
        if opcode == _O.WEIGHTS:
            return self._parameters.multipliers // 2
        return LANGEVIN_RECORDS[LangevinOpcode(opcode)]

    def status(self) -> Mapping[int, int]:
        """Registers that show what is loaded."""
        return {
            _R.STATE: self._state,
            _R.UNITS: self._units,
            _R.CONSTRAINTS: self._constraints,
            _R.WORDS: self._words,
        }

    # --- the program ------------------------------------------------------------------------------

    def _forget(self, units: int, constraints: int, coupled: bool, shifts: Shifts) -> None:
        """No program but its size."""
        self._units, self._constraints = units, constraints
        self._coupled, self._shifts = coupled, shifts
        words = self._parameters.words
        row = coupled * words(units) + words(constraints)
        self._words = constraints * words(units) + units * row
        sizes = {
            _O.UNITS: units,
            _O.WEIGHTS: self._words,
            _O.BIASES: units,
            _O.CLAMPS: units,
            _O.SCHEDULE: self._parameters.schedule_entries,
            _O.STATE: units,
            _O.CONSTRAINTS: constraints,
            _O.PAIRS: self._parameters.pairs,
        }
        self._sizes = sizes
        self._memory = {
            opcode: array("I", bytes(4 * size * self.record_words(opcode)))
            for opcode, size in sizes.items()
        }
        self._loaded = dict.fromkeys(sizes, 0)

    def _identify(self, tag: int, _payload: list[int]) -> None:
        p, fingerprint = self._parameters, self._fingerprint
        words = [MAGIC, SPEC_VERSION, fingerprint & WORD, fingerprint >> 32]
        sizes = [p.units, p.constraints, p.multipliers, p.schedule_entries]
        self.answer(Response.INFO, tag, [*words, *sizes])

    def _begin(self, tag: int, payload: list[int]) -> None:
        check_begin(payload, self._parameters.units, self._parameters.constraints)
        units, constraints, coupled = payload[:3]
        self._forget(units, constraints, bool(coupled), Shifts.decode(payload[3:]))
        self._engine = None
        self._state = State.LOADING
        self.answer(Response.OK, tag, [])

    def _loader(self, opcode: LangevinOpcode) -> Callable[[int, list[int]], None]:
        return lambda tag, payload: self._load(opcode, tag, payload)

    def _load(self, opcode: LangevinOpcode, tag: int, payload: list[int]) -> None:
        record, size, loaded = self.record_words(opcode), self._sizes[opcode], self._loaded[opcode]
        ordered = opcode in (_O.UNITS, _O.WEIGHTS) or (
            opcode in (_O.BIASES, _O.CONSTRAINTS) and self._state is State.LOADING
        )
        first = self.place(payload, record, size, loaded if ordered else None)
        if opcode in (_O.SCHEDULE, _O.PAIRS) and first > loaded:
            raise Refused(LangevinErrorCode.BAD_ADDRESS, first)
        check_records(payload, record_checks(opcode, self._units, self._parameters.weight_max))
        words = array("I", payload[1:])
        self._memory[opcode][first * record : first * record + len(words)] = words
        self._loaded[opcode] = max(loaded, first + len(words) // record)
        self.answer(Response.OK, tag, [])

    def _commit(self, tag: int, _payload: list[int]) -> None:
        for place, opcode in enumerate((_O.UNITS, _O.WEIGHTS, _O.BIASES, _O.CONSTRAINTS)):
            if self._loaded[opcode] != self._sizes[opcode]:
                raise Refused(LangevinErrorCode.INCOMPLETE, place)
        weights = decode_weights(
            self._parameters,
            self._constraints,
            self._coupled,
            self._shifts,
            self._codes(_O.UNITS),
            self._memory[_O.WEIGHTS],
        )
        self._engine = self._engine_type(self._parameters, weights)
        self._state = State.READY
        self.answer(Response.OK, tag, [])

    def _codes(self, opcode: LangevinOpcode) -> NDArray[np.int64]:
        """Signed words of a memory, a record a row."""
        return signed_records(self._memory[opcode], self.record_words(opcode))

    # --- runs -------------------------------------------------------------------------------------

    def _start_run(self, tag: int, _payload: list[int]) -> None:
        entries, pairs = self._registers[_R.ENTRIES], self._registers[_R.PAIRS]
        if not 0 < entries <= self._loaded[_O.SCHEDULE]:
            raise Refused(LangevinErrorCode.NO_SCHEDULE, entries)
        if pairs > self._loaded[_O.PAIRS]:
            raise Refused(LangevinErrorCode.NO_PAIRS, pairs)
        assert self._engine is not None, "READY has an engine"
        places = (_O.BIASES, _O.CONSTRAINTS, _O.CLAMPS)
        self._engine.condition(decode_conditions(*map(self._codes, places)))
        self.begin_run(tag, self._packets(self._engine, self._request(entries, pairs)))

    def _request(self, entries: int, pairs: int) -> LangevinRequest:
        registers, flags = self._registers, self._registers[_R.FLAGS]
        return LangevinRequest(
            schedule=decode_schedule(self._memory[_O.SCHEDULE], entries),
            seed=registers[_R.SEED_HIGH] << 32 | registers[_R.SEED_LOW],
            chains=registers[_R.CHAINS],
            draws=registers[_R.DRAWS],
            first_chain=registers[_R.FIRST_CHAIN],
            thin=registers[_R.THIN],
            trajectory=bool(flags & LangevinFlags.TRAJECTORY),
            samples=bool(flags & LangevinFlags.SAMPLES),
            best=bool(flags & LangevinFlags.BEST),
            start=mantissa_and_shift(registers[_R.START]),
            state=array("i", self._codes(_O.STATE)[:, 0].tolist()),
            pairs=decode_pairs(self._memory[_O.PAIRS][:pairs]),
            moment_every=registers[_R.MOMENT_EVERY],
        )

    def _packets(self, engine: LangevinEngine, request: LangevinRequest) -> Iterator[list[int]]:
        """DRAW after DRAW, MOMENTS behind a chain's last; the last packet ends the run."""
        schedule, base = Schedule(request), 0
        chain = 0
        for block in engine.run(request):
            single = len(block[0].energies) == 1
            for place in range(len(block[0].energies)):
                for draw in block:
                    self._count(request, schedule, chain, draw, base + int(draw.saturations[place]))
                    last = draw.number == request.draws - 1
                    number = (request.first_chain + chain) & WORD
                    packets = [self._draw_packet(number, draw, place, request)]
                    if last and request.pairs:
                        packets.append(self._moments_packet(number, draw, place))
                    if last and chain == request.chains - 1:
                        yield from packets[:-1]
                        self.end_run(Response.DONE)
                        yield packets[-1]
                        return
                    yield from packets
                if not single or block[-1].number == request.draws - 1:
                    base += int(block[-1].saturations[place])
                    chain += 1

    def _draw_packet(
        self, number: int, draw: LangevinDraws, place: int, request: LangevinRequest
    ) -> list[int]:
        payload = [number, draw.number, draw.step & WORD]
        for values in (draw.energies, draw.work, draw.heat):
            payload += two_words(int(values[place]))
        payload += signed_words(draw.states[place].tolist())
        if request.best:
            payload += two_words(int(draw.best_energies[place]))
            payload += signed_words(draw.best_states[place].tolist())
        return [self.header(Response.DRAW, self._run_tag, len(payload)), *payload]

    def _moments_packet(self, number: int, draw: LangevinDraws, place: int) -> list[int]:
        payload = [number, draw.additions & WORD]
        for total in draw.moments[place].tolist():
            payload += two_words(total)
        kind = LangevinResponse.MOMENTS
        return [self.header(kind, self._run_tag, len(payload)), *payload]

    def _count(
        self,
        request: LangevinRequest,
        schedule: Schedule,
        chain: int,
        draw: LangevinDraws,
        saturations: int,
    ) -> None:
        """Counters when this draw of this chain is sent: whole chains before it, and its own."""
        n, m, p = self._units, self._constraints, self._parameters
        one = pass_cycles(p, n, m, self._coupled)
        products = 2 * m * n + self._coupled * n * n
        fixed = seeding_cycles(p, n) + start_cycles(n)

        def spent(step: int) -> int:
            moments = schedule.additions(step, request.moment_every)
            return fixed + (step + 1) * one + moments * moment_cycles(len(request.pairs))

        steps = chain * schedule.steps + draw.step
        passes = chain * (schedule.steps + 1) + draw.step + 1
        self._counters = {
            "cycles": chain * spent(schedule.steps) + spent(draw.step),
            "products": passes * products,
            "updates": steps * n,
            "steps": steps,
            "reads": chain * request.draws + draw.number + 1,
            "saturations": saturations,
        }

"""A golden Langevin shell and the few words it takes to talk to it."""

import copy
import random
from array import array
from dataclasses import replace
from typing import Any

from gibbsite_hw.spec.langevin_packets import LangevinErrorCode, LangevinOpcode, LangevinResponse
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.packets import header
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.golden.langevin_shell import LangevinShell

P = LangevinParameters(
    units=6, constraints=3, multipliers=4, weight_bits=8, schedule_entries=5, pairs=6,
    payload_words=64, hash_rounds=2,
)  # fmt: skip
FINGERPRINT = 0x1122334455667788
TAG = 0xA7
WORD = (1 << 32) - 1
Op, R, E = LangevinOpcode, LangevinRegister, LangevinErrorCode
EMPTY, LOADING, READY, RUNNING = State
OK, ERROR, INFO, DRAW, DONE, ABORTED, MOMENTS = LangevinResponse

# largest magnitudes, written down apart from the specification
COEFFICIENT, STATE, STRENGTH, RESIDUAL, WEIGHT = (
    2**23 - 1, (2**17 - 1) << 14, 2**17 - 1, 2**25 - 1, 2**7 - 1
)  # fmt: skip


def words(codes: Any) -> list[int]:
    return [code & WORD for code in codes]


def padded(row: list[int]) -> list[int]:
    """Packet words of a row of couplings: four codes a coupling word, two in a packet word."""
    row = row + [0] * (-len(row) % 4)
    return [row[k] & 0xFFFF | (row[k + 1] & 0xFFFF) << 16 for k in range(0, len(row), 2)]


def weight_words(program: LangevinProgram) -> list[int]:
    """WEIGHTS: the rows k; then of every unit its row of J and its column of k."""
    n, m = program.units, program.constraints
    rows = program.rows.tolist()
    out = [word for a in range(m) for word in padded(rows[a * n : (a + 1) * n])]
    for i in range(n):
        if len(program.couplings):
            out += padded(program.couplings.tolist()[i * n : (i + 1) * n])
        out += padded(rows[i::n])
    return out


def random_program(seed: int, n: int, m: int, is_coupled: bool) -> LangevinProgram:
    """A program whose forces are near 1."""
    dice = random.Random(seed)

    def codes(count: int, largest: int) -> "array[int]":
        return array("i", [dice.randint(-largest, largest) for _ in range(count)])

    couplings = codes(n * n, WEIGHT) if is_coupled else array("i")
    for i in range(n if is_coupled else 0):
        couplings[i * n + i] = 0
        for j in range(i):
            couplings[i * n + j] = couplings[j * n + i]
    conditions = LangevinConditions(
        codes(n, 1 << 20),
        [
            Constraint(dice.random() < 0.5, dice.randint(0, 1 << 20), dice.randint(-9999, 9999))
            for _ in range(m)
        ],
        {dice.randrange(n): dice.randint(-(1 << 28), 1 << 28)} if n > 1 else {},
    )
    shifts = Shifts(15, 16, 14, 2, 2, 15, 7, 20, 9)
    quadratic, quartic, force = (codes(n, 1 << 20) for _ in range(3))
    rows = codes(m * n, WEIGHT)
    return LangevinProgram(quadratic, quartic, force, couplings, rows, shifts, conditions)


PROGRAM = random_program(5, 5, 2, True)
N, M = 5, 2
SIZE = [5, 2, 1, 0, 0, 0]  # the payload of its BEGIN, without shifts
ENTRY = ScheduleEntry(2, (160_000, 8), (150_000, 20), (65536, 65536, 65536, 65536, 65536, -3000))
SCHEDULE = [
    ENTRY,
    replace(ENTRY, repeat=1, measure=False, strengths=(70000, 65536, 1, 65536, 65536, 9)),
    replace(ENTRY, repeat=3, noise=(99_999, 19)),
]
PAIRS: list[tuple[int, int | None]] = [(0, 1), (4, 4), (3, None)]
REQUEST = LangevinRequest(
    SCHEDULE, seed=0xFEDCBA9876543210, chains=3, draws=4, first_chain=WORD, thin=2, best=True,
    start=(120_000, 19), pairs=PAIRS, moment_every=2, state=array("i", [5, -6, 1 << 27, 0, 1]),
)  # fmt: skip


class Session:
    """A golden shell and the few words it takes to talk to it."""

    def __init__(
        self, parameters: LangevinParameters = P, engine: type[LangevinEngine] = LangevinEngine
    ) -> None:
        self.shell = LangevinShell(parameters, FINGERPRINT, engine)

    def __call__(self, opcode: int, *payload: int) -> list[int]:
        self.shell.send([header(opcode, TAG, len(payload)), *payload])
        return self.answer()

    def answer(self) -> list[int]:
        received = self.shell.receive()
        assert len(received) - 1 == received[0] & 0xFFFF
        assert received[0] >> 16 & 0xFF == TAG
        return [received[0] >> 24, *received[1:]]

    def ok(self, opcode: int, *payload: int) -> None:
        assert self(opcode, *payload) == [OK], (opcode, payload)

    def refused(self, opcode: int, payload: list[int], code: int, detail: int) -> None:
        before = contents(self.shell)
        assert self(opcode, *payload) == [ERROR, code, detail]
        assert contents(self.shell) == before

    def read(self, register: int) -> int:
        kind, value = self(Op.READ, register)
        assert kind == INFO
        return value

    def begin(self, program: LangevinProgram) -> None:
        is_coupled = int(len(program.couplings) > 0)
        shifts = bytes(getattr(program.shifts, name) for name in Shifts.__slots__).ljust(12, b"\0")
        three = [int.from_bytes(shifts[at : at + 4], "little") for at in (0, 4, 8)]
        self.ok(Op.BEGIN, program.units, program.constraints, is_coupled, *three)

    def units(self, program: LangevinProgram) -> None:
        triples = zip(program.quadratic, program.quartic, program.force, strict=True)
        self.ok(Op.UNITS, 0, *words(code for triple in triples for code in triple))

    def weights(self, program: LangevinProgram) -> None:
        codes = weight_words(program)
        for at in range(0, len(codes), 22):
            self.ok(Op.WEIGHTS, at // 2, *codes[at : at + 22])

    def conditions(self, program: LangevinProgram) -> None:
        conditions = program.conditions
        self.ok(Op.BIASES, 0, *words(conditions.biases))
        rows = [(int(c.hinge), c.weight, c.offset) for c in conditions.constraints]
        if rows:
            self.ok(Op.CONSTRAINTS, 0, *words(code for row in rows for code in row))
        for unit, state in conditions.clamps.items():
            self.ok(Op.CLAMPS, unit, 1, state & WORD)

    def program(self, program: LangevinProgram) -> None:
        self.begin(program)
        self.units(program)
        self.weights(program)
        self.conditions(program)
        self.ok(Op.COMMIT)

    def request(self, request: LangevinRequest) -> None:
        for place, entry in enumerate(request.schedule):
            scaled = [mantissa | shift << 18 for mantissa, shift in (entry.rate, entry.noise)]
            repeat = entry.repeat | entry.measure << 31
            self.ok(Op.SCHEDULE, place, repeat, *scaled, *words(entry.strengths))
        if request.state is not None:
            self.ok(Op.STATE, 0, *words(request.state))
        if request.pairs:
            pairs = [(1 << 24 | i) if j is None else i | j << 12 for i, j in request.pairs]
            self.ok(Op.PAIRS, 0, *pairs)
        flags = request.samples | request.best << 1 | request.trajectory << 2
        for offset, value in enumerate([
            request.seed & WORD, request.seed >> 32, request.first_chain, request.chains,
            request.draws, len(request.schedule), request.start[0] | request.start[1] << 18,
            request.thin, flags, request.moment_every, len(request.pairs),
        ]):  # fmt: skip
            self.ok(Op.WRITE, offset, value)

    def load(self, until: State = READY) -> "Session":
        if until is LOADING:
            self.begin(PROGRAM)
        elif until is not EMPTY:
            self.program(PROGRAM)
            if until is RUNNING:
                self.request(REQUEST)
                self.ok(Op.RUN)
        return self

    def run(self) -> list[list[int]]:
        """All packets of a run, DONE or ABORTED included."""
        self.ok(Op.RUN)
        packets = [self.answer()]
        while packets[-1][0] not in (DONE, ABORTED):
            packets.append(self.answer())
        return packets


def contents(shell: LangevinShell) -> dict[str, object]:
    """Everything that the shell holds, runs and answers apart."""
    apart = {"_run", "_engine", "_answers", "_dialect"}
    return copy.deepcopy({k: v for k, v in vars(shell).items() if k not in apart})


def two(value: int) -> list[int]:
    return [value & WORD, value >> 32 & WORD]


def engine_packets(program: LangevinProgram, request: LangevinRequest) -> list[list[int]]:
    """DRAW and MOMENTS of every chain, from the engine itself, one chain after another."""
    engine, packets = LangevinEngine(P, Weights.of(program)), []
    engine.condition(program.conditions)
    for chain in range(request.chains):
        first = (request.first_chain + chain) % 2**32
        for (draw,) in engine.run(replace(request, first_chain=first, chains=1)):
            payload = [first, draw.number, draw.step]
            for value in (draw.energies, draw.work, draw.heat):
                payload += two(int(value[0]))
            payload += words(draw.states[0].tolist())
            if request.best:
                payload += two(int(draw.best_energies[0])) + words(draw.best_states[0].tolist())
            packets.append([int(DRAW), *payload])
        if request.pairs:
            sums = [word for total in draw.moments[0].tolist() for word in two(total)]
            packets.append([int(MOMENTS), first, draw.additions, *sums])
    return packets

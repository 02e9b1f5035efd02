"""The golden Langevin shell: every error code from both sides, legal states, registers, runs."""

import copy
import random
from array import array
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gibbsite_hw.spec import langevin_timing as timing
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_LEGAL_STATES,
    LangevinErrorCode,
    LangevinOpcode,
    LangevinResponse,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinRegister
from gibbsite_hw.spec.packets import MAGIC, Opcode, header
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden import langevin as golden_langevin
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


# --- identity and registers ---------------------------------------------------------------------


def test_identify_tells_the_build_in_every_state() -> None:
    expected = [MAGIC, SPEC_VERSION, 0x55667788, 0x11223344, 6, 3, 4, 5]
    for state in State:
        assert Session().load(state)(Op.IDENTIFY) == [INFO, *expected]


@pytest.mark.parametrize("register", list(LangevinRegister))
def test_registers_reset_read_and_write(register: LangevinRegister) -> None:
    info, session = LANGEVIN_REGISTERS[register], Session()
    assert session.read(register) == info.reset
    if not info.writable:
        session.refused(Op.WRITE, [register, 0], E.READ_ONLY, register)
        return
    for value in (info.minimum, info.maximum):
        session.ok(Op.WRITE, register, value)
        assert session.read(register) == value
    for value in (info.minimum - 1, info.maximum + 1):
        if 0 <= value <= WORD:
            session.refused(Op.WRITE, [register, value], E.BAD_VALUE, 1)


def test_offsets_without_a_register() -> None:
    session = Session()
    for offset in [*(set(range(0x40)) - set(LangevinRegister)), 1 << 31, WORD]:
        session.refused(Op.READ, [offset], E.BAD_REGISTER, offset)
        session.refused(Op.WRITE, [offset, 0], E.BAD_REGISTER, offset)


def test_status_shows_what_is_loaded() -> None:
    session = Session()
    status = (R.STATE, R.UNITS, R.CONSTRAINTS, R.WORDS)
    assert [session.read(r) for r in status] == [EMPTY, 0, 0, 0]
    session.begin(PROGRAM)
    # two words a row of five units, one a column of two constraints
    assert [session.read(r) for r in status] == [LOADING, 5, 2, 2 * 2 + 5 * (2 + 1)]
    session.begin(random_program(1, 4, 0, True))
    assert [session.read(r) for r in status] == [LOADING, 4, 0, 4]
    session.begin(random_program(1, 6, 1, False))
    assert [session.read(r) for r in status] == [LOADING, 6, 1, 2 + 6]
    session.begin(random_program(1, 1, 0, False))
    session.units(random_program(1, 1, 0, False))
    session.ok(Op.BIASES, 0, 0)
    session.ok(Op.COMMIT)
    assert [session.read(r) for r in status] == [READY, 1, 0, 0]


# --- refusals -----------------------------------------------------------------------------------


@dataclass
class Bad:
    """A packet that is refused: state before, words on the stream, code and detail."""

    name: str
    state: State
    words: list[int]
    code: LangevinErrorCode
    detail: int


def bad(name: str, state: State, opcode: int, payload: list[int], code: Any, detail: int) -> Bad:
    return Bad(name, state, [header(opcode, TAG, len(payload)), *payload], code, detail)


ZERO = [0] * 9
SIZE = [5, 2, 1, 0, 0, 0]
BAD: list[Bad] = [
    # framing, in the order of the checks
    Bad("too long", EMPTY, [header(0x7F, TAG, 65), 1], E.TOO_LONG, 65),
    Bad("as long as may be", EMPTY, [header(0x7F, TAG, 64), 1], E.UNKNOWN_OPCODE, 0x7F),
    Bad("unknown", READY, [header(0x40, TAG, 0)], E.UNKNOWN_OPCODE, 0x40),
    Bad("the other engine's", EMPTY, [header(Opcode.READ, TAG, 1), 0], E.UNKNOWN_OPCODE, 2),
    Bad("cut at once", EMPTY, [header(Op.RUN, TAG, 1)], E.TRUNCATED, 0),
    Bad("cut", EMPTY, [header(Op.WRITE, TAG, 2), 2], E.TRUNCATED, 1),
    Bad("too many", RUNNING, [header(Op.WRITE, TAG, 2), 2, 1, 1, 1], E.OVERSIZED, 2),
    Bad("too many for none", EMPTY, [header(Op.RUN, TAG, 0), 2], E.OVERSIZED, 0),
    bad("state before length", EMPTY, Op.RUN, [1], E.WRONG_STATE, EMPTY),
    bad("length before register", EMPTY, Op.READ, [WORD, 1], E.BAD_LENGTH, 2),
    # lengths
    bad("long identify", EMPTY, Op.IDENTIFY, [1], E.BAD_LENGTH, 1),
    bad("empty read", EMPTY, Op.READ, [], E.BAD_LENGTH, 0),
    bad("short write", EMPTY, Op.WRITE, [2], E.BAD_LENGTH, 1),
    bad("short begin", EMPTY, Op.BEGIN, SIZE[:5], E.BAD_LENGTH, 5),
    bad("long begin", EMPTY, Op.BEGIN, [*SIZE, 0], E.BAD_LENGTH, 7),
    bad("long commit", LOADING, Op.COMMIT, [1], E.BAD_LENGTH, 1),
    bad("long run", READY, Op.RUN, [0], E.BAD_LENGTH, 1),
    bad("long abort", RUNNING, Op.ABORT, [0, 0], E.BAD_LENGTH, 2),
    bad("nothing", LOADING, Op.UNITS, [], E.BAD_LENGTH, 0),
    bad("no units", LOADING, Op.UNITS, [0], E.BAD_LENGTH, 1),
    bad("half a unit", LOADING, Op.UNITS, [0, 1, 2, 3, 4], E.BAD_LENGTH, 5),
    bad("half a word", LOADING, Op.WEIGHTS, [0, 1], E.BAD_LENGTH, 2),
    bad("no biases", READY, Op.BIASES, [0], E.BAD_LENGTH, 1),
    bad("half a clamp", READY, Op.CLAMPS, [0, 1, 1, 1], E.BAD_LENGTH, 4),
    bad("half an entry", READY, Op.SCHEDULE, [0, *ZERO[:8]], E.BAD_LENGTH, 9),
    bad("no state", READY, Op.STATE, [0], E.BAD_LENGTH, 1),
    bad("half a constraint", READY, Op.CONSTRAINTS, [0, 1, 1], E.BAD_LENGTH, 3),
    bad("no pairs", READY, Op.PAIRS, [0], E.BAD_LENGTH, 1),
    # sizes
    bad("no unit", EMPTY, Op.BEGIN, [0, 4, 2, WORD, 0, 0], E.BAD_SIZE, 0),
    bad("seven units", READY, Op.BEGIN, [7, 2, 1, 0, 0, 0], E.BAD_SIZE, 0),
    bad("four constraints", LOADING, Op.BEGIN, [6, 4, 2, 0, 0, 0], E.BAD_SIZE, 1),
    bad("all couplings", EMPTY, Op.BEGIN, [6, 3, 2, 48, 0, 0], E.BAD_SIZE, 2),
    *(
        bad(f"shift {k}", EMPTY, Op.BEGIN, [*SIZE[:3], *(
            48 << 8 * (k % 4) if word == k // 4 else 0x2F2F2F2F >> 24 * (word == 2)
            for word in range(3)
        )], E.BAD_SIZE, 3 + k // 4)
        for k in range(12)
    ),
    *(
        bad(f"bit {k} of the last word", EMPTY, Op.BEGIN, [*SIZE[:5], 1 << k], E.BAD_SIZE, 5)
        for k in range(8, 32)
    ),
    # addresses
    bad("units out of order", LOADING, Op.UNITS, [1, 0, 0, 0], E.BAD_ADDRESS, 1),
    bad("units past the end", LOADING, Op.UNITS, [0, *[0] * 18], E.BAD_ADDRESS, 0),
    bad("weights out of order", LOADING, Op.WEIGHTS, [2, 0, 0], E.BAD_ADDRESS, 2),
    bad("weights past the end", LOADING, Op.WEIGHTS, [0, *[0] * 40], E.BAD_ADDRESS, 0),
    bad("biases out of order", LOADING, Op.BIASES, [1, 0], E.BAD_ADDRESS, 1),
    bad("biases past the end", READY, Op.BIASES, [4, 0, 0], E.BAD_ADDRESS, 4),
    bad("biases far away", READY, Op.BIASES, [WORD, 0], E.BAD_ADDRESS, WORD),
    bad("clamps past the end", LOADING, Op.CLAMPS, [5, 0, 0], E.BAD_ADDRESS, 5),
    bad("schedule with a gap", READY, Op.SCHEDULE, [1, 1, *[0] * 8], E.BAD_ADDRESS, 1),
    bad("schedule past the end", READY, Op.SCHEDULE, [0, *[1, *[0] * 8] * 6], E.BAD_ADDRESS, 0),
    bad("state past the end", READY, Op.STATE, [4, 0, 0], E.BAD_ADDRESS, 4),
    bad("constraints out of order", LOADING, Op.CONSTRAINTS, [1, 0, 0, 0], E.BAD_ADDRESS, 1),
    bad("constraints past the end", READY, Op.CONSTRAINTS, [2, 0, 0, 0], E.BAD_ADDRESS, 2),
    bad("pairs with a gap", READY, Op.PAIRS, [1, 0], E.BAD_ADDRESS, 1),
    bad("pairs past the end", READY, Op.PAIRS, [0, *[0] * 7], E.BAD_ADDRESS, 0),
    bad("address before value", READY, Op.STATE, [5, WORD >> 1], E.BAD_ADDRESS, 5),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_packet_is_named_and_changes_nothing(case: Bad) -> None:
    session = Session().load(case.state)
    before, engine = contents(session.shell), session.shell._engine
    session.shell.send(case.words)
    assert session.answer() == [ERROR, case.code, case.detail]
    assert contents(session.shell) == before
    assert session.shell._engine is engine
    assert session.read(R.STATE) == case.state


def within(largest: int) -> tuple[list[int], list[int]]:
    good, above = [0, 1, -1, largest, -largest], [largest + 1, -largest - 1, -(1 << 31)]
    return words(good), words([*above, (1 << 31) - 1])


def halves(largest: int) -> tuple[list[int], list[int]]:
    good, above = [0, 1, -1, largest, -largest], [largest + 1, -largest - 1, -(1 << 15)]
    places = [(v & 0xFFFF) << 16 * k for v in above for k in range(2)]
    return [(a & 0xFFFF) << 16 | b & 0xFFFF for a in good for b in good], places


FLAG = ([0, 1], [2, 1 << 31, WORD])
REPEAT = (
    [1, (1 << 24) - 1, 1 << 31 | 1, 1 << 31 | (1 << 24) - 1],
    [0, 1 << 31, *(1 << bit | 1 for bit in range(24, 31))],
)
SCALED = (
    [0, (1 << 18) - 1, 47 << 18 | (1 << 18) - 1],
    [48 << 18, 63 << 18, *(1 << bit for bit in range(24, 32))],
)
LAMBDA = ([0, COEFFICIENT], [COEFFICIENT + 1, WORD, 1 << 31])
PAIR = (
    [0, 4 | 4 << 12, 1 << 24, 1 << 24 | 4 << 12 | 4],
    [5, 5 << 12, 1 << 24 | 5, 0xFFF, 0xFFF << 12, *(1 << bit for bit in range(25, 32))],
)
RECORDS: dict[LangevinOpcode, list[tuple[list[int], list[int]]]] = {
    Op.UNITS: [within(COEFFICIENT)] * 3,
    Op.WEIGHTS: [halves(WEIGHT)] * 2,
    Op.BIASES: [within(COEFFICIENT)],
    Op.CLAMPS: [FLAG, within(STATE)],
    Op.SCHEDULE: [REPEAT, SCALED, SCALED, *[within(STRENGTH)] * 6],
    Op.STATE: [within(STATE)],
    Op.CONSTRAINTS: [FLAG, LAMBDA, within(RESIDUAL)],
    Op.PAIRS: [PAIR],
}


@pytest.mark.parametrize("opcode", RECORDS, ids=lambda opcode: opcode.name)
def test_every_word_of_a_record_has_two_ends(opcode: LangevinOpcode) -> None:
    places = RECORDS[opcode]
    plain = [good[0] for good, _ in places]
    for place, (good, wrong) in enumerate(places):
        for value in good:
            record = [*plain[:place], value, *plain[place + 1 :]]
            Session().load(LOADING).ok(opcode, 0, *plain, *record)
        session = Session().load(LOADING)
        for value in wrong:
            record = [*plain[:place], value, *plain[place + 1 :]]
            # the first bad word of two is named
            at = 1 + len(plain) + place
            session.refused(opcode, [0, *plain, *record], E.BAD_VALUE, at)
            session.refused(
                opcode, [0, *record, *record][: len(record) + 1], E.BAD_VALUE, 1 + place
            )


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("opcode", list(LangevinOpcode))
def test_commands_are_refused_in_the_wrong_state(opcode: LangevinOpcode, state: State) -> None:
    session = Session().load(state)
    if state not in LANGEVIN_LEGAL_STATES[opcode]:
        session.refused(opcode, [], E.WRONG_STATE, state)
        return
    if opcode in (Op.COMMIT, Op.RUN):
        return  # legal in one state each, which the tests of programs and runs show
    legal = {Op.READ: [0], Op.WRITE: [0, 5], Op.BEGIN: SIZE}
    if opcode in RECORDS:
        legal[opcode] = [0, *(good[0] for good, _ in RECORDS[opcode])]
    assert session(opcode, *legal.get(opcode, []))[0] in (OK, INFO)


@pytest.mark.parametrize(("place", "missing"), list(enumerate("units weights biases rows".split())))
def test_commit_names_the_first_that_is_not_complete(place: int, missing: str) -> None:
    session = Session().load(LOADING)
    if place > 0:
        session.units(PROGRAM)
    if place > 1:
        session.weights(PROGRAM)
    if place > 2:
        session.ok(Op.BIASES, 0, *words(PROGRAM.conditions.biases))
    session.refused(Op.COMMIT, [], E.INCOMPLETE, place)
    assert session.read(R.STATE) == LOADING
    last = {"units": Op.UNITS, "weights": Op.WEIGHTS, "biases": Op.BIASES, "rows": Op.CONSTRAINTS}
    records = [[good[0] for good, _ in RECORDS[last[missing]]]] * (19 if place == 1 else N)
    all_but_one = [word for record in records[: -1 if place < 3 else 1] for word in record]
    session.ok(last[missing], 0, *all_but_one)
    session.refused(Op.COMMIT, [], E.INCOMPLETE, place)


def test_biases_and_constraints_come_in_order_while_loading_and_in_any_when_ready() -> None:
    session = Session().load(LOADING)
    session.ok(Op.BIASES, 0, 1, 2)
    session.refused(Op.BIASES, [0, 1], E.BAD_ADDRESS, 0)
    session.ok(Op.BIASES, 2, 3, 4, 5)
    session.ok(Op.CONSTRAINTS, 0, 0, 1, 2)
    session.ok(Op.CONSTRAINTS, 1, 1, 1, 2)
    session.units(PROGRAM)
    session.weights(PROGRAM)
    session.ok(Op.COMMIT)
    session.ok(Op.BIASES, 3, 7)
    session.ok(Op.CONSTRAINTS, 1, 0, 1, 2)
    session.ok(Op.CONSTRAINTS, 0, 0, 1, 2)


def test_a_run_needs_its_schedule_and_its_pairs() -> None:
    session = Session().load()
    session.refused(Op.RUN, [], E.NO_SCHEDULE, 0)
    one = [1, *[0] * 8]
    session.ok(Op.SCHEDULE, 0, *one * 3)
    session.ok(Op.SCHEDULE, 1, *one)  # in the middle: still three
    session.ok(Op.PAIRS, 0, 0, 1, 2)
    session.ok(Op.PAIRS, 0, 3)
    session.ok(Op.WRITE, R.PAIRS, 4)
    session.refused(Op.RUN, [], E.NO_SCHEDULE, 0)
    session.ok(Op.WRITE, R.ENTRIES, 4)
    session.refused(Op.RUN, [], E.NO_SCHEDULE, 4)
    session.ok(Op.WRITE, R.ENTRIES, 3)
    session.refused(Op.RUN, [], E.NO_PAIRS, 4)
    session.ok(Op.WRITE, R.PAIRS, 3)
    assert [packet[0] for packet in session.run()] == [DRAW, MOMENTS, DONE]
    # BEGIN forgets schedule and pairs, registers stay
    session.load()
    assert session.read(R.ENTRIES) == session.read(R.PAIRS) == 3
    session.refused(Op.RUN, [], E.NO_SCHEDULE, 3)
    session.ok(Op.SCHEDULE, 0, *one * 3)
    session.refused(Op.RUN, [], E.NO_PAIRS, 3)


def test_begin_zeroes_clamps_and_state() -> None:
    session = Session()
    program = random_program(1, 2, 0, False)
    program = replace(program, conditions=LangevinConditions(array("i", [0, 0])))
    for clamps, expected in ((True, [11, 8]), (False, [0, 0])):
        session.program(program)
        session.ok(Op.SCHEDULE, 0, 1, *[0] * 8)
        session.ok(Op.WRITE, R.ENTRIES, 1)
        if clamps:
            session.ok(Op.STATE, 0, 7, 8)
            session.ok(Op.CLAMPS, 0, 1, 11)
        assert session.run()[0][-2:] == expected


# --- runs ---------------------------------------------------------------------------------------

SIZES = [(5, 2, True), (5, 2, False), (4, 0, True), (1, 0, False), (1, 3, True), (6, 3, True)]


@pytest.mark.parametrize(("n", "m", "is_coupled"), SIZES)
@pytest.mark.parametrize("flags", range(8))
def test_programs_through_packets_are_the_engine(
    n: int, m: int, is_coupled: bool, flags: int
) -> None:
    program = random_program(7 * n + flags, n, m, is_coupled)
    pairs: list[tuple[int, int | None]] = [] if flags in (1, 2) else [(0, n - 1), (n // 2, None)]
    request = replace(
        REQUEST, samples=flags & 1 > 0, best=flags & 2 > 0, trajectory=flags & 4 > 0, pairs=pairs,
        state=array("i", range(n)),
    )  # fmt: skip
    session = Session()
    session.program(program)
    session.request(request)
    *packets, done = session.run()
    assert packets == engine_packets(program, request)
    assert done[0] == DONE
    # the same once more, and after other conditions
    assert session.run() == [*packets, done]
    biases = array("i", [-code for code in program.conditions.biases])
    session.ok(Op.BIASES, 0, *words(biases))
    session.ok(Op.CLAMPS, 0, 0, 9)
    conditions = replace(program.conditions, biases=biases, clamps={**program.conditions.clamps})
    conditions.clamps.pop(0, None)
    changed = replace(program, conditions=conditions)
    assert session.run()[:-1] == engine_packets(changed, request) != packets


def test_any_chain_can_be_replayed_alone() -> None:
    session = Session().load()
    session.request(REQUEST)
    packets = session.run()
    session.ok(Op.WRITE, R.CHAINS, 1)
    for chain in range(3):
        number = (WORD + chain) & WORD
        session.ok(Op.WRITE, R.FIRST_CHAIN, number)
        own = [packet for packet in packets[:-1] if packet[1] == number]
        assert len(own) == 5
        assert session.run()[:-1] == own


def counted(chains: int, step: int, pairs: int, additions: int, last: int, n: int, m: int) -> Any:
    """Cycles, products, updates and steps at a draw, by the formulas of the page.

    ``chains`` whole ones of ``last`` steps before it and ``step`` of its own; 4 multipliers, 2
    rounds of the hash a cycle; ``additions`` whole chains' and its own additions to the moments.
    """
    row, column = -(-n // 4), -(-m // 4)
    residuals = m * row + timing.RESIDUAL_LATENCY if m else 0
    one = residuals + n * max(1, row + column) + timing.UPDATE_LATENCY + timing.TAIL_CYCLES
    passes = chains * (last + 1) + step + 1
    cycles = (chains + 1) * (n * 11 + n + timing.START_LATENCY) + passes * one
    cycles += additions * (pairs + timing.MOMENT_LATENCY)
    steps = chains * last + step
    return [cycles, passes * (2 * m * n + n * n), steps * n, steps]


@pytest.mark.parametrize(("n", "m"), [(5, 2), (5, 0), (6, 3)])
def test_counters_follow_the_page_from_draw_to_draw(n: int, m: int) -> None:
    session = Session()
    session.program(random_program(3, n, m, True))
    session.request(replace(REQUEST, state=None))
    session.ok(Op.RUN)
    # 6 steps of the schedule, of which the third is not measured, then 2 before each draw; every
    # second measured step adds to the moments: (5, 7, 9, 11) // 2
    adds, last = {6: 2, 8: 3, 10: 4, 12: 5}, 12
    expected: list[int] = []
    for chain in range(3):
        for number, step in enumerate(adds):
            kind, *payload = session.answer()
            assert kind == DRAW
            assert payload[1:3] == [number, step]
            expected = counted(chain, step, 3, 5 * chain + adds[step], last, n, m)
            assert session.read(R.STATE) == RUNNING
            found = [session.read(R.CYCLES_LOW + 2 * k) for k in range(5)]
            assert found == [*expected, 4 * chain + number + 1]
        kind, _, additions, *_ = session.answer()
        assert (kind, additions) == (MOMENTS, 5)
    done = session.answer()
    assert done == [DONE, *(word for value in [*expected, 12, 0] for word in two(value))]
    assert session.read(R.STATE) == READY
    assert session.read(R.CYCLES_LOW) == expected[0]  # kept after the run
    session.ok(Op.RUN)
    assert session.read(R.READS_LOW) == 0  # and restarted by the next


@pytest.mark.parametrize("alone", [True, False])
def test_saturations_add_over_chains_whatever_block_they_go_through(
    alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if alone:
        monkeypatch.setattr(golden_langevin, "MOST_CHAINS", 1)
    session = Session().load()
    session.request(replace(REQUEST, start=((1 << 18) - 1, 15)))  # many start at the range's ends
    session.ok(Op.RUN)
    found = []
    for _ in range(14):
        session.answer()
        found.append(session.read(R.SATURATIONS_LOW))
    assert found == sorted(found)
    assert len(set(found)) > 3
    assert session.answer()[0] == MOMENTS
    assert session.answer()[-2:] == [found[-1], 0]
    engine, total = LangevinEngine(P, Weights.of(PROGRAM)), 0
    engine.condition(PROGRAM.conditions)
    for chain in range(3):
        request = replace(REQUEST, start=((1 << 18) - 1, 15), chains=1)
        request = replace(request, first_chain=(WORD + chain) & WORD)
        *_, last = engine.run(request)
        total += int(last[0].saturations[0])
    assert found[-1] == total


@pytest.mark.parametrize("taken", range(15))
def test_abort_ends_a_run_after_the_draw_taken_last(taken: int) -> None:
    session = Session().load()
    session.request(REQUEST)
    whole = session.run()
    session.ok(Op.RUN)
    assert [session.answer() for _ in range(taken)] == whole[:taken]
    counters = [session.read(offset) for offset in range(0x20, 0x2C)]
    session.ok(Op.ABORT)
    assert session.answer() == [ABORTED, *counters]
    assert session.read(R.STATE) == READY
    assert not session.shell.pending
    session.refused(Op.ABORT, [], E.WRONG_STATE, READY)
    assert session.run() == whole


def test_commands_in_a_run_are_answered_before_its_draws() -> None:
    session = Session().load(RUNNING)
    assert session.shell.pending
    assert session.shell.waiting == 0
    session.refused(Op.STATE, [0, 0], E.WRONG_STATE, RUNNING)
    session.refused(Op.BEGIN, SIZE, E.WRONG_STATE, RUNNING)
    assert session.read(R.STATE) == RUNNING
    assert session.answer()[0] == DRAW


def test_nothing_asked_nothing_given() -> None:
    with pytest.raises(DeviceError, match="send a command first"):
        Session().shell.receive()


def test_a_device_without_pairs_takes_none() -> None:
    session = Session(replace(P, pairs=0))
    session.load()
    session.refused(Op.PAIRS, [0, 0], E.BAD_ADDRESS, 0)


class Drowsy(LangevinEngine):
    """The planted fault: clamps are not taken over."""

    def condition(self, conditions: LangevinConditions) -> None:
        super().condition(replace(conditions, clamps={}))


def test_an_engine_that_forgets_clamps_shows() -> None:
    session = Session(engine=Drowsy).load()
    session.request(REQUEST)
    assert session.run()[:-1] != engine_packets(PROGRAM, REQUEST)

"""The golden shell: every error code with its detail, legal states, registers, runs and aborts."""

import copy
from dataclasses import dataclass

import pytest

from gibbsite_hw.spec.device import WordStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.packets import LEGAL_STATES, MAGIC, ErrorCode, Opcode, Response, header
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.program import Row, encode_entry
from gibbsite_hw.spec.registers import REGISTERS, Register, State
from gibbsite_models.golden.device import EngineShell, GoldenStream

P = GraphParameters(
    lanes=2, rows=8, words=16, schedule_steps=8, payload_words=16, max_group=4, max_degree=5
)
TAG = 0x5C

# two p-bits; a group of two rows (1 + 2 states) that they are coupled to; a p-bit that folds
ROWS = [
    Row(2, 0, False, False, False, True, 0b11),
    Row(1, 0, True, True, False, False, 0b01),
    Row(1, 0, True, False, True, True, 0b11),
    Row(1, 1, False, False, False, True, 0b01),
]
WORDS = 5


def entry(address: int, weight: int, state: bool = False) -> int:
    return encode_entry(P, address, weight, state)


ENTRIES = [
    *(entry(2, 5, True), entry(4, -7, True), entry(6, 9), entry(0, 0)),
    *(entry(0, 5), entry(0, 0)),
    *(entry(1, -7), entry(0, 0)),
    *(entry(0, 9), entry(0, 0)),
]
BIASES = [3, -4 & 0xFFFFFFFF, 1, 0, 2, 0, -6 & 0xFFFFFFFF, 0]


def packed(rows: list[Row], first: int = 0) -> list[int]:
    return [first, *(word for row in rows for word in row.encode())]


class Session:
    """A golden stream and the few words it takes to talk to it."""

    def __init__(self) -> None:
        self.stream = GoldenStream(P)
        (self.shell,) = self.stream._shells

    def __call__(self, opcode: int, *payload: int) -> list[int]:
        self.stream.send([header(opcode, TAG, len(payload)), *payload])
        return self.answer()

    def answer(self) -> list[int]:
        words = self.stream.receive()
        assert len(words) - 1 == words[0] & 0xFFFF
        assert words[0] >> 16 & 0xFF == TAG
        return [words[0] >> 24, *words[1:]]

    def ok(self, opcode: int, *payload: int) -> None:
        assert self(opcode, *payload) == [Response.OK], (opcode, payload)

    def load(self, until: State = State.READY) -> "Session":
        if until is State.EMPTY:
            return self
        self.ok(Opcode.BEGIN, len(ROWS), WORDS)
        if until is State.LOADING:
            return self
        self.ok(Opcode.ROWS, *packed(ROWS))
        self.ok(Opcode.ENTRIES, 0, *ENTRIES)
        self.ok(Opcode.BIASES, 0, *BIASES)
        self.ok(Opcode.COMMIT)
        if until is State.RUNNING:
            self.ok(Opcode.WRITE, Register.DRAWS, 3)
            self.ok(Opcode.RUN)
        return self

    def write(self, register: Register, value: int) -> None:
        self.ok(Opcode.WRITE, register, value)

    def read(self, register: Register) -> int:
        kind, value = self(Opcode.READ, register)
        assert kind == Response.INFO
        return value


def test_it_is_a_word_stream() -> None:
    stream = GoldenStream(P, uri="golden:?lanes=2")
    assert isinstance(stream, WordStream)
    assert stream.uri == "golden:?lanes=2"
    assert stream.parameters == DeviceParameters(P, None)
    assert not stream.pending


def test_identify_tells_the_build() -> None:
    fingerprint = P.fingerprint()
    expected = [MAGIC, SPEC_VERSION, fingerprint & 0xFFFFFFFF, fingerprint >> 32, 2, 8, 16, 8]
    assert Session()(Opcode.IDENTIFY) == [Response.INFO, *expected]


@pytest.mark.parametrize("register", list(Register))
def test_registers_reset_read_and_write(register: Register) -> None:
    info, session = REGISTERS[register], Session()
    assert session.read(register) == info.reset
    if info.writable:
        for value in (info.minimum, info.maximum):
            session.write(register, value)
            assert session.read(register) == value
        outside = (info.minimum - 1, info.maximum + 1)
        for value in (value for value in outside if 0 <= value < 1 << 32):
            assert session(Opcode.WRITE, register, value) == [
                Response.ERROR, ErrorCode.BAD_VALUE, 1
            ]  # fmt: skip
    else:
        assert session(Opcode.WRITE, register, 0) == [
            Response.ERROR, ErrorCode.READ_ONLY, register
        ]  # fmt: skip


@dataclass
class Bad:
    """A packet that is refused: state before, words on the stream, code and detail."""

    name: str
    state: State
    words: list[int]
    code: ErrorCode
    detail: int


def bad(
    name: str, state: State, opcode: int, payload: list[int], code: ErrorCode, detail: int
) -> Bad:
    return Bad(name, state, [header(opcode, TAG, len(payload)), *payload], code, detail)


def changed(row: Row, **fields: int | bool) -> list[int]:
    words = {name: getattr(row, name) for name in row.__dataclass_fields__} | fields
    return list(Row(**words).encode())


EMPTY, LOADING, READY, RUNNING = State
E = ErrorCode
BAD: list[Bad] = [
    # framing, in the order of the checks
    Bad("too long", EMPTY, [header(0x7F, TAG, 17), 1], E.TOO_LONG, 17),
    Bad("unknown, and cut", EMPTY, [header(0x7F, TAG, 3), 1], E.UNKNOWN_OPCODE, 0x7F),
    Bad("unknown", READY, [header(0, TAG, 0)], E.UNKNOWN_OPCODE, 0),
    Bad("cut at once", EMPTY, [header(Opcode.RUN, TAG, 1)], E.TRUNCATED, 0),
    Bad("cut", EMPTY, [header(Opcode.WRITE, TAG, 2), 2], E.TRUNCATED, 1),
    Bad("too many", RUNNING, [header(Opcode.WRITE, TAG, 2), 2, 1, 1, 1], E.OVERSIZED, 2),
    Bad("too many for none", EMPTY, [header(Opcode.RUN, TAG, 0), 2], E.OVERSIZED, 0),
    bad("state before length", EMPTY, Opcode.RUN, [1], E.WRONG_STATE, EMPTY),
    # lengths
    bad("long identify", EMPTY, Opcode.IDENTIFY, [1], E.BAD_LENGTH, 1),
    bad("empty read", EMPTY, Opcode.READ, [], E.BAD_LENGTH, 0),
    bad("short write", EMPTY, Opcode.WRITE, [2], E.BAD_LENGTH, 1),
    bad("long begin", EMPTY, Opcode.BEGIN, [1, 1, 1], E.BAD_LENGTH, 3),
    bad("long commit", LOADING, Opcode.COMMIT, [1], E.BAD_LENGTH, 1),
    bad("long run", READY, Opcode.RUN, [0], E.BAD_LENGTH, 1),
    bad("long abort", RUNNING, Opcode.ABORT, [0, 0], E.BAD_LENGTH, 2),
    bad("no records", LOADING, Opcode.ROWS, [0], E.BAD_LENGTH, 1),
    bad("nothing", LOADING, Opcode.SCHEDULE, [], E.BAD_LENGTH, 0),
    bad("half a row", LOADING, Opcode.ROWS, [0, 1], E.BAD_LENGTH, 2),
    bad("half a word", LOADING, Opcode.ENTRIES, [0, 1, 2, 3], E.BAD_LENGTH, 4),
    bad("half a row of biases", LOADING, Opcode.BIASES, [0, 1], E.BAD_LENGTH, 2),
    bad("half a clamp", READY, Opcode.CLAMPS, [0, 1, 1, 1], E.BAD_LENGTH, 4),
    bad("no state", READY, Opcode.STATE, [0], E.BAD_LENGTH, 1),
    # registers
    bad("no register", EMPTY, Opcode.READ, [9], E.BAD_REGISTER, 9),
    bad("no register, far", EMPTY, Opcode.WRITE, [0xFFFFFFFF, 0], E.BAD_REGISTER, 2**32 - 1),
    bad("status", EMPTY, Opcode.WRITE, [0x10, 0], E.READ_ONLY, 0x10),
    bad("no chains", EMPTY, Opcode.WRITE, [3, 0], E.BAD_VALUE, 1),
    bad("flag 3", READY, Opcode.WRITE, [8, 8], E.BAD_VALUE, 1),
    # sizes
    bad("no rows", EMPTY, Opcode.BEGIN, [0, 1], E.BAD_SIZE, 0),
    bad("too many rows", READY, Opcode.BEGIN, [9, 0], E.BAD_SIZE, 0),
    bad("no words", LOADING, Opcode.BEGIN, [8, 0], E.BAD_SIZE, 1),
    bad("too many words", EMPTY, Opcode.BEGIN, [1, 17], E.BAD_SIZE, 1),
    # addresses
    bad("rows out of order", LOADING, Opcode.ROWS, packed(ROWS[:1], 1), E.BAD_ADDRESS, 1),
    bad("rows past the end", LOADING, Opcode.ROWS, packed([*ROWS, ROWS[0]]), E.BAD_ADDRESS, 0),
    bad("entries out of order", LOADING, Opcode.ENTRIES, [2, 0, 0], E.BAD_ADDRESS, 2),
    bad("entries past the end", LOADING, Opcode.ENTRIES, [0] + [0] * 12, E.BAD_ADDRESS, 0),
    bad("biases out of order", LOADING, Opcode.BIASES, [1, 0, 0], E.BAD_ADDRESS, 1),
    bad("biases past the end", READY, Opcode.BIASES, [3, 0, 0, 0, 0], E.BAD_ADDRESS, 3),
    bad("biases far away", READY, Opcode.BIASES, [0xFFFFFFFF, 0, 0], E.BAD_ADDRESS, 2**32 - 1),
    bad("clamps past the end", LOADING, Opcode.CLAMPS, [4, 0, 0], E.BAD_ADDRESS, 4),
    bad("schedule with a gap", READY, Opcode.SCHEDULE, [1, 0], E.BAD_ADDRESS, 1),
    bad("schedule past the end", READY, Opcode.SCHEDULE, [0] + [1] * 9, E.BAD_ADDRESS, 0),
    bad("state past the end", READY, Opcode.STATE, [3, 0, 0], E.BAD_ADDRESS, 3),
    # values
    bad("length 0", LOADING, Opcode.ROWS, [0, *changed(ROWS[0], length=0)], E.BAD_VALUE, 1),
    bad("too long a list", LOADING, Opcode.ROWS, [0, *changed(ROWS[0], length=6)], E.BAD_VALUE, 1),
    bad("wide fold", LOADING, Opcode.ROWS, [0, *changed(ROWS[3], fold=2)], E.BAD_VALUE, 1),
    bad("no slot", LOADING, Opcode.ROWS, [0, *changed(ROWS[0], mask=0)], E.BAD_VALUE, 1),
    bad("mask above", LOADING, Opcode.ROWS, [0, *changed(ROWS[0], mask=4)], E.BAD_VALUE, 1),
    bad("off the fold", LOADING, Opcode.ROWS, [0, *changed(ROWS[3], mask=2)], E.BAD_VALUE, 1),
    bad("p-bits first", LOADING, Opcode.ROWS, [0, *changed(ROWS[0], first=True)], E.BAD_VALUE, 1),
    bad("bit 18", LOADING, Opcode.ROWS, [0, *ROWS[0].encode(), 1 << 18 | 1, 1], E.BAD_VALUE, 3),
    bad("entry address", LOADING, Opcode.ENTRIES, [0, 0, entry(8, 1)], E.BAD_VALUE, 2),
    bad("least weight", LOADING, Opcode.ENTRIES, [0, entry(0, -512), 0], E.BAD_VALUE, 1),
    bad("entry bit 15", LOADING, Opcode.ENTRIES, [0, 1 << 15, 0], E.BAD_VALUE, 1),
    bad("large bias", LOADING, Opcode.BIASES, [0, 32767, 32768], E.BAD_VALUE, 2),
    bad("least bias", READY, Opcode.BIASES, [0, 2**32 - 32768, 0], E.BAD_VALUE, 1),
    bad("on mask", READY, Opcode.CLAMPS, [0, 3, 3, 4, 0], E.BAD_VALUE, 3),
    bad("off mask", LOADING, Opcode.CLAMPS, [0, 3, 4], E.BAD_VALUE, 2),
    bad("beta", READY, Opcode.SCHEDULE, [0, 2**24 - 1, 2**24], E.BAD_VALUE, 2),
    bad("state bits", READY, Opcode.STATE, [0, 3, 4], E.BAD_VALUE, 2),
]  # fmt: skip


def contents(stream: EngineShell) -> dict[str, object]:
    """Everything that the device holds, runs and answers apart."""
    apart = {"_commands", "_run", "_engine", "_answers"}
    return copy.deepcopy({k: v for k, v in vars(stream).items() if k not in apart})


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_a_bad_packet_is_named_and_changes_nothing(case: Bad) -> None:
    session = Session().load(case.state)
    before, engine = contents(session.shell), session.shell._engine
    session.stream.send(case.words)
    assert session.answer() == [Response.ERROR, case.code, case.detail]
    assert contents(session.shell) == before
    assert session.shell._engine is engine
    assert session.read(Register.STATE) == case.state


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("opcode", list(Opcode))
def test_commands_are_refused_in_the_wrong_state(opcode: Opcode, state: State) -> None:
    if state in LEGAL_STATES[opcode]:
        legal: dict[Opcode, list[int]] = {
            Opcode.READ: [0],
            Opcode.WRITE: [0, 5],
            Opcode.BEGIN: [1, 1],
            Opcode.ROWS: packed(ROWS[:1]),
            Opcode.ENTRIES: [0, 0, 0],
            Opcode.BIASES: [0, 1, 1],
            Opcode.CLAMPS: [0, 1, 0],
            Opcode.SCHEDULE: [0, 1],
            Opcode.STATE: [0, 1],
        }
        if opcode is Opcode.COMMIT:
            return  # legal in LOADING; the loads of all other tests show it
        kind, *_ = Session().load(state)(opcode, *legal.get(opcode, []))
        assert kind in (Response.OK, Response.INFO)
        return
    session = Session().load(state)
    before = contents(session.shell)
    assert session(opcode) == [Response.ERROR, ErrorCode.WRONG_STATE, state]
    assert contents(session.shell) == before


def group(first: bool, last: bool, barrier: bool, mask: int = 0b11) -> Row:
    return Row(1, 0, True, first, last, barrier, mask)


PBIT = Row(1, 0, False, False, False, True, 0b11)
NO_BARRIER = Row(1, 0, False, False, False, False, 0b11)
WHOLE = group(True, True, True)

MISFITS: list[tuple[str, list[Row], ErrorCode, int]] = [
    ("first is missing", [PBIT, group(False, True, True)], ErrorCode.BAD_ROWS, 1),
    ("first inside", [group(True, False, False), WHOLE], ErrorCode.BAD_ROWS, 1),
    ("p-bits inside", [group(True, False, False), PBIT, WHOLE], ErrorCode.BAD_ROWS, 1),
    ("barrier inside", [group(True, False, True), group(False, True, True)], ErrorCode.BAD_ROWS, 0),
    ("no last barrier", [PBIT, NO_BARRIER], ErrorCode.BAD_ROWS, 1),
    ("no last barrier in a group", [group(True, True, False)], ErrorCode.BAD_ROWS, 0),
    ("ends inside a group", [PBIT, group(True, False, False)], ErrorCode.BAD_ROWS, 1),
    (
        "five states",
        [group(True, False, False), group(False, False, False), group(False, True, True, 1), PBIT],
        ErrorCode.BAD_GROUP,
        2,
    ),
    ("sum of lengths", [PBIT, Row(2, 0, False, False, False, True, 1)], ErrorCode.BAD_ROWS, 2),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "code", "detail"), MISFITS, ids=[m[0] for m in MISFITS])
def test_commit_refuses_rows_that_do_not_fit(
    name: str, rows: list[Row], code: ErrorCode, detail: int
) -> None:
    session = Session()
    session.ok(Opcode.BEGIN, len(rows), len(rows))
    session.ok(Opcode.ROWS, *packed(rows))
    session.ok(Opcode.ENTRIES, 0, *[0] * (2 * len(rows)))
    session.ok(Opcode.BIASES, 0, *[0] * (2 * len(rows)))
    before = contents(session.shell)
    assert session(Opcode.COMMIT) == [Response.ERROR, code, detail]
    assert contents(session.shell) == before


def test_the_largest_group_fits() -> None:
    rows = [group(True, False, False), group(False, True, True)]
    session = Session()
    session.ok(Opcode.BEGIN, 2, 2)
    session.ok(Opcode.ROWS, *packed(rows))
    session.ok(Opcode.ENTRIES, 0, *[0] * 4)
    session.ok(Opcode.BIASES, 0, *[0] * 4)
    session.ok(Opcode.COMMIT)


@pytest.mark.parametrize("missing", ["rows", "entries", "biases"])
def test_commit_refuses_what_is_not_complete(missing: str) -> None:
    session = Session().load(LOADING)
    if missing != "rows":
        session.ok(Opcode.ROWS, *packed(ROWS))
    if missing != "entries":
        session.ok(Opcode.ENTRIES, 0, *ENTRIES)
    if missing != "biases":
        session.ok(Opcode.BIASES, 0, *BIASES)
    assert session(Opcode.COMMIT) == [Response.ERROR, ErrorCode.BAD_ROWS, len(ROWS)]
    assert session.read(Register.STATE) == LOADING


# clamps: (row, on, off); state: bits of all rows, or None; code and detail, or None if it may run
Condition = tuple[str, list[tuple[int, int, int]], list[int] | None, ErrorCode | None, int]
CONDITIONS: list[Condition] = [
    ("free", [], None, None, 0),
    ("p-bit twice", [(0, 2, 2)], None, ErrorCode.PINNED_TWICE, 0),
    ("two states on", [(1, 1, 0), (2, 2, 0)], None, ErrorCode.PINNED_TWICE, 2),
    ("a state on and off", [(2, 2, 3)], None, ErrorCode.PINNED_TWICE, 2),
    ("all off", [(1, 0, 1), (2, 0, 3)], None, ErrorCode.NO_STATE_LEFT, 2),
    ("outside the mask", [(1, 2, 3), (3, 2, 2)], None, ErrorCode.NO_STATE_LEFT, 0),
    ("given", [], [3, 0, 2, 1], None, 0),
    ("given and pinned", [(0, 1, 2), (2, 2, 1)], [1, 0, 2, 0], None, 0),
    ("none of a group", [], [0, 0, 0, 0], ErrorCode.STATE_NOT_ONE_HOT, 2),
    ("two of a row", [], [0, 0, 3, 0], ErrorCode.STATE_NOT_ONE_HOT, 2),
    ("two of a group", [], [0, 1, 1, 0], ErrorCode.STATE_NOT_ONE_HOT, 2),
    ("an unused slot", [], [0, 0, 1, 2], ErrorCode.STATE_NOT_ONE_HOT, 3),
    ("against on", [(0, 1, 0)], [2, 0, 1, 0], ErrorCode.STATE_AGAINST_CLAMP, 0),
    ("against on, lane 1", [(0, 2, 0)], [1, 0, 1, 0], ErrorCode.STATE_AGAINST_CLAMP, 0),
    ("against off", [(2, 0, 1)], [2, 0, 1, 0], ErrorCode.STATE_AGAINST_CLAMP, 2),
    ("against a state on", [(1, 1, 0)], [0, 0, 1, 0], ErrorCode.STATE_AGAINST_CLAMP, 1),
]  # fmt: skip


@pytest.mark.parametrize(("name", "clamps", "state", "code", "detail"), CONDITIONS)
def test_run_checks_clamps_and_the_given_state(
    name: str,
    clamps: list[tuple[int, int, int]],
    state: list[int] | None,
    code: ErrorCode | None,
    detail: int,
) -> None:
    session = Session().load()
    for row, on, off in clamps:
        session.ok(Opcode.CLAMPS, row, on, off)
    if state is not None:
        session.ok(Opcode.STATE, 0, *state)
        session.write(Register.FLAGS, 5)
    before = contents(session.shell)
    if name == "outside the mask":  # bits outside the mask do not count: row 1 has one slot
        session.ok(Opcode.CLAMPS, 2, 0, 0)
        assert session(Opcode.RUN) == [Response.OK]
        return
    answer = session(Opcode.RUN)
    if code is None:
        assert answer == [Response.OK]
        draw = session.answer()
        for row, on, off in clamps:
            bits = draw[5 + row]
            assert bits & on == on
            assert bits & off == 0
        if state is not None:  # no steps: the first draw is the given state itself
            assert draw[5:] == state
    else:
        assert answer == [Response.ERROR, code, detail]
        assert contents(session.shell) == before


def test_a_run_needs_its_schedule() -> None:
    session = Session().load()
    session.ok(Opcode.SCHEDULE, 0, 10, 20, 30)
    session.ok(Opcode.SCHEDULE, 1, 25)  # in the middle: still three steps
    session.write(Register.STEPS, 4)
    assert session(Opcode.RUN) == [Response.ERROR, ErrorCode.NO_SCHEDULE, 4]
    session.write(Register.STEPS, 3)
    session.ok(Opcode.RUN)
    # BEGIN forgets schedule and clamps, registers stay
    session.answer()
    session.answer()
    session.load()
    assert session.read(Register.STEPS) == 3
    assert session(Opcode.RUN) == [Response.ERROR, ErrorCode.NO_SCHEDULE, 3]


def test_draws_counters_and_done() -> None:
    session = Session().load()
    session.ok(Opcode.SCHEDULE, 0, 1000, 2000)
    for register, value in (
        (Register.STEPS, 2), (Register.SWEEPS_PER_STEP, 3), (Register.CHAINS, 2),
        (Register.DRAWS, 3), (Register.THIN, 4), (Register.FLAGS, 3),
        (Register.FIRST_CHAIN, 0xFFFFFFFF),
    ):  # fmt: skip
        session.write(register, value)
    session.ok(Opcode.RUN)
    seen = []
    for _ in range(6):
        kind, chain, draw, *rest = session.answer()
        assert kind == Response.DRAW
        assert len(rest) == 2 + len(ROWS) + 2 + len(ROWS)
        seen.append((chain, draw))
    assert seen == [(chain, draw) for chain in (0xFFFFFFFF, 0) for draw in range(3)]
    sweeps, one = 2 * (2 * 3 + 2 * 4), WORDS + 8 * 3
    counters = {
        "CYCLES": 2 * (2 * (20 // P.hash_rounds + 1) + one) + sweeps * one,
        "SWEEP_CYCLES": sweeps * one,
        "TERMS": sweeps * 6,
        "UPDATES": sweeps * 6,
        "SWEEPS": sweeps,
        "READS": 6,
    }
    done = session.answer()
    assert done == [Response.DONE, *(word for value in counters.values() for word in (value, 0))]
    for name, value in counters.items():
        assert session.read(Register[f"{name}_LOW"]) == value
        assert session.read(Register[f"{name}_HIGH"]) == 0
    assert session.read(Register.STATE) == READY


def test_commands_during_a_run_are_answered_between_draws() -> None:
    session = Session().load(RUNNING)
    assert session.answer()[:3] == [Response.DRAW, 0, 0]
    assert session.read(Register.STATE) == RUNNING
    assert session.read(Register.READS_LOW) == 1
    assert session(Opcode.IDENTIFY)[0] == Response.INFO
    assert session(Opcode.WRITE, 0, 0) == [Response.ERROR, ErrorCode.WRONG_STATE, RUNNING]
    assert session.answer()[:3] == [Response.DRAW, 0, 1]
    assert session.answer()[:3] == [Response.DRAW, 0, 2]
    assert session.answer()[0] == Response.DONE
    assert session(Opcode.ABORT) == [Response.ERROR, ErrorCode.WRONG_STATE, READY]


def test_abort_ends_the_run_and_the_next_run_is_as_ever() -> None:
    session = Session().load(RUNNING)
    first = session.answer()
    session.ok(Opcode.ABORT)
    aborted = session.answer()
    assert aborted[0] == Response.ABORTED
    assert aborted[11:] == [1, 0]
    session.ok(Opcode.RUN)
    assert session.answer() == first


def test_the_tag_of_every_packet_comes_back() -> None:
    stream = GoldenStream(P)
    for tag in (0, 0xFF):
        stream.send([header(Opcode.WRITE, tag, 9)])
        assert stream.receive()[0] == header(Response.ERROR, tag, 2)


def test_nothing_asked_nothing_answered() -> None:
    stream = GoldenStream(P)
    with pytest.raises(DeviceError, match="send a command first"):
        stream.receive()
    with pytest.raises(DeviceError, match="32 bits"):
        stream.send([])
    with pytest.raises(DeviceError, match="32 bits"):
        stream.send([1 << 32])
    stream.close()
    stream.close()
    with pytest.raises(DeviceError, match="closed"):
        stream.send([header(Opcode.IDENTIFY, 0, 0)])


@pytest.mark.parametrize(("chains", "draws"), [(1, 2**32 - 1), (2**32 - 1, 2), (2**32 - 1, 2**20)])
def test_a_run_without_end_gives_its_first_draws_at_once(chains: int, draws: int) -> None:
    # draws are made as they are taken, in blocks of bounded memory, and ABORT ends the longest run
    session = Session().load()
    session.write(Register.CHAINS, chains)
    session.write(Register.DRAWS, draws)
    session.ok(Opcode.RUN)
    assert [session.answer()[:3] for _ in range(2)] == [[Response.DRAW, 0, n] for n in range(2)]
    session.ok(Opcode.ABORT)
    assert session.answer()[0] == Response.ABORTED
    assert session.read(Register.STATE) == READY

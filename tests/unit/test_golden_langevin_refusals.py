"""What the golden Langevin shell refuses: every error code from both sides, nothing changed."""

from dataclasses import dataclass
from typing import Any

import pytest
from langevin_parts.session import (
    COEFFICIENT,
    DONE,
    DRAW,
    EMPTY,
    ERROR,
    INFO,
    LOADING,
    MOMENTS,
    OK,
    PROGRAM,
    READY,
    RESIDUAL,
    RUNNING,
    SIZE,
    STATE,
    STRENGTH,
    TAG,
    WEIGHT,
    WORD,
    E,
    N,
    Op,
    R,
    Session,
    contents,
    words,
)

from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_LEGAL_STATES,
    LangevinErrorCode,
    LangevinOpcode,
)
from gibbsite_hw.spec.packets import Opcode, header
from gibbsite_hw.spec.registers import State


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

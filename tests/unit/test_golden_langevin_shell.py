"""The golden Langevin shell: identity, registers, what is loaded, runs packet by packet."""

from array import array
from dataclasses import replace
from typing import Any

import pytest
from langevin_parts.session import (
    ABORTED,
    DONE,
    DRAW,
    EMPTY,
    INFO,
    LOADING,
    MOMENTS,
    PROGRAM,
    READY,
    REQUEST,
    RUNNING,
    SIZE,
    WORD,
    E,
    Op,
    P,
    R,
    Session,
    engine_packets,
    random_program,
    two,
    words,
)

from gibbsite_hw.spec import langevin_timing as timing
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_program import LangevinConditions
from gibbsite_hw.spec.langevin_registers import LANGEVIN_REGISTERS, LangevinRegister
from gibbsite_hw.spec.packets import MAGIC
from gibbsite_hw.spec.parameters import SPEC_VERSION
from gibbsite_hw.spec.registers import State
from gibbsite_models.golden import langevin as golden_langevin
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.langevin_field import Weights

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

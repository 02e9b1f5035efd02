"""The Langevin driver over a recorded golden stream: packets, refusals, interruptions, counts."""

from array import array
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from gibbsite.driver import Driver
from gibbsite.langevin_refusals import SENTENCES, langevin_refusal
from gibbsite.link import Line, Link
from gibbsite_hw.spec.device import Device, WordStream
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, FingerprintMismatch, ProgramError
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_RECORDS,
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
from gibbsite_hw.spec.packets import Engine, Packet
from gibbsite_models.golden.device import GoldenStream

SMALL = LangevinParameters(
    units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=64, payload_words=32
)
UNITS, ROWS = 6, 3


class Tap:
    """A golden stream that writes down what passes, and can be made to fail at a packet."""

    def __init__(self, inner: WordStream) -> None:
        self.inner = inner
        self.sent: list[Packet] = []
        self.answers: list[list[int]] = []
        self.on_send: Callable[[Packet], None] | None = None
        self.on_answer: Callable[[list[int]], list[int]] | None = None

    @property
    def uri(self) -> str:
        return self.inner.uri

    @property
    def parameters(self) -> DeviceParameters:
        return self.inner.parameters

    def send(self, words: list[int]) -> None:
        packet = Packet.parse(words)
        self.sent.append(packet)
        self.inner.send(words)
        if self.on_send is not None:
            self.on_send(packet)

    def receive(self) -> list[int]:
        packet = self.inner.receive()
        if self.on_answer is not None:
            packet = self.on_answer(packet)
        self.answers.append(packet)
        return packet

    def close(self) -> None:
        self.inner.close()


def codes(*values: int) -> "array[int]":
    return array("i", values)


def conditions() -> LangevinConditions:
    rows = [Constraint(k == 1, 900_000 * (k + 1), 5000 * k - 3000) for k in range(ROWS)]
    return LangevinConditions(codes(*range(-300_000, 300_000, 100_000)), rows, {4: 1 << 28})


def program() -> LangevinProgram:
    pairs = [(i, j) for i in range(UNITS) for j in range(UNITS)]
    return LangevinProgram(
        quadratic=codes(*range(1_000_000, 1_000_000 + UNITS)),
        quartic=codes(*[50_000] * UNITS),
        force=codes(*range(-3, UNITS - 3)),
        couplings=codes(*[0 if i == j else (i + j) % 5 * 100 - 200 for i, j in pairs]),
        rows=codes(*[(7 * k) % 400 - 200 for k in range(ROWS * UNITS)]),
        shifts=Shifts(10, 12, 14, 8, 8, 10, 9, 18, 5),
        conditions=conditions(),
    )


def entry(**fields: object) -> ScheduleEntry:
    one = 1 << 16
    base = ScheduleEntry(5, (200_000, 30), (150_000, 20), (one, one, one, one, one, one))
    return replace(base, **fields)


def request(**fields: object) -> LangevinRequest:
    schedule = [entry(), entry(repeat=2, strengths=(70_000, 1, 2, -3, 65_000, 9), measure=False)]
    base = LangevinRequest(schedule, seed=7, chains=5, pairs=[(0, 1), (2, None)], best=True)
    return replace(base, **fields)


@pytest.fixture
def tap() -> Tap:
    return Tap(GoldenStream(SMALL))


@pytest.fixture
def device(tap: Tap) -> Driver:
    driver = Driver(tap)
    driver.load(program())
    return driver


def still_works(device: Device) -> None:
    """Run once more and compare with a device that saw nothing else."""
    with Driver(GoldenStream(SMALL)) as fresh:
        fresh.load(program())
        wanted = fresh.run(request())
    # words also count an answer that an interrupted command left behind
    assert replace(device.run(request()), words_out=0) == replace(wanted, words_out=0)
    assert wanted.reads == 5


def test_it_is_a_device(device: Driver) -> None:
    assert isinstance(device, Device)
    assert device.info.langevin == SMALL
    assert device.loads == 1
    still_works(device)


def test_packets_are_as_long_as_the_device_takes(tap: Tap, device: Driver) -> None:
    device.run(request(schedule=[entry()] * 40))
    for opcode, record in (*LANGEVIN_RECORDS.items(), (LangevinOpcode.WEIGHTS, 2)):
        packets = [p for p in tap.sent if p.opcode == opcode]
        assert packets, opcode
        for packet in packets:
            assert len(packet.payload) <= SMALL.payload_words
            assert (len(packet.payload) - 1) % record == 0
    entries = [p for p in tap.sent if p.opcode == LangevinOpcode.SCHEDULE]
    assert [p.payload[0] for p in entries] == list(range(0, 40, 3))
    weights = [p for p in tap.sent if p.opcode == LangevinOpcode.WEIGHTS]
    words = ROWS * SMALL.words(UNITS) + UNITS * (SMALL.words(UNITS) + SMALL.words(ROWS))
    assert sum(len(p.payload) - 1 for p in weights) == words * SMALL.multipliers // 2


def test_conditions_do_not_touch_couplings(tap: Tap, device: Driver) -> None:
    before = len(tap.sent)
    for state in (1 << 20, -(1 << 27)):
        under = conditions()
        under.clamps = {1: state}
        device.condition(under)
        result = device.run(request())
        assert set(result.states[1::UNITS]) == {state}
    opcodes = {p.opcode for p in tap.sent[before:]}
    op = LangevinOpcode
    assert opcodes == {
        op.BIASES, op.CONSTRAINTS, op.CLAMPS, op.WRITE, op.SCHEDULE, op.PAIRS, op.STATE, op.RUN,
    }  # fmt: skip
    assert device.loads == 1


def test_words_are_counted(tap: Tap, device: Driver) -> None:
    sent = sum(len(p.words()) for p in tap.sent)
    received = sum(map(len, tap.answers))
    assert (device.words_sent, device.words_received) == (sent, received)
    result = device.run(request())
    assert result.words_in == sum(len(p.words()) for p in tap.sent) - sent
    assert result.words_out == sum(map(len, tap.answers)) - received


def test_another_fingerprint_is_refused() -> None:
    class Other(GoldenStream):
        @property
        def parameters(self) -> DeviceParameters:
            return DeviceParameters.of(replace(SMALL, pairs=8))

    fingerprint = SMALL.fingerprint() if hasattr(SMALL, "fingerprint") else None
    with pytest.raises(
        FingerprintMismatch, match="units 8, constraints 4, multipliers 4"
    ) as caught:
        Driver(Other(SMALL))
    assert fingerprint is None or f"{fingerprint:016x}" in str(caught.value)


def test_nothing_runs_before_a_program(tap: Tap) -> None:
    device = Driver(tap)
    for use in (lambda: device.run(request()), lambda: device.condition(conditions())):
        with pytest.raises(DeviceError, match=r"call load\(\) first"):
            use()
    device.load(program())
    still_works(device)


def changed(**fields: object) -> LangevinProgram:
    return replace(program(), **fields)


def broken_couplings(i: int, j: int, value: int) -> "array[int]":
    couplings = program().couplings
    couplings[i * UNITS + j] = value
    return couplings


def big(name: str, size: int) -> LangevinProgram:
    """As many units or constraints."""
    n = size if name == "units" else 1
    m = size if name == "constraints" else 0
    zeros = codes(*[0] * n)
    rows = [Constraint(False, 0, 0)] * m
    return LangevinProgram(
        zeros, zeros, zeros, codes(), codes(*[0] * n * m), Shifts(), LangevinConditions(zeros, rows)
    )


PROGRAMS = [
    (lambda: big("units", 9), r"has 9 units and the device holds 8: use fewer .*\(units=9\)"),
    (lambda: big("constraints", 5), "has 5 constraints and the device holds 4"),
    (lambda: big("units", 0), "has no unit: give one at least"),
    (lambda: changed(quadratic=codes(*[COEFFICIENT_MAX + 1] * UNITS)), "J2 has the code 8388608"),
    (lambda: changed(quartic=codes(*[-COEFFICIENT_MAX - 1] * UNITS)), "J4 has the code -8388608"),
    (lambda: changed(quartic=codes(1)), "J4 needs 6 codes and has 1"),
    (lambda: changed(force=codes()), "force needs 6 codes and has 0"),
    (lambda: changed(couplings=codes(1, 2)), "J needs 36 codes and has 2"),
    (lambda: changed(couplings=broken_couplings(0, 1, 2048)), "J has the code 2048 at 1"),
    (lambda: changed(couplings=broken_couplings(2, 4, 5)), r"symmetric .* J\[2,4\] is 5, J\[4,2\]"),
    (lambda: changed(couplings=broken_couplings(3, 3, 1)), r"diagonal, and J\[3,3\] is 1"),
    (lambda: changed(rows=codes(*[3000] * 18)), "k has the code 3000 at 0"),
    (lambda: changed(rows=codes(1)), "k needs 18 codes and has 1"),
    (lambda: changed(shifts=Shifts(penalty=SHIFT_MAX + 1)), r"shift penalty is 48 .* 0..47"),
    (lambda: changed(shifts=Shifts(quadratic=-1)), "shift quadratic is -1"),
    (lambda: changed(shifts=Shifts(quadratic=1.0)), "shift quadratic is 1.0"),
    (lambda: changed(quadratic=array("d", [1.5] * UNITS)), "J2 needs whole codes"),
    (lambda: changed(rows=array("f", [1.0] * 18)), "k needs whole codes .* 'f'"),
]  # fmt: skip


def under(**fields: object) -> LangevinConditions:
    return replace(conditions(), **fields)


CONDITIONS = [
    (under(biases=codes(1)), "b needs 6 codes and has 1"),
    (under(biases=codes(*[1 << 23] * UNITS)), "b has the code 8388608 at 0"),
    (under(constraints=[]), "conditions have 0 constraints and the program 3"),
    (under(constraints=[Constraint(False, -1, 0)] * 3), r"constraint 0 has lambda code -1 \(0.."),
    (under(constraints=[Constraint(False, 1 << 23, 0)] * 3), "has lambda code 8388608"),
    (under(constraints=[Constraint(True, 0, -RESIDUAL_MAX - 1)] * 3), "d code -33554432"),
    (under(clamps={6: 0}), "a clamp names unit 6; units are 0 to 5"),
    (under(clamps={-1: 0}), "a clamp names unit -1"),
    (under(clamps={0: STATE_MAX + 1}), "clamped at code 2147467265 and states"),
    (under(clamps={0.5: 3}), "a clamp names unit 0.5; units are 0 to 5: clamp one of them"),
    (under(clamps={"0": 3}), "a clamp names unit '0'; units"),
    (under(clamps={True: 3}), "a clamp names unit True; units"),
    (under(clamps={0: 1.5}), "unit 0 is clamped at 1.5 and codes are whole numbers: round it"),
    (under(clamps=[0]), r"clamps must map units to codes and are \[0\]: give"),
    (under(biases=array("d", [0.5] * UNITS)), r"b needs whole codes .* 'd': give array\('i'"),
    (under(biases=[0.5] * UNITS), r"b needs whole codes and is of type list: give"),
    *(
        (under(biases=codes(*[9999] * UNITS), constraints=[*conditions().constraints[:2], row]),
         "constraint 2 is Constraint.* must have a bool and two whole codes: round")
        for row in (
            Constraint(2, 1, 0), Constraint(1, 1, 0), Constraint(False, 1.5, 0),
            Constraint(False, True, 0), Constraint(True, 1, -0.5), Constraint("no", 1, 0),
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "words"), PROGRAMS, ids=[words[:24] for _, words in PROGRAMS])
def test_bad_programs_are_refused_before_a_word_is_sent(
    tap: Tap, device: Driver, make: Callable[[], LangevinProgram], words: str
) -> None:
    before = len(tap.sent)
    with pytest.raises(ProgramError, match=words):
        device.load(make())
    assert len(tap.sent) == before
    assert device.loads == 1
    still_works(device)


@pytest.mark.parametrize(("bad", "words"), CONDITIONS)
def test_bad_conditions_are_refused_before_a_word_is_sent(
    tap: Tap, device: Driver, bad: LangevinConditions, words: str
) -> None:
    before = len(tap.sent)
    with pytest.raises(ProgramError, match=words):
        device.condition(bad)
    with pytest.raises(ProgramError):  # as those of a program, whose rows they number
        device.load(changed(conditions=bad))
    assert len(tap.sent) == before
    still_works(device)


REQUESTS = [
    ({"schedule": []}, "the schedule has 0 entries and the device holds 1 to 64"),
    ({"schedule": [entry()] * 65}, "has 65 entries .* use fewer entries"),
    ({"schedule": [entry(), entry(repeat=0)]}, "schedule entry 1 has 0 steps"),
    ({"schedule": [entry(repeat=REPEAT_MAX + 1)]}, "schedule entry 0 has 16777216 steps"),
    ({"schedule": [entry(rate=(MANTISSA_MAX + 1, 0))]}, "the rate of schedule entry 0 is 262144"),
    ({"schedule": [entry(rate=(1, SHIFT_MAX + 1))]}, "the rate of schedule entry 0 is 1 / 2.48"),
    ({"schedule": [entry(noise=(-1, 0))]}, "the noise of schedule entry 0 is -1"),
    ({"schedule": [entry(strengths=(0, 0, 0, 0, 0, STRENGTH_MAX + 1))]}, "entry 0 has strengths"),
    ({"schedule": [entry(strengths=(-STRENGTH_MAX - 1, 0, 0, 0, 0, 0))]}, "entry 0 has strengths"),
    ({"schedule": [entry(repeat=1.5)]}, "schedule entry 0 has 1.5 steps"),
    ({"schedule": [entry(rate=(1.5, 0))]}, r"the rate of schedule entry 0 is \(1.5, 0\): give"),
    ({"schedule": [entry(noise=(1, 0, 0))]}, r"the noise of schedule entry 0 is \(1, 0, 0\)"),
    ({"schedule": [entry(strengths=(1,) * 5)]}, "entry 0 has strengths .* must have 6 whole codes"),
    ({"schedule": [entry(strengths=(1,) * 7)]}, "entry 0 has strengths .* must have 6 whole codes"),
    ({"schedule": [entry(strengths=(0.5,) * 6)]}, "strengths .* give one for each of quadratic"),
    ({"schedule": [entry(measure=2)]}, "schedule entry 0 has measure 2: give False or True"),
    ({"pairs": [(0, 0)] * 17}, "17 pairs were asked and the device sums 16"),
    ({"pairs": [(0, 6)]}, "a pair names units 0 and 6; units are 0 to 5"),
    ({"pairs": [(-1, None)]}, "a pair names units -1 and None"),
    ({"pairs": [(0.5, None)]}, "a pair names units 0.5 and None"),
    ({"pairs": [(0, 1.0)]}, "a pair names units 0 and 1.0"),
    ({"chains": 0}, "chains is 0 and must be a whole number in 1..4294967295"),
    ({"chains": 2.0}, "chains is 2.0 and must be a whole number in 1..4294967295: choose"),
    ({"draws": True}, "draws is True and must be a whole number"),
    ({"seed": "7"}, "seed is '7' and must be a whole number"),
    ({"draws": 1 << 32}, "draws is 4294967296"),
    ({"thin": 0}, "thin is 0"),
    ({"moment_every": 0}, "moment_every is 0"),
    ({"first_chain": -1}, "first_chain is -1"),
    ({"seed": 1 << 64}, "seed is 18446744073709551616"),
    ({"start": (1 << 18, 0)}, "start is 262144"),
    ({"start": (1.5, 0)}, r"start is \(1.5, 0\): give a mantissa and a shift"),
    ({"state": array("d", [0.5] * UNITS)}, "state needs whole codes"),
    ({"state": codes(0)}, "state needs 6 codes and has 1"),
    ({"state": codes(*[-STATE_MAX - 1] * UNITS)}, "state has the code -2147467265 at 0"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "words"), REQUESTS)
def test_bad_requests_are_refused_before_a_word_is_sent(
    tap: Tap, device: Driver, fields: dict, words: str
) -> None:
    before = len(tap.sent)
    with pytest.raises(ProgramError, match=words):
        device.run(request(**fields))
    assert len(tap.sent) == before
    still_works(device)


def test_numpy_codes_are_sent_as_plain_ones(device: Driver) -> None:
    rows = [
        Constraint(np.bool_(row.hinge), np.int32(row.weight), np.int32(row.offset))
        for row in conditions().constraints
    ]
    device.condition(under(constraints=rows, clamps={np.int64(4): np.int32(1 << 28)}))
    still_works(device)
    whole = request(
        schedule=[entry(repeat=np.int32(5), rate=(np.int32(200_000), np.int8(30)),
                        strengths=tuple(np.int32([1 << 16, -3] * 3)), measure=np.True_)],
        chains=np.int32(2), first_chain=np.uint32(2**32 - 1), draws=np.int16(3), seed=np.int64(7),
        pairs=[(np.int8(1), np.int8(2))], start=(np.int32(120_000), np.int8(19)),
    )  # fmt: skip
    plain = request(
        schedule=[entry(strengths=(1 << 16, -3) * 3)], chains=2, first_chain=2**32 - 1, draws=3,
        pairs=[(1, 2)], start=(120_000, 19),
    )  # fmt: skip
    assert device.run(whole) == device.run(plain)


def test_only_whole_records_are_sent(tap: Tap, device: Driver) -> None:
    link = Link(
        Line(tap),
        Engine.LANGEVIN,
        "langevin",
        SMALL.payload_words,
        lambda *error: CommandRefused(*error),
    )
    before = len(tap.sent)
    with pytest.raises(AssertionError, match="whole records"):
        link.send_records(LangevinOpcode.CLAMPS, [0, 0, 1], 2)
    assert len(tap.sent) == before


def test_refusals_of_the_device_name_the_reason(tap: Tap, device: Driver) -> None:
    def break_it(packet: Packet) -> None:
        if packet.opcode == LangevinOpcode.SCHEDULE:
            tap.on_send = None
            tap.inner.receive()  # its OK
            tap.inner.send(Packet(LangevinOpcode.WRITE, packet.tag, [5, 99]).words())

    tap.on_send = break_it
    with pytest.raises(
        CommandRefused, match="refused RUN: 99 schedule entries were asked, none or"
    ):
        device.run(request())
    still_works(device)


def test_every_error_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(LangevinErrorCode)
    for code in LangevinErrorCode:
        sentence = str(langevin_refusal(LangevinOpcode.RUN, code, 3, SMALL))
        assert sentence.startswith("the device refused RUN: ")
        assert ";" in sentence  # what to do next
        assert "{" not in sentence
    size = str(langevin_refusal(LangevinOpcode.BEGIN, LangevinErrorCode.BAD_SIZE, 3, SMALL))
    assert f"shifts go to {SHIFT_MAX};" in size
    assert "update the host" in str(langevin_refusal(LangevinOpcode.RUN, 99, 0, SMALL))
    assert "refused command 0x77" in str(langevin_refusal(0x77, 1, 0x77, SMALL))


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_progress_may_stop_a_run(
    device: Driver, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gibbsite.link.PROGRESS_SECONDS", 0.0)
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if done >= 10:
            raise error

    with pytest.raises(error):
        device.run(request(chains=500, pairs=[]), progress=stop)
    assert heard == [(k, 500) for k in range(1, 11)]
    still_works(device)


def test_progress_ends_with_all_draws(device: Driver) -> None:
    heard: list[tuple[int, int]] = []
    device.run(request(draws=3), progress=lambda *pair: heard.append(pair))
    assert heard[-1] == (15, 15)


@pytest.mark.parametrize("opcode", ["RUN", "WRITE", "SCHEDULE", "STATE", "PAIRS"])
def test_an_interrupt_before_the_answer_leaves_a_working_device(
    tap: Tap, device: Driver, opcode: str
) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == LangevinOpcode[opcode]:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request(chains=50))
    assert tap.on_send is None
    still_works(device)


@pytest.mark.parametrize("kind", ["DRAW", "MOMENTS", "DONE"])
def test_an_interrupt_at_an_answer_leaves_a_working_device(
    tap: Tap, device: Driver, kind: str
) -> None:
    def interrupt(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == LangevinResponse[kind]:
            tap.on_answer = None
            raise KeyboardInterrupt
        return packet

    tap.on_answer = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.run(request())
    assert tap.on_answer is None
    still_works(device)


def test_an_interrupted_load_can_be_repeated(tap: Tap, device: Driver) -> None:
    def interrupt(packet: Packet) -> None:
        if packet.opcode == LangevinOpcode.WEIGHTS:
            tap.on_send = None
            raise KeyboardInterrupt

    tap.on_send = interrupt
    with pytest.raises(KeyboardInterrupt):
        device.load(program())
    with pytest.raises(DeviceError, match=r"call load\(\) first"):
        device.run(request())
    device.load(program())
    assert device.loads == 2
    still_works(device)


def test_a_device_that_was_reset_says_so_and_takes_a_program(tap: Tap, device: Driver) -> None:
    def reset(packet: list[int]) -> list[int]:
        if packet[0] >> 24 == LangevinResponse.DRAW:
            tap.on_answer = None
            tap.inner = GoldenStream(SMALL)
        return packet

    tap.on_answer = reset
    with pytest.raises(DeviceError):
        device.run(request())
    with pytest.raises(CommandRefused, match="it is EMPTY"):
        device.run(request())
    device.load(program())
    still_works(device)


def altered(kind: str, change: Callable[[list[int]], list[int]], tap: Tap) -> None:
    """Change the second packet of a kind."""
    seen = 0

    def alter(packet: list[int]) -> list[int]:
        nonlocal seen
        seen += packet[0] >> 24 == LangevinResponse[kind]
        if seen < 2 and kind != "DONE":
            return packet
        if packet[0] >> 24 != LangevinResponse[kind]:
            return packet
        tap.on_answer = None
        return change(packet)

    tap.on_answer = alter


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        (
            "DRAW",
            lambda p: [p[0], p[1] + 1, *p[2:]],
            "after 1 of 5 draws came a packet of 24 words",
        ),
        ("DRAW", lambda p: [p[0], p[1], 1, *p[3:]], "after 1 of 5 draws"),
        ("DRAW", lambda p: [p[0] - 1, *p[1:-1]], "a packet of 23 words .* another of 24 words"),
        ("DRAW", lambda p: [*p, 0], "says another length"),
        ("MOMENTS", lambda p: [p[0], 9, *p[2:]], "after 2 of 5 draws .* where another of 7 words"),
        (
            "MOMENTS",
            lambda p: [p[0] - 2, *p[1:-2]],
            "a packet of 5 words .* where another of 7 words",
        ),
        (
            "DONE",
            lambda p: [p[0] - 1, *p[1:-1]],
            "a packet of 12 words .* where another of 13 words",
        ),
    ],
)
def test_answers_that_do_not_fit_are_errors(
    tap: Tap, device: Driver, kind: str, change: Callable, words: str
) -> None:
    altered(kind, change, tap)
    with pytest.raises(DeviceError, match=words):
        device.run(request())
    assert tap.on_answer is None
    still_works(device)


def test_a_run_that_ends_early_is_an_error(tap: Tap, device: Driver) -> None:
    lost = []

    def lose(packet: list[int]) -> list[int]:
        while packet[0] >> 24 in (LangevinResponse.DRAW, LangevinResponse.MOMENTS):
            lost.append(packet)
            packet = tap.inner.receive()
        return packet

    tap.on_answer = lose
    with pytest.raises(DeviceError, match="ended after 0 draws and 5 were asked"):
        device.run(request())
    assert len(lost) == 10
    tap.on_answer = None
    still_works(device)


def test_packed_answers_give_the_same_result(device: Driver) -> None:
    class Packed:
        def __init__(self, words: "array[int]") -> None:
            self.words = words

    class PackedGolden(GoldenStream):
        """Gives answers in batches, as the simulated device does."""

        def receive_many(self, limit: int) -> Packed:
            words = array("I", self.receive())
            for _ in range(min(limit, 17) - 1):
                if not self.pending:
                    break
                words.extend(self.receive())
            return Packed(words)

    packed = Driver(PackedGolden(SMALL))
    packed.load(program())
    for fields in (
        {},
        {"samples": False, "best": False},
        {"pairs": []},
        {"draws": 7, "first_chain": 2**32 - 2},
        {"trajectory": True, "draws": 4, "thin": 3},
    ):
        wanted = request(chains=20, **fields)
        assert device.run(wanted) == packed.run(wanted)


def test_any_chain_can_be_replayed_alone(device: Driver) -> None:
    whole = device.run(request(draws=3, thin=2))
    alone = device.run(request(draws=3, thin=2, chains=1, first_chain=3))
    assert alone.states == whole.states[9 * UNITS : 12 * UNITS]
    for name in ("energies", "work", "heat", "best_energies", "steps"):
        assert getattr(alone, name) == getattr(whole, name)[9:12]
    assert alone.moments == whole.moments[6:8]
    around = device.run(request(chains=4, first_chain=2**32 - 2))
    assert around.states[2 * UNITS :] == device.run(request(chains=2)).states
    assert device.run(request(seed=8)).states != device.run(request()).states


def test_tags_come_round(tap: Tap, device: Driver) -> None:
    for _ in range(20):  # 16 commands a run
        device.run(request(chains=1))
    assert len({p.tag for p in tap.sent}) == 256
    still_works(device)


def test_closing_twice_is_allowed(device: Driver) -> None:
    device.close()
    device.close()
    with pytest.raises(DeviceError, match="closed"):
        device.run(request())

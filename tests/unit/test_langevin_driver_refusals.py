"""What the Langevin driver refuses before a word is sent, and what it says."""

from array import array
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from driver_parts.tap import Tap
from langevin_parts.tap import (
    SMALL,
    UNITS,
    codes,
    conditions,
    entry,
    program,
    request,
    still_works,
)

from gibbsite.driver import Driver
from gibbsite.langevin_refusals import SENTENCES, langevin_refusal
from gibbsite.link import Line, Link
from gibbsite_hw.spec.errors import CommandRefused, ProgramError
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import LangevinErrorCode, LangevinOpcode
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    Shifts,
)
from gibbsite_hw.spec.packets import Engine, Packet
from gibbsite_models.golden.device import GoldenStream


@pytest.fixture
def tap() -> Tap:
    return Tap(GoldenStream(SMALL))


@pytest.fixture
def device(tap: Tap) -> Driver:
    driver = Driver(tap)
    driver.load(program())
    return driver


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

"""The Langevin engine's tables, formats, registers and packets, written down once more."""

import hashlib
import json
from array import array
from dataclasses import asdict
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtri

from gibbsite_hw.spec import langevin_formats as formats
from gibbsite_hw.spec import langevin_timing as timing
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import round_shift, saturate
from gibbsite_hw.spec.langevin_packets import (
    LANGEVIN_FIXED_LENGTHS,
    LANGEVIN_LEGAL_STATES,
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
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_registers import (
    LANGEVIN_REGISTERS,
    LangevinFlags,
    LangevinRegister,
)
from gibbsite_hw.spec.langevin_tables import (
    BASE_BITS,
    BASE_FRAC,
    FRACTION_BITS,
    GAUSS_BITS,
    GAUSS_FRAC,
    INDEX_BITS,
    LANGEVIN_ENGINE,
    OCTAVES,
    SLOPE_BITS,
    gaussian_code,
    gaussian_tables,
)
from gibbsite_hw.spec.packets import ENGINE_FIELD, Engine, ErrorCode, Opcode, Response
from gibbsite_hw.spec.parameters import SPEC_VERSION, GraphParameters
from gibbsite_hw.spec.registers import State
from gibbsite_hw.spec.tables import GRAPH_ENGINE

WORD = 0xFFFFFFFF

# --- tables -------------------------------------------------------------------------------------


def misfit(base: NDArray[np.int64], slope: NDArray[np.int64]) -> tuple[float, float]:
    """How far bases and slopes are from SciPy's quantiles, in their last place."""
    octave, segment = np.arange(OCTAVES)[:, None], np.arange(1 << INDEX_BITS)[None, :]
    q0 = 2.0 ** -(octave + 2) * (1 + segment / 2**INDEX_BITS)
    q1 = 2.0 ** -(octave + 2) * (1 + (segment + 1) / 2**INDEX_BITS)
    left, middle, right = ndtri(q0), ndtri((q0 + q1) / 2), ndtri(q1)
    line = left + (middle - (left + right) / 2) / 2
    one, half_cut = 2.0**BASE_FRAC, 2.0 ** (BASE_FRAC - GAUSS_FRAC - 1)
    shape = (OCTAVES, 1 << INDEX_BITS)
    return (
        float(np.abs(base.reshape(shape) - line * one - half_cut).max()),
        float(np.abs(slope.reshape(shape) - (right - left) * one).max()),
    )


def test_every_line_of_the_gaussian_joins_its_ends() -> None:
    base, slope = (np.array(table, dtype=np.int64) for table in gaussian_tables())
    # a rounding is off by half a code; SciPy's and the standard library's quantiles agree to 1e-14
    assert max(misfit(base, slope)) <= 0.51
    assert np.abs(base).max() < 1 << (BASE_BITS - 1)
    assert np.abs(slope).max() < 1 << (SLOPE_BITS - 1)
    assert (slope > 0).all()


def test_a_base_or_slope_off_by_one_shows() -> None:
    for place in (0, 1):
        for at in (0, 63, 64, 4095):
            tables = [np.array(table, dtype=np.int64) for table in gaussian_tables()]
            tables[place][at] += 1
            tables[place][at] -= 2 * (tables[place][at] % 2)
            assert max(misfit(*tables)) > 0.51


@given(st.integers(0, 2**64 - 1))
def test_a_gaussian_is_near_the_quantile_and_odd(uniform: int) -> None:
    code = gaussian_code(uniform)
    assert gaussian_code(uniform ^ 2**64 - 1) == -code
    assert abs(code) < 1 << (GAUSS_BITS - 1)
    if 2**20 <= uniform < 2**63:
        exact = float(ndtri((uniform + 0.5) / 2**64))
        assert abs(code / 2**GAUSS_FRAC - exact) < 2**-GAUSS_FRAC + 2**-16


def test_the_ends_of_the_gaussian() -> None:
    least, middle = gaussian_code(0), gaussian_code(2**63 - 1)
    assert least / 2**GAUSS_FRAC == pytest.approx(float(ndtri(0.5 / 2**64)), abs=0.05)
    assert -(2 ** (GAUSS_FRAC - 15)) < middle <= 0
    assert (INDEX_BITS, FRACTION_BITS, OCTAVES) == (6, 10, 64)
    assert LANGEVIN_ENGINE != GRAPH_ENGINE


# --- formats ------------------------------------------------------------------------------------


@given(st.integers(-(2**70), 2**70), st.integers(0, 47))
def test_round_shift_rounds_to_nearest_halves_up(value: int, shift: int) -> None:
    assert round_shift(value, shift) == floor(
        Fraction(value, 2**shift) + Fraction(1, 2) * (shift > 0)
    )


@given(st.integers(-(2**70), 2**70), st.integers(0, 2**62))
def test_saturate_gives_the_nearest_value_in_range(value: int, largest: int) -> None:
    assert saturate(value, largest) == sorted((-largest, value, largest))[1]
    assert saturate(-value, largest) == -saturate(value, largest)


def test_formats_do_not_move() -> None:
    found = {n: getattr(formats, n) for n in formats.__all__ if n.isupper()}
    assert found == {
        "TERMS": ("quadratic", "quartic", "bias", "coupling", "constraint", "force"),
        "STATE_FRAC": 28, "STATE_MAX": (2**17 - 1) * 2**14, "OPERAND_FRAC": 14,
        "OPERAND_MAX": 131071, "OPERAND_SHIFT": 14, "COEFFICIENT_BITS": 24,
        "COEFFICIENT_MAX": 8388607, "FORCE_FRAC": 20, "FORCE_MAX": 2**35 - 1, "STRENGTH_FRAC": 16,
        "STRENGTH_MAX": 131071, "RESIDUAL_FRAC": 14, "RESIDUAL_MAX": 2**25 - 1,
        "MANTISSA_BITS": 18, "MANTISSA_MAX": 262143, "DITHER_BITS": 8, "NOISE_LIFT": 16,
        "ENERGY_FRAC": 20, "ENERGY_MAX": 2**41 - 1, "HEAT_FRAC": 28, "ACCUMULATOR_MAX": 2**62 - 1,
        "SHIFT_MAX": 47, "REPEAT_MAX": 2**24 - 1,
    }  # fmt: skip


def test_formats_fit_each_other() -> None:
    f = formats
    # every state is an operand, and no operand needs a 19th bit
    assert round_shift(f.STATE_MAX, f.OPERAND_SHIFT) == f.OPERAND_MAX
    assert round_shift(-f.STATE_MAX, f.OPERAND_SHIFT) == -f.OPERAND_MAX
    # noise and drift are summed with DITHER_BITS below the state's last place
    assert f.STATE_FRAC + f.DITHER_BITS == GAUSS_FRAC + f.NOISE_LIFT == f.FORCE_FRAC + 16
    # energies and accumulators: strengths times energies, x times x
    assert f.STRENGTH_FRAC + f.ENERGY_FRAC - 8 == f.HEAT_FRAC == 2 * f.OPERAND_FRAC
    # heat: (FORCE - 5) + (STATE - 4) - 12 fraction bits of g_a + g_b, halved
    assert f.FORCE_FRAC - 5 + f.STATE_FRAC - 4 - 12 + 1 == f.HEAT_FRAC
    # what W may gain in a step, and what 4096 units may give to Q
    assert 6 * 2 * f.STRENGTH_MAX * f.ENERGY_MAX < 2**63
    assert 4096 * ((2 * f.FORCE_MAX >> 5) * (2 * f.STATE_MAX >> 4) >> 12) < f.ACCUMULATOR_MAX
    # a row of 4096 products of the widest weights and operands is exact in float64
    assert 4096 * (2**15 - 1) * f.OPERAND_MAX < 2**53


# --- registers and packets ----------------------------------------------------------------------

MAP = [
    ("SEED_LOW", 0x00, True, 0, WORD, 0),
    ("SEED_HIGH", 0x01, True, 0, WORD, 0),
    ("FIRST_CHAIN", 0x02, True, 0, WORD, 0),
    ("CHAINS", 0x03, True, 1, WORD, 1),
    ("DRAWS", 0x04, True, 1, WORD, 1),
    ("ENTRIES", 0x05, True, 0, WORD, 0),
    ("START", 0x06, True, 0, 12582911, 0),
    ("THIN", 0x07, True, 1, WORD, 1),
    ("FLAGS", 0x08, True, 0, 7, 1),
    ("MOMENT_EVERY", 0x09, True, 1, WORD, 1),
    ("PAIRS", 0x0A, True, 0, WORD, 0),
    ("STATE", 0x10, False, 0, WORD, 0),
    ("UNITS", 0x11, False, 0, WORD, 0),
    ("CONSTRAINTS", 0x12, False, 0, WORD, 0),
    ("WORDS", 0x13, False, 0, WORD, 0),
    ("CYCLES_LOW", 0x20, False, 0, WORD, 0),
    ("CYCLES_HIGH", 0x21, False, 0, WORD, 0),
    ("PRODUCTS_LOW", 0x22, False, 0, WORD, 0),
    ("PRODUCTS_HIGH", 0x23, False, 0, WORD, 0),
    ("UPDATES_LOW", 0x24, False, 0, WORD, 0),
    ("UPDATES_HIGH", 0x25, False, 0, WORD, 0),
    ("STEPS_LOW", 0x26, False, 0, WORD, 0),
    ("STEPS_HIGH", 0x27, False, 0, WORD, 0),
    ("READS_LOW", 0x28, False, 0, WORD, 0),
    ("READS_HIGH", 0x29, False, 0, WORD, 0),
    ("SATURATIONS_LOW", 0x2A, False, 0, WORD, 0),
    ("SATURATIONS_HIGH", 0x2B, False, 0, WORD, 0),
]


def test_the_register_map_does_not_move() -> None:
    found = [
        (register.name, int(register), info.writable, info.minimum, info.maximum, info.reset)
        for register, info in LANGEVIN_REGISTERS.items()
    ]
    assert found == MAP
    assert set(LANGEVIN_REGISTERS) == set(LangevinRegister)
    assert all(info.doc and info.unit for info in LANGEVIN_REGISTERS.values())
    assert {flag.name: int(flag) for flag in LangevinFlags} == {
        "SAMPLES": 1, "BEST": 2, "TRAJECTORY": 4
    }  # fmt: skip
    # START holds any mantissa of 18 bits and any shift to SHIFT_MAX, and no more
    assert LANGEVIN_REGISTERS[LangevinRegister.START].maximum == 47 << 18 | 0x3FFFF


def test_opcodes_responses_and_errors_do_not_move() -> None:
    assert {opcode.name: int(opcode) for opcode in LangevinOpcode} == {
        "IDENTIFY": 0x41, "READ": 0x42, "WRITE": 0x43, "BEGIN": 0x50, "UNITS": 0x51,
        "WEIGHTS": 0x52, "BIASES": 0x53, "CLAMPS": 0x54, "SCHEDULE": 0x55, "STATE": 0x56,
        "COMMIT": 0x57, "CONSTRAINTS": 0x58, "PAIRS": 0x59, "RUN": 0x5E, "ABORT": 0x5F,
    }  # fmt: skip
    assert {kind.name: int(kind) for kind in LangevinResponse} == {
        "OK": 0xC0, "ERROR": 0xC1, "INFO": 0xC2, "DRAW": 0xC3, "DONE": 0xC4, "ABORTED": 0xC5,
        "MOMENTS": 0xC6,
    }  # fmt: skip
    assert [int(code) for code in LangevinErrorCode] == [*range(1, 13), 18, 19]


def test_what_both_engines_have_differs_by_the_engine_code_alone() -> None:
    for opcode in Opcode:
        if opcode.name in LangevinOpcode.__members__:
            assert LangevinOpcode[opcode.name] == opcode | Engine.LANGEVIN.code
    assert all(LangevinResponse[kind.name] == kind | Engine.LANGEVIN.code for kind in Response)
    assert all(code & ENGINE_FIELD for code in (*LangevinOpcode, *LangevinResponse))
    assert not any(code & ENGINE_FIELD for code in (*Opcode, *Response))
    shared = set(LangevinErrorCode.__members__) & set(ErrorCode.__members__)
    assert len(shared) == 12
    assert all(LangevinErrorCode[name] == ErrorCode[name] for name in shared)


def test_lengths_and_legal_states_do_not_move() -> None:
    lengths = {opcode.name: n for opcode, n in LANGEVIN_FIXED_LENGTHS.items()}
    assert lengths == {
        "IDENTIFY": 0, "READ": 1, "WRITE": 2, "BEGIN": 6, "COMMIT": 0, "RUN": 0, "ABORT": 0
    }  # fmt: skip
    records = {opcode.name: n for opcode, n in LANGEVIN_RECORDS.items()}
    assert records == {
        "UNITS": 3, "BIASES": 1, "CLAMPS": 2, "SCHEDULE": 9, "STATE": 1, "CONSTRAINTS": 3,
        "PAIRS": 1,
    }  # fmt: skip
    assert len(lengths) + len(records) + 1 == len(LangevinOpcode)  # and WEIGHTS
    states: dict[str, set[str]] = {
        state.name: {o.name for o, legal in LANGEVIN_LEGAL_STATES.items() if state in legal}
        for state in State
    }
    always, idle = {"IDENTIFY", "READ"}, {"WRITE", "BEGIN"}
    loads = {"BIASES", "CLAMPS", "SCHEDULE", "STATE", "CONSTRAINTS", "PAIRS"}
    assert states == {
        "EMPTY": always | idle,
        "LOADING": always | idle | loads | {"UNITS", "WEIGHTS", "COMMIT"},
        "READY": always | idle | loads | {"RUN"},
        "RUNNING": always | {"ABORT"},
    }


# --- programs -----------------------------------------------------------------------------------

shift = st.integers(0, 47)
strength = st.integers(-131071, 131071)
scaled = st.tuples(st.integers(0, 262143), shift)


@given(st.lists(shift, min_size=9, max_size=9))
def test_shifts_come_apart_as_they_were_put_together(values: list[int]) -> None:
    encoded = Shifts(*values).encode()
    packed = b"".join(word.to_bytes(4, "little") for word in encoded)
    assert packed == bytes([*values, 0, 0, 0])
    assert Shifts.decode(encoded) == Shifts(*values)


def test_shifts_stand_in_the_order_of_the_page() -> None:
    assert Shifts.__slots__ == (
        "quadratic", "quartic", "bias", "coupling", "constraint", "force", "residual",
        "multiplier", "penalty",
    )  # fmt: skip


@given(st.integers(1, 2**24 - 1), scaled, scaled, st.tuples(*[strength] * 6), st.booleans())
def test_a_schedule_entry_fills_nine_words(
    repeat: int, rate: Any, noise: Any, strengths: Any, measure: bool
) -> None:
    first, *rest = ScheduleEntry(repeat, rate, noise, strengths, measure).encode()
    assert (first & 0xFFFFFF, first >> 24) == (repeat, measure << 7)
    assert [(word & 0x3FFFF, word >> 18) for word in rest[:2]] == [rate, noise]
    assert [word - (word >> 31 << 32) for word in rest[2:]] == list(strengths)
    assert all(0 <= word <= WORD for word in rest)


def test_coupling_words_stand_in_the_order_of_a_pass() -> None:
    n, m = 3, 2
    zeros, rows = array("i", [0] * n), array("i", [1, 2, 3, 4, 5, 6])
    conditions = LangevinConditions(zeros, [Constraint(False, 1, 0)] * m)
    couplings = array("i", [0, 12, 13, 12, 0, 23, 13, 23, 0])
    program = LangevinProgram(zeros, zeros, zeros, couplings, rows, Shifts(), conditions)
    assert (program.units, program.constraints) == (n, m)
    assert program.weight_words(4) == [
        [1, 2, 3, 0], [4, 5, 6, 0],
        [0, 12, 13, 0], [1, 4, 0, 0], [12, 0, 23, 0], [2, 5, 0, 0], [13, 23, 0, 0], [3, 6, 0, 0],
    ]  # fmt: skip
    assert program.weight_words(2) == [
        [1, 2], [3, 0], [4, 5], [6, 0],
        [0, 12], [13, 0], [1, 4], [12, 0], [23, 0], [2, 5], [13, 23], [0, 0], [3, 6],
    ]  # fmt: skip
    alone = LangevinProgram(
        zeros, zeros, zeros, array("i"), array("i"), Shifts(), LangevinConditions(zeros)
    )
    assert alone.weight_words(4) == []


# --- parameters ---------------------------------------------------------------------------------


def test_the_default_build() -> None:
    p = LangevinParameters()
    assert asdict(p) == {
        "units": 256, "constraints": 256, "multipliers": 64, "weight_bits": 12,
        "schedule_entries": 4096, "pairs": 1024, "payload_words": 1024, "hash_rounds": 4,
    }  # fmt: skip
    assert (p.weight_max, p.lane_bits) == (2047, 6)
    assert p.weight_words == 3 * 256 * 4
    assert [p.words(k) for k in (0, 1, 64, 65, 256)] == [0, 1, 1, 2, 4]


LIMITS = [
    ("units", 1, 4096),
    ("constraints", 0, 4096),
    ("multipliers", 2, 256),
    ("weight_bits", 4, 16),
    ("schedule_entries", 1, 65536),
    ("pairs", 0, 65536),
    ("payload_words", 33, 4096),
    ("hash_rounds", 1, 4),
]


@pytest.mark.parametrize(("name", "least", "most"), LIMITS)
def test_parameters_hold_at_their_limits_and_not_beyond(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(LangevinParameters(**{name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ProgramError, match=rf"{name} .*{value}: choose"):
            LangevinParameters(**{name: value})
    for odd in (True, float(least)):
        with pytest.raises(ProgramError, match=f"{name} must be a whole number"):
            LangevinParameters(**{name: odd})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"multipliers": 48}, "a power of two from 2 to 256, not 48"),
        ({"hash_rounds": 3}, "1, 2 or 4, not 3"),
        ({"payload_words": 15}, "payload_words must be a whole number in 16..4096"),
        ({"multipliers": 256, "payload_words": 128}, "at least 129, a coupling word and"),
    ],
)
def test_refused_parameters_name_limit_and_value(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        LangevinParameters(**change)


def test_every_parameter_is_in_a_device_s_fingerprint() -> None:
    changed = {
        "units": 128, "constraints": 64, "multipliers": 32, "weight_bits": 8,
        "schedule_entries": 256, "pairs": 16, "payload_words": 512, "hash_rounds": 2,
    }  # fmt: skip
    assert set(changed) == set(LangevinParameters.__dataclass_fields__)
    builds: list[Any] = [LangevinParameters(**{k: v}) for k, v in changed.items()]
    builds += [LangevinParameters(), GraphParameters(), None, GraphParameters(lanes=8)]
    devices = [DeviceParameters.of(build) for build in builds]
    devices += [DeviceParameters(GraphParameters(), LangevinParameters(units=128))]
    devices += [DeviceParameters(GraphParameters(lanes=8))]
    assert len({device.fingerprint() for device in devices}) == len(devices)


def test_a_fingerprint_is_a_hash_of_the_whole_build() -> None:
    assert DeviceParameters.of(GraphParameters()).fingerprint() == GraphParameters().fingerprint()
    for device in (DeviceParameters(), DeviceParameters(None)):
        engines = {name: asdict(getattr(device, name)) for name in device.engines}
        text = json.dumps({"spec": SPEC_VERSION, **engines}, sort_keys=True)
        digest = hashlib.sha256(text.encode()).digest()
        assert device.fingerprint() == int.from_bytes(digest[:8], "little")
    assert DeviceParameters().engines == ("graph", "langevin")
    assert DeviceParameters.of(LangevinParameters()).engines == ("langevin",)
    whole = DeviceParameters()
    assert DeviceParameters.of(whole) is whole
    with pytest.raises(ProgramError, match="one engine at least"):
        DeviceParameters(None, None)


# --- cycles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_cycles_follow_the_formulas_of_the_page(rounds: int) -> None:
    p = LangevinParameters(multipliers=8, hash_rounds=rounds)
    assert timing.seeding_cycles(p, 5) == 5 * (20 // rounds + 1)
    assert timing.start_cycles(5) == 5 + timing.START_LATENCY
    always = timing.UPDATE_LATENCY + timing.TAIL_CYCLES
    assert timing.pass_cycles(p, 9, 0, False) == 9 + always
    assert timing.pass_cycles(p, 9, 0, True) == 9 * 2 + always
    # rows of 9 take two words, columns of 17 three
    rows = 17 * 2 + timing.RESIDUAL_LATENCY
    assert timing.pass_cycles(p, 9, 17, False) == rows + 9 * 3 + always
    assert timing.pass_cycles(p, 9, 17, True) == rows + 9 * (2 + 3) + always
    assert timing.moment_cycles(0) == 0
    assert timing.moment_cycles(7) == 7 + timing.MOMENT_LATENCY

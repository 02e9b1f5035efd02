"""Random programs and runs that the Langevin engine accepts, tame ones and ones that saturate."""

from array import array
from dataclasses import dataclass, replace
from random import Random

from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import LANGEVIN_RECORDS, LangevinOpcode
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_hw.spec.packets import Packet

__all__ = [
    "LangevinCase",
    "LangevinShape",
    "conditioning",
    "langevin_loading",
    "random_langevin",
    "recondition",
]

_WORD = 0xFFFF_FFFF
_O = LangevinOpcode


@dataclass(frozen=True, slots=True)
class LangevinShape:
    """What to draw; None: at random. ``wild``: codes and shifts anywhere in their ranges."""

    units: int | None = None
    constraints: int | None = None
    coupled: bool | None = None
    clamps: float = 0.2
    wild: bool = False


@dataclass(frozen=True, slots=True)
class LangevinCase:
    """A program with all that a run wants, and its registers."""

    program: LangevinProgram
    state: "array[int]"
    schedule: list[ScheduleEntry]
    pairs: list[tuple[int, int | None]]
    settings: dict[LangevinRegister, int]


def random_langevin(
    parameters: LangevinParameters, rng: Random, shape: LangevinShape | None = None
) -> LangevinCase:
    """A case that the device accepts."""
    shape = shape or LangevinShape()
    p, wild = parameters, shape.wild
    n = rng.randint(1, p.units) if shape.units is None else shape.units
    m = rng.randint(0, p.constraints) if shape.constraints is None else shape.constraints
    coupled = rng.random() < 0.6 if shape.coupled is None else shape.coupled

    def codes(most: int, count: int) -> "array[int]":
        return array("i", (rng.choice([rng.randint(-most, most), 0, most]) for _ in range(count)))

    couplings = array("i", bytes(4 * n * n * coupled))
    for i in range(n * coupled):
        for j in range(i):
            couplings[i * n + j] = couplings[j * n + i] = rng.randint(-p.weight_max, p.weight_max)
    most = COEFFICIENT_MAX if wild else 1 << 18
    # tame: coefficients of 18 fraction bits, couplings of as many as make them at most 1
    tame = Shifts(12, 12, 12, p.weight_bits - 7, p.weight_bits - 7, 12, p.weight_bits - 1, 18, 8)
    shifts = Shifts(*(rng.randint(0, SHIFT_MAX) for _ in Shifts.__slots__)) if wild else tame
    case = LangevinCase(
        LangevinProgram(
            quadratic=codes(most, n),
            quartic=codes(most, n),
            force=codes(most, n),
            couplings=couplings,
            rows=codes(p.weight_max, m * n),
            shifts=shifts,
            conditions=LangevinConditions(array("i")),
        ),
        array("i"),
        [],
        [],
        {},
    )
    return recondition(parameters, case, rng, shape, m)


def recondition(
    parameters: LangevinParameters,
    case: LangevinCase,
    rng: Random,
    shape: LangevinShape | None = None,
    constraints: int | None = None,
) -> LangevinCase:
    """The same couplings with other conditions, schedule, start and pairs."""
    shape = shape or LangevinShape()
    p, n, wild = parameters, case.program.units, shape.wild
    m = case.program.constraints if constraints is None else constraints
    most = COEFFICIENT_MAX if wild else 1 << 18
    largest = STATE_MAX if wild else 1 << 29
    schedule = [_entry(rng, wild) for _ in range(rng.randint(1, p.schedule_entries))]
    pairs = [
        (rng.randrange(n), rng.choice([None, rng.randrange(n)]))
        for _ in range(rng.randint(0, p.pairs))
    ]
    conditions = LangevinConditions(
        biases=array("i", (rng.randint(-most, most) for _ in range(n))),
        constraints=[
            Constraint(
                rng.random() < 0.5,
                rng.choice([0, most, rng.randint(0, most)]),
                rng.randint(-RESIDUAL_MAX, RESIDUAL_MAX)
                if wild
                else rng.randint(-1 << 14, 1 << 14),
            )
            for _ in range(m)
        ],
        clamps={i: rng.randint(-largest, largest) for i in range(n) if rng.random() < shape.clamps},
    )
    settings = {
        LangevinRegister.SEED_LOW: rng.getrandbits(32),
        LangevinRegister.SEED_HIGH: rng.getrandbits(32),
        LangevinRegister.FIRST_CHAIN: rng.choice([0, rng.getrandbits(32), _WORD]),
        LangevinRegister.CHAINS: rng.randint(1, 3),
        LangevinRegister.DRAWS: rng.randint(1, 3),
        LangevinRegister.ENTRIES: rng.randint(1, len(schedule)),
        LangevinRegister.START: rng.randint(0, MANTISSA_MAX) | rng.randint(17, 22) << 18,
        LangevinRegister.THIN: rng.randint(1, 3),
        LangevinRegister.FLAGS: rng.randint(0, 7),
        LangevinRegister.MOMENT_EVERY: rng.randint(1, 3),
        LangevinRegister.PAIRS: rng.choice([0, len(pairs), rng.randint(0, len(pairs))]),
    }
    state = array("i", (rng.randint(-largest, largest) for _ in range(n)))
    program = replace(case.program, conditions=conditions)
    return LangevinCase(program, state, schedule, pairs, settings)


def _entry(rng: Random, wild: bool) -> ScheduleEntry:
    shifts = (0, SHIFT_MAX) if wild else (8, 12)
    one, two, three, four, five, six = (
        rng.choice([rng.randint(-STRENGTH_MAX, STRENGTH_MAX), 1 << 16]) for _ in range(6)
    )
    return ScheduleEntry(
        repeat=rng.randint(1, 3),
        rate=(rng.randint(0, MANTISSA_MAX), rng.randint(*shifts)),
        noise=(rng.randint(0, MANTISSA_MAX), rng.randint(shifts[0] + 12 * (not wild), SHIFT_MAX)),
        strengths=(one, two, three, four, five, six),
        measure=rng.random() < 0.6,
    )


def _records(
    parameters: LangevinParameters, case: LangevinCase
) -> dict[LangevinOpcode, list[list[int]]]:
    """Records of every loading command."""
    program, conditions = case.program, case.program.conditions
    units = zip(program.quadratic, program.quartic, program.force, strict=True)
    clamps = [
        [int(i in conditions.clamps), conditions.clamps.get(i, 0)] for i in range(program.units)
    ]
    return {
        _O.UNITS: [list(unit) for unit in units],
        _O.WEIGHTS: [
            [
                low & 0xFFFF | (high & 0xFFFF) << 16
                for low, high in zip(w[::2], w[1::2], strict=True)
            ]
            for w in program.weight_words(parameters.multipliers)
        ],
        _O.BIASES: [[bias] for bias in conditions.biases],
        _O.CLAMPS: clamps,
        _O.SCHEDULE: [entry.encode() for entry in case.schedule],
        _O.STATE: [[state] for state in case.state],
        _O.CONSTRAINTS: [[int(c.hinge), c.weight, c.offset] for c in conditions.constraints],
        _O.PAIRS: [[i | (j or 0) << 12 | (j is None) << 24] for i, j in case.pairs],
    }


def _packets(
    parameters: LangevinParameters,
    case: LangevinCase,
    opcodes: list[LangevinOpcode],
    rng: Random | None,
) -> list[Packet]:
    """Packets as large as the payload memory or, given ``rng``, of any size."""
    packets = []
    records = _records(parameters, case)
    for opcode in opcodes:
        size = LANGEVIN_RECORDS.get(opcode, parameters.multipliers // 2)
        most = (parameters.payload_words - 1) // size
        at = 0
        while at < len(records[opcode]):
            part = records[opcode][at : at + (rng.randint(1, most) if rng is not None else most)]
            words = [word & _WORD for record in part for word in record]
            packets.append(Packet(opcode, 0, (at, *words)))
            at += len(part)
    return packets


def langevin_loading(
    parameters: LangevinParameters,
    case: LangevinCase,
    rng: Random | None = None,
    leave: tuple[LangevinOpcode, ...] = (),
) -> list[Packet]:
    """BEGIN to COMMIT; given ``rng`` in any order and in packets of any size.

    What ``leave`` names is not sent: BEGIN clears CLAMPS and STATE.
    """
    program = case.program
    coupled = len(program.couplings) > 0
    sizes = (program.units, program.constraints, int(coupled), *program.shifts.encode())
    opcodes = [code for code in (*LANGEVIN_RECORDS, _O.WEIGHTS) if code not in leave]
    if rng is not None:
        rng.shuffle(opcodes)
    packets = _packets(parameters, case, opcodes, rng)
    return [Packet(_O.BEGIN, 0, sizes), *packets, Packet(_O.COMMIT, 0, ())]


def conditioning(
    parameters: LangevinParameters, case: LangevinCase, rng: Random | None = None
) -> list[Packet]:
    """All that may change while READY; couplings stay on the device."""
    opcodes = [_O.BIASES, _O.CONSTRAINTS, _O.CLAMPS, _O.STATE, _O.SCHEDULE, _O.PAIRS]
    if rng is not None:
        rng.shuffle(opcodes)
    return _packets(parameters, case, opcodes, rng)

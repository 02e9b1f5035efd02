"""Random programs and runs of the lattice engine, as packets: whatever a build accepts.

Codes reach their ends often, clamps are dense or missing, schedules hot and cold.
"""

from collections.abc import Iterator
from random import Random

from gibbsite_hw.spec.lattice_packets import LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LatticeRegister
from gibbsite_hw.spec.lattice_tables import BETA_MAX

__all__ = ["Command", "lattice_loads", "lattice_program", "lattice_settings"]

Command = tuple[LatticeOpcode, list[int]]

_WORD = 0xFFFF_FFFF
_O = LatticeOpcode
_R = LatticeRegister


def lattice_loads(
    parameters: LatticeParameters, opcode: LatticeOpcode, records: list[list[int]], first: int = 0
) -> Iterator[Command]:
    """Commands that load records from number ``first`` on, as many a packet as fit."""
    most = (parameters.payload_words - 1) // len(records[0]) if records else 1
    for at in range(0, len(records), most):
        words = [word & _WORD for record in records[at : at + most] for word in record]
        yield opcode, [first + at, *words]


def lattice_program(
    parameters: LatticeParameters, dice: Random, columns: int, steps: int
) -> Iterator[Command]:
    """BEGIN, everything in random order of kinds, COMMIT."""
    p = parameters
    sites = columns * p.rows

    def code(largest: int) -> int:
        return dice.choice((0, largest, -largest, dice.randint(-largest, largest)))

    def word(index: int) -> int:
        bits = p.rows - 32 * (p.words - 1) if index % p.words == p.words - 1 else 32
        return dice.getrandbits(bits)

    couplings = [
        [
            sum((code(p.coupling_max) & 0xFF) << 8 * k for k in range(4))
            for _ in range(p.neighbours // 4)
        ]
        for _ in range(sites)
    ]
    sparse = dice.choice((0, 1, 3))
    clamps = []
    for index in range(columns * p.words):
        on, off = word(index), word(index)
        for _ in range(sparse):
            on, off = on & word(index), off & word(index)
        clamps.append([on, off & ~on])
    betas = [
        [dice.choice((0, BETA_MAX, dice.randint(0, BETA_MAX), dice.randint(0, 1 << 18)))]
        for _ in range(steps)
    ]
    kinds = [
        (_O.COUPLINGS, couplings),
        (_O.BIASES, [[code(p.bias_max)] for _ in range(sites)]),
        (_O.STATE, [[word(index)] for index in range(columns * p.words)]),
        (_O.SCHEDULE, betas),
    ]
    if dice.random() < 0.7:
        kinds.append((_O.CLAMPS, clamps))
    dice.shuffle(kinds)
    yield _O.BEGIN, [columns]
    for opcode, records in kinds:
        yield from lattice_loads(p, opcode, records)
    yield _O.COMMIT, []


def lattice_settings(parameters: LatticeParameters, dice: Random, steps: int) -> Iterator[Command]:
    """WRITE of all registers of a run with up to ``steps`` steps."""
    values = {
        _R.SEED_LOW: dice.getrandbits(32),
        _R.SEED_HIGH: dice.getrandbits(32),
        _R.FIRST_CHAIN: dice.choice((0, 7, _WORD)),
        _R.CHAINS: dice.randint(1, 2 * parameters.banks + 1),
        _R.DRAWS: dice.randint(1, 3),
        _R.STEPS: dice.randint(0, steps),
        _R.SWEEPS_PER_STEP: dice.choice((1, 1, 2, 3)),
        _R.THIN: dice.choice((1, 2)),
        _R.FLAGS: dice.randrange(8),
    }
    for register, value in values.items():
        yield _O.WRITE, [register, value]

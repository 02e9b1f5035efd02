"""Every way to be refused by the lattice engine's shell, from both sides of each limit.

Wanted answers are written down here from docs/lattice-engine.md, apart from the golden shell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gibbsite_hw.spec.lattice_packets import LatticeErrorCode, LatticeOpcode
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.registers import State

__all__ = ["Mistake", "lattice_mistakes"]

_O, _E, _R = LatticeOpcode, LatticeErrorCode, LatticeRegister
_WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Mistake:
    """A command in a state, and how it is refused: None if it is just right.

    In LOADING nothing but BEGIN of ``columns`` was accepted, in READY a whole program with an empty
    schedule. Commands that are just right follow each other.
    """

    state: State
    opcode: LatticeOpcode
    payload: tuple[int, ...]
    wanted: tuple[LatticeErrorCode, int] | None = None


def lattice_mistakes(parameters: LatticeParameters, columns: int) -> Iterator[Mistake]:
    """Of EMPTY, then of LOADING, then of READY."""
    yield from _sizes(parameters)
    yield from _loading(parameters, columns)
    yield from _ready(parameters, columns)


def _sizes(p: LatticeParameters) -> Iterator[Mistake]:
    for columns in (0, 1, 3, p.columns + 1, p.columns + 2, _WORD):
        yield Mistake(State.EMPTY, _O.BEGIN, (columns,), (_E.BAD_SIZE, 0))
    for opcode, length in ((_O.IDENTIFY, 1), (_O.READ, 2), (_O.WRITE, 1), (_O.BEGIN, 2)):
        yield Mistake(State.EMPTY, opcode, (0,) * length, (_E.BAD_LENGTH, length))
    for offset in (0x09, 0x12, 0x1F, 0x2C, _WORD):
        yield Mistake(State.EMPTY, _O.READ, (offset,), (_E.BAD_REGISTER, offset))
        yield Mistake(State.EMPTY, _O.WRITE, (offset, 0), (_E.BAD_REGISTER, offset))
    for register, info in LATTICE_REGISTERS.items():
        yield Mistake(State.EMPTY, _O.READ, (register,))
        if not info.writable:
            yield Mistake(State.EMPTY, _O.WRITE, (register, 0), (_E.READ_ONLY, register))
            continue
        for value in (info.minimum - 1, info.maximum + 1):
            if 0 <= value <= _WORD:
                yield Mistake(State.EMPTY, _O.WRITE, (register, value), (_E.BAD_VALUE, 1))
        for value in (info.minimum, info.maximum, info.reset):
            yield Mistake(State.EMPTY, _O.WRITE, (register, value))


def _loading(p: LatticeParameters, columns: int) -> Iterator[Mistake]:
    rules, sites = p.neighbours // 4, columns * p.rows

    def load(
        opcode: LatticeOpcode, *payload: int, wanted: tuple[LatticeErrorCode, int] | None = None
    ) -> Mistake:
        return Mistake(State.LOADING, opcode, tuple(word & _WORD for word in payload), wanted)

    yield load(_O.COMMIT, wanted=(_E.INCOMPLETE, 0))
    for opcode, record in ((_O.COUPLINGS, rules), (_O.BIASES, 1), (_O.CLAMPS, 2), (_O.STATE, 1)):
        yield load(opcode, wanted=(_E.BAD_LENGTH, 0))
        yield load(opcode, 0, wanted=(_E.BAD_LENGTH, 1))
        if record > 1:
            yield load(opcode, *[0] * (record + 2), wanted=(_E.BAD_LENGTH, record + 2))
    for opcode, record in ((_O.COUPLINGS, rules), (_O.BIASES, 1)):
        for first in (1, sites, _WORD):
            yield load(opcode, first, *[0] * record, wanted=(_E.BAD_ADDRESS, first))
    most = p.coupling_max
    for place in range(4):
        for code in (most + 1, -most - 1, -128, 127):
            if abs(code) > most:
                word = (code & 0xFF) << 8 * place
                bad = [0] * (rules - 1) + [word]
                yield load(_O.COUPLINGS, place, *bad, wanted=(_E.BAD_VALUE, rules))
        yield load(_O.COUPLINGS, place, *[(most & 0xFF) << 8 * place] * rules)
    yield load(_O.COUPLINGS, 0, *[0] * rules, wanted=(_E.BAD_ADDRESS, 0))
    for code in (p.bias_max + 1, -p.bias_max - 1, 1 << 31):
        yield load(_O.BIASES, 0, 0, code, wanted=(_E.BAD_VALUE, 2))
    yield load(_O.BIASES, 0, p.bias_max, -p.bias_max)
    yield load(_O.BIASES, 1, 0, wanted=(_E.BAD_ADDRESS, 1))
    yield load(_O.COMMIT, wanted=(_E.INCOMPLETE, 0))
    for opcode in (_O.RUN, _O.ABORT):
        yield load(opcode, wanted=(_E.WRONG_STATE, State.LOADING))


def _ready(p: LatticeParameters, columns: int) -> Iterator[Mistake]:
    sites, words, last = columns * p.rows, columns * p.words, p.words - 1
    above = 1 << p.rows % 32 if p.rows % 32 else 0

    def ready(
        opcode: LatticeOpcode, *payload: int, wanted: tuple[LatticeErrorCode, int] | None = None
    ) -> Mistake:
        return Mistake(State.READY, opcode, payload, wanted)

    for opcode in (_O.COUPLINGS, _O.COMMIT, _O.ABORT):
        yield ready(opcode, wanted=(_E.WRONG_STATE, State.READY))
    yield ready(_O.BIASES, sites - 1, 0)
    yield ready(_O.BIASES, sites - 1, 0, 0, wanted=(_E.BAD_ADDRESS, sites - 1))
    yield ready(_O.BIASES, sites, 0, wanted=(_E.BAD_ADDRESS, sites))
    for opcode, record in ((_O.CLAMPS, (0, 0)), (_O.STATE, (0,))):
        yield ready(opcode, words - 1, *record)
        yield ready(opcode, words - 1, *record, *record, wanted=(_E.BAD_ADDRESS, words - 1))
        yield ready(opcode, _WORD, *record, wanted=(_E.BAD_ADDRESS, _WORD))
    if above:
        yield ready(_O.STATE, last, above, wanted=(_E.BAD_VALUE, 1))
        yield ready(_O.STATE, last, above - 1)
        yield ready(_O.STATE, 0, *[0] * last, _WORD, wanted=(_E.BAD_VALUE, 1 + last))
        yield ready(_O.CLAMPS, last, above, 0, wanted=(_E.BAD_VALUE, 1))
        yield ready(_O.CLAMPS, last, 0, above, wanted=(_E.BAD_VALUE, 2))
        # the word out of range answers before words that meet
        clash = (1, 1, *(0, 0) * (p.words - 1), above, 0)
        if last == 0:
            yield ready(_O.CLAMPS, 0, *clash, wanted=(_E.BAD_VALUE, 3))
    yield ready(_O.CLAMPS, 0, 1, 2, 2, 1)
    yield ready(_O.CLAMPS, 0, 1, 1, 1, 1, wanted=(_E.BAD_VALUE, 2))
    yield ready(_O.CLAMPS, 0, 1, 2, 3, 2, wanted=(_E.BAD_VALUE, 4))
    yield ready(_O.CLAMPS, 0, 0, 0, 0, 0)
    yield ready(_O.SCHEDULE, 1, 0, wanted=(_E.BAD_ADDRESS, 1))
    yield ready(_O.SCHEDULE, 0, 1 << 24, wanted=(_E.BAD_VALUE, 1))
    yield ready(_O.SCHEDULE, 0, 5, (1 << 24) - 1)
    yield ready(_O.SCHEDULE, 0, 6)
    yield ready(_O.SCHEDULE, 3, 0, wanted=(_E.BAD_ADDRESS, 3))
    steps = p.schedule_steps
    yield ready(_O.SCHEDULE, 1, *[0] * steps, wanted=(_E.BAD_ADDRESS, 1))
    yield ready(_O.WRITE, _R.STEPS, 3)
    yield ready(_O.RUN, wanted=(_E.NO_SCHEDULE, 3))
    yield ready(_O.RUN, 0, wanted=(_E.BAD_LENGTH, 1))
    yield ready(_O.WRITE, _R.STEPS, 0)

"""What the Langevin shell checks of a payload before it takes it; see `checks` for the rules.

Source: "The shell" in docs/langevin-engine.md. Twin: ``gibbsite_hw.langevin_loader``.
"""

from collections.abc import Callable, Sequence

from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_BITS,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_packets import LangevinErrorCode, LangevinOpcode
from gibbsite_models.golden.checks import Refused

__all__ = ["Check", "check_begin", "check_records", "record_checks", "signed"]

Check = Callable[[int], bool]
"""Whether a payload word may stand at its place in a record."""


def signed(word: int, bits: int = 32) -> int:
    """The two's complement value of a word."""
    word &= (1 << bits) - 1
    return word - (word >> (bits - 1) << bits)


def check_begin(payload: Sequence[int], units: int, constraints: int) -> None:
    """BAD_SIZE with the payload index of the first size, flag or word of shifts that is off."""
    nine = [0xFFFF_FFFF, 0xFFFF_FFFF, 0xFF]
    good = [1 <= payload[0] <= units, payload[1] <= constraints, payload[2] <= 1]
    for word, mask in zip(payload[3:], nine, strict=True):
        shifts = [word >> 8 * k & 0xFF for k in range(4)]
        good.append(not word & ~mask and all(shift <= SHIFT_MAX for shift in shifts))
    if not all(good):
        raise Refused(LangevinErrorCode.BAD_SIZE, good.index(False))


def check_records(payload: Sequence[int], checks: Sequence[Check]) -> None:
    """BAD_VALUE with the payload index of the first word that its check refuses."""
    for at in range(1, len(payload)):
        if not checks[(at - 1) % len(checks)](payload[at]):
            raise Refused(LangevinErrorCode.BAD_VALUE, at)


def record_checks(opcode: LangevinOpcode, units: int, weight_max: int) -> list[Check]:
    """The checks of a record's words, one each."""
    coefficient = _within(COEFFICIENT_MAX)
    state = _within(STATE_MAX)
    table: dict[LangevinOpcode, list[Check]] = {
        LangevinOpcode.UNITS: [coefficient] * 3,
        LangevinOpcode.BIASES: [coefficient],
        LangevinOpcode.CLAMPS: [_flag, state],
        LangevinOpcode.SCHEDULE: [_repeat, _scaled, _scaled, *[_within(STRENGTH_MAX)] * 6],
        LangevinOpcode.STATE: [state],
        LangevinOpcode.CONSTRAINTS: [_flag, _at_most(COEFFICIENT_MAX), _within(RESIDUAL_MAX)],
        LangevinOpcode.PAIRS: [_pair(units)],
        LangevinOpcode.WEIGHTS: [_halves(weight_max)],
    }
    return table[opcode]


def _within(largest: int) -> Check:
    return lambda word: -largest <= signed(word) <= largest


def _at_most(largest: int) -> Check:
    return lambda word: word <= largest


def _halves(largest: int) -> Check:
    return lambda word: all(abs(signed(word >> 16 * k, 16)) <= largest for k in range(2))


def _pair(units: int) -> Check:
    return lambda word: word >> 25 == 0 and word & 0xFFF < units and word >> 12 & 0xFFF < units


def _flag(word: int) -> bool:
    return word <= 1


def _repeat(word: int) -> bool:
    return word & 0x7F00_0000 == 0 and word & REPEAT_MAX >= 1


def _scaled(word: int) -> bool:
    return word >> 24 == 0 and word >> MANTISSA_BITS <= SHIFT_MAX

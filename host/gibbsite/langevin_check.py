"""What the driver refuses of Langevin programs and requests before a word goes to the device.

The device checks ranges again; it cannot see whether couplings are symmetric. A refusal of
conditions that came from the device would find some of them replaced already.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Final, TypeGuard

import numpy as np

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    REPEAT_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
    TERMS,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
)

__all__ = ["COUNTS", "check_conditions", "check_program", "check_request"]


COUNTS: Final = {
    "chains": (1, (1 << 32) - 1),
    "draws": (1, (1 << 32) - 1),
    "thin": (1, (1 << 32) - 1),
    "moment_every": (1, (1 << 32) - 1),
    "first_chain": (0, (1 << 32) - 1),
    "seed": (0, (1 << 64) - 1),
}
"""Least and largest whole numbers of a request."""


def check_program(program: LangevinProgram, parameters: LangevinParameters) -> None:
    """Raise `ProgramError` unless the device can hold the program."""
    n, m = program.units, program.constraints
    for what, size, most in (
        ("units", n, parameters.units),
        ("constraints", m, parameters.constraints),
    ):
        if size > most:
            raise ProgramError(
                f"the program has {size} {what} and the device holds {most}: use fewer or a larger "
                f"build ({what}={size})"
            )
    if n == 0:
        raise ProgramError("the program has no unit: give one at least")
    for what, codes, size, largest in (
        ("J2", program.quadratic, n, COEFFICIENT_MAX),
        ("J4", program.quartic, n, COEFFICIENT_MAX),
        ("force", program.force, n, COEFFICIENT_MAX),
        ("k", program.rows, m * n, parameters.weight_max),
    ):
        _require_codes(what, codes, size, largest)
    if len(program.couplings):
        _require_codes("J", program.couplings, n * n, parameters.weight_max)
        couplings = np.array(program.couplings).reshape(n, n)
        off = np.argwhere((couplings != couplings.T) | (np.eye(n, dtype=bool) & (couplings != 0)))
        if len(off):
            i, j = off[0].tolist()
            raise ProgramError(
                f"couplings must be symmetric with zeros on the diagonal, and J[{i},{j}] is "
                f"{couplings[i, j]}, J[{j},{i}] {couplings[j, i]}: store both halves alike"
            )
    for name in program.shifts.__slots__:
        shift = getattr(program.shifts, name)
        if not (_whole(shift) and 0 <= shift <= SHIFT_MAX):
            raise ProgramError(
                f"the shift {name} is {shift} and must lie in 0..{SHIFT_MAX}: scale the program"
            )
    check_conditions(program.conditions, n, m)


def check_conditions(conditions: LangevinConditions, units: int, constraints: int) -> None:
    """Raise `ProgramError` unless the conditions fit a program of this size."""
    _require_codes("b", conditions.biases, units, COEFFICIENT_MAX)
    if len(conditions.constraints) != constraints:
        raise ProgramError(
            f"conditions have {len(conditions.constraints)} constraints and the program "
            f"{constraints}: give each its lambda and d"
        )
    for number, row in enumerate(conditions.constraints):
        _check_constraint(number, row)
    if not isinstance(conditions.clamps, Mapping):
        raise ProgramError(
            f"clamps must map units to codes and are {conditions.clamps!r}: give {{unit: code}}"
        )
    for unit, state in conditions.clamps.items():
        if not (_whole(unit) and 0 <= unit < units):
            raise ProgramError(
                f"a clamp names unit {unit!r}; units are 0 to {units - 1}: clamp one of them"
            )
        if not _whole(state):
            raise ProgramError(
                f"unit {unit} is clamped at {state!r} and codes are whole numbers: round it"
            )
        if abs(state) > STATE_MAX:
            raise ProgramError(
                f"unit {unit} is clamped at code {state} and states lie within +-{STATE_MAX}: "
                "choose a larger reach"
            )


def check_request(request: LangevinRequest, units: int, parameters: LangevinParameters) -> None:
    """Raise `ProgramError` unless the device can make this run."""
    if not 1 <= len(request.schedule) <= parameters.schedule_entries:
        raise ProgramError(
            f"the schedule has {len(request.schedule)} entries and the device holds 1 to "
            f"{parameters.schedule_entries}: use fewer entries with more steps each"
        )
    for number, entry in enumerate(request.schedule):
        _check_entry(number, entry)
    if len(request.pairs) > parameters.pairs:
        raise ProgramError(
            f"{len(request.pairs)} pairs were asked and the device sums {parameters.pairs}: ask "
            f"fewer at a time or use a larger build (pairs={len(request.pairs)})"
        )
    for i, j in request.pairs:
        if not all(_whole(unit) and 0 <= unit < units for unit in (i, 0 if j is None else j)):
            raise ProgramError(
                f"a pair names units {i} and {j}; units are 0 to {units - 1}: name two of them"
            )
    for name, (least, most) in COUNTS.items():
        value = getattr(request, name)
        if not (_whole(value) and least <= value <= most):
            raise ProgramError(
                f"{name} is {value!r} and must be a whole number in {least}..{most}: choose it anew"
            )
    _check_scaled("start", request.start)
    if request.state is not None:
        _require_codes("state", request.state, units, STATE_MAX)


def _check_entry(number: int, entry: ScheduleEntry) -> None:
    if not (_whole(entry.repeat) and 1 <= entry.repeat <= REPEAT_MAX):
        raise ProgramError(
            f"schedule entry {number} has {entry.repeat} steps and holds 1 to {REPEAT_MAX}: split "
            "it"
        )
    _check_scaled(f"the rate of schedule entry {number}", entry.rate)
    _check_scaled(f"the noise of schedule entry {number}", entry.noise)
    if len(entry.strengths) != len(TERMS) or not all(map(_whole, entry.strengths)):
        raise ProgramError(
            f"schedule entry {number} has strengths {entry.strengths} and must have {len(TERMS)} "
            f"whole codes: give one for each of {', '.join(TERMS)}"
        )
    if not isinstance(entry.measure, bool | np.bool_):
        raise ProgramError(
            f"schedule entry {number} has measure {entry.measure!r}: give False or True"
        )
    if max(map(abs, entry.strengths)) > STRENGTH_MAX:
        raise ProgramError(
            f"schedule entry {number} has strengths {entry.strengths} and they lie within "
            f"+-{STRENGTH_MAX}: put the largest strength into the coefficients"
        )


def _check_constraint(number: int, row: Constraint) -> None:
    if not (isinstance(row.hinge, bool | np.bool_) and _whole(row.weight) and _whole(row.offset)):
        raise ProgramError(
            f"constraint {number} is {row} and must have a bool and two whole codes: round lambda "
            "and d to codes, give hinge as False or True"
        )
    if not 0 <= row.weight <= COEFFICIENT_MAX or abs(row.offset) > RESIDUAL_MAX:
        raise ProgramError(
            f"constraint {number} has lambda code {row.weight} (0..{COEFFICIENT_MAX}) and d "
            f"code {row.offset} (+-{RESIDUAL_MAX}): scale the program"
        )


def _check_scaled(what: str, scaled: Sequence[int]) -> None:
    if len(scaled) != 2 or not all(map(_whole, scaled)):
        raise ProgramError(f"{what} is {scaled!r}: give a mantissa and a shift, whole numbers both")
    mantissa, shift = scaled
    if not (0 <= mantissa <= MANTISSA_MAX and 0 <= shift <= SHIFT_MAX):
        raise ProgramError(
            f"{what} is {mantissa} / 2^{shift}, and mantissas go to {MANTISSA_MAX}, shifts to "
            f"{SHIFT_MAX}: choose another dt, kT or reach"
        )


def _require_codes(what: str, codes: array[int], size: int, largest: int) -> None:
    if not isinstance(codes, array) or codes.typecode not in "bhilq":
        kind = f"array {codes.typecode!r}" if isinstance(codes, array) else type(codes).__name__
        raise ProgramError(
            f"{what} needs whole codes and is of type {kind}: give array('i', codes)"
        )
    if len(codes) != size:
        raise ProgramError(f"{what} needs {size} codes and has {len(codes)}: give one for each")
    for place, code in enumerate(codes):
        if abs(code) > largest:
            raise ProgramError(
                f"{what} has the code {code} at {place} and the device takes +-{largest}: scale "
                "the program"
            )


def _whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)

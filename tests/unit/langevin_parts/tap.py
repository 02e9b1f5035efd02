"""A golden stream under the Langevin driver that is written down, and a program for it."""

from array import array
from dataclasses import replace

from gibbsite.driver import Driver
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_models.golden.device import GoldenStream

SMALL = LangevinParameters(
    units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=64, payload_words=32
)
UNITS, ROWS = 6, 3


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


def still_works(device: Device) -> None:
    """Run once more and compare with a device that saw nothing else."""
    with Driver(GoldenStream(SMALL)) as fresh:
        fresh.load(program())
        wanted = fresh.run(request())
    # words also count an answer that an interrupted command left behind
    assert replace(device.run(request()), words_out=0) == replace(wanted, words_out=0)
    assert wanted.reads == 5

"""The golden Langevin engine beside `Scalar`, bit for bit, and an ordinary program for both."""

from array import array
from collections import Counter
from dataclasses import replace
from typing import Any

from langevin_parts.scalar import WORD32, Scalar, Start

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.langevin_field import Weights

PARAMETERS = LangevinParameters(units=48, constraints=9, multipliers=4, weight_bits=16)
WEIGHT_MAX = PARAMETERS.weight_max


def golden(
    program: LangevinProgram,
    request: LangevinRequest,
    engine_type: type[LangevinEngine] = LangevinEngine,
) -> list[tuple[list[tuple[Any, ...]], tuple[list[int], int], int]]:
    """What the golden engine gives for every chain, in the form of `Scalar.run`."""
    engine = engine_type(PARAMETERS, Weights.of(program))
    engine.condition(program.conditions)
    blocks = [draw for block in engine.run(request) for draw in block]
    chains = []
    for chain in range(request.chains):
        together = len(blocks[0].energies) == request.chains
        own = blocks if together else blocks[chain * request.draws :][: request.draws]
        at = chain if together else 0
        draws: list[tuple[Any, ...]] = []
        for number, draw in enumerate(own):
            assert draw.number == number
            numbers = [int(v[at]) for v in (draw.energies, draw.work, draw.heat)]
            best = (int(draw.best_energies[at]), draw.best_states[at].tolist())
            draws.append((draw.step, *numbers, draw.states[at].tolist(), *best))
        moments = own[-1].moments[at].tolist()
        chains.append((draws, (moments, own[-1].additions), int(own[-1].saturations[at])))
    return chains


def assert_same(
    program: LangevinProgram,
    request: LangevinRequest,
    engine_type: type[LangevinEngine] = LangevinEngine,
    begin: Start | None = None,
) -> "Counter[str]":
    """Golden is the page, bit for bit; returns what saturated."""
    kinds: Counter[str] = Counter()
    for chain, found in enumerate(golden(program, request, engine_type)):
        scalar = Scalar(program, request, chain, begin or Start(), kinds)
        before = sum(kinds.values())
        draws, moments, total = scalar.run()
        if not request.samples:
            draws = [(*draw[:4], [], *draw[5:]) for draw in draws]
        if not request.best:
            draws = [(*draw[:5], 0, []) for draw in draws]
        assert found == (draws, moments, total - before)
    return kinds


# shifts with which coefficients near 2^20 and weights near 2^11 make forces near 1
TAME = Shifts(
    quadratic=15, quartic=16, bias=14, coupling=5, constraint=5, force=15, residual=11,
    multiplier=20, penalty=9,
)  # fmt: skip


ONE = 1 << 16
STEP = ScheduleEntry(6, (160_000, 8), (150_000, 20), (ONE, ONE, ONE, ONE, ONE, ONE))


def ordinary() -> tuple[LangevinProgram, LangevinRequest]:
    """All six terms, both penalties, a clamp, a ramp, a step that is not measured, moments."""
    n = 4
    couplings = array("i", [0, 900, -700, 0, 900, 0, 0, 350, -700, 0, 0, 1100, 0, 350, 1100, 0])
    rows = array("i", [2000, -1500, 800, 0, 0, 1800, 1800, -900])
    constraints = [Constraint(False, 700_000, 3000), Constraint(True, 1_000_000, -1000)]
    coefficients = [array("i", [k * 131_071 for k in row]) for row in (
        (5, 4, 6, 3), (2, 5, 1, 4), (3, -6, 5, 2), (-4, 3, 6, -5)
    )]  # fmt: skip
    quadratic, quartic, force, biases = coefficients
    conditions = LangevinConditions(biases, constraints, {2: 150_000_000})
    program = LangevinProgram(quadratic, quartic, force, couplings, rows, TAME, conditions)
    schedule = [
        STEP,
        replace(STEP, repeat=1, measure=False, noise=(0, 0)),
        replace(STEP, repeat=4, strengths=(ONE, 50_000, 90_000, ONE, ONE, -70_000)),
        replace(STEP, repeat=3, rate=(150_000, 7), strengths=(70_000, 60_000, 0, ONE, 1, ONE)),
    ]
    pairs: list[tuple[int, int | None]] = [(0, 1), (3, 3), (1, None)]
    request = LangevinRequest(
        schedule, seed=0x0123456789ABCDEF, chains=3, draws=4, first_chain=WORD32, thin=3, best=True,
        start=(200_000, 19), pairs=pairs, moment_every=2, state=array("i", [1 << 28, 0, 7, -9]),
    )  # fmt: skip
    assert n == program.units
    return program, request

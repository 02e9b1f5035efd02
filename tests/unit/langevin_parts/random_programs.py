"""Random programs and requests of the Langevin engine, tame ones and wild ones."""

from array import array

from hypothesis import strategies as st
from langevin_parts.against_page import TAME, WEIGHT_MAX
from langevin_parts.scalar import WORD32, WORD64

from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    MANTISSA_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
)
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)


def codes(largest: int) -> st.SearchStrategy[int]:
    """Codes of all magnitudes, the ends often."""
    powers = st.integers(0, largest.bit_length() - 1).map(lambda bits: 1 << bits)
    return st.one_of(
        st.sampled_from((0, largest, -largest)),
        st.integers(-largest, largest),
        st.tuples(powers, st.sampled_from((-1, 1))).map(lambda pair: pair[0] * pair[1]),
    )


@st.composite
def scaled(draw: st.DrawFn, tame: tuple[int, int]) -> tuple[int, int]:
    """Mantissa and shift; ``tame`` are a mantissa and a shift that suit ordinary dynamics."""
    if draw(st.booleans()):
        return draw(st.integers(0, tame[0])), tame[1]
    return draw(st.integers(0, MANTISSA_MAX)), draw(st.integers(0, SHIFT_MAX))


@st.composite
def programs(draw: st.DrawFn) -> LangevinProgram:
    n, m = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    tame = draw(st.booleans())
    coefficient = codes(1 << 20 if tame else COEFFICIENT_MAX)
    weight = codes(1 << 11 if tame else WEIGHT_MAX)
    shift = st.one_of(st.sampled_from((0, SHIFT_MAX)), st.integers(0, SHIFT_MAX))
    shifts = TAME if tame else Shifts(*draw(st.lists(shift, min_size=9, max_size=9)))

    def many(strategy: st.SearchStrategy[int], size: int) -> "array[int]":
        some = draw(st.booleans()) if size else False
        values = draw(st.lists(strategy, min_size=size, max_size=size)) if some else [0] * size
        return array("i", values)

    couplings = array("i", [0] * (n * n)) if draw(st.booleans()) else array("i")
    if len(couplings):
        for i in range(n):
            for j in range(i):
                couplings[i * n + j] = couplings[j * n + i] = draw(weight)
    d = codes(1 << 14 if tame else RESIDUAL_MAX)
    constraints = [
        Constraint(draw(st.booleans()), abs(draw(coefficient)), draw(d)) for _ in range(m)
    ]
    held = draw(st.lists(st.booleans(), min_size=n, max_size=n)) if draw(st.booleans()) else []
    clamps = {unit: draw(codes(STATE_MAX)) for unit, is_held in enumerate(held) if is_held}
    conditions = LangevinConditions(many(coefficient, n), constraints, clamps)
    return LangevinProgram(
        quadratic=many(coefficient, n), quartic=many(coefficient, n), force=many(coefficient, n),
        couplings=couplings, rows=many(weight, m * n), shifts=shifts, conditions=conditions,
    )  # fmt: skip


@st.composite
def entries(draw: st.DrawFn) -> ScheduleEntry:
    strength = st.one_of(st.just(1 << 16), codes(STRENGTH_MAX))
    return ScheduleEntry(
        repeat=draw(st.integers(1, 3)),
        rate=draw(scaled((MANTISSA_MAX, 8))),
        noise=draw(scaled((MANTISSA_MAX, 20))),
        strengths=draw(st.tuples(*[strength] * 6)),
        measure=draw(st.booleans()),
    )


@st.composite
def requests(draw: st.DrawFn, n: int) -> LangevinRequest:
    unit = st.integers(0, n - 1)
    state = draw(st.none() | st.lists(codes(STATE_MAX), min_size=n, max_size=n))
    return LangevinRequest(
        schedule=draw(st.lists(entries(), min_size=1, max_size=3)),
        seed=draw(st.integers(0, WORD64)),
        chains=draw(st.integers(1, 2)),
        draws=draw(st.integers(1, 3)),
        first_chain=draw(st.sampled_from((0, 1, WORD32))),
        thin=draw(st.integers(1, 3)),
        trajectory=draw(st.booleans()),
        samples=draw(st.booleans()),
        best=draw(st.booleans()),
        start=draw(scaled((MANTISSA_MAX, 19))),
        state=None if state is None else array("i", state),
        pairs=draw(st.lists(st.tuples(unit, st.none() | unit), max_size=3)),
        moment_every=draw(st.integers(1, 3)),
    )

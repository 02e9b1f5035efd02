"""The golden Langevin engine against a scalar interpreter of its page, chain by chain."""

from array import array
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    COEFFICIENT_MAX,
    ENERGY_MAX,
    FORCE_MAX,
    MANTISSA_MAX,
    OPERAND_MAX,
    RESIDUAL_MAX,
    SHIFT_MAX,
    STATE_MAX,
    STRENGTH_MAX,
    round_shift,
    saturate,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)
from gibbsite_hw.spec.langevin_tables import gaussian_code
from gibbsite_models.golden import langevin as golden_langevin
from gibbsite_models.golden.langevin import LangevinEngine, Walkers
from gibbsite_models.golden.langevin_field import Field, Weights

PARAMETERS = LangevinParameters(units=48, constraints=9, multipliers=4, weight_bits=16)
WEIGHT_MAX = PARAMETERS.weight_max
WORD32, WORD64 = (1 << 32) - 1, (1 << 64) - 1


# --- the page, read once more -------------------------------------------------------------------


def threefry(key: tuple[int, int], counter: tuple[int, int]) -> tuple[int, int]:
    """Threefry-2x64 with 20 rounds, from its paper."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDAA9FC1A22)
    x, y = (counter[0] + keys[0]) & WORD64, (counter[1] + keys[1]) & WORD64
    for turn in range(5):
        for left in ((16, 42, 12, 31), (16, 32, 24, 21))[turn % 2]:
            x = (x + y) & WORD64
            y = ((y << left | y >> (64 - left)) & WORD64) ^ x
        x = (x + keys[(turn + 1) % 3]) & WORD64
        y = (y + keys[(turn + 2) % 3] + turn + 1) & WORD64
    return x, y


class Stream:
    """The linear engine of xoshiro128, one word at a time."""

    def __init__(self, seed: int, chain: int, unit: int) -> None:
        x, y = threefry((seed, 2), (chain, unit))
        self.s = [x & WORD32, x >> 32, y & WORD32, y >> 32]

    def word(self) -> int:
        s = self.s
        out, shifted = s[0], s[1] << 9 & WORD32
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = (s[3] << 11 | s[3] >> 21) & WORD32
        return out


@dataclass
class Start:
    """What an accumulator holds before the first step: 0 on the device, more to reach its end."""

    work: int = 0
    heat: int = 0
    moment: int = 0


@dataclass
class Scalar:
    """One chain as docs/langevin-engine.md tells it; ``kinds`` counts what saturated, by name."""

    program: LangevinProgram
    request: LangevinRequest
    chain: int
    begin: Start = field(default_factory=Start)
    kinds: "Counter[str]" = field(default_factory=Counter)

    def sat(self, value: int, largest: int, kind: str) -> int:
        near = saturate(value, largest)
        self.kinds[kind] += near != value
        return near

    def move(self, unit: int, z: int, drift: int, noise: tuple[int, int]) -> int:
        w0, w1, w2 = (self.streams[unit].word() for _ in range(3))
        xi, dither = gaussian_code(w0 + (w1 << 32)), w2 >> 24
        spread = round_shift(noise[0] * xi * 2**16, noise[1])
        clamps = self.program.conditions.clamps
        if unit in clamps:
            return clamps[unit]
        return self.sat((z * 2**8 - drift + spread + dither) >> 8, STATE_MAX, "state")

    def gradient(self, h: list[int], strengths: tuple[int, ...], kind: str) -> int:
        total = sum(s * force for s, force in zip(strengths, h, strict=True))
        return self.sat(round_shift(total, 16), FORCE_MAX, kind)

    def penalties(self, x: list[int]) -> tuple[list[int], int]:
        """The multipliers m_a, and E_4."""
        p, shifts, n = self.program, self.program.shifts, self.program.units
        multipliers, energy = [], 0
        for a, constraint in enumerate(p.conditions.constraints):
            product = sum(p.rows[a * n + j] * x[j] for j in range(n))
            r = round_shift(product, shifts.residual) - constraint.offset
            r = self.sat(r, RESIDUAL_MAX, "residual")
            rho = max(r, 0) if constraint.hinge else r
            m = round_shift(constraint.weight * rho, shifts.multiplier)
            multipliers.append(self.sat(m, OPERAND_MAX, "multiplier"))
            energy += round_shift(multipliers[-1] * rho, shifts.penalty)
        return multipliers, energy

    def forces(self, i: int, x: list[int], multipliers: list[int]) -> list[int]:
        p, shifts, n, m = self.program, self.program.shifts, self.program.units, len(multipliers)
        x2 = round_shift(x[i] * x[i], 14)
        x3 = round_shift(x2 * x[i], 14)
        coupled = sum(p.couplings[i * n + j] * x[j] for j in range(n)) if len(p.couplings) else 0
        pulled = sum(p.rows[a * n + i] * multipliers[a] for a in range(m))
        products = [
            (p.quadratic[i] * x[i], shifts.quadratic), (p.quartic[i] * x3, shifts.quartic),
            (p.conditions.biases[i] * 2**14, shifts.bias), (coupled, shifts.coupling),
            (pulled, shifts.constraint), (p.force[i] * 2**14, shifts.force),
        ]  # fmt: skip
        return [
            self.sat(round_shift(product, shift), FORCE_MAX, f"h{term}")
            for term, (product, shift) in enumerate(products)
        ]

    def entry(self, step: int) -> ScheduleEntry:
        for entry in self.request.schedule:
            step -= entry.repeat
            if step < 0:
                return entry
        return self.request.schedule[-1]

    def run(self) -> tuple[list[tuple[Any, ...]], tuple[list[int], int], int]:
        """Draws; sums of moments and their additions; saturations."""
        request, n = self.request, self.program.units
        number = (request.first_chain + self.chain) % 2**32
        self.streams = [Stream(request.seed, number, unit) for unit in range(n)]
        given = request.state or [0] * n
        z = [self.move(i, given[i], 0, request.start) for i in range(n)]
        first = 0 if request.trajectory else sum(entry.repeat for entry in request.schedule)
        last = first + (request.draws - 1) * request.thin
        work, heat = self.begin.work, self.begin.heat
        sums = [self.begin.moment] * len(request.pairs)
        measured, additions, draws = 0, 0, list[tuple[Any, ...]]()
        kept, before, best = [0] * n, [0] * n, (0, list[int]())
        for p in range(last + 1):
            old = self.entry(max(p - 1, 0))
            new = self.entry(p) if p < last else old
            x = [round_shift(state, 14) for state in z]
            multipliers, penalty = self.penalties(x)
            E, Q, after = [0, 0, 0, 0, penalty, 0], 0, list(z)
            for i in range(n):
                h = self.forces(i, x, multipliers)
                for term, shift in ((0, 15), (1, 16), (2, 14), (3, 15), (5, 14)):
                    E[term] += round_shift(h[term] * x[i], shift)
                g_b = self.gradient(h, old.strengths, "old gradient")
                g_a = self.gradient(h, new.strengths, "new gradient")
                if p > 0 and old.measure:
                    moved = round_shift(z[i] - before[i], 4)
                    Q -= round_shift(round_shift(kept[i] + g_b, 5) * moved, 12)
                kept[i], before[i] = g_a, z[i]
                if p < last:
                    drift = round_shift(new.rate[0] * g_a, new.rate[1])
                    after[i] = self.move(i, z[i], drift, new.noise)
            e = [self.sat(value, ENERGY_MAX, f"e{term}") for term, value in enumerate(E)]

            def weighted(strengths: tuple[int, ...], e: list[int] = e) -> int:
                return sum(s * value for s, value in zip(strengths, e, strict=True))

            end = round_shift(weighted(request.schedule[-1].strengths), 16)
            if p == 0 or end < best[0]:
                best = (end, list(z))
            if p > 0 and old.measure:
                heat = self.sat(heat + Q, ACCUMULATOR_MAX, "heat")
                measured += 1
                if measured % request.moment_every == 0 and request.pairs:
                    additions += 1
                    for k, (i, j) in enumerate(request.pairs):
                        product = x[i] * (2**14 if j is None else x[j])
                        sums[k] = self.sat(sums[k] + product, ACCUMULATOR_MAX, "moment")
            if p >= first and (p - first) % request.thin == 0:
                energy = round_shift(weighted(old.strengths), 16)
                draws.append((p, energy, work, heat, list(z), *best))
            if p < last and new.measure:
                gain = [b - a for a, b in zip(old.strengths, new.strengths, strict=True)]
                change = round_shift(weighted((*gain,)), 8)
                work = self.sat(work + change, ACCUMULATOR_MAX, "work")
            z = after
        return draws, (sums, additions), sum(self.kinds.values())


def brimful(begin: Start) -> type[LangevinEngine]:
    """The engine with accumulators that begin elsewhere than at 0."""

    class Brimful(LangevinEngine):
        def seed(self, request: LangevinRequest, chain_numbers: NDArray[np.uint64]) -> Walkers:
            walkers = super().seed(request, chain_numbers)
            walkers.work += begin.work
            walkers.heat += begin.heat
            walkers.moments += begin.moment
            return walkers

    return Brimful


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


# --- random programs ----------------------------------------------------------------------------

# shifts with which coefficients near 2^20 and weights near 2^11 make forces near 1
TAME = Shifts(
    quadratic=15, quartic=16, bias=14, coupling=5, constraint=5, force=15, residual=11,
    multiplier=20, penalty=9,
)  # fmt: skip


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


@given(st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs_give_the_bits_of_the_page(data: st.DataObject) -> None:
    program = data.draw(programs())
    assert_same(program, data.draw(requests(program.units)))


@pytest.mark.nightly
@given(st.data())
@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_many_random_programs_give_the_bits_of_the_page(data: st.DataObject) -> None:
    program = data.draw(programs())
    assert_same(program, data.draw(requests(program.units)))


# --- an ordinary program, and what must make a difference in it ---------------------------------

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


def test_an_ordinary_program_moves_and_does_not_saturate() -> None:
    program, request = ordinary()
    for trajectory in (False, True):
        assert not assert_same(program, replace(request, trajectory=trajectory)).total()
    draws, (moments, additions), _ = golden(program, request)[0]
    assert [draw[0] for draw in draws] == [14, 17, 20, 23]
    assert additions == 22 // 2
    assert all(moments)
    assert all(draw[2] and draw[3] for draw in draws)  # work and heat
    assert len({draw[4][0] for draw in draws}) == 4
    assert all(draw[4][2] == 150_000_000 for draw in draws)


def test_a_chain_is_the_same_alone_and_beside_others() -> None:
    program, request = ordinary()
    beside = golden(program, request)
    for chain in range(request.chains):
        first = (request.first_chain + chain) % 2**32
        assert golden(program, replace(request, first_chain=first, chains=1)) == [beside[chain]]


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    program, request = ordinary()
    beside = golden(program, request)
    monkeypatch.setattr(golden_langevin, "MOST_CHAINS", 1)
    assert golden(program, request) == beside


def test_a_clamp_says_where_its_unit_starts() -> None:
    program, request = ordinary()
    draw = golden(program, replace(request, trajectory=True, draws=1))[0][0][0]
    assert draw[0] == 0
    assert draw[4][2] == 150_000_000


def test_a_draw_at_step_0_of_no_steps() -> None:
    program, request = ordinary()
    still = replace(request, trajectory=True, draws=1, start=(0, 0))
    draws, (moments, additions), _ = golden(program, still)[0]
    assert draws[0][0] == draws[0][2] == draws[0][3] == additions == 0
    assert moments == [0, 0, 0]
    assert draws[0][4] == [1 << 28, 0, 150_000_000, -9]
    assert_same(program, still)


# --- every kind of saturation -------------------------------------------------------------------

FREE = ScheduleEntry(2, (0, 0), (0, 0), (ONE, ONE, ONE, ONE, ONE, ONE))
TOP = COEFFICIENT_MAX
WIDE = Shifts(47, 47, 47, 47, 47, 47, 0, 0, 0)


def lone(n: int, sign: int = 1, **fields: Any) -> tuple[LangevinProgram, LangevinRequest]:
    """n units at an end of the range, whose program has nothing but the given fields."""
    zeros = array("i", [0] * n)
    conditions = LangevinConditions(
        fields.pop("biases", zeros), fields.pop("constraints", []), fields.pop("clamps", {})
    )
    given = {"quadratic": zeros, "quartic": zeros, "force": zeros, "couplings": array("i")}
    given |= {"rows": array("i", [0] * (n * len(conditions.constraints)))}
    schedule = fields.pop("schedule", [FREE])
    state = array("i", [sign * STATE_MAX] * n)
    request = LangevinRequest(schedule, draws=2, state=state, pairs=fields.pop("pairs", []))
    values: dict[str, Any] = {**given, "shifts": Shifts(), **fields}
    return LangevinProgram(conditions=conditions, **values), request


def full(n: int, value: int) -> "array[int]":
    return array("i", [value] * n)


def coupled(n: int, value: int) -> "array[int]":
    return array("i", [value * (i != j) for i in range(n) for j in range(n)])


def pulled(weight: int, offset: int, hinge: bool = False) -> dict[str, Any]:
    return {"constraints": [Constraint(hinge, weight, offset)], "rows": full(1, 1)}


SATURATED: dict[str, tuple[int, dict[str, Any]]] = {
    "residual": (1, pulled(0, RESIDUAL_MAX) | {"rows": full(1, -WEIGHT_MAX)}),
    "multiplier": (1, pulled(TOP, 0) | {"shifts": WIDE}),
    "h0": (1, {"quadratic": full(1, TOP)}),
    "h1": (1, {"quartic": full(1, TOP)}),
    "h2": (1, {"biases": full(1, TOP)}),
    "h3": (12, {"couplings": coupled(12, WEIGHT_MAX)}),
    "h4": (1, {
        "constraints": [Constraint(False, TOP, 0)] * 9, "rows": full(9, WEIGHT_MAX)
    }),
    "h5": (1, {"force": full(1, -TOP)}),
    "old gradient": (1, {"force": full(1, TOP), "biases": full(1, TOP)}),
    "e0": (20, {"quadratic": full(20, TOP)}),
    "e1": (40, {"quartic": full(40, TOP)}),
    "e2": (12, {"biases": full(12, -TOP)}),
    "e3": (24, {"couplings": coupled(24, WEIGHT_MAX)}),
    "e4": (1, pulled(TOP, -RESIDUAL_MAX) | {"shifts": WIDE}),
    "e5": (12, {"force": full(12, TOP)}),
    "state": (1, {"schedule": [replace(FREE, noise=(MANTISSA_MAX, 0))]}),
}  # fmt: skip


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", SATURATED)
def test_every_value_that_can_saturate_is_counted(kind: str, sign: int) -> None:
    n, fields = SATURATED[kind]
    program, request = lone(n, sign, **fields)
    assert assert_same(program, request)[kind] > 0


def test_gradients_count_under_both_strengths() -> None:
    # each h fits; their sum is clipped under the new strengths alone, then under both
    fields = {"force": full(1, 1 << 20), "biases": full(1, 1 << 20)}
    schedule = [replace(FREE, repeat=1, strengths=(0,) * 6), replace(FREE, repeat=1)]
    program, request = lone(1, schedule=schedule, **fields)
    kinds = assert_same(program, request)
    assert (kinds["old gradient"], kinds["new gradient"]) == (2, 3)
    # in the last pass the strengths of the last step stand for the next one's, even where the
    # schedule would change them
    kinds = assert_same(program, replace(request, trajectory=True))
    assert (kinds["old gradient"], kinds["new gradient"]) == (0, 0)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("kind", ["work", "heat", "moment"])
def test_accumulators_saturate_at_both_ends(kind: str, sign: int) -> None:
    # A linear V that is taken away does work against its sign; noise that carries units from the
    # top of it gives heat, from its bottom takes some; the moments are those of the states.
    noise = (MANTISSA_MAX, 0) if kind == "heat" else (0, 0)
    ramp = [replace(FREE, repeat=2, noise=noise), replace(FREE, strengths=(0, 0, 0, 0, 0, 0))]
    pairs = [(0, None), (0, 1)]
    side = -sign if kind == "work" else sign
    program, request = lone(4, side, biases=full(4, 1 << 18), schedule=ramp, pairs=pairs)
    begin = Start(**{kind: sign * (ACCUMULATOR_MAX - 1)})
    assert assert_same(program, request, brimful(begin), begin)[kind] > 0


def test_more_than_any_term_energy_is_known_beforehand() -> None:
    # Energies are left out of a pass that needs none, unless one could saturate: that bound holds
    # for the largest states of programs near the limit, where all of a unit's terms add up.
    for exponent, shift in product(range(15, 24, 2), (0, 3, 17)):
        for n in (1, 7, 48):
            for name in ("quadratic", "quartic", "biases", "force", "couplings", "constraints"):
                fields: dict[str, Any] = {name: full(n, (1 << exponent) - 1)}
                if name == "couplings":
                    fields = {"couplings": coupled(n, (1 << exponent - 8) - 1)}
                if name == "constraints":
                    row = full(n, (1 << exponent - 8) - 1)
                    fields = {"constraints": [Constraint(False, 99, -77)], "rows": row}
                program, request = lone(n, **fields, shifts=Shifts(*[shift] * 9))
                field_ = Field(Weights.of(program))
                field_.condition(program.conditions)
                scalar = Scalar(program, request, 0)
                x = [OPERAND_MAX] * n
                multipliers, penalty = scalar.penalties(x)
                forces = [scalar.forces(i, x, multipliers) for i in range(n)]
                sums = [
                    sum(round_shift(h[term] * OPERAND_MAX, shift) for h in forces)
                    for term, shift in ((0, 15), (1, 16), (2, 14), (3, 15), (5, 14))
                ]
                assert field_._energy_bound() >= max(map(abs, [*sums, penalty]))


# --- the hash, and faults that must show --------------------------------------------------------


def test_this_file_s_hash_gives_a_published_value() -> None:
    key = (0xA4093822299F31D0, 0x082EFA98EC4E6C89)
    counter = (0x243F6A8885A308D3, 0x13198A2E03707344)
    assert threefry(key, counter) == (0x263C7D30BB0F0AF1, 0x56BE8361D3311526)


class Truncating(LangevinEngine):
    """The planted fault: no dither, so that states are rounded down."""

    def draw(self, streams: Any) -> Any:
        xi, dither = super().draw(streams)
        return xi, dither * 0


class LeftPoint(LangevinEngine):
    """The planted fault: heat by the left-point sum."""

    def heat(self, walkers: Walkers, gradient: Any) -> Any:
        return super().heat(walkers, walkers.kept)


@pytest.mark.parametrize("fault", [Truncating, LeftPoint])
def test_a_broken_engine_differs(fault: type[LangevinEngine]) -> None:
    program, request = ordinary()
    with pytest.raises(AssertionError):
        assert_same(program, request, fault)

"""Potentials as Langevin programs: scales, what codes stand for, and what is refused."""

from array import array
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gibbsite
from gibbsite.langevin_check import check_program, check_request
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite.langevin_scales import choose_scales
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import SHIFT_MAX, STATE_FRAC, STATE_MAX
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment

P = LangevinParameters()
SMALL = LangevinParameters(units=8, constraints=4, multipliers=4, pairs=16, schedule_entries=64)


def potential(size: float = 1.0, seed: int = 0, n: int = 5, m: int = 3) -> Potential:
    """Every kind of term, of both signs where both may be; ``size`` scales all of V."""
    random = np.random.default_rng(seed)
    J = random.uniform(-0.4, 0.4, (n, n))
    return Potential.build(
        n,
        J2=size * random.uniform(1.5, 2.5, n),
        J4=size * random.uniform(0, 0.5, n),
        b=size * random.uniform(-1, 1, n),
        J=size * (J + J.T - np.diag(2 * np.diag(J))),
        K=random.uniform(-1, 1, (m, n)),
        d=random.uniform(-1, 1, m),
        lam=size * random.uniform(0.1, 2, m),
        hinge=np.arange(m) % 2 == 0,
        force=size * random.uniform(-1, 1, n),
    )


def protocol(**fields: float) -> Protocol:
    return Protocol(1.3, [Segment(4, **{"kT": 0.5, "dt": 0.01, **fields})])


def meaning(compiled: CompiledPotential) -> Potential:
    """What the program's codes say, from the shifts and the equations of `langevin_program`."""
    program, shifts, scales = compiled.program, compiled.program.shifts, compiled.scales
    n, m, s, c = program.units, program.constraints, scales.length, scales.energy
    codes = {name: np.array(getattr(program, name), float) for name in ("quadratic", "quartic")}
    force = np.array(program.force, float)
    biases = np.array(program.conditions.biases, float)
    J = np.array(program.couplings or array("i", bytes(4 * n * n)), float).reshape(n, n)
    K = np.array(program.rows, float).reshape(m, n)
    rows = program.conditions.constraints
    # h has 20 fraction bits and y 14: coefficients of y, y^3, 1 and sum y in device units
    h0 = codes["quadratic"] * 2.0 ** (14 - shifts.quadratic - 20)
    h1 = codes["quartic"] * 2.0 ** (14 - shifts.quartic - 20)
    h2 = biases * 2.0 ** (14 - shifts.bias - 20)
    h3 = J * 2.0 ** (14 - shifts.coupling - 20)
    h5 = force * 2.0 ** (14 - shifts.force - 20)
    k = K * 2.0**-shifts.residual  # r has 14 fraction bits, as y has
    # m = lambda r 2^-multiplier and h_4 = k m 2^-constraint: 2 lambda r k
    lam2 = np.array([row.weight for row in rows]) * 2.0 ** (14 - shifts.multiplier)
    pull = (lam2[:, None] * K) * 2.0 ** -(shifts.constraint + 20)
    lam = np.divide(pull, 2 * k, out=np.zeros_like(k), where=k != 0).max(axis=1, initial=0.0)
    return replace(
        compiled.potential,
        J2=h0 / 2 / (c * s * s),
        J4=h1 / 4 / (c * s**4),
        b=h2 / (c * s),
        J=h3 / (c * s * s),
        force=-h5 / (c * s),
        K=k / (s * scales.row[:, None]),
        d=np.array([row.offset for row in rows]) * 2.0**-14 / scales.row,
        lam=lam * scales.row**2 / c,
    )


def is_power_of_two(value: float) -> bool:
    return np.frexp(value)[0] == 0.5


@given(
    size=st.floats(1e-4, 1e4),
    reach=st.floats(0.05, 200),
    seed=st.integers(0, 99),
    m=st.integers(0, 6),
)
@settings(max_examples=60, deadline=None)
def test_codes_fit_and_stand_for_what_is_held(size: float, reach: float, seed: int, m: int) -> None:
    wanted = potential(size, seed, m=m)
    # a unit of length as large as the reach makes quartic and quadratic alike, so that both fit
    wanted = replace(wanted, J2=wanted.J2, J4=wanted.J4 / reach**2, d=wanted.d * reach)
    compiled = compile_potential(wanted, P, reach=reach)
    check_program(compiled.program, P)
    scales, shifts = compiled.scales, compiled.program.shifts
    assert all(0 <= getattr(shifts, name) <= SHIFT_MAX for name in shifts.__slots__)
    assert all(map(is_power_of_two, [scales.length, scales.energy, *scales.row]))
    assert reach <= STATE_MAX / 2**STATE_FRAC * scales.length <= 2.001 * reach
    said = meaning(compiled)
    for name in ("J2", "J4", "b", "J", "K", "d", "lam", "force"):
        np.testing.assert_allclose(
            getattr(compiled.held, name), getattr(said, name), rtol=1e-12, atol=0, err_msg=name
        )
    # couplings and rows have 12 bits, half of whose last is 2^-12 of the largest at worst
    assert max(compiled.error[name] for name in ("J", "K")) <= 2.0**-11
    assert max(compiled.error[name] for name in ("J2", "b", "force")) < 1e-4


@pytest.mark.parametrize("reach", [1.0, 7.5, 60.0])
def test_the_device_s_energy_is_that_of_what_is_held(reach: float) -> None:
    with gibbsite.open("golden:?engines=langevin") as device:
        compiled = compile_potential(potential(), device.info.langevin, reach=reach)
        device.load(compiled.program)
        request = compiled.request(
            protocol(), start=0.1, spread=reach / 10, chains=50, trajectory=True, seed=2
        )
        samples = compiled.decode(device.run(request), request)
    assert samples.saturations == 0
    z, unit = samples.states[:, 0], compiled.scales.length * 2.0**-15
    exact = compiled.held.energy(z)
    # an operand is off by 2^-15 of the unit of length, and so are residuals and powers
    bound = 3 * unit * (np.abs(compiled.held.forces(z)).sum(axis=(1, 2)) + 20 * unit)
    assert (np.abs(samples.energies[:, 0] - exact) < bound).all()
    assert np.abs(exact).max() > 20 * bound.max()


def test_without_couplings_none_are_loaded() -> None:
    compiled = compile_potential(Potential.build(3, J2=1.0), P)
    assert len(compiled.program.couplings) == 0
    assert compiled.program.constraints == 0
    assert compiled.error == dict.fromkeys(("J2", "J4", "b", "J", "K", "d", "lam", "force"), 0.0)


def test_scales_do_not_depend_on_the_unit_of_energy() -> None:
    one, two = (compile_potential(potential(size), P) for size in (1.0, 64.0))
    assert two.program == one.program
    assert one.scales.energy == 64 * two.scales.energy


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 9}, "9 units and the device holds 8: use fewer or a larger build"),
        ({"n": 3, "K": np.eye(3)[[0, 1, 2, 0, 1]]}, "5 constraints and the device holds 4"),
        ({"n": 2, "J2": [1, -1]}, "bounded below and normalizable and is not: .* unit 1"),
        ({"n": 2, "J2": [1, 0]}, "bounded below and normalizable"),
        ({"n": 2, "J": {(0, 1): 3.0}}, "bounded below and normalizable"),
        ({"n": 2, "J4": [0.1, -0.1]}, "J4 must be at least 0"),
        ({"n": 1, "K": [[1]], "lam": -1}, "lambda must be at least 0"),
    ],
)
def test_potentials_that_no_program_holds_are_refused(arguments: dict, words: str) -> None:
    wanted = Potential.build(**{"J2": 1.0, **arguments})
    with pytest.raises(ProgramError, match=words):
        compile_potential(wanted, SMALL)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["J2", "J4", "b", "d", "lam", "force"])
def test_numbers_that_are_not_finite_are_refused(name: str, value: float) -> None:
    with pytest.raises(ProgramError, match=rf"{name}\[0\] is {value}; all numbers must be finite"):
        Potential.build(2, **{"J2": 1.0, "K": [[1, 1]], name: [value] if name in "dlam" else value})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reach": 0.0}, r"reach must lie in 8e-31 to 1e\+30, not 0.0"),
        ({"reach": -1.0}, "reach must lie in .*, not -1.0"),
        ({"reach": np.nan}, "reach must lie in .*, not nan"),
        ({"reach": np.inf}, "reach must lie in .*, not inf"),
        ({"reach": 1e40}, "reach must lie in .*, not 1e"),
        ({"headroom": 0.5}, "headroom must be finite and at least 1, not 0.5"),
        ({"headroom": np.nan}, "headroom must be finite and at least 1"),
        ({"clamps": {5: 0.0}}, "a clamp names unit 5; units are 0 to 4"),
        ({"clamps": {-1: 0.0}}, "a clamp names unit -1"),
        ({"clamps": {0: np.nan}}, "unit 0 is clamped at nan; give a finite value"),
        ({"clamps": {0: 9.0}}, r"a state is 9 and the compiled program holds \+-7.99994"),
        ({"headroom": 1e9}, r"not bounded: .* unit 0 \(z0\)"),
    ],
)
def test_options_that_make_no_program_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_potential(potential(), P, **options)


def test_numbers_too_far_apart_are_refused() -> None:
    # a row of zeros may have any lambda, and scales follow the rest
    far = Potential.build(1, J2=1e-9, K=[[0.0]], lam=1.0)
    with pytest.raises(ProgramError, match=r"too far apart for one program .*penalty"):
        compile_potential(far, P)
    # small and large curvatures: what rounds to 0 would no longer hold unit 1
    flat = Potential.build(2, J2=[1.0, 1e-9])
    with pytest.raises(ProgramError, match=r"12-bit couplings .* is not bounded: .* unit 1 \(z1\)"):
        compile_potential(flat, P)
    assert compile_potential(flat, P, clamps={1: 0.5}).error["J2"] == 1e-9
    weak = compile_potential(Potential.build(2, J2=1.0, b=[1e-9, 1.0]), P)
    assert (weak.held.b[0], weak.error["b"]) == (0, 1e-9)


@pytest.mark.parametrize("k", [1.0, 3.0, 10.0, 100.0])
@pytest.mark.parametrize("reach", [0.5, 7.5, 8.0, 1e4])
def test_round_numbers_on_the_edge_of_a_power_of_two_fit(k: float, reach: float) -> None:
    for weight in (0.01, 0.125, 1.0, 50.0):
        row = Potential.build(2, J2=0.5 * weight, K=[[0, k]], lam=weight)
        compiled = compile_potential(row, P, reach=reach)
        check_program(compiled.program, P)
        assert compiled.held.lam[0] == pytest.approx(weight, rel=1e-4)


def test_conditions_follow_the_scales_of_the_program() -> None:
    compiled = compile_potential(potential(), P, headroom=4.0, clamps={2: 1.5})
    old = compiled.potential
    free = compiled.conditions(Condition())
    assert free.clamps == {}
    assert free.biases == compiled.program.conditions.biases
    assert compiled.program.conditions.clamps == {2: round(1.5 / compiled.scales.length * 2**28)}
    grown = compiled.conditions(
        Condition(bias=4 * old.b, d=4 * old.d, lam=4 * old.lam, clamps={0: -2.0})
    )
    assert grown.clamps == {0: round(-2.0 / compiled.scales.length * 2**28)}
    check_program(replace(compiled.program, conditions=grown), P)
    again = compile_potential(replace(old, b=4 * old.b, d=4 * old.d, lam=4 * old.lam), P)
    ratio = np.array(grown.biases) / np.array(again.program.conditions.biases)
    assert ratio == pytest.approx(ratio[0], rel=1e-4)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            {"bias": np.full(5, 1e3)},
            r"b is 1000 at 0 and the compiled program holds .*: comp",
        ),
        ({"lam": np.full(3, 1e15)}, r"lambda is 1e\+15 at \d .* compile with more headroom"),
        ({"d": np.full(3, -1e30)}, r"d is -1e\+30 at \d and the compiled program holds"),
        ({"bias": np.full(5, np.nan)}, r"b\[0\] is nan"),
        ({"bias": np.zeros(4)}, r"b must have shape \(5,\)"),
        ({"clamps": {7: 0.0}}, "a clamp names unit 7; units are 0 to 4"),
        ({"clamps": {1: np.inf}}, "unit 1 is clamped at inf"),
        ({"clamps": {1: -8.5}}, "a state is -8.5 .* compile with a larger reach"),
    ],
)
def test_conditions_beyond_the_scales_are_refused(condition: dict, words: str) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_potential(potential(), P).conditions(Condition(**condition))


@pytest.mark.parametrize(
    ("changed", "fields", "words"),
    [
        ({}, {"start": 9.0}, "a state is 9 and the compiled program holds"),
        ({}, {"start": np.nan}, "states must be finite"),
        ({}, {"start": [1.0, 2.0]}, r"start has shape \(2,\) and the program 5 units"),
        ({}, {"spread": -0.1}, "spread of the start is -0.1"),
        ({}, {"spread": np.nan}, "spread of the start is nan"),
        ({"strengths": (2.5, 1, 1, 1, 1, 1)}, {}, r"strengths lie within \+-2 on the device"),
        ({"strengths": (1, 1, 1, 1, 1, -2.0)}, {}, r"strengths lie within \+-2"),
        ({"dt": 1e7}, {}, "mu dt is .* and this program holds .* choose another dt"),
        ({"dt": 1e-30}, {}, "mu kT dt is .* would add more than 0.001 of kT"),
        ({"kT": 1e20}, {}, r"sqrt\(2 mu kT dt\) is .* and this program holds"),
    ],
)
def test_runs_that_the_program_cannot_hold_are_refused(
    changed: dict, fields: dict, words: str
) -> None:
    with pytest.raises(ProgramError, match=words):
        compile_potential(potential(), P).request(protocol(**changed), **fields)


def test_a_schedule_is_the_protocol_in_device_units() -> None:
    compiled = compile_potential(potential(), P, reach=20)
    strengths = (1.0, 0.5, -1.25, 0.0, 1.5, 1 / 3)
    segments = [Segment(7, 0.5, 0.01, strengths), Segment((1 << 24) + 5, 0.0, 0.02, measure=False)]
    one, *long = compiled.schedule(Protocol(1.3, segments))
    s, c = compiled.scales.length, compiled.scales.energy
    assert (one.repeat, one.measure) == (7, True)
    assert [code / 2**16 for code in one.strengths] == pytest.approx(strengths, abs=2.0**-17)
    rate, noise = one.rate, one.noise
    assert rate[0] / 2.0 ** (rate[1] + 16) == pytest.approx(1.3 * 0.01 / (c * s * s), rel=2.0**-18)
    assert noise[0] / 2.0 ** noise[1] == pytest.approx(
        (2 * 1.3 * 0.5 * 0.01) ** 0.5 / s, rel=2.0**-18
    )
    assert [entry.repeat for entry in long] == [(1 << 24) - 1, 6]
    assert all(entry.noise == (0, 0) and not entry.measure for entry in long)
    check_request(compiled.request(Protocol(1.3, segments)), 5, P)
    with pytest.raises(ProgramError, match="begin with a segment of one step"):
        compiled.schedule(Protocol(1.0, segments, initial=(1.0,) * 6))


def test_scales_name_the_limit_of_a_row() -> None:
    wide = Potential.build(200, J2=1.0, K=np.ones((1, 200)))
    assert choose_scales(wide, P, 7.5, 1.0).shifts().residual >= 0
    many = LangevinParameters(units=1024, constraints=1)
    widest = Potential.build(1024, J2=1.0, K=np.ones((1, 1024)), d=100.0)
    compiled = compile_potential(widest, many)
    assert compiled.held.K[0] == pytest.approx(1.0, rel=2.0**-11)


def test_under_other_conditions_the_weights_stay_and_held_follows() -> None:
    compiled = compile_potential(potential(), P, headroom=4.0)
    old = compiled.potential
    other = compiled.under(
        Condition(bias=-2 * old.b, d=0.5 * old.d, lam=3 * old.lam, clamps={1: 0.5})
    )
    assert other.shares_weights(compiled)
    assert not compile_potential(potential(seed=1), P).shares_weights(compiled)
    assert other.clamps == {1: 0.5}
    assert other.held.lam == pytest.approx(3 * old.lam, rel=1e-4)
    said = meaning(other)
    for name in ("b", "d", "lam", "J"):
        np.testing.assert_allclose(getattr(other.held, name), getattr(said, name), rtol=1e-12)


def test_a_bath_too_cold_for_the_reach_is_refused() -> None:
    wide = compile_potential(Potential.build(2, J2=[1.0, 50.0], names=["a", "b"]), P, reach=500)
    with pytest.raises(ProgramError, match=r"sees states in steps of .* choose a reach below"):
        wide.request(protocol(kT=1e-3))
    wide.request(protocol(kT=0.0))
    wide.request(protocol(kT=5.0))

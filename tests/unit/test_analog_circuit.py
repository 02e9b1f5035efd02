"""The circuit: its exact step and its substeps against closed forms and each other."""

from array import array

import numpy as np
import pytest
from scipy.linalg import expm, solve_discrete_lyapunov

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    Constraint,
    LangevinConditions,
    LangevinProgram,
    Shifts,
)
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.circuit import RESOLUTION, Circuit, Drive
from gibbsite_sim.analog.law import stationary
from gibbsite_sim.analog.parameters import DEFAULT_SET, named_set
from gibbsite_sim.analog.propagator import Propagator

BUILD = DeviceParameters(None, LangevinParameters(units=8, constraints=4, multipliers=4))
ONE = (1.0,) * 6
UNIT = 2**20
"""The code of 1 at shift 14."""


def program(
    quartic: float = 0.0,
    hinge: bool | None = None,
    clamps: dict[int, int] | None = None,
    coupled: bool = True,
) -> LangevinProgram:
    """Three wells of curvature 2, 3 and 4, biased and coupled; perhaps with more."""
    rows = [] if hinge is None else [Constraint(hinge, round(0.8 * 2**14), round(0.5 * 2**14))]
    couplings = [0, 60, -40, 60, 0, 50, -40, 50, 0]  # over 2^6: 0.94, -0.62, 0.78
    return LangevinProgram(
        quadratic=array("i", [2 * UNIT, 3 * UNIT, 4 * UNIT]),
        quartic=array("i", [round(quartic * UNIT)] * 3),
        force=array("i", [0, 0, 0]),
        couplings=array("i", couplings if coupled else []),
        rows=array("i", [1, -1, 1] if rows else []),
        shifts=Shifts(quadratic=14, quartic=14, bias=14, multiplier=14),
        conditions=LangevinConditions(
            array("i", [UNIT, -UNIT // 2, UNIT // 4]), rows, clamps or {}
        ),
    )


def circuit(
    program: LangevinProgram,
    name: str = DEFAULT_SET,
    mismatch: int = 1,
    resolution: int = RESOLUTION,
    exact: bool = True,
) -> Circuit:
    chip = Chip(named_set(name), BUILD, mismatch)
    return Circuit(chip, Weights.of(program), program.conditions, resolution, exact)


def walk(built: Circuit, drive: Drive, steps: int, chains: int = 1, seed: int = 0) -> np.ndarray:
    """States ``[n, chains]`` after some steps from (1, -1, 2), without drift."""
    rng = np.random.default_rng(seed)
    start = np.repeat(np.array([[1.0], [-1.0], [2.0]]), chains, axis=1)
    motion = built.rest(start, np.zeros((3, chains)))
    for _ in range(steps):
        shape = (built.rows(drive), 3, chains)
        noise = rng.standard_normal(shape, dtype=np.float32)
        noise[-1] = 0
        built.step(motion, drive, noise)
    return motion.z.astype(np.float64)


def test_coefficients_are_those_of_the_program() -> None:
    built = circuit(program(hinge=False), "matched-2026.1")
    assert built.quadratic == pytest.approx([2, 3, 4], rel=1e-4)
    assert built.bias == pytest.approx([1, -0.5, 0.25], rel=1e-4)
    assert built.coupling[0] == pytest.approx([0, 60 / 64, -40 / 64], abs=1e-4)
    # 2 lambda rho k: lambda's code over 2^14, k = 1, so the gradient is 0.8 (k z - d) k / 2^6
    assert built.penalty[0] * built.back == pytest.approx(0.8 / 64, rel=1e-3)
    assert built.target[0] == pytest.approx(0.5, rel=1e-3)
    assert built.full_scale == pytest.approx(32, rel=1e-4)


@pytest.mark.parametrize("decay", [0.01, 1.0, 30.0, -0.5, 0.0])
def test_the_exact_step_is_the_ornstein_uhlenbeck_process(decay: float) -> None:
    step = Propagator(np.array([[decay]]), np.array([0.7]))._matrix[0]
    A = np.exp(-decay)
    P = (1 - A) / decay if decay else 1.0
    spread = np.sqrt((1 - A**2) / (2 * decay)) if decay else 1.0
    assert step[:2] == pytest.approx([A, P], rel=1e-5, abs=1e-7)
    assert abs(step[2]) == pytest.approx(0.7 * spread, rel=1e-5)


def test_the_exact_step_of_a_network_is_the_matrix_exponential() -> None:
    built = circuit(program(hinge=False))
    drive = Drive(0.1, 0.3, ONE)
    B, force, noise = built.network(drive)
    step = Propagator(B, noise)
    x = np.array([1.0, -1.0, 2.0, 1.0, -1.0, 2.0])
    rest = np.linalg.solve(B, np.concatenate([force, np.zeros(3)]))
    wanted = rest + expm(-B) @ (x - rest)
    nothing = np.zeros((6, 1), dtype=np.float32)
    found = step.step(x.astype(np.float32)[:, None], force.astype(np.float32)[:, None], nothing)
    assert found[:, 0] == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("hinge", [None, False])
def test_substeps_and_exact_steps_agree_without_noise(hinge: bool | None) -> None:
    drive = Drive(0.1, 0.0, ONE)
    built = program(hinge=hinge)
    exact = walk(circuit(built), drive, 7)
    for resolution in (4, 32):
        # Euler's drift errs by h (rate k)^2/2 |z - rest| a step: 7 h 0.16/2 2.5 at h = 1/40, 1/320
        substeps = walk(circuit(built, resolution=resolution, exact=False), drive, 7)
        bound = 7 / (10 * resolution) * (0.1 * 5) ** 2 / 2 * 2.5
        assert np.abs(substeps - exact).max() < bound
        assert substeps != pytest.approx(exact, abs=1e-7)


def test_a_deterministic_quartic_well_ends_in_its_minimum() -> None:
    built = circuit(program(quartic=1.5, coupled=False), "matched-2026.1")
    drive = Drive(0.05, 0.0, ONE)
    assert not built.whole(drive)
    z = walk(built, drive, 400)[:, 0]
    force = np.array([2, 3, 4]) * z + 1.5 * z**3 + np.array([1, -0.5, 0.25])
    assert np.abs(force).max() < 1e-3


def test_a_hinge_acts_on_one_side_only() -> None:
    built = circuit(program(hinge=True, coupled=False), "matched-2026.1")
    strong = Drive(0.05, 0.0, (1.0, 1.0, 1.0, 1.0, 2.0, 1.0))
    assert not built.whole(strong)
    z = walk(built, strong, 300)[:, 0]
    # its rest, (-1/2, 1/6, -1/16), has k z - d < 0, so the hinge is slack there
    assert z == pytest.approx([-0.5, 1 / 6, -1 / 16], abs=2e-3)


def test_held_units_stay_and_act_on_the_others() -> None:
    built = circuit(program(clamps={1: 3 << 28}), "matched-2026.1")
    drive = Drive(0.1, 0.4, ONE)
    assert walk(built, drive, 5)[1] == pytest.approx(3.0, abs=1e-3)
    mean, covariance = stationary(built, drive)
    A = np.array([[2, -40 / 64], [-40 / 64, 4]])
    push = np.array([1 + 3 * 60 / 64, 0.25 + 3 * 50 / 64])
    assert mean[[0, 2]] == pytest.approx(-np.linalg.solve(A, push), rel=1e-3)
    assert covariance[1].tolist() == [0, 0, 0]


def test_states_are_cut_at_the_rails() -> None:
    runaway = Drive(0.1, 0.0, (-1.0, 1.0, 1.0, 1.0, 1.0, 1.0))
    for exact in (True, False):
        z = walk(circuit(program(), exact=exact), runaway, 40)
        assert np.abs(z).max() == 8


def test_the_law_of_matched_parts_is_boltzmann_s_but_for_the_buffers() -> None:
    drive = Drive(0.02, np.sqrt(2 * 0.6 * 0.02), ONE)
    mean, covariance = stationary(circuit(program(), "matched-2026.1"), drive)
    A = np.array([[2, 60, -40], [60, 3 * 64, 50], [-40, 50, 4 * 64]]) / 64
    A[0, 0] = 2
    assert mean == pytest.approx(-np.linalg.solve(A, [1, -0.5, 0.25]), rel=1e-3)
    # buffers change it by rate J lag = 0.002 of itself, to first order
    assert covariance == pytest.approx(0.6 * np.linalg.inv(A), rel=5e-3, abs=1e-3)


def test_what_has_no_gaussian_law_is_refused() -> None:
    with pytest.raises(ProgramError, match="neither quartic terms nor hinges"):
        stationary(circuit(program(quartic=1.0)), Drive(0.1, 0.1, ONE))
    with pytest.raises(ProgramError, match="slowest mode grows"):
        stationary(circuit(program()), Drive(0.1, 0.1, (-1.0, 1.0, 1.0, 1.0, 1.0, 1.0)))


def test_a_ramp_of_many_settings_keeps_no_more_exact_steps_than_it_may() -> None:
    built = circuit(program())
    motion = built.rest(np.ones((3, 1)), np.zeros((3, 1)))
    for k in range(200):
        built.step(motion, Drive(0.1, 0.001 * k, ONE), np.zeros((3, 3, 1), dtype=np.float32))
    assert len(built._propagators) <= 64


def test_large_networks_take_substeps() -> None:
    build = DeviceParameters(None, LangevinParameters(units=40, constraints=0, multipliers=4))
    n = 40
    codes = array("i", [0] * n)
    couplings = np.zeros((n, n), dtype=np.int64)
    couplings[0, 1] = couplings[1, 0] = 40
    wide = LangevinProgram(
        quadratic=array("i", [2 * UNIT] * n),
        quartic=codes,
        force=codes,
        couplings=array("i", couplings.ravel().tolist()),
        rows=array("i"),
        shifts=Shifts(quadratic=14, bias=14),
        conditions=LangevinConditions(codes),
    )
    built = Circuit(Chip(named_set(DEFAULT_SET), build), Weights.of(wide), wide.conditions)
    drive = Drive(0.1, 0.2, ONE)
    assert built.linear(drive)
    assert not built.whole(drive)
    assert built.rows(drive) == built.substeps + 1


def covariance_of_substeps(built: Circuit, drive: Drive) -> np.ndarray:
    """The exact stationary covariance of the integrator itself, from what one step does.

    A step is linear in (z, y, kicks) and the noise, so unit vectors as chains show its matrices.
    """
    state, fresh = 9, 3 * built.substeps
    chains = 1 + state + fresh
    motion = built.rest(np.zeros((3, chains)), np.zeros((3, chains)))
    noise = np.zeros((built.rows(drive), 3, chains), dtype=np.float32)
    for k in range(3):
        motion.z[k, 1 + k] = motion.y[k, 4 + k] = motion.kicks[k, 7 + k] = 1
    for k in range(fresh):
        noise[k // 3, k % 3, 1 + state + k] = 1
    built.step(motion, drive, noise)
    after = np.concatenate([motion.z, motion.y, motion.kicks]).astype(np.float64)
    after -= after[:, :1]
    A, N = after[:, 1 : 1 + state], after[:, 1 + state :]
    return np.asarray(solve_discrete_lyapunov(A, N @ N.T)[:3, :3])


def test_substeps_converge_to_the_law_of_the_circuit() -> None:
    drive = Drive(0.05, np.sqrt(2 * 0.6 * 0.05), ONE)
    _, exact = stationary(circuit(program(hinge=False)), drive)
    errors = [
        np.abs(
            covariance_of_substeps(
                circuit(program(hinge=False), resolution=resolution, exact=False), drive
            )
            - exact
        ).max()
        / exact.max()
        for resolution in (1, 2, RESOLUTION)
    ]
    # second order in the well, first (and small) in what the buffers see of the noise
    assert errors[1] < errors[0] / 2
    assert errors[2] < errors[1] / 2
    assert errors[2] < 1e-4

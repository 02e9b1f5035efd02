r"""The first law on every trajectory in fixed point: ``dV = W - Q`` up to trapezoid and rounding.

All states of a trajectory are read out, so work, heat and the trapezoid's error are known in float:

    W = sum V(z_k; s_k) - V(z_k; s_(k-1)),      Q = -sum 1/2 (g_k + g_(k+1)).(z_(k+1) - z_k),
    dV - (W - Q) = -sum dz^3 V'''/12            (0 where V is quadratic)

The device may differ from these by the rounding that docs/langevin-engine.md adds up, which
`Rounding` bounds, step by step, in the device's units. No bound here is statistical.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from gibbsite.langevin_compiler import CompiledPotential
from gibbsite_models.energies.potential import Potential
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_models.golden.langevin_arithmetic import round_shift
from gibbsite_models.langevin_float import Protocol, Segment, ramp

MU, KT, DT = 1.3, 0.6, 0.01
ONES = (1.0,) * 6
OPERAND = 2.0**-15
"""Half the last bit of an operand: by so much forces and energies see a state wrongly."""
FORCE = 2.0**-21
"""Half the last bit of a force or an energy."""


class LeftPoint(LangevinEngine):
    """Heat by the sum that is often printed and is no heat: the gradient before the step."""

    def heat(self, walkers, gradient):
        return super().heat(walkers, walkers.kept)


class Late(LangevinEngine):
    """Heat by the gradient behind the step."""

    def heat(self, walkers, gradient):
        walkers.kept = gradient
        return super().heat(walkers, gradient)


class Coarse(LangevinEngine):
    """Heat of the gradients' upper bits, as if products had a smaller multiplier."""

    def heat(self, walkers, gradient):
        walkers.kept = round_shift(walkers.kept, 12) << 12
        return super().heat(walkers, round_shift(gradient, 12) << 12)


def quadratic() -> Potential:
    return Potential.build(
        5,
        J2=[0.5, 0.8, 1.5, 0.6, 2.0],
        b=[0.6, -0.3, 0.2, -1.0, 0.4],
        J={(0, 1): 0.4, (1, 2): -0.5, (2, 3): 0.3, (0, 4): -0.2},
        K=[[1, 1, 0, -1, 0.5], [0, 1, 1, 1, -1]],
        d=[0.4, -0.7],
        lam=[0.5, 0.8],
        force=[0.9, 0.5, 0, 0.2, -0.8],
    )


def quartic() -> Potential:
    return Potential.build(
        3,
        J2=[0.5, -1.0, 0.2],
        J4=[0.1, 0.5, 0.3],
        b=[0.6, -0.3, 0.2],
        J={(0, 1): 0.4, (1, 2): -0.5},
    )


def hinged() -> Potential:
    return Potential.build(
        2,
        J2=[0.4, 0.7],
        b=[0.3, -0.5],
        K=[[1, 0.5], [-1, 1]],
        d=[0.2, 0.4],
        lam=[1.5, 0.8],
        hinge=True,
    )


def still() -> Protocol:
    return Protocol(MU, [Segment(150, KT, DT)])


def driven() -> Protocol:
    """All six strengths change, in a ramp of 100 steps between rests."""
    first = Segment(20, KT, DT, (0.6, 1.0, 0.2, 1.0, 0.4, -1.0))
    last = Segment(30, KT * 2, DT, (1.7, 1.3, 1.0, 0.5, 1.0, 1.0))
    return Protocol(MU, [first, *ramp(first, last, 100), last])


@dataclass(frozen=True)
class Path:
    """Trajectories as the device tells them; sums up to every draw, ``[chains, steps + 1]``."""

    compiled: CompiledPotential
    strengths: np.ndarray  # [steps, 6], as coded
    z: np.ndarray  # [chains, steps + 1, units]
    energy: np.ndarray
    work: np.ndarray
    heat: np.ndarray


def travelled(bench, potential: Potential, protocol: Protocol, chains: int = 100) -> Path:
    compiled = bench.compile(potential)
    samples = bench.run(
        compiled,
        protocol,
        spread=0.8,
        chains=chains,
        trajectory=True,
        draws=protocol.steps + 1,
        seed=3,
    )
    coded = [np.rint(np.array(s.strengths) * 2**16) / 2**16 for s in protocol.segments]
    strengths = np.repeat(coded, [s.steps for s in protocol.segments], axis=0)
    return Path(compiled, strengths, samples.states, samples.energies, samples.work, samples.heat)


def summed(steps: np.ndarray) -> np.ndarray:
    """Sums over the steps before each draw: ``[chains, steps]`` to ``[chains, steps + 1]``."""
    return np.concatenate([np.zeros((len(steps), 1)), np.cumsum(steps, axis=1)], axis=1)


@dataclass(frozen=True)
class Exact:
    """What the states mean in float: V, W and Q up to every draw."""

    energy: np.ndarray
    work: np.ndarray
    heat: np.ndarray

    @classmethod
    def of(cls, path: Path) -> "Exact":
        held, s, z = path.compiled.held, path.strengths, path.z
        terms, forces = held.terms(z), held.forces(z)  # [c, k, 6], [c, k, 6, n]
        before = np.concatenate([s[:1], s])  # in force when a draw is taken
        change = np.diff(before, axis=0)
        gained = np.einsum("ckm,km->ck", terms[:, :-1], change)
        left = np.einsum("ckmn,km->ckn", forces[:, :-1], s)
        right = np.einsum("ckmn,km->ckn", forces[:, 1:], s)
        lost = -0.5 * ((left + right) * np.diff(z, axis=1)).sum(axis=-1)
        return cls((terms * before).sum(axis=-1), summed(gained), summed(lost))


@dataclass(frozen=True)
class Rounding:
    """Bounds of how far rounding takes V, W and Q from `Exact`, up to every draw."""

    energy: np.ndarray
    work: np.ndarray
    heat: np.ndarray

    @classmethod
    def of(cls, path: Path) -> "Rounding":
        p, scales, y = (
            path.compiled.held,
            path.compiled.scales,
            path.z / path.compiled.scales.length,
        )
        s, c, q = scales.length, scales.energy, scales.row
        J2, J4, b, f = (
            c * s**2 * np.abs(p.J2),
            c * s**4 * np.abs(p.J4),
            c * s * p.b,
            c * s * p.force,
        )
        J, K, lam = c * s**2 * np.abs(p.J), s * q[:, None] * np.abs(p.K), c * p.lam / q**2
        top = np.abs(y) + OPERAND
        # residuals and multipliers of constraints
        r, m = (K.sum(axis=1) + 1) * OPERAND, 2.0 ** -(scales.multiplier + 1)
        rho = np.abs(p.residuals(path.z)) * q + r
        forces = [
            2 * J2 * OPERAND + 0 * y,
            4 * J4 * OPERAND * (3 * top**2 + top + 1),
            0 * y,
            J.sum(axis=1) * OPERAND + 0 * y,
            (2 * lam * r + m) @ K + 0 * y,
            0 * y,
        ]
        terms = [
            2 * J2 * top * OPERAND + top * FORCE,
            4 * J4 * top**3 * OPERAND + top * (J4 * OPERAND * (top + 1) + FORCE),
            np.abs(b) * OPERAND + top * FORCE,
            (top @ J) * OPERAND + top * FORCE,
            0 * y,
            np.abs(f) * OPERAND + top * FORCE,
        ]
        energies = [term.sum(axis=-1) + y.shape[-1] * FORCE for term in terms]
        energies[4] = (2 * lam * rho * r + m * rho + FORCE).sum(axis=-1)
        steps, before = (
            np.abs(path.strengths),
            np.abs(np.concatenate([path.strengths[:1], path.strengths])),
        )
        change = np.abs(np.diff(np.concatenate([path.strengths[:1], path.strengths]), axis=0))
        force = np.stack(forces, axis=2) + FORCE  # [c, k, 6, n]
        energy = np.stack(energies, axis=2)
        left = np.einsum("ckmn,km->ckn", force[:, :-1], steps)
        right = np.einsum("ckmn,km->ckn", force[:, 1:], steps)
        slopes = np.abs(p.forces(path.z)) * c * s
        slope = np.einsum("ckmn,km->ckn", slopes[:, :-1] + slopes[:, 1:], steps) / 2
        moved = np.abs(np.diff(y, axis=1))
        # the mean gradient has 16 fraction bits in the product, the move 24, a step's heat 28
        mean = (left + right) / 2 + FORCE + 2.0**-17
        heat = (moved * mean + (slope + mean) * 2.0**-25 + 2.0**-29).sum(axis=-1)
        work = np.einsum("ckm,km->ck", energy[:, :-1], change) + 2.0**-29
        total = (energy * before).sum(axis=-1) + FORCE
        return cls(total / c, summed(work) / c, summed(heat) / c)


def trapezoid(path: Path) -> np.ndarray:
    """The stated bound of the trapezoid's error up to every draw."""
    p, z, s = path.compiled.held, path.z, path.strengths
    early, late = z[:, :-1], z[:, 1:]
    dz = np.abs(late - early)
    third = 24 * p.J4 * np.maximum(np.abs(early), np.abs(late)) * np.abs(s[:, 1, None])
    smooth = (dz**3 * third / 12).sum(axis=-1)
    # where a hinge opens or closes within a step: lambda |r r'|, and 4 |r r'| <= (r' - r)^2
    r = z @ p.K.T - p.d
    crossed = (r[:, 1:] > 0) != (r[:, :-1] > 0)
    stiff = p.lam * p.hinge * np.abs(s[:, 4, None])
    kink = (stiff * crossed * np.diff(r, axis=1) ** 2 / 4).sum(axis=-1)
    return summed(smooth + kink)


def check(path: Path) -> None:
    exact, rounding = Exact.of(path), Rounding.of(path)
    for name in ("energy", "work", "heat"):
        off = np.abs(getattr(path, name) - getattr(exact, name))
        assert (off <= getattr(rounding, name)).all(), (name, off.max())
    residual = (path.energy - path.energy[:, :1]) - (path.work - path.heat)
    bound = rounding.energy + rounding.energy[:, :1] + rounding.work + rounding.heat
    law = np.abs(residual) <= bound + trapezoid(path)
    assert law.all(), np.abs(residual).max()


SYSTEMS = {"quadratic": quadratic, "quartic": quartic, "hinged": hinged}
PROTOCOLS = {"still": still, "driven": driven}


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_the_first_law_holds_on_every_trajectory(bench, system: str, protocol: str) -> None:
    path = travelled(bench(), SYSTEMS[system](), PROTOCOLS[protocol]())
    check(path)
    # a bound that adds up the worst of every step is still 1 or 2 % of the heat that flows
    bound = Rounding.of(path).heat[:, -1].max()
    assert bound < 0.03 * np.abs(path.heat[:, -1]).mean()


def test_an_undriven_trajectory_does_no_work(bench) -> None:
    path = travelled(bench(), quartic(), still(), chains=20)
    assert (path.work == 0).all()
    assert (path.heat[:, 0] == 0).all()


@pytest.mark.parametrize("engine", [LeftPoint, Late, Coarse])
@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_other_heat_sums_break_it(bench, system: str, engine: type[LangevinEngine]) -> None:
    path = travelled(bench(engine), SYSTEMS[system](), driven(), chains=30)
    with pytest.raises(AssertionError, match="heat"):
        check(path)


def test_the_left_point_sum_misses_by_the_laplacian(bench) -> None:
    path = travelled(bench(LeftPoint), quadratic(), still(), chains=400)
    missing = path.energy[:, -1] - path.energy[:, 0] + path.heat[:, -1]
    laplacian = path.compiled.held.laplacian(np.zeros(5))
    wanted = MU * KT * DT * 150 * laplacian
    # mu kT dt laplacian a step, and the drift's own mu^2 dt^2 g.A.g/2, some mu dt k of it
    error = missing.std() / 400**0.5
    assert abs(missing.mean() / wanted - 1) < 4.5 * error / wanted + MU * DT * 6
    assert missing.mean() > 20 * error

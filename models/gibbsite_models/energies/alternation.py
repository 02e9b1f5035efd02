r"""Schedules by alternating draws: orders given times, then times given orders, as kT falls.

    o ~ exp(-V(s, o)/kT_r) given s,     s ~ exp(-V(s, o)/kT_r) by Langevin given o,

for rounds r with kT_r falling geometrically from ``hot`` to ``cold``; strengths of hard rows grow
with the violations of the cold end (`ConstraintEnergy.tighten`). Here both draws are in float. On
the device the first is the graph engine's, passed as ``draw``, the second the langevin engine's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import dimod
import numpy as np

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Array
from gibbsite_models.energies.scheduling import Order, SchedulingEnergy
from gibbsite_models.langevin_float import Protocol, Segment, simulate

__all__ = ["Alternation", "Draw", "alternate", "draw_bits"]

Draw = Callable[[dimod.BinaryQuadraticModel, float, int], Mapping[tuple[str, str, str], int]]
"""A model of bits, kT and a seed give one sample."""

SWEEPS = 30
"""Of `draw_bits`, each over all bits: from where no penalty holds to kT."""


@dataclass(frozen=True, slots=True, eq=False)
class Alternation:
    """The last state ``z[n]``, its order, the energy as tightened; kT and violation a round."""

    z: Array
    order: Order
    energy: SchedulingEnergy
    kT: Array
    violation: Array


def alternate(
    energy: SchedulingEnergy,
    seed: int,
    rounds: int = 60,
    steps: int = 200,
    mu: float = 1.0,
    hot: float = 1.0,
    cold: float = 1e-3,
    tolerance: float | None = None,
    draw: Draw | None = None,
) -> Alternation:
    """One chain from times drawn uniformly in their windows; equal seeds give equal results.

    dt is half the largest stable one. With a ``tolerance``, in the problem's unit, hard rows are
    tightened towards it in the last third of the rounds.

    Raises: ProgramError for temperatures that do not fall, and fewer than one round or step.
    """
    if not (0 < cold <= hot and np.isfinite(hot) and rounds >= 1 and steps >= 1):
        raise ProgramError(
            f"kT must fall from hot to cold > 0 over at least 1 round and step; found hot {hot:g}, "
            f"cold {cold:g}, {rounds} rounds of {steps}"
        )
    draw = draw_bits if draw is None else draw
    random = np.random.default_rng(seed)
    tasks = energy.set
    z = random.uniform(tasks.earliest, np.maximum(tasks.latest, tasks.earliest)) / energy.scale
    kTs = np.geomspace(hot, cold, rounds)
    missed = np.zeros(rounds)
    for r, kT in enumerate(kTs.tolist()):
        model = energy.order_model(z)
        sample = draw(model, kT, int(random.integers(2**31))) if model.num_variables else {}
        energy = energy.in_order(energy.read_order(sample))
        potential = energy.potential
        dt = 0.5 * potential.largest_stable_dt(mu, 0)
        protocol = Protocol(mu, [Segment(steps, kT, dt)])
        z = simulate(potential, protocol, 1, int(random.integers(2**31)), start=z).z[0]
        missed[r] = float(energy.violations(z)[energy.hard].max())
        if tolerance is not None and 3 * r >= 2 * rounds:
            energy = energy.tighten(z, tolerance)
    return Alternation(z, energy.order, energy, kTs, missed)


def draw_bits(
    model: dimod.BinaryQuadraticModel, kT: float, seed: int
) -> dict[tuple[str, str, str], int]:
    """One sample of a binary model by single-bit Gibbs sweeps that cool to kT."""
    random = np.random.default_rng(seed)
    variables = cast(list[tuple[str, str, str]], list(model.variables))
    place = {v: i for i, v in enumerate(variables)}
    h = np.array([float(model.linear[v]) for v in variables])
    J = np.zeros((h.size, h.size))
    for (u, v), weight in model.quadratic.items():
        J[place[u], place[v]] = J[place[v], place[u]] = float(weight)
    x = random.integers(0, 2, h.size).astype(np.float64)
    largest = max(float((np.abs(h) + np.abs(J).sum(axis=1)).max()), kT)
    for warm in np.geomspace(largest, kT, SWEEPS).tolist():
        for i in random.permutation(h.size).tolist():
            # P(1) = 1/(1 + exp((E1 - E0)/kT)), by a logistic variate
            u = random.random()
            x[i] = float(np.log(u / (1 - u)) * warm > h[i] + J[i] @ x)
    return dict(zip(variables, x.astype(int).tolist(), strict=True))

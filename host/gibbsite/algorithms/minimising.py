r"""Energies of penalties minimised on the Langevin engine: anneal, see what is violated, tighten.

    z_reads ~ anneal V(z; lambda_k),      lambda_(k+1) = tighten(lambda_k, z_reads, tolerance)

until some read keeps every hard row within the tolerance. Couplings are loaded once; strengths are
conditions, temperatures a schedule on the device. The first anneal starts wide and hot, each
further one at the best read so far and cooler, at ``hot (cold / hot)^(k / iterations)``.

Used for `AllocationEnergy` and `PlanningEnergy`, whose rows all fit the device's penalty form;
schedules have disjunctions and take `gibbsite.algorithms.alternating`. The host repairs nothing:
what is reported are the device's numbers, verified in fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from time import perf_counter_ns
from typing import Any

import numpy as np

from gibbsite.algorithms.opening import opened
from gibbsite.algorithms.schedule_verification import exactly
from gibbsite.algorithms.streamed_energy import StreamedEnergy, cooling
from gibbsite.progress import Report
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.certificate import certify
from gibbsite_models.energies.arguments import count, number
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.potential import Array
from gibbsite_models.energies.scheduling import SchedulingEnergy

__all__ = ["Minimum", "minimise", "missed_rows"]

STAGE = "anneal and tighten"

MARGIN = 0.5
"""Rows are tightened towards this share of the tolerance, so that reads spread around it fit."""


@dataclass(frozen=True, slots=True)
class Minimum:
    """The best read and how it came about.

    ``values``      variable -> value in the problem's unit, as the device gave it
    ``feasible``    whether, verified in fractions, no hard row is missed by more than the tolerance
    ``violations``  hard rows that are missed at all, by label, in the problem's unit
    ``cost``        V without its hard rows at these values
    ``strengths``   lambda of every row at the end, by label
    ``share``       of the last anneal's reads, how many are feasible
    ``info``        seed, iterations, loads, counters, rounding, certificate
    """

    values: Mapping[str, float]
    feasible: bool
    violations: Mapping[str, Fraction]
    cost: float
    strengths: Mapping[str, float]
    share: float
    info: dict[str, Any]


def minimise(
    energy: ConstraintEnergy,
    device: Device | str,
    *,
    tolerance: float,
    reach: float,
    seed: int = 0,
    reads: int = 16,
    iterations: int = 8,
    steps: int = 2000,
    hot: float = 1.0,
    cold: float = 1e-4,
    mu: float = 1.0,
    headroom: float = 64.0,
    progress: Report | None = None,
) -> Minimum:
    """Values of least cost that keep hard rows; equal arguments give equal values on equal devices.

    ``device`` is open, or an address that is opened for the time of the call.
    ``tolerance`` and ``reach``, the largest size of a value, are in the problem's unit;
    ``headroom`` is how many times stronger than at first a hard row may become.

    Ctrl-C after the first anneal ends the iterations: ``info["interrupted"]`` says so.

    Raises: ProgramError for another energy or device, orders to choose, arguments that make no run,
    and energies that the device cannot hold.
    """
    _require_rows(energy)
    tolerance, reach = number("the tolerance", tolerance, above=0), number("reach", reach, above=0)
    headroom = number("headroom", headroom, least=1)
    reads, steps = count("reads", reads), count("steps", steps)
    iterations, seed = count("iterations", iterations), count("seed", seed, 0, (1 << 63) - 1)
    cooling(energy, steps, hot, cold, mu)  # refuses temperatures before anything is loaded
    began = perf_counter_ns()
    hard = energy.lam[energy.hard & energy.learnable]
    top = headroom * float(hard.max(initial=0.0))
    random = np.random.default_rng(seed)
    z, spread = np.zeros(len(energy.names)), 0.1 * reach / energy.scale
    states, done, interrupted = z[None], 0, False
    with opened(device) as opened_device:
        uri = opened_device.info.uri
        streamed = StreamedEnergy(energy, opened_device, top=top, reach=reach / energy.scale)
        try:
            for done in range(1, iterations + 1):
                _report(progress, done - 1, iterations)
                warm = hot * (cold / hot) ** ((done - 1) / iterations)
                found = streamed.run(
                    energy,
                    cooling(energy, steps, warm, cold, mu, streamed.largest_rate),
                    seed=int(random.integers(1 << 62)),
                    chains=reads,
                    start=z,
                    spread=spread,
                )
                assert found.states is not None, "states were asked for"
                states = found.states[:, 0]
                z, spread = states[_best(energy, states, tolerance)], 0.0
                # the first anneal came from far away: a cooler one from here lowers the cost
                if energy.feasible(z, tolerance) and done > 1:
                    break
                if done < iterations:
                    energy = energy.tighten(states, MARGIN * tolerance, largest=streamed.top)
            _report(progress, iterations, iterations)
        except KeyboardInterrupt:
            if not streamed.runs:
                raise
            interrupted, done = True, streamed.runs
    ledger, reading = streamed.account.close()
    values = energy.values(z)
    violations = missed_rows(energy, values)
    info = {
        "seed": seed,
        "device": uri,
        "iterations": done,
        "interrupted": interrupted,
        "tolerance": tolerance,
        "loads": streamed.loads,
        "langevin": asdict(streamed.counters) | {"runs": streamed.runs},
        "rounding": streamed.rounding,
        "repair": "none",
        "certificate": certify(energy.energy(states)[:, None], claim="annealed").as_dict(),
        "ledger": ledger.model_dump(mode="json"),
        "joules": ledger.joules,
        "joules_provenance": reading.provenance,
        "timing": {"total_ns": perf_counter_ns() - began},
    }
    return Minimum(
        values=values,
        feasible=max(violations.values(), default=Fraction(0)) <= exactly(tolerance),
        violations=violations,
        cost=float(_costs(energy, z)),
        strengths={row.label: float(v) for row, v in zip(energy.rows, energy.lam, strict=True)},
        share=float(np.mean(energy.feasible(states, tolerance))),
        info=info,
    )


def missed_rows(energy: ConstraintEnergy, values: Mapping[str, float]) -> dict[str, Fraction]:
    """Hard rows that values miss, and by how much, in fractions and the problem's own unit.

    Coefficients and bounds are what their shortest decimals say, values what they are to the bit.
    """
    missed: dict[str, Fraction] = {}
    for row in energy.rows:
        if row.rule.hard:
            sides = (exactly(k) * Fraction(values[v]) for v, k in row.coefficients.items())
            over = sum(sides, -exactly(row.bound))
            amount = {"<=": over, ">=": -over}.get(row.rule.sense, abs(over))
            if amount > 0:
                missed[row.label] = amount
    return missed


def _costs(energy: ConstraintEnergy, states: Array) -> Array:
    """V of the soft parts of states ``z[..., n]``: ``[...]``."""
    soft = ~energy.hard
    missed = energy.violations(states)[..., soft] / energy.scale
    return np.asarray(states @ energy.bias + missed**2 @ energy.lam[soft])


def _best(energy: ConstraintEnergy, states: Array, tolerance: float) -> int:
    """The cheapest read that keeps the hard rows, or else the one that misses least."""
    worst = energy.violations(states)[:, energy.hard].max(axis=1, initial=0.0)
    kept = worst <= tolerance
    if kept.any():
        return int(np.where(kept, _costs(energy, states), np.inf).argmin())
    return int(worst.argmin())


def _require_rows(energy: object) -> None:
    if not isinstance(energy, ConstraintEnergy):
        raise ProgramError(
            f"energy must be a ConstraintEnergy and is of type {type(energy).__name__}: give one, "
            "an AllocationEnergy or a PlanningEnergy; a Potential is sampled by LangevinSampler"
        )
    if isinstance(energy, SchedulingEnergy) and (energy.choices or energy.arcs):
        raise ProgramError(
            f"this schedule leaves {len(energy.choices) + len(energy.arcs)} orders to choose, "
            "which no penalty holds: use gibbsite.algorithms.alternating.solve_schedule"
        )


def _report(progress: Report | None, done: int, iterations: int) -> None:
    if progress is not None:
        progress(STAGE, done, iterations)

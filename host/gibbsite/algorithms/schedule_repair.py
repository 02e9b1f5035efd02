"""Times that a device drew, and what the host may do to them before they are a plan.

With "left shift" they are those of `left_shift`, which keeps the order that was drawn; with "none"
they stay as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from gibbsite.algorithms.schedule_shift import left_shift
from gibbsite.algorithms.schedule_verification import Times, broken_rules, exactly
from gibbsite_models.energies.scheduling import Order, SchedulingEnergy

__all__ = ["DrawnTimes", "Repair", "RepairedTimes", "exact_times", "repaired"]

Repair = Literal["left shift", "none"]


@dataclass(frozen=True, slots=True)
class DrawnTimes:
    """What one chain ended with on the device, before the host touched it.

    ``starts`` in the problem's unit; ``broken`` as in `broken_rules`; ``violation`` the largest of
    these, ``within`` whether it is no more than the tolerance.
    """

    starts: Mapping[str, float]
    order: Order
    broken: Mapping[str, Fraction]
    violation: float
    within: bool


@dataclass(frozen=True, slots=True)
class RepairedTimes:
    """Times after the repair."""

    times: Times
    feasible: bool
    broken: Mapping[str, Fraction]
    cost: float
    moved: float

    @property
    def rank(self) -> tuple[bool, float]:
        """Feasible ones first by cost, then the others by what they break."""
        return not self.feasible, self.cost if self.feasible else float(sum(self.broken.values()))


def repaired(energy: SchedulingEnergy, drawn: DrawnTimes, repair: Repair) -> RepairedTimes:
    """What becomes of one chain's times, and what that costs; every rule is verified in fractions.

    Under "none" they are feasible where the chain was within its tolerance.
    """
    as_drawn = exact_times(energy, drawn.starts)
    if repair == "none":
        return RepairedTimes(as_drawn, drawn.within, drawn.broken, _cost(energy, as_drawn), 0.0)
    candidates = [left_shift(energy.set, drawn.starts, wishes) for wishes in (True, False)]
    # a wish is given up where a deadline breaks by it
    times = min(candidates, key=lambda t: bool(broken_rules(energy.set, t)))
    broken = broken_rules(energy.set, times)
    moved = max(abs(float(start - as_drawn[name][0])) for name, (start, _) in times.items())
    return RepairedTimes(times, not broken, broken, _cost(energy, times), moved)


def exact_times(energy: SchedulingEnergy, starts: Mapping[str, float]) -> Times:
    """Starts as they are, to the bit, with ends by the tasks' durations."""
    return {
        task.name: (
            Fraction(starts[task.name]),
            Fraction(starts[task.name]) + exactly(task.duration),
        )
        for task in energy.set.tasks
    }


def _cost(energy: SchedulingEnergy, times: Times) -> float:
    """V of its soft parts, pull and wishes."""
    z = energy.states({name: float(start) for name, (start, _) in times.items()})
    missed = energy.in_order(()).violations(z)[~energy.hard] / energy.scale
    return float(energy.bias @ z + energy.lam[~energy.hard] @ missed**2)

r"""Schedules on one device with two engines: orders by the graph engine, times by Langevin.

    o ~ exp(-V(s, o)/kT_r) given s,      s ~ exp(-V(s, o)/kT) given o,  kT from kT_r to kT_(r+1)

for rounds r of kT_r falling geometrically from ``hot`` to ``cold``. "Either i first, or j" is no
penalty that a device holds, so each such pair has two rows and an order switches one of them on
through its lambda. The couplings of both engines are loaded once; orders, strengths and prices are
streamed as conditions, and the temperatures of each run are a schedule on the device. In the last
third of the rounds hard rows are tightened towards the tolerance (`ConstraintEnergy.tighten`).

Chains are independent of each other. Of their ends the cheapest that keeps all rules is the plan:
what the device drew is reported as it is, and what the host did to it under its name beside it.

Twin: `gibbsite_models.energies.alternation`, the same iteration in float.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from time import perf_counter_ns
from typing import Any, get_args

import numpy as np

from gibbsite.algorithms.opening import opened
from gibbsite.algorithms.order_draws import OrderDraws
from gibbsite.algorithms.schedule_repair import DrawnTimes, Repair, exact_times, repaired
from gibbsite.algorithms.schedule_verification import Times, broken_rules
from gibbsite.algorithms.streamed_energy import StreamedEnergy, cooling
from gibbsite.progress import Report
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.certificate import certify
from gibbsite_models.energies.arguments import count, number
from gibbsite_models.energies.potential import Array
from gibbsite_models.energies.scheduling import SchedulingEnergy

__all__ = ["SchedulePlan", "solve_schedule"]

STAGE = "orders and times"

HEADROOM = 64.0
"""How many times stronger than at first hard rows may become."""


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """One plan and how it came about.

    ``times``     task -> (start, end), in fractions of the problem's unit
    ``feasible``  whether the times, verified in fractions, break no rule; with ``repair`` "none",
                  no rule by more than the tolerance
    ``broken``    what they break
    ``cost``      pull and wishes at these times: V without its hard rows
    ``drawn``     the times that the device gave for this plan
    ``repair``    what the host did to them; ``moved`` by how much it moved a task at most
    ``chains``    what every chain gave
    ``info``      seed, rounds, loads of either engine, counters, saturations, certificate
    """

    times: Times
    feasible: bool
    broken: Mapping[str, Fraction]
    cost: float
    drawn: DrawnTimes
    repair: Repair
    moved: float
    chains: tuple[DrawnTimes, ...]
    info: dict[str, Any]


def solve_schedule(
    energy: SchedulingEnergy,
    device: Device | str,
    *,
    seed: int = 0,
    tolerance: float | None = None,
    chains: int = 4,
    rounds: int = 30,
    steps: int = 120,
    hot: float | None = None,
    cold: float = 1e-3,
    mu: float = 1.0,
    repair: Repair = "left shift",
    progress: Report | None = None,
) -> SchedulePlan:
    """A plan from ``chains`` chains; equal arguments give equal plans on equal devices.

    ``device`` is open, or an address that is opened for the time of the call.
    ``tolerance`` is in the problem's unit, by default a hundredth of the shortest task (of the
    horizon where none takes time); ``hot`` is kT of the first round, by default twice the largest
    strength of a hard row, where tasks overlap by about one ``energy.scale``.

    Ctrl-C after the first round ends the rounds: the plan says so in ``info["interrupted"]``.

    Raises: ProgramError for another energy or device, arguments that make no run, and a device
    without one of the engines.
    """
    if not isinstance(energy, SchedulingEnergy):
        raise ProgramError(
            f"energy must be a SchedulingEnergy and is of type {type(energy).__name__}: give one; "
            "a ConstraintEnergy without orders is for gibbsite.minimise"
        )
    if repair not in get_args(Repair):
        raise ProgramError(
            f"repair is {repair!r}: give one of {', '.join(map(repr, get_args(Repair)))}"
        )
    chains, rounds, steps = count("chains", chains), count("rounds", rounds), count("steps", steps)
    seed = count("seed", seed, 0, (1 << 63) - 1)
    hottest = 2 * float(energy.lam[energy.hard].max()) if hot is None else number("hot", hot)
    allowed = _tolerance(energy) if tolerance is None else tolerance
    allowed = number("the tolerance", allowed, above=0)
    cooling(energy, steps, hottest, cold, mu)  # refuses temperatures before anything is loaded
    began = perf_counter_ns()
    with opened(device) as found:
        uri = found.info.uri
        run = _Run(energy, found, seed, chains, hottest, allowed, mu)
        kTs = np.geomspace(hottest, cold, rounds + 1).tolist()
        done, interrupted = 0, False
        try:
            for at in range(rounds):
                _report(progress, at, rounds)
                run.round(steps, kTs[at], kTs[at + 1], tighten=3 * at >= 2 * rounds)
                done += 1
            _report(progress, rounds, rounds)
        except KeyboardInterrupt:
            if not done:
                raise
            interrupted = True
    drawn = tuple(run.drawn(chain) for chain in range(chains))
    plans = [repaired(energy, one, repair) for one in drawn]
    best = min(range(chains), key=lambda chain: (*plans[chain].rank, chain))
    info = run.info() | {
        "seed": seed,
        "device": uri,
        "rounds": done,
        "interrupted": interrupted,
        "tolerance": allowed,
        "certificate": certify([[plan.cost] for plan in plans], claim="annealed").as_dict(),
        "timing": {"total_ns": perf_counter_ns() - began},
    }
    plan = plans[best]
    return SchedulePlan(
        plan.times,
        plan.feasible,
        plan.broken,
        plan.cost,
        drawn[best],
        repair,
        plan.moved,
        drawn,
        info,
    )


class _Run:
    """Chains on one device: where each is, its order and its strengths."""

    def __init__(
        self,
        energy: SchedulingEnergy,
        device: Device,
        seed: int,
        chains: int,
        hot: float,
        tolerance: float,
        mu: float,
    ) -> None:
        self._tolerance, self._mu = tolerance, mu
        self._random = np.random.default_rng(seed)
        self._top = HEADROOM * float(energy.lam[energy.hard].max())
        tasks = energy.set
        # five deviations of the hottest times beyond the softest bound of a window
        soft = np.sqrt(hot / (2 * float(energy.lam[energy.hard].min())))
        reach = tasks.horizon / energy.scale + 5 * float(soft)
        self._times = StreamedEnergy(energy, device, top=self._top, reach=reach)
        self._orders = OrderDraws(device)
        self._energies = [energy] * chains
        late = np.maximum(tasks.latest, tasks.earliest)
        self._z: list[Array] = list(
            self._random.uniform(tasks.earliest, late, (chains, len(tasks.names))) / energy.scale
        )

    def round(self, steps: int, kT: float, next_kT: float, *, tighten: bool) -> None:
        """One order and one run of times for every chain."""
        order_seed, time_seed = self._random.integers(1 << 62, size=2).tolist()
        for chain, z in enumerate(self._z):
            energy = self._energies[chain]
            energy = energy.in_order(self._orders.draw(energy, z, kT, seed=order_seed, chain=chain))
            ends = self._times.run(
                energy,
                cooling(energy, steps, kT, next_kT, self._mu, self._times.largest_rate),
                seed=time_seed,
                chains=1,
                first_chain=chain,
                start=z,
            )
            assert ends.states is not None, "states were asked for"
            self._z[chain] = ends.states[0, 0]
            if tighten:
                energy = energy.tighten(self._z[chain], self._tolerance, largest=self._top)
            self._energies[chain] = energy

    def drawn(self, chain: int) -> DrawnTimes:
        """The present times of a chain, verified as they are."""
        energy = self._energies[chain]
        starts = energy.values(self._z[chain])
        broken = broken_rules(energy.set, exact_times(energy, starts))
        worst = max(broken.values(), default=Fraction(0))
        return DrawnTimes(
            starts, energy.order, broken, float(worst), float(worst) <= self._tolerance
        )

    def info(self) -> dict[str, Any]:
        """What the device was asked and did."""
        ledger, reading = self._times.account.close()
        return {
            "ledger": {
                "langevin": ledger.model_dump(mode="json"),
                "graph": self._orders.ledger(),
            },
            "joules": ledger.joules,
            "joules_provenance": reading.provenance,
            "loads": {"langevin": self._times.loads, "graph": self._orders.loads},
            "langevin": asdict(self._times.counters) | {"runs": self._times.runs},
            "graph": {"draws": self._orders.draws, "updates": self._orders.updates},
            "order_resolution": self._orders.resolution,
            "rounding": self._times.rounding,
            "strongest": max(float(energy.lam.max()) for energy in self._energies),
        }


def _tolerance(energy: SchedulingEnergy) -> float:
    lengths = energy.set.duration[energy.set.duration > 0]
    return 0.01 * float(lengths.min() if lengths.size else energy.set.horizon)


def _report(progress: Report | None, done: int, rounds: int) -> None:
    if progress is not None:
        progress(STAGE, done, rounds)

r"""Overdamped Langevin dynamics in float64: the reference that fixed point is measured against.

    dz = -mu grad V(z; l) dt + sqrt(2 mu kT) dW        (Ito, Euler-Maruyama)

Step k changes the strengths l first, then z:

    W += V(z_k; l_(k+1)) - V(z_k; l_k)
    z_(k+1) = z_k - mu dt grad V(z_k; l_(k+1)) + sqrt(2 mu kT dt) xi_k
    Q -= 1/2 (grad V(z_k; l_(k+1)) + grad V(z_(k+1); l_(k+1))) . (z_(k+1) - z_k)

so that ``dV = W - Q`` up to the trapezoid error, which is zero where V is quadratic between two
states and of third order in the step elsewhere. Q is positive when the bath gains. The left-point
sum ``-grad V(z_k).dz`` differs on average by ``mu kT dt sum_k laplacian V(z_k)``: no heat.

A clamped unit does not move and takes no heat. Strengths before the first step are
`Protocol.initial`, by default those of the first segment: then the first step does no work.

Source: K. Sekimoto, Langevin equation and thermodynamics, 1998; S. Whitelam, arXiv:2506.15121.
Twin: `gibbsite_models.golden.langevin`, bit-exact in fixed point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, number, numbers
from gibbsite_models.energies.conditions import TERMS, require_strengths
from gibbsite_models.energies.potential import Array, Potential, require_clamps

__all__ = ["Protocol", "Segment", "Trajectories", "ramp", "simulate"]

ONES = (1.0,) * len(TERMS)


@dataclass(frozen=True, slots=True)
class Segment:
    """So many steps at one kT, dt and set of strengths (in the order of `TERMS`).

    Work, heat, entropy and moments are summed over segments with ``measure`` only.

    Raises: ProgramError for steps that are no whole number from 1, and numbers out of range.
    """

    steps: int
    kT: float
    dt: float
    strengths: tuple[float, ...] = ONES
    measure: bool = True

    def __post_init__(self) -> None:
        given = {
            "steps": count("the steps of a segment", self.steps),
            "kT": number("kT", self.kT, least=0),
            "dt": number("dt", self.dt, above=0),
            "strengths": tuple(require_strengths(self.strengths).tolist()),
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Protocol:
    """Mobility, segments in order, and the strengths in force before the first step.

    Raises: ProgramError for a mobility that is not above 0, no segments and bad strengths.
    """

    mu: float
    segments: Sequence[Segment]
    initial: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mu", number("the mobility mu", self.mu, above=0))
        listed = isinstance(self.segments, Sequence)
        if not (listed and self.segments and all(isinstance(s, Segment) for s in self.segments)):
            raise ProgramError(
                f"a protocol needs a list of at least 1 segment and has {self.segments!r:.80}; "
                "give [Segment(steps, kT, dt)]"
            )
        if self.initial is not None:
            strengths = tuple(require_strengths(self.initial).tolist())
            object.__setattr__(self, "initial", strengths)

    @property
    def steps(self) -> int:
        """The number of steps of all segments."""
        return sum(segment.steps for segment in self.segments)

    @property
    def before(self) -> tuple[float, ...]:
        """The strengths before the first step."""
        return self.segments[0].strengths if self.initial is None else self.initial

    def check(
        self, potential: Potential, reach: float, clamps: Mapping[int, float] | None = None
    ) -> None:
        """Refuse a dt at which some segment is unstable, and a V that is improper in one.

        ``reach`` bounds |z_i|; curvature from J4 is counted up to it. Clamped units do not move,
        so their curvature does not count.

        Raises: ProgramError, with the largest stable dt.
        """
        quartic = np.delete(potential.J4, list(require_clamps(potential, clamps))).any()
        for strengths, dt in self.corners():
            potential.check(strengths, clamps)
            largest = potential.largest_stable_dt(self.mu, reach, strengths, clamps)
            if dt >= largest:
                within = f" within |z| <= {reach:g}" if quartic else ""
                raise ProgramError(
                    f"dt must be below {largest:.6g}, 2/(mu times the largest curvature{within}), "
                    f"and is {dt:g}; take a smaller dt or mu"
                )

    def corners(self) -> list[tuple[tuple[float, ...], float]]:
        """Strengths and dt of which all segments' are convex combinations, in order.

        Curvature is convex in the strengths, and so is the set where V is normalizable: a linear
        ramp of one dt need be checked at its ends only.
        """
        settings = list(dict.fromkeys((s.strengths, s.dt) for s in self.segments))
        table = np.array([[*strengths, dt] for strengths, dt in settings])
        bend = np.abs(table[:-2] + table[2:] - 2 * table[1:-1]).max(axis=1)
        bend[table[:-2, -1] != table[2:, -1]] = np.inf
        # the tolerance allows rounding only: over 10^4 steps it adds up to 10^-6 of the strengths
        kept = [True, *(bend > 1e-13 * max(1.0, float(np.abs(table).max()))), True]
        return [setting for setting, keep in zip(settings, kept, strict=False) if keep]


def ramp(first: Segment, last: Segment, steps: int) -> list[Segment]:
    """``steps`` segments of one step from ``first`` to ``last``, linear in kT and strengths.

    Step k of n has ``(1 - k/n) first + (k/n) last``, k = 1 to n: ``first`` itself is what stands
    before, the last step has ``last``. dt and ``measure`` are the first's.

    Raises: ProgramError for ends that are no `Segment` and steps that are no whole number from 1.
    """
    for end, segment in (("first", first), ("last", last)):
        if not isinstance(segment, Segment):
            raise ProgramError(
                f"the {end} end of a ramp must be a Segment and is {segment!r:.80}; give "
                "Segment(steps, kT, dt)"
            )
    steps = count("the steps of a ramp", steps)
    result = []
    for k in range(1, steps + 1):
        t = k / steps
        strengths = tuple(
            (1 - t) * a + t * b for a, b in zip(first.strengths, last.strengths, strict=True)
        )
        kT = (1 - t) * first.kT + t * last.kT
        result.append(Segment(1, kT, first.dt, strengths, first.measure))
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Trajectories:
    """What chains ended with: ``z[chains, n]`` and, a chain, sums over the measured steps.

    ``work, heat, entropy[chains]``, entropy ``sum Q_k / kT_k`` (NaN where a measured step had
    kT = 0); ``energy_start[chains]`` is V at the first measured step before its strengths change,
    ``energy_end`` V after the last measured step; ``energy_change`` is the measured steps' own dV.
    ``states[chains, kept, n]`` are the states after every ``every``-th step, measured or not.
    ``mean[chains, n]`` and ``second[n, n]`` (over all chains) are moments over the measured steps,
    NaN when not asked for.
    """

    z: Array
    work: Array
    heat: Array
    entropy: Array
    energy_start: Array
    energy_end: Array
    energy_change: Array
    states: Array
    mean: Array
    second: Array

    @property
    def trapezoid_error(self) -> Array:
        """``dV - (W - Q)`` of every chain."""
        return self.energy_change - (self.work - self.heat)


def simulate(
    potential: Potential,
    protocol: Protocol,
    chains: int,
    seed: int,
    start: ArrayLike = 0.0,
    start_sigma: ArrayLike = 0.0,
    clamps: Mapping[int, float] | None = None,
    every: int = 0,
    moments: bool = False,
    reach: float = 0.0,
) -> Trajectories:
    """Run chains side by side from ``start + start_sigma * gaussian``.

    Both are broadcast to [chains, n]. Equal arguments give equal results. ``reach`` is what
    `Protocol.check` takes: curvature of quartic terms is known to the check only up to it.

    Raises: ProgramError for what `Protocol.check` refuses, clamps on units that do not exist, less
    than one chain, and chains that ran away.
    """
    pinned = require_clamps(potential, clamps)
    chains, every = count("chains", chains), count("every", every, least=0)
    protocol.check(potential, reach, pinned)
    random = np.random.default_rng(seed)
    shape = (chains, potential.size)
    z = _start(start, shape) + _start(start_sigma, shape) * random.standard_normal(shape)
    units = list(pinned)
    z[:, units] = list(pinned.values())
    moves = np.ones(potential.size)
    moves[units] = 0
    work, heat, entropy, change = (np.zeros(chains) for _ in range(4))
    energy_start = energy_end = np.full(chains, np.nan)
    mean, second, measured = np.zeros(shape), np.zeros((potential.size,) * 2), 0
    states, step, before = [], 0, protocol.before
    for segment in protocol.segments:
        s, noise = segment.strengths, np.sqrt(2 * protocol.mu * segment.kT * segment.dt) * moves
        drift = protocol.mu * segment.dt * moves
        slope = potential.gradient(z, s)
        if segment.measure:
            old = potential.energy(z, before)
            if not measured:
                energy_start = old
            begin = potential.energy(z, s)
            work += begin - old
            change -= old
        for _ in range(segment.steps):
            new = z - drift * slope + noise * random.standard_normal(shape)
            uphill = potential.gradient(new, s)
            if segment.measure:
                gained = -0.5 * ((slope + uphill) * (new - z)).sum(axis=1)
                heat += gained
                entropy += gained / segment.kT if segment.kT else np.nan
                measured += 1
                if moments:
                    mean += new
                    second += new.T @ new
            z, slope, step = new, uphill, step + 1
            if every and step % every == 0:
                states.append(z)
        if not np.isfinite(slope).all():
            raise ProgramError(
                f"a chain ran away before step {step} with dt = {segment.dt:g}; take a smaller dt"
            )
        if segment.measure:
            energy_end = potential.energy(z, s)
            change += energy_end
        before = s
    if not moments or not measured:
        mean, second = np.full_like(mean, np.nan), np.full_like(second, np.nan)
    total = max(measured, 1)
    kept = np.stack(states, axis=1) if states else np.zeros((chains, 0, potential.size))
    return Trajectories(
        z,
        work,
        heat,
        entropy,
        energy_start,
        energy_end,
        change,
        kept,
        mean / total,
        second / (total * chains),
    )


def _start(value: ArrayLike, shape: tuple[int, int]) -> Array:
    given = numbers("start and start_sigma", value)
    if not np.isfinite(given).all():
        raise ProgramError(
            "start and start_sigma must be finite and some of their numbers are not; replace these"
        )
    try:
        return np.broadcast_to(given, shape)
    except ValueError:
        raise ProgramError(
            f"start and start_sigma must fit {shape}, chains and units, and have shape "
            f"{given.shape}; give one number, one a unit or one a chain and unit"
        ) from None

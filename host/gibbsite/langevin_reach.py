"""How far a potential's states go: the reach that a program must hold, and where quartic units lie.

`natural_reach` is the larger of two estimates: what chains of the float reference visit on the way,
half as much again; and, where V is a Gaussian's, mean and nine standard deviations of every unit.
States beyond it are saturated by the device, which counts them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import optimize

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Array, Potential
from gibbsite_models.exact.langevin import gaussian
from gibbsite_models.langevin_float import Protocol, Segment, simulate

__all__ = ["natural_reach", "require_stable"]

CHAINS = 32
STEPS = 2000
"""Steps of the float run at most: a longer protocol is looked at through its start."""
MARGIN = 1.5
DEVIATIONS = 9.0
LEAST = 1e-6
BARRIER = 10.0
"""In units of kT: how far up its quartic wall a unit is expected."""


def require_stable(
    potential: Potential,
    protocol: Protocol,
    start: Array,
    spread: float,
    clamps: Mapping[int, float],
    most: float = np.inf,
) -> None:
    """Refuse a V that is not normalizable and a dt that is not stable, naming the largest one.

    The curvature of quartic units is taken at the farthest of where they start, where V is least
    from there, and half-way to where J4 z^4 alone is 10 kT; no farther than ``most``, where the
    reach of a program is given and ends them.

    Raises: ProgramError.
    """
    reach = 0.0
    wells = potential.J4 > 0
    if wells.any():
        potential.check(protocol.segments[-1].strengths, clamps)
        hottest = max(segment.kT for segment in protocol.segments)
        rest = np.abs(_minimum(potential, protocol, start, clamps))
        far = np.maximum(rest, np.abs(start) + 3 * spread)[wells]
        reach = float((far + (BARRIER * hottest / potential.J4[wells]) ** 0.25 / 2).max())
    protocol.check(potential, min(reach, most), clamps)


def natural_reach(
    potential: Potential,
    protocol: Protocol,
    start: Array,
    spread: float,
    clamps: Mapping[int, float],
) -> float:
    """An estimate of the largest |z| that a run of this protocol visits.

    Raises: ProgramError where the float run ran away: dt is too large from this start.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        seen = simulate(
            potential, _shortened(protocol), CHAINS, 0, start, spread, clamps, every=1
        ).states
    reach = MARGIN * float(np.abs(seen).max())
    reach = max(reach, float(np.abs(start).max()) + DEVIATIONS * spread)
    reach = max([reach, *(1.01 * abs(value) for value in clamps.values())])
    if not potential.J4.any() and not (potential.hinge & (potential.lam > 0)).any():
        reach = max(reach, _gaussian_reach(potential, protocol, clamps))
    else:
        rest = np.abs(_minimum(potential, protocol, start, clamps)).max()
        reach = max(reach, MARGIN * float(rest))
    return max(reach, LEAST)


def _minimum(
    potential: Potential, protocol: Protocol, start: Array, clamps: Mapping[int, float]
) -> Array:
    """A minimum of V downhill from the start, at the strengths of the protocol's end."""
    strengths = protocol.segments[-1].strengths
    z = start.copy()
    z[list(clamps)] = list(clamps.values())
    free = np.array([i for i in range(potential.size) if i not in clamps], dtype=np.intp)
    if not len(free):
        return z

    def placed(x: Array) -> Array:
        full = z.copy()
        full[free] = x
        return full

    found, _, _ = optimize.fmin_l_bfgs_b(
        lambda x: float(potential.energy(placed(x), strengths)),
        z[free],
        fprime=lambda x: potential.gradient(placed(x), strengths)[free],
    )
    return placed(np.asarray(found, dtype=np.float64))


def _gaussian_reach(potential: Potential, protocol: Protocol, clamps: Mapping[int, float]) -> float:
    hottest = max(protocol.segments, key=lambda segment: segment.kT)
    if hottest.kT == 0 or len(clamps) == potential.size:
        return 0.0
    try:
        law = gaussian(potential, hottest.kT, hottest.strengths, clamps)
    except ProgramError:  # flat while it is hot: the float run has to do
        return 0.0
    deviation = np.sqrt(np.diag(law.covariance))
    return float((np.abs(law.mean) + DEVIATIONS * deviation).max())


def _shortened(protocol: Protocol) -> Protocol:
    segments: list[Segment] = []
    left = STEPS
    for segment in protocol.segments:
        steps = min(segment.steps, left)
        segments.append(Segment(steps, segment.kT, segment.dt, segment.strengths, segment.measure))
        left -= steps
        if not left:
            break
    return Protocol(protocol.mu, segments, protocol.initial)

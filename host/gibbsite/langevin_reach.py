"""How far a potential's states go: the reach that a program must hold.

The larger of two estimates: what chains of the float reference visit on the way, half as much
again; and, where V is a Gaussian's, mean and nine standard deviations of every unit. States beyond it are
saturated by the device, which counts them.
"""

from __future__ import annotations

import numpy as np

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Array, Condition, Potential
from gibbsite_models.exact.langevin import gaussian
from gibbsite_models.langevin_float import Protocol, Segment, simulate

__all__ = ["natural_reach"]

CHAINS = 32
STEPS = 2000
"""Steps of the float run at most: a longer protocol is looked at through its start."""
MARGIN = 1.5
DEVIATIONS = 9.0


def natural_reach(
    potential: Potential, protocol: Protocol, start: Array, spread: float, condition: Condition
) -> float:
    """An estimate of the largest |z| that a run of this protocol visits."""
    clamps = condition.clamps
    seen = simulate(
        potential, _shortened(protocol), CHAINS, 0, start, spread, clamps, every=1
    ).states
    reach = MARGIN * float(np.abs(seen).max())
    reach = max(reach, float(np.abs(start).max()) + DEVIATIONS * spread)
    reach = max([reach, *(1.01 * abs(value) for value in clamps.values())])
    if not potential.J4.any() and not (potential.hinge & (potential.lam > 0)).any():
        reach = max(reach, _gaussian_reach(potential, protocol))
    return max(reach, 1e-6)


def _gaussian_reach(potential: Potential, protocol: Protocol) -> float:
    hottest = max(protocol.segments, key=lambda segment: segment.kT)
    try:
        law = gaussian(potential, hottest.kT, hottest.strengths)
    except ProgramError:  # clamped units hold it, or it is hot and flat: the float run has to do
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

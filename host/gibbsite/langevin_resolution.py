"""Whether a program resolves what its temperature moves.

Forces see a state z only in steps of ``s 2^-OPERAND_FRAC`` (s the scale of length), and a state
moves in steps of ``s 2^-STATE_FRAC``. Both must be fine beside what is thermal:

    s 2^-OPERAND_FRAC <= w / 2,      w = sqrt(kT / h),  h the largest curvature of V
    (s 2^-STATE_FRAC)^2 / (12 mu kT dt) <= 1e-3         (the rounding's share of kT)

Rounded operands put noise of ``h^2 q^2 / 12`` into the force along the stiffest direction, q the
step: ``h^2 mu dt q^2 / (24 kT)`` of kT, at most 2 % under the first rule since ``mu dt h < 2``. h
counts couplings and every hinge; double wells count at their bottoms, quartic units with their
own width ``(kT / J4)^(1/4)``. The hottest segment is looked at: colder ones end what it began.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gibbsite.langevin_scales import Scales
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import OPERAND_FRAC, STATE_FRAC
from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol

__all__ = ["require_resolution"]

WIDTHS = 0.5
"""Steps of an operand, in thermal widths, at most."""
SHARE = 1e-3
"""Of kT, at most, that rounding adds."""


def require_resolution(
    potential: Potential, scales: Scales, clamps: Mapping[int, float], protocol: Protocol
) -> None:
    """Refuse a program too coarse for the hottest kT of a protocol; kT = 0 needs none.

    Raises: ProgramError, naming the unit, the step and what would do.
    """
    hottest = max(protocol.segments, key=lambda segment: segment.kT)
    if hottest.kT == 0:
        return
    step = scales.length * 2.0**-OPERAND_FRAC
    width = _thermal_width(potential, hottest.kT, hottest.strengths, clamps)
    if step > WIDTHS * width:
        raise ProgramError(
            f"the device sees states in steps of {step:.3g}, and kT = {hottest.kT:g} moves the "
            f"stiffest direction by {width:.3g}: choose a reach below "
            f"{0.9 * width * WIDTHS * 2.0 ** (OPERAND_FRAC + 3):.3g} (shift z so that it stays "
            "near 0), a larger kT, or a smaller J or lambda"
        )
    last = scales.length * 2.0**-STATE_FRAC
    noise = protocol.mu * hottest.kT * hottest.dt
    if last * last / (12 * noise) > SHARE:
        raise ProgramError(
            f"mu kT dt is {noise:.3g} and rounding of states, in steps of {last:.3g}, would add "
            f"more than {SHARE:g} of kT to it: choose mu kT dt above "
            f"{last * last / 12 / SHARE:.3g}, or a smaller reach"
        )


def _thermal_width(
    potential: Potential,
    kT: float,
    strengths: tuple[float, ...],
    clamps: Mapping[int, float],
) -> float:
    """How far kT moves the stiffest direction of the free units."""
    s, p = strengths, potential
    free = np.array([unit not in clamps for unit in range(p.size)], dtype=np.bool_)
    if not free.any():
        return float("inf")
    wells = -4 * s[0] * p.J2[free & (s[0] * p.J2 < 0)]
    stiffest = max(
        p.largest_curvature(0.0, strengths, clamps), float(wells.max(initial=0.0)), 1e-300
    )
    quartic = max(float((s[1] * p.J4[free]).max()), 1e-300)
    return float(min((kT / stiffest) ** 0.5, (kT / quartic) ** 0.25))

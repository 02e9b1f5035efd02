"""Whether a program resolves what its temperature moves.

Forces see a state z only in steps of ``s 2^-OPERAND_FRAC`` (s the scale of length), and a state
moves in steps of ``s 2^-STATE_FRAC``. Both must be fine beside what is thermal:

    s 2^-OPERAND_FRAC <= w_i / 2,     w_i = sqrt(kT / h_i),  h_i unit i's curvature where it rests
    (s 2^-STATE_FRAC)^2 / (12 mu kT dt) <= 1e-3              (the rounding's share of kT)

The first makes the variance wrong by at most about (1/2)^2 / 12 = 2 %, the second kT by 0.1 %. The
hottest segment is looked at: colder ones end what it began.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

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
    widths = _thermal_widths(potential, hottest.kT, hottest.strengths)
    widths[list(clamps)] = np.inf
    unit = int(widths.argmin())
    if step > WIDTHS * widths[unit]:
        raise ProgramError(
            f"the device sees unit {unit} ({potential.names[unit]}) in steps of {step:.3g}, and "
            f"kT = {hottest.kT:g} moves it by {widths[unit]:.3g}: choose a reach below "
            f"{0.9 * widths[unit] * WIDTHS * 2.0 ** (OPERAND_FRAC + 3):.3g} (shift z so that it "
            "stays near 0), or a larger kT"
        )
    last = scales.length * 2.0**-STATE_FRAC
    noise = protocol.mu * hottest.kT * hottest.dt
    if last * last / (12 * noise) > SHARE:
        raise ProgramError(
            f"mu kT dt is {noise:.3g} and rounding of states, in steps of {last:.3g}, would add "
            f"more than {SHARE:g} of kT to it: choose mu kT dt above "
            f"{last * last / 12 / SHARE:.3g}, or a smaller reach"
        )


def _thermal_widths(
    potential: Potential, kT: float, strengths: tuple[float, ...]
) -> NDArray[np.float64]:
    """``sqrt(kT / h_i)``; double wells at their bottoms, quartic units ``(kT / J4)^(1/4)``."""
    s, p = strengths, potential
    squares = np.where(p.hinge, 0.0, p.lam * s[4])
    well = 2 * s[0] * p.J2 + 2 * squares @ p.K**2
    curvature = np.where(well < 0, -2 * well, well)
    with np.errstate(divide="ignore"):
        harmonic = np.sqrt(kT / np.maximum(curvature, 1e-300))
        quartic = (kT / np.maximum(s[1] * p.J4, 1e-300)) ** 0.25
    return np.asarray(np.minimum(harmonic, quartic))

"""Scales of a Langevin program: how a potential's numbers become the device's codes.

    z = s y,      V_device(y) = c V(s y),      r_device = q_a r_a,      code = value 2^e

s, c and the q_a are powers of two. y is the device's state (-8 to 8), so s follows from ``reach``,
the largest |z| that must fit. The dynamics of y under V_device are those of z under V when

    mu dt_device = mu dt / (c s^2),      noise_device = sqrt(2 mu kT dt) / s,

so c is free: it is the largest for which every code, every force and every energy within the reach
fits. Each array then takes the largest e that its format and the shifts of
`gibbsite_hw.spec.langevin_program` allow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite.langevin_rows import TOP, fraction_bits, most_missed, require_even, row_scales
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import (
    COEFFICIENT_MAX,
    ENERGY_FRAC,
    ENERGY_MAX,
    FORCE_FRAC,
    FORCE_MAX,
    OPERAND_MAX,
    RESIDUAL_FRAC,
    SHIFT_MAX,
    STATE_FRAC,
    STATE_MAX,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import Shifts
from gibbsite_models.energies.potential import Potential

__all__ = ["Scales", "choose_scales"]

Floats = NDArray[np.float64]

LARGEST_FORCE = FORCE_MAX / 2**FORCE_FRAC / 4
LARGEST_ENERGY = ENERGY_MAX / 2**ENERGY_FRAC / 4
"""A quarter is left for states beyond the reach and strengths above 1."""

LEAST = 2.0**-100
"""Smallest reach."""

# shift = e - SHIFT[name] for coefficients; see the equations of langevin_program
QUADRATIC, QUARTIC, LINEAR, COUPLING = 7, 8, 6, 6


@dataclass(frozen=True, slots=True)
class Scales:
    """Powers of two; the e are fraction bits of codes.

    ``length`` s, ``energy`` c, ``row[m]`` q_a.
    """

    length: float
    energy: float
    row: Floats
    quadratic: int
    quartic: int
    bias: int
    coupling: int
    force: int
    weight: int
    """e of k's codes."""
    penalty: int
    """e of lambda's codes."""
    multiplier: int
    """e of the constraint multipliers 2 lambda r."""

    def shifts(self) -> Shifts:
        """The shifts that these fraction bits mean."""
        return Shifts(
            quadratic=self.quadratic - QUADRATIC,
            quartic=self.quartic - QUARTIC,
            bias=self.bias - LINEAR,
            coupling=self.coupling - COUPLING,
            constraint=self.weight + self.multiplier - FORCE_FRAC,
            force=self.force - LINEAR,
            residual=self.weight,
            multiplier=self.penalty + RESIDUAL_FRAC - 1 - self.multiplier,
            penalty=self.multiplier + RESIDUAL_FRAC + 1 - ENERGY_FRAC,
        )


def choose_scales(
    potential: Potential, parameters: LangevinParameters, reach: float, headroom: float
) -> Scales:
    """Scales under which the potential fits; ``headroom``: conditions may grow so many times.

    Raises `ProgramError` for a reach that no scale can hold or numbers too far apart.
    """
    if not LEAST <= reach <= 1 / LEAST:
        raise ProgramError(
            f"reach must lie in {LEAST:.0e} to {1 / LEAST:.0e}, not {reach}: give the largest |z|"
        )
    if not (math.isfinite(headroom) and headroom >= 1):
        raise ProgramError(f"headroom must be finite and at least 1, not {headroom}: give 1 or 4")
    s = 2.0 ** math.ceil(math.log2(reach / (STATE_MAX / 2**STATE_FRAC)))
    q = row_scales(potential, parameters, s, headroom)
    k = s * potential.K * q[:, None]
    weight = fraction_bits(k, parameters.weight_max)
    lam = headroom * potential.lam / q**2
    rho = q * most_missed(potential, s, headroom)
    c = _energy_scale(potential, parameters, s, headroom, lam, rho, k, weight)
    multiplier = fraction_bits(2 * c * lam * rho, OPERAND_MAX)
    penalty = fraction_bits(c * lam, COEFFICIENT_MAX)
    multiplier = min(multiplier, penalty + RESIDUAL_FRAC - 1, SHIFT_MAX + FORCE_FRAC - weight)
    scales = Scales(
        length=s,
        energy=c,
        row=q,
        quadratic=fraction_bits(c * s**2 * potential.J2, COEFFICIENT_MAX, QUADRATIC),
        quartic=fraction_bits(c * s**4 * potential.J4, COEFFICIENT_MAX, QUARTIC),
        bias=fraction_bits(headroom * c * s * potential.b, COEFFICIENT_MAX, LINEAR),
        coupling=fraction_bits(c * s**2 * potential.J, parameters.weight_max, COUPLING),
        force=fraction_bits(c * s * potential.force, COEFFICIENT_MAX, LINEAR),
        weight=weight,
        penalty=min(penalty, SHIFT_MAX - RESIDUAL_FRAC + 1 + multiplier),
        multiplier=multiplier,
    )
    shifts = scales.shifts()
    wrong = [name for name in shifts.__slots__ if not 0 <= getattr(shifts, name) <= SHIFT_MAX]
    if wrong:
        raise ProgramError(
            f"the potential's numbers are too far apart for one program ({', '.join(wrong)}): "
            "bring J2, J4, b, J and lambda k k^T within a factor of about 1e5 of each other"
        )
    require_even(2 * c * lam * rho, multiplier)
    return scales


def _energy_scale(
    potential: Potential,
    parameters: LangevinParameters,
    s: float,
    headroom: float,
    lam: Floats,
    rho: Floats,
    k: Floats,
    weight: int,
) -> float:
    """The largest c under which codes, forces and energies within the reach fit."""
    p, y = potential, TOP
    coupling = s**2 * np.abs(p.J)
    pull = 2 * lam * rho
    forces = (
        2 * s**2 * np.abs(p.J2) * y
        + 4 * s**4 * np.abs(p.J4) * y**3
        + headroom * s * np.abs(p.b)
        + coupling.sum(axis=1) * y
        + s * np.abs(p.force)
        + pull @ np.abs(k)
    )
    energies = [
        (s**2 * np.abs(p.J2)).sum() * y**2,
        (s**4 * np.abs(p.J4)).sum() * y**4,
        headroom * (s * np.abs(p.b)).sum() * y,
        coupling.sum() * y**2 / 2,
        float(lam @ rho**2),
        (s * np.abs(p.force)).sum() * y,
    ]
    limits = [
        LARGEST_FORCE / max(float(forces.max()), 1e-300),
        LARGEST_ENERGY / max(max(map(float, energies)), 1e-300),
        parameters.weight_max / 2**COUPLING / max(float(coupling.max(initial=0.0)), 1e-300),
        OPERAND_MAX / 2.0 ** (FORCE_FRAC - weight) / max(float(pull.max(initial=0.0)), 1e-300),
    ]
    least = min(limits)
    return 2.0 ** math.floor(math.log2(least)) if least < 1e200 else 1.0  # V = 0 needs no scale

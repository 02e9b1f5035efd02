"""Scales of constraint rows: each row may be stretched by a power of two of its own.

    r_device = q_a r_a,      k_device = s q_a k_a,      lambda_device = c lambda_a / q_a^2

leaves ``lambda r^2`` and its forces as they are, but moves bits: couplings k have one format and
scale for all rows, and so have the multipliers ``m_a = 2 lambda r``, which grow as 1/q_a. Rows are
stretched until their largest entry is near 1; rows that pull much less than the strongest one are
stretched less, as far as their entries stay exact, or a few bits where they do not.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import (
    OPERAND_FRAC,
    OPERAND_MAX,
    RESIDUAL_FRAC,
    RESIDUAL_MAX,
    SHIFT_MAX,
)
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_models.energies.potential import Potential

__all__ = ["TOP", "fraction_bits", "most_missed", "require_even", "row_scales"]

Floats = NDArray[np.float64]

TOP = OPERAND_MAX / 2**OPERAND_FRAC
"""Largest |y| of a state in the device's unit."""
LARGEST_RESIDUAL = RESIDUAL_MAX / 2**RESIDUAL_FRAC
LEAST = 2.0**-100
"""The smallest row that is scaled up to the formats."""
KEPT = 9
"""Bits that a weak row's multiplier keeps before its couplings give some up ..."""
GIVEN = 4
"""... and how many these give at most."""
MOST = 5
"""Bits that a weak row whose couplings stay exact is stretched less: its residual loses them."""
FEWEST = 32
"""Codes that the largest k of a row must have."""
COARSEST = 2.0**-6
"""Of a row's largest multiplier: the largest step in which it may be held."""


def row_scales(
    potential: Potential, parameters: LangevinParameters, s: float, headroom: float
) -> Floats:
    """``q[m]``, powers of two, for states ``z = s y``.

    Raises: ProgramError for a row whose d is so large beside its k that k would be lost.
    """
    k = s * potential.K
    largest = np.abs(k).max(axis=1, initial=0.0)
    largest = np.where(largest > 0, np.maximum(largest, LEAST), 1.0)  # a row of zeros is as it is
    reach = np.abs(k).sum(axis=1) * TOP + headroom * np.abs(potential.d)
    room = LARGEST_RESIDUAL / 2 / np.maximum(reach, LEAST)
    q = np.exp2(np.floor(np.log2(np.minimum(1 / largest, room))))
    bits = fraction_bits(k * q[:, None], parameters.weight_max)
    coarse = (q * largest * 2.0**bits < FEWEST) & k.any(axis=1)
    if coarse.any():
        at = int(coarse.argmax())
        raise ProgramError(
            f"constraint {at} has d = {potential.d[at]:g} (times {headroom:g} of headroom) and its "
            f"largest k moves it by {largest[at] * TOP:g} at most: the residual's format cannot "
            "hold both beside the other rows, choose a larger reach, less headroom, or move the "
            "origin of z towards d"
        )
    pull = 2 * potential.lam * most_missed(potential, s, headroom) / q
    strongest = float(pull.max(initial=0.0))
    for a in np.flatnonzero(pull > 0):
        weaker = math.floor(math.log2(strongest / pull[a]))
        codes = k[a] * q[a] * 2.0**bits
        exact = 0
        while exact < min(weaker, MOST) and _even(codes / 2.0 ** (exact + 1)):
            exact += 1
        q[a] /= 2.0 ** max(exact, min(GIVEN, weaker - KEPT))
    return np.asarray(q)


def most_missed(potential: Potential, s: float, headroom: float) -> Floats:
    """The largest ``|r_a|`` that pulls, over all states that fit: ``[m]``."""
    span = np.abs(s * potential.K).sum(axis=1) * TOP
    d = potential.d
    hinge = np.maximum(span - d + (headroom - 1) * np.abs(d), 0.0)
    return np.asarray(np.where(potential.hinge, hinge, span + headroom * np.abs(d)))


def require_even(pulls: Floats, bits: int) -> None:
    """Refuse rows whose multipliers, ``pulls[m]`` at most, are held too coarsely in ``bits``.

    Raises: ProgramError naming the weakest row.
    """
    active = np.flatnonzero(pulls > 0)
    if not len(active):
        return
    weakest = int(active[pulls[active].argmin()])
    step = 2.0**-bits / pulls[weakest]
    if step > COARSEST:
        raise ProgramError(
            f"constraint {weakest} pulls {pulls.max() / pulls[weakest]:.3g} times less than the "
            f"strongest one and would be held in steps of {step:.2g} of its range (at most "
            f"{COARSEST:.2g}): make lambda k more even, choose a smaller reach or less headroom"
        )


def fraction_bits(values: Floats, largest: int, least: int = 0) -> int:
    """The most fraction bits under which all codes fit; ``least`` + 14 where all values are 0."""
    top = float(np.abs(values).max(initial=0.0))
    if top == 0:
        return least + OPERAND_FRAC
    # a quotient a rounding error below a power of two is one: what overflows by it rounds back
    bits = math.floor(math.log2(largest / top) + 1e-9)
    return min(bits, least + SHIFT_MAX)


def _even(codes: Floats) -> bool:
    """Whether all codes are whole."""
    return bool((np.rint(codes) == codes).all())

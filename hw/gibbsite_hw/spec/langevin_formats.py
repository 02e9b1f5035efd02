"""Fixed-point formats of the Langevin engine, and the one way in which it rounds.

    value = code / 2^FRAC,        round_shift(v, s) = (v + (2^s >> 1)) >> s

Codes are two's complement and symmetric: the most negative code is never used, so that negation is
exact. `saturate` is the only way in which a value may not fit, and every use of it is counted.
"""

__all__ = [
    "ACCUMULATOR_MAX",
    "COEFFICIENT_BITS",
    "COEFFICIENT_MAX",
    "DITHER_BITS",
    "ENERGY_FRAC",
    "ENERGY_MAX",
    "FORCE_FRAC",
    "FORCE_MAX",
    "HEAT_FRAC",
    "MANTISSA_BITS",
    "MANTISSA_MAX",
    "NOISE_LIFT",
    "OPERAND_FRAC",
    "OPERAND_MAX",
    "OPERAND_SHIFT",
    "REPEAT_MAX",
    "RESIDUAL_FRAC",
    "RESIDUAL_MAX",
    "SHIFT_MAX",
    "STATE_FRAC",
    "STATE_MAX",
    "STRENGTH_FRAC",
    "STRENGTH_MAX",
    "TERMS",
    "round_shift",
    "saturate",
]

TERMS = ("quadratic", "quartic", "bias", "coupling", "constraint", "force")
"""Terms of V in the order of their strengths; "force" is the linear term that protocols drive."""

STATE_FRAC = 28
"""A state z_i has 32 bits: -8 to 8 in the device's own unit of length."""
OPERAND_FRAC = 14
"""What enters products: z_i rounded to 18 bits, and the multiplier m_a of a constraint."""
OPERAND_MAX = (1 << 17) - 1
OPERAND_SHIFT = STATE_FRAC - OPERAND_FRAC
STATE_MAX = OPERAND_MAX << OPERAND_SHIFT
"""States saturate here, so that a rounded state always is an operand."""

COEFFICIENT_BITS = 24
"""J2, J4, b and force are signed, lambda is not negative; a program chooses their scales."""
COEFFICIENT_MAX = (1 << (COEFFICIENT_BITS - 1)) - 1

FORCE_FRAC = 20
FORCE_MAX = (1 << 35) - 1
"""Gradients have 36 bits."""

STRENGTH_FRAC = 16
STRENGTH_MAX = (1 << 17) - 1
"""Strengths of terms lie in -2 to 2."""

RESIDUAL_FRAC = 14
RESIDUAL_MAX = (1 << 25) - 1
"""Residuals k.z - d have 26 bits."""

MANTISSA_BITS = 18
MANTISSA_MAX = (1 << MANTISSA_BITS) - 1
"""mu dt, sqrt(2 mu kT dt) and the spread of the start are mantissa / 2^shift."""
DITHER_BITS = 8
"""A step is summed with this many bits below the state's last one and rounded stochastically."""
NOISE_LIFT = 16
"""Bits by which mantissa times Gaussian code is lifted before its shift."""

ENERGY_FRAC = 20
ENERGY_MAX = (1 << 41) - 1
"""Sums of one term over all units have 42 bits."""
HEAT_FRAC = 28
"""Heat and work."""
ACCUMULATOR_MAX = (1 << 62) - 1
"""Heat, work and moments."""

SHIFT_MAX = 47
REPEAT_MAX = (1 << 24) - 1
"""Most steps of one schedule entry."""


def round_shift(value: int, shift: int) -> int:
    """Division by 2^shift, rounded to nearest, halves up."""
    return (value + (1 << shift >> 1)) >> shift


def saturate(value: int, largest: int) -> int:
    """The nearest value in -largest..largest."""
    return max(-largest, min(largest, value))

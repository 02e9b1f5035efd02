"""What a potential is run under besides its couplings: a condition, and strengths of its terms."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import clamped, numbers

__all__ = ["TERMS", "Condition", "require_strengths"]

Array = NDArray[np.float64]

TERMS = ("quadratic", "quartic", "bias", "coupling", "constraint", "force")
"""The terms of V in the order of strengths, of `Potential.terms` and of `Potential.forces`."""


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """What may be streamed without touching couplings: full arrays, or None to keep what stands.

    ``clamps`` maps a unit to the value at which it is held. Whether shapes and units fit is seen in
    `Potential.conditioned`.

    Raises: ProgramError for what is no array of numbers, clamps that are no mapping of units.
    """

    bias: Array | None = None
    d: Array | None = None
    lam: Array | None = None
    clamps: Mapping[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bias", "d", "lam"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, numbers(name, value))
        object.__setattr__(self, "clamps", clamped(self.clamps))


def require_strengths(strengths: ArrayLike | None) -> Array:
    """Strengths ``[6]`` in the order of `TERMS`, all 1 where none are given.

    Raises: ProgramError unless they are six finite numbers.
    """
    if strengths is None:
        return np.ones(len(TERMS))
    result = numbers("strengths", strengths)
    if result.shape != (len(TERMS),) or not np.isfinite(result).all():
        raise ProgramError(
            f"strengths must be {len(TERMS)} finite numbers and are {strengths!r}; give one for "
            f"each of {', '.join(TERMS)}"
        )
    return result

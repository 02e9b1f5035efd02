r"""Hidden units that choose one of 2^M codes with equal probability: bits and their decoders.

    U(h) = sum_i a (h_i^2 - A^2)^2 - g sum_(c, m) S_cm h_c h_m + g A (M - 1) sum_c h_c,

M bits and 2^M decoders c, S the signs of code c's bits, ``g = drive a A^2``. A decoder's field is
+g A where all bits agree with its code and -g A, -3 g A, ... where 1, 2, ... disagree, so that
exactly one decoder is on. Bits start at 0, the top of their wells, and fall to either side by
noise; a decoder that is on holds its own bits. Flipping a bit and swapping decoders leaves U as it
is: no code is favoured.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["Selector"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selector:
    """M bits and 2^M decoders; ``stiffness`` is the wells' second derivative 8 a A^2.

    Raises: ProgramError for less than 1 or more than 6 bits and numbers that are not above 0.
    """

    bits: int
    amplitude: float = 3.5
    stiffness: float = 1.0
    drive: float = 2.3

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 6:
            raise ProgramError(f"a selector has 1 to 6 bits and {self.bits} were asked for")
        for name in ("amplitude", "stiffness", "drive"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ProgramError(f"a selector's {name} must be above 0 and is {value}")

    @property
    def codes(self) -> int:
        """How many codes there are, 2^M."""
        return int(2**self.bits)

    @property
    def size(self) -> int:
        """How many hidden units: bits first, then decoders."""
        return self.bits + self.codes

    @property
    def signs(self) -> Array:
        """``S[codes, bits]``, -1 or +1."""
        return np.array(list(product((-1.0, 1.0), repeat=self.bits)))

    def parameters(self) -> tuple[Array, Array, Array, Array]:
        """``J2, J4, b[size]`` and ``J[size, size]`` of U."""
        a = self.stiffness / (8 * self.amplitude**2)
        g = self.drive * a * self.amplitude**2
        J = np.zeros((self.size, self.size))
        J[self.bits :, : self.bits] = -g * self.signs
        b = np.zeros(self.size)
        b[self.bits :] = g * self.amplitude * (self.bits - 1)
        ones = np.ones(self.size)
        return -2 * a * self.amplitude**2 * ones, a * ones, b, J + J.T

    def minima(self) -> Array:
        """The minimum of U that belongs to each code, ``[codes, size]``, to rounding.

        Newton's method from where the code's own signs put every unit.
        """
        J2, J4, b, J = self.parameters()
        on = 2 * np.eye(self.codes) - 1
        h = 1.4 * self.amplitude * np.concatenate([self.signs, on], axis=1)
        for _ in range(60):
            slope = h @ J + b + 2 * J2 * h + 4 * J4 * h**3
            curvature = J + (2 * J2 + 12 * J4 * h * h)[:, :, None] * np.eye(self.size)
            h = h - np.linalg.solve(curvature, slope[..., None])[..., 0]
        return np.asarray(h)

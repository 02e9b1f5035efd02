r"""Hidden units that choose one of 2^M codes with equal probability: bits and their decoders.

    U(h) = sum_m (e h_m^4 - 1/2 rise h_m^2) + sum_c a h_c^4
         - g sum_(c, m) S_cm h_c h_m + g B (M - 1) sum_c h_c

with M bits m, 2^M decoders c, S the signs of code c's bits and ``g B = 4 a A^3``. With bits at +-B,
a decoder's field is +g B where all agree with its code and -g B, -3 g B, ... where 1, 2, ...
disagree: it rests at A and at ``-A (2 k - 1)^(1/3)``, and exactly one decoder is on. A is such that
the largest of these numbers is B too. Bits start at 0, the top of their wells, and fall to either
side by noise; decoders that are off push a bit both ways alike, the one that is on holds its code,
and e is such that bits come to rest at +-B. Flipping a bit and swapping decoders leaves U as it is:
no code is favoured.
"""

from dataclasses import dataclass
from itertools import product
from math import comb

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["Selector"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selector:
    """M bits and 2^M decoders.

    ``swing`` is B, the largest number that any unit rests at; ``stiffness`` a decoder's second
    derivative 12 a A^2 at A; ``rise`` the negative second derivative of a bit at 0, which sets how
    fast bits decide.

    Raises: ProgramError for less than 1 or more than 6 bits and numbers that are not above 0.
    """

    bits: int
    swing: float = 6.5
    stiffness: float = 1.0
    rise: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 6:
            raise ProgramError(f"a selector has 1 to 6 bits and {self.bits} were asked for")
        for name in ("swing", "stiffness", "rise"):
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

    def levels(self) -> Array:
        """Where a decoder rests when 0, 1, ... M bits disagree with its code: ``[M + 1]``."""
        return np.asarray(self.amplitude * np.cbrt(1.0 - 2 * np.arange(self.bits + 1)))

    @property
    def amplitude(self) -> float:
        """A: where the decoder that is on rests."""
        return float(self.swing / np.cbrt(2.0 * self.bits - 1))

    def parameters(self) -> tuple[Array, Array, Array, Array]:
        """``J2, J4, b[size]`` and ``J[size, size]`` of U."""
        A, B, M = self.amplitude, self.swing, self.bits
        a = self.stiffness / (12 * A * A)
        g = 4 * a * A**3 / B
        J = np.zeros((self.size, self.size))
        J[M:, :M] = -g * self.signs
        b = np.zeros(self.size)
        b[M:] = g * B * (M - 1)
        # of the decoders at k disagreements, so many more agree with a bit than disagree
        agree = [comb(M - 1, k) - (comb(M - 1, k - 1) if k else 0) for k in range(M + 1)]
        push = g * float(self.levels() @ np.array(agree, dtype=np.float64))
        J2, J4 = np.zeros(self.size), np.full(self.size, a)
        J2[:M] = -self.rise / 2
        J4[:M] = (push + self.rise * B) / (4 * B**3)
        return J2, J4, b, J + J.T

    def minima(self) -> Array:
        """The minimum of U that belongs to each code, ``[codes, size]``."""
        apart = (self.signs[:, None] != self.signs[None]).sum(axis=2)
        return np.concatenate([self.swing * self.signs, self.levels()[apart]], axis=1)

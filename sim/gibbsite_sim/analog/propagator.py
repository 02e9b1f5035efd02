r"""A linear network over one step, exactly: no substeps, whatever its time constants.

    x = (z, y),   dx = -B x dt + f dt + G dW:    x(1) = A x(0) + P f + L xi,    xi normal
    A = exp(-B),   P = int_0^1 exp(-B t) dt,   L L^T = int_0^1 exp(-B t) G G^T exp(-B^T t) dt

by doubling from 2^-DOUBLINGS of a step, where Taylor's series suffices:
``A(2h) = A A``, ``P(2h) = P + A P``, ``Q(2h) = Q + A Q A^T``. B need not be stable or regular.

Source: C. Van Loan, Computing integrals involving the matrix exponential, 1978.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Propagator"]

Floats = NDArray[np.float64]
Single = NDArray[np.float32]

DOUBLINGS: Final = 14


class Propagator:
    """The step of a network ``B[2n, 2n]``, noise ``amplitude[n]`` and forces ``[n]`` on z alone."""

    def __init__(self, B: Floats, amplitude: Floats) -> None:
        size, n = len(B), len(amplitude)
        h = 2.0**-DOUBLINGS
        one = np.eye(size)
        D = np.zeros_like(B)
        D[:n, :n] = np.diag(amplitude**2)
        H = h * B
        A = one - H + H @ H / 2 - H @ H @ H / 6
        P = h * (one - H / 2 + H @ H / 6)
        Q = h * (D - (H @ D + D @ H.T) / 2 + (H @ H @ D + 2 * H @ D @ H.T + D @ H.T @ H.T) / 6)
        for _ in range(DOUBLINGS):
            Q = Q + A @ Q @ A.T
            P = P + A @ P
            A = A @ A
        values, vectors = np.linalg.eigh((Q + Q.T) / 2)
        L = vectors * np.sqrt(np.maximum(values, 0))
        self._matrix = np.hstack([A, P[:, :n], L]).astype(np.float32)

    def step(self, x: Single, force: Single, noise: Single) -> Single:
        """The next ``x[2n, chains]``; ``force[n, chains]``, ``noise[2n, chains]``."""
        moved: Single = self._matrix @ np.concatenate([x, force, noise])
        return moved

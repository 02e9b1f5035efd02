r"""Thermodynamic linear algebra: `solve` and `inverse` from the equilibrium of coupled wells.

    V(x) = 1/2 x.A x - b.x at kT          mean  A^-1 b          covariance  kT A^-1

for a symmetric positive definite A. A device in contact with a bath of temperature kT visits the
law exp(-V/kT); its mean answers `solve`, its second moments `inverse`. Errors fall as one over the
square root of the samples.

**Scaling.** The device holds ``z = D x`` with ``D = sqrt(diag A)``: a diagonal of 1 for the matrix
``D^-1 A D^-1`` whose entries then lie in -1 to 1, the range that its couplings resolve best.

**Bias.** The mean has none. `inverse` corrects the finite step and the rounding of the couplings,
with A_h what the device holds and C the second moment it found,

    X = C (1 - mu dt A_h / 2) / kT        = A_h^-1, exactly
    A^-1 = X + X (A_h - A) X + ...        to second order in the rounding

so the host makes three matrix products. See `gibbsite.algorithms.gaussian_well` for the rest.

Source: M. Aifer et al., Thermodynamic linear algebra, arXiv:2308.05660, sections "Solving linear
systems" and "Estimating the inverse".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.algorithms.gaussian_well import (
    DEVICE,
    MOST_SEED,
    MU,
    GaussianWell,
    require_units,
)
from gibbsite.algorithms.opening import opened
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, numbers

__all__ = ["Estimate", "inverse", "solve"]

Floats = NDArray[np.float64]

SMALLEST, LARGEST = 1e-60, 1e60
"""Of the diagonal of A, and of any number of A and b: squares and products stay in float64."""
SYMMETRY = 1e-10
"""Asymmetry that counts as rounding, relative to the largest entry."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """``value`` with the ``standard_error`` of each of its numbers, from ``samples`` states.

    The error is that of the chains' own averages about each other, so correlation along a chain is
    counted. ``info``: seed, device, counters, step, burn-in, rounding of the couplings.
    """

    value: Floats
    standard_error: Floats
    samples: int
    info: dict[str, Any]


def solve(
    A: ArrayLike,
    b: ArrayLike,
    *,
    samples: int = 4096,
    kT: float = 1.0,
    chains: int = 64,
    seed: int = 0,
    device: Device | str = DEVICE,
    progress: Progress | None = None,
) -> Estimate:
    """``A^-1 b`` as the mean of at least ``samples`` states.

    A[n, n] is symmetric positive definite, b[n]. Errors are near ``1.3 sqrt(kT A^-1_ii / N)``,
    since states of a chain are a relaxation time apart: a lower kT is a smaller error, for any b.

    Raises: ProgramError for a matrix or vector that is not such, or that the device cannot hold.
    """
    matrix, scale = _scaled(A)
    right = _vector(b, len(matrix))
    return _estimate(
        matrix, right / scale, scale, False, samples, kT, chains, seed, device, progress
    )


def inverse(
    A: ArrayLike,
    *,
    samples: int = 4096,
    kT: float = 1.0,
    chains: int = 64,
    seed: int = 0,
    device: Device | str = DEVICE,
    progress: Progress | None = None,
) -> Estimate:
    """``A^-1`` from the second moments of at least ``samples`` states; relative error sqrt(2/N).

    A[n, n] is symmetric positive definite. n (n + 1)/2 moments beyond the device's memory of pairs
    take several runs of the same chains. The error does not depend on kT.

    Raises: ProgramError for a matrix that is not such, or that the device cannot hold.
    """
    matrix, scale = _scaled(A)
    return _estimate(
        matrix, np.zeros(len(matrix)), scale, True, samples, kT, chains, seed, device, progress
    )


def _estimate(
    matrix: Floats,
    right: Floats,
    scale: Floats,
    inverted: bool,
    samples: int,
    kT: float,
    chains: int,
    seed: int,
    device: Device | str,
    progress: Progress | None,
) -> Estimate:
    samples, chains, seed = (
        count("samples", samples), count("chains", chains, 2), count("seed", seed, 0, MOST_SEED)
    )  # fmt: skip
    draws = -(-samples // chains)
    with opened(device) as found:
        require_units(len(matrix), found)
        well = GaussianWell(matrix, right, kT, found, seed)
        # states one relaxation time apart are nearly independent: closer ones cost more than
        # they tell
        if inverted:
            second = well.second(chains, draws, well.relaxation, progress)
            each = _corrected(second, well) / np.outer(scale, scale)
        else:
            each = well.mean(chains, draws, well.relaxation, progress) / scale
        error = each.std(axis=0, ddof=1) / np.sqrt(chains)
        return Estimate(each.mean(axis=0), error, chains * draws, well.info())


def _corrected(second: Floats, well: GaussianWell) -> Floats:
    """``A^-1`` of every chain from its second moments at the finite dt, and the held matrix.

    Linear in each chain's moments, so that the chains' spread is the error of their mean.
    """
    held = well.held
    X = second @ (np.eye(well.size) - MU * well.dt / 2 * held) / well.kT
    X = (X + X.transpose(0, 2, 1)) / 2
    mean = X.mean(axis=0)
    return np.asarray(X + mean @ (held - well.A) @ mean)


def _scaled(A: ArrayLike) -> tuple[Floats, Floats]:
    """``D^-1 A D^-1`` and the diagonal D, or a refusal."""
    matrix = numbers("A", A)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ProgramError(f"A must be a square matrix and has shape {matrix.shape}")
    if not (np.abs(matrix) <= LARGEST).all():
        i, j = (int(k) for k in np.argwhere(~(np.abs(matrix) <= LARGEST))[0])
        raise ProgramError(
            f"A[{i},{j}] is {matrix[i, j]}; all numbers must be finite and at most {LARGEST:g} in "
            "size: choose other units"
        )
    skew = np.abs(matrix - matrix.T)
    if skew.max() > SYMMETRY * np.abs(matrix).max():
        i, j = (int(k) for k in np.unravel_index(int(skew.argmax()), skew.shape))
        raise ProgramError(
            f"A must be symmetric and holds A[{i},{j}] = {matrix[i, j]:g}, A[{j},{i}] = "
            f"{matrix[j, i]:g}: solve A^T A x = A^T b instead"
        )
    diagonal = np.diag(matrix)
    if 0 < diagonal.min() < SMALLEST:
        i = int(diagonal.argmin())
        raise ProgramError(
            f"A[{i},{i}] is {diagonal[i]:g}; a diagonal must be at least {SMALLEST:g}, since "
            "squares of 1/A must be numbers: choose other units"
        )
    if diagonal.min() > 0:
        scale = np.sqrt(diagonal)
        scaled = (matrix + matrix.T) / 2 / scale / scale[:, None]
        np.fill_diagonal(scaled, 1.0)
        least = float(np.linalg.eigvalsh(scaled)[0])
        if least > 1e-12:
            return scaled, scale
    least = float(np.linalg.eigvalsh(matrix)[0])
    raise ProgramError(
        f"A must be positive definite and its smallest eigenvalue is {least:.3g}: V = 1/2 x.A x "
        "would have no law; add a multiple of the identity"
    )


def _vector(b: ArrayLike, size: int) -> Floats:
    vector = numbers("b", b)
    if vector.shape != (size,):
        raise ProgramError(f"b must have shape ({size},) as A does and has {vector.shape}")
    if not (np.abs(vector) <= LARGEST).all():
        at = int(np.argmax(~(np.abs(vector) <= LARGEST)))
        raise ProgramError(
            f"b[{at}] is {vector[at]}; all numbers must be finite and at most {LARGEST:g} in size: "
            "choose other units"
        )
    return vector

"""Entropy production of trajectories, with its error bar.

    Sigma = sum_k Q_k / kT_k  +  S(end) - S(start)

The first part is what the bath takes, from the device's Stratonovich heat. The second is the change
of the system's own entropy, in units of k; it is estimated by that of the Gaussian of the same
covariance, ``1/2 ln det C_end / det C_start``, which is exact for Gaussian states and else an
approximation. It is None where chains are too few for it or all start at one point.

Source: U. Seifert, Rep. Prog. Phys. 75 (2012) 126001, equations 24 to 28.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["EntropyProduction", "entropy_production"]

Floats = NDArray[np.float64]

CHAINS_PER_UNIT = 4
"""Chains that a covariance of so many units needs."""
BLOCKS = 20
"""Blocks of a chain on its own: they stand for independent chains in the error bar."""


@dataclass(frozen=True, slots=True)
class EntropyProduction:
    """Means over chains, in units of k, with standard errors.

    ``bath`` is the entropy given to the bath, ``system`` the change of the system's own, ``total``
    their sum; None where it is not known.
    """

    bath: float
    bath_error: float | None
    system: float | None
    system_error: float | None

    @property
    def total(self) -> float | None:
        """``bath + system``."""
        return None if self.system is None else self.bath + self.system

    @property
    def total_error(self) -> float | None:
        """The two errors in quadrature."""
        if self.system_error is None or self.bath_error is None:
            return None
        return float(np.hypot(self.bath_error, self.system_error))


def entropy_production(heat: Floats, states: Floats, kT: Floats) -> EntropyProduction:
    """From ``heat[chains, frames]`` since the start, ``states[chains, frames, n]``, ``kT[frames]``.

    ``kT`` is that of all steps since the frame before, NaN where they had several or were not
    measured. Raises `ProgramError` there, without a step, or at kT = 0.
    """
    frames = heat.shape[1]
    if frames < 2:
        raise ProgramError("entropy is produced between frames and there is 1: record two or more")
    if np.isnan(kT[1:]).any():
        at = int(np.isnan(kT[1:]).argmax()) + 1
        raise ProgramError(
            f"the steps to frame {at} had more than one kT, or were not measured, so their heat "
            "has no one temperature: record more frames (every=1 always works) and measure all"
        )
    if not (kT[1:] > 0).all():
        raise ProgramError("a bath at kT = 0 takes no entropy: use steps of kT above 0")
    given = np.diff(heat, axis=1) / kT[1:]
    bath = given.sum(axis=1)
    system, system_error = _system(states)
    return EntropyProduction(float(bath.mean()), _error(bath, given), system, system_error)


def _error(bath: Floats, given: Floats) -> float | None:
    """Standard error over chains; of a chain on its own over its blocks."""
    if len(bath) > 1:
        return float(bath.std(ddof=1) / np.sqrt(len(bath)))
    if given.shape[1] < 2 * BLOCKS:
        return None
    blocks = np.array([part.sum() for part in np.array_split(given[0], BLOCKS)])
    return float(blocks.std(ddof=1) * np.sqrt(BLOCKS))


def _system(states: Floats) -> tuple[float | None, float | None]:
    chains, _, n = states.shape
    moving = states.std(axis=(0, 1)) > 0  # clamped units have no entropy
    n = int(moving.sum())
    if n == 0 or chains < CHAINS_PER_UNIT * (n + 1):
        return None, None
    start, end = states[:, 0, moving], states[:, -1, moving]
    if not (start.std(axis=0) > 0).all():
        return None, None
    value = _half_log_det(end) - _half_log_det(start)
    left_out = np.array(
        [
            _half_log_det(np.delete(end, part, axis=0))
            - _half_log_det(np.delete(start, part, axis=0))
            for part in np.array_split(np.arange(chains), min(chains, BLOCKS))
        ]
    )
    spread = ((left_out - left_out.mean()) ** 2).sum()
    return value, float(np.sqrt((len(left_out) - 1) / len(left_out) * spread))


def _half_log_det(samples: Floats) -> float:
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    return 0.5 * float(np.linalg.slogdet(covariance)[1])

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
    their sum; None where it is not known. Bath and system of one chain go against each other, so
    the error of the total is taken from it as a whole and is no sum of theirs.
    """

    bath: float
    bath_error: float | None
    system: float | None
    system_error: float | None
    total_error: float | None

    @property
    def total(self) -> float | None:
        """``bath + system``."""
        return None if self.system is None else self.bath + self.system


def entropy_production(heat: Floats, states: Floats, kT: Floats) -> EntropyProduction:
    """From ``heat[chains, frames]`` since the start, ``states[chains, frames, n]``, ``kT[frames]``.

    ``kT`` is that of all steps since the frame before, NaN where they had several or were not
    measured. Errors are a jackknife's over blocks of chains; of a chain on its own its blocks of
    frames stand for chains. Raises `ProgramError` there, without a step, or at kT = 0.
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
    if len(bath) == 1:
        return EntropyProduction(float(bath[0]), _of_blocks(given[0]), None, None, None)
    parts = np.array_split(np.arange(len(bath)), min(len(bath), BLOCKS))
    without = np.array([np.delete(bath, part).mean() for part in parts])
    ends = _spread_states(states)
    if ends is None:
        return EntropyProduction(float(bath.mean()), _jackknife(without), None, None, None)
    system = _change(*ends)
    left = np.array([_change(*(np.delete(one, part, axis=0) for one in ends)) for part in parts])
    return EntropyProduction(
        float(bath.mean()),
        _jackknife(without),
        system,
        _jackknife(left),
        _jackknife(without + left),
    )


def _of_blocks(given: Floats) -> float | None:
    if len(given) < 2 * BLOCKS:
        return None
    blocks = np.array([part.sum() for part in np.array_split(given, BLOCKS)])
    return float(blocks.std(ddof=1) * np.sqrt(BLOCKS))


def _jackknife(without: Floats) -> float:
    """Standard error from estimates that each leave one block out."""
    spread = ((without - without.mean()) ** 2).sum()
    return float(np.sqrt((len(without) - 1) / len(without) * spread))


def _spread_states(states: Floats) -> tuple[Floats, Floats] | None:
    """First and last states ``[chains, moving units]``, or None where they have no covariance."""
    moving = states.std(axis=(0, 1)) > 0  # clamped units have no entropy
    n = int(moving.sum())
    if n == 0 or len(states) < CHAINS_PER_UNIT * (n + 1):
        return None
    start, end = states[:, 0, moving], states[:, -1, moving]
    return (start, end) if (start.std(axis=0) > 0).all() else None


def _change(start: Floats, end: Floats) -> float:
    return _half_log_det(end) - _half_log_det(start)


def _half_log_det(samples: Floats) -> float:
    covariance = np.atleast_2d(np.cov(samples, rowvar=False))
    return 0.5 * float(np.linalg.slogdet(covariance)[1])

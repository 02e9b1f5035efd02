"""Were the chains started far enough apart that their agreement means anything?

A chain caught in one mode looks perfect from inside, and chains that all start there agree. Starts
are over-dispersed if they are spread as the law at beta = 0 is, in which all states weigh the same:

    dispersion = mean over pairs of chains and variables [v differs] / (1 - 1/K) >= limit

with K the values of a variable. The limit lies five standard deviations below 1 of starts that are
drawn independently at beta = 0: pairs of chains are pairwise independent, so that the share of one
variable has variance ``(1/K)(1 - 1/K) / pairs``. Starts in antipodal pairs pass, too, and so do
half all-up and half all-down. With `LEAST_CHAINS` of them the chance that all fall into one of two
equal modes is 2^-11, below the alarm of a verdict.

Chains that have forgotten where they started have no overlap with it:

    memory     O_c = sum_k (mean of on_k in chain c - mean over all) (start_ck - 1/K),    mean 0

over chains, since starts at beta = 0 are independent of what is drawn later. It sees a slow drift
of many variables, each too small to be seen alone.

Source: A. Gelman and D. Rubin, Inference from iterative simulation, 1992, section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.pair_model import PairModel
from gibbsite_models.residual_sums import Check, Tally

__all__ = ["LEAST_CHAINS", "StartReport", "memory_check", "start_report"]

Floats: TypeAlias = NDArray[np.float64]

LEAST_CHAINS = 12
"""Chains from which it is unlikely that all fall into the same of two equal modes."""

FAR = 5.0
"""Standard deviations below the dispersion at beta = 0 down to which starts count as spread."""


@dataclass(frozen=True, slots=True)
class StartReport:
    """How the chains were started, as told, and how far apart the starts are found to be."""

    origin: str
    chains: int
    dispersion: float
    limit: float
    over_dispersed: bool


def start_report(model: PairModel, starts: NDArray[np.integer], origin: str) -> StartReport:
    """Whether ``starts[chain, variable]`` are spread as those at beta = 0."""
    values = starts[:, model.free]
    sizes = model.values_of[model.free].astype(np.float64)
    kept = sizes > 1
    values, sizes = values[:, kept], sizes[kept]
    chains = len(starts)
    if chains < 2 or not len(sizes):
        # with no variable free there is one state, and no way to start elsewhere
        alone = not len(sizes) and chains >= LEAST_CHAINS
        return StartReport(origin, chains, 1.0 if alone else 0.0, 1.0, alone)
    pairs = chains * (chains - 1) / 2
    same = np.array([_equal_pairs(column) for column in values.T])
    expected = 1 - 1 / sizes
    dispersion = float((1 - same / pairs).sum() / expected.sum())
    deviation = float(np.sqrt((expected / sizes / pairs).sum()) / expected.sum())
    limit = max(0.0, 1 - FAR * deviation)
    enough = chains >= LEAST_CHAINS
    return StartReport(origin, chains, dispersion, limit, bool(enough and dispersion >= limit))


def memory_check(
    model: PairModel, states: NDArray[np.integer], starts: NDArray[np.integer], alarm: float
) -> Check:
    """Whether ``states[chain, draw, variable]`` still overlap with the starts of their chains.

    It holds for starts that are balanced, as over-dispersed ones are.
    """
    owner = model.variable_of
    uniform = 1 / model.values_of[owner]
    began = np.where(model.free[owner], (model.slot_values(starts) > 0) - uniform, 0.0)
    means = np.stack([(model.slot_values(chain) > 0).mean(axis=0) for chain in states])
    overlap = ((means - means.mean(axis=0)) * began).sum(axis=1)
    draws = states.shape[1]
    tally = Tally()
    for chain in overlap:
        tally.add(draws * chain, 0.0)
    return tally.check("memory", ["overlap with the starts"], alarm)


def _equal_pairs(column: NDArray[np.integer]) -> float:
    counts = np.unique(column, return_counts=True)[1]
    return float((counts * (counts - 1) / 2).sum())

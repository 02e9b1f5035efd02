"""Do draws follow the conditional laws of their model? Residuals, against what they must not see.

At the model's law the residual ``e_k = on_k - P(on_k | rest)`` has mean 0 whatever the rest is, so

    beta          sum_k f_k e_k           the temperature (`gibbsite_models.pseudo_likelihood`)
    variables     e_k                     each slot alone: a stuck spin, a wrong bias
    slopes        f_k e_k                 each slot alone: a field that is not felt, or too much
    calibration   e_k, logit P in a bin   all slots together: cut tails, noise of a wrong shape
    couplings     e_k v_l, e_l v_k        each coupled pair: a wrong coupling, stale neighbours
    neighbours    sum_k e_k e_(k+d)       uncoupled pairs, d = 1..8 in the order of variables:
                                          shared or shifted noise

have mean 0, for any sampler and however draws are correlated in time. Their sums over parts (whole
chains, or long pieces of them) are tested by `gibbsite_models.residual_sums`.

Source: C. Stein, P. Diaconis, S. Holmes and G. Reinert, Use of exchangeable pairs in the analysis
of simulations, 2004 (identities of a Gibbs step as checks of a simulation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.calibration import Bin, Calibration
from gibbsite_models.pair_model import Conditionals, PairModel
from gibbsite_models.pseudo_likelihood import EffectiveBeta, effective_beta, score
from gibbsite_models.residual_sums import Check, Tally

__all__ = ["ConditionalReport", "check_conditionals", "slot_names"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Near: TypeAlias = Sequence[tuple[int, Integers, Integers]]

DISTANCES = 8
"""Distances in the order of variables at which residuals are compared."""

MOST_COUPLINGS = 8192
"""Couplings that are checked one by one."""


@dataclass(frozen=True, slots=True)
class ConditionalReport:
    """Beta with its interval, all checks, the calibration by bins, and what was not checked."""

    beta: EffectiveBeta | None
    checks: tuple[Check, ...]
    bins: tuple[Bin, ...]
    not_checked: tuple[str, ...]


def check_conditionals(
    model: PairModel,
    parts: NDArray[np.integer],
    beta: float,
    names: Sequence[str],
    alarm: float,
) -> ConditionalReport:
    """All checks of draws ``parts[part, draw, variable]``; `alarm` is that of each kind.

    ``names`` are those of variables.
    """
    free = np.flatnonzero(model.free[model.variable_of])
    pairs, left_out = _pairs(model)
    near = _near(model)
    sums = _Sums(model, free, pairs, near)
    kept = [model.conditionals(part, beta) for part in parts]
    for part, found in zip(parts, kept, strict=True):
        sums.add(found, part)
    slots = slot_names(model, names)
    checks, not_checked = sums.checks(slots, alarm), list[str]()
    bins: tuple[Bin, ...] = ()
    estimate = None
    calibration = sums.calibration.result(alarm)
    if calibration is None:
        not_checked.append("calibration and effective beta: too few decisions are open")
    else:
        check, bins = calibration
        checks.append(check)
        estimate = effective_beta(lambda at: _scores(model, kept, at), beta, 1 - alarm)
        if estimate is None:
            not_checked.append("effective beta: no field acts, or nothing ever goes against one")
    if left_out:
        not_checked.append(f"couplings: {left_out} beyond the strongest {MOST_COUPLINGS}")
    return ConditionalReport(estimate, tuple(checks), bins, tuple(not_checked))


def slot_names(model: PairModel, names: Sequence[str]) -> list[str]:
    """Each slot as a sentence names it: its variable, and its case if it has any."""
    return [
        names[k] if model.spin[k] else f"case {slot - int(model.first[k])} of {names[k]}"
        for slot, k in enumerate(model.variable_of.tolist())
    ]


class _Sums:
    """The sums of all kinds, part after part."""

    def __init__(self, model: PairModel, free: NDArray[np.intp], pairs: Integers, near: Near):
        self._model, self._free, self._pairs, self._near = model, free, pairs, near
        self._bound = _largest_fields(model)
        self._residual, self._slope, self._coupling, self._neighbour = (Tally() for _ in range(4))
        self.calibration = Calibration()

    def add(self, found: Conditionals, part: NDArray[np.integer]) -> None:
        """Take in one part ``[draw, variable]``."""
        e, p = found.residual, found.probability
        spread = p * (1 - p)
        f = found.field / self._bound
        self._residual.add(e.sum(axis=0), spread.sum(axis=0))
        self._slope.add((f * e).sum(axis=0), (f**2 * spread).sum(axis=0))
        if len(self._pairs):
            one, two = self._pairs.T
            v = self._model.slot_values(part)[:, two]
            self._coupling.add(
                np.einsum("dk,dk->k", e[:, one], v), np.einsum("dk,dk->k", spread[:, one], v**2)
            )
        if self._near:
            self._neighbour.add(
                [(e[:, one] * e[:, two]).sum() for _, one, two in self._near],
                [(spread[:, one] * spread[:, two]).sum() for _, one, two in self._near],
            )
        self.calibration.add(e[:, self._free], p[:, self._free])

    def checks(self, slots: Sequence[str], alarm: float) -> list[Check]:
        """All kinds that have a statistic, but for the calibration."""
        checks = []
        if len(self._free):
            shown = [slots[k] for k in self._free]
            checks.append(self._residual.only(self._free).check("variables", shown, alarm))
            checks.append(self._slope.only(self._free).check("slopes", shown, alarm))
        if len(self._pairs):
            shown = [f"{slots[i]} beside {slots[j]}" for i, j in self._pairs.tolist()]
            checks.append(self._coupling.check("couplings", shown, alarm))
        if self._near:
            shown = [f"variables {distance} apart" for distance, _, _ in self._near]
            checks.append(self._neighbour.check("neighbours", shown, alarm))
        return checks


def _scores(model: PairModel, kept: Sequence[Conditionals], beta: float) -> tuple[Floats, Floats]:
    pairs = [score(model, found, beta) for found in kept]
    return np.array([u for u, _ in pairs]), np.array([i for _, i in pairs])


def _largest_fields(model: PairModel) -> Floats:
    """A bound on each slot's ``|f|``, at least 1e-300, so that ``f / bound`` is in -1..1."""
    bound = np.abs(model.linear)
    np.add.at(bound, model.low, np.abs(model.weight))
    np.add.at(bound, model.high, np.abs(model.weight))
    bounds: Floats = np.maximum(bound, 1e-300)
    return bounds


def _pairs(model: PairModel) -> tuple[Integers, int]:
    """Coupled slots as ``(residual's, value's)``, both ways, and how many are left out."""
    free = model.free[model.variable_of]
    strongest = np.argsort(-np.abs(model.weight), kind="stable")
    kept = np.sort(strongest[:MOST_COUPLINGS])
    low, high = model.low[kept], model.high[kept]
    both = np.concatenate([np.stack([low, high], axis=1), np.stack([high, low], axis=1)])
    return both[free[both[:, 0]]], len(model.weight) - len(kept)


def _near(model: PairModel) -> Near:
    """Of each distance the uncoupled variables that far apart: the first slots of both."""
    owner, n = model.variable_of, model.variables
    one, two = owner[model.low], owner[model.high]
    coupled = np.unique(np.minimum(one, two) * n + np.maximum(one, two))
    near = []
    for distance in range(1, min(DISTANCES, n - 1) + 1):
        begin = np.arange(n - distance)
        apart = ~np.isin(begin * n + begin + distance, coupled)
        kept = begin[apart & model.free[begin] & model.free[begin + distance]]
        if len(kept):
            near.append((distance, model.first[kept], model.first[kept + distance]))
    return near

"""Draws against an exact law: total variation beside its noise floor, mean energy, moments.

    TV = 1/2 sum_v |count(v) / N - P(v)|        over all states, or those of a few variables

As many independent exact draws show a total variation, too: its noise floor. The floor is the
quantile that they exceed with probability `alarm`, of a Pearson III law with the mean, spread and
skewness of simulated distances; its tail is no lighter than that of one state's half-normal
deviation and it is normal where many states share it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.conditional_checks import slot_names
from gibbsite_models.convergence import autocorrelation_time
from gibbsite_models.exact.enumeration import total_variation
from gibbsite_models.exact.transfer_matrix import Clique, TransferMatrix
from gibbsite_models.pair_model import PairModel
from gibbsite_models.residual_sums import Check, Tally

__all__ = [
    "MOST_STATES",
    "CertificateError",
    "Law",
    "MeanEnergy",
    "TotalVariation",
    "block_distance",
    "boltzmann_law",
    "distance",
    "mean_energy",
    "moment_checks",
    "noise_limit",
]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

MOST_STATES = 1 << 16
"""States up to which a law is enumerated."""

BLOCK_STATES = 64
"""States of a few variables up to which their joint law is compared."""

BLOCKS = 2
"""Sets of variables whose joint law is compared."""

REPLICAS = 1_000_000
"""States of all replicas of the noise floor together, which bounds its time."""


class CertificateError(GibbsiteError, ValueError):
    """Draws or a law that cannot be certified as they are."""


@dataclass(frozen=True, slots=True)
class Law:
    """An enumerated law: ``values[state, variable]``, the energy and probability of each state."""

    values: Integers
    energies: Floats
    probabilities: Floats


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """Distance to an exact law beside its noise floor for that many independent draws.

    ``of`` are the variables whose states are compared. ``excluded`` counts draws of states that the
    law excludes; one is a failure.
    """

    of: str
    distance: float
    floor: float
    states: int
    draws: int
    excluded: int
    within: bool


@dataclass(frozen=True, slots=True)
class MeanEnergy:
    """The mean energy of the draws, that of the law, and how many standard errors lie between."""

    found: float
    exact: float
    deviation: float
    limit: float
    within: bool


def boltzmann_law(
    domains: Sequence[Sequence[int]],
    energy: Callable[[Integers], Floats],
    beta: float,
) -> Law:
    """``exp(-beta E) / Z`` over all combinations of the variables' values.

    ``energy`` takes ``values[state, variable]`` and gives one energy a state. Clamped variables
    have a domain of one value.

    Raises `CertificateError` beyond MOST_STATES states.
    """
    states = math.prod(len(domain) for domain in domains)
    if states > MOST_STATES:
        raise CertificateError(
            f"the model has {states} states and at most {MOST_STATES} are enumerated: certify it "
            "without a law"
        )
    axes = np.meshgrid(*(np.asarray(domain, dtype=np.int64) for domain in domains), indexing="ij")
    values = np.stack([axis.reshape(-1) for axis in axes], axis=1)
    energies = np.asarray(energy(values), dtype=np.float64)
    weight = np.exp(-beta * (energies - energies.min()))
    return Law(values, energies, weight / weight.sum())


def noise_limit(law: Floats, draws: int, alarm: float, seed: int = 1) -> float:
    """The total variation that so many exact, independent draws exceed with probability `alarm`."""
    flat = law.reshape(-1)
    flat = flat[flat > 0] / flat.sum()
    if len(flat) == 1:
        return 0.0
    replicas = int(np.clip(REPLICAS // len(flat), 300, 2000))
    random = np.random.default_rng(seed)
    distances = np.concatenate(
        [
            np.abs(random.multinomial(draws, flat, min(200, replicas - done)) / draws - flat).sum(1)
            for done in range(0, replicas, 200)
        ]
    )
    distances = distances / 2
    mean, spread = float(distances.mean()), float(distances.std())
    skew = float((((distances - mean) / spread) ** 3).mean()) if spread > 0 else 0.0
    if skew < 0.05:
        return mean - float(special.ndtri(alarm)) * spread
    shape = 4 / skew**2
    quantile = float(special.gammainccinv(shape, alarm))
    return mean + spread * (quantile - shape) / math.sqrt(shape)


def distance(
    values: NDArray[np.integer], law: Law, effective: float, alarm: float
) -> TotalVariation:
    """Total variation of ``values[draw, variable]`` to an enumerated law."""
    if law.values.shape[1] != values.shape[1]:
        raise CertificateError(
            f"the law has {law.values.shape[1]} variables and the draws {values.shape[1]}: give "
            "the law of these draws"
        )
    every, where = np.unique(np.concatenate([law.values, values]), axis=0, return_inverse=True)
    where = where.reshape(-1)
    states = len(law.values)
    # a state outside the law's support has probability 0 and counts fully
    probabilities = np.zeros(len(every))
    probabilities[where[:states]] = law.probabilities
    counts = np.bincount(where[states:], minlength=len(every))
    draws = max(1, int(min(effective, len(values))))
    found = total_variation(counts.astype(np.int64), probabilities)
    floor = noise_limit(probabilities, draws, alarm)
    excluded = int(counts[probabilities == 0].sum())
    within = bool(found <= floor) and not excluded
    return TotalVariation("all variables", found, floor, states, draws, excluded, within)


def block_distance(
    model: PairModel,
    exact: TransferMatrix,
    values: NDArray[np.integer],
    names: Sequence[str],
    effective: float,
    alarm: float,
) -> TotalVariation | None:
    """The worst total variation among a few sets of variables whose joint law is known exactly.

    ``alarm`` is that of all of them together. None where no variable is free.
    """
    if not exact.cliques:
        return None
    narrow = [_narrowed(clique) for clique in exact.cliques]
    most = max(clique.law.size for clique in narrow)
    largest = [clique for clique in narrow if clique.law.size == most]
    chosen = [largest[k] for k in np.unique(np.linspace(0, len(largest) - 1, BLOCKS).astype(int))]
    draws = max(1, int(min(effective, len(values))))
    index = np.where(model.spin, (values + 1) // 2, values)
    found = []
    for clique in chosen:
        columns = [index[:, k] for k in clique.variables]
        flat = np.ravel_multi_index(columns, clique.law.shape)
        counts = np.bincount(flat, minlength=clique.law.size)
        away = total_variation(counts.astype(np.int64), clique.law.reshape(-1))
        floor = noise_limit(clique.law, draws, alarm / len(chosen))
        of = ", ".join(names[k] for k in clique.variables)
        within = bool(away <= floor)
        found.append(TotalVariation(of, away, floor, clique.law.size, draws, 0, within))
    return max(found, key=lambda one: one.distance - one.floor)


def mean_energy(energy: Floats, exact: float, sigma: float | None, alarm: float) -> MeanEnergy:
    """The mean of ``energy[chain, draw]``; ``sigma`` is the law's spread, else that of the draws.

    The autocorrelation time is taken two of its standard errors longer than estimated.
    """
    spread = float(energy.std()) if sigma is None else sigma
    found = float(energy.mean())
    time, window = autocorrelation_time(energy) if energy.shape[1] >= 8 else (1.0, 0)
    time *= 1 + 2 * math.sqrt(2 * (2 * window + 1) / energy.size)
    error = spread * math.sqrt(time / energy.size)
    limit = -float(special.ndtri(alarm / 2))
    # with one energy alone there is no spread, and the means are equal to rounding
    scale = max(error, 1e-9 * max(1.0, abs(exact)))
    deviation = abs(found - exact) / scale
    return MeanEnergy(found, exact, deviation, limit, bool(deviation <= limit))


def moment_checks(
    model: PairModel,
    exact: TransferMatrix,
    parts: NDArray[np.integer],
    names: Sequence[str],
    alarm: float,
) -> list[Check]:
    """Single means and coupled products of ``parts[part, draw, variable]`` against exact ones."""
    free = np.flatnonzero(model.free[model.variable_of])
    on, pairs = exact.on(), exact.pairs()
    single, joint = Tally(), Tally()
    for part in parts:
        v = model.slot_values(part)
        single.add(((v > 0) - on).sum(axis=0), len(part) * on * (1 - on))
        joint.add((v[:, model.low] * v[:, model.high] - pairs).sum(axis=0), np.zeros(len(pairs)))
    shown = slot_names(model, names)
    checks = []
    if len(free):
        checks.append(single.only(free).check("means", [shown[k] for k in free], alarm))
    if len(pairs):
        both = zip(model.low.tolist(), model.high.tolist(), strict=True)
        checks.append(
            joint.check("products", [f"{shown[i]} with {shown[j]}" for i, j in both], alarm)
        )
    return checks


def _narrowed(clique: Clique) -> Clique:
    """The first variables of a clique, as many as have few states together."""
    kept, states = 0, 1
    while kept < clique.law.ndim and (not kept or states * clique.law.shape[kept] <= BLOCK_STATES):
        states *= clique.law.shape[kept]
        kept += 1
    law = clique.law.sum(axis=tuple(range(kept, clique.law.ndim)))
    return Clique(clique.variables[:kept], law)

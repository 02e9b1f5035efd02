"""Certificates: what can be said of draws that claim to follow a law, and what was not checked.

    agreement     split R-hat of rank-normalised values, R^2 = (n - 1) / n + var(means) / W over the
                  halves of all chains; its limit follows from the F law of n / tau draws a half
    correlation   tau = 1 + 2 sum_(t <= M) rho(t), M the first with M >= 5 tau(M); ESS = N / tau
    law           total variation to an enumerated law, beside the 99.9 % quantile that as many
                  independent exact draws show (its noise floor); and the mean energy, which sees a
                  wrong temperature first, within its standard error sigma / sqrt(ESS)

Each is taken for the energy and for every variable, and the worst one counts, since symmetric modes
look alike to the energy. Annealed reads claim no equilibrium, so none is certified.

The statistics themselves are in `gibbsite_models.convergence`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.convergence import autocorrelation_time, r_hat_limit, split_r_hat
from gibbsite_models.exact.enumeration import noise_floor, total_variation

__all__ = [
    "Agreement",
    "Autocorrelation",
    "Certificate",
    "CertificateError",
    "Law",
    "MeanEnergy",
    "TotalVariation",
    "boltzmann_law",
    "certify",
]

Floats: TypeAlias = NDArray[np.float64]

ALARM = 1e-3
"""Probability that one check calls a good sampler bad."""

ENOUGH = 50.0
"""Draws per autocorrelation time from which tau itself can be trusted."""

LONG_ENOUGH = 40.0
"""Autocorrelation times in a chain from which its own mean biases them little (by tau / n)."""

MOST_STATES = 1 << 16
"""States up to which a law is enumerated."""

SMALLEST_HALF = 4
"""Draws in half a chain from which chains are compared."""


class CertificateError(GibbsiteError, ValueError):
    """Draws or a law that cannot be certified as they are."""


@dataclass(frozen=True, slots=True)
class Law:
    """An enumerated law: ``values[state, variable]``, the energy and probability of each state."""

    values: NDArray[np.int64]
    energies: Floats
    probabilities: Floats


@dataclass(frozen=True, slots=True)
class Agreement:
    """The statistic on which chains agree least, its R-hat, and the limit for chains that agree."""

    statistic: str
    r_hat: float
    limit: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class Autocorrelation:
    """The slowest statistic, its time in draws, and how many independent draws all are worth.

    ``reliable``: there are enough draws for the time itself to be trusted.
    """

    statistic: str
    time: float
    window: int
    effective_draws: float
    reliable: bool


@dataclass(frozen=True, slots=True)
class TotalVariation:
    """Distance to the enumerated law beside its noise floor for that many independent draws.

    ``excluded`` counts draws of states that the law excludes; one is a failure.
    """

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


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was checked, the verdict, and what was not checked.

    ``equilibrated``: True if every check passed, False if one failed, None if nothing could be
    said.
    """

    claim: Literal["equilibrium", "annealed"]
    equilibrated: bool | None
    verdict: str
    chains: int
    draws: int
    agreement: Agreement | None
    autocorrelation: Autocorrelation | None
    total_variation: TotalVariation | None
    mean_energy: MeanEnergy | None
    not_checked: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The certificate as plain values, for JSON."""
        plain = asdict(self)
        plain["not_checked"] = list(self.not_checked)
        return plain


def certify(
    energies: ArrayLike,
    states: ArrayLike | None = None,
    *,
    claim: Literal["equilibrium", "annealed"] = "equilibrium",
    names: Sequence[str] | None = None,
    law: Law | None = None,
) -> Certificate:
    """The certificate of draws.

    ``energies[chain, draw]``; ``states[chain, draw, variable]`` small integers; ``names`` of the
    variables; ``law`` their exact law where it was enumerated.

    Raises `CertificateError` for arrays that do not fit each other.
    """
    energy, values = _checked(energies, states)
    chains, draws = energy.shape
    if claim == "annealed":
        return Certificate(
            claim,
            None,
            "annealed reads follow no stated law: no equilibrium is claimed",
            chains,
            draws,
            None,
            None,
            None,
            None,
            ("agreement between chains", "autocorrelation", "total variation", "mean energy"),
        )
    series = _series(energy, values, names)
    not_checked: list[str] = []
    correlation = _correlation(series, not_checked)
    agreement = _agreement(series, not_checked)
    effective = energy.size if correlation is None else correlation.effective_draws
    distance, mean = None, None
    if law is None:
        not_checked.append("total variation and mean energy: no enumerated law was given")
    else:
        mean = _mean_energy(energy, law)
        if values is None:
            not_checked.append("total variation: the draws came without their states")
        else:
            distance = _distance(values.reshape(-1, values.shape[2]), law, effective)
    if values is None:
        not_checked.append(
            "agreement and autocorrelation of single variables: no states were given"
        )
    passed, verdict = _verdict(correlation, agreement, distance, mean)
    return Certificate(
        claim,
        passed,
        verdict,
        chains,
        draws,
        agreement,
        correlation,
        distance,
        mean,
        tuple(not_checked),
    )


def boltzmann_law(
    domains: Sequence[Sequence[int]],
    energy: Callable[[NDArray[np.int64]], Floats],
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


def _checked(
    energies: ArrayLike, states: ArrayLike | None
) -> tuple[Floats, NDArray[np.int64] | None]:
    energy = np.asarray(energies, dtype=np.float64)
    if energy.ndim != 2 or not energy.size:
        raise CertificateError(
            f"energies have shape {energy.shape} and must be chains x draws: reshape them"
        )
    if not np.isfinite(energy).all():
        raise CertificateError("an energy is not finite: draw again")
    if states is None:
        return energy, None
    values = np.asarray(states, dtype=np.int64)
    if values.ndim != 3 or values.shape[:2] != energy.shape:
        raise CertificateError(
            f"states have shape {values.shape} and energies {energy.shape}: give chains x draws x "
            "variables"
        )
    return energy, values


def _series(
    energy: Floats, values: NDArray[np.int64] | None, names: Sequence[str] | None
) -> Mapping[str, Floats]:
    """The statistics that are followed, without those that never change at all."""
    series: dict[str, Floats] = {"energy": energy}
    for k in range(0 if values is None else values.shape[2]):
        assert values is not None
        name = names[k] if names is not None else f"variable {k}"
        series[name] = values[:, :, k].astype(np.float64)
    return {name: x for name, x in series.items() if np.ptp(x) > 0}


def _correlation(series: Mapping[str, Floats], not_checked: list[str]) -> Autocorrelation | None:
    if not series:
        not_checked.append("autocorrelation: every draw is the same")
        return None
    chains, draws = next(iter(series.values())).shape
    if draws < 2 * SMALLEST_HALF:
        not_checked.append(f"autocorrelation: {draws} draws a chain are fewer than 8")
        return None
    times = {name: autocorrelation_time(x) for name, x in series.items()}
    worst = max(times, key=lambda name: times[name][0])
    time, window = times[worst]
    total = chains * draws
    return Autocorrelation(worst, time, window, total / time, bool(total >= ENOUGH * time))


def _agreement(series: Mapping[str, Floats], not_checked: list[str]) -> Agreement | None:
    """The statistic that is furthest beyond its limit, or nearest to it."""
    if not series:
        not_checked.append("agreement between chains: every draw is the same")
        return None
    chains, draws = next(iter(series.values())).shape
    if chains < 2 or draws < 2 * SMALLEST_HALF:
        not_checked.append(
            f"agreement between chains: {chains} chains of {draws} draws, and 2 of 8 are needed"
        )
        return None
    times = {name: autocorrelation_time(x)[0] for name, x in series.items()}
    slowest = max(times, key=lambda name: times[name])
    if draws < LONG_ENOUGH * times[slowest]:
        not_checked.append(
            f"agreement between chains: chains of {draws} draws are shorter than {LONG_ENOUGH:.0f} "
            f"autocorrelation times of {times[slowest]:.1f} draws ({slowest})"
        )
        return None
    found = []
    for name, x in series.items():
        r_hat, limit = split_r_hat(x), r_hat_limit(x, ALARM / len(series))
        found.append((r_hat / limit, Agreement(name, r_hat, limit, bool(r_hat <= limit))))
    return max(found, key=lambda pair: pair[0])[1]


def _distance(values: NDArray[np.int64], law: Law, effective: float) -> TotalVariation:
    if law.values.shape[1] != values.shape[1]:
        raise CertificateError(
            f"the law has {law.values.shape[1]} variables and the draws {values.shape[1]}: give "
            f"the "
            "law of these draws"
        )
    every, where = np.unique(np.concatenate([law.values, values]), axis=0, return_inverse=True)
    where = where.reshape(-1)
    states = len(law.values)
    # a state outside the law's support has probability 0 and counts fully
    probabilities = np.zeros(len(every))
    probabilities[where[:states]] = law.probabilities
    counts = np.bincount(where[states:], minlength=len(every))
    draws = max(1, int(min(effective, len(values))))
    distance = total_variation(counts.astype(np.int64), probabilities)
    # distances over very many states scatter little: fewer replicas give the same quantile
    floor = noise_floor(probabilities, draws, 1 - ALARM, 4000 if states <= 4096 else 1000)
    excluded = int(counts[probabilities == 0].sum())
    within = bool(distance <= floor) and not excluded
    return TotalVariation(distance, floor, states, draws, excluded, within)


def _mean_energy(energy: Floats, law: Law) -> MeanEnergy:
    exact = float(law.probabilities @ law.energies)
    sigma = math.sqrt(float(law.probabilities @ (law.energies - exact) ** 2))
    found = float(energy.mean())
    time = autocorrelation_time(energy)[0] if energy.shape[1] >= 2 * SMALLEST_HALF else 1.0
    error = sigma * math.sqrt(time / energy.size)
    limit = -float(special.ndtri(ALARM / 2))
    # with one energy alone there is no spread, and the means are equal to rounding
    scale = max(error, 1e-9 * max(1.0, abs(exact)))
    deviation = abs(found - exact) / scale
    return MeanEnergy(found, exact, deviation, limit, bool(deviation <= limit))


def _verdict(
    correlation: Autocorrelation | None,
    agreement: Agreement | None,
    distance: TotalVariation | None,
    mean: MeanEnergy | None,
) -> tuple[bool | None, str]:
    if distance is not None and distance.excluded:
        return False, f"did not equilibrate: {distance.excluded} draws are of excluded states"
    if mean is not None and not mean.within:
        return False, (
            f"did not equilibrate: mean energy {mean.found:.6g} and not {mean.exact:.6g}, "
            f"{mean.deviation:.1f} standard errors apart"
        )
    if distance is not None and not distance.within:
        return False, (
            f"did not equilibrate: total variation {distance.distance:.4f} is above its noise "
            f"floor {distance.floor:.4f}"
        )
    if agreement is not None and not agreement.agrees:
        return False, (
            f"did not equilibrate: chains disagree on {agreement.statistic}, R-hat "
            f"{agreement.r_hat:.4f} above {agreement.limit:.4f}"
        )
    if correlation is not None and not correlation.reliable:
        return None, (
            f"not shown: {correlation.effective_draws:.0f} effective draws are fewer than "
            f"{ENOUGH:.0f}; draw longer chains"
        )
    if distance is not None and distance.draws >= ENOUGH:
        return True, "no check failed, and the law is the enumerated one within its noise floor"
    if agreement is not None and correlation is not None:
        return True, "no check failed; chains agree, and a law that all chains miss is not excluded"
    return None, "not shown: too little was checked"

"""Certificates: what can be said of draws that claim to follow a law, and what was not checked.

    certified         chains from over-dispersed starts agree, and every check of the law passes
    not equilibrated  chains disagree, or remember where they started
    biased            chains agree on something that is not the law
    unknown           too little was drawn, told or claimed to say either

``certified`` says that nothing was found with the power of so many draws: what would be found is
the width of the interval of beta. Annealed reads claim no equilibrium, so their verdict is
``unknown``. A good sampler gets ``biased`` or ``not equilibrated`` with probability `ALARM` at
most, which the checks share equally.

The checks: `gibbsite_models.agreement` (R-hat, autocorrelation), `over_dispersion` (starts),
`conditional_checks` (beta by pseudo-likelihood, residuals), `law_checks` (exact laws); what of them
a claim allows: `claim_checks`. The page docs/certificates.md has them all with their power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_models.agreement import (
    Agreement,
    Autocorrelation,
    agreement_of,
    correlation_of,
    named,
    series_of,
)
from gibbsite_models.calibration import Bin
from gibbsite_models.claim_checks import ALARM, SHARE, Claim, check_law, check_states
from gibbsite_models.law_checks import (
    MOST_STATES,
    CertificateError,
    Law,
    MeanEnergy,
    TotalVariation,
    boltzmann_law,
)
from gibbsite_models.over_dispersion import StartReport
from gibbsite_models.pseudo_likelihood import EffectiveBeta
from gibbsite_models.residual_sums import Check
from gibbsite_models.verdicts import Verdict, verdict_of

__all__ = [
    "ALARM",
    "MOST_STATES",
    "Agreement",
    "Autocorrelation",
    "Certificate",
    "CertificateError",
    "Claim",
    "Law",
    "MeanEnergy",
    "TotalVariation",
    "boltzmann_law",
    "certify",
    "certify_series",
]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Certificate:
    """The verdict, its reason, what was checked, and what was not checked."""

    claim: Literal["equilibrium", "annealed"]
    verdict: Verdict
    reason: str
    chains: int
    draws: int
    starts: StartReport | None = None
    agreement: Agreement | None = None
    autocorrelation: Autocorrelation | None = None
    effective_beta: EffectiveBeta | None = None
    total_variation: TotalVariation | None = None
    mean_energy: MeanEnergy | None = None
    checks: tuple[Check, ...] = ()
    calibration: tuple[Bin, ...] = ()
    not_checked: tuple[str, ...] = ()
    alarm: float = field(default=ALARM)

    @property
    def equilibrated(self) -> bool | None:
        """True if certified, False if something was found, None if nothing can be said."""
        return {"certified": True, "unknown": None}.get(self.verdict, False)

    def as_dict(self) -> dict[str, Any]:
        """The certificate as plain values, for JSON; an infinite R-hat, which it lacks, is None."""
        plain = asdict(self)
        if self.agreement is not None and not np.isfinite(self.agreement.r_hat):
            plain["agreement"]["r_hat"] = None
        for name in ("checks", "calibration", "not_checked"):
            plain[name] = list(plain[name])
        return {**plain, "equilibrated": self.equilibrated}


def certify(
    energies: ArrayLike,
    states: ArrayLike | None = None,
    *,
    claim: Literal["equilibrium", "annealed"] = "equilibrium",
    names: Sequence[str] | None = None,
    known: Claim | None = None,
) -> Certificate:
    """The certificate of draws.

    ``energies[chain, draw]``; ``states[chain, draw, variable]``: -1/+1 for spins, cases for
    choices; ``names`` of the variables; ``known`` the model, its beta and the starts.

    Raises `CertificateError` for arrays that do not fit each other.
    """
    energy, values = _checked(energies, states)
    known = known or Claim()
    chains, draws = energy.shape
    if claim == "annealed":
        return Certificate(
            claim,
            "unknown",
            "annealed reads follow no stated law: no equilibrium is claimed",
            chains,
            draws,
            not_checked=("agreement between chains", "autocorrelation", "effective beta", "law"),
        )
    count = 0 if values is None else values.shape[2]
    shown = named(names, count, "energy")
    not_checked: list[str] = []
    series = series_of(energy, values, shown)
    correlation, times = correlation_of(series, not_checked)
    agreement = agreement_of(series, times, not_checked, SHARE)
    effective = energy.size if correlation is None else correlation.effective_draws
    found: dict[str, Any] = {"checks": []}
    if values is None:
        not_checked.append("single variables and conditional laws: no states were given")
    else:
        found = check_states(values, shown, known, effective, not_checked)
    found |= check_law(energy, values, known, effective, not_checked)
    checks = tuple(found.pop("checks"))
    starts = found.get("starts")
    verdict, reason = verdict_of(
        chains,
        draws,
        correlation=correlation,
        agreement=agreement,
        starts=starts,
        beta=found.get("effective_beta"),
        distance=found.get("total_variation"),
        mean=found.get("mean_energy"),
        checks=checks,
    )
    return Certificate(
        claim,
        verdict,
        reason,
        chains,
        draws,
        agreement=agreement,
        autocorrelation=correlation,
        checks=checks,
        not_checked=tuple(not_checked),
        **found,
    )


def certify_series(draws: ArrayLike, names: Sequence[str] | None = None) -> Certificate:
    """The certificate of continuous ``draws[chain, draw, variable]``, of which no law is checked.

    Chains that disagree are ``not equilibrated``; chains that agree stay ``unknown``.

    Raises `CertificateError` for draws that are not chains x draws x variables.
    """
    values = np.asarray(draws, dtype=np.float64)
    if values.ndim != 3 or not values.size or not np.isfinite(values).all():
        raise CertificateError(
            f"draws have shape {values.shape} and must be finite numbers, chains x draws x "
            "variables: reshape them"
        )
    chains, count, variables = values.shape
    shown = named(names, variables)
    not_checked: list[str] = []
    series = {name: values[..., k] for k, name in enumerate(shown) if np.ptp(values[..., k]) > 0}
    correlation, times = correlation_of(series, not_checked)
    agreement = agreement_of(series, times, not_checked, SHARE)
    not_checked += ["starts of the chains", "the law that the draws claim"]
    verdict, reason = verdict_of(
        chains,
        count,
        correlation=correlation,
        agreement=agreement,
        starts=None,
        beta=None,
        distance=None,
        mean=None,
        checks=(),
    )
    if verdict == "unknown" and agreement is not None:
        reason = "chains agree, and the law of continuous draws is not checked here"
    return Certificate(
        "equilibrium",
        verdict,
        reason,
        chains,
        count,
        agreement=agreement,
        autocorrelation=correlation,
        not_checked=tuple(not_checked),
    )


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
    given = np.asarray(states)
    if given.dtype.kind not in "iub" and not (np.isfinite(given) & (given == np.rint(given))).all():
        raise CertificateError(
            "a state is no whole number: give -1/+1 for spins, cases for choices"
        )
    values = given.astype(np.int64)
    if values.ndim != 3 or values.shape[:2] != energy.shape:
        raise CertificateError(
            f"states have shape {values.shape} and energies {energy.shape}: give chains x draws x "
            "variables"
        )
    return energy, values

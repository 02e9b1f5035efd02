"""From checks to one word and one sentence.

What is certain comes first: an excluded state is a bias; then chains that disagree, since their
law cannot be judged; then a law that they agree on and that is the wrong one; then what is missing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

from gibbsite_models.agreement import ENOUGH, LONG_ENOUGH, Agreement, Autocorrelation
from gibbsite_models.law_checks import MeanEnergy, TotalVariation
from gibbsite_models.over_dispersion import LEAST_CHAINS, StartReport
from gibbsite_models.pseudo_likelihood import EffectiveBeta
from gibbsite_models.residual_sums import Check

__all__ = ["Verdict", "verdict_of"]

Verdict: TypeAlias = Literal["certified", "not equilibrated", "biased", "unknown"]


def verdict_of(
    chains: int,
    draws: int,
    *,
    correlation: Autocorrelation | None,
    agreement: Agreement | None,
    starts: StartReport | None,
    beta: EffectiveBeta | None,
    distance: TotalVariation | None,
    mean: MeanEnergy | None,
    checks: Sequence[Check],
) -> tuple[Verdict, str]:
    """The verdict on ``chains`` of so many ``draws`` each, and its reason."""
    if distance is not None and distance.excluded:
        return "biased", f"{distance.excluded} draws are of excluded states"
    if agreement is not None and not agreement.agrees:
        return "not equilibrated", (
            f"chains disagree on {agreement.statistic}, R-hat {agreement.r_hat:.4f} above "
            f"{agreement.limit:.4f}"
        )
    for check in checks:
        if check.name == "memory" and not check.passed:
            return "not equilibrated", (
                f"chains remember their starts: the overlap is {check.deviation:.1f} standard "
                f"errors from 0, above {check.limit:.1f}"
            )
    wrong = _bias(beta, distance, mean, checks)
    if wrong is not None:
        return "biased", wrong
    missing = _missing(chains, draws, correlation, agreement, starts, checks)
    if missing is not None:
        return "unknown", missing
    assert correlation is not None
    how = "" if beta is None else f", beta within {beta.low:.4g}..{beta.high:.4g}"
    return "certified", (
        f"chains from over-dispersed starts agree and no check of the law failed at "
        f"{correlation.effective_draws:.0f} effective draws{how}"
    )


def _bias(
    beta: EffectiveBeta | None,
    distance: TotalVariation | None,
    mean: MeanEnergy | None,
    checks: Sequence[Check],
) -> str | None:
    """The first finding against the law, most telling ones first."""
    if beta is not None and not beta.within:
        return (
            f"effective beta is {beta.estimate:.5g} ({beta.low:.5g}..{beta.high:.5g} at "
            f"{100 * beta.level:.5g} %) and not {beta.stated:.5g}"
        )
    failed = [check for check in checks if not check.passed]
    if failed:
        worst = max(failed, key=lambda check: check.deviation / check.limit)
        return (
            f"{worst.name}: {worst.worst} is {worst.deviation:.1f} standard errors off, above "
            f"{worst.limit:.1f}"
        )
    if mean is not None and not mean.within:
        return (
            f"mean energy {mean.found:.6g} and not {mean.exact:.6g}, {mean.deviation:.1f} standard "
            f"errors apart, above {mean.limit:.1f}"
        )
    if distance is not None and not distance.within:
        return (
            f"total variation {distance.distance:.4f} of {distance.of} is above its noise floor "
            f"{distance.floor:.4f}"
        )
    return None


def _missing(
    chains: int,
    draws: int,
    correlation: Autocorrelation | None,
    agreement: Agreement | None,
    starts: StartReport | None,
    checks: Sequence[Check],
) -> str | None:
    """What keeps draws without any finding from being certified."""
    if correlation is None:
        return "there are too few different draws; draw longer chains"
    if not correlation.reliable:
        return (
            f"{correlation.effective_draws:.0f} effective draws are fewer than {ENOUGH:.0f}; draw "
            "longer chains"
        )
    if agreement is None:
        return _unshown(chains, draws, correlation)
    if starts is None:
        return "where the chains started is not known; give their starts"
    if not starts.over_dispersed:
        if starts.chains < LEAST_CHAINS:
            return (
                f"{starts.chains} chains are fewer than {LEAST_CHAINS}, and might share a mode by "
                "chance; start more"
            )
        return (
            f"the chains did not start far enough apart: dispersion {starts.dispersion:.3f} is "
            f"below {starts.limit:.3f}; start them at beta = 0 or in opposite states"
        )
    if not any(check.name == "variables" for check in checks):
        return "the conditional laws were not checked; give the model, its beta and more draws"
    return None


def _unshown(chains: int, draws: int, correlation: Autocorrelation) -> str:
    """Why chains were not compared, though they are long enough to know their time."""
    if chains < 2:
        return (
            f"whether chains agree was not shown: {chains} was drawn; start {LEAST_CHAINS} or more"
        )
    needed = math.ceil(LONG_ENOUGH * correlation.time)
    return (
        f"whether chains agree was not shown: {draws} draws in each of {chains} are fewer than "
        f"{LONG_ENOUGH:.0f} autocorrelation times of {correlation.time:.1f} draws "
        f"({correlation.statistic}); draw {needed} or more in each, {chains * needed} in all, or "
        "leave more sweeps between two draws"
    )

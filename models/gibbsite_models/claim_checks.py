"""Draws against what is claimed of them: starts, conditional laws, and the law where it is exact.

What cannot be checked, for want of a model, a start or an exact law, is named instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.conditional_checks import check_conditionals
from gibbsite_models.exact.transfer_matrix import TransferMatrix
from gibbsite_models.law_checks import (
    CertificateError,
    Law,
    block_distance,
    distance,
    mean_energy,
    moment_checks,
)
from gibbsite_models.over_dispersion import memory_check, start_report
from gibbsite_models.pair_model import PairModel

__all__ = ["ALARM", "KINDS", "SHARE", "Claim", "check_law", "check_states"]

Floats: TypeAlias = NDArray[np.float64]

ALARM = 1e-3
"""Probability that the verdict on a good sampler is `biased` or `not equilibrated`."""

KINDS = 12
"""Kinds of checks that share it: R-hat, memory, beta, five of residuals, four of exact laws."""

SHARE = ALARM / KINDS

PARTS = 32
"""Independent parts from which Student's t costs little; fewer chains are cut into pieces."""

LEAST_PARTS = 8
"""Parts from which means are compared at all."""

PIECE = 50.0
"""Autocorrelation times in a piece of a chain, so that pieces are nearly independent."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What is known beside the draws: the model and beta that they claim, and their beginnings.

    ``starts``  states ``[chain, variable]`` that the chains began from, ``origin`` how these were
                chosen
    ``law``     the model's law, enumerated; ``exact`` its sums by transfer matrices
    """

    model: PairModel | None = None
    beta: float | None = None
    starts: NDArray[np.integer] | None = None
    origin: str = "not told"
    law: Law | None = None
    exact: TransferMatrix | None = None


def check_states(
    values: NDArray[np.int64],
    names: Sequence[str],
    known: Claim,
    effective: float,
    not_checked: list[str],
) -> dict[str, Any]:
    """Starts, memory, conditional laws, and exact moments where they are known.

    The result has fields of `Certificate`; what is missing is added to ``not_checked``.

    Raises `CertificateError` for a model or starts that are not of these draws.
    """
    model, beta = known.model, known.beta
    if model is None or beta is None:
        not_checked.append("conditional laws and effective beta: no model and beta were given")
        return {"checks": []}
    if model.variables != values.shape[2]:
        raise CertificateError(
            f"the model has {model.variables} variables and the draws {values.shape[2]}: give the "
            "model of these draws"
        )
    found: dict[str, Any] = {"checks": []}
    if known.starts is None:
        not_checked.append("starts of the chains: none were given")
    else:
        if known.starts.shape != (len(values), model.variables):
            raise CertificateError(
                f"starts have shape {known.starts.shape} and there are {len(values)} chains of "
                f"{model.variables} variables: give each chain its start"
            )
        found["starts"] = start_report(model, known.starts, known.origin)
        if found["starts"].over_dispersed:
            found["checks"].append(memory_check(model, values, known.starts, SHARE))
    parts = _parts(values, effective)
    if len(parts) < LEAST_PARTS:
        not_checked.append(
            f"conditional laws: {len(parts)} independent parts of the draws are fewer than "
            f"{LEAST_PARTS}"
        )
        return found
    report = check_conditionals(model, parts, beta, names, SHARE)
    found["effective_beta"] = report.beta
    found["calibration"] = report.bins
    found["checks"] += report.checks
    not_checked += report.not_checked
    if known.exact is not None:
        found["checks"] += moment_checks(model, known.exact, parts, names, SHARE)
        if known.law is None:
            flat = values.reshape(-1, model.variables)
            found["total_variation"] = block_distance(
                model, known.exact, flat, names, effective, SHARE
            )
    return found


def check_law(
    energy: Floats,
    values: NDArray[np.int64] | None,
    known: Claim,
    effective: float,
    not_checked: list[str],
) -> dict[str, Any]:
    """Mean energy and, of all states, total variation, as fields of `Certificate`.

    Raises `CertificateError` for a law of other variables.
    """
    law = known.law
    if law is not None:
        exact = float(law.probabilities @ law.energies)
        sigma = float(np.sqrt(law.probabilities @ (law.energies - exact) ** 2))
        found: dict[str, Any] = {"mean_energy": mean_energy(energy, exact, sigma, SHARE)}
        if values is None:
            not_checked.append("total variation: the draws came without their states")
        else:
            flat = values.reshape(-1, values.shape[2])
            found["total_variation"] = distance(flat, law, effective, SHARE)
        return found
    if known.exact is not None:
        return {"mean_energy": mean_energy(energy, known.exact.mean_energy(), None, SHARE)}
    not_checked.append("total variation and mean energy: the exact law is out of reach")
    return {}


def _parts(values: NDArray[np.int64], effective: float) -> NDArray[np.int64]:
    """Draws as independent parts ``[part, draw, variable]``: chains, or pieces of few chains."""
    chains, draws, variables = values.shape
    time = chains * draws / effective
    pieces = 1
    if chains < PARTS:
        pieces = max(1, min(-(-PARTS // chains), int(draws / (PIECE * time))))
    size = draws // pieces
    return values[:, : pieces * size].reshape(chains * pieces, size, variables)

"""One scale for a program: real weights and biases become integer codes, and the error is reported.

    w_code = round(w / scale),   w = scale * w_code + error

A scale that makes every coefficient exact is taken where there is one that fits the formats
(integers and multiples of a common step always have it unless their range is too large); otherwise
the finest scale at which the largest coefficient still fits, where |error| <= scale / 2.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite.slot_model import SlotModel
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = [
    "DEFAULT_MAX_ERROR",
    "LEAST_CODE",
    "OnError",
    "Quantization",
    "QuantizationWarning",
    "beta_codes",
    "choose_scale",
    "coarse_for_beta",
    "common_step",
    "measure",
]

Floats: TypeAlias = NDArray[np.float64]
OnError: TypeAlias = Literal["raise", "warn"]

DEFAULT_MAX_ERROR = 1 / 256
"""Largest error of a coefficient that is accepted unasked, relative to the largest coefficient."""

EXACT = 1e-9
"""A coefficient this near to an integer number of steps, relative to its size, is that number."""

RESIDUE = 1e-14
"""What sums of floats leave where they should cancel, relative to the largest coefficient."""

BETA_ERROR = 0.01
"""Largest relative error of a beta code."""

LEAST_CODE = math.ceil(0.5 / BETA_ERROR)
"""The smallest beta code above 0 that is certain to be within BETA_ERROR."""

BIAS_CODES = 2047
"""Codes of the largest bias where no coupling asks for a finer scale."""


class QuantizationWarning(UserWarning):
    """A model is held less exactly than the stated bound, and the caller asked to be told only."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """What the codes lose against the model; absolute errors in the model's unit of energy.

    Relative errors are relative to the largest coefficient in size. ``vanished`` counts couplings
    that became 0.
    """

    scale: float
    exact: bool
    largest_error: float
    mean_error: float
    largest_relative_error: float
    mean_relative_error: float
    vanished: int

    def as_dict(self) -> dict[str, float | bool | int]:
        """The report as plain values, for `info` and JSON."""
        return {
            "scale": self.scale,
            "exact": self.exact,
            "largest_error": self.largest_error,
            "mean_error": self.mean_error,
            "largest_relative_error": self.largest_relative_error,
            "mean_relative_error": self.mean_relative_error,
            "vanished": self.vanished,
        }


def choose_scale(
    weights: Floats,
    biases: Floats,
    largest_bias: float,
    parameters: GraphParameters,
    beta_max: float | None = None,
    beta_min: float | None = None,
) -> float:
    """Energy units per code: the coarsest exact scale that fits, else the finest that fits.

    ``biases`` are values that should be exact (a choice's counted from its lowest state) and
    ``largest_bias`` the size that must fit the bias format. With ``beta_max`` the scale is halved
    until ``beta_max`` has a code, as far as the formats leave room; with ``beta_min`` it is raised
    until ``beta_min`` has one, and what that costs in exactness is measured afterwards. Biases
    without any coupling use a part of their format, so that small betas keep codes.
    """
    top = parameters.beta_max / 2**parameters.beta_frac
    least = 0.0
    if beta_min is not None and 0 < beta_min < math.inf:
        least = LEAST_CODE / (beta_min * 2**parameters.beta_frac)
    largest_weight = float(np.max(np.abs(weights), initial=0.0))
    # the finest scale that still holds the largest coefficients
    finest = max(largest_weight / parameters.weight_max, largest_bias / parameters.bias_max)
    if finest == 0.0:
        return max(min(1.0, top / beta_max) if beta_max else 1.0, least)
    step = common_step(np.concatenate([weights, biases]), finest)
    if step is None:
        coarse = 0.0 if largest_weight else largest_bias / BIAS_CODES
        return max(finest, coarse, least)
    while beta_max is not None and beta_max * step > top and step / 2 >= max(finest, least):
        step /= 2
    return max(step, least)


def coarse_for_beta(
    scale: float, finer: float, parameters: GraphParameters, beta_min: float | None
) -> tuple[float, float] | None:
    """``beta_min`` and the least beta without its cost, where it raised ``finer`` to ``scale``."""
    if beta_min is None or scale <= finer:
        return None
    return beta_min, LEAST_CODE / (finer * 2.0**parameters.beta_frac)


def common_step(values: Floats, finest: float) -> float | None:
    """The coarsest step from `finest` up of which every value is a multiple, if there is one."""
    sizes = np.unique(np.abs(values))
    sizes = sizes[sizes > RESIDUE * sizes[-1]]
    smallest = float(sizes[0])
    if smallest < finest * (1 - EXACT):
        return None
    # the step divides the smallest value
    steps = smallest / np.arange(1, int(smallest / finest * (1 + EXACT)) + 1)
    for size in sizes:
        ratio = size / steps
        steps = steps[np.abs(ratio - np.rint(ratio)) <= EXACT * ratio]
        if not len(steps):
            return None
    return float(steps[0])


def measure(
    model: SlotModel,
    wanted: Floats,
    bias_codes: NDArray[np.int64],
    weight_codes: NDArray[np.int64],
    scale: float,
    *,
    max_error: float,
    on_error: OnError,
    vanished_known: bool = False,
    for_beta: tuple[float, float] | None = None,
) -> Quantization:
    """The error report of codes; refuses or warns beyond `max_error` and for couplings that vanish.

    ``wanted`` are the biases that the codes stand for; ``vanished_known`` if the couplings were
    objected to before; ``for_beta`` is what `coarse_for_beta` found. Raises `ProgramError` when
    ``on_error`` is "raise", else warns with `QuantizationWarning`.
    """
    errors = np.concatenate(
        [np.abs(weight_codes * scale - model.weight), np.abs(bias_codes * scale - wanted)]
    )
    sizes = np.concatenate([np.abs(model.weight), np.abs(wanted)])
    used = sizes > 0
    top = float(sizes.max(initial=0.0))
    largest = float(errors.max(initial=0.0))
    mean = float(errors[used].mean()) if used.any() else 0.0
    gone = np.flatnonzero(weight_codes == 0)
    report = Quantization(
        scale=scale,
        exact=largest <= EXACT * max(top, 1e-300),
        largest_error=largest,
        mean_error=mean,
        largest_relative_error=largest / top if top else 0.0,
        mean_relative_error=mean / top if top else 0.0,
        vanished=len(gone),
    )
    if len(gone) and not vanished_known:
        # the smallest of those that vanish says most
        k = int(gone[np.argmin(np.abs(model.weight[gone]))])
        why, step = f"the largest coefficient is {top:.6g}", "drop such couplings, reduce the range"
        if for_beta is not None:
            why = f"beta is {for_beta[0]:.6g} and has no code at a finer one"
            step = f"ask for a beta of {for_beta[1]:.6g} or more or for 0"
        _object(
            f"the coupling {model.weight[k]:.6g} of {model.name(int(model.low[k]))} and "
            f"{model.name(int(model.high[k]))} quantizes to nothing: one code is {scale:.6g} "
            f"because {why}, and {len(gone)} of {len(model.weight)} couplings lie below half a "
            f"code; {step}, or, in Python, pass on_error='warn'",
            on_error,
        )
    if report.largest_relative_error > max_error:
        why, step = "", "reduce the range of the coefficients"
        if for_beta is not None:
            why = f" because beta is {for_beta[0]:.6g} and has no code at a finer scale"
            step = f"ask for a beta of {for_beta[1]:.6g} or more or for 0"
        _object(
            f"the largest quantization error is {report.largest_relative_error:.3g} of the "
            f"largest coefficient{why} and the bound is {max_error:.3g}: {step}, or, in Python, "
            "raise max_error or pass on_error='warn'",
            on_error,
        )
    return report


def beta_codes(betas: Floats, scale: float, parameters: GraphParameters) -> NDArray[np.int64]:
    """Codes of inverse temperatures (per unit of the model's energy): round(beta scale 2^frac).

    Raises `ProgramError` for a beta that is negative, not finite, above the format, or so small
    that its code would be off by more than BETA_ERROR; 0 is exact.
    """
    unit = scale * 2.0**parameters.beta_frac
    bad = np.flatnonzero(~(np.isfinite(betas) & (betas >= 0)))
    if len(bad):
        raise ProgramError(
            f"beta must be a finite number from 0, not {betas[bad[0]]}: give such ones"
        )
    top = parameters.beta_max / unit
    if len(betas) and float(betas.max()) > top * (1 + EXACT):
        raise ProgramError(
            f"the largest beta of this program is {top:.6g} and {float(betas.max()):.6g} was "
            f"asked: ask for {top:.6g} at most, or, where you compile the program yourself, give "
            f"beta_max={float(betas.max()):.6g}"
        )
    codes = np.minimum(np.rint(betas * unit), parameters.beta_max).astype(np.int64)
    off = np.abs(codes - betas * unit) > BETA_ERROR * betas * unit
    if off.any():
        least = LEAST_CODE / unit
        worst = float(betas[off].min())
        raise ProgramError(
            f"the smallest beta of this program that is held within {BETA_ERROR:.0%} is "
            f"{least:.6g} and {worst:.6g} was asked: ask for {least:.6g} at "
            f"least or for 0, or, where you compile the program yourself, give beta_min={worst:.6g}"
        )
    return codes


def _object(sentence: str, on_error: OnError) -> None:
    if on_error == "raise":
        raise ProgramError(sentence)
    warnings.warn(sentence, QuantizationWarning, stacklevel=4)

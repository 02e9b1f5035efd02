"""Annealing schedules: the inverse temperatures of a run, with dwave-samplers' argument meanings.

    linear     beta_k = b0 + (b1 - b0) k / (n - 1)
    geometric  beta_k = b0 (b1 / b0)^(k / (n - 1))
    custom     the betas as given

Default range, for the largest gap D and the smallest non-zero gap d of one variable's energy, N
variables having d: b0 = ln 2 / D (the stiffest turns half of the time), b1 = ln(N / 0.01) / d (at
the end one in a hundred reads has an excitation).

Source: dwave-samplers 1.8, `SimulatedAnnealingSampler._default_ising_beta_range`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.argument_kinds import ArgumentError, ArgumentKindError
from gibbsite.conditioning import shifted
from gibbsite.quantization import RESIDUE
from gibbsite.slot_model import SlotModel

__all__ = [
    "MOST_STEPS",
    "SCHEDULE_TYPES",
    "ArgumentError",
    "Schedule",
    "ScheduleType",
    "annealing_schedule",
    "default_beta_range",
    "positive",
]

ScheduleType: TypeAlias = Literal["linear", "geometric", "custom"]
SCHEDULE_TYPES: Final[tuple[ScheduleType, ...]] = ("linear", "geometric", "custom")

MOST_STEPS: Final = 1 << 24
"""Betas of a schedule: more than any device holds."""

EXCITATIONS = 0.01
"""Excited reads at the end of the default range."""

DEFAULT_SWEEPS = 1000


@dataclass(frozen=True, slots=True)
class Schedule:
    """The betas of a run and how they came about; ``fixed`` if the caller chose the range."""

    betas: NDArray[np.float64]
    sweeps_per_beta: int
    kind: str
    fixed: bool

    @property
    def beta_range(self) -> list[float]:
        """First and last beta, or nothing if there is no step."""
        return [float(self.betas[0]), float(self.betas[-1])] if len(self.betas) else []

    @property
    def least(self) -> float | None:
        """The smallest beta above 0, if there is one."""
        return float(min(self.betas[self.betas > 0], default=0.0)) or None

    def within(self, low: float, high: float) -> Schedule:
        """The schedule fitted into what a device holds, if its range was a default."""
        if self.fixed or not len(self.betas):
            return self
        return Schedule(np.clip(self.betas, low, high), self.sweeps_per_beta, self.kind, False)


def positive(name: str, value: object, least: int = 1) -> int:
    """An integer argument from `least` up. Raises `ArgumentError` or `ArgumentKindError`."""
    if not isinstance(value, Integral):
        raise ArgumentKindError(f"{name} must be an integer from {least}, not {value!r}: give one")
    if int(value) < least:
        raise ArgumentError(f"{name} is {value} and must be at least {least}: give a larger number")
    return int(value)


def annealing_schedule(
    model: SlotModel,
    *,
    beta_range: Sequence[float] | None = None,
    num_sweeps: int | None = None,
    num_sweeps_per_beta: int = 1,
    beta_schedule_type: ScheduleType = "geometric",
    beta_schedule: ArrayLike | None = None,
) -> Schedule:
    """The schedule that these arguments describe.

    Raises `ArgumentError` for arguments that contradict each other.
    """
    each = positive("num_sweeps_per_beta", num_sweeps_per_beta)
    if beta_schedule_type not in SCHEDULE_TYPES:
        raise ArgumentError(
            f"beta_schedule_type is {beta_schedule_type!r}: use one of {', '.join(SCHEDULE_TYPES)}"
        )
    if beta_schedule_type == "custom":
        return Schedule(_custom(beta_schedule, beta_range, num_sweeps, each), each, "custom", True)
    if beta_schedule is not None:
        raise ArgumentError(
            f"beta_schedule was given with beta_schedule_type={beta_schedule_type!r}: leave it "
            "out, or use beta_schedule_type='custom'"
        )
    sweeps = DEFAULT_SWEEPS if num_sweeps is None else positive("num_sweeps", num_sweeps, 0)
    count, left = divmod(sweeps, each)
    if left:
        raise ArgumentError(
            f"num_sweeps is {sweeps} and num_sweeps_per_beta {each}: make it a multiple"
        )
    if count > MOST_STEPS:
        raise ArgumentError(
            f"num_sweeps is {sweeps} at {count} betas and a schedule has {MOST_STEPS} at most: "
            "give fewer, or more num_sweeps_per_beta"
        )
    first, last = _range(beta_range) if beta_range is not None else default_beta_range(model)
    if beta_schedule_type == "geometric" and min(first, last) <= 0:
        raise ArgumentError(
            f"beta_range is ({first}, {last}) and a geometric schedule has no 0: start above it, "
            "or use beta_schedule_type='linear'"
        )
    if count == 1:
        betas = np.array([last])
    elif beta_schedule_type == "linear":
        betas = np.linspace(first, last, count)
    else:
        betas = np.geomspace(first, last, count)
    return Schedule(betas, each, beta_schedule_type, beta_range is not None)


def default_beta_range(model: SlotModel) -> tuple[float, float]:
    """The range described above; (0.1, 1) for a model without any gap."""
    if not model.slots:
        return 0.1, 1.0
    counted, _ = shifted(model, model.linear)
    spin = model.is_spin
    bias = np.where(spin, 2 * np.abs(counted), np.abs(counted))
    factor = np.where(spin, 2.0, 1.0)
    size = np.abs(model.weight)
    largest = bias.copy()
    np.add.at(largest, model.low, factor[model.low] * size)
    np.add.at(largest, model.high, factor[model.high] * size)
    top = float(largest.max())
    if top == 0.0:
        return 0.1, 1.0
    smallest = np.where(bias > RESIDUE * top, bias, np.inf)
    np.minimum.at(smallest, model.low, factor[model.low] * size)
    np.minimum.at(smallest, model.high, factor[model.high] * size)
    gap = float(smallest.min())
    count = int((smallest == gap).sum())
    return math.log(2) / top, math.log(count / EXCITATIONS) / gap


def _range(beta_range: Sequence[float]) -> tuple[float, float]:
    try:
        betas = [float(beta) for beta in beta_range]
    except (TypeError, ValueError):
        betas = []
    if len(betas) != 2 or not all(math.isfinite(beta) and beta >= 0 for beta in betas):
        raise ArgumentError(
            f"beta_range is {beta_range!r}: give two finite numbers from 0, the last is the target"
        )
    return betas[0], betas[1]


def _custom(
    beta_schedule: ArrayLike | None,
    beta_range: Sequence[float] | None,
    num_sweeps: int | None,
    each: int,
) -> NDArray[np.float64]:
    if beta_schedule is None:
        raise ArgumentError("beta_schedule_type='custom' has no beta_schedule: give the betas")
    try:
        betas = np.array(beta_schedule, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError("beta_schedule is no sequence of numbers: give betas") from None
    if betas.ndim != 1 or not np.isfinite(betas).all() or (betas < 0).any():
        raise ArgumentError("beta_schedule must be a sequence of finite numbers from 0: change it")
    if num_sweeps is not None and num_sweeps != len(betas) * each:
        raise ArgumentError(
            f"num_sweeps is {num_sweeps} and beta_schedule makes {len(betas) * each} sweeps: leave "
            "num_sweeps out"
        )
    if beta_range is not None and (beta_range[0] != betas[0] or beta_range[-1] != betas[-1]):
        raise ArgumentError(
            f"beta_range is {tuple(beta_range)!r} and beta_schedule runs from {betas[0]} to "
            f"{betas[-1]}: leave beta_range out"
        )
    return betas

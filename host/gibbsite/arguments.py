"""The arguments of a sampling call, checked before anything is compiled or drawn."""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Mapping, Sequence
from numbers import Real
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import ArrayLike

from gibbsite.argument_kinds import ArgumentKindError, refuse_no_functions
from gibbsite.drawing import Interrupt
from gibbsite.quantization import DEFAULT_MAX_ERROR, OnError
from gibbsite.schedules import (
    ArgumentError,
    Schedule,
    ScheduleType,
    annealing_schedule,
    positive,
)
from gibbsite.slot_model import SlotModel
from gibbsite.starts import Generator
from gibbsite_hw.spec.device import Progress

__all__ = ["NAMES", "Arguments"]

NAMES: Final = (
    "num_reads",
    "num_sweeps",
    "beta_range",
    "beta_schedule",
    "beta_schedule_type",
    "num_sweeps_per_beta",
    "initial_states",
    "initial_states_generator",
    "interrupt_function",
    "seed",
    "beta",
    "burn_in",
    "thin",
    "num_chains",
    "clamps",
    "best",
    "certify",
    "max_error",
    "on_error",
    "progress",
)

DEFAULT_BURN_IN = 1000


class Arguments:
    """The arguments of a sampling call, checked."""

    def __init__(
        self,
        *,
        num_reads: int | None = None,
        num_sweeps: int | None = None,
        beta_range: Sequence[float] | None = None,
        beta_schedule: ArrayLike | None = None,
        beta_schedule_type: ScheduleType | None = None,
        num_sweeps_per_beta: int = 1,
        initial_states: Any = None,
        initial_states_generator: Generator = "random",
        interrupt_function: Interrupt | None = None,
        seed: int | None = None,
        beta: float | None = None,
        burn_in: int | None = None,
        thin: int | None = None,
        num_chains: int | None = None,
        clamps: Mapping[Hashable, int] | None = None,
        best: bool = False,
        certify: bool = False,
        max_error: float = DEFAULT_MAX_ERROR,
        on_error: OnError = "raise",
        progress: Progress | None = None,
    ) -> None:
        refuse_no_functions(interrupt_function=interrupt_function, progress=progress)
        if seed is not None and positive("seed", seed, 0) >= 1 << 64:
            raise ArgumentError(f"seed is {seed} and has 64 bits: give one of 0..2^64-1")
        _refuse_kinds(beta, max_error, clamps)
        if initial_states_generator not in get_args(Generator):
            raise ArgumentError(
                f"initial_states_generator is {initial_states_generator!r}: use one of "
                f"{', '.join(get_args(Generator))}"
            )
        if on_error not in get_args(OnError):
            raise ArgumentError(
                f"on_error is {on_error!r}: use one of {', '.join(get_args(OnError))}"
            )
        self.num_reads = None if num_reads is None else positive("num_reads", num_reads)
        self.initial_states = initial_states
        self.generator: Generator = initial_states_generator
        self.interrupt = interrupt_function
        self.seed = seed
        self.beta = beta
        self.clamps = clamps
        self.best = best
        self.certify = certify
        self.max_error = max_error
        self.on_error: OnError = on_error
        self.progress = progress
        self.burn_in = positive("burn_in", DEFAULT_BURN_IN if burn_in is None else burn_in)
        self.thin = positive("thin", 1 if thin is None else thin)
        self.num_chains = None if num_chains is None else positive("num_chains", num_chains)
        self._anneal: dict[str, Any] = {
            "beta_range": beta_range,
            "num_sweeps": num_sweeps,
            "num_sweeps_per_beta": num_sweeps_per_beta,
            "beta_schedule_type": beta_schedule_type
            or ("geometric" if beta_schedule is None else "custom"),
            "beta_schedule": beta_schedule,
        }
        if certify and best:
            raise ArgumentError("best states follow no law: certify the last states, without best")
        if beta is not None:
            annealing = {
                "beta_range": beta_range,
                "num_sweeps": num_sweeps,
                "beta_schedule": beta_schedule,
                "beta_schedule_type": beta_schedule_type,
            }
            _refuse_both("beta", annealing, "anneal")
        else:
            equilibrium = {"burn_in": burn_in, "thin": thin, "num_chains": num_chains}
            _refuse_both("no beta", equilibrium, "draw at equilibrium")

    def schedule(self, model: SlotModel) -> Schedule:
        """The betas before the first draw."""
        if self.beta is None:
            return annealing_schedule(model, **self._anneal)
        return Schedule(np.array([float(self.beta)]), self.burn_in, "constant", True)

    def drawn_seed(self) -> int:
        """The seed given, or a new one."""
        return secrets.randbits(63) if self.seed is None else int(self.seed)


def _refuse_kinds(beta: object, max_error: object, clamps: object) -> None:
    """Raise `ArgumentKindError` for what is no number or mapping where one is wanted."""
    for name, value in (("beta", beta), ("max_error", max_error)):
        if value is not None and not isinstance(value, Real):
            raise ArgumentKindError(f"{name} must be a number, not {value!r}: give one")
    if clamps is not None and not isinstance(clamps, Mapping):
        raise ArgumentKindError(
            f"clamps must be {{variable: value}}, not {clamps!r}: give a mapping"
        )


def _refuse_both(given: str, others: Mapping[str, object], purpose: str) -> None:
    wrong = [name for name, value in others.items() if value is not None]
    if wrong:
        raise ArgumentError(
            f"{given} was given together with {', '.join(wrong)}, which {purpose}: drop one or the "
            f"other"
        )

"""From a request to an answer: formalize, choose the agent, open the device, solve."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral, Real
from typing import Any

from gibbsite.agents.base import Options
from gibbsite.agents.scheduling import SchedulingAgent
from gibbsite.default_device import DEFAULT_DEVICE
from gibbsite.problem import Problem, ScheduleProblem, parse_problem
from gibbsite.progress import Report
from gibbsite.result import Result
from gibbsite.schedules import MOST_STEPS
from gibbsite.vote import checked_rule
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["SEED_LIMIT", "RequestError", "solve"]

SEED_LIMIT = 1 << 64
"""Seeds are smaller than this."""

DRAWN_SEEDS = 1 << 53
"""Seeds drawn here are smaller: readers of JSON that know only doubles keep them, too."""


class RequestError(GibbsiteError, ValueError):
    """An argument of `solve` that cannot be used."""


def solve(
    problem: Problem | Mapping[str, Any] | str,
    *,
    device: Device | str = DEFAULT_DEVICE,
    reads: int | None = None,
    sweeps: int | None = None,
    vote: str = "best",
    seed: int | None = None,
    durations: str = "upper",
    rounds: int | None = None,
    trace: bool = False,
    beta_range: tuple[float, float] | None = None,
    progress: Report | None = None,
) -> Result:
    """Answer a request: a text in Polish or English, a problem document, or a `Problem`.

    ``device``      an open device, which stays open, or the address of one; by default `fast:`
    ``reads``       independent reads in a round, ``sweeps`` sweeps of each; None leaves them to the
                    agent
    ``vote``        how reads become one answer: "energy", "majority" or "best"
    ``seed``        repeats a run to the bit; None draws one, which the result reports
    ``durations``   a range is planned at its "upper" or "lower" end, or at its "mid"
    ``rounds``      most rounds that are drawn, whatever they cost; None keeps to the budget
    ``trace``       replay the chain behind the answer, so that its energies can be drawn
    ``beta_range``  first and last inverse temperature per penalty, for experiments

    Raises: `FormalizationError` or `ProblemError` for a request that is no problem, `ScheduleError`
    for one too large, `RequestError` for arguments out of range. An infeasible problem is a result.
    """
    rule = checked_rule(vote)
    _refuse_below("reads", reads, 1)
    _refuse_below("sweeps", sweeps, 2)
    if sweeps is not None and sweeps > MOST_STEPS:
        raise RequestError(f"sweeps: at most {MOST_STEPS}, found {sweeps}; use a smaller number")
    _refuse_below("rounds", rounds, 1)
    _refuse_below("seed", seed, 0)
    if seed is not None and seed >= SEED_LIMIT:
        raise RequestError(f"seed: at most {SEED_LIMIT - 1}, found {seed}; use a smaller number")
    if progress is not None and not callable(progress):
        raise RequestError(
            f"progress: a function of a stage, what is done and what there is, found {progress!r}; "
            "pass one or leave it out"
        )
    if beta_range is not None and not _ordered(beta_range):
        raise RequestError(
            f"beta_range: two finite numbers from 0 upwards, the first not larger, found "
            f"{beta_range!r}; give two in order"
        )
    options = Options(
        reads=reads,
        sweeps=sweeps,
        vote=rule,
        seed=secrets.randbelow(DRAWN_SEEDS) if seed is None else int(seed),
        durations=durations,
        rounds=rounds,
        trace=trace,
        beta_range=beta_range,
    )
    document, notes = _problem(problem)
    with _opened(device, progress or _silent) as opened:
        result = SchedulingAgent().solve(document, opened, options, progress or _silent)
    # what the reader of the text had to choose stands before what the agent had to
    return result.model_copy(update={"assumptions": (*notes, *result.assumptions)})


def _problem(request: Problem | Mapping[str, Any] | str) -> tuple[Problem, tuple[str, ...]]:
    """The problem, and what reading it as one assumed."""
    if isinstance(request, ScheduleProblem):
        return request, ()
    if isinstance(request, str):
        from gibbsite.formalizer import formalize_with_notes

        read = formalize_with_notes(request)
        return read.problem, read.notes
    return parse_problem(request), ()


def _opened(device: Device | str, report: Report) -> AbstractContextManager[Device]:
    if isinstance(device, str):
        from gibbsite import devices

        return devices.open(device, progress=report)
    if not callable(getattr(device, "run", None)):
        raise RequestError(
            f"device: an open device or an address, found {device!r}; give e.g. 'golden:'"
        )
    return nullcontext(device)


def _ordered(ends: Iterable[object]) -> bool:
    """Whether these are two finite numbers from 0 upwards, the first not larger."""
    try:
        low, high = ends
    except (TypeError, ValueError):
        return False
    if not isinstance(low, Real) or not isinstance(high, Real):
        return False
    return 0.0 <= float(low) <= float(high) < float("inf")


def _refuse_below(name: str, value: object, least: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise RequestError(f"{name}: a whole number, found {value!r}; give one from {least}")
    if int(value) < least:
        raise RequestError(f"{name}: at least {least}, found {value}; use a larger number")


def _silent(_stage: str, _done: float, _total: float | None) -> None:
    """Report to nobody."""

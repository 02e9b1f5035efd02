"""`Result`: the one document that every answer is, whatever solved it.

What does not apply is null, never 0: an embedded parser has no `llm_tokens`, a graph engine takes
no `langevin_steps`. `model_dump_json()` is what `--json` prints. Numbers of a solution are in the
problem's own unit.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, SerializeAsAny

from gibbsite.ledger.counts import Ledger
from gibbsite.problem import Problem

__all__ = [
    "SCHEMA_VERSION",
    "Certificate",
    "EnergyTrace",
    "Ledger",
    "Optimality",
    "RawReads",
    "Result",
    "RoundReport",
    "ScheduledTask",
    "ScheduleSolution",
    "VoteReport",
]

SCHEMA_VERSION: Final = 1
"""Raised whenever a field of the document changes its meaning."""


class _Part(BaseModel):
    """Frozen, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class ScheduledTask(_Part):
    """One task of a schedule, by the names and in the unit of the problem."""

    task: str
    machine: str
    start: int | float
    end: int | float


class ScheduleSolution(_Part):
    """A schedule and the value of its objective."""

    assignments: tuple[ScheduledTask, ...]
    objective: int | float


class RawReads(_Part):
    """What the device itself drew, before any repair by the host.

    ``best_objective``  the best among feasible reads, null if none is feasible
    ``best_count``      how many reads have it
    ``best``            the first of them; without a feasible read the one that breaks least
    ``violations``      what `best` breaks
    """

    reads: int
    feasible: int
    best_objective: int | float | None
    best_count: int
    best: ScheduleSolution | None
    violations: tuple[str, ...]


class VoteReport(_Part):
    """How the candidates became one answer.

    ``candidates``  feasible reads within the last conditions met (all of them if none is feasible)
    ``distinct``    different answers among them
    ``support``     candidates that agree with the answer, each after its left shift
    ``ties``        other answers that the rule ranks equally
    """

    rule: str
    candidates: int
    distinct: int
    support: int
    ties: int


class Optimality(_Part):
    """What is proven of the answer: `proven` is a sentence, null if nothing is."""

    lower_bound: int | float | None
    proven: str | None


class RoundReport(_Part):
    """One run of the device: what it aimed at, how, and what its reads were.

    ``energies``  of every read, in penalties of one conflict, under this round's own conditions
    """

    target: int | float | None
    objective_weight: float | None
    clamped_off: int
    reads: int
    sweeps: int
    beta_range: tuple[float, float]
    feasible: int
    best_objective: int | float | None
    energies: tuple[float, ...]


class EnergyTrace(_Part):
    """The chain of the read behind the answer, replayed: its energy after so many sweeps.

    Energies are in penalties of one conflict, under the conditions of that read's round.
    """

    read: int
    sweeps: tuple[int, ...]
    energies: tuple[float, ...]


class Certificate(_Part):
    """What was checked of the reads and the answer; what was not checked is said in `sampling`."""

    sampling: dict[str, Any]
    optimality: Optimality
    raw: RawReads | None
    vote: VoteReport | None
    rounds: tuple[RoundReport, ...]
    trace: EnergyTrace | None = None
    quantization: dict[str, float | bool | int] | None


class Result(_Part):
    """The answer to one problem, with what it rests on.

    ``violations``      rules that the solution breaks; empty exactly when `feasible`
    ``energy``          of the read behind the solution, in penalties, under the last conditions
    ``route``           which path was taken through the house
    ``ledger``          what was counted, and joules by kind and table; see `gibbsite.ledger`
    ``energy_savings``  share saved over a language model alone, by quoted prices; null where no
                        tokens of one were counted
    ``device_updates``  one-hot states and p-bits that were decided
    ``timings``         seconds of wall clock on the host, by stage
    """

    schema_version: int = SCHEMA_VERSION
    problem: SerializeAsAny[Problem]
    solution: ScheduleSolution | None
    energy: float | None
    feasible: bool
    violations: tuple[str, ...]
    assumptions: tuple[str, ...]
    route: str
    certificate: Certificate | None
    ledger: Ledger | None
    entropy_production: float | None
    llm_tokens: int | None
    langevin_steps: int | None
    device_updates: int | None
    energy_savings: float | None
    device: str | None
    seed: int | None
    timings: dict[str, float]

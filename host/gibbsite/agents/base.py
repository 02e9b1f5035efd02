"""What every agent is: it takes a typed problem and a device, and gives one `Result`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from gibbsite.progress import Report
from gibbsite.result import Result
from gibbsite.vote import Rule
from gibbsite_hw.spec.device import Device

__all__ = ["Agent", "Options"]

P = TypeVar("P", contravariant=True)


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may ask of any agent; None leaves the choice to it.

    ``reads``       independent reads in a round, ``sweeps`` sweeps of each
    ``rounds``      most rounds; None keeps to a budget of device cycles
    ``trace``       whether the chain behind the answer is replayed for its energies
    ``beta_range``  first and last inverse temperature, per penalty; (0, 0) draws blindly
    """

    reads: int | None
    sweeps: int | None
    vote: Rule
    seed: int
    durations: str
    rounds: int | None = None
    trace: bool = False
    beta_range: tuple[float, float] | None = None


class Agent(Protocol[P]):
    """Solves the problems of one kind."""

    def solve(self, problem: P, device: Device, options: Options, report: Report) -> Result:
        """Sample, verify, vote; an infeasible problem is a result, not an exception."""
        ...

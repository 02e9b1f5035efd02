"""What a suite is told: seeds, seconds, data, and whom to tell how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gibbsite.bench.table import Table
from gibbsite.progress import Report

__all__ = ["FIRST_SEED", "Options"]

FIRST_SEED: Final = 1_001
"""Lower seeds were looked at while settings were chosen, so that none of them is measured."""


def _silent(_stage: str, _done: float, _total: float | None) -> None:
    """Report to nobody."""


def _dropped(_table: Table) -> None:
    """Keep nothing before the end."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one run of suites.

    ``seeds``      how many, from `FIRST_SEED` on, of every instance; also the pairs of a ratio
    ``seconds``    processor time an instance and seed, at most; None leaves each recipe's own
    ``data``       folder of public instances, None where there is none: then some are generated
    ``instances``  names to keep, empty for all
    ``keep``       hears a table whenever it has a row more: long runs lose nothing
    """

    seeds: int = 11
    seconds: float | None = None
    data: Path | None = None
    instances: tuple[str, ...] = ()
    progress: Report = _silent
    keep: Callable[[Table], None] = _dropped

"""The suites by name: each is one function from options to a table, and one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from gibbsite.bench.options import Options
from gibbsite.bench.table import Table
from gibbsite.instances import Family
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["GAIN_BELOW", "SUITES", "BenchError", "Suite", "chosen"]


GAIN_BELOW: Final = "L12"
"""Where the cubes begin that are too large for the suite `gain`."""


class BenchError(GibbsiteError, ValueError):
    """An argument of the benchmarks that cannot be used."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite: what it measures, and where its function is, imported when it runs.

    ``family``  of the instances among which ``--instance`` chooses, None where they are fixed;
    ``below``   names from here on in alphabetical order are left out; ``options`` that steer it,
    of those that do not steer all suites
    """

    what: str
    home: str
    function: str
    family: Family | None = None
    below: str | None = None
    options: tuple[str, ...] = ("--data",)

    def run(self, options: Options) -> Table:
        """Measure."""
        made: Callable[[Options], Table] = getattr(import_module(self.home), self.function)
        return made(options)


SUITES: Final[dict[str, Suite]] = {
    "speed": Suite(
        "updates a second of the graph engine beside dwave-samplers",
        "gibbsite.bench.speed",
        "speed",
    ),
    "lattice": Suite(
        "flips a second of the lattice engine beside dwave-samplers and thrml, and growth",
        "gibbsite.bench.lattice",
        "lattice",
        options=(),
    ),
    "maxcut": Suite(
        "cuts of G-set instances beside annealing at equal time",
        "gibbsite.bench.quality",
        "maxcut",
        "maxcut",
        options=("--data", "--seconds"),
    ),
    "ea3d": Suite(
        "energies of 3D spin glasses beside annealing at equal time",
        "gibbsite.bench.quality",
        "ea3d",
        "ea3d",
        options=("--data", "--seconds"),
    ),
    "gain": Suite(
        "tempering against annealing at equal updates; residual energy against sweeps",
        "gibbsite.bench.gain",
        "gain",
        "ea3d",
        below=GAIN_BELOW,
    ),
}


def chosen(names: list[str]) -> dict[str, Suite]:
    """The suites of these names, in the order asked for. Raises `BenchError`."""
    for name in names:
        if name not in SUITES:
            how = "write it alone" if name == "list" else f"use one of {', '.join(SUITES)}, or list"
            raise BenchError(f"{name!r} is no suite: {how}")
    return {name: SUITES[name] for name in names}

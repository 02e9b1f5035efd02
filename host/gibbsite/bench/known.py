"""The instances of a suite by name, told before anything is measured.

With a data folder they are the names of its files; without one, those that the suite generates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from gibbsite.bench.suites import SUITES, BenchError, Suite
from gibbsite.instances import Family

__all__ = ["GENERATED", "known_instances", "refuse_unknown", "refuse_unused"]

GENERATED: Final[Mapping[Family, tuple[str, ...]]] = {
    "maxcut": ("torus 10x20 seed 1", "torus 10x20 seed 2"),
    "ea3d": ("cube 6 seed 1", "cube 6 seed 2"),
}
"""Names of what the suites of a family generate where no data folder is given."""


def known_instances(suite: Suite, data: Path | None) -> tuple[str, ...]:
    """Names among which ``--instance`` chooses; none where the suite's instances are fixed."""
    if suite.family is None:
        return ()
    if data is None:
        return GENERATED[suite.family]
    names = sorted(path.stem for path in (data / suite.family).glob("*.txt"))
    return tuple(name for name in names if suite.below is None or name < suite.below)


def refuse_unknown(
    suites: Mapping[str, Suite], instances: Sequence[str], data: Path | None
) -> None:
    """Raise `BenchError` if a suite would measure none of these, or has no instance to measure."""
    unknown = set(instances)
    for name, suite in suites.items():
        if suite.family is None:
            if instances:
                raise BenchError(
                    f"--instance {instances[0]!r} was given and the suite {name} has fixed "
                    "instances: leave --instance or the suite out"
                )
            continue
        known = known_instances(suite, data)
        if not known:
            raise BenchError(
                f"the suite {name} finds no .txt file in {data}/{suite.family}: give the folder "
                "that holds maxcut/ and ea3d/ with --data, or leave it out"
            )
        if instances and not set(instances) & set(known):
            raise BenchError(_sentence(name, instances, known, data))
        unknown -= set(known)
    if unknown:
        every = dict.fromkeys(
            known for suite in suites.values() for known in known_instances(suite, data)
        )
        raise BenchError(_sentence(", ".join(suites), sorted(unknown), every, data))


def refuse_unused(suites: Mapping[str, Suite], options: Mapping[str, object]) -> None:
    """Raise `BenchError` for an option, None where it was not given, that steers no suite here."""
    for option, value in options.items():
        if value is None or any(option in suite.options for suite in suites.values()):
            continue
        others = ", ".join(name for name, suite in SUITES.items() if option in suite.options)
        raise BenchError(
            f"{option} {value} steers {others} and was given for {', '.join(suites)}: leave it out"
        )


def _sentence(suite: str, wanted: Iterable[str], known: Iterable[str], data: Path | None) -> str:
    found = ", ".join(map(repr, wanted))
    more = "" if data is not None else ", or name a folder with public ones by --data"
    return f"{suite} has no instance {found}: use one of {', '.join(known)}{more}"

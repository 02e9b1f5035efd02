"""`gibbsite bench`: named suites beside their peers, one table on stdout and in files.

Exit codes: 0 if every bar was met, 3 if one was missed; as for all commands 2 for bad input, 4 for
a device that is missing or failed, 130 when interrupted.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from gibbsite.bench.table import Table

__all__ = ["MISSED", "bench"]

MISSED: Final = 3

THREAD_LIMITS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def bench(
    suites: Annotated[
        list[str],
        typer.Argument(metavar="SUITE...", help="Names of suites, or `list` to see them."),
    ],
    seeds: Annotated[int, typer.Option(help="Seeds of each instance; pairs of each ratio.")] = 11,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Of maxcut, ea3d: processor time a solver has for an instance and seed, else a "
            "recipe's; compiling and the tuning of peers come on top."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of public instances; without it some are generated."),
    ] = None,
    instance: Annotated[
        list[str] | None, typer.Option(help="Only this instance; may be given again.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for SUITE.md and SUITE.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, not Markdown.")] = False,
) -> int:
    """Measure speed and quality beside peers; losses are in the table like all else."""
    import json

    from gibbsite import cli
    from gibbsite.bench.facts import facts
    from gibbsite.bench.figures import write_figures
    from gibbsite.bench.known import refuse_unknown, refuse_unused
    from gibbsite.bench.options import FIRST_SEED, Options
    from gibbsite.bench.suites import SUITES, BenchError, chosen
    from gibbsite.bench.table import page
    from gibbsite.progress import bars

    if suites == ["list"]:
        named = {name: one.what for name, one in SUITES.items()}
        listed = "\n".join(f"{name:9s} {what}" for name, what in named.items())
        cli.written(lambda: typer.echo(json.dumps(named) if as_json else listed))
        return 0
    wanted = chosen(suites)
    if seeds < 1:
        raise BenchError(f"--seeds is {seeds}: give at least 1")
    if seconds is not None and not 0 < seconds < math.inf:
        raise BenchError(f"--seconds is {seconds}: give more than 0, and a finite number")
    if data is not None and not data.is_dir():
        raise BenchError(f"--data {data} is no folder: give the one that holds maxcut/ and ea3d/")
    refuse_unused(wanted, {"--seconds": seconds, "--data": data})
    refuse_unknown(wanted, tuple(instance or ()), data)
    made = [] if out is None else _refuse_unwritable(out, wanted)
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    tables: list[Table] = []
    documents: list[dict[str, Any]] = []

    def document(table: Table) -> dict[str, Any]:
        asked = {"first_seed": FIRST_SEED, "seeds": seeds, "seconds": seconds}
        return {**facts(sys.argv), **asked, **table.as_dict()}

    def keep(table: Table) -> None:
        if out is not None:
            found = document(table)
            try:
                write_figures(table.suite, found, out)
                (out / f"{table.suite}.md").write_text(page(found), encoding="utf-8")
            except OSError as error:
                raise BenchError(
                    f"--out {out} can no longer be written: {error.strerror}; make room and "
                    "measure again"
                ) from None

    try:
        with bars() as progress:
            options = Options(seeds, seconds, data, tuple(instance or ()), progress, keep)
            for name, suite in wanted.items():
                progress(f"suite {name}", 0, None)
                tables.append(suite.run(options))
                documents.append(document(tables[-1]))
                keep(tables[-1])
                progress(f"suite {name}", 1, 1)
    finally:
        for folder in made:  # an end before the first row leaves none of them
            with suppress(OSError):  # it holds something
                folder.rmdir()
    if as_json:
        text = json.dumps(documents)
    else:
        text = "\n".join(page(found) for found in documents)
    cli.written(lambda: typer.echo(text))
    return MISSED if any(row.met is False for table in tables for row in table.rows) else 0


def _refuse_unwritable(out: Path, names: Iterable[str]) -> list[Path]:
    """Make the folder of results, or refuse it, before the work whose results it will hold.

    The folders that were made, innermost first.
    """
    from gibbsite import cli

    try:
        made = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cli.InputError(
            f"--out {out} cannot be made: {error.strerror}; choose another folder"
        ) from None
    for name in names:
        for ending in ("json", "md"):
            cli.refuse_unwritable("--out", out / f"{name}.{ending}")
    return made

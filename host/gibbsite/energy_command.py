"""`gibbsite energy`: the tables of prices with their sources, and estimates from them.

Exit codes: 0; as for all commands 2 for bad input, 130 when interrupted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = ["energy"]

DEFAULT_TABLE: Final = "ice40-estimate"


def energy(
    toggles: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json",
            help="Estimate the joules of an FPGA from the toggles of its routed netlist.",
        ),
    ] = None,
    clock: Annotated[
        float | None, typer.Option(metavar="HZ", help="With --toggles: the clock of the board.")
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            help="With --toggles: ice40-estimate or ecp5-estimate.", show_default=DEFAULT_TABLE
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the price tables behind every figure of energy, with kind, source and date."""
    from gibbsite import cli
    from gibbsite.ledger import view

    if toggles is None:
        for option, value in (("--clock", clock), ("--table", table)):
            if value is not None:
                raise cli.InputError(
                    f"{option} {value} belongs to an estimate from toggles: give --toggles "
                    f"FILE.json too, or leave {option} out"
                )
        lines = [view.tables_json()] if as_json else [*view.table_lines(), *view.savings_lines()]
    else:
        from gibbsite.ledger.fpga import fpga_estimate, read_toggles

        counted = read_toggles(toggles)
        hertz = clock if clock is not None else counted.clock_hz
        if hertz is None:
            raise cli.InputError(f"--clock is needed: {toggles} says no clock_hz; give the board's")
        estimate = fpga_estimate(counted.toggles, counted.cycles, hertz, table or DEFAULT_TABLE)
        lines = [estimate.model_dump_json()] if as_json else view.estimate_lines(estimate)
    cli.written(lambda: typer.echo("\n".join(lines)))

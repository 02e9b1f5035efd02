"""A certificate for people: a table of checks, each beside its limit, then the verdict."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["counted", "rows", "show"]

WIDTH = 100
"""Columns where no terminal says how wide it is."""


def show(document: dict[str, Any], console: Console | None = None) -> None:
    """Print a certificate's document; without a console it goes to stdout."""
    console = console or Console()
    if not console.is_terminal:
        console = Console(width=WIDTH, file=console.file)
    found = document["certificate"]
    source = document["device"] or document.get("samples") or "draws"
    seed = "" if document["seed"] is None else f", seed {document['seed']}"
    taken = found["chains"] * found["draws"]
    asked = document.get("reads_asked", taken)
    console.print(
        f"{source}{seed}: {counted(found['chains'], 'chain')} of "
        f"{counted(found['draws'], 'draw')} at beta {document['beta']:g}",
        highlight=False,
        markup=False,
    )
    if asked != taken:
        console.print(
            f"not drawn: {asked - taken} of {asked} reads, since chains draw equally often"
        )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("check", "found", "limit", "", "on"):
        table.add_column(name, justify="right" if name in ("found", "limit") else "left")
    for row in rows(found):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    for sentence in found["not_checked"]:
        console.print(f"not checked: {sentence}", highlight=False, markup=False)
    console.print(f"verdict: {found['verdict']}", highlight=False, markup=False)
    console.print(f"because: {found['reason']}", highlight=False, markup=False)


def rows(found: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """Check, what was found, its limit, whether it passed, and on what it was worst."""
    made: list[tuple[str, str, str, str, str]] = []
    starts = found["starts"]
    if starts is not None:
        limit = f">= {starts['limit']:.3f}"
        passed = _mark(starts["over_dispersed"], "too close")
        made.append(
            ("dispersion of starts", f"{starts['dispersion']:.3f}", limit, passed, starts["origin"])
        )
    time = found["autocorrelation"]
    if time is not None:
        passed = _mark(time["reliable"], "too few")
        made.append(("autocorrelation time", f"{time['time']:.2f}", "", "", time["statistic"]))
        made.append(("effective draws", f"{time['effective_draws']:.0f}", ">= 50", passed, "all"))
    agreement = found["agreement"]
    if agreement is not None:
        made.append(
            (
                "split R-hat",
                "infinite" if agreement["r_hat"] is None else f"{agreement['r_hat']:.4f}",
                f"<= {agreement['limit']:.4f}",
                _mark(agreement["agrees"]),
                agreement["statistic"],
            )
        )
    beta = found["effective_beta"]
    if beta is not None:
        made.append(
            (
                "effective beta",
                f"{beta['estimate']:.5g} +- {beta['error']:.2g}",
                f"{beta['low']:.5g}..{beta['high']:.5g}",
                _mark(beta["within"]),
                f"interval at {100 * beta['level']:.5g} %, {beta['parts']} parts",
            )
        )
    for check in found["checks"]:
        made.append(
            (
                check["name"],
                f"{check['deviation']:.2f} se",
                f"<= {check['limit']:.2f}",
                _mark(check["passed"]),
                f"{check['worst']}, worst of {check['of']}",
            )
        )
    mean = found["mean_energy"]
    if mean is not None:
        made.append(
            (
                "mean energy",
                f"{mean['deviation']:.2f} se",
                f"<= {mean['limit']:.2f}",
                _mark(mean["within"]),
                f"{mean['found']:.6g}, exactly {mean['exact']:.6g}",
            )
        )
    distance = found["total_variation"]
    if distance is not None:
        made.append(
            (
                "total variation",
                f"{distance['distance']:.4f}",
                f"<= {distance['floor']:.4f}",
                _mark(distance["within"]),
                f"{distance['of']}, {distance['states']} states",
            )
        )
    return made


def counted(number: int, what: str) -> str:
    """A number of things: "1 draw", "2 draws"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _mark(passed: bool, otherwise: str = "FAILED") -> str:
    return "ok" if passed else otherwise

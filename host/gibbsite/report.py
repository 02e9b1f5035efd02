"""A `Result` for people: tables on a terminal (rich).

Order: the answer, what it assumes, how far it can be trusted, what the device did. Numbers are in
the problem's own unit.
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.view import energy_lines
from gibbsite.result import Certificate, RawReads, Result, ScheduleSolution

__all__ = ["figure", "show"]

WIDTH = 100
"""Columns where no terminal says how wide it is."""


def show(result: Result, console: Console | None = None) -> None:
    """Print a result; without a console it goes to stdout, plain where that is no terminal."""
    console = console or _stdout()
    console.print(_headline(result), highlight=False, markup=False)
    if result.solution is not None:
        console.print(_timetable(result, result.solution))
    for sentence in result.violations:
        console.print(f"violated: {sentence}", highlight=False, markup=False)
    for sentence in result.assumptions:
        console.print(f"assumed: {sentence}", highlight=False, markup=False)
    if result.certificate is not None:
        for line in _trust(result.certificate, result.problem.unit):
            console.print(line, highlight=False, markup=False)
    for line in _work(result):
        console.print(line, highlight=False, markup=False)


def figure(value: float) -> str:
    """A number of a solution as people write it: whole ones in full, others to 10 digits."""
    return str(int(value)) if float(value).is_integer() else f"{value:.10g}"


def _stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _headline(result: Result) -> str:
    problem, solution = result.problem, result.solution
    size = f"{_times(len(problem.tasks), 'task')} on {_times(len(problem.machines), 'machine')}"
    goal = problem.objective.replace("_", " ")
    if solution is None:
        return f"{size}: no answer"
    if not result.feasible:
        certificate = result.certificate
        proven = certificate is not None and certificate.optimality.proven is not None
        found = "exists" if proven else "found"
        return f"{size}: no feasible answer {found}; the best attempt, with what it violates:"
    return f"{size}: {goal} {_amount(solution.objective, problem.unit)}"


def _timetable(result: Result, solution: ScheduleSolution) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("machine", "task"):
        table.add_column(name)
    for name in ("start", "end"):
        table.add_column(name, justify="right")
    rank = {machine.id: place for place, machine in enumerate(result.problem.machines)}
    for item in sorted(solution.assignments, key=lambda one: (rank[one.machine], one.start)):
        # names are text as it stands: a bracket in one is no markup
        table.add_row(Text(item.machine), Text(item.task), figure(item.start), figure(item.end))
    return table


def _trust(certificate: Certificate, unit: str) -> list[str]:
    """What is proven, what the device drew by itself, how it was voted, what was not checked."""
    lines = [f"proof: {certificate.optimality.proven or 'none that the answer is optimal'}"]
    if certificate.raw is not None:
        lines.append(f"raw reads: {_raw(certificate.raw, unit)}")
    if certificate.vote is not None:
        vote = certificate.vote
        lines.append(
            f"vote: by {vote.rule}, {vote.support} of {vote.candidates} candidates agree, "
            f"{vote.ties} other answers tie"
        )
    lines += [f"{name.replace('_', ' ')}: {value}" for name, value in certificate.sampling.items()]
    return lines


def _raw(raw: RawReads, unit: str) -> str:
    text = f"{raw.feasible} of {raw.reads} feasible before any repair"
    if raw.best_objective is None:
        return text
    return f"{text}, {raw.best_count} with the best objective {_amount(raw.best_objective, unit)}"


def _work(result: Result) -> list[str]:
    """Where it ran and for how long; what the device counted."""
    parts = [f"device: {result.device}" if result.device else "device: none needed"]
    if result.seed is not None:
        parts.append(f"seed {result.seed}")
    if "total" in result.timings:
        parts.append(f"{result.timings['total']:.1f} s")
    lines = [", ".join(parts)]
    if result.ledger is None:
        return [*lines, "energy: none claimed: no device was used"]
    lines.append(f"work: {_counted(result.ledger)}")
    return lines + energy_lines(result.ledger)


def _counted(ledger: Ledger) -> str:
    counts = {
        "read": ledger.reads,
        "run": ledger.runs,
        "update": ledger.updates,
        "Langevin step": ledger.langevin_steps,
        "cycle": ledger.cycles,
        "coupling load": ledger.coupling_loads,
    }
    return ", ".join(_times(count, name) for name, count in counts.items() if count is not None)


def _times(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count:,} {name}s"


def _amount(value: float, unit: str) -> str:
    return f"{figure(value)} {unit}" if value == 1 else f"{figure(value)} {unit}s"

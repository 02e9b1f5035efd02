"""The picture of an answer: its Gantt chart, and the energies of the reads round by round."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gibbsite.report import figure as digits
from gibbsite.result import Result, ScheduleSolution
from gibbsite_hw.spec.errors import GibbsiteError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PlotError", "draw", "formats"]


BRIGHT: Final = (1, 6, 7, 8, 9)
"""Colours of the cycle on which black letters are read more easily than white ones."""

LETTERS: Final = 90
"""Letters of a task's name that fit the width of the chart."""

LONGEST: Final = 24
"""Letters of a machine's name that are shown."""


class PlotError(GibbsiteError):
    """A picture that could not be written."""


def draw(result: Result, path: Path) -> None:
    """Write the picture of a result; the file's ending chooses the format.

    Raises: `PlotError` for a format that matplotlib does not write, or a full disk.
    """
    # here, not above: it takes a second, and only pictures need it
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    more = 0.3 * max(0, len(result.problem.machines) - 8)
    figure = Figure(figsize=(9, 6 + more), layout="constrained")
    FigureCanvasAgg(figure)
    gantt, trace = figure.subplots(2, 1, height_ratios=(3.6 + more, 2.4))
    _gantt(gantt, result)
    _trace(trace, result)
    try:
        with warnings.catch_warnings():
            # a letter that the font lacks is drawn as a box; the table has it right
            warnings.filterwarnings("ignore", message="Glyph ")
            figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise PlotError(f"no picture can be written to {path}: {error}") from None


def formats() -> set[str]:
    """Return the endings of files that can be drawn."""
    from matplotlib.backend_bases import FigureCanvasBase

    return set(FigureCanvasBase.get_supported_filetypes())


def _gantt(axes: Axes, result: Result) -> None:
    problem = result.problem
    rows = {machine.id: row for row, machine in enumerate(problem.machines)}
    axes.set_yticks(list(rows.values()), [_name(machine, LONGEST) for machine in rows])
    axes.invert_yaxis()
    axes.set_xlabel(problem.unit)
    if result.solution is None:
        axes.set_title("no answer")
        return
    end = max(item.end for item in result.solution.assignments)
    axes.locator_params(axis="x", nbins=13, steps=[1, 2, 4, 5, 10], integer=end > 1)
    for machine in problem.machines:
        for start, stop in machine.windows or ():
            axes.barh(rows[machine.id], min(stop, end) - start, left=start, color="0.92")
    _bars(axes, result.solution, rows)
    goal = problem.objective.replace("_", " ")
    state = "" if result.feasible else " (not feasible)"
    axes.set_title(f"{goal} {digits(result.solution.objective)} {problem.unit}s{state}")


def _bars(axes: Axes, solution: ScheduleSolution, rows: dict[str, int]) -> None:
    end = max(item.end for item in solution.assignments)
    for place, item in enumerate(solution.assignments):
        row, middle = rows[item.machine], (item.start + item.end) / 2
        length = item.end - item.start
        axes.barh(row, length, left=item.start, height=0.6, color=f"C{place % 10}", edgecolor="w")
        name = _name(item.task, int(LETTERS * length / end))
        ink = "k" if place % 10 in BRIGHT else "w"
        axes.text(middle, row, name, ha="center", va="center", color=ink, fontsize=8)


def _name(name: str, longest: int) -> str:
    """A name as it stands (a dollar sign begins no formula), without its middle if too long.

    Names often differ in their last letters only.
    """
    if len(name) > longest:
        end = longest // 2
        name = f"{name[: longest - 1 - end]}…{name[-end:]}" if end else ""
    return name.replace("$", r"\$")


def _trace(axes: Axes, result: Result) -> None:
    """The answer's chain, sweep by sweep; without one a dot a read. Energies in penalties."""
    if result.certificate is not None and result.certificate.trace is not None:
        trace = result.certificate.trace
        axes.plot(trace.sweeps, trace.energies, ".-", color="C0")
        axes.set_xlabel(f"sweep (read {trace.read})")
        axes.set_ylabel("energy / penalty")
        return
    rounds = result.certificate.rounds if result.certificate is not None else ()
    begin = 0
    for number, report in enumerate(rounds):
        reads = range(begin, begin + len(report.energies))
        label = "no target" if report.target is None else f"target {report.target:g}"
        axes.plot(reads, report.energies, ".", markersize=3, color=f"C{number % 10}", label=label)
        begin += len(report.energies)
    axes.set_xlabel("read")
    axes.set_ylabel("energy / penalty")
    if 0 < len(rounds) <= 10:
        axes.legend(loc="upper right", fontsize=8)
    if begin == 0:
        axes.set_title("no reads were drawn")

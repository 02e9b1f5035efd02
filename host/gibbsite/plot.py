"""The picture of an answer: its Gantt chart, and the energies of the reads round by round."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gibbsite.report import figure as digits
from gibbsite.result import EnergyTrace, Result, RoundReport, ScheduleSolution
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

LINEAR_SWEEPS: Final = 10
"""Sweeps up to which a trace's axis is linear; beyond, it is logarithmic."""

TICKS: Final = (0, 2, 4, 6, 8, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)

CONFLICTS: Final = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Ticks of energies that reach far above what one conflict costs."""

FAR: Final = 8
"""Penalties above which such an axis is logarithmic, and linear up to `NEAR` of them."""

NEAR: Final = 2


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
    grid = figure.add_gridspec(2, 2, height_ratios=(3.6 + more, 2.4), width_ratios=(5, 1))
    _gantt(figure.add_subplot(grid[0, :]), result)
    certificate = result.certificate
    if certificate is not None and certificate.trace is not None:
        chain = figure.add_subplot(grid[1, 0])
        reads = figure.add_subplot(grid[1, 1], sharey=chain)
        _trace(chain, reads, certificate.trace, _ends(certificate.rounds, certificate.trace.read))
    else:
        _reads(figure.add_subplot(grid[1, :]), () if certificate is None else certificate.rounds)
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


def _trace(axes: Axes, beside: Axes, trace: EnergyTrace, ends: Sequence[float]) -> None:
    """The answer's chain, sweep by sweep, its lowest so far, and beside it where all reads ended.

    Energies in penalties: 1 is one conflict. The first sweeps, which do most, have most room.
    """
    lowest = np.minimum.accumulate(trace.energies)
    axes.plot(trace.sweeps, trace.energies, ".-", color="C0", label="energy")
    axes.step(trace.sweeps, lowest, where="post", color="C3", ls="--", label="lowest so far")
    axes.set_xscale("symlog", linthresh=LINEAR_SWEEPS)
    axes.set_xlim(0, max(trace.sweeps[-1], 1))
    ticks = [tick for tick in TICKS if tick < 0.7 * trace.sweeps[-1]]
    axes.set_xticks([*ticks, trace.sweeps[-1]], [str(at) for at in (*ticks, trace.sweeps[-1])])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(f"sweep (read {trace.read})")
    axes.set_ylabel("energy / penalty")
    first = trace.sweeps[int(np.argmin(trace.energies))]
    axes.set_title(
        f"lowest {lowest[-1]:.4g}, first seen {_after(first)}",
        fontsize=9,
        loc="left",
    )
    _room(axes, [*trace.energies, *ends])
    axes.legend(loc="upper right", fontsize=8)
    values, counts = np.unique(ends, return_counts=True)
    beside.hlines(values, 0, counts, color="C0", lw=3)
    beside.set_xlim(left=0)
    beside.set_title(f"{len(ends)} reads end", fontsize=9, loc="left")
    beside.set_xlabel("reads")
    beside.tick_params(labelleft=False)


def _after(sweep: int) -> str:
    return "where it started" if sweep == 0 else f"after {_sweeps(sweep)}"


def _sweeps(count: int) -> str:
    return "1 sweep" if count == 1 else f"{count} sweeps"


def _ends(rounds: Sequence[RoundReport], read: int) -> Sequence[float]:
    """Last energies of all reads of the round that a read belongs to."""
    for report in rounds:
        if read < len(report.energies):
            return report.energies
        read -= len(report.energies)
    return ()


def _reads(axes: Axes, rounds: Sequence[RoundReport]) -> None:
    """A dot a read where no chain was replayed."""
    begin = 0
    for number, report in enumerate(rounds):
        reads = range(begin, begin + len(report.energies))
        label = "no target" if report.target is None else f"target {report.target:g}"
        axes.plot(reads, report.energies, ".", markersize=3, color=f"C{number % 10}", label=label)
        begin += len(report.energies)
    axes.set_xlabel("read")
    axes.set_ylabel("energy / penalty")
    _room(axes, [energy for report in rounds for energy in report.energies])
    if 0 < len(rounds) <= 10:
        axes.legend(loc="upper right", fontsize=8)
    if begin == 0:
        axes.set_title("no reads were drawn")


def _room(axes: Axes, energies: Sequence[float]) -> None:
    """Limits that show one conflict at least, so that equal energies are no line without a scale.

    Where all lie closer, a line says how much that is; where some lie far off, the axis above two
    conflicts is logarithmic, so that the end of a chain is seen beside its start.
    """
    finite = [energy for energy in energies if np.isfinite(energy)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    if high - low < 1:
        high = low + 1
        axes.axhline(high, color="0.6", lw=0.8, ls=":")
        axes.annotate(
            "one conflict more", (0, high), (4, 2), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=8, color="0.4",
        )  # fmt: skip
    if low >= 0 and high > FAR:
        axes.set_yscale("symlog", linthresh=NEAR)
        axes.set_yticks([at for at in CONFLICTS if at <= high], minor=False)
        axes.set_yticklabels([str(at) for at in CONFLICTS if at <= high])
        axes.set_yticks([], minor=True)
        axes.set_ylim(-0.15 * NEAR, 2 * high)
        return
    margin = 0.12 * (high - low)
    axes.set_ylim(low - margin, high + 2 * margin)

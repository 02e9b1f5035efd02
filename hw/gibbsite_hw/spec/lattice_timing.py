"""Cycles of the lattice engine: what hardware takes and golden model counts.

    seeding = banks streams (20 / hash_rounds + 1)
    pass    = columns + GAP                 if columns >= 2 reach + SHORT
              columns + 2 reach + SHORT     else
    sweep   = 2 pass
    table   = field_max + 1 + TABLE_LATENCY

A step of the schedule begins when the sweeps before it are done and its table is ready; the table
of a step is begun when the step before it begins, or, in a build with one table a lane, when it
ends; that of the first step when seeding begins. A step that waits at all waits for SETTLE cycles
at least. Waiting for the reader and sending draws
are not counted.
"""

from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = [
    "GAP",
    "SETTLE",
    "gap_cycles",
    "group_cycles",
    "pass_cycles",
    "reach",
    "seeding_cycles",
    "streams_through",
    "sweep_cycles",
    "table_cycles",
]

GAP = 3
"""Cycles between two passes in which no column is at the lanes: the last column's spins are first
needed by the next pass's first column, in its last sum, four cycles after their own last sum."""

SHORT = 8
"""Columns beyond those that lanes look ahead and back, from which passes follow each other."""

SETTLE = 8
"""Cycles of the shortest wait: the spins of the pass before it are in memory behind it."""

TABLE_LATENCY = 4
"""Cycles from the last step of a table's ramp to a step that may begin with the table. The ramp
runs to ``field_max + 1``, since two entries are written together."""


def reach(parameters: LatticeParameters) -> int:
    """Columns between a site and its farthest neighbour."""
    return max(column for _, column in parameters.offsets)


def streams_through(parameters: LatticeParameters, columns: int) -> bool:
    """Whether a program of so many columns is wide enough that passes follow after GAP cycles."""
    return columns >= 2 * reach(parameters) + SHORT


def gap_cycles(parameters: LatticeParameters, columns: int) -> int:
    """Cycles of a pass beyond one a column.

    In a narrower program a pass waits until the one before it is in memory.
    """
    if streams_through(parameters, columns):
        return GAP
    return 2 * reach(parameters) + SHORT


def pass_cycles(parameters: LatticeParameters, columns: int) -> int:
    """Cycles of one colour's pass."""
    return columns + gap_cycles(parameters, columns)


def sweep_cycles(parameters: LatticeParameters, columns: int) -> int:
    """Cycles of both passes."""
    return 2 * pass_cycles(parameters, columns)


def seeding_cycles(parameters: LatticeParameters) -> int:
    """Cycles that seed the streams of all banks."""
    return parameters.banks * parameters.streams * (20 // parameters.hash_rounds + 1)


def table_cycles(parameters: LatticeParameters) -> int:
    """Cycles that compute the thresholds of one beta."""
    return parameters.field_max + 1 + TABLE_LATENCY


def group_cycles(
    parameters: LatticeParameters,
    columns: int,
    *,
    steps: int,
    sweeps_per_step: int,
    thinned: int,
) -> tuple[int, int]:
    """Cycles of the chains of all banks from their seeding to a draw behind ``thinned`` sweeps.

    The second number is how many of these were spent in waiting for thresholds.
    """
    sweep = sweep_cycles(parameters, columns)
    started = seeding_cycles(parameters) + sweep
    waits = _wait(parameters, started) if steps or thinned else 0
    meanwhile = sweeps_per_step * sweep if parameters.tables == 2 else 0
    waits += max(0, steps - 1) * _wait(parameters, meanwhile)
    return started + (steps * sweeps_per_step + thinned) * sweep + waits, waits


def _wait(parameters: LatticeParameters, passed: int) -> int:
    """Cycles that a step waits for its table, begun so many cycles ago."""
    left = table_cycles(parameters) - passed
    return max(left, SETTLE) if left > 0 else 0

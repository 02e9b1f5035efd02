"""Cycles of the lattice engine: what hardware takes and golden model counts.

    seeding = banks streams (20 / hash_rounds + 1)
    pass    = columns + GAP                 if columns >= 2 reach + SHORT
              columns + 2 reach + SHORT     else
    sweep   = 2 pass + (ceil(log2 lanes) + BEST if the best state is kept)
    table   = field_max + 1 + TABLE_LATENCY

A step of the schedule begins when the sweeps before it are done and its table is ready; the table
of a step is begun when the step before it begins, that of the first step when seeding begins.
Waiting for the reader and sending draws are not counted.
"""

from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = [
    "gap_cycles",
    "group_cycles",
    "pass_cycles",
    "seeding_cycles",
    "sweep_cycles",
    "table_cycles",
]

GAP = 3
"""Cycles between two passes in which no column is at the lanes."""

SHORT = 8
"""Columns beyond those that lanes look ahead and back, from which passes follow each other."""

BEST = 6
"""Cycles from a sweep's last decision to its energy, beside the levels of the tree of adders."""

TABLE_LATENCY = 6


def reach(parameters: LatticeParameters) -> int:
    """Columns between a site and its farthest neighbour."""
    return max(column for _, column in parameters.offsets)


def gap_cycles(parameters: LatticeParameters, columns: int) -> int:
    """Cycles of a pass beyond one a column.

    A program too narrow for the columns that lanes look ahead reads them anew in every pass.
    """
    ahead = reach(parameters)
    return GAP if columns >= 2 * ahead + SHORT else 2 * ahead + SHORT


def pass_cycles(parameters: LatticeParameters, columns: int) -> int:
    """Cycles of one colour's pass."""
    return columns + gap_cycles(parameters, columns)


def best_cycles(parameters: LatticeParameters) -> int:
    """Cycles that a sweep waits for its energy where the best state is kept."""
    return (parameters.lanes - 1).bit_length() + BEST


def sweep_cycles(parameters: LatticeParameters, columns: int, best: bool) -> int:
    """Cycles of both passes, and of the wait for the energy where the best state is kept."""
    return 2 * pass_cycles(parameters, columns) + (best_cycles(parameters) if best else 0)


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
    best: bool,
    steps: int,
    sweeps_per_step: int,
    thinned: int,
) -> tuple[int, int]:
    """Cycles of the chains of all banks from their seeding to a draw behind ``thinned`` sweeps.

    The second number is how many of these were spent in waiting for thresholds.
    """
    sweep, table = sweep_cycles(parameters, columns, best), table_cycles(parameters)
    started = seeding_cycles(parameters) + sweep
    waits = max(0, table - started) if steps or thinned else 0
    waits += max(0, steps - 1) * max(0, table - sweeps_per_step * sweep)
    return started + (steps * sweeps_per_step + thinned) * sweep + waits, waits

"""Cycles of the Langevin engine: what hardware takes and golden model counts.

    seeding = units (20 / hash_rounds + 1)
    start   = units + START_LATENCY
    pass    = residuals + updates + TAIL_CYCLES + moments
    residuals = m ceil(n / L) + RESIDUAL_LATENCY                    (0 without constraints)
    updates   = n max(1, coupled ceil(n / L) + ceil(m / L)) + UPDATE_LATENCY
    moments   = pairs + MOMENT_LATENCY                              (0 where none are taken)

n units, m constraints, L multipliers. A chain of T steps takes T + 1 passes: the last one only
measures. Waiting for the reader, sending draws and moments are not counted.
"""

from gibbsite_hw.spec.langevin_parameters import LangevinParameters

__all__ = [
    "MOMENT_LATENCY",
    "RESIDUAL_LATENCY",
    "START_LATENCY",
    "TAIL_CYCLES",
    "UPDATE_LATENCY",
    "moment_cycles",
    "pass_cycles",
    "seeding_cycles",
    "start_cycles",
]

START_LATENCY = 16
RESIDUAL_LATENCY = 11
UPDATE_LATENCY = 16
TAIL_CYCLES = 5
MOMENT_LATENCY = 5


def seeding_cycles(parameters: LangevinParameters, units: int) -> int:
    """Cycles that seed the streams of a chain."""
    return units * (20 // parameters.hash_rounds + 1)


def start_cycles(units: int) -> int:
    """Cycles of the pass that draws the start."""
    return units + START_LATENCY


def pass_cycles(parameters: LangevinParameters, units: int, constraints: int, coupled: bool) -> int:
    """Cycles of one pass, moments not counted."""
    words = parameters.words
    cycles = TAIL_CYCLES + UPDATE_LATENCY
    if constraints:
        cycles += constraints * words(units) + RESIDUAL_LATENCY
    row = coupled * words(units) + words(constraints)
    return cycles + units * max(1, row)


def moment_cycles(pairs: int) -> int:
    """Cycles in which the products of all pairs are added to their sums."""
    return pairs + MOMENT_LATENCY if pairs else 0

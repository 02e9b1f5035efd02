"""Passes of the Langevin engine over tiles of chains, compiled.

Source: docs/langevin-engine.md, "A pass", point by point.
Twin: `gibbsite_models.golden.langevin.LangevinEngine`.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare
from gibbsite_sim.fast.langevin_machine import inlined
from gibbsite_sim.fast.langevin_noise import draw
from gibbsite_sim.fast.langevin_panels import multiply
from gibbsite_sim.fast.langevin_rows import add_to, move, operands
from gibbsite_sim.fast.langevin_tail import Drawn, finish
from gibbsite_sim.fast.langevin_terms import (
    CONSTRAINT,
    COUNTED,
    COUPLED,
    ENERGIES,
    Plan,
    Scratch,
    Step,
    Terms,
    Tiles,
)
from gibbsite_sim.fast.langevin_unit import penalty, plain_unit, unit

__all__ = ["advance", "start"]

Int64 = NDArray[np.int64]
W = np.int32


@bare
def start(terms: Terms, plan: Plan, tiles: Tiles, scratch: Scratch, lines: Int64) -> None:
    """``z_0 = state + start xi`` of all tiles, clamped units at their clamps."""
    still, spread = (0, 0), (plan.start[0], plan.start[1])
    nothing = scratch.rows[0]
    nothing[:] = 0
    for tile in range(tiles.z.shape[0]):
        for i in range(tiles.z.shape[1]):
            z, changes = tiles.z[tile, i], tiles.changes[tile, i]
            draw(tiles.streams[tile, i], scratch.noise, lines)
            if terms.held[i]:
                z[:] = terms.states[i]
            else:
                z[:] = W(plan.state[i])
                xi, dither = scratch.noise[0], scratch.noise[1]
                counted = tiles.totals[tile, COUNTED]
                move(still, spread, nothing, xi, dither, z, changes, counted)
            operands(z, changes)


@bare
def advance(
    terms: Terms,
    plan: Plan,
    tiles: Tiles,
    drawn: Drawn,
    scratch: Scratch,
    lines: Int64,
    some: tuple[int, int],
    passes: tuple[int, int],
) -> None:
    """Passes ``passes[0] .. passes[1] - 1`` of tiles ``some[0] .. some[1] - 1``."""
    for tile in range(some[0], some[1]):
        for p in range(passes[0], passes[1]):
            _pass(terms, plan, tiles, drawn, scratch, lines, tile, p)


@inlined
def _entry(ends: Int64, step: int) -> int:
    """The schedule entry of a step; the last one beyond them."""
    low, high = 0, ends.shape[0] - 1
    while low < high:
        middle = (low + high) >> 1
        if ends[middle] > step:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def _pass(
    terms: Terms,
    plan: Plan,
    tiles: Tiles,
    drawn: Drawn,
    scratch: Scratch,
    lines: Int64,
    tile: int,
    p: int,
) -> None:
    moves = p < plan.steps
    old = _entry(plan.ends, max(p - 1, 0))
    new = _entry(plan.ends, p) if moves else old
    changed = False
    for term in range(6):
        changed |= plan.strengths[old, term] != plan.strengths[new, term]
    draws = p >= plan.first and (p - plan.first) % plan.thin == 0
    works = moves and plan.measured[new] and changed
    energies = draws or works or plan.best or terms.has[ENERGIES]
    measured = p > 0 and plan.measured[old]
    keeps = moves and plan.measured[new]
    looks = keeps or measured or draws or plan.best
    step = Step(p, old, new, changed, moves, draws, measured, works, energies, keeps, looks)
    counted, sums = tiles.totals[tile, COUNTED], scratch.sums
    sums[:] = 0
    if terms.has[COUPLED]:
        multiply(terms.couplings, tiles.changes[tile], scratch.packed, tiles.sums[tile])
    constraints = terms.weights.shape[0]
    if constraints:
        multiply(terms.rows, tiles.changes[tile], scratch.packed, tiles.residuals[tile])
        for a in range(constraints):
            penalty(terms, tiles, tile, a, sums[CONSTRAINT], counted)
        multiply(terms.columns, tiles.moves[tile], scratch.packed, tiles.pulls[tile])
    if terms.clipped:
        add_to(counted, terms.clipped)
    plain = moves and not (looks or changed or energies)
    for i in range(terms.quadratic.shape[0]):
        if plain and not terms.held[i]:
            plain_unit(terms, plan, tiles, scratch, lines, tile, i, new)
        else:
            unit(terms, plan, tiles, scratch, lines, tile, i, step)
    finish(plan, tiles, drawn, scratch, tile, step)

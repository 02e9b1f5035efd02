"""One unit and one constraint of a pass, all chains of a tile at once.

Source: docs/langevin-engine.md, "One unit, one constraint", "One step of a unit".
Twin: `gibbsite_models.golden.langevin_field.Field` and `LangevinEngine.step`.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import OPERAND_MAX, RESIDUAL_MAX
from gibbsite_sim.fast.langevin_machine import inlined, whole_vectors
from gibbsite_sim.fast.langevin_noise import draw
from gibbsite_sim.fast.langevin_rows import (
    add_energy,
    add_heat,
    add_term,
    copy,
    cubes,
    force,
    glide,
    gradient,
    move,
    operands,
    products,
)
from gibbsite_sim.fast.langevin_terms import (
    BIAS,
    CONSTRAINT,
    COUNTED,
    COUPLED,
    COUPLING,
    FLOW,
    FORCE,
    QUADRATIC,
    QUARTIC,
    Plan,
    Scratch,
    Step,
    Terms,
    Tiles,
)

__all__ = ["penalty", "plain_unit", "unit"]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
W = np.int32

RESIDUAL, MULTIPLIER, PENALTY = 6, 7, 8  # shifts behind those of the terms
TOTAL, BEFORE, AFTER = 6, 7, 8  # rows behind those of the terms


@inlined
def penalty(terms: Terms, tiles: Tiles, tile: int, a: int, energy: Int64, counted: Int64) -> None:
    """The multiplier of a constraint, how it moved, and the penalty."""
    shifts = (terms.shifts[RESIDUAL], terms.shifts[MULTIPLIER], terms.shifts[PENALTY])
    _multiplier(
        tiles.residuals[tile, a], tiles.multipliers[tile, a], tiles.moves[tile, a],
        energy, counted, shifts, terms.offsets[a], terms.weights[a], terms.hinge[a],
    )  # fmt: skip


@inlined
def _multiplier(
    residuals: Int64,
    multipliers: Int32,
    moves: Int32,
    energy: Int64,
    counted: Int64,
    shifts: tuple[int, int, int],
    offset: int,
    weight: int,
    hinge: bool,
) -> None:
    whole_vectors()
    down, scale, level = shifts
    half, half_scale, half_level = (1 << down) >> 1, (1 << scale) >> 1, (1 << level) >> 1
    least = 0 if hinge else -RESIDUAL_MAX
    for lane in range(residuals.shape[0]):
        value = ((residuals[lane] + half) >> down) - offset
        r = min(max(value, -RESIDUAL_MAX), RESIDUAL_MAX)
        rho = max(r, least)
        product = (weight * rho + half_scale) >> scale
        multiplier = min(max(product, -OPERAND_MAX), OPERAND_MAX)
        counted[lane] += np.int64(value != r) + np.int64(product != multiplier)
        energy[lane] += (multiplier * rho + half_level) >> level
        moves[lane] = W(W(multiplier) - multipliers[lane])
        multipliers[lane] = W(multiplier)


@inlined
def unit(
    terms: Terms,
    plan: Plan,
    tiles: Tiles,
    scratch: Scratch,
    lines: Int64,
    tile: int,
    i: int,
    step: Step,
) -> None:
    """Forces and energies of a unit, the heat of its last step, and its next one."""
    rows, z, x = scratch.rows, tiles.z[tile, i], scratch.operands
    counted = tiles.totals[tile, COUNTED]
    operands(z, x)
    _forces(terms, tiles, rows, x, tile, i, counted)
    if step.energies:
        _energies(terms, rows, x, i, scratch.sums)
    before, after = rows[BEFORE], rows[BEFORE]
    _gradient(terms, plan.strengths[step.old], rows, i, before, counted, 2 - step.changed)
    if step.changed:
        after = rows[AFTER]
        _gradient(terms, plan.strengths[step.new], rows, i, after, counted, 1)
    past, kept = tiles.past[tile, i], tiles.kept[tile, i]
    if step.measured:
        add_heat(kept, before, z, past, scratch.sums[FLOW])
    if step.looks:
        copy(z, past)
    if not step.moves:
        return
    if step.keeps:
        copy(after, kept)
    draw(tiles.streams[tile, i], scratch.noise, lines)
    if terms.held[i]:
        tiles.changes[tile, i][:] = 0
        return
    rates, noises = plan.rates[step.new], plan.noises[step.new]
    move(
        (rates[0], rates[1]), (noises[0], noises[1]), after, scratch.noise[0], scratch.noise[1],
        z, tiles.changes[tile, i], counted,
    )  # fmt: skip


@inlined
def plain_unit(
    terms: Terms,
    plan: Plan,
    tiles: Tiles,
    scratch: Scratch,
    lines: Int64,
    tile: int,
    i: int,
    entry: int,
) -> None:
    """The next step of a free unit where nothing else is wanted: most steps of most runs."""
    rows, strengths, shifts = scratch.rows, plan.strengths[entry], terms.shifts
    z, counted = tiles.z[tile, i], tiles.totals[tile, COUNTED]
    more = terms.has[QUARTIC] or terms.has[CONSTRAINT]
    total = rows[TOTAL]
    if more:
        total[:] = 0
    if terms.has[QUARTIC]:
        operands(z, scratch.operands)
        cubes(terms.quartic[i], scratch.operands, rows[BEFORE])
        force(rows[BEFORE], shifts[QUARTIC], rows[QUARTIC], counted)
        add_term(strengths[QUARTIC], rows[QUARTIC], total)
    if terms.has[CONSTRAINT]:
        force(tiles.pulls[tile, i], shifts[CONSTRAINT], rows[CONSTRAINT], counted)
        add_term(strengths[CONSTRAINT], rows[CONSTRAINT], total)
    draw(tiles.streams[tile, i], scratch.noise, lines)
    rates, noises = plan.rates[entry], plan.noises[entry]
    glide(
        (terms.quadratic[i], shifts[QUADRATIC], strengths[QUADRATIC]),
        (shifts[COUPLING], strengths[COUPLING]),
        strengths[BIAS] * terms.bias[i] + strengths[FORCE] * terms.force[i],
        more,
        (rates[0], rates[1]),
        (noises[0], noises[1]),
        tiles.sums[tile, i],
        total,
        scratch.noise[0],
        scratch.noise[1],
        z,
        tiles.changes[tile, i],
        counted,
    )


@inlined
def _forces(
    terms: Terms, tiles: Tiles, rows: Int64, x: Int32, tile: int, i: int, counted: Int64
) -> None:
    """The forces h of the terms that depend on states, each in its row."""
    if terms.has[QUADRATIC]:
        products(terms.quadratic[i], x, rows[TOTAL])
        force(rows[TOTAL], terms.shifts[QUADRATIC], rows[QUADRATIC], counted)
    if terms.has[QUARTIC]:
        cubes(terms.quartic[i], x, rows[TOTAL])
        force(rows[TOTAL], terms.shifts[QUARTIC], rows[QUARTIC], counted)
    if terms.has[COUPLED]:
        force(tiles.sums[tile, i], terms.shifts[COUPLING], rows[COUPLING], counted)
    if terms.has[CONSTRAINT]:
        force(tiles.pulls[tile, i], terms.shifts[CONSTRAINT], rows[CONSTRAINT], counted)


@inlined
def _energies(terms: Terms, rows: Int64, x: Int32, i: int, sums: Int64) -> None:
    """Term energies of this unit; those of constraints are there already."""
    if terms.has[QUADRATIC]:
        add_energy(rows[QUADRATIC], x, 15, sums[QUADRATIC])
    if terms.has[QUARTIC]:
        add_energy(rows[QUARTIC], x, 16, sums[QUARTIC])
    if terms.has[COUPLED]:
        add_energy(rows[COUPLING], x, 15, sums[COUPLING])
    total = rows[TOTAL]
    total[:] = terms.bias[i]
    add_energy(total, x, 14, sums[BIAS])
    total[:] = terms.force[i]
    add_energy(total, x, 14, sums[FORCE])


@inlined
def _gradient(
    terms: Terms,
    strengths: Int64,
    rows: Int64,
    i: int,
    out: Int64,
    counted: Int64,
    times: int,
) -> None:
    """``grad V`` of the unit under some strengths."""
    total = rows[TOTAL]
    total[:] = strengths[BIAS] * terms.bias[i] + strengths[FORCE] * terms.force[i]
    for term in (QUADRATIC, QUARTIC, COUPLING, CONSTRAINT):
        if terms.has[term] and strengths[term]:
            add_term(strengths[term], rows[term], total)
    gradient(total, out, counted, times)

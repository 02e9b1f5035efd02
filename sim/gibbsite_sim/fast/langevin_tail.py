"""What ends a pass: heat, moments, the best state, draws and work.

Source: docs/langevin-engine.md, "A pass", points 3 to 5.
Twin: `gibbsite_models.golden.langevin.LangevinEngine`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    ACCUMULATOR_MAX,
    ENERGY_MAX,
    OPERAND_FRAC,
    OPERAND_SHIFT,
    STRENGTH_FRAC,
)
from gibbsite_sim.fast.langevin_machine import inlined
from gibbsite_sim.fast.langevin_rows import limit
from gibbsite_sim.fast.langevin_terms import (
    BEST,
    COUNTED,
    FLOW,
    HEAT,
    WORK,
    Plan,
    Scratch,
    Step,
    Tiles,
)

__all__ = ["Drawn", "finish"]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

_HALF = 1 << STRENGTH_FRAC - 1
_OPERAND_HALF = 1 << OPERAND_SHIFT - 1


class Drawn(NamedTuple):
    """Draws ``[draws, chains]`` from number ``first[0]`` on; states with units behind."""

    first: Int64
    energies: Int64
    work: Int64
    heat: Int64
    best_energies: Int64
    saturations: Int64
    states: Int64
    best_states: Int64


@inlined
def finish(
    plan: Plan,
    tiles: Tiles,
    drawn: Drawn,
    scratch: Scratch,
    tile: int,
    step: Step,
) -> None:
    """The tail of a pass: ``sums`` hold the term energies and the heat that flowed."""
    sums, totals = scratch.sums, tiles.totals[tile]
    counted = totals[COUNTED]
    if step.energies:
        for term in range(6):
            limit(sums[term], ENERGY_MAX, counted)
    if step.measured:
        _add(totals[HEAT], sums[FLOW], counted)
        _moments(plan, tiles, tile, step, counted)
    value = scratch.rows[0]
    if plan.best:
        _energy(plan.strengths[plan.strengths.shape[0] - 1], sums, value)
        _keep_best(tiles, tile, value, step.number == 0)
    if step.draws:
        _energy(plan.strengths[step.old], sums, value)
        _draw(plan, tiles, drawn, tile, step, value)
    if step.works:
        old, new = plan.strengths[step.old], plan.strengths[step.new]
        for lane in range(value.shape[0]):
            gain = 0
            for term in range(6):
                gain += (new[term] - old[term]) * sums[term, lane]
            value[lane] = (gain + 128) >> 8
        _add(totals[WORK], value, counted)


@inlined
def _add(total: Int64, value: Int64, counted: Int64) -> None:
    """``total = sat(total + value, ACCUMULATOR_MAX)``."""
    for lane in range(total.shape[0]):
        total[lane] += value[lane]
    limit(total, ACCUMULATOR_MAX, counted)


@inlined
def _energy(strengths: Int64, sums: Int64, value: Int64) -> None:
    """``rs(sum_m s_m e_m, STRENGTH_FRAC)``."""
    for lane in range(value.shape[0]):
        total = 0
        for term in range(6):
            total += strengths[term] * sums[term, lane]
        value[lane] = (total + _HALF) >> STRENGTH_FRAC


@inlined
def _keep_best(tiles: Tiles, tile: int, value: Int64, first: bool) -> None:
    best, past, kept = tiles.totals[tile, BEST], tiles.past[tile], tiles.best[tile]
    for lane in range(value.shape[0]):
        if first or value[lane] < best[lane]:
            best[lane] = value[lane]
            for i in range(past.shape[0]):
                kept[i, lane] = past[i, lane]


@inlined
def _moments(plan: Plan, tiles: Tiles, tile: int, step: Step, counted: Int64) -> None:
    """Products of operands, at every so many measured steps."""
    count = plan.before[step.old]
    if plan.measured[step.old]:
        count += step.number - plan.begins[step.old]
    if count % plan.every:
        return
    past = tiles.past[tile]
    for k in range(plan.pairs.shape[0]):
        i, j = plan.pairs[k, 0], plan.pairs[k, 1]
        total = tiles.moments[tile, k]
        for lane in range(total.shape[0]):
            one = (np.int64(past[i, lane]) + _OPERAND_HALF) >> OPERAND_SHIFT
            two = np.int64(1 << OPERAND_FRAC)
            if j >= 0:
                two = (np.int64(past[j, lane]) + _OPERAND_HALF) >> OPERAND_SHIFT
            total[lane] += one * two
        limit(total, ACCUMULATOR_MAX, counted)


@inlined
def _draw(plan: Plan, tiles: Tiles, drawn: Drawn, tile: int, step: Step, energies: Int64) -> None:
    """What a draw at this pass sends; the states are those before its step."""
    at = (step.number - plan.first) // plan.thin - drawn.first[0]
    totals, past, best = tiles.totals[tile], tiles.past[tile], tiles.best[tile]
    lanes = energies.shape[0]
    for chain in range(tile * lanes, min(tile * lanes + lanes, drawn.energies.shape[1])):
        lane = chain - tile * lanes
        drawn.energies[at, chain] = energies[lane]
        drawn.work[at, chain] = totals[WORK, lane]
        drawn.heat[at, chain] = totals[HEAT, lane]
        drawn.best_energies[at, chain] = totals[BEST, lane]
        drawn.saturations[at, chain] = totals[COUNTED, lane]
        for i in range(drawn.states.shape[2]):
            drawn.states[at, chain, i] = past[i, lane]
        for i in range(drawn.best_states.shape[2]):
            drawn.best_states[at, chain, i] = best[i, lane]

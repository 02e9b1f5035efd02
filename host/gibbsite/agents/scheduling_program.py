"""A schedule fitted to a device: the finest grid whose states and couplings the device can hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from gibbsite.agents.scheduling_bounds import impossible, safe_horizon
from gibbsite.agents.scheduling_conditions import Floats, costs, ends_within, future_biases
from gibbsite.agents.scheduling_energy import States, couplings, model_of, states_of
from gibbsite.agents.scheduling_grid import Grid, common_divisor, grid_of
from gibbsite.agents.scheduling_instance import Instance, ScheduleError, shown
from gibbsite.agents.scheduling_list import ListSchedule, list_schedule
from gibbsite.compiler import CompiledModel, compile_model
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["ScheduleProgram", "finest_factor", "fitted"]

LARGEST_HORIZON: Final = 1 << 14
"""Steps of the finest grid that is tried; bounds the host's own work on any input."""

GROWTH: Final = 1.2
"""Each coarser grid has steps longer by at least this factor."""


@dataclass(frozen=True, slots=True)
class ScheduleProgram:
    """Everything about a schedule that stays while its conditions tighten.

    ``horizon`` in steps; ``cost`` what each state adds to a total objective; ``listed`` the list
    schedule that bounds the states, None if none was found.
    """

    grid: Grid
    states: States
    horizon: int
    cost: Floats
    listed: ListSchedule | None
    compiled: CompiledModel


def finest_factor(instance: Instance) -> int:
    """The smallest multiple of the common divisor with at most `LARGEST_HORIZON` steps."""
    step = common_divisor(instance)
    ends = [time for spans in instance.windows for span in spans for time in span if time]
    ends += [task.release for task in instance.tasks]
    far = max(ends, default=0) + sum(task.duration for task in instance.tasks)
    return max(1, ceil(far / step / LARGEST_HORIZON))


def fitted(instance: Instance, parameters: GraphParameters) -> ScheduleProgram:
    """The schedule on the finest grid that fits, compiled.

    Raises: `ScheduleError` when no grid fits, with the limit, the value and what would fit.
    """
    factor = finest_factor(instance)
    longest = max(task.duration for task in instance.tasks)
    refusal = ""
    while True:
        grid = grid_of(instance, factor)
        # a coarser grid must still hold some schedule; the finest one speaks for itself
        if refusal and (grid.step > longest or impossible(grid, safe_horizon(grid))):
            raise ScheduleError(
                "the schedule is too large for the device, and no coarser grid holds it: "
                f"{refusal}; use fewer tasks or machines, narrower windows, or multiples of more "
                f"than {shown(common_divisor(instance))} {instance.unit}s"
            )
        program = _on_grid(grid, parameters)
        if isinstance(program, ScheduleProgram):
            return program
        refusal = refusal or program
        factor = max(factor + 1, ceil(factor * GROWTH))


def _on_grid(grid: Grid, parameters: GraphParameters) -> ScheduleProgram | str:
    """The program on one grid, or the limit that it exceeds."""
    listed = list_schedule(grid)
    horizon = safe_horizon(grid)
    last = ends_within(grid, horizon, None if listed is None else listed.value(grid))
    horizon = max(last)
    refusal = _room_exceeded(grid, last, parameters)
    if refusal:
        return refusal
    states = states_of(grid, last)
    empty = [task for task, size in enumerate(states.sizes) if not size]
    if empty:
        return f"task {grid.instance.tasks[empty[0]].id} has no place on a step of {grid.step}"
    largest = max(states.sizes)
    if largest > parameters.max_group:
        task = states.sizes.index(largest)
        return (
            f"task {grid.instance.tasks[task].id} has {largest} choices of machine and start, the "
            f"device holds {parameters.max_group} a task"
        )
    most = parameters.words * parameters.lanes // 2
    weights = couplings(grid, states, most)
    if weights is None:
        return f"more than {most} pairs of choices exclude each other, the device holds {most}"
    cost = costs(grid, states)
    try:
        compiled = compile_model(
            model_of(states, weights), parameters, future_biases=future_biases(grid, cost)
        )
    except ProgramError as error:
        return str(error)
    return ScheduleProgram(grid, states, horizon, cost, listed, compiled)


def _room_exceeded(grid: Grid, last: list[int], parameters: GraphParameters) -> str | None:
    """Refuse by the sheer number of steps, before any state is written down."""
    most = 8 * parameters.max_group
    for task, spec in enumerate(grid.tasks):
        room = last[task] * len(spec.machines)
        if room > most:
            return (
                f"task {grid.instance.tasks[task].id} may start at any of {room} steps and "
                f"machines, the device holds {parameters.max_group} choices a task"
            )
    return None

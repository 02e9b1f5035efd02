"""The states that reads start from: given ones, and the rest drawn on the device.

``none``    as many as there are reads must be given
``tile``    given states are repeated
``random``  reads beyond the given states start from a state that the device draws

Source: dimod's `Initialized.parse_initial_states`, whose meaning this keeps.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import dimod
import numpy as np
from dimod.core.initialized import Initialized

from gibbsite.schedules import ArgumentError

__all__ = ["Generator", "Starts", "bqm_starts", "dqm_starts"]

Generator: TypeAlias = Literal["none", "tile", "random"]
State: TypeAlias = Mapping[Hashable, int]


@dataclass(frozen=True, slots=True)
class Starts:
    """How many reads, and the states of the first of them; the device draws the others'."""

    reads: int
    states: list[State] = field(default_factory=list)

    @classmethod
    def drawn(cls, num_reads: int | None) -> Starts:
        """All drawn on the device; one read unless said otherwise."""
        return cls(num_reads or 1)


def bqm_starts(
    initialized: Initialized,
    bqm: dimod.BinaryQuadraticModel,
    initial_states: Any,
    generator: Generator,
    num_reads: int | None,
) -> Starts:
    """The starts of a binary model; states of the other vartype are converted."""
    if generator == "random" and initial_states is None:
        return Starts.drawn(num_reads)
    wanted = num_reads
    if generator == "random":
        # the given ones alone; the others are drawn on the device
        given = len(dimod.as_samples(initial_states)[0])
        wanted = given if num_reads is None else min(given, num_reads)
        if wanted == 0:
            return Starts.drawn(num_reads)
    try:
        parsed = initialized.parse_initial_states(
            bqm, initial_states, generator, num_reads=wanted, seed=0
        )
    except ValueError as error:
        raise ArgumentError(
            f"initial_states cannot be used ({error}): give states of all {bqm.num_variables} "
            "variables in values of one vartype, and initial_states_generator none, tile or random"
        ) from None
    states: list[State] = [dict(sample) for sample in parsed.initial_states.samples(sorted_by=None)]
    return Starts(num_reads or parsed.num_reads, states)


def dqm_starts(
    dqm: dimod.DiscreteQuadraticModel,
    initial_states: Any,
    generator: Generator,
    num_reads: int | None,
) -> Starts:
    """The starts of a discrete model: states are cases, as dimod's `as_samples` reads them."""
    if initial_states is None:
        if generator != "random":
            raise ArgumentError(
                f"initial_states_generator={generator!r} needs initial_states: give some or use "
                f"random"
            )
        return Starts.drawn(num_reads)
    array, labels = dimod.as_samples(initial_states)
    variables: Any = dqm.variables  # for a checker None, as the class body says; never at run time
    if set(labels) != set(variables):
        raise ArgumentError("initial_states and the model differ in variables: give each a case")
    reads = num_reads or len(array) or 1
    if generator == "none" and len(array) < reads:
        raise ArgumentError(
            f"{len(array)} initial states were given for {reads} reads: give more, or use tile or "
            f"random"
        )
    if generator == "tile":
        if not len(array):
            raise ArgumentError("there is no initial state to tile: give one or use random")
        array = np.resize(array, (reads, array.shape[1]))
    states: list[State] = [dict(zip(labels, row, strict=True)) for row in array[:reads].tolist()]
    return Starts(reads, states)

"""The certificate of reads: chains as arrays, their starts, and the model's law as far as it goes.

The law is that of the model's own floats under the clamps at hand, so what quantization does to it
would show. Spins and 0/1 variables are spins -1/+1 here.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite.compiler import CompiledModel
from gibbsite.conditioning import Conditioned
from gibbsite.drawing import Batch, Drawn
from gibbsite.schedules import ArgumentError
from gibbsite.slot_model import Kind, SlotModel
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.program import RunRequest
from gibbsite_models.certificate import MOST_STATES, Certificate, Claim, Law, boltzmann_law, certify
from gibbsite_models.exact.transfer_matrix import TransferMatrix, reach
from gibbsite_models.pair_model import PairModel

__all__ = [
    "Told",
    "certificate_of",
    "certificate_of_values",
    "claim_of",
    "pair_model",
    "shown_names",
    "spin_values",
    "told_starts",
]

Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """The states ``[chain, variable]`` that chains started from, and how these were chosen.

    Values are the model's own: -1/+1, 0/1 or cases.
    """

    starts: Integers
    origin: str


def certificate_of(
    drawn: Drawn,
    compiled: CompiledModel,
    under: Conditioned,
    beta: float | None,
    pinned: Iterable[Hashable],
    told: Told | None,
) -> Certificate:
    """What can be said of these reads; without ``beta`` they were annealed and claim nothing.

    Chains are cut to the length of the shortest; chains that an interrupt left out are not counted.
    """
    numbers, counts = np.unique(drawn.chain, return_counts=True)
    kept = drawn.draw < counts.min()
    shape = (len(counts), int(counts.min()))
    if beta is None:
        return certify(drawn.decoded.energies[kept].reshape(shape), claim="annealed")
    values = drawn.decoded.values[kept].reshape(*shape, -1)
    if told is not None:
        told = Told(told.starts[numbers], told.origin)
    return certificate_of_values(
        compiled.model, values, beta, pinned=pinned, told=told, under=under
    )


def certificate_of_values(
    model: SlotModel,
    values: NDArray[np.integer],
    beta: float,
    *,
    pinned: Iterable[Hashable] = (),
    told: Told | None = None,
    under: Conditioned | None = None,
) -> Certificate:
    """What can be said of ``values[chain, draw, variable]``, in the model's own values."""
    if not model.labels:
        raise ArgumentError("the model has no variable, so nothing is certified: give it some")
    pairs = pair_model(model, pinned, under)
    states = spin_values(model, values)
    claim = claim_of(pairs, beta, states[0, 0])
    if told is not None:
        claim = replace(claim, starts=spin_values(model, told.starts), origin=told.origin)
    return certify(pairs.energies(states), states, names=shown_names(model.labels), known=claim)


def shown_names(labels: Sequence[Hashable]) -> list[str]:
    """Labels as a certificate shows them: as they print, or as Python writes them where two print
    alike (1 and "1") or one prints like the energy.
    """
    plain = [str(label) for label in labels]
    return plain if len({*plain, "energy"}) > len(plain) else [repr(label) for label in labels]


def told_starts(
    device: Device,
    compiled: CompiledModel,
    under: Conditioned,
    batches: Sequence[Batch],
    request: RunRequest,
) -> Told:
    """The starts of all chains of a run: the device's start pass again, without a sweep behind it.

    The seed and the chain's number alone decide them, so that they are those of the run.
    """
    found, given = [], 0
    for batch in batches:
        again = RunRequest(
            betas=array("I"),
            seed=request.seed,
            chains=batch.chains,
            draws=1,
            first_chain=batch.first_chain,
            state=batch.state,
        )
        found.append(compiled.decode(device.run(again), under).values)
        given += batch.chains if batch.state is not None else 0
    starts = np.concatenate(found).astype(np.int64)
    drawn = len(starts) - given
    words = [f"{drawn} drawn by the device at beta = 0"] if drawn else []
    words += [f"{given} given by the caller"] if given else []
    return Told(starts, ", ".join(words))


def claim_of(model: PairModel, beta: float, state: Integers) -> Claim:
    """The model, beta, and its exact law where it can be enumerated or summed up.

    ``state[variable]`` has the values of variables that are held.
    """
    domains = [
        _values(model, k) if model.free[k] else [int(state[k])] for k in range(model.variables)
    ]
    law: Law | None = None
    if domains and math.prod(map(len, domains)) <= MOST_STATES:
        law = boltzmann_law(domains, model.energies, beta)
    order = reach(model)
    exact = None if order is None else TransferMatrix(model, beta, state, order)
    return Claim(model, beta, law=law, exact=exact)


def pair_model(
    model: SlotModel,
    pinned: Iterable[Hashable] = (),
    under: Conditioned | None = None,
) -> PairModel:
    """The same model for certificates, under conditions, with pinned variables held."""
    free = np.ones(len(model.labels), dtype=np.bool_)
    for variable in pinned:
        free[model.number(variable)] = False
    return PairModel(
        model.first,
        np.array([kind is not Kind.CHOICE for kind in model.kinds], dtype=np.bool_),
        model.linear if under is None else under.linear,
        model.low,
        model.high,
        model.weight,
        model.offset if under is None else under.offset,
        free,
    )


def spin_values(model: SlotModel, values: NDArray[np.integer]) -> Integers:
    """``values[..., variable]`` with 0/1 variables as -1/+1."""
    binary = np.array([kind is Kind.BINARY for kind in model.kinds], dtype=np.bool_)
    return np.where(binary, 2 * values.astype(np.int64) - 1, values)


def _values(model: PairModel, number: int) -> list[int]:
    return [-1, 1] if model.spin[number] else list(range(int(model.values_of[number])))

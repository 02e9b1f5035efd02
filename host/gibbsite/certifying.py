"""The certificate of reads: chains as arrays, and the exact law where the states can be counted.

The law is that of the model's own floats under the clamps at hand, so what quantization does to it
would show.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping

import numpy as np
from numpy.typing import NDArray

from gibbsite.compiler import CompiledModel
from gibbsite.conditioning import Conditioned
from gibbsite.drawing import Drawn
from gibbsite.slot_model import Kind
from gibbsite_models.certificate import MOST_STATES, Certificate, Law, boltzmann_law, certify

__all__ = ["certificate_of", "law_of"]


def certificate_of(
    drawn: Drawn,
    compiled: CompiledModel,
    under: Conditioned,
    beta: float | None,
    pinned: Mapping[Hashable, int],
) -> Certificate:
    """What can be said of these reads; without ``beta`` they were annealed and claim nothing.

    Chains are cut to the length of the shortest.
    """
    counts = np.unique(drawn.chain, return_counts=True)[1]
    kept = drawn.draw < counts.min()
    shape = (len(counts), int(counts.min()))
    energies = drawn.decoded.energies[kept].reshape(shape)
    states = drawn.decoded.values[kept].reshape(*shape, -1)
    if beta is None:
        return certify(energies, claim="annealed")
    names = [repr(variable) for variable in compiled.variables]
    return certify(energies, states, names=names, law=law_of(compiled, under, beta, pinned))


def law_of(
    compiled: CompiledModel,
    under: Conditioned,
    beta: float,
    pinned: Mapping[Hashable, int],
) -> Law | None:
    """Boltzmann's law of the model under clamps, or None if it has too many states."""
    domains = [
        [pinned[variable]] if variable in pinned else _values(compiled, number)
        for number, variable in enumerate(compiled.variables)
    ]
    if not domains or math.prod(map(len, domains)) > MOST_STATES:
        return None
    return boltzmann_law(
        domains, lambda values: under.energies(compiled.model, _slots(compiled, values)), beta
    )


def _values(compiled: CompiledModel, number: int) -> list[int]:
    kind = compiled.model.kinds[number]
    if kind is Kind.SPIN:
        return [-1, 1]
    return list(range(2 if kind is Kind.BINARY else int(compiled.model.sizes[number])))


def _slots(compiled: CompiledModel, values: NDArray[np.int64]) -> NDArray[np.float64]:
    """States x variables as states x slots: -1/+1 for p-bits, 0/1 for cases."""
    model = compiled.model
    result = np.zeros((len(values), model.slots))
    for number, kind in enumerate(model.kinds):
        first = int(model.first[number])
        if kind is Kind.CHOICE:
            result[np.arange(len(values)), first + values[:, number]] = 1.0
        else:
            spin = values[:, number]
            result[:, first] = spin if kind is Kind.SPIN else 2 * spin - 1
    return result

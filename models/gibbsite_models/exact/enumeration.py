"""Exact laws of small models: Boltzmann's, and that of k sweeps in row order.

    P(v) ~ exp(-beta E(v)),        law_(k+1) = law_k K,    K = K_1 K_2 ... K_n

A sweep decides variable after variable: K_i replaces the value of variable i by a draw from
``P(v_i | the others) ~ exp(-beta E)``. Members of a colour class are not neighbours, so that
deciding them together is the same as one after the other. States are kept as an array with one axis
a variable (2 values for a p-bit, K for a group); K_i then is a sum over axis i.

Source: S. Geman and D. Geman, Stochastic relaxation, 1984, equation (3.1).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.exact.models import CodeModel

__all__ = ["Enumeration", "noise_floor", "total_variation"]

Float = NDArray[np.float64]
Int64 = NDArray[np.int64]


class Enumeration:
    """All states of a model; laws are ``float64[values of variable 0, of variable 1, ...]``.

    ``energies`` are codes in the same shape, ``allowed`` says which states the clamps leave.
    """

    def __init__(self, model: CodeModel) -> None:
        self.model = model
        self.shape = tuple(max(2, size) for size in model.sizes)
        self.energies = self._energies()
        self.allowed = self._allowed()

    def boltzmann(self, beta: float) -> Float:
        """``exp(-beta E) / Z``, beta for one unit of the energy code."""
        weight = np.where(self.allowed, np.exp(-beta * (self.energies - self._least())), 0.0)
        law: Float = weight / weight.sum()
        return law

    def sweep(self, laws: Float, beta: float, order: Sequence[int]) -> Float:
        """The laws after one more sweep; leading axes number laws, order is that of the rows."""
        weight = np.where(self.allowed, np.exp(-beta * (self.energies - self._least())), 0.0)
        extra = laws.ndim - len(self.shape)
        for variable in order:
            total = weight.sum(axis=variable, keepdims=True)
            conditional = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
            laws = laws.sum(axis=extra + variable, keepdims=True) * conditional
        return laws

    def after(self, bits: Sequence[int], beta: float, order: Sequence[int], sweeps: int) -> Float:
        """The law of k sweeps from one state."""
        law = np.zeros(self.shape)
        law.reshape(-1)[self.index(np.array([bits], dtype=np.uint8))] = 1.0
        for _ in range(sweeps):
            law = self.sweep(law, beta, order)
        return law

    def relaxation(self, beta: float, order: Sequence[int], within: float, most: int) -> int | None:
        """Sweeps after which every first state's law is this near to Boltzmann's, or None.

        The least k with ``max over first states of |law_k - P| / 2 <= within``, up to ``most``.
        """
        target = self.boltzmann(beta).reshape(-1)
        first = np.flatnonzero(self.allowed.reshape(-1))
        laws = np.zeros((first.size, *self.shape))
        laws.reshape(first.size, -1)[np.arange(first.size), first] = 1.0
        for sweeps in range(1, most + 1):
            laws = self.sweep(laws, beta, order)
            if np.abs(laws.reshape(first.size, -1) - target).sum(axis=1).max() / 2 <= within:
                return sweeps
        return None

    def index(self, bits: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The flat index of every state in ``bits[reads, slots]``."""
        starts = self.model.starts
        values = [
            bits[:, starts[v]] if size == 1 else bits[:, starts[v] : starts[v + 1]].argmax(axis=1)
            for v, size in enumerate(self.model.sizes)
        ]
        return np.ravel_multi_index([value.astype(np.intp) for value in values], self.shape)

    def bits(self, index: int) -> list[int]:
        """The bits of every slot in the state of this flat index."""
        bits: list[int] = []
        for size, value in zip(self.model.sizes, np.unravel_index(index, self.shape), strict=True):
            bits += [int(value)] if size == 1 else [int(s == value) for s in range(size)]
        return bits

    def _least(self) -> int:
        return int(self.energies[self.allowed].min())

    def _values(self, slot: int) -> Int64:
        """``v`` of a slot in every state, in a shape that broadcasts."""
        variable = self.model.variable_of()[slot]
        size = self.model.sizes[variable]
        value = (
            np.array([-1, 1])
            if size == 1
            else np.eye(size, dtype=np.int64)[slot - self.model.starts[variable]]
        )
        shape = [1] * len(self.shape)
        shape[variable] = -1
        return value.reshape(shape)

    def _energies(self) -> Int64:
        energies = np.zeros(self.shape, dtype=np.int64)
        for slot, bias in enumerate(self.model.biases):
            energies += bias * self._values(slot)
        for (i, j), weight in self.model.couplings.items():
            energies += weight * self._values(i) * self._values(j)
        return energies

    def _allowed(self) -> NDArray[np.bool_]:
        allowed = np.ones(self.shape, dtype=np.bool_)
        for slot in self.model.on:
            allowed &= self._values(slot) == 1
        for slot in self.model.off:
            allowed &= self._values(slot) != 1
        return allowed


def total_variation(counts: NDArray[np.int64], law: Float) -> float:
    """``1/2 sum |counts / reads - law|``."""
    return float(np.abs(counts / counts.sum() - law).sum() / 2)


def noise_floor(
    law: Float, reads: int, quantile: float = 0.999, replicas: int = 4000, seed: int = 1
) -> float:
    """The quantile of the total variation that exact, independent draws of this size show.

    It is simulated: ``replicas`` multinomial draws of ``reads`` from the law, with a fixed seed.
    """
    flat = law.reshape(-1)
    flat = flat[flat > 0] / flat.sum()
    random = np.random.default_rng(seed)
    distances = [
        total_variation(random.multinomial(reads, flat).astype(np.int64), flat)
        for _ in range(replicas)
    ]
    return float(np.quantile(distances, quantile))

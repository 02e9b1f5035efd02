"""What a block of lattice chains can do, in whatever form it is run.

Twin: ``gibbsite_models.golden.lattice.LatticeChains``.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.golden.noise import UInt32

__all__ = ["Best", "Chains", "CopiedBest", "Int64", "Ints", "Replicas"]

Ints = NDArray[np.int32]
Int64 = NDArray[np.int64]


class Chains(Protocol):
    """A block of chains, in either form."""

    def start(self, given: NDArray[np.int8] | None) -> None:
        """The start sweep; ``given[site]`` is 0 or 1."""
        ...

    def sweep(self, sweeps: int, table: Ints) -> None:
        """So many sweeps at one beta."""
        ...

    def energies(self) -> Int64:
        """Exact energies."""
        ...

    def states(self) -> UInt32:
        """States in words."""
        ...


class Best(Protocol):
    """The best state of every chain of a block: of equals the first."""

    @property
    def energies(self) -> Int64:
        """The lowest energies."""
        ...

    @property
    def states(self) -> UInt32:
        """States of these energies."""
        ...

    def begin(self) -> None:
        """The state after the start sweep."""
        ...

    def compare(self) -> None:
        """The state after a sweep, where it is lower."""
        ...


class Replicas(Chains, Protocol):
    """Chains with states and betas of their own."""

    def start_from(self, states: UInt32) -> None:
        """The start sweep from ``states uint32[chains, columns * words]``."""
        ...

    def sweep_each(self, sweeps: int, tables: Ints, beta: Ints) -> None:
        """So many sweeps, every chain by the table that ``beta`` gives it."""
        ...


class CopiedBest:
    """The best state of every chain, copied from the chains when it is met."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains

    @property
    def energies(self) -> Int64:
        """The lowest energies."""
        return self._energies

    @property
    def states(self) -> UInt32:
        """States of these energies."""
        return self._states

    def begin(self) -> None:
        """The state after the start sweep."""
        self._energies, self._states = self._chains.energies(), self._chains.states()

    def compare(self) -> None:
        """The state after a sweep, where it is lower."""
        energies = self._chains.energies()
        lower = energies < self._energies
        if lower.any():
            self._energies = np.where(lower, energies, self._energies)
            self._states = np.where(lower[:, None], self._chains.states(), self._states)

"""Chains that differ in their betas and states, advanced together: what tempering asks of a device.

Replica k runs as chain ``chains[k]`` of the seed: it starts from ``states[k]`` (or draws its first
state at beta = 0 where none are given), sweeps ``sweeps`` times at beta code ``betas[k]``, and
gives its state and its exact energy. A chain's number alone decides its randomness: replicas may
run one after the other, as here, or side by side in a device that offers `run_replicas` itself, and
what comes back is the same to the bit.

Arrays: chains ``uint32[K]``, betas ``uint32[K]``, states ``uint32[K, words of a state]``, energies
``int64[K]``.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, fields
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_hw.spec.program import RunRequest

__all__ = ["WORDS", "Replicas", "SideBySide", "run_replicas"]

WORDS: Final = ("words_in", "words_out")
"""Counters of the words that moved."""

Words: TypeAlias = NDArray[np.uint32]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(slots=True)
class Replicas:
    """Where the replicas stand: ``states[K, words]``, ``energies[K]`` in codes, what it cost.

    ``counters`` are the device's own, added over the replicas, and the words that moved where they
    went over its link, as ordinary runs do.
    """

    states: Words
    energies: Integers
    counters: dict[str, int] = field(default_factory=dict)


@runtime_checkable
class SideBySide(Protocol):
    """A device that advances replicas of its graph program side by side."""

    def run_replicas(self, seed: int, chains: Any, betas: Any, states: Any, sweeps: int) -> Any:
        """States and energies of all replicas, as the loop below gives them."""
        ...


@runtime_checkable
class LatticeSideBySide(Protocol):
    """A device that does so for its lattice program; None: ask for ordinary runs."""

    def run_lattice_replicas(
        self, seed: int, chains: Any, betas: Any, states: Any, sweeps: int
    ) -> Any:
        """States and energies of all replicas, as the loop below gives them."""
        ...


def run_replicas(
    device: Device,
    seed: int,
    chains: Words,
    betas: Words,
    states: Words | None,
    sweeps: int,
    request: type[RunRequest] | type[LatticeRequest] = RunRequest,
) -> Replicas:
    """Advance replicas of the program loaded on `device`; see the module.

    ``request`` names the engine. Raises what `Device.run` raises, and `ProgramError` for no replica
    at all.
    """
    if not len(chains):
        raise ProgramError("there are no replicas: give one chain at least")
    if request is RunRequest and isinstance(device, SideBySide):
        found = device.run_replicas(seed, chains, betas, states, sweeps)
        return Replicas(found.states, found.energies, _counted(found))
    if request is LatticeRequest and isinstance(device, LatticeSideBySide):
        found = device.run_lattice_replicas(seed, chains, betas, states, sweeps)
        if found is not None:
            return Replicas(found.states, found.energies, _counted(found))
    parts: list[Words] = []
    energies: list[int] = []
    counters: dict[str, int] = {}
    for place, (chain, beta) in enumerate(zip(chains.tolist(), betas.tolist(), strict=True)):
        given = None if states is None else array("I", states[place].tolist())
        result = device.run(
            request(
                betas=array("I", [beta]),
                seed=seed,
                first_chain=chain,
                sweeps_per_step=sweeps,
                state=given,
            )
        )
        parts.append(np.frombuffer(result.states, dtype=np.uint32).copy())
        energies.append(result.energies[0])
        for name, count in _counted(result).items():
            counters[name] = counters.get(name, 0) + count
    return Replicas(np.stack(parts), np.array(energies, dtype=np.int64), counters)


def _counted(result: Any) -> dict[str, int]:
    """The device's counters, and the words moved where somebody counted them, by name."""
    counted = {
        item.name: int(getattr(result.counters, item.name)) for item in fields(result.counters)
    }
    for name in WORDS:
        if hasattr(result, name):
            counted[name] = int(getattr(result, name))
    return counted

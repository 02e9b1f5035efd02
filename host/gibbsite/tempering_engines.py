"""What tempering needs of an engine whose program is loaded: betas as codes, replicas advanced.

    GraphLadder     a compiled model on the graph engine
    LatticeLadder   a compiled lattice on the lattice engine

Tempering itself knows beta codes, energy codes and words of states, and nothing of any engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from typing import Protocol

import numpy as np

from gibbsite.compiler import CompiledModel
from gibbsite.lattice_model import CompiledLattice
from gibbsite.replicas import Replicas, Words, run_replicas
from gibbsite.slot_model import Kind, SlotModel
from gibbsite.tempering_clusters import WORD_BITS, ClusterMoves
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_hw.spec.lattice_tables import BETA_FRAC
from gibbsite_hw.spec.program import RunResult

__all__ = ["GraphLadder", "LadderEngine", "LatticeLadder"]


class LadderEngine(Protocol):
    """An engine with its program loaded.

    ``frac``: beta = code / 2^frac for one unit of the energy code.
    """

    @property
    def frac(self) -> int:
        """Fraction bits of a beta code."""
        ...

    def codes(self, betas: Sequence[float]) -> Words:
        """Codes of inverse temperatures, each for one unit of the model's energy."""
        ...

    def beta(self, code: int) -> float:
        """What a beta code means, for one unit of the model's energy."""
        ...

    def energy(self, code: int) -> float:
        """What an energy code means in the model's unit."""
        ...

    def run(
        self, seed: int, chains: Words, codes: Words, states: Words | None, sweeps: int
    ) -> Replicas:
        """Advance replicas; see `gibbsite.replicas`."""
        ...

    def values(self, state: Words) -> dict[Hashable, int]:
        """A state's words as {variable: value}."""
        ...


class GraphLadder:
    """A compiled model on the graph engine; loads its program."""

    def __init__(self, device: Device, compiled: CompiledModel) -> None:
        self.device = device
        self.compiled = compiled
        self.frac = compiled.parameters.beta_frac
        device.load(compiled.program)

    def codes(self, betas: Sequence[float]) -> Words:
        """Codes of inverse temperatures. Raises `ProgramError` for one outside the format."""
        return np.array(self.compiled.betas(list(betas)), dtype=np.uint32)

    def beta(self, code: int) -> float:
        """Inverse temperature of a code in the model's unit."""
        return float(code / 2.0**self.frac / self.compiled.scale)

    def energy(self, code: int) -> float:
        """Energy of a code in the model's unit."""
        return float(self.compiled.base.code_offset + self.compiled.scale * code)

    def run(
        self, seed: int, chains: Words, codes: Words, states: Words | None, sweeps: int
    ) -> Replicas:
        """Advance replicas; see `gibbsite.replicas`."""
        return run_replicas(self.device, seed, chains, codes, states, sweeps)

    def values(self, state: Words) -> dict[Hashable, int]:
        """A state's words as {variable: value}."""
        result = RunResult(reads=1, states=array("I", state.tolist()), energies=array("q", [0]))
        decoded = self.compiled.decode(result).values[0]
        return dict(zip(self.compiled.variables, decoded.tolist(), strict=True))

    def clusters(self) -> ClusterMoves:
        """The cluster moves of this model. Raises `ProgramError` if it has one-hot choices."""
        model, layout = self.compiled.model, self.compiled.layout
        if any(kind is Kind.CHOICE for kind in model.kinds):
            raise ProgramError(
                "cluster moves exchange spins and the model has one-hot choices: temper it "
                "without cluster moves"
            )
        return ClusterMoves(model.low, model.high, layout.row * WORD_BITS + layout.lane)


class LatticeLadder:
    """A compiled lattice on the lattice engine; loads its program.

    ``model`` are the arrays of the model that was compiled.
    """

    frac = BETA_FRAC

    def __init__(self, device: Device, compiled: CompiledLattice, model: SlotModel) -> None:
        self.device = device
        self.compiled = compiled
        self.model = model
        device.load(compiled.program)

    def codes(self, betas: Sequence[float]) -> Words:
        """Codes of inverse temperatures. Raises `ProgramError` for one outside the format."""
        return np.array(self.compiled.betas(list(betas)), dtype=np.uint32)

    def beta(self, code: int) -> float:
        """Inverse temperature of a code in the model's unit."""
        return float(code / 2.0**self.frac / self.compiled.scale)

    def energy(self, code: int) -> float:
        """Energy of a code in the model's unit."""
        return float(self.model.offset + self.compiled.scale * code)

    def run(
        self, seed: int, chains: Words, codes: Words, states: Words | None, sweeps: int
    ) -> Replicas:
        """Advance replicas; see `gibbsite.replicas`."""
        return run_replicas(self.device, seed, chains, codes, states, sweeps, LatticeRequest)

    def values(self, state: Words) -> dict[Hashable, int]:
        """A state's words as {site: -1 or +1}, binary variables as 0 or 1."""
        spins = self.compiled.spins(array("I", state.tolist()))[0]
        binary = [kind is Kind.BINARY for kind in self.model.kinds]
        values = np.where(binary, (spins + 1) // 2, spins).tolist()
        return dict(zip(self.compiled.sites, values, strict=True))

    def clusters(self) -> ClusterMoves:
        """The cluster moves of this lattice."""
        rows, columns = np.array(self.compiled.sites, dtype=np.int64).T
        places = columns * self.compiled.parameters.words * WORD_BITS + rows
        return ClusterMoves(self.model.low, self.model.high, places)

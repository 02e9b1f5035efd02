"""What tempering needs of an engine whose program is loaded: betas as codes, replicas advanced.

    GraphLadder     a compiled model on the graph engine
    LatticeLadder   a compiled lattice on the lattice engine

Both count what they ask of the device: a ladder's pilot runs are work, too. Tempering itself knows
beta codes, energy codes and words of states, and nothing of any engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from gibbsite.compiler import CompiledModel
from gibbsite.lattice_model import CompiledLattice
from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.engines import Traffic, graph_ledger, lattice_ledger
from gibbsite.replicas import WORDS, Replicas, Words, run_replicas
from gibbsite.slot_model import Kind, SlotModel
from gibbsite.tempering_clusters import WORD_BITS, ClusterMoves
from gibbsite_hw.spec.device import AnyProgram, Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_program import LatticeCounters, LatticeRequest
from gibbsite_hw.spec.lattice_tables import BETA_FRAC
from gibbsite_hw.spec.program import Counters, RunResult

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


class _Ladder:
    """What both have alike: a loaded device and what it was asked for so far.

    ``counters``  the device's, added over all runs; ``runs`` of one chain each
    ``linked``    whether all of them went over the device's link, which counts words
    """

    def __init__(self, device: Device, program: AnyProgram) -> None:
        self.device = device
        self.counters: dict[str, int] = {}
        self.runs = 0
        self.linked = True
        device.load(program)

    def _counted(self, found: Replicas) -> Replicas:
        """The same replicas, counted."""
        for name, count in found.counters.items():
            self.counters[name] = self.counters.get(name, 0) + count
        self.runs += len(found.energies)
        self.linked = self.linked and all(name in found.counters for name in WORDS)
        return found

    def _only(self, kind: type[Any]) -> dict[str, int]:
        """The counters that an engine's own class holds."""
        return {item.name: self.counters.get(item.name, 0) for item in fields(kind)}


class GraphLadder(_Ladder):
    """A compiled model on the graph engine; loads its program."""

    def __init__(self, device: Device, compiled: CompiledModel) -> None:
        super().__init__(device, compiled.program)
        self.compiled = compiled
        self.frac = compiled.parameters.beta_frac

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
        return self._counted(run_replicas(self.device, seed, chains, codes, states, sweeps))

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

    def ledger(self, traffic: Traffic) -> Ledger:
        """What all runs so far come to."""
        return graph_ledger(Counters(**self._only(Counters)), self.compiled.program, traffic)


class LatticeLadder(_Ladder):
    """A compiled lattice on the lattice engine; loads its program.

    ``model`` are the arrays of the model that was compiled, spins -1/+1; ``binary`` says that the
    caller's own variables are 0/1.
    """

    frac = BETA_FRAC

    def __init__(
        self, device: Device, compiled: CompiledLattice, model: SlotModel, *, binary: bool = False
    ) -> None:
        super().__init__(device, compiled.program)
        self.compiled = compiled
        self.model = model
        self.binary = binary

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
        return self._counted(
            run_replicas(self.device, seed, chains, codes, states, sweeps, LatticeRequest)
        )

    def values(self, state: Words) -> dict[Hashable, int]:
        """A state's words as {site: -1 or +1}, those of binary variables as 0 or 1."""
        spins = self.compiled.spins(array("I", state.tolist()))[0]
        values = ((spins + 1) // 2 if self.binary else spins).tolist()
        return dict(zip(self.compiled.sites, values, strict=True))

    def clusters(self) -> ClusterMoves:
        """The cluster moves of this lattice."""
        rows, columns = np.array(self.compiled.sites, dtype=np.int64).T
        places = columns * self.compiled.parameters.words * WORD_BITS + rows
        return ClusterMoves(self.model.low, self.model.high, places)

    def ledger(self, traffic: Traffic) -> Ledger:
        """What all runs so far come to: each is of one chain, which shares no read of couplings."""
        counters = LatticeCounters(**self._only(LatticeCounters))
        parameters, program = self.compiled.parameters, self.compiled.program
        return lattice_ledger(counters, parameters, program.columns, 1, traffic)

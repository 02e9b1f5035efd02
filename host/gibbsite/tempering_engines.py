"""What tempering needs of an engine whose program is loaded: betas as codes, replicas advanced.

    GraphLadder     a compiled model on the graph engine
    LatticeLadder   a program of the lattice engine

Tempering itself knows beta codes, energy codes and words of states, and nothing of any engine.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from gibbsite.compiler import CompiledModel
from gibbsite.replicas import Replicas, Words, run_replicas
from gibbsite.schedules import ArgumentError
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeProgram, LatticeRequest
from gibbsite_hw.spec.lattice_tables import BETA_FRAC, BETA_MAX

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

    def values(self, state: Words) -> dict[object, int]:
        """A state's words as {variable: value}."""
        from gibbsite_hw.spec.program import RunResult

        result = RunResult(reads=1, states=array("I", state.tolist()), energies=array("q", [0]))
        decoded = self.compiled.decode(result).values[0]
        return dict(zip(self.compiled.variables, decoded.tolist(), strict=True))


class LatticeLadder:
    """A program of the lattice engine; loads it. ``scale`` is the energy of one code."""

    frac = BETA_FRAC

    def __init__(self, device: Device, program: LatticeProgram, scale: float = 1.0) -> None:
        self.device = device
        self.scale = scale
        device.load(program)

    def codes(self, betas: Sequence[float]) -> Words:
        """Codes of inverse temperatures. Raises `ArgumentError` for one outside the format."""
        codes = np.rint(np.asarray(betas) * self.scale * 2.0**self.frac)
        if (codes < 0).any() or (codes > BETA_MAX).any():
            raise ArgumentError(
                f"a beta of {max(betas):g} has code {codes.max():.0f} and the lattice takes "
                f"0..{BETA_MAX}: stay within {BETA_MAX / 2.0**self.frac / self.scale:g}"
            )
        return codes.astype(np.uint32)

    def beta(self, code: int) -> float:
        """Inverse temperature of a code in the model's unit."""
        return float(code / 2.0**self.frac / self.scale)

    def energy(self, code: int) -> float:
        """Energy of a code in the model's unit."""
        return float(self.scale * code)

    def run(
        self, seed: int, chains: Words, codes: Words, states: Words | None, sweeps: int
    ) -> Replicas:
        """Advance replicas; see `gibbsite.replicas`."""
        return run_replicas(self.device, seed, chains, codes, states, sweeps, LatticeRequest)

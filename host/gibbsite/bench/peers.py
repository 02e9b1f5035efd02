"""The peers: what others offer for the same work, installed from PyPI with the extra `bench`.

    dwave-samplers   simulated annealing in C++, one thread
    thrml            block Gibbs sampling in JAX, compiled before it is timed

A peer that is missing is said to be, with what to install; the suites go on without it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

import dimod
import numpy as np

from gibbsite_hw.spec.errors import ToolMissing

__all__ = ["Annealer", "missing", "thrml_lattice"]

INSTALL: Final = "pip install 'gibbsite[bench]'"


def missing(package: str) -> str | None:
    """What to do to get a peer, or None if it is here."""
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return f"{package} is not installed and its rows are left out: {INSTALL}"
    return None


@dataclass(frozen=True, slots=True)
class Annealer:
    """dwave-samplers' simulated annealing of one model, with a schedule of its own.

    Raises `ToolMissing` when it is not installed.
    """

    model: dimod.BinaryQuadraticModel
    beta_range: tuple[float, float]
    sweeps: int

    def reads(self, count: int, seed: int) -> list[float]:
        """Energies of so many reads."""
        try:
            from dwave.samplers import SimulatedAnnealingSampler
        except ImportError:
            raise ToolMissing(missing("dwave-samplers") or INSTALL) from None
        sampler: Any = SimulatedAnnealingSampler  # its constructor carries no types
        found = sampler().sample(
            self.model,
            num_reads=count,
            num_sweeps=self.sweeps,
            beta_range=list(self.beta_range),
            seed=seed,
        )
        return [float(energy) for energy in found.record.energy]

    def energy(self, seed: int) -> float:
        """The energy of one read."""
        return self.reads(1, seed)[0]

    def within(self, seconds: float, seed: int) -> tuple[float, int]:
        """The best energy of as many reads as fit into so many seconds of processor time.

        The first read always ends; a further batch is begun only if it is expected to fit.
        """
        began = time.process_time()
        best, reads = min(self.reads(1, seed)), 1
        while True:
            used = time.process_time() - began
            batch = min(int((seconds - used) / (used / reads)), 100_000)
            if batch < 1:
                return best, reads
            best = min(best, *self.reads(batch, seed + reads))
            reads += batch


def thrml_lattice(
    side: int, couplings: Sequence[float], beta: float
) -> Callable[[int, int], float]:
    """Block Gibbs of a torus of ``side`` x ``side`` spins: ``run(chains, sweeps)`` gives flips.

    ``couplings`` are those of each site to the right, then down, site by site. What a shape of
    chains and sweeps needs to be compiled is done when it is first run, so run it once before it is
    timed. Raises `ToolMissing` when thrml is not installed.
    """
    try:
        import jax
        import jax.numpy as jnp
        from thrml import Block, SamplingSchedule, SpinNode, sample_states
        from thrml.models import IsingEBM, IsingSamplingProgram, hinton_init
    except ImportError:
        raise ToolMissing(missing("thrml") or INSTALL) from None
    node: Any = SpinNode  # its constructor carries no types
    nodes: list[list[Any]] = [[node() for _ in range(side)] for _ in range(side)]
    flat = [node for row in nodes for node in row]
    edges = [
        (nodes[row][column], other)
        for row in range(side)
        for column in range(side)
        for other in (nodes[row][(column + 1) % side], nodes[(row + 1) % side][column])
    ]
    # thrml's energy has the opposite sign: E = -beta (sum b s + sum w s s)
    weights = jnp.array(-np.asarray(couplings, dtype=np.float32))
    model = IsingEBM(flat, edges, jnp.zeros(len(flat)), weights, jnp.array(beta))
    blocks: list[Any] = [
        Block([flat[i] for i in range(side * side) if (i // side + i) % 2 == colour])
        for colour in (0, 1)
    ]
    program = IsingSamplingProgram(model, blocks, clamped_blocks=[])
    key = jax.random.key(0)
    compiled: dict[tuple[int, int], Any] = {}

    def run(chains: int, sweeps: int) -> float:
        if (chains, sweeps) not in compiled:
            schedule = SamplingSchedule(n_warmup=sweeps, n_samples=1, steps_per_sample=1)

            def one(state: Any, one_key: Any) -> Any:
                return sample_states(one_key, program, schedule, state, [], [Block(flat)])

            first = hinton_init(key, model, blocks, (chains,))
            keys = jax.random.split(key, chains)
            compiled[chains, sweeps] = (jax.jit(jax.vmap(one)), first, keys)
        call, first, keys = compiled[chains, sweeps]
        for state in call(first, keys):
            state.block_until_ready()
        return float(chains * sweeps * side * side)

    return run

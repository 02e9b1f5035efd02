"""Chains of a lattice program at betas and from states of their own, side by side.

Twin: the loop of ordinary runs in ``gibbsite.replicas``.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from gibbsite_hw.spec.lattice_program import LatticeCounters
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.lattice_tables import BETA_MAX
from gibbsite_hw.spec.lattice_timing import group_cycles, sweep_cycles
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast.lattice import FastLatticeEngine
from gibbsite_sim.fast.lattice_forms import Int64

__all__ = ["accepts", "advance", "cost"]


def accepts(
    engine: FastLatticeEngine, chains: Int64, betas: Int64, states: UInt32 | None, sweeps: int
) -> bool:
    """Whether ordinary runs of these would all be taken."""
    p = engine.parameters
    info = LATTICE_REGISTERS[LatticeRegister.SWEEPS_PER_STEP]
    fits = info.minimum <= sweeps <= info.maximum
    fits = fits and chains.size > 0 and 0 <= int(chains.min()) <= int(chains.max()) < 1 << 32
    fits = fits and 0 <= int(betas.min()) <= int(betas.max()) <= BETA_MAX
    if states is None or not fits:
        return fits
    if states.shape != (len(betas), engine.columns * p.words):
        return False
    top = np.uint32(0xFFFF_FFFF >> (32 * p.words - p.rows))
    return bool((states.reshape(len(betas), engine.columns, p.words)[..., -1] <= top).all())


def advance(
    engine: FastLatticeEngine,
    seed: int,
    chains: Int64,
    betas: Int64,
    states: UInt32 | None,
    sweeps: int,
) -> tuple[UInt32, Int64]:
    """States ``uint32[K, columns * words]`` and energies after so many sweeps.

    Threads share the replicas in parts; a chain's number alone decides its bits.
    """
    found = np.empty((len(betas), engine.columns * engine.parameters.words), dtype=np.uint32)
    energies = np.empty(len(betas), dtype=np.int64)
    codes, inverse = np.unique(betas, return_inverse=True)
    tables, which = engine.tables(codes), inverse.astype(np.int32)

    def job(part: slice) -> Iterator[None]:
        made = engine.replicas(seed, chains[part])
        if states is None:
            made.start(None)
        else:
            made.start_from(np.ascontiguousarray(states[part], dtype=np.uint32))
        yield
        at_once = engine.at_once(engine.replica_flips, len(chains[part]))
        for done in range(0, sweeps, at_once):
            made.sweep_each(min(at_once, sweeps - done), tables, which[part])
            yield
        found[part], energies[part] = made.states(), made.energies()

    with engine.host.compiling("lattice replicas"), engine.guarded():
        engine.host.workers.run([partial(job, part) for part in engine.parts(len(betas))])
    return found, energies


def cost(engine: FastLatticeEngine, replicas: int, sweeps: int) -> LatticeCounters:
    """What so many runs of one chain count."""
    p, columns = engine.parameters, engine.columns
    cycles, waits = group_cycles(p, columns, steps=1, sweeps_per_step=sweeps, thinned=0)
    return LatticeCounters(
        cycles=replicas * cycles,
        sweep_cycles=replicas * sweeps * sweep_cycles(p, columns),
        updates=replicas * sweeps * p.rows * columns,
        sweeps=replicas * sweeps,
        reads=replicas,
        waits=replicas * waits,
    )

r"""The Ising route: a binary model on the Langevin engine, as double wells whose signs are spins.

    V(z) = sum_i B (z_i^4 - 2 a z_i^2) + sum_i h_i z_i + sum_(i<j) J_ij z_i z_j,    s_i = sign z_i

annealed     kT falls from hot to cold while a rises from 0, one well, to 1, two: all on the device
equilibrium  with ``beta``: the same down to kT = 1/beta, then as many steps again there

Signs only approach Boltzmann's law of the model: see `gibbsite_models.energies.ising` for what the
finite barrier does to it. No sample set of this route claims that law.

Twin: `gibbsite.Sampler`, which draws the same model's spins themselves on the graph engine.
"""

from __future__ import annotations

from typing import Any

import dimod
import numpy as np

from gibbsite.algorithms.opening import opened
from gibbsite.langevin_sampler import LangevinConfig, LangevinSampler
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, number
from gibbsite_models.energies.ising import DoubleWells, double_wells
from gibbsite_models.energies.potential import TERMS
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["sample_double_wells", "wells_protocol"]

STAGES = 64
"""Temperatures and strengths of an anneal at most."""

HOT, COLD = 0.1, 0.05
"""kT at the ends of an anneal, in units of the largest field of a spin: the best of nine pairs."""

LOW = 0.75 * (1 + 1e-9)
"""Barrier of an anneal in that unit: the lowest at which every pattern has its minimum."""

WARMEST = 0.5
"""Largest kT of draws at equilibrium, in barriers: at it wells still are two."""

ANNEAL_REACH, LAW_REACH = 1.5, 2.0
"""Largest |z| that must fit: e^-15 or less is beyond it at the warmest kT of either mode."""

ANNEAL_STEP, LAW_STEP = 0.9, 0.2
"""Of the largest stable dt within this reach: a law suffers from large steps, an anneal less."""


def sample_double_wells(
    model: dimod.BinaryQuadraticModel,
    device: Device | str,
    *,
    num_reads: int = 1,
    num_steps: int = 1000,
    seed: int = 0,
    beta: float | None = None,
    barrier: float | None = None,
    progress: Progress | None = None,
) -> dimod.SampleSet:
    """Spins of ``num_reads`` independent chains of ``num_steps`` steps, with the model's energies.

    One step is one update of every spin. ``barrier`` is B, by default the lowest that keeps every
    minimum for an anneal, and the largest field for draws at ``beta``. ``device`` is open, or an
    address that is opened for the time of the call. ``info["updates"]`` counts
    what the device did, ``info["claim"]`` says what is claimed.

    Raises: ProgramError for another model or device, a barrier at which a spin loses its sign,
    arguments that make no run, a beta hotter than the anneal starts, and models that the device
    does not hold.
    """
    if not isinstance(model, dimod.BinaryQuadraticModel):
        raise ProgramError(
            f"model must be a dimod.BinaryQuadraticModel and is of type {type(model).__name__}: "
            "make one with from_ising(h, J) or from_qubo(Q)"
        )
    num_reads = count("num_reads", num_reads)
    seed = count("seed", seed, 0, (1 << 64) - 1)
    barrier = None if barrier is None else number("the barrier", barrier)
    wells = double_wells(model, barrier)
    if barrier is None and beta is None and _field(wells):
        wells = double_wells(model, LOW * wells.barrier)
    protocol = wells_protocol(wells, num_steps, beta)
    reach = ANNEAL_REACH if beta is None else LAW_REACH
    config = LangevinConfig(
        kT=protocol.segments[-1].kT,
        dt=protocol.segments[-1].dt,
        n_steps=protocol.steps,
        dim=len(wells.variables),
    )
    with opened(device) as found:
        sampler = LangevinSampler(wells.potential, config, found, reach=reach, spread=0.1)
        draws = sampler.sample(n_samples=num_reads, seed=seed, protocol=protocol, progress=progress)
    result = wells.sampleset(draws.states)
    told = ("cycles", "products", "updates", "saturations", "ledger", "joules", "joules_provenance")
    counted = {name: draws.info[name] for name in told}
    info: dict[str, Any] = {
        "seed": seed,
        "device": draws.info["device"],
        "fingerprint": draws.info["fingerprint"],
        "mode": "annealed" if beta is None else "equilibrium",
        "claim": "none: signs of double wells only approach the model's law",
        "barrier": wells.barrier,
        "kT_range": [protocol.segments[0].kT, protocol.segments[-1].kT],
        "steps": protocol.steps,
        **counted,
        "rounding": draws.info["rounding"],
        "timing": draws.info["timing"],
    }
    result.info.update(info)
    return result


def wells_protocol(wells: DoubleWells, num_steps: int, beta: float | None = None) -> Protocol:
    """Wells that open as kT falls; with ``beta`` half of the steps are at kT = 1/beta.

    Raises: ProgramError for steps or a beta that make no run.
    """
    num_steps = count("num_steps", num_steps, 2)
    # the barrier's own scale where the model has no field
    field = _field(wells) or wells.barrier
    hot, cold = HOT * field, COLD * field
    if beta is not None:
        beta = number("beta", beta, above=0)
        least = 1 / (WARMEST * wells.barrier)
        if beta < least:
            raise ProgramError(
                f"beta must be at least {least:.6g}, kT of half a barrier, and "
                f"is {beta:g}: give a higher barrier or a larger beta"
            )
        cold = 1 / beta
        hot = max(hot, cold)
    falling = num_steps if beta is None else num_steps // 2
    stages = min(STAGES, falling)
    # the last stage is at the end of both ramps
    shares = np.linspace(0, 1, stages) if stages > 1 else np.ones(1)
    kTs = np.geomspace(hot, cold, stages) if stages > 1 else np.array([cold])
    lengths = [falling // stages + (k < falling % stages) for k in range(stages)]
    stretches = list(zip(lengths, shares.tolist(), kTs.tolist(), strict=True))
    if beta is not None:
        stretches.append((num_steps - falling, 1.0, cold))
    reach, part = (ANNEAL_REACH, ANNEAL_STEP) if beta is None else (LAW_REACH, LAW_STEP)
    segments = []
    for steps, share, kT in stretches:
        strengths = tuple(share if term == "quadratic" else 1.0 for term in TERMS)
        dt = part * wells.potential.largest_stable_dt(1.0, reach, strengths)
        segments.append(Segment(steps, kT, dt, strengths))
    return Protocol(1.0, segments)


def _field(wells: DoubleWells) -> float:
    """The largest field that a spin may feel."""
    p = wells.potential
    return float((np.abs(p.b) + np.abs(p.J).sum(axis=1)).max())

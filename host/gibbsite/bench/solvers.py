"""One attempt at one instance within a budget of processor time, by any recipe, or by the peer.

What the device does and what the host does are timed apart. An attempt ends early when it reaches
the best known value: nothing could be gained.
"""

from __future__ import annotations

import math
import time
from array import array
from dataclasses import dataclass
from typing import Final

import dimod
import numpy as np

import gibbsite
from gibbsite.bench.recipes import Recipe
from gibbsite.compiler import compile_model
from gibbsite.instances import Instance, InstanceError
from gibbsite.lattice_model import compile_lattice
from gibbsite.recombining import Recombination
from gibbsite.slot_model import slot_model
from gibbsite.tempering import ParallelTempering
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_hw.spec.program import RunRequest

__all__ = ["Attempt", "attempt", "lattice_of", "warm"]

ROUNDS: Final = 1_000_000
"""Rounds of tempering at most; the budget ends them."""

STEPS: Final = 100
"""Betas of an annealing schedule."""

REHEATED_SHARE: Final = 0.2
"""Sweeps of a reheated read, as a share of the first reads'."""


@dataclass(slots=True)
class Attempt:
    """What an attempt found: the energy, when it was reached, what it cost.

    ``cpu`` are processor seconds in all, of which ``host`` were the host's own algorithm's;
    ``reached`` is when the best known value was found, infinite if it was not.
    """

    energy: float
    cpu: float
    wall: float
    host: float
    updates: int
    reached: float = math.inf


class Clock:
    """Processor time and the wall's since it was made."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    @property
    def cpu(self) -> float:
        """Processor seconds."""
        return time.process_time() - self._cpu

    @property
    def wall(self) -> float:
        """Seconds on the wall."""
        return time.perf_counter() - self._wall


def attempt(instance: Instance, recipe: Recipe, device: Device, seed: int) -> Attempt:
    """One attempt on an open device, which has compiled its loops before."""
    target = -math.inf if instance.best_known is None else instance.energy(instance.best_known)
    run = {"tempering": _tempered, "annealing": _annealed, "patchwork": _patched}[recipe.algorithm]
    found = run(instance, recipe, device, seed, target)
    if found.energy <= target:
        found.reached = found.cpu
    return found


def lattice_of(instance: Instance, rows: int) -> dimod.BinaryQuadraticModel:
    """The model with its spins named by their sites. Raises `InstanceError` if there is none."""
    if rows < 1 or instance.spins % rows:
        raise InstanceError(
            f"{instance.name} has {instance.spins} spins and {rows} rows do not divide them: give "
            "the rows of its lattice"
        )
    model = dimod.BinaryQuadraticModel("SPIN")
    model.add_linear_from({(k % rows, k // rows): 0.0 for k in range(instance.spins)})
    for low, high, weight in zip(
        instance.low.tolist(), instance.high.tolist(), instance.weight.tolist(), strict=True
    ):
        model.add_quadratic((low % rows, low // rows), (high % rows, high // rows), float(weight))
    return model


def _tempered(
    instance: Instance, recipe: Recipe, device: Device, seed: int, target: float
) -> Attempt:
    clock = Clock()
    tempering = ParallelTempering(
        device,
        beta_range=recipe.beta_range,
        groups=recipe.replicas,
        sweeps_per_round=recipe.sweeps,
        clusters=recipe.clusters,
        cluster_beta=recipe.cluster_beta,
    )
    found = tempering.sample(
        instance.model,
        rounds=ROUNDS,
        seed=seed,
        stop=lambda _, lowest: lowest <= target or clock.cpu >= recipe.seconds,
    )
    wall = clock.wall
    # the host's share is measured on the wall; a busy machine slows both parts alike
    ours = found.timing["host_ns"] / (found.timing["host_ns"] + found.timing["device_ns"])
    cpu = clock.cpu
    return Attempt(found.best_energy, cpu, wall, ours * cpu, found.counters["updates"])


def _annealed(
    instance: Instance, recipe: Recipe, device: Device, seed: int, target: float
) -> Attempt:
    clock = Clock()
    compiled = compile_model(instance.model, device.info.graph, beta_max=recipe.beta_range[1])
    device.load(compiled.program)
    steps = min(STEPS, recipe.sweeps)
    betas = compiled.betas(np.linspace(*recipe.beta_range, steps))
    best, updates, batches, one = math.inf, 0, 0, 0.0
    while best > target and (not batches or clock.cpu + one <= recipe.seconds):
        began = clock.cpu
        result = device.run(
            RunRequest(
                betas=betas,
                seed=seed,
                chains=recipe.replicas,
                first_chain=batches * recipe.replicas,
                sweeps_per_step=recipe.sweeps // steps,
                samples=False,
            )
        )
        lowest = min(result.energies)
        best = min(best, compiled.base.code_offset + compiled.scale * lowest)
        updates += result.counters.updates
        batches, one = batches + 1, clock.cpu - began
    return Attempt(best, clock.cpu, clock.wall, 0.0, updates)


def _patched(
    instance: Instance, recipe: Recipe, device: Device, seed: int, target: float
) -> Attempt:
    clock = Clock()
    model = lattice_of(instance, recipe.rows)
    compiled = compile_lattice(model, device.info.lattice, beta_max=recipe.beta_range[1])
    device.load(compiled.program)
    recombination = Recombination(slot_model(model))
    low, high = recipe.beta_range
    sweeps, chain, updates, host, one = recipe.sweeps, 0, 0, 0.0, 0.0
    spins, best, energy = None, np.empty(0, dtype=np.int8), math.inf
    while spins is None or (energy > target and clock.cpu + one <= recipe.seconds):
        began = clock.cpu
        steps = min(STEPS, sweeps)
        result = device.run(
            LatticeRequest(
                betas=compiled.betas(np.geomspace(low, high, steps)),
                seed=seed,
                chains=recipe.replicas,
                first_chain=chain,
                sweeps_per_step=sweeps // steps,
                state=None if spins is None else compiled.state(best),
            )
        )
        updates += result.counters.updates
        chain += recipe.replicas
        spins = compiled.spins(result.states)
        order = np.argsort(np.frombuffer(result.energies, dtype=np.int64), kind="stable")
        start = clock.cpu
        if not len(best):
            best = spins[order[0]].copy()
        for read in order.tolist():
            recombination.improve(best, spins[read])
        energy = recombination.energy(best)
        host += clock.cpu - start
        one = (clock.cpu - began) * (REHEATED_SHARE if low != recipe.reheat else 1.0)
        low, sweeps = recipe.reheat, max(1, int(REHEATED_SHARE * recipe.sweeps))
    return Attempt(energy, clock.cpu, clock.wall, host, updates)


def warm(recipe: Recipe) -> Device:
    """An open device whose loops are compiled: a tiny model has run on it."""
    device = gibbsite.open(recipe.device)
    if recipe.algorithm == "patchwork":
        rows = max(recipe.rows, 2)
        tiny = dimod.BinaryQuadraticModel.from_ising({}, {((0, 0), (1 % rows, 0)): 1.0})
        lattice = compile_lattice(tiny, device.info.lattice)
        device.load(lattice.program)
        for state in (None, lattice.state(np.ones(2, dtype=np.int8))):
            device.run(LatticeRequest(betas=array("I", [1]), chains=recipe.replicas, state=state))
        return device
    pair = dimod.BinaryQuadraticModel.from_ising({}, {(0, 1): 1.0})
    if recipe.algorithm == "tempering":
        ParallelTempering(device, betas=(0.5, 1.0)).sample(pair, rounds=2, seed=1)
    else:
        compiled = compile_model(pair, device.info.graph)
        device.load(compiled.program)
        device.run(RunRequest(betas=array("I", [1]), chains=recipe.replicas))
    return device

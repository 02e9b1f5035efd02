"""What tempering gains over annealing at equal updates, and how residual energy falls with sweeps.

    residual = (E - E_best) / spins

Annealing: K independent reads of n sweeps, the best counts. Tempering: K replicas of n sweeps, the
lowest energy at the end of any round counts. Both make K n updates of every spin on the device.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, Final

import numpy as np

import gibbsite
from gibbsite.bench.options import FIRST_SEED, Options
from gibbsite.bench.peers import Annealer, missing
from gibbsite.bench.recipes import GLASS, GRAPH
from gibbsite.bench.statistics import Estimate, bootstrap, slope, time_to_solution
from gibbsite.bench.suites import GAIN_BELOW
from gibbsite.bench.table import Row, Table
from gibbsite.compiler import compile_model
from gibbsite.instances import Instance, edwards_anderson, read_folder
from gibbsite.tempering import ParallelTempering
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.program import RunRequest

__all__ = ["annealed_energies", "gain"]

SWEEPS: Final = 1500
CURVE: Final = (30, 100, 300, 1000, 3000)
CURVE_READS: Final = 128
ANNEAL: Final = (0.3, 2.5)
"""Betas of annealing, linear: of three ranges tried on seed 1,000,001 the one of least residual."""

REFERENCE_SEED: Final = 1_000_001


@dataclass(slots=True)
class Arm:
    """One method on one instance: energies of its runs, and processor seconds of each."""

    name: str
    energies: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)


def gain(options: Options) -> Table:
    """Tempering with and without cluster moves against annealing, on every L08 and L10."""
    table = Table("gain")
    if options.data is not None:
        found = [one for one in read_folder(options.data, "ea3d") if one.name < GAIN_BELOW]
    else:
        found = [edwards_anderson(6, seed) for seed in (1, 2)]
        table.notes.append("No --data folder was given: these instances are generated.")
    if options.instances:
        found = [one for one in found if one.name in options.instances]
    with gibbsite.open(GRAPH) as device:
        for number, instance in enumerate(found):
            stage = f"{instance.name} ({number + 1} of {len(found)})"
            table.rows += _compared(instance, device, options, stage)
            table.rows += _curves(instance, device, options, stage)
            options.keep(table)
    return table


def annealed_energies(
    instance: Instance, device: Device, sweeps: int, reads: int, seed: int
) -> tuple[list[float], int]:
    """Final energies of annealed reads, and the updates that they took."""
    compiled = compile_model(instance.model, device.info.graph, beta_max=ANNEAL[1])
    device.load(compiled.program)
    steps = next(count for count in range(min(100, sweeps), 0, -1) if sweeps % count == 0)
    request = RunRequest(
        betas=compiled.betas(np.linspace(*ANNEAL, steps)),
        seed=seed,
        chains=reads,
        sweeps_per_step=sweeps // steps,
        samples=False,
    )
    result = device.run(request)
    codes = np.frombuffer(result.energies, dtype=np.int64)
    energies = compiled.base.code_offset + compiled.scale * codes
    return energies.tolist(), result.counters.updates


def _compared(instance: Instance, device: Device, options: Options, stage: str) -> list[Row]:
    """Three arms of equal updates."""
    arms = [Arm("tempering"), Arm("tempering with clusters"), Arm("annealing")]
    rounds = SWEEPS // GLASS.sweeps
    for done in range(options.seeds):
        seed = FIRST_SEED + done
        options.progress(f"{stage}: tempering and annealing", done, options.seeds)
        replicas = 0
        for arm, clusters in zip(arms, (False, True), strict=False):
            began = time.process_time()
            found = ParallelTempering(
                device,
                beta_range=GLASS.beta_range,
                groups=GLASS.replicas,
                sweeps_per_round=GLASS.sweeps,
                clusters=clusters,
                cluster_beta=GLASS.cluster_beta,
            ).sample(instance.model, rounds=rounds, seed=seed)
            arm.energies.append(found.best_energy)
            arm.updates.append(found.counters["updates"])
            arm.seconds.append(time.process_time() - began)
            replicas = GLASS.replicas * len(found.betas)
        began = time.process_time()
        energies, updates = annealed_energies(instance, device, SWEEPS, replicas, seed)
        arms[2].energies.append(min(energies))
        arms[2].updates.append(updates)
        arms[2].seconds.append(time.process_time() - began)
    best = _reference(instance, [energy for arm in arms for energy in arm.energies])
    residuals = {arm.name: _residual(arm, best, instance.spins) for arm in arms}
    return [
        _arm_row(instance, arm, residuals[arm.name], residuals["annealing"], best)
        for arm in arms[:2]
    ]


def _arm_row(instance: Instance, arm: Arm, ours: Merit, annealing: Merit, best: float) -> Row:
    count = len(arm.energies)
    seeds = "1 seed" if count == 1 else f"{count} seeds"
    return Row(
        measure=f"{instance.name} {arm.name} against annealing, equal updates",
        ours=ours.described(),
        peer=annealing.described(),
        ratio=annealing.residual.value / ours.residual.value if ours.residual.value else None,
        loss=(ours.residual.value, ours.tts.value)
        > (annealing.residual.value, annealing.tts.value),
        how=f"{seeds}; {mean(arm.updates):.3g} updates each; {SWEEPS} sweeps a "
        "replica or read; ratio of residuals",
        data={
            "instance": instance.name,
            "reference_energy": best,
            "arm": arm.name,
            "energies": arm.energies,
            "seconds": arm.seconds,
            "updates": arm.updates,
            "ours": ours.as_dict(),
            "annealing": annealing.as_dict(),
        },
    )


@dataclass(frozen=True, slots=True)
class Merit:
    """Residual energy, share of successes and time to solution of an arm."""

    residual: Estimate
    success: float
    tts: Estimate

    def described(self) -> str:
        """In a cell of a table."""
        words = [f"residual {_interval(self.residual)}", f"success {self.success:.2f}"]
        return ", ".join([*words, f"TTS99 {_interval(self.tts)} s"])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "residual": self.residual.as_list(),
            "success": self.success,
            "tts99": self.tts.as_list(),
        }


def _residual(arm: Arm, best: float, spins: int) -> Merit:
    residuals = [(energy - best) / spins for energy in arm.energies]
    hits = [float(energy <= best) for energy in arm.energies]
    seconds = mean(arm.seconds)
    return Merit(
        bootstrap(residuals, lambda part: float(part.mean())),
        mean(hits),
        bootstrap(hits, lambda part: time_to_solution(float(part.sum()), len(part), seconds)),
    )


def _curves(instance: Instance, device: Device, options: Options, stage: str) -> list[Row]:
    """Residual energy of single reads against sweeps, ours and the peer's."""
    ours: list[list[float]] = []
    peers: list[list[float]] = []
    with_peer = missing("dwave-samplers") is None
    for number, sweeps in enumerate(CURVE):
        options.progress(f"{stage}: residual energy", number, len(CURVE))
        ours.append(annealed_energies(instance, device, sweeps, CURVE_READS, 1)[0])
        if with_peer:
            peers.append(Annealer(instance.model, ANNEAL, sweeps).reads(CURVE_READS, 1))
    best = _reference(instance, [energy for part in (*ours, *peers) for energy in part])

    def fitted(energies: list[list[float]]) -> tuple[list[float], Estimate]:
        parts = [[(energy - best) / instance.spins for energy in part] for part in energies]
        return [mean(part) for part in parts], slope(CURVE, parts)

    found, exponent = fitted(ours)
    data: dict[str, Any] = {
        "instance": instance.name,
        "sweeps": CURVE,
        "residuals": found,
        "slope": exponent.as_list(),
    }
    peer = ""
    if peers:
        theirs, other = fitted(peers)
        data |= {"peer_residuals": theirs, "peer_slope": other.as_list()}
        peer = f"{theirs[-1]:.4f} at {CURVE[-1]} sweeps, slope {_interval(other)}"
    return [
        Row(
            measure=f"{instance.name} residual energy of an annealed read",
            ours=f"{found[-1]:.4f} at {CURVE[-1]} sweeps, slope {_interval(exponent)}",
            peer=peer,
            ratio=data["peer_residuals"][-1] / found[-1] if peers and found[-1] else None,
            loss=bool(peers) and found[-1] > data["peer_residuals"][-1],
            how=f"{CURVE_READS} reads at each of {', '.join(map(str, CURVE))} sweeps, same betas",
            data=data,
        )
    ]


def _reference(instance: Instance, energies: list[float]) -> float:
    """The best known energy, or the lowest of all that were found."""
    lowest = min(energies)
    return lowest if instance.best_known is None else min(lowest, float(instance.best_known))


def _interval(estimate: Estimate) -> str:
    value, low, high = ("never" if v is None else f"{v:.3g}" for v in estimate.as_list())
    return f"{value} [{low}, {high}]"

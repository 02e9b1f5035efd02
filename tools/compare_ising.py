"""Write docs/ising-comparison.md: the same Ising models on both engines, at equal updates.

    python tools/compare_ising.py                       on golden:, docs/ising-comparison.md
    python tools/compare_ising.py --device sim: --small  a few small ones, printed, to see equality

An update is one Gibbs decision of a spin on the graph engine, and one step of a unit on the
Langevin engine. Instances come from seeds; nothing is left out of the table.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dimod
import networkx as nx
import numpy as np
from numpy.typing import NDArray

import gibbsite
from gibbsite.algorithms.ising import sample_double_wells
from gibbsite_hw.spec.device import Device
from gibbsite_models.exact.enumeration import noise_floor, total_variation

PAGE = Path(__file__).resolve().parent.parent / "docs" / "ising-comparison.md"
READS, SWEEPS = 100, 1000
LAW_READS = 4000
LAW_BETAS = (0.8, 2.0)
LAW_BARRIERS = (1.0, 4.0)
"""In units of the largest field."""
LAW_SWEEPS, LAW_STEPS = 200, 6000

ENGINES = ("graph", "Langevin")
CELLS = ("best", "at minimum", "residual", "cycles")


@dataclass(frozen=True, slots=True)
class Row:
    """One instance on one engine."""

    best: float
    share: float
    residual: float
    updates: int
    cycles: int


def cubic(n: int, seed: int) -> dimod.BinaryQuadraticModel:
    """A random 3-regular graph with couplings -1 or +1."""
    random = np.random.default_rng(seed)
    graph = nx.random_regular_graph(3, n, seed=seed)
    edges = sorted(tuple(sorted(edge)) for edge in graph.edges)
    model: dimod.BinaryQuadraticModel = dimod.BinaryQuadraticModel.from_ising(
        dict.fromkeys(range(n), 0.0), {e: float(random.choice([-1, 1])) for e in edges}
    )
    return model


def ferromagnet(side: int, seed: int) -> dimod.BinaryQuadraticModel:
    """A square lattice of J = -1 with a fifth of the bonds +1, and fields from -1 to 1."""
    random = np.random.default_rng(seed)
    place = {xy: side * xy[0] + xy[1] for xy in itertools.product(range(side), repeat=2)}
    edges = [(place[a], place[b]) for a, b in nx.grid_2d_graph(side, side).edges]
    model: dimod.BinaryQuadraticModel = dimod.BinaryQuadraticModel.from_ising(
        {i: float(random.uniform(-1, 1)) for i in range(side * side)},
        {e: float(random.choice([-1, -1, -1, -1, 1])) for e in edges},
    )
    return model


def complete(n: int, seed: int) -> dimod.BinaryQuadraticModel:
    """All pairs coupled by normal numbers of variance 1/n, fields of a half, in steps of 1/64."""
    random = np.random.default_rng(seed)

    def step(size: float) -> float:
        return round(64 * size * random.normal()) / 64

    pairs = itertools.combinations(range(n), 2)
    model: dimod.BinaryQuadraticModel = dimod.BinaryQuadraticModel.from_ising(
        {i: step(0.5) for i in range(n)}, {pair: step(1 / np.sqrt(n)) for pair in pairs}
    )
    return model


def instances(small: bool) -> Iterator[tuple[str, dimod.BinaryQuadraticModel]]:
    """Names and models."""
    makers: list[tuple[str, Callable[[int, int], dimod.BinaryQuadraticModel], list[int]]] = [
        ("all pairs", complete, [8] if small else [8, 16]),
        ("3-regular ±J", cubic, [12] if small else [32, 64, 128]),
        ("frustrated ferromagnet", ferromagnet, [3] if small else [6, 8]),
    ]
    for name, make, sizes in makers:
        for size in sizes:
            for seed in (1, 2):
                model = make(size, seed)
                yield f"{name}, {len(model.variables)} spins, seed {seed}", model


def compare(
    model: dimod.BinaryQuadraticModel, device: Device, reads: int, sweeps: int
) -> tuple[str, Row, Row]:
    """Where the minimum comes from, and both engines' rows."""
    graph = gibbsite.Sampler(device).sample(model, num_reads=reads, num_sweeps=sweeps, seed=1)
    wells = sample_double_wells(model, device, num_reads=reads, num_steps=sweeps, seed=1)
    if len(model.variables) <= 16:
        how, lowest = "enumerated", float(dimod.ExactSolver().sample(model).first.energy)
    else:
        how = "best of both"
        lowest = float(min(graph.record.energy.min(), wells.record.energy.min()))
    # energies are recomputed from the model's own floats: equal up to their rounding
    at = lowest + 1e-6
    rows = [
        Row(
            float(found.record.energy.min()),
            float((found.record.energy <= at).mean()),
            float(found.record.energy.mean() - lowest),
            int(found.info["updates"]),
            int(found.info["cycles"]),
        )
        for found in (graph, wells)
    ]
    return f"{lowest:.4g} ({how})", rows[0], rows[1]


def law(model: dimod.BinaryQuadraticModel, beta: float) -> NDArray[np.float64]:
    """Boltzmann's law over all sign patterns, the first variable's sign slowest."""
    patterns = np.array(list(itertools.product((-1, 1), repeat=len(model.variables))))
    energies = model.energies((patterns, list(model.variables)))
    weight = np.exp(-beta * (energies - energies.min()))
    return np.asarray(weight / weight.sum())


def distance(found: dimod.SampleSet, model: dimod.BinaryQuadraticModel, beta: float) -> float:
    """Total variation of the reads' sign patterns to the law."""
    columns = [list(found.variables).index(v) for v in model.variables]
    bits = (found.record.sample[:, columns] > 0).astype(np.int64)
    codes = bits @ (1 << np.arange(bits.shape[1])[::-1])
    counts = np.bincount(codes, minlength=1 << bits.shape[1])
    return float(total_variation(counts, law(model, beta)))


def law_rows(device: Device, reads: int) -> list[str]:
    """Lines of the table of laws: 8 spins, two betas, both engines."""
    model, lines = complete(8, 1), []
    field = max(
        abs(model.linear[v]) + sum(abs(w) for e, w in model.quadratic.items() if v in e)
        for v in model.variables
    )
    for beta in LAW_BETAS:
        graph = gibbsite.Sampler(device).sample(
            model, num_reads=reads, num_chains=reads, beta=beta, burn_in=LAW_SWEEPS, seed=3
        )
        cells = [f"{distance(graph, model, beta):.4f}"]
        for times in LAW_BARRIERS:
            wells = sample_double_wells(
                model,
                device,
                num_reads=reads,
                num_steps=LAW_STEPS,
                beta=beta,
                barrier=times * field,
                seed=3,
            )
            cells.append(f"{distance(wells, model, beta):.4f}")
        floor = noise_floor(law(model, beta), reads)
        lines.append(f"| {beta} | {' | '.join(cells)} | {floor:.4f} |")
    return lines


def page(device: Device) -> str:
    """The whole page."""
    lines = [HEAD]
    for name, model in instances(small=False):
        lowest, graph, wells = compare(model, device, READS, SWEEPS)
        cells = [
            f"{row.best:.4g} | {100 * row.share:.0f} % | {row.residual:.3g} | "
            f"{row.cycles / READS:,.0f}"
            for row in (graph, wells)
        ]
        assert graph.updates == wells.updates, "both engines made as many updates"
        lines.append(f"| {name} | {graph.updates:,} | {lowest} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines.append(LAW)
    lines += law_rows(device, LAW_READS)
    lines.append(FOOT)
    return "\n".join(lines)


HEAD = f"""# Ising models on both engines

Written by `python tools/compare_ising.py` on `golden:`; `sim:` gives the same numbers, bit by bit.
The graph engine draws spins; the Langevin engine moves continuous units in double wells, whose
signs are read as spins (`gibbsite.algorithms.ising`). Both anneal on the device with their default
schedules, {READS} reads of {SWEEPS} sweeps: **as many updates each**, where an update is one Gibbs
decision of a spin, or one Langevin step of a unit. The Langevin schedule's two temperatures were
chosen on four of these instances; the graph engine's come from the model. Cycles are the RTL's for
a read. "At minimum" is the share of reads there; "residual" the mean energy of reads above it.
Where a minimum was not enumerated it is the best that either engine found, so the true one may be
lower.

| instance | updates each | minimum | {" | ".join(f"{e}: {c}" for e in ENGINES for c in CELLS)} |
|{"---|" * (3 + len(ENGINES) * len(CELLS))}"""

LAW = f"""
## The law

8 spins, all pairs coupled, {LAW_READS} independent reads: total variation between the distribution
of sign patterns and Boltzmann's law of the model, beside the distance that {LAW_READS} exact draws
stay below with probability 0.999 (the noise floor). Barriers are in units of the largest field. The
graph engine takes {LAW_SWEEPS} sweeps to a read, the Langevin engine {LAW_STEPS} steps.

| beta | graph | {" | ".join(f"Langevin, barrier {b:g}" for b in LAW_BARRIERS)} | noise floor |
|---|---|{"---|" * len(LAW_BARRIERS)}---|"""

FOOT = """
The graph engine draws the law itself. Signs of double wells only approach it: at a low barrier the
lopsided wells change the weights of patterns (`gibbsite_models.energies.ising` says how, to leading
order in kT/B), and a high barrier is passed so seldom that reads keep what the anneal left them
with. So the Langevin route claims no law: it is there for what has continuous units beside spins.
"""


def main() -> None:
    """Compare on the device that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--device", default="golden:")
    parser.add_argument("--small", action="store_true", help="a few small ones, printed only")
    parser.add_argument("--out", type=Path, default=PAGE)
    asked = parser.parse_args()
    with gibbsite.open(asked.device) as device:
        if asked.small:
            for name, model in instances(small=True):
                print(name, *compare(model, device, 10, 100))
        else:
            asked.out.write_text(page(device), encoding="utf-8")


if __name__ == "__main__":
    main()

"""One spin glass on both engines: spins drawn by p-bits, and signs of double wells.

python examples/ising_wells.py                      on the NumPy reference
python examples/ising_wells.py --device sim:        on the RTL itself (seconds, once it is built)
"""

import argparse
import sys

import dimod
import networkx as nx
import numpy as np
from rich.console import Console

import gibbsite
from gibbsite.algorithms.ising import sample_double_wells

SPINS, READS, SWEEPS = 16, 100, 1000

say = Console(highlight=False).out


def main() -> None:
    """Anneal on both engines with as many updates, and print both beside the exact minimum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:")
    random = np.random.default_rng(7)
    edges = sorted(nx.random_regular_graph(3, SPINS, seed=7).edges)
    model = dimod.BinaryQuadraticModel.from_ising(
        dict.fromkeys(range(SPINS), 0.0), {edge: float(random.choice([-1, 1])) for edge in edges}
    )
    lowest = float(dimod.ExactSolver().sample(model).first.energy)
    with gibbsite.open(parser.parse_args().device) as device:
        graph = gibbsite.Sampler(device).sample(model, num_reads=READS, num_sweeps=SWEEPS, seed=1)
        wells = sample_double_wells(model, device, num_reads=READS, num_steps=SWEEPS, seed=1)
    say(f"{SPINS} spins, exact minimum {lowest:g}\n")
    say(f"{'engine':10} {'updates':>10} {'best':>6} {'at minimum':>11} {'mean':>8}")
    for name, found in (("graph", graph), ("langevin", wells)):
        energy = found.record.energy
        share = float((energy <= lowest + 1e-6).mean())
        say(
            f"{name:10} {found.info['updates']:10,} {energy.min():6g} {share:11.0%} "
            f"{energy.mean():8.2f}"
        )
    spins = wells.first.sample
    say("\nbest signs:", "".join("+" if spins[v] > 0 else "-" for v in range(SPINS)))
    say(f"verified with the model's own numbers: {float(model.energy(spins)):g}")


if __name__ == "__main__":
    try:
        main()
    except gibbsite.GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

"""Proposals a second of `fast:`'s graph engine beside dwave-samplers, in one run of this machine.

    python tools/benchmarks/graph_speed.py ../shared/data/maxcut/G22.txt
    python tools/benchmarks/graph_speed.py FILE --reads 256 --sweeps 500 --pairs 7

Both anneal the same model with the same reads, sweeps and betas, one thread each; a proposal is one
variable looked at once in one sweep of one read. Each pair is timed back to back, in wall time, in
turns as to who is first; compiling, loading and a first run lie before the clock.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import gibbsite
from gibbsite.compiler import compile_model
from gibbsite.instances import Instance, read_maxcut
from gibbsite_hw.spec.errors import ToolMissing
from gibbsite_hw.spec.program import RunRequest

__all__ = ["SpeedPair", "graph_speed"]


@dataclass(frozen=True, slots=True)
class SpeedPair:
    """Proposals a second of both, timed one after the other."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs


def graph_speed(
    instance: Instance,
    reads: int = 128,
    sweeps: int = 200,
    pairs: int = 5,
    beta_range: tuple[float, float] = (0.05, 2.0),
    seed: int = 1,
) -> list[SpeedPair]:
    """Time pairs of annealing runs; see the module.

    Raises `ToolMissing` without dwave-samplers, `ProgramError` if the model fits no default build.
    """
    try:
        from dwave.samplers import SimulatedAnnealingSampler
    except ImportError:
        raise ToolMissing(
            "dwave-samplers is not installed: pip install 'gibbsite[bench]'"
        ) from None
    model, betas = instance.model, np.linspace(*beta_range, sweeps)
    proposals = reads * sweeps * len(model.variables)
    sampler: Any = SimulatedAnnealingSampler  # its constructor carries no types
    peer = sampler()

    with gibbsite.open("fast:?engines=graph") as device:
        compiled = compile_model(model, device.info.graph)
        device.load(compiled.program)
        codes = compiled.betas(betas)

        def ours(count: int) -> None:
            device.run(RunRequest(betas=codes, seed=seed, chains=count))

        def theirs(count: int) -> None:
            peer.sample(
                model,
                num_reads=count,
                beta_schedule_type="custom",
                beta_schedule=betas,
                num_sweeps_per_beta=1,
                seed=seed,
            )

        ours(reads)
        theirs(1)
        found = []
        for number in range(pairs):
            rates: dict[Callable[[int], None], float] = {}
            for run in (ours, theirs)[:: 1 if number % 2 == 0 else -1]:
                start = perf_counter()
                run(reads)
                rates[run] = proposals / (perf_counter() - start)
            found.append(SpeedPair(rates[ours], rates[theirs]))
    return found


def main() -> None:
    """Print every pair and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, help="a Max-Cut instance")
    parser.add_argument("--reads", type=int, default=128)
    parser.add_argument("--sweeps", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=5)
    asked = parser.parse_args()
    found = graph_speed(read_maxcut(asked.file), asked.reads, asked.sweeps, asked.pairs)
    for pair in found:
        print(f"{pair.ours / 1e6:8.1f} {pair.theirs / 1e6:8.1f} Mproposals/s  {pair.ratio:5.2f}")
    ours, theirs = (statistics.median(getattr(p, who) for p in found) for who in ("ours", "theirs"))
    ratio = statistics.median(pair.ratio for pair in found)
    print(f"medians: fast: {ours / 1e6:.1f}, dwave-samplers {theirs / 1e6:.1f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

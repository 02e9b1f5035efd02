"""Replicas of a lattice at betas of their own: what they cost, and how two threads share them.

    python tools/benchmarks/lattice_replicas.py [--side 64] [--sweeps 100] [--pairs 9]

A +-J torus on `fast:`, one thread and two in turns, from the states of the call before; seeding,
start, states and energies belong to the time. "Shared" is the processor time with one thread over
that of the busier of two, the caller's own added: what the wall shows on two cores that nobody
else uses. Both give the same bits, which is checked.
"""

import argparse
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite.devices import open as open_device
from gibbsite.lattice_model import compile_lattice
from gibbsite_sim.fast.device import FastDevice, LatticeReplicaRun
from gibbsite_sim.fast.workers import Job, Workers

REPLICAS = (8, 16, 32, 64, 128, 256, 512)


class Clocked(Workers):
    """Workers that know the processor time of each of their threads."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.spent: dict[int, float] = {}

    def run(self, jobs: Sequence[Job]) -> None:
        """Do all jobs, and add up what each thread spends on them."""

        def clocked(job: Job) -> Iterator[None]:
            thread, begun = threading.get_ident(), time.thread_time()
            for _ in job():
                yield
            spent = time.thread_time() - begun
            self.spent[thread] = self.spent.get(thread, 0.0) + spent

        super().run([partial(clocked, job) for job in jobs])

    def longest(self, own: float) -> float:
        """The time of the busier thread and the caller's ``own``; counting begins anew."""
        self.spent.pop(threading.get_ident(), None)  # is in the caller's own
        found = own + max(self.spent.values(), default=0.0)
        self.spent.clear()
        return found


def torus(side: int) -> dimod.BinaryQuadraticModel:
    """Couplings -1 and +1 at random."""
    rng, couplings = np.random.default_rng(1), {}
    for row, column in np.ndindex(side, side):
        for other in ((row, (column + 1) % side), ((row + 1) % side, column)):
            couplings[(row, column), other] = float(rng.choice([-1, 1]))
    model: dimod.BinaryQuadraticModel = dimod.BinaryQuadraticModel.from_ising({}, couplings)
    return model


def drawn(run: LatticeReplicaRun | None) -> NDArray[np.uint32]:
    """Its states; a device that cannot run replicas side by side has nothing to be measured."""
    if run is None:
        raise SystemExit("the device does not run these replicas at once: choose another --side")
    return run.states


def main() -> None:
    """Print a row for each number of replicas."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--sweeps", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=9)
    asked = parser.parse_args()
    size = f"engines=lattice&rows={asked.side}&columns={asked.side}"
    with ExitStack() as stack:
        devices, clocks = [], []
        for threads in (1, 2):
            device = stack.enter_context(open_device(f"fast:?{size}&threads={threads}"))
            assert isinstance(device, FastDevice)
            compiled = compile_lattice(torus(asked.side), device.info.lattice, beta_max=2.0)
            device.load(compiled.program)
            engine = device._stream.lattice_engine()
            assert engine is not None  # the device has just loaded a lattice program
            clocks.append(Clocked(threads))
            object.__setattr__(engine.host, "workers", clocks[-1])
            devices.append(device)
        print("replicas   ns/flip   shared   least    most")
        for count in REPLICAS:
            betas = np.array(compiled.betas(np.linspace(0.2, 2.0, count)), dtype=np.int64)
            chains = np.arange(count)
            states = drawn(devices[0].run_lattice_replicas(1, chains, betas, None, 2))
            spent: list[list[float]] = [[], []]
            for pair in range(asked.pairs):
                found = {}
                for which in (0, 1) if pair % 2 == 0 else (1, 0):
                    begun = time.thread_time()
                    run = devices[which].run_lattice_replicas(
                        1, chains, betas, states, asked.sweeps
                    )
                    spent[which].append(clocks[which].longest(time.thread_time() - begun))
                    found[which] = drawn(run)
                assert (found[0] == found[1]).all()
            ratios = [one / two for one, two in zip(*spent, strict=True)]
            cost = median(spent[0]) * 1e9 / (count * asked.side**2 * asked.sweeps)
            shared = f"{median(ratios):8.2f} {min(ratios):8.2f} {max(ratios):7.2f}"
            print(f"{count:8d} {cost:9.2f} {shared}")
        for clock in clocks:
            clock.close()


if __name__ == "__main__":
    main()

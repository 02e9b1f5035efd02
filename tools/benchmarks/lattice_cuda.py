"""Flips a nanosecond of the lattice engine on a GPU, with golden's bits: `fast:?target=cuda`.

    python tools/benchmarks/lattice_cuda.py [--side 64] [--seconds 1] [--times 5] [--out FOLDER]

For each kind of program: random draws, best states included, are compared with golden's bit for
bit; then sweeps of many chains are timed, launches included, from one synchronisation to the next:
medians of so many times. "The run" is one whole run of the device with as many sweeps, and with
seeding, start, energies, packets and their reading. A flip is one decision of one spin. What was
never drawn before is compiled first, which is no part of the time.
"""

import argparse
import sys
import time
from array import array
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from gibbsite.bench.figures import NIGHTLY, write_figures
from gibbsite.devices import open as open_device
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_sim.cosim.lattice_programs import random_program, random_request
from gibbsite_sim.fast.device import FastDevice


class Kind(NamedTuple):
    """A kind of program, and how many chains of it keep a GPU busy."""

    name: str
    neighbours: int
    style: str
    biased: bool
    clamped: float
    chains: int


KINDS = (
    Kind("+-J, 4 neighbours", 4, "one strength", False, 0.0, 1 << 19),
    Kind("+-J with clamps", 4, "one strength", False, 0.05, 1 << 19),
    Kind("missing bonds", 4, "open", False, 0.0, 1 << 19),
    Kind("5 bits and biases", 4, "any", True, 0.0, 1 << 19),
    Kind("one strength, 8 neighbours", 8, "one strength", False, 0.0, 1 << 19),
    Kind("5 bits, 8 neighbours", 8, "any", True, 0.0, 1 << 15),
)
BETA = 6000
"""A code at which couplings of random strengths neither freeze nor are forgotten."""


def same(kind: Kind, rows: int, columns: int, chains: int) -> bool:
    """Whether random draws of the GPU are golden's, to the bit."""
    build = f"engines=lattice&rows={rows}&columns={columns}&neighbours={kind.neighbours}&banks=2"
    rng = np.random.default_rng(rows + columns)
    found = []
    with open_device(f"golden:?{build}") as golden:
        program = random_program(
            golden.info.lattice,
            columns,
            rng,
            style=kind.style,
            biased=kind.biased,
            clamped=kind.clamped,
        )
        request = replace(
            random_request(golden.info.lattice, columns, rng),
            betas=array("I", [2000, 20000, 70000]),
            chains=chains,
            draws=2,
            samples=True,
            best=True,
        )
        golden.load(program)
        found.append(golden.run(request))
    with open_device(f"fast:?{build}&target=cuda") as device:
        device.load(program)
        found.append(device.run(request))
    return bool(found[0] == found[1])


def measure(kind: Kind, side: int, chains: int, seconds: float, times: int) -> dict[str, Any]:
    """Flips a nanosecond of sweeps alone and of whole runs."""
    build = f"engines=lattice&rows={side}&columns={side}&neighbours={kind.neighbours}"
    with open_device(f"fast:?{build}&target=cuda") as device:
        assert isinstance(device, FastDevice)
        p = device.info.lattice
        rng = np.random.default_rng(1)
        device.load(
            random_program(p, side, rng, style=kind.style, biased=kind.biased, clamped=kind.clamped)
        )
        engine = device._stream.lattice_engine()
        assert engine is not None  # the device has just loaded a lattice program
        block = engine.chains(1, np.arange(chains))
        table = engine.table(BETA)
        block.start(None)
        block.sweep(2, table)  # compiles
        begun = time.perf_counter()
        block.sweep(10, table)
        sweeps = max(10, int(10 * seconds / (time.perf_counter() - begun)))
        spent = []
        for _ in range(times):
            begun = time.perf_counter()
            block.sweep(sweeps, table)
            spent.append(time.perf_counter() - begun)
        flips = side * side * chains * sweeps
        del block
        request = LatticeRequest(
            array("I", [BETA]), chains=chains, sweeps_per_step=sweeps, samples=False
        )
        run = whole(device, request)
    return {
        "kind": kind.name,
        "side": side,
        "chains": chains,
        "sweeps": sweeps,
        "flips_per_ns": flips / median(spent) / 1e9,
        "flips_per_ns_least": flips / max(spent) / 1e9,
        "flips_per_ns_most": flips / min(spent) / 1e9,
        "run_seconds": run,
        "run_flips_per_ns": flips / run / 1e9,
    }


def whole(device: Device, request: LatticeRequest) -> float:
    """Seconds of a run."""
    begun = time.perf_counter()
    device.run(request)
    return time.perf_counter() - begun


def main() -> None:
    """Compare, time, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--chains", type=int, help="instead of as many as each kind wants")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one timing")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--out", type=Path, default=NIGHTLY, help="folder of the figures")
    parser.add_argument("--commit", help="where no checkout can be asked")
    asked = parser.parse_args()
    report: dict[str, Any] = {"suite": "lattice-cuda", "gpu": str(cuda.get_current_device().name)}
    report |= {"numba_cuda": version("numba-cuda"), "compared": {}, "speed": []}
    if asked.commit:
        report["commit"] = asked.commit
    print(report["gpu"], "numba-cuda", report["numba_cuda"], flush=True)
    for kind in KINDS:
        sizes = ((4, 4, 4200), (10, 6, 70), (34, 24, 300), (64, 24, 40))
        report["compared"][kind.name] = all(same(kind, *size) for size in sizes)
        print(f"{kind.name}: {'golden' if report['compared'][kind.name] else 'NOT GOLDEN'}")
    print("program                   chains  flips/ns    least     most   run, s  of the run")
    for kind in KINDS:
        chains = asked.chains or kind.chains
        row = measure(kind, asked.side, chains, asked.seconds, asked.times)
        report["speed"].append(row)
        print(
            f"{kind.name:22s} {chains:9d} {row['flips_per_ns']:9.1f} "
            f"{row['flips_per_ns_least']:8.1f} {row['flips_per_ns_most']:8.1f} "
            f"{row['run_seconds']:8.2f} {row['run_flips_per_ns']:8.1f}",
            flush=True,
        )
    print(write_figures("lattice-cuda", report, asked.out))
    if not all(report["compared"].values()):
        sys.exit("the GPU's draws are not golden's")


if __name__ == "__main__":
    main()

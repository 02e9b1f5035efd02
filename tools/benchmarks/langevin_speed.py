"""Steps a second of the compiled Langevin engine beside the same Euler-Maruyama in NumPy float64.

    python tools/benchmarks/langevin_speed.py [--units 256] [--pairs 7] [--wells]

Both sample ``V = z.A z / 2 + b.z`` (with ``--wells`` also ``J4 z^4``) with dense A, as many
replicas, one thread each, in turns; a step of all replicas counts as that many steps. The peer
keeps its arrays, writes in place and draws with the fastest generator of NumPy; its drift is one
product, the step already in the matrix. Seeding and start belong to the engine's time, and so does
the device ``fast:`` around it; a run has at least 200 steps. The peer runs in a process of its own
without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, so that NumPy takes the kernel that fits the
machine; it is printed. Ratios by CPU time hold on a machine that others use too.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from array import array
from statistics import median
from typing import Any

import numpy as np

from gibbsite.driver import Driver
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import (
    LangevinConditions,
    LangevinProgram,
    LangevinRequest,
    ScheduleEntry,
    Shifts,
)

REPLICAS = (16, 32, 64, 256, 1024, 4096)
RATE, NOISE = (160_000, 14), (150_000, 20)
ONE = 1 << 16


def potential(units: int, wells: bool) -> dict[str, Any]:
    """Codes of J2, J4, J and b: couplings of 12 bits, forces near 1."""
    rng = np.random.default_rng(0)
    J = np.triu(np.clip(np.round(rng.normal(size=(units, units)) * 600), -2047, 2047), 1)
    b = rng.integers(-1 << 19, 1 << 19, units)
    return {"J": J + J.T, "b": b, "J2": 1 << 21, "J4": (1 << 19) * wells}


def peer(units: int, wells: bool) -> None:
    """Answer lines of ``[replicas, seconds]`` with what a step of one replica takes: ns, CPU ns."""
    codes = potential(units, wells)
    dt = RATE[0] / 2.0 ** (RATE[1] + 16)
    # the device's units: J2 / 2^15, J / 2^8, J4 / 2^16 and b / 2^14 in forces of 20 fraction bits
    A = codes["J"] / 2.0**8 * 2.0**14 / 2.0**20 + np.eye(units) * codes["J2"] / 2.0**15 * 2.0**-6
    b = codes["b"][:, None] / 2.0**20
    cubic = codes["J4"] / 2.0**16 / 2.0**6
    scale = NOISE[0] / 2.0 ** NOISE[1]
    drift, constant = -dt * A, -dt * b
    rng = np.random.default_rng(np.random.SFC64(1))
    for line in sys.stdin:
        replicas, seconds = json.loads(line)
        z = np.zeros((units, replicas))
        slope, noise = np.empty_like(z), np.empty_like(z)

        def step(z: Any = z, slope: Any = slope, noise: Any = noise) -> None:
            np.matmul(drift, z, out=slope)
            slope += constant
            if cubic:
                np.multiply(z, z, out=noise)
                noise *= z
                noise *= -dt * cubic
                slope += noise
            rng.standard_normal(out=noise)
            noise *= scale
            z += slope
            z += noise

        step()
        steps, begin, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            step()
            steps += 1
        each = 1e9 / (steps * replicas)
        wall, spent = time.perf_counter() - begin, time.process_time() - cpu
        print(json.dumps([wall * each, spent * each]), flush=True)


def program(units: int, wells: bool) -> LangevinProgram:
    codes = potential(units, wells)
    zeros = array("i", [0] * units)
    return LangevinProgram(
        quadratic=array("i", [codes["J2"]] * units),
        quartic=array("i", [codes["J4"]] * units),
        force=zeros,
        couplings=array("i", codes["J"].astype(int).ravel().tolist()),
        rows=array("i"),
        shifts=Shifts(quadratic=15, quartic=16, bias=14, coupling=8, force=15),
        conditions=LangevinConditions(array("i", codes["b"].tolist())),
    )


def fast(device: Any, replicas: int, seconds: float, guess: float) -> tuple[float, float]:
    """What a step of one replica takes: ns, CPU ns; in runs of about so many seconds."""
    steps = max(200, int(seconds * 1e9 / (guess * replicas)))
    entry = ScheduleEntry(steps, RATE, NOISE, (ONE,) * 6, measure=False)
    request = LangevinRequest([entry], seed=1, chains=replicas)
    begin, cpu = time.perf_counter(), time.process_time()
    device.run(request)
    each = 1e9 / (steps * replicas)
    return (time.perf_counter() - begin) * each, (time.process_time() - cpu) * each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--wells", action="store_true", help="quartic terms too")
    parser.add_argument("--peer", action="store_true", help="be the peer")
    arguments = parser.parse_args()
    if arguments.peer:
        peer(arguments.units, arguments.wells)
        return
    from gibbsite_sim.fast.stream import FastStream

    environment = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    other = subprocess.Popen(
        [sys.executable, *sys.argv, "--peer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    build = DeviceParameters(graph=None, langevin=LangevinParameters(units=arguments.units))
    stream = FastStream(build, threads=1)
    print(f"numpy {np.__version__}, kernel {kernel(environment)}, {arguments.units} units")
    with Driver(stream) as device:
        device.load(program(arguments.units, arguments.wells))
        begin = time.perf_counter()
        fast(device, 32, 0.001, 1000)
        print(f"first run, loaded or compiled: {time.perf_counter() - begin:.1f} s")
        guess = fast(device, 32, 0.2, 1000)[0]
        best = {"fast": float("inf"), "numpy": float("inf")}
        for replicas in REPLICAS:
            found = []
            for _ in range(arguments.pairs):
                ours = fast(device, replicas, arguments.seconds, guess)
                assert other.stdin is not None
                assert other.stdout is not None
                print(json.dumps([replicas, arguments.seconds]), file=other.stdin, flush=True)
                found.append((ours, json.loads(other.stdout.readline())))
            report(replicas, found, best)
        ratio = best["numpy"] / best["fast"]
        print(f"each at its best number of replicas (medians, CPU time): ratio {ratio:.2f}")
    assert other.stdin is not None
    other.stdin.close()
    other.wait()


def report(replicas: int, found: list[Any], best: dict[str, float]) -> None:
    """Medians and the spread of the ratios, by the clock and by CPU time."""
    text = f"{replicas:5d} replicas"
    for name, at in (("clock", 0), ("CPU", 1)):
        ours, theirs = (median(pair[side][at] for pair in found) for side in (0, 1))
        ratios = sorted(pair[1][at] / pair[0][at] for pair in found)
        text += f"   {name}: fast {ours:.0f} ns, numpy {theirs:.0f} ns a step, "
        text += f"ratio {median(ratios):.2f} ({ratios[0]:.2f} .. {ratios[-1]:.2f})"
    best["fast"], best["numpy"] = min(best["fast"], ours), min(best["numpy"], theirs)
    print(text, flush=True)


def kernel(environment: dict[str, str]) -> str:
    """The OpenBLAS kernel that the peer's NumPy takes, where threadpoolctl can tell."""
    code = "import numpy, threadpoolctl as t; print(t.threadpool_info()[0]['architecture'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()

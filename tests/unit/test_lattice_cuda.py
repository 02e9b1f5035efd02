"""The lattice on a GPU: its kernels, run by numba's simulator where there is no GPU.

numba decides when it is imported whether to simulate, so each case is a process of its own.
"""

import os
import subprocess
import sys

import pytest

from gibbsite.devices import open as open_device
from gibbsite_hw.spec.errors import ToolMissing

SAME = """
import numpy as np
from gibbsite.devices import open as open_device
from gibbsite_sim.cosim.lattice_programs import random_program, random_request

for neighbours, rows, columns, style, biased in {cases}:
    build = f"engines=lattice&rows={{rows}}&columns=24&neighbours={{neighbours}}&banks=2"
    rng = np.random.default_rng(neighbours + rows)
    results = []
    with open_device(f"golden:?{{build}}") as golden:
        p = golden.info.lattice
        program = random_program(p, columns, rng, style=style, biased=biased, clamped=0.05)
        request = random_request(p, columns, rng, chains={chains})
        golden.load(program)
        wanted = golden.run(request)
    with open_device(f"fast:?{{build}}&target=cuda") as device:
        device.load(program)
        found = device.run(request)
    assert found.energies == wanted.energies, (neighbours, style)
    assert found.states == wanted.states and found.best_states == wanted.best_states
    assert found.counters == wanted.counters
print("same")
"""

CASES = [
    (4, 4, 4, "one strength", False),  # sliced: pairs
    (4, 10, 4, "any", True),  # sliced: cases
    (4, 6, 6, "open", False),  # sliced: counts
    (8, 12, 10, "any", True),  # one chain a thread
]


def run(code: str, simulate: bool) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    environment.pop("NUMBA_ENABLE_CUDASIM", None)
    if simulate:
        environment["NUMBA_ENABLE_CUDASIM"] = "1"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=300,
    )


def test_the_kernels_give_goldens_bits() -> None:
    done = run(SAME.format(cases=CASES, chains=5), simulate=True)
    assert done.stdout == "same\n", done.stderr


def test_a_planted_fault_is_seen() -> None:
    fault = """
from gibbsite_sim.fast import lattice_cuda
whole = lattice_cuda._planes
lattice_cuda._planes = lambda words, width: whole(words ^ words.dtype.type(1 << 63), width)
"""
    done = run(fault + SAME.format(cases=CASES[:1], chains=5), simulate=True)
    assert "AssertionError" in done.stderr


def test_without_a_gpu_it_says_so() -> None:
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ToolMissing, match="wants a CUDA GPU and none is present"):
        open_device("fast:?engines=lattice&target=cuda")


@pytest.mark.nightly
def test_a_gpu_gives_goldens_bits_and_its_speed() -> None:
    from numba import cuda

    if not cuda.is_available():
        pytest.skip("no CUDA GPU is present here")
    done = run(SAME.format(cases=[*CASES, (4, 64, 24, "one strength", False)], chains=300), False)
    assert done.stdout == "same\n", done.stderr

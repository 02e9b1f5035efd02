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

REPLICAS = """
import numpy as np
from gibbsite.devices import open as open_device
from gibbsite.replicas import run_replicas
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_sim.cosim.lattice_programs import random_program, random_state
from gibbsite_sim.fast.lattice_cuda_replicas import WideCuda

sizes, calls = [], WideCuda.sweep_each
WideCuda.sweep_each = lambda self, *words: (sizes.append(self._count), calls(self, *words))[1]
rng = np.random.default_rng(3)
build = "engines=lattice&rows=4&columns=24&banks=2"
chains = np.array([3, 900, 4, (1 << 32) - 1, 5], dtype=np.uint32)
betas = np.array([1 << 16, 1 << 19, 1 << 16, 5, 1 << 18], dtype=np.uint32)
with open_device(f"golden:?{build}") as golden, open_device(f"fast:?{build}&target=cuda") as device:
    p = golden.info.lattice
    program = random_program(p, 4, rng, style="any", biased=True, clamped=0.05)
    given = np.array([random_state(p, 4, rng) for _ in chains], dtype=np.uint32)
    for one in (golden, device):
        one.load(program)
    for states in (given, None):
        asked = (7, chains, betas, states, 3, LatticeRequest)
        wanted, found = run_replicas(golden, *asked), run_replicas(device, *asked)
        assert (found.states == wanted.states).all(), "states"
        assert (found.energies == wanted.energies).all(), "energies"
assert sizes == [5, 5], f"not on the GPU, all at once: {sizes}"
print("same")
"""

CASES = [
    (4, 4, 4, "one strength", False),  # one strength
    (4, 6, 6, "open", False),  # the same, of 0 to 4 neighbours
    (4, 4, 4, "zero", False),  # the same, of none
    (4, 10, 4, "any", True),  # sliced: cases
    (8, 8, 8, "open", False),  # sliced: cases and counts
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


def test_replicas_run_on_the_gpu_and_give_goldens_bits() -> None:
    done = run(REPLICAS, simulate=True)
    assert done.stdout == "same\n", done.stderr


def test_a_planted_fault_is_seen() -> None:
    fault = """
from gibbsite_sim.fast import lattice_cuda
whole = lattice_cuda.seed_streams
def other(seed, engine, numbers, words):
    whole(seed, engine, numbers, words)
    words[:, 1] ^= words.dtype.type(1 << 31)
lattice_cuda.seed_streams = other
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
def test_a_gpu_gives_goldens_bits() -> None:
    from numba import cuda

    if not cuda.is_available():
        pytest.skip("no CUDA GPU is present here")
    larger = [
        (4, 64, 24, "one strength", False),
        (4, 66, 24, "any", True),
        (12, 36, 24, "open", False),
    ]
    for code in (SAME.format(cases=[*CASES, *larger], chains=300), REPLICAS):
        done = run(code, simulate=False)
        assert done.stdout == "same\n", done.stderr

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
from array import array
from dataclasses import replace

import numpy as np
from gibbsite.devices import open as open_device
from gibbsite_sim.cosim.lattice_programs import random_program, random_request
from gibbsite_sim.fast import lattice_cuda

ways = []
class Sliced(lattice_cuda.SlicedCuda):
    def __init__(self, sites, program, words):
        super().__init__(sites, program, words)
        ways.append("sliced" if program.strength is None else "one strength")
class Wide(lattice_cuda.WideCuda):
    def __init__(self, *given):
        super().__init__(*given)
        ways.append("wide")
lattice_cuda.SlicedCuda, lattice_cuda.WideCuda = Sliced, Wide
{more}

for way, neighbours, rows, columns, style, biased, chains in {cases}:
    build = f"engines=lattice&rows={{rows}}&columns=24&neighbours={{neighbours}}&banks=2"
    rng = np.random.default_rng(neighbours + rows)
    with open_device(f"golden:?{{build}}") as golden:
        p = golden.info.lattice
        program = random_program(p, columns, rng, style=style, biased=biased, clamped=0.05)
        betas = array("I", [2000, 20000, 70000])
        request = replace(random_request(p, columns, rng), chains=chains, betas=betas, thin=1)
        if chains < 1000:
            request = replace(request, draws=2, samples=True, best=True)
        else:  # too many to be simulated in a test, but for their energies
            request = replace(request, sweeps_per_step=1, draws=1, samples=False, best=False)
        golden.load(program)
        wanted = golden.run(request)
    with open_device(f"fast:?{{build}}&target=cuda") as device:
        device.load(program)
        assert device.run(request) == wanted, (neighbours, style)
    blocks = -(-chains // lattice_cuda.CudaLatticeEngine.most_chains)
    assert ways == blocks * [way], (ways, way)
    ways.clear()
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
    ("one strength", 4, 4, 4, "one strength", False, 5),
    ("one strength", 4, 6, 6, "open", False, 5),  # of 0 to 4 neighbours
    ("one strength", 4, 4, 4, "zero", False, 5),
    ("sliced", 4, 10, 4, "any", True, 5),  # cases
    ("sliced", 12, 8, 8, "open", False, 3),  # cases, and neighbours that are counted
    ("wide", 8, 12, 10, "any", True, 5),
    # several blocks of threads, and words that lie in several blocks of streams
    ("one strength", 4, 2, 2, "one strength", False, 1100),
    ("sliced", 4, 2, 4, "any", True, 1100),
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
    done = run(SAME.format(cases=CASES, more=""), simulate=True)
    assert done.stdout == "same\n", done.stderr


def test_replicas_run_on_the_gpu_and_give_goldens_bits() -> None:
    done = run(REPLICAS, simulate=True)
    assert done.stdout == "same\n", done.stderr


FAULTS = {
    "seed": """
from gibbsite_sim.fast import lattice_cuda
whole = lattice_cuda.seed_streams
def other(seed, engine, numbers, words):
    whole(seed, engine, numbers, words)
    words[:, 1] ^= words.dtype.type(1 << 31)
lattice_cuda.seed_streams = other
""",
    "thresholds of one strength": """
from gibbsite_sim.fast import lattice_cuda_chains
whole = lattice_cuda_chains._bits
lattice_cuda_chains._bits = lambda threshold: whole(threshold ^ 1 << 14)
""",
    "cases": """
from gibbsite_sim.fast import lattice_cuda_sites
whole = lattice_cuda_sites.fields_of_cases
def other(weight, bias):
    fields, signs = whole(weight, bias)
    return fields, signs ^ 1
lattice_cuda_sites.fields_of_cases = other
""",
    "sweeps": """
from gibbsite_sim.fast import lattice_cuda_replicas
lattice_cuda_replicas.WideCuda.sweep = lambda self, sweeps, table: None
""",
    "best": """
from gibbsite_sim.fast import lattice_cuda_chains
lattice_cuda_chains.CudaBest.compare = lambda self: None
""",
}


@pytest.mark.parametrize(
    ("fault", "case"),
    [("seed", 0), ("thresholds of one strength", 0), ("cases", 3), ("sweeps", 5), ("best", 3)],
)
def test_a_planted_fault_is_seen(fault: str, case: int) -> None:
    done = run(FAULTS[fault] + SAME.format(cases=CASES[case : case + 1], more=""), simulate=True)
    assert "AssertionError: (" in done.stderr, done.stderr


FEW = """
from gibbsite_sim.fast import lattice_cuda_chains, lattice_cuda_sliced
lattice_cuda_chains.TEAM = 16
lattice_cuda.CudaLatticeEngine.most_chains = 600
"""


def test_blocks_of_chains_and_threads_without_a_word() -> None:
    case = ("sliced", 4, 2, 2, "any", True, 1200)
    done = run(SAME.format(cases=[case], more=FEW), simulate=True)
    assert done.stdout == "same\n", done.stderr


REFUSALS = {
    "memory": """
from gibbsite_sim.fast import lattice_cuda_chains
lattice_cuda_chains.cuda.device_array = refuse
""",
    "all": """
from numba import cuda
cuda.current_context = refuse
""",
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_gpu_that_refuses_is_told(what: str) -> None:
    refusing = """
from numba.cuda.cudadrv.driver import CudaAPIError
def refuse(*shape, **kind):
    raise CudaAPIError(2, "out of memory")
"""
    code = SAME.format(cases=CASES[:1], more=refusing + REFUSALS[what])
    done = run(code, simulate=True)
    assert "DeviceError: the GPU refused the run" in done.stderr, done.stderr
    assert "leave target=cuda out" in done.stderr


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
        ("one strength", 4, 64, 24, "one strength", False, 300),
        ("one strength", 4, 66, 24, "open", False, 300),
        ("sliced", 4, 66, 24, "any", True, 300),
        ("sliced", 12, 36, 24, "open", False, 300),
        ("wide", 8, 34, 24, "any", True, 300),
        ("sliced", 4, 4, 4, "any", True, 4200),  # threads without a word
    ]
    for code in (SAME.format(cases=[*CASES, *larger], more=""), REPLICAS):
        done = run(code, simulate=False)
        assert done.stdout == "same\n", done.stderr

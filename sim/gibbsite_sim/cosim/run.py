"""Runs cocotb tests on a bench and believes only what its results file says."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cocotb_tools.runner import get_runner

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_sim.cosim.build import Bench

__all__ = [
    "CosimFailed",
    "Report",
    "cosimulate",
    "langevin_parameters_here",
    "lattice_parameters_here",
    "parameters_here",
]

PARAMETERS = "GIBBSITE_PARAMETERS"


class CosimFailed(DeviceError):
    """A co-simulation with a failed test, or without any."""


@dataclass(frozen=True, slots=True)
class Report:
    """What ran: names of the passed cocotb tests, and the folder with its log and coverage."""

    passed: tuple[str, ...]
    folder: Path

    @property
    def coverage(self) -> Path:
        """Verilator's coverage data of a bench that was built for it."""
        return self.folder / "coverage.dat"


def cosimulate(
    bench: Bench,
    modules: Path,
    module: str,
    folder: Path,
    *,
    seed: int = 1,
    tests: tuple[str, ...] = (),
    settings: Mapping[str, str] | None = None,
) -> Report:
    """Run the cocotb tests of ``module`` (a file in ``modules``) on a bench, in ``folder``.

    ``settings`` reach the tests as environment variables. Raises `CosimFailed` with the reason.
    """
    program = bench.build()
    folder.mkdir(parents=True, exist_ok=True)
    results, log = folder / "results.xml", folder / "cocotb.log"
    results.unlink(missing_ok=True)
    try:
        sys.path.insert(0, str(modules.resolve()))  # the runner hands sys.path on
        get_runner("verilator").test(
            test_module=module,
            hdl_toplevel=bench.block,
            hdl_toplevel_lang="verilog",
            build_dir=program.parent,
            test_dir=folder,
            results_xml=str(results),
            log_file=log,
            seed=seed,
            testcase=list(tests) or None,
            extra_env={
                PARAMETERS: json.dumps(asdict(bench.parameters)),
                "PYTHONWARNINGS": "default",
                **(settings or {}),
            },
            plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed}"],
        )
    except (subprocess.CalledProcessError, SystemExit, RuntimeError) as error:
        if results.is_file():
            _passed(bench, module, results, log)  # names the test that failed
        raise CosimFailed(
            f"the co-simulation of {bench.block} ended early ({error}), see {log}: {_ending(log)}"
        ) from error
    finally:
        sys.path.remove(str(modules.resolve()))
    return Report(_passed(bench, module, results, log), folder)


def parameters_here() -> GraphParameters:
    """Inside a cocotb test: the parameters of its bench."""
    return GraphParameters(**json.loads(os.environ[PARAMETERS]))


def langevin_parameters_here() -> LangevinParameters:
    """The same on the bench of a block of the Langevin engine."""
    return LangevinParameters(**json.loads(os.environ[PARAMETERS]))


def lattice_parameters_here() -> LatticeParameters:
    """The same on the bench of a block of the lattice engine."""
    return LatticeParameters(**json.loads(os.environ[PARAMETERS]))


def _passed(bench: Bench, module: str, results: Path, log: Path) -> tuple[str, ...]:
    if not results.is_file():
        raise CosimFailed(
            f"the co-simulation of {bench.block} wrote no results, see {log}: {_ending(log)}"
        )
    passed, failed = [], []
    for case in ET.parse(results).getroot().iter("testcase"):
        name = case.get("name", "")
        problems = [*case.findall("failure"), *case.findall("error")]
        if problems:
            said = problems[0]
            text = said.get("error_msg") or said.get("message") or said.text or ""
            failed.append(f"{name}: {text.strip()}")
        elif case.find("skipped") is None:
            passed.append(name)
    if failed:
        raise CosimFailed(
            f"{bench.block} fails {len(failed)} of {len(failed) + len(passed)} tests of {module}, "
            f"see {log}: {'; '.join(failed)}"
        )
    if not passed:
        raise CosimFailed(f"no test of {module} ran on {bench.block}: look for its name in {log}")
    return tuple(passed)


def _ending(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else "no log"
    return " | ".join(text.strip().splitlines()[-8:])

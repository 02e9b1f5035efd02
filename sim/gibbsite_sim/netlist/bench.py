"""A bench in Verilog around cell models, compiled and run: what our models do, cell by cell.

Twin: `gibbsite_sim.netlist.library`, for whole netlists.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.netlist.verilog import CELLS
from gibbsite_sim.toolchain import find_toolchain

__all__ = ["models_of", "run_bench"]

_VERILATOR = (
    *("--binary", "--timing", "-Wno-lint", "-Wno-fatal", "--top", "bench"),
    *("-Mdir", "obj", "-O3", "--x-initial", "0", "--timescale-override", "1ns/1ns"),
    *("-MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG= OPT_FAST=-O1"),
    *("-CFLAGS", "-std=c++20 -fcoroutines"),
)


def models_of(family: str) -> list[Path]:
    """The files of our models of a family's cells."""
    return sorted((CELLS / family).glob("*.v"))


def run_bench(folder: Path, bench: str, models: Sequence[Path]) -> list[str]:
    """What the module ``bench`` prints, a line each; built in ``folder``.

    Raises:
        DeviceError: it does not compile, or a model ended the simulation.
    """
    tools = find_toolchain()
    (folder / "bench.v").write_text(bench, encoding="utf-8")
    build = [str(tools.verilator), *_VERILATOR, "bench.v", *map(str, models)]
    _call(build, folder, VERILATOR_ROOT=str(tools.verilator_root))
    lines = _call([str(folder / "obj" / "Vbench")], folder).splitlines()
    return [line for line in lines if not line.startswith("- ")]


def _call(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeviceError(
            f"the bench of cells ended with status {done.returncode}, see what was said: "
            f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout

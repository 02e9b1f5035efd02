"""Makes virtual environments from the committed lock files, each exactly once.

An environment lies in `.nox/<name>-<key>`, where the key is the hash of everything that decides its
contents: the lock file, the interpreter and this checkout's place. A finished environment carries a
stamp, so finding one ready costs a few file reads. An unfinished one (interrupted, disk full) is
removed and made again; a file lock, which the kernel drops with its process, makes a second caller
wait for the first. Standard library only: the bootstrap runs it before anything is installed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["ROOT", "EnvironmentFailed", "executables", "prepare"]

ROOT = Path(__file__).resolve().parent.parent
STAMP = "gibbsite-ready"


class EnvironmentFailed(RuntimeError):
    """An environment could not be made; the sentence says which step failed."""


def prepare(name: str, *, checkout: bool, root: Path = ROOT) -> Path:
    """Return the folder of the environment locked in `locks/<name>.txt`, made if need be.

    With `checkout`, the project itself is installed on top, editable, so that sources are always
    current; only a changed `pyproject.toml` (entry points, paths) installs it again.

    Raises:
        EnvironmentFailed: pip or venv failed; what they said stands on stderr.
    """
    lock = root / "locks" / f"{name}.txt"
    home = root / ".nox" / f"{name}-{_key(lock, root)}"
    project = _digest((root / "pyproject.toml").read_bytes()) if checkout else "none"
    stamp = home / STAMP
    if _reads(stamp) == project:
        return home
    home.parent.mkdir(exist_ok=True)
    with _held(home.with_name(home.name + ".lock")):
        made = _reads(stamp)
        if made is None:
            shutil.rmtree(home, ignore_errors=True)
            _say(f"making the environment `{name}` from {lock.relative_to(root)} (once)")
            _run([sys.executable, "-m", "venv", str(home)], f"venv for `{name}`")
            _pip(home, "install", "--require-hashes", "--requirement", str(lock))
        if made != project:
            stamp.unlink(missing_ok=True)
            if checkout:
                _pip(home, "install", "--no-deps", "--no-build-isolation", "--editable", str(root))
            fresh = stamp.with_suffix(".new")
            fresh.write_text(project, encoding="utf-8")
            fresh.replace(stamp)
    return home


def executables(home: Path) -> Path:
    """Return the folder that holds the programs of the environment in `home`."""
    return home / "bin"


def _key(lock: Path, root: Path) -> str:
    parts = (
        lock.read_bytes(),
        sys.version.encode(),
        os.fsencode(sys.base_prefix),
        os.fsencode(root),
    )
    return _digest(b"\0".join(parts))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _reads(stamp: Path) -> str | None:
    try:
        return stamp.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


@contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("w", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting: another process makes {path.stem}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _pip(home: Path, *arguments: str) -> None:
    python = str(executables(home) / "python")
    options = ["-qq", "--no-compile", "--disable-pip-version-check", "--no-input"]
    _run([python, "-m", "pip", arguments[0], *options, *arguments[1:]], f"pip in {home.name}")


def _run(command: list[str], what: str) -> None:
    # pip's own lines go to stderr: stdout belongs to the session that asked for the environment
    done = subprocess.run(command, stdout=sys.stderr, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise EnvironmentFailed(
            f"{what} ended with exit code {done.returncode}; its message is above."
        )


def _say(line: str) -> None:
    print(f"gibbsite: {line}", file=sys.stderr, flush=True)

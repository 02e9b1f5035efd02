"""The files that a command reads and writes: requests read, results checked for room and written.

What cannot be written is refused before the work whose result it would hold.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gibbsite_hw.spec.errors import GibbsiteError

if TYPE_CHECKING:
    from gibbsite.problem import Problem

__all__ = [
    "InputError",
    "OutputError",
    "asked_of",
    "close_stdout",
    "refuse_undrawable",
    "refuse_unwritable",
    "written",
]


class InputError(GibbsiteError, ValueError):
    """An argument of the command that cannot be used; found before any work is done."""


class OutputError(GibbsiteError):
    """Results that could not be written to stdout."""


def asked_of(request: str) -> Problem | str:
    """Read a request: stdin for `-`, a document for a name that ends in `.json`, else the text."""
    from gibbsite.problem import parse_problem

    if request == "-":
        request = _decoded(sys.stdin.buffer.read(), "stdin")
    elif request.lower().endswith(".json") and "\n" not in request:
        path = Path(request)
        try:
            return parse_problem(_decoded(path.read_bytes(), str(path)))
        except OSError as error:
            raise InputError(
                f"the problem document {path} cannot be read: {error.strerror}; check its name"
            ) from None
    elif _names_a_file(request):
        raise InputError(
            f"{request} names a file, and only problem documents (.json) are read by name; for a "
            f"text write `gibbsite solve - < {request}`"
        )
    try:
        request.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(
            f"the request is not UTF-8 text (character {error.start}); write it in a UTF-8 locale"
        ) from None
    return parse_problem(request) if request.lstrip().startswith("{") else request


def _names_a_file(request: str) -> bool:
    """Whether a request is the name of a file, and no sentence."""
    try:
        return len(request.split()) == 1 and Path(request).is_file()
    except (OSError, ValueError):  # too long for a name, or a NUL
        return False


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 text (byte {error.start}); convert it and try again"
        ) from None


def refuse_undrawable(path: Path | None) -> None:
    """Refuse a picture whose ending names no format that can be drawn."""
    if path is None:
        return
    from gibbsite.plot import formats

    known = formats()
    if path.suffix.lower().removeprefix(".") not in known:
        raise InputError(
            f"--plot {path} ends in no picture format: choose one of {', '.join(sorted(known))}"
        )


def refuse_unwritable(option: str, path: Path | None) -> None:
    """Refuse an output file that could not be written, before the work whose result it holds."""
    if path is None:
        return
    existed = path.exists()
    try:
        # opened for appending: what is there stays until the new content is ready
        with path.open("ab"):
            pass
    except OSError as error:
        raise InputError(
            f"{option} {path} cannot be written: {error.strerror}; choose another place"
        ) from None
    if not existed:
        path.unlink()


def written(write: Callable[[], None]) -> None:
    """Write to stdout, all of it, or say why it cannot be."""
    try:
        write()
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        raise OutputError(
            f"the answer cannot be written to stdout: {error.strerror}; make room or choose "
            "another place"
        ) from None


def close_stdout() -> None:
    """Let what is still buffered go nowhere, so that the interpreter's exit does not fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

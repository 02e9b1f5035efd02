"""The one way in which loops of the emulator are compiled, and kept from one process to the next.

numba is imported here alone, and this module only where `fast:` is opened.

Machine code lies in the user's cache folder (`gibbsite_sim.cache.cache_folder`), in a folder named
by the content of all sources of the emulator and by the versions of what compiled them: a change in
any of them, also in a loop that another one calls, starts afresh. numba writes files whole and
renames them, so processes may compile at the same time. A folder that cannot be written costs
nothing but the time to compile again.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from numba.core import config

from gibbsite_sim.cache import cache_folder

__all__ = ["code_folder", "compiled"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as machine code: no interpreter lock, no bound checks, kept in the cache.

    It is compiled when it is first called with arguments of these types.
    """
    folder = code_folder()
    with _numba_cache(folder):
        made: Callable[_P, _R] = numba.njit(
            nogil=True, boundscheck=False, error_model="numpy", cache=folder is not None
        )(function)
    return made


@cache
def code_folder() -> Path | None:
    """Where machine code of these sources is kept; None where nothing can be written."""
    digest = sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    versions = (sys.version, numba.__version__, version("llvmlite"), np.__version__)
    digest.update(repr(versions).encode())
    folder = cache_folder() / "fast" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def _numba_cache(folder: Path | None) -> Iterator[None]:
    """Let numba, which asks when a function is declared, find this folder and no other."""
    settings = vars(config)  # which numba fills from the environment, and we for a moment
    before = settings["CACHE_DIR"]
    settings["CACHE_DIR"] = "" if folder is None else str(folder)
    try:
        yield
    finally:
        settings["CACHE_DIR"] = before


def compiled_bare(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The same without counting references to arrays: for functions that make no array.

    Where a call works on a few vectors through many slices, counting takes most of the time.
    """
    made: Callable[_P, _R] = numba.njit(
        nogil=True, boundscheck=False, error_model="numpy", cache=True, _nrt=False
    )(function)
    return made

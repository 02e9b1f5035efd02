"""The one way in which loops of the emulator are compiled, and kept from one process to the next.

numba is imported here alone, and this module only when `fast:` first draws.

Machine code lies in the user's cache folder (`gibbsite_sim.cache.cache_folder`), in a folder named
by the content of a loop's source and all sources of the emulator that it imports, and by the
versions of what compiled them: a change, also in a loop that another one calls, starts afresh.
numba writes files whole and renames them, so processes may compile at the same time. A folder that
cannot be written costs nothing but the time to compile again.
"""

import ast
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numba
import numpy as np
from numba.core import config, types
from numba.core.compiler import Compiler
from numba.extending import intrinsic

from gibbsite_sim.cache import cache_folder

__all__ = ["bare", "code_folder", "compiled", "disjoint", "inlined", "inner", "leading_zeros"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Disjoint(Compiler):
    """numba's compiler, told that arrays that are given do not overlap."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.flags.noalias = True


class _Bare(_Disjoint):
    """The same, and references to arrays are not counted."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.flags.nrt = False


class _Inner(_Bare):
    """The same, without the entries through which Python would call."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.state.flags.no_cpython_wrapper = True
        self.state.flags.no_cfunc_wrapper = True


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function as machine code: no interpreter lock, no bound checks, kept in the cache.

    It is compiled when it is first called with arguments of these types.
    """
    return _made(function, Compiler)


def disjoint(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `compiled`, for a loop whose arrays never overlap, so that it becomes vector code.

    Without that promise a loop that reads one array at places that another one names stays scalar.
    The loop's length must be an array's, not a constant: a short constant loop is written out
    before vectors are looked for.
    """
    return _made(function, _Disjoint)


def bare(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `disjoint`, for what makes no array itself: references to arrays are not counted.

    Where a call works on a few vectors through many slices, counting takes most of the time.
    """
    return _made(function, _Bare)


def inner(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `bare`, for what only compiled code calls; it compiles faster, and with its callers."""
    made: Callable[_P, _R] = numba.njit(
        nogil=True, boundscheck=False, error_model="numpy", pipeline_class=_Inner
    )(function)
    return made


def inlined(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """As `inner`, and written out wherever it is called: its vectors stay in registers."""
    made: Callable[_P, _R] = numba.njit(
        nogil=True,
        boundscheck=False,
        error_model="numpy",
        forceinline=True,
        pipeline_class=_Inner,
    )(function)
    return made


def _leading_zeros(_typing: Any, _number: Any) -> Any:
    """Leading zeros of a ``uint32``; 32 for 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctlz(arguments[0], numba.core.cgutils.false_bit)

    return types.uint32(types.uint32), generate


_zeros: Any = intrinsic(_leading_zeros)  # to a checker it is what its caller sees, below
leading_zeros: Callable[[np.uint32], np.uint32] = _zeros
"""Leading zeros of a ``uint32`` in compiled code; 32 for 0."""


def _made(function: Callable[_P, _R], compiler: type[Compiler]) -> Callable[_P, _R]:
    folder = code_folder(Path(function.__code__.co_filename))
    with _numba_cache(folder):
        made: Callable[_P, _R] = numba.njit(
            nogil=True,
            boundscheck=False,
            error_model="numpy",
            cache=folder is not None,
            pipeline_class=compiler,
        )(function)
    return made


@cache
def code_folder(module: Path) -> Path | None:
    """Where machine code of a source of ours is kept; None where nothing can be written."""
    digest = sha256()
    for source in sorted(_sources(module)):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    versions = (sys.version, numba.__version__, version("llvmlite"), np.__version__)
    digest.update(repr(versions).encode())
    folder = cache_folder() / "fast" / digest.hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _sources(module: Path) -> set[Path]:
    """The source and all sources of the emulator that it imports, itself or through others."""
    found: set[Path] = set()
    open_ends = [module]
    while open_ends:
        source = open_ends.pop()
        if source not in found and source.exists():
            found.add(source)
            for node in ast.walk(ast.parse(source.read_bytes())):
                if isinstance(node, ast.ImportFrom) and node.module:
                    whole = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
                    ours = {name.removeprefix(f"{__package__}.").split(".")[0] for name in whole}
                    open_ends += [source.with_name(f"{name}.py") for name in ours]
    return found


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

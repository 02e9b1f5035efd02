r"""Trained machines and interrupted trainings as files: versioned, checksummed, written atomically.

A trained file is JSON: ``format``, ``version``, ``metadata`` (command, seed, versions, plan,
figures), ``arrays`` (dtype, shape and little-endian base64) and ``sha256`` over the canonical JSON
of all the rest. A checkpoint is the same with ``format`` "gibbsite-training". Both are written to
``NAME.part`` beside it, synced and renamed: who is killed leaves the old file or the new one whole,
and a part that the next writing replaces. Two programs must not write one file at the same time.
"""

import base64
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import GibbsiteError, ProgramError

__all__ = ["CHECKPOINT", "TRAINED", "VERSION", "Stored", "load", "save"]

TRAINED = "gibbsite-generator"
CHECKPOINT = "gibbsite-training"
VERSION = 1
DTYPES = ("<f8", "<i8")


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What a file holds: JSON-like metadata and arrays of float64 or int64."""

    metadata: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def save(path: Path, kind: str, stored: Stored) -> None:
    """Write a file of a kind, `TRAINED` or `CHECKPOINT`, in one move.

    Raises: ProgramError for arrays that are not finite or of another type, and metadata that is no
    JSON; GibbsiteError where the file cannot be written, such as on a full disk.
    """
    body = {
        "format": kind,
        "version": VERSION,
        "metadata": dict(stored.metadata),
        "arrays": {name: _packed(name, array) for name, array in stored.arrays.items()},
    }
    try:
        digest = {"sha256": _digest(body)}
        text = json.dumps(body | digest, indent=1, sort_keys=True, allow_nan=False)
    except (ValueError, TypeError, RecursionError) as error:
        raise ProgramError(
            f"metadata of {path} must be JSON with finite numbers and is not ({error}); store "
            f"numbers, strings, lists and mappings"
        ) from error
    beside = path.with_name(f"{path.name}.part")
    try:
        try:
            with beside.open("w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise GibbsiteError(
            f"{path} cannot be written ({reason}, {len(text) + 1} bytes); make room or name "
            f"another file"
        ) from error


def load(path: Path, kind: str) -> Stored:
    """Read a file of a kind.

    Raises: ProgramError for a file that is missing, truncated, damaged, of another kind or version.
    """
    again = "train it again with tools/train_digits.py"
    try:
        body = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=_finite, parse_float=_finite
        )
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ProgramError(f"{path} cannot be read ({reason}); {again}") from error
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{path} is no whole JSON file, perhaps cut short; {again}") from error
    if not isinstance(body, dict) or body.get("format") != kind:
        found = body.get("format") if isinstance(body, dict) else type(body).__name__
        raise ProgramError(f"{path} must be of format {kind!r} and is {found!r}; give another file")
    if body.get("version") != VERSION:
        raise ProgramError(
            f"{path} has version {body.get('version')!r} and this program reads {VERSION}; {again}"
        )
    digest = body.pop("sha256", None)
    try:
        if digest != _digest(body):
            raise ProgramError(
                f"{path} is damaged: its content does not have its checksum; {again}"
            )
        arrays = {name: _unpacked(path, name, value) for name, value in body["arrays"].items()}
        return Stored(dict(body["metadata"]), arrays)
    except ProgramError:
        raise
    # a checksum keeps chance out, not a program that writes other content under a right one
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ProgramError(
            f"{path} is damaged: its content is no metadata and arrays ({type(error).__name__}); "
            f"{again}"
        ) from error


def _finite(text: str) -> float:
    """A number of JSON; ValueError for NaN, Infinity and what overflows to it."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite")
    return value


def _sync_folder(folder: Path) -> None:
    """The new name must survive a loss of power as the content does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _packed(name: str, array: NDArray[Any]) -> dict[str, Any]:
    dtype = "<f8" if array.dtype.kind == "f" else "<i8"
    if array.dtype.kind not in "fi" or not np.isfinite(array).all():
        raise ProgramError(f"the array {name} to be stored must hold finite numbers only")
    data = base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode()
    return {"dtype": dtype, "shape": list(array.shape), "data": data}


def _unpacked(path: Path, name: str, value: Mapping[str, Any]) -> NDArray[Any]:
    if value.get("dtype") not in DTYPES:
        raise ProgramError(
            f"{path} has an array {name} of dtype {value.get('dtype')!r}; {DTYPES} are known"
        )
    flat = np.frombuffer(base64.b64decode(value["data"]), dtype=value["dtype"])
    return flat.reshape(value["shape"]).astype(value["dtype"][1:])

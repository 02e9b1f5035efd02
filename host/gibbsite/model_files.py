"""Reading models and draws from files that other programs write.

    model      .json   dimod's `BinaryQuadraticModel.to_serializable`
               .coo    dimod's coordinate text (`i j bias` a line), SPIN if its header says no other
               else    Max-Cut or a spin glass by edges, nodes from 1 or spins from 0
    draws      .json   dimod's `SampleSet.to_serializable`, with the vectors `chain` and `draw`
               .npz    `states[chain, draw, variable]`, `starts[chain, variable]` if known, and
                       `variables`, their labels as text

Without `variables` a .npz has them in the model's own order, which in a .json file of dimod's is
that of sorted labels. Spins are -1/+1 or 0/1 as the model's are.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dimod
import numpy as np
from dimod.serialization import coo
from numpy.typing import NDArray

from gibbsite.instances import read_ea3d, read_maxcut
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["Draws", "FileError", "read_draws", "read_model"]

SHOWN = 40
"""Letters of a wrong line that an error repeats."""

TRIPLET = re.compile(r"\s*\d+\s+\d+\s+[+-]?(\d+(\.\d+)?|\.\d+)\s*")
"""A line of coordinate text, as dimod reads it."""

Integers = NDArray[np.int64]


class FileError(GibbsiteError, ValueError):
    """A file that holds no model or no draws."""


@dataclass(frozen=True, slots=True)
class Draws:
    """``states[chain, draw, variable]`` in the order and values of the model, and the starts."""

    states: Integers
    starts: Integers | None = None


def read_model(path: Path) -> dimod.BinaryQuadraticModel:
    """The model in a file. Raises `FileError` or `InstanceError` with what is wanted."""
    suffix = path.suffix.lower()
    text = _text(path)
    try:
        if suffix == ".json":
            model = dimod.BinaryQuadraticModel.from_serializable(_json(path, text))
        elif suffix == ".coo":
            _refuse_unread(path, text)
            model = coo.loads(text, vartype=None if "vartype" in text[:200] else dimod.SPIN)
        else:
            # a graph whose nodes count from 1 has no node 0
            spins = any(line.split()[:1] == ["0"] for line in text.splitlines()[1:])
            model = (read_ea3d if spins else read_maxcut)(path).model
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, GibbsiteError):
            raise
        raise FileError(
            f"{path} holds no model of dimod ({type(error).__name__}: {error}): write it with "
            "to_serializable (.json) or dimod.serialization.coo (.coo)"
        ) from None
    if not len(model.variables):
        raise FileError(f"{path} holds a model without variables: give one with some")
    return model


def read_draws(path: Path, model: dimod.BinaryQuadraticModel) -> Draws:
    """The draws in a file, for this model. Raises `FileError` with what is wanted."""
    if path.suffix.lower() == ".npz":
        draws = _from_npz(path, model)
    else:
        draws = _from_sampleset(path, model)
    count = len(model.variables)
    shape = draws.states.shape
    if len(shape) == 3 and shape[2] == count and not draws.states.size:
        raise FileError(
            f"{path} holds no draw, {shape[0]} chains of {shape[1]}: give one chain and draw at "
            "least"
        )
    if len(shape) != 3 or shape[2] != count:
        raise FileError(
            f"{path} holds states of shape {shape} and the model has {count} variables: give "
            "chains x draws x variables"
        )
    if draws.starts is not None and draws.starts.shape != (shape[0], count):
        raise FileError(
            f"{path} holds starts of shape {draws.starts.shape} and {shape[0]} chains of {count} "
            "variables: give one state a chain"
        )
    values = {-1, 1} if model.vartype is dimod.SPIN else {0, 1}
    for what in (draws.states, draws.starts):
        other = set() if what is None else set(np.unique(what).tolist()) - values
        if other:
            raise FileError(
                f"{path} holds the value {min(other)} and the model's are {sorted(values)}: "
                "convert the states"
            )
    return draws


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}; check its name") from None


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise FileError(
            f"{path} is no text in UTF-8: give a model's or sample set's file"
        ) from None


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise FileError(
            f"{path} is no JSON ({error}): write it with to_serializable and json.dump"
        ) from None


def _refuse_unread(path: Path, text: str) -> None:
    """Raise `FileError` for a line that dimod would pass over: it may be a misspelt coupling."""
    for number, line in enumerate(text.splitlines(), start=1):
        comment = not line.strip() or line.lstrip().startswith("#")
        if not comment and TRIPLET.fullmatch(line) is None:
            raise FileError(
                f"{path} line {number} is {line[:SHOWN]!r}: write `i j bias`, two variables "
                "from 0 and a decimal number without exponent"
            )


def _from_npz(path: Path, model: dimod.BinaryQuadraticModel) -> Draws:
    try:
        # from memory: of a broken archive numpy would leave the file open
        with np.load(io.BytesIO(_bytes(path)), allow_pickle=False) as arrays:
            if "states" not in arrays:
                raise FileError(
                    f"{path} holds {', '.join(arrays) or 'nothing'} and no states: save the array "
                    "states[chain, draw, variable]"
                )
            starts, states = arrays.get("starts"), arrays["states"]
            labels = arrays.get("variables")
    except (OSError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        if isinstance(error, GibbsiteError):
            raise
        if "Object arrays" in str(error):
            raise FileError(
                f"{path} holds an array of Python objects, which is not read: save states and "
                "starts as whole numbers, variables as text"
            ) from None
        raise FileError(f"{path} is no .npz file ({error}): write it with numpy.savez") from None
    if labels is not None:
        place = {str(label): k for k, label in enumerate(np.atleast_1d(labels).tolist())}
        wanted = [str(variable) for variable in model.variables]
        strange = [label for label in place if label not in set(wanted)]
        if strange:
            raise FileError(
                f"{path} names the variable {strange[0]!r}, which is not in the model: name its "
                f"{len(wanted)} as it does, {wanted[0]!r} first"
            )
        if sorted(place) != sorted(wanted) or (len(place),) != states.shape[-1:]:
            raise FileError(
                f"{path} names {len(place)} variables for states of shape {states.shape} and the "
                f"model has {len(wanted)}: name each of them once, in order of the states"
            )
        order = [place[label] for label in wanted]
        states = states[..., order]
        starts = None if starts is None else starts[..., order]
    return Draws(_whole(path, states), None if starts is None else _whole(path, starts))


def _whole(path: Path, array: NDArray[np.generic]) -> Integers:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        wrong = array[~np.isfinite(array)].flat[0]
        raise FileError(
            f"{path} holds {wrong} and states are whole numbers: leave such draws out, or draw anew"
        )
    if array.dtype.kind not in "iub":
        raise FileError(f"{path} holds {array.dtype} and states are whole numbers: convert them")
    return array.astype(np.int64)


def _from_sampleset(path: Path, model: dimod.BinaryQuadraticModel) -> Draws:
    try:
        found = dimod.SampleSet.from_serializable(_json(path, _text(path)))
        missing = set(model.variables) ^ set(found.variables)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, GibbsiteError):
            raise
        raise FileError(
            f"{path} holds no sample set of dimod ({type(error).__name__}: {error}): write it with "
            "to_serializable"
        ) from None
    if missing:
        raise FileError(
            f"{path} and the model differ in the variable {next(iter(missing))!r}: give the model "
            "of these draws"
        )
    if not len(found):
        raise FileError(f"{path} holds a sample set without draws: give one draw at least")
    vectors = found.record.dtype.names or ()
    if "chain" not in vectors or "draw" not in vectors:
        raise FileError(
            f"{path} does not say which draw is of which chain: append the vectors chain and draw "
            "(dimod.append_data_vectors), or give a .npz file"
        )
    order = [found.variables.index(variable) for variable in model.variables]
    chain, draw = found.record.chain, found.record.draw
    numbers, counts = np.unique(chain, return_counts=True)
    rows = np.lexsort((draw, chain))
    length = int(counts.min())
    begins = np.cumsum(counts) - counts
    kept = rows[(begins[:, None] + np.arange(length)).reshape(-1)]
    states = found.change_vartype(model.vartype, inplace=False).record.sample[kept][:, order]
    return Draws(states.astype(np.int64).reshape(len(numbers), length, -1))

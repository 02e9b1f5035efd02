"""Arguments as numbers: what no arithmetic takes is refused in a sentence, not by numpy.

Every function names the argument in its refusal, with what was given and what to give instead.
"""

import math
import operator
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import SupportsIndex, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.errors import ProgramError

__all__ = [
    "amounts",
    "clamped",
    "count",
    "different_names",
    "filled",
    "flags",
    "instances",
    "name_pair",
    "name_pairs",
    "number",
    "numbers",
    "one_a_unit",
    "states",
    "symmetric",
]

Array = NDArray[np.float64]
T = TypeVar("T")


def numbers(name: str, value: ArrayLike) -> Array:
    """A float64 array of its own, of whatever shape; numbers need not be finite.

    Raises: ProgramError for rows of unequal length, text, complex numbers and other objects.
    """
    try:
        given = np.asarray(value)
        # objects: fractions and integers beyond 64 bits are numbers, text and None are not
        if given.dtype.kind not in "biuf" and not (
            given.dtype.kind == "O" and all(isinstance(entry, Real) for entry in given.flat)
        ):
            raise TypeError(f"entries are of type {given.dtype}")
        return np.array(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProgramError(
            f"{name} must be real numbers in rows of one length and is {_shown(value)} "
            f"({str(error).split('. ')[0]}); give a number, or a list or array of numbers"
        ) from None


def filled(name: str, value: ArrayLike, size: int) -> Array:
    """Numbers, a single one as so many; ProgramError as of `numbers`."""
    array = numbers(name, value)
    return np.full(size, float(array)) if array.ndim == 0 else array


def one_a_unit(name: str, value: ArrayLike, n: int) -> Array:
    """Numbers ``[n]``, a single one as so many.

    Raises: ProgramError for another shape, besides what `numbers` refuses.
    """
    array = filled(name, value, n)
    if array.shape != (n,):
        raise ProgramError(
            f"{name} must be one number a unit, n = {n} of them, and has shape {array.shape}; give "
            f"a list of {n} numbers or another n"
        )
    return array


def states(value: ArrayLike, size: int) -> Array:
    """States ``[..., size]``; a float64 array is passed on as it is, without a copy.

    Raises: ProgramError for another last dimension, besides what `numbers` refuses.
    """
    plain = isinstance(value, np.ndarray) and value.dtype == np.float64
    z = cast("Array", value) if plain else numbers("states", value)
    if z.ndim == 0 or z.shape[-1] != size:
        raise ProgramError(
            f"states must have {size} numbers, one a unit, in their last dimension and have shape "
            f"{z.shape}; give an array of shape (..., {size})"
        )
    return z


def flags(name: str, value: ArrayLike) -> NDArray[np.bool_]:
    """A bool array of its own, of whatever shape.

    Raises: ProgramError for anything but False, True, 0 and 1.
    """
    given = numbers(name, value)
    if ((given != 0) & (given != 1)).any():
        raise ProgramError(
            f"{name} must be False or True and is {_shown(value)}; give one of these"
        )
    return given.astype(bool)


def number(name: str, value: object, above: float = -math.inf, least: float = -math.inf) -> float:
    """One finite number, above a bound or at least one.

    Raises: ProgramError for other numbers, bools, text and arrays.
    """
    try:
        found = float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        found = math.inf
    if isinstance(value, bool) or not (math.isfinite(found) and found > above and found >= least):
        bound = f" and above {above:g}" if above > -math.inf else ""
        bound += f" and at least {least:g}" if least > -math.inf else ""
        raise ProgramError(
            f"{name} must be finite{bound} and is {_shown(value)}; give such a number"
        )
    return found


def count(name: str, value: object, least: int = 1, most: int | None = None) -> int:
    """A whole number, numpy's included, from ``least`` to ``most``.

    Raises: ProgramError for others and for anything else, bools and 2.0 included.
    """
    whole = _index(value)
    if whole is None or whole < least or (most is not None and whole > most):
        bound = f"at least {least}" if most is None else f"{least} to {most}"
        raise ProgramError(
            f"{name} must be a whole number, {bound}, and is {_shown(value)}; give such a number"
        )
    return whole


def clamped(clamps: object, size: int | None = None) -> dict[int, float]:
    """Clamps as unit -> value, in the order given; of any unit where ``size`` is None.

    Raises: ProgramError for what is no mapping, units that do not exist and values that are not
    finite.
    """
    if clamps is None:
        return {}
    if not isinstance(clamps, Mapping):
        raise ProgramError(
            f"clamps must map units to values and are {_shown(clamps)}; give {{unit: value}}"
        )
    result: dict[int, float] = {}
    for unit, value in clamps.items():
        at = _index(unit)
        if at is None or at < 0 or (size is not None and at >= size):
            units = "0 and up" if size is None else f"0 to {size - 1}"
            raise ProgramError(f"a clamp names unit {unit!r}; units are {units}, clamp one of them")
        try:
            result[at] = number(f"unit {at}", value)
        except ProgramError:
            raise ProgramError(
                f"unit {at} is clamped at {_shown(value)}; give a finite value"
            ) from None
    return result


def symmetric(
    name: str, n: int, given: ArrayLike | Mapping[tuple[int, int], float] | None
) -> Array:
    """A matrix over n units; pairs (i, j) of a mapping stand on both sides of the diagonal.

    An array is taken as it is.

    Raises: ProgramError for keys that are no pair of two units, pairs given twice, in either order,
    and values that are not finite.
    """
    if given is not None and not isinstance(given, Mapping):
        return numbers(name, given)
    result, seen = np.zeros((n, n)), set[tuple[int, int]]()
    for pair, value in (given or {}).items():
        places = [_index(unit) for unit in pair] if isinstance(pair, tuple) else []
        if len(places) != 2 or not all(at is not None and 0 <= at < n for at in places):
            joined = " and ".join(map(repr, pair)) if isinstance(pair, tuple) else repr(pair)
            raise ProgramError(
                f"a coupling joins units {joined}; give pairs (i, j) of units 0 to {n - 1}"
            )
        i, j = (at for at in places if at is not None)
        if i == j:
            raise ProgramError(f"a coupling joins unit {i} to itself; give its square in J2[{i}]")
        if (j, i) in seen:
            raise ProgramError(
                f"a coupling joins units {i} and {j} in either order, twice in all; give each pair "
                f"once, as ({min(i, j)}, {max(i, j)})"
            )
        seen.add((i, j))
        result[i, j] = result[j, i] = number(f"{name}[{i},{j}]", value)
    return result


def different_names(names: object, n: int | None = None) -> tuple[str, ...]:
    """Names of n units, or of as many as there are, at least one, as a tuple.

    Raises: ProgramError unless they are n different strings.
    """
    listed = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else ()
    wanted = max(len(listed), 1) if n is None else n
    if not (len(listed) == wanted and all(isinstance(name, str) for name in listed)) or (
        len(set(listed)) != wanted
    ):
        need = "an energy needs" if n is None else f"{n} units need {n}"
        least, verb = (", at least 1,", "has") if n is None else ("", "have")
        raise ProgramError(
            f"{need} different names{least} and {verb} {_shown(names)}; give a list of strings"
        )
    return listed


def amounts(
    name: str, given: object, above: float = -math.inf, least: float = -math.inf
) -> dict[str, float]:
    """Numbers by name, as `number` takes them; ``name`` is what one of them is called.

    Raises: ProgramError for what is no mapping, keys that are no string, numbers out of range.
    """
    if not isinstance(given, Mapping):
        raise ProgramError(
            f"{name} must be a number for each name and is {_shown(given)}; give {{name: number}}"
        )
    for key in given:
        if not isinstance(key, str):
            raise ProgramError(f"{name} is given for {_shown(key)}; give names that are strings")
    return {key: number(f"{name} of {key!r}", value, above, least) for key, value in given.items()}


def name_pair(name: str, value: object) -> tuple[str, str]:
    """Two names as a tuple.

    Raises: ProgramError for anything but a tuple or list of two strings; "ab" is no pair.
    """
    listed = tuple(value) if isinstance(value, tuple | list) else ()
    if len(listed) != 2 or not all(isinstance(entry, str) for entry in listed):
        raise ProgramError(
            f"{name} must be a pair of names and is {_shown(value)}; give (name, name)"
        )
    return listed


def name_pairs(name: str, value: object) -> tuple[tuple[str, str], ...]:
    """A list of pairs of names as a tuple.

    Raises: ProgramError for what is no list, and for entries as `name_pair` does.
    """
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise ProgramError(
            f"{name} must be a list of pairs and is {_shown(value)}; give [(name, name), ...]"
        )
    return tuple(name_pair(f"each pair of {name}", pair) for pair in value)


def instances(name: str, value: object, kind: type[T], least: int = 0) -> tuple[T, ...]:
    """A list of objects of one class as a tuple.

    Raises: ProgramError for what is no list, fewer than ``least``, and entries of another class.
    """
    listed = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else None
    if listed is None or len(listed) < least:
        raise ProgramError(
            f"{name} must be a list of at least {least} {kind.__name__} and are {_shown(value)}; "
            f"give [{kind.__name__}(...)]"
        )
    for at, entry in enumerate(listed):
        if not isinstance(entry, kind):
            raise ProgramError(
                f"{name} must be a list of {kind.__name__} and hold {_shown(entry)} at {at}; give "
                f"{kind.__name__}(...) there"
            )
    return listed


def _index(value: object) -> int | None:
    """A whole number, numpy's included, as int; None for anything else, bools included."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(cast("SupportsIndex", value))
    except TypeError:
        return None


def _shown(value: object) -> str:
    """A value as a sentence can hold it."""
    text = str(value) if isinstance(value, np.number) else repr(value)
    return text if len(text) <= 80 else f"{text[:60]} ... (a {type(value).__name__})"

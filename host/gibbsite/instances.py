"""Public benchmark instances as dimod models: Max-Cut (G-set) and 3D Edwards-Anderson spin glasses.

    maxcut   `nodes edges`, then `i j w`, nodes from 1;    cut(s) = sum_ij w_ij (1 - s_i s_j) / 2
    ea3d     `spins edges`, then `i j J`, spins from 0;    E(s) = - sum_ij J_ij s_i s_j

A Max-Cut instance is minimised as ``E = sum w_ij s_i s_j = W - 2 cut``, W the sum of all weights.
Files of the same forms are made from seeds by `planar_torus` and `edwards_anderson`, for where the
public ones are not at hand.

Source: C. Helmberg and F. Rendl, A spectral bundle method, 2000 (G-set; rudy's format); S. Edwards
and P. Anderson, Theory of spin glasses, 1975.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, SupportsFloat, TypeAlias

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = [
    "Instance",
    "InstanceError",
    "edwards_anderson",
    "planar_torus",
    "read_best_known",
    "read_ea3d",
    "read_folder",
    "read_maxcut",
]

Family: TypeAlias = Literal["maxcut", "ea3d"]
Integers: TypeAlias = NDArray[np.int64]

TABLES: dict[Family, str] = {"maxcut": "best_known.csv", "ea3d": "ground_energy.csv"}
"""The reference values of each family, in its own folder."""


class InstanceError(GibbsiteError, ValueError):
    """A benchmark file that cannot be read."""


SHOWN = 40
"""Letters of a wrong line that an error repeats."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One instance: couplings ``E(s) = sum_k weight_k s_low_k s_high_k``, spins from 0.

    ``best_known`` is the reference value in the family's own measure (a cut to reach from below, an
    energy to reach from above), None where there is none.
    """

    name: str
    family: Family
    spins: int
    low: Integers
    high: Integers
    weight: Integers
    best_known: int | None = None

    @property
    def model(self) -> dimod.BinaryQuadraticModel:
        """The model to be minimised."""
        model: dimod.BinaryQuadraticModel = dimod.BinaryQuadraticModel("SPIN")
        model.add_linear_from((spin, 0.0) for spin in range(self.spins))
        model.add_quadratic_from(
            zip(self.low.tolist(), self.high.tolist(), self.weight.tolist(), strict=True)
        )
        return model

    def value(self, energy: SupportsFloat) -> int:
        """The family's measure of a state of this energy: its cut, or the energy itself."""
        whole = round(float(energy))
        return (int(self.weight.sum()) - whole) // 2 if self.family == "maxcut" else whole

    def energy(self, value: float) -> float:
        """The energy of a state of this measure."""
        return float(self.weight.sum()) - 2.0 * value if self.family == "maxcut" else float(value)

    def quality(self, value: float) -> float:
        """Share of the best known value that was reached, above 1 where it was surpassed.

        Raises `InstanceError` where none is known.
        """
        if self.best_known is None:
            raise InstanceError(f"{self.name} has no best known value: give its table")
        return value / self.best_known


def read_maxcut(path: Path, best_known: int | None = None) -> Instance:
    """A G-set file. Raises `InstanceError` with line, value and what is wanted."""
    return _read(path, "maxcut", 1, best_known)


def read_ea3d(path: Path, best_known: int | None = None) -> Instance:
    """A spin glass file. Raises `InstanceError` with line, value and what is wanted."""
    return _read(path, "ea3d", 0, best_known)


def read_best_known(path: Path) -> dict[str, int]:
    """A table ``instance,value`` with a header. Raises `InstanceError`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise InstanceError(
            f"the table {path} cannot be read: {error.strerror}; check the data folder"
        ) from None
    known: dict[str, int] = {}
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != 2:
            raise InstanceError(
                f"{path} line {line} has {len(row)} cells and needs 2: write name,value"
            )
        known[row[0]] = _whole(path, line, row[1], "a reference value")
    return known


def read_folder(folder: Path, family: Family) -> list[Instance]:
    """All instances of a family's folder in order of name, with their reference values.

    Raises `InstanceError` if there is no such folder or a file in it cannot be read.
    """
    home = folder / family
    if not home.is_dir():
        raise InstanceError(
            f"there is no folder {home}: give the one that holds {family}/ with --data"
        )
    known = read_best_known(home / TABLES[family])
    read = read_maxcut if family == "maxcut" else read_ea3d
    return [read(path, known.get(path.stem)) for path in sorted(home.glob("*.txt"))]


def planar_torus(rows: int, columns: int, seed: int) -> Instance:
    """A Max-Cut instance like G81: a torus of weights -1 and +1."""
    site = np.arange(rows * columns, dtype=np.int64).reshape(rows, columns)
    pairs = [(site, np.roll(site, -1, axis=axis)) for axis in (0, 1)]
    name = f"torus {rows}x{columns} seed {seed}"
    return _generated(name, "maxcut", site.size, pairs, seed)


def edwards_anderson(side: int, seed: int) -> Instance:
    """A spin glass on a cube, wrapped in one direction and open in two, like the public ones."""
    site = np.arange(side**3, dtype=np.int64).reshape(side, side, side)
    pairs = [
        (site[:-1], site[1:]),
        (site[:, :-1], site[:, 1:]),
        (site, np.roll(site, -1, axis=2)),
    ]
    return _generated(f"cube {side} seed {seed}", "ea3d", site.size, pairs, seed)


def _generated(
    name: str, family: Family, spins: int, pairs: list[tuple[Integers, Integers]], seed: int
) -> Instance:
    first = np.concatenate([one.reshape(-1) for one, _ in pairs])
    second = np.concatenate([other.reshape(-1) for _, other in pairs])
    weight = np.random.default_rng(seed).choice(np.array([-1, 1], dtype=np.int64), len(first))
    low, high = np.minimum(first, second), np.maximum(first, second)
    return Instance(name, family, spins, low, high, weight)


def _read(path: Path, family: Family, base: int, best_known: int | None) -> Instance:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InstanceError(f"{path} cannot be read: {error.strerror}; check its name") from None
    except UnicodeDecodeError as error:
        raise InstanceError(
            f"{path} is no text in UTF-8 (byte {error.start}): give a file of edges"
        ) from None
    spins, edges = _row(path, 1, lines[0] if lines else "", ("spins", "edges"))
    if len(lines) - 1 != edges:
        raise InstanceError(
            f"{path} line 1 announces {edges} edges and {len(lines) - 1} lines follow: "
            "fetch the whole file"
        )
    rows = np.empty((edges, 3), dtype=np.int64)
    seen: dict[tuple[int, int], int] = {}
    for number, text in enumerate(lines[1:], start=2):
        one, other, weight = _row(path, number, text, ("i", "j", "weight"))
        low, high = sorted((one - base, other - base))
        if low < 0 or high >= spins or low == high:
            raise InstanceError(
                f"{path} line {number} couples {one} and {other}, and spins are two different "
                f"numbers in {base}..{spins - 1 + base}: correct the line"
            )
        if (low, high) in seen:
            raise InstanceError(
                f"{path} line {number} couples {one} and {other} again, as line "
                f"{seen[low, high]} did: leave one"
            )
        seen[low, high] = number
        rows[number - 2] = low, high, weight
    sign = 1 if family == "maxcut" else -1
    return Instance(path.stem, family, spins, rows[:, 0], rows[:, 1], sign * rows[:, 2], best_known)


def _row(path: Path, line: int, text: str, names: tuple[str, ...]) -> list[int]:
    words = text.split()
    if len(words) != len(names):
        raise InstanceError(
            f"{path} line {line} is {_short(text)!r} and needs {len(names)} whole numbers: write "
            f"`{' '.join(names)}` there"
        )
    return [_whole(path, line, word, name) for word, name in zip(words, names, strict=True)]


def _whole(path: Path, line: int, word: str, name: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise InstanceError(
            f"{path} line {line} has {_short(word)!r} where {name} stands: give a whole number"
        ) from None


def _short(text: str) -> str:
    """The beginning of a long line: a file of another kind may be one line of thousands."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."

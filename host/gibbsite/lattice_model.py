"""A binary quadratic model on the sites of a lattice, as the integer codes of a lattice engine.

Variables are pairs (row, column). Each coupling joins two sites that the engine's neighbourhood
joins, directly or across a wrapped edge:

    E(s) ~ offset + scale E_code(s),      beta_code = round(beta scale 2^BETA_FRAC)

A lattice with fewer rows than the engine, or open edges, leaves couplings of zero between.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import dimod
import numpy as np
from numpy.typing import NDArray

from gibbsite.quantization import (
    DEFAULT_MAX_ERROR,
    OnError,
    Quantization,
    beta_codes,
    choose_scale,
    coarse_for_beta,
    measure,
)
from gibbsite.slot_model import slot_model
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.lattice_parameters import LATTICE_RULES, LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeProgram
from gibbsite_hw.spec.lattice_tables import BETA_BITS, BETA_FRAC
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.lattice import pack_columns, unpack_columns

__all__ = ["CompiledLattice", "compile_lattice"]

Site: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CompiledLattice:
    """A program and what its codes mean. ``sites`` are the variables, in the model's order."""

    parameters: LatticeParameters
    program: LatticeProgram
    sites: tuple[Site, ...]
    quantization: Quantization

    @property
    def scale(self) -> float:
        """Energy units per code."""
        return self.quantization.scale

    def betas(self, betas: Sequence[float] | NDArray[np.float64]) -> array[int]:
        """Codes of inverse temperatures. Raises `ProgramError` for those without a code."""
        values = np.atleast_1d(np.asarray(betas, dtype=np.float64))
        return array("I", beta_codes(values, self.scale, _formats(self.parameters)).tolist())

    @property
    def beta_limits(self) -> tuple[float, float]:
        """The least and the largest beta that have codes (the least within 1 %)."""
        unit = self.scale * 2.0**BETA_FRAC
        return 100.0 / unit, (2.0**BETA_BITS - 1) / unit

    def conditions(self, clamps: Mapping[Site, int]) -> LatticeConditions:
        """The program's biases with these spins held at -1 or +1."""
        p, base = self.parameters, self.program.conditions
        known = set(self.sites)
        on = np.zeros((p.rows, self.program.columns), dtype=np.uint8)
        off = on.copy()
        for site, value in clamps.items():
            if site not in known:
                raise ProgramError(
                    f"{site!r} is clamped and no variable of the model: name one of its sites"
                )
            if value not in (-1, 1):
                raise ProgramError(
                    f"{site!r} is clamped to {value!r} and is a spin: clamp it to -1 or +1"
                )
            (on if value > 0 else off)[site] = 1
        return LatticeConditions(
            base.biases,
            array("I", pack_columns(on).tolist()),
            array("I", pack_columns(off).tolist()),
        )

    def spins(self, states: array[int]) -> NDArray[np.int8]:
        """Spins ``int8[reads, variables]`` of states as a `LatticeResult` holds them."""
        p = self.parameters
        words = np.array(states, dtype=np.uint32).reshape(-1, self.program.columns * p.words)
        bits = unpack_columns(words, p.rows)
        rows, columns = np.array(self.sites).T
        return 2 * bits[:, rows, columns].astype(np.int8) - 1

    def state(self, spins: NDArray[np.int8]) -> array[int]:
        """The words of one state, ``int8[variables]``."""
        bits = np.zeros((self.parameters.rows, self.program.columns), dtype=np.uint8)
        rows, columns = np.array(self.sites).T
        bits[rows, columns] = spins > 0
        return array("I", pack_columns(bits).tolist())


def compile_lattice(
    bqm: dimod.BinaryQuadraticModel,
    parameters: LatticeParameters,
    *,
    beta_max: float | None = None,
    beta_min: float | None = None,
    max_error: float = DEFAULT_MAX_ERROR,
    on_error: OnError = "raise",
) -> CompiledLattice:
    """The program of a spin model whose variables are sites.

    Raises `ProgramError` for labels that are no sites of the engine, for couplings that its
    neighbourhood does not have, and for what quantizes worse than ``max_error``.
    """
    p = parameters
    model = slot_model(bqm.spin)
    sites = _sites(model.labels, p)
    rows, columns = np.array(sites).T
    width = int(columns.max()) + 1
    width += width % 2
    largest = float(np.abs(model.linear).max(initial=0.0))
    fitting = partial(choose_scale, model.weight, model.linear, largest, _formats(p), beta_max)
    scale = fitting(beta_min)
    for_beta = coarse_for_beta(scale, fitting(), _formats(p), beta_min)
    weights = np.rint(model.weight / scale).astype(np.int64)
    biases = np.rint(model.linear / scale).astype(np.int64)
    report = measure(
        model,
        model.linear,
        biases,
        weights,
        scale,
        max_error=max_error,
        on_error=on_error,
        for_beta=for_beta,
    )
    couplings = np.zeros((width, p.rows, p.neighbours), dtype=np.int64)
    _place(couplings, sites, model.low, model.high, weights, p)
    bias = np.zeros((width, p.rows), dtype=np.int64)
    bias[columns, rows] = biases
    words = array("I", [0]) * (width * p.words)
    conditions = LatticeConditions(array("i", bias.ravel().tolist()), words, words[:])
    program = LatticeProgram(width, array("b", couplings.ravel().tolist()), conditions)
    return CompiledLattice(p, program, sites, report)


def _sites(labels: tuple[Hashable, ...], p: LatticeParameters) -> tuple[Site, ...]:
    if not labels:
        raise ProgramError("the model has no variable: give it one site at least")
    sites: list[Site] = []
    for label in labels:
        site = label if isinstance(label, tuple) and len(label) == 2 else (-1, -1)
        whole = all(isinstance(at, (int, np.integer)) for at in site)
        if not whole or not (0 <= site[0] < p.rows and 0 <= site[1] < p.columns):
            raise ProgramError(
                f"the variable {label!r} is no site of a lattice of {p.rows} rows and {p.columns} "
                "columns: label variables (row, column), or open a device with more"
            )
        sites.append((int(site[0]), int(site[1])))
    return tuple(sites)


def _place(
    couplings: NDArray[np.int64],
    sites: tuple[Site, ...],
    low: NDArray[np.integer],
    high: NDArray[np.integer],
    weights: NDArray[np.int64],
    p: LatticeParameters,
) -> None:
    """Put each coupling at both of its ends."""
    width = couplings.shape[0]
    at = np.array(sites)
    step = (at[high] - at[low]) % (p.rows, width)
    number = np.full((p.rows, width), -1)
    for k in reversed(
        range(p.neighbours)
    ):  # of offsets that meet on a small torus the first counts
        row, column = p.offsets[k]
        number[row % p.rows, column % width] = k
    k = number[step[:, 0], step[:, 1]]
    if (k < 0).any():
        wrong = int(np.argmax(k < 0))
        _refuse_odd(at, at[low[wrong]], at[high[wrong]])
        pair = f"{sites[int(low[wrong])]} and {sites[int(high[wrong])]}"
        raise ProgramError(
            f"{pair} are coupled and no neighbours among the {p.neighbours} of this engine, which "
            f"couples a site with those at (row, column) offsets {_offsets(p)}, each turned by "
            f"quarters, its {p.rows} rows and this model's {width} columns wrapped: "
            f"{_advice(p, at, at[low[wrong]], at[high[wrong]])}"
        )
    back = np.where(k % 4 < 2, k + 2, k - 2)
    couplings[at[low, 1], at[low, 0], k] = weights
    couplings[at[high, 1], at[high, 0], back] = weights


def _offsets(p: LatticeParameters) -> str:
    return ", ".join(map(str, LATTICE_RULES[p.neighbours]))


def _advice(
    p: LatticeParameters,
    at: NDArray[np.integer],
    low: NDArray[np.integer],
    high: NDArray[np.integer],
) -> str:
    """What couples a pair that this engine does not: another build of it, or the graph engine."""
    columns, own = (size + size % 2 for size in (int(at[:, k].max()) + 1 for k in (1, 0)))
    for neighbours in (number for number in LATTICE_RULES if number >= p.neighbours):
        offsets = LatticeParameters(neighbours=neighbours).offsets
        for rows in (p.rows, own):
            met = {(row % rows, column % columns) for row, column in offsets}
            if tuple((high - low) % (rows, columns)) in met:
                own_rows = "" if rows == p.rows else f" and rows={rows}"
                return f"open a device with neighbours={neighbours}{own_rows}, which couples these"
    return "no neighbours= couples these, so draw with Sampler (the graph engine)"


def _refuse_odd(
    at: NDArray[np.integer], low: NDArray[np.integer], high: NDArray[np.integer]
) -> None:
    """Say so where a pair joins the opposite edges of an odd number of rows or columns."""
    for axis, what in enumerate(("rows", "columns")):
        size = int(at[:, axis].max()) + 1
        edges = {int(low[axis]), int(high[axis])} == {0, size - 1}
        if size > 2 and size % 2 and edges and low[1 - axis] == high[1 - axis]:
            raise ProgramError(
                f"{tuple(map(int, low))} and {tuple(map(int, high))} wrap a lattice of {size} "
                f"{what}, and wrapped lattices have an even number: use {size - 1} or {size + 1} "
                f"{what}, or leave these edges open"
            )


def _formats(p: LatticeParameters) -> GraphParameters:
    """The formats of weights, biases and betas, as the functions of quantization take them."""
    return GraphParameters(
        weight_bits=p.coupling_bits, bias_bits=p.bias_bits, beta_bits=BETA_BITS, beta_frac=BETA_FRAC
    )

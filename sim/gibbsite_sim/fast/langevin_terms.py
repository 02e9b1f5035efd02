"""What the compiled Langevin engine is given: terms, a schedule, and room for tiles of chains.

A tile is LANES chains side by side; every row of LANES numbers begins at a cache line.

Source: docs/langevin-engine.md. Twin: `gibbsite_models.golden.langevin_field.Field` and
`gibbsite_models.golden.langevin_schedule.Schedule`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import FORCE_MAX
from gibbsite_hw.spec.langevin_program import LangevinRequest, Shifts
from gibbsite_models.golden.langevin_field import Field
from gibbsite_sim.fast.langevin_machine import LANES, ROWS
from gibbsite_sim.fast.langevin_noise import NOISE_ROWS
from gibbsite_sim.fast.langevin_panels import Panels, panels

__all__ = ["CompiledField", "Plan", "Scratch", "Step", "Terms", "Tiles", "plan", "scratch", "tiles"]

Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bools = NDArray[np.bool_]

LINE = 64
"""Bytes of a cache line."""

QUADRATIC, QUARTIC, BIAS, COUPLING, CONSTRAINT, FORCE = range(6)
"""Terms: rows of forces and of energies, and which of them there are (`Terms.has`)."""
COUPLED, ENERGIES = COUPLING, FORCE
"""In `Terms.has`: couplings; whether energies may saturate, for which the force's place is used."""
FLOW = 6
"""The row of `Scratch.sums` that takes the heat of a step."""
WORK, HEAT, BEST, COUNTED = range(4)
"""Rows of `Tiles.totals`."""


class Terms(NamedTuple):
    """A program and its conditions; arrays by unit or by constraint.

    ``shifts`` in the order of `Shifts`; ``has`` bool[6]: whether there is a term of states, and
    whether energies may saturate; ``clipped``: constant forces that saturate, in all.
    """

    couplings: Panels
    rows: Panels
    columns: Panels
    shifts: Int64
    has: Bools
    clipped: int
    quadratic: Int64
    quartic: Int64
    bias: Int64
    force: Int64
    held: Bools
    states: Int32
    hinge: Bools
    weights: Int64
    offsets: Int64


class Plan(NamedTuple):
    """A request. ``pairs`` int64[k, 2], -1 for a unit alone; the others by schedule entry."""

    ends: Int64
    strengths: Int64
    rates: Int64
    noises: Int64
    measured: Bools
    begins: Int64
    before: Int64
    start: Int64
    state: Int64
    pairs: Int64
    first: int
    thin: int
    steps: int
    every: int
    best: bool
    samples: bool


class Tiles(NamedTuple):
    """Chains, LANES a tile: ``[tiles, ..., LANES]``.

    ``streams`` [t, units, 4], ``z``, ``past`` (the states a step ago) [t, units], ``changes`` (of
    operands, units made even), ``sums`` (of couplings), ``pulls`` (of constraints) [t, units made
    whole panels], ``kept`` gradients, ``residuals``, ``multipliers`` and their ``moves``; ``best``;
    ``moments`` [t, pairs]; ``totals`` [t, 4]: work, heat, best energy, saturations.
    """

    streams: Int32
    z: Int32
    past: Int32
    changes: Int32
    sums: Int64
    pulls: Int64
    kept: Int64
    residuals: Int64
    multipliers: Int32
    moves: Int32
    best: Int32
    moments: Int64
    totals: Int64


class Scratch(NamedTuple):
    """What one thread works on: rows of a unit, and ``sums`` [7, LANES]: term
    energies and heat."""

    packed: Int32
    noise: Int32
    operands: Int32
    rows: Int64
    sums: Int64


class Step(NamedTuple):
    """A pass: its number, the entries of the steps before and behind it, and what it does.

    ``keeps``: the next step is measured; ``looks``: somebody wants the states of this pass.
    """

    number: int
    old: int
    new: int
    changed: bool
    moves: bool
    draws: bool
    measured: bool
    works: bool
    energies: bool
    keeps: bool
    looks: bool


class CompiledField(Field):
    """A field that also gives its terms to compiled code."""

    def __init__(self, weights: Any) -> None:
        super().__init__(weights)
        self.panels = tuple(
            panels(matrix) for matrix in (weights.couplings, weights.rows, weights.columns)
        )

    def terms(self) -> Terms:
        """The terms under today's conditions."""
        w = self._weights
        constants = [
            np.zeros(self.units, dtype=np.int64) if constant is None else constant
            for constant in (self._bias, self._force)
        ]
        couplings, rows, columns = self.panels
        return Terms(
            couplings=couplings,
            rows=rows,
            columns=columns,
            shifts=np.array([getattr(self._shifts, n) for n in Shifts.__slots__], dtype=np.int64),
            has=self._present(),
            clipped=sum(int((np.abs(c) > FORCE_MAX).sum()) for c in constants),
            quadratic=np.ascontiguousarray(w.quadratic),
            quartic=np.ascontiguousarray(w.quartic),
            bias=np.clip(constants[0], -FORCE_MAX, FORCE_MAX),
            force=np.clip(constants[1], -FORCE_MAX, FORCE_MAX),
            held=self.clamps,
            states=self.clamp_states.astype(np.int32),
            hinge=self._hinge,
            weights=self._lambda,
            offsets=self._offset,
        )

    def _present(self) -> Bools:
        has = np.zeros(6, dtype=np.bool_)
        has[QUADRATIC] = self._weights.quadratic.any()
        has[QUARTIC] = self._weights.quartic.any()
        has[COUPLED] = self._weights.couplings is not None
        has[CONSTRAINT] = self.constraints > 0
        has[ENERGIES] = self._may_overflow
        return has


def plan(request: LangevinRequest, units: int) -> Plan:
    """The request in arrays."""
    entries = request.schedule
    repeats = np.array([entry.repeat for entry in entries], dtype=np.int64)
    measured = np.array([entry.measure for entry in entries], dtype=np.bool_)
    ends, counted = np.cumsum(repeats), repeats * measured
    first = 0 if request.trajectory else int(ends[-1])
    pairs = [(i, -1 if j is None else j) for i, j in request.pairs]
    return Plan(
        ends=ends,
        strengths=np.array([entry.strengths for entry in entries], dtype=np.int64),
        rates=np.array([entry.rate for entry in entries], dtype=np.int64),
        noises=np.array([entry.noise for entry in entries], dtype=np.int64),
        measured=measured,
        begins=ends - repeats,
        before=np.cumsum(counted) - counted,
        start=np.array(request.start, dtype=np.int64),
        state=np.zeros(units, np.int64)
        if request.state is None
        else np.array(request.state, np.int64),
        pairs=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        first=first,
        thin=request.thin,
        steps=first + (request.draws - 1) * request.thin,
        every=request.moment_every,
        best=request.best,
        samples=request.samples,
    )


def tiles(count: int, units: int, constraints: int, pairs: int, best: bool) -> Tiles:
    """Room for ``count`` tiles, all 0."""
    n, m = units, constraints
    whole, high = -(-n // ROWS) * ROWS, -(-m // ROWS) * ROWS

    def words(*shape: int) -> Int32:
        return aligned((count, *shape, LANES), np.dtype(np.int32)).view(np.int32)

    def sums(*shape: int) -> Int64:
        return aligned((count, *shape, LANES), np.dtype(np.int64)).view(np.int64)

    return Tiles(
        streams=words(n, 4),
        z=words(n),
        past=words(n),
        changes=words(n + n % 2),
        sums=sums(whole),
        pulls=sums(whole),
        kept=sums(n),
        residuals=sums(high),
        multipliers=words(m),
        moves=words(m + m % 2),
        best=words(n if best else 0),
        moments=sums(pairs),
        totals=sums(4),
    )


def scratch(units: int, constraints: int) -> Scratch:
    """Room for one thread."""
    pairs = (max(units, constraints) + 1) // 2
    word, wide = np.dtype(np.int32), np.dtype(np.int64)
    return Scratch(
        packed=aligned((2, pairs, LANES), word),
        noise=aligned((NOISE_ROWS, LANES), word),
        operands=aligned((LANES,), word),
        rows=aligned((9, LANES), wide),
        sums=aligned((7, LANES), wide),
    )


def aligned(shape: tuple[int, ...], kind: "np.dtype[Any]") -> NDArray[Any]:
    """An array of zeros that begins at a cache line."""
    size = int(np.prod(shape)) * kind.itemsize
    room = np.zeros(size + LINE, dtype=np.uint8)
    skip = -room.ctypes.data % LINE
    return room[skip : skip + size].view(kind).reshape(shape)

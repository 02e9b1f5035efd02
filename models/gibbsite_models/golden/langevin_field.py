"""Force terms and term energies of a Langevin program, integers of `docs/langevin-engine.md`.

    gradient(s) = sat(rs(sum_m s_m h_m, STRENGTH_FRAC))
    V(s)        = rs(sum_m s_m e_m, STRENGTH_FRAC)

The h_m are ``int64[units, chains]``, the e_m ``int64[chains]``. A term without a coefficient is
None: it is 0 everywhere, and most programs have only some.

Twin: ``gibbsite_hw.langevin_unit``, ``langevin_residual`` and ``langevin_dot``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_formats import (
    ENERGY_MAX,
    FORCE_MAX,
    OPERAND_FRAC,
    OPERAND_MAX,
    RESIDUAL_MAX,
    STRENGTH_FRAC,
)
from gibbsite_hw.spec.langevin_program import LangevinConditions, LangevinProgram, Shifts
from gibbsite_models.golden.langevin_arithmetic import Saturations, exact_dot, round_shift

__all__ = ["Field", "Look", "Weights"]

ENERGY_SHIFTS = (15, 16, 14, 15, 0, 14)
"""h_m x_i to term energies: the factors 1/2, 1/4, 1, 1/2 and 1 of V and the fractions."""
CONSTRAINT = 4

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Weights:
    """What is loaded once: coefficients ``int64[n]`` and weights as the device holds them.

    ``couplings`` ``[n, n]`` or None, ``rows`` ``[m, n]`` (k_a) and ``columns`` ``[n, m]`` (the same
    numbers by unit, since the device holds both).
    """

    quadratic: Int64
    quartic: Int64
    force: Int64
    couplings: Int64 | None
    rows: Int64
    columns: Int64
    shifts: Shifts

    @classmethod
    def of(cls, program: LangevinProgram) -> "Weights":
        """The weights of a program."""
        n, m = program.units, program.constraints
        rows = np.array(program.rows, dtype=np.int64).reshape(m, n)
        couplings = np.array(program.couplings, dtype=np.int64)
        return cls(
            quadratic=np.array(program.quadratic, dtype=np.int64),
            quartic=np.array(program.quartic, dtype=np.int64),
            force=np.array(program.force, dtype=np.int64),
            couplings=couplings.reshape(n, n) if len(couplings) else None,
            rows=rows,
            columns=rows.T,
            shifts=program.shifts,
        )


@dataclass(frozen=True, slots=True)
class Look:
    """All terms at one state: forces h_m (None: 0) and, if asked for, energies ``int64[6, c]``."""

    forces: tuple[Int64 | None, ...]
    energies: Int64 | None

    def weighted(self, strengths: Int64) -> Int64:
        """``sum_m s_m e_m``."""
        assert self.energies is not None, "energies were asked for"
        total: Int64 = (strengths[:, None] * self.energies).sum(axis=0)
        return total

    def energy(self, strengths: Int64) -> Int64:
        """V, ENERGY_FRAC."""
        return round_shift(self.weighted(strengths), STRENGTH_FRAC)


class Field:
    """The terms of one program under today's conditions."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self.units = len(weights.quadratic)
        self.constraints = len(weights.rows)
        self._shifts = weights.shifts
        self._couplings = _floats(weights.couplings)
        self._rows = _floats(weights.rows if self.constraints else None)
        self._columns = _floats(weights.columns if self.constraints else None)
        self.clamps = np.zeros(self.units, dtype=np.bool_)
        self.clamp_states = np.zeros(self.units, dtype=np.int64)

    def condition(self, conditions: LangevinConditions) -> None:
        """Take over biases, constraints and clamps."""
        unit = np.int64(1 << OPERAND_FRAC)
        biases = np.array(conditions.biases, dtype=np.int64)
        self._bias = _constant(biases * unit, self._shifts.bias)
        self._force = _constant(self._weights.force * unit, self._shifts.force)
        rows = conditions.constraints
        self._hinge = np.array([row.hinge for row in rows], dtype=np.bool_)
        self._lambda = np.array([row.weight for row in rows], dtype=np.int64)
        self._offset = np.array([row.offset for row in rows], dtype=np.int64)
        self.clamps[:] = False
        for unit_number, state in conditions.clamps.items():
            self.clamps[unit_number], self.clamp_states[unit_number] = True, state
        self._may_overflow = self._energy_bound() > ENERGY_MAX

    def look(self, x: Int64, saturations: Saturations, energies: bool) -> Look:
        """All terms at operands ``x[units, chains]``."""
        w, shifts, clip = self._weights, self._shifts, saturations.clip
        forces: list[Int64 | None] = [None] * 6
        if w.quadratic.any():
            product = w.quadratic[:, None] * x
            forces[0] = clip(round_shift(product, shifts.quadratic), FORCE_MAX)
        if w.quartic.any():
            cube = round_shift(round_shift(x * x, OPERAND_FRAC) * x, OPERAND_FRAC)
            product = w.quartic[:, None] * cube
            forces[1] = clip(round_shift(product, shifts.quartic), FORCE_MAX)
        for place, constant in ((2, self._bias), (5, self._force)):
            if constant is not None:
                forces[place] = clip(np.broadcast_to(constant[:, None], x.shape), FORCE_MAX)
        if self._couplings is not None:
            product = exact_dot(self._couplings, x)
            forces[3] = clip(round_shift(product, shifts.coupling), FORCE_MAX)
        penalty = None
        if self._rows is not None and self._columns is not None:
            m, rho = self._multipliers(x, saturations)
            product = exact_dot(self._columns, m)
            forces[CONSTRAINT] = clip(round_shift(product, shifts.constraint), FORCE_MAX)
            penalty = round_shift(m * rho, shifts.penalty).sum(axis=0)
        if not energies and not self._may_overflow:
            return Look(tuple(forces), None)
        sums = np.zeros((6, x.shape[1]), dtype=np.int64)
        for place, h in enumerate(forces):
            if place == CONSTRAINT:
                sums[place] = 0 if penalty is None else penalty
            elif h is not None:
                sums[place] = round_shift(h * x, ENERGY_SHIFTS[place]).sum(axis=0)
        return Look(tuple(forces), clip(sums, ENERGY_MAX))

    def gradient(self, look: Look, strengths: Int64, saturations: Saturations) -> Int64:
        """``grad V`` under some strengths, FORCE_FRAC."""
        total: Int64 | None = None
        for h, strength in zip(look.forces, strengths.tolist(), strict=True):
            if h is not None and strength:
                total = strength * h if total is None else total + strength * h
        if total is None:
            return np.zeros((self.units, len(saturations.count)), dtype=np.int64)
        return saturations.clip(round_shift(total, STRENGTH_FRAC), FORCE_MAX)

    def _multipliers(self, x: Int64, saturations: Saturations) -> tuple[Int64, Int64]:
        """m and rho of every constraint."""
        assert self._rows is not None, "there are constraints"
        residual = round_shift(exact_dot(self._rows, x), self._shifts.residual)
        r = saturations.clip(residual - self._offset[:, None], RESIDUAL_MAX)
        rho = np.where(self._hinge[:, None] & (r < 0), 0, r)
        product = round_shift(self._lambda[:, None] * rho, self._shifts.multiplier)
        return saturations.clip(product, OPERAND_MAX), rho

    def _energy_bound(self) -> int:
        """More than any term energy can become, in Python's integers."""
        w, s, top = self._weights, self._shifts, OPERAND_MAX
        peaks = [
            (np.abs(w.quadratic), top, s.quadratic, 15),
            (np.abs(w.quartic), top**3 >> 2 * OPERAND_FRAC, s.quartic, 16),
        ]
        if w.couplings is not None:
            peaks.append((np.abs(w.couplings).sum(axis=1), top, s.coupling, 15))
        bounds = [
            sum(((int(c) * x >> shift) + 1) * top >> down for c in codes) + self.units
            for codes, x, shift, down in peaks
        ]
        for constant in (self._bias, self._force):
            if constant is not None:
                bounds.append((int(np.abs(constant).sum()) * top >> OPERAND_FRAC) + self.units)
        rows = np.abs(w.rows).sum(axis=1).tolist()
        reach = [
            (total * top >> s.residual) + 1 + abs(int(d))
            for total, d in zip(rows, self._offset, strict=True)
        ]
        bounds.append(
            sum(
                (min(int(weight) * rho >> s.multiplier, top) + 1) * rho >> s.penalty
                for weight, rho in zip(self._lambda, reach, strict=True)
            )
            + len(rows)
        )
        return max(bounds)


def _floats(codes: Int64 | None) -> NDArray[np.float64] | None:
    return None if codes is None else np.ascontiguousarray(codes, dtype=np.float64)


def _constant(products: Int64, shift: int) -> Int64 | None:
    """A force that no state changes, or None where it is 0."""
    return round_shift(products, shift) if products.any() else None

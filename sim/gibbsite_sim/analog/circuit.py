r"""The circuit that runs a Langevin program: stochastic differential equations in continuous time.

    dz_i = -rate M_i F_i dt + noise sqrt(M_i T_i) dW_i,          lag dy_i = (z_i - y_i) dt
    F_i  = s_0 G_i c0_i z_i + s_1 G_i c1_i z_i^3 + s_2 c2_i + s_3 sum_j G_ij c3_ij y_j
         + s_4 sum_a G_ai k_ai m_a + s_5 c5_i + S (o_i + drift_i(t))
    m_a  = lambda_a rho(sum_j G_aj k_aj y_j - d_a)

Time is counted in steps of the program, which last ``step_seconds`` each. The c are the program's
coefficients behind their DACs; M, T, G and o are the parts of a `Chip` with their trims; y is what
the buffers give that couplings and constraints read. S is full scale: the program's largest
conductance times the rails, since all currents share one reference.

Programs without quartic terms and hinges, up to `LINEAR_UNITS`, take a step exactly (`Propagator`).
All others take it in ``substeps`` of h = lag / RESOLUTION steps or a little less: noise as in
Leimkuhler and Matthews, whose error in stationary moments is of second order in h, the buffers by
their exact exponential over the line between two states. States are cut at the rails, between
substeps or steps.

Shapes: states ``float32[units, chains]``.

Source: B. Leimkuhler and C. Matthews, Rational construction of stochastic numerical methods for
molecular sampling, 2013 (equation 1.2).
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite_hw.spec.langevin_formats import RESIDUAL_FRAC
from gibbsite_hw.spec.langevin_program import LangevinConditions
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.converters import dac
from gibbsite_sim.analog.propagator import Propagator

__all__ = ["RESOLUTION", "Circuit", "Drive", "Motion"]

Floats = NDArray[np.float64]
Single = NDArray[np.float32]

RESOLUTION: Final = 4
"""Substeps in a time constant of the buffers; a test doubles it."""

LINEAR_UNITS: Final = 32
"""Largest linear network whose steps are taken whole; beyond, matrices cost more than substeps."""

MOST_KEPT: Final = 64
"""Settings whose exact steps are kept."""

_GRADIENT: Final = 6
"""FORCE_FRAC - OPERAND_FRAC: between a product of codes and a gradient."""


@dataclass(frozen=True, slots=True)
class Drive:
    """Settings of one step: drift and noise a step, and the strengths, all behind their DACs."""

    rate: float
    noise: float
    strengths: tuple[float, ...]


@dataclass(slots=True)
class Motion:
    """Where chains are: voltages, buffers, drift and the last noise, all ``[n, chains]``."""

    z: Single
    y: Single
    drift: Single
    kicks: Single


class Circuit:
    """One program on one chip under today's conditions and trims."""

    def __init__(
        self,
        chip: Chip,
        weights: Weights,
        conditions: LangevinConditions,
        resolution: int = RESOLUTION,
        exact: bool = True,
    ) -> None:
        self.exact = exact
        self._propagators: dict[Drive, tuple[Propagator, Single, Single]] = {}
        p, n, m = chip.parameters, len(weights.quadratic), len(weights.rows)
        self.units, self.rails = n, p.rails
        self.lag = p.lag_steps
        self.substeps = ceil(resolution / self.lag)
        self.decay = float(np.exp(-1 / (self.substeps * self.lag)))
        self.drift_spread, self.drift_decay = p.drift, float(np.exp(-1 / p.drift_steps))
        shifts, bits = weights.shifts, p.dac_bits

        def coefficients(codes: ArrayLike, shift: int) -> Floats:
            return dac(np.asarray(codes, dtype=np.float64) * 2.0 ** -(shift + _GRADIENT), bits)

        rows = conditions.constraints
        self.quadratic = coefficients(weights.quadratic, shifts.quadratic)
        self.quartic = coefficients(weights.quartic, shifts.quartic)
        self.bias = coefficients(conditions.biases, shifts.bias)
        self.force = coefficients(weights.force, shifts.force)
        self.coupling = np.zeros((n, n))
        if weights.couplings is not None:
            self.coupling = coefficients(weights.couplings, shifts.coupling)
        self.k = dac(weights.rows.astype(np.float64) * 2.0**-shifts.residual, bits)
        self.back = 2.0 ** (shifts.residual - shifts.constraint - _GRADIENT)
        codes = np.array([row.weight for row in rows], dtype=np.float64)
        self.penalty = dac(codes * 2.0**-shifts.multiplier, bits)
        self.target = dac(np.array([row.offset for row in rows]) / 2.0**RESIDUAL_FRAC, bits)
        self.hinge = np.array([row.hinge for row in rows], dtype=np.bool_)
        self.held = np.zeros(n, dtype=np.bool_)
        levels = np.zeros(n)
        for unit, code in conditions.clamps.items():
            self.held[unit], levels[unit] = True, code / 2.0**28
        self.levels = dac(levels, bits, p.rails)
        self.full_scale = self._full_scale()

        well, offset, amplitude, gain = chip.gains(n)
        self.mobility = np.where(self.held, 0, chip.mobility[:n])
        self.amplitude = np.sqrt(self.mobility) * amplitude
        self.quadratic, self.quartic = self.quadratic * well, self.quartic * well
        self.coupling = self.coupling * gain
        self.k = self.k * chip.rows[:m, :n]
        self.offset = self.full_scale * offset

    def _full_scale(self) -> float:
        """The force that the largest conductance gives at the rails; biases where there is none."""
        top = max(np.abs(c).max() for c in (self.quadratic, self.quartic, self.coupling))
        if self.k.size:
            square = self.penalty.max() * np.abs(self.k).max() ** 2 * self.back
            top = max(top, float(square))
        if top == 0:
            return float(max(np.abs(self.bias).max(), np.abs(self.force).max()))
        return float(top * self.rails)

    # --- time ------------------------------------------------------------------------------------

    def rest(self, z: Floats, drift: Floats) -> Motion:
        """Chains at rest at states ``z``, held units at theirs, buffers settled."""
        start = np.clip(z, -self.rails, self.rails).astype(np.float32)
        start[self.held] = self.levels[self.held, None]
        still = np.zeros_like(start)
        return Motion(start, start.copy(), drift.astype(np.float32), still)

    def rows(self, drive: Drive) -> int:
        """Rows of Gaussians that a step under these settings takes, ``[n, chains]`` each."""
        return 3 if self.whole(drive) else self.substeps + 1

    def linear(self, drive: Drive) -> bool:
        """Whether neither quartic terms nor hinges act under these settings."""
        bent = drive.strengths[1] and self.quartic.any()
        hinged = drive.strengths[4] and (self.hinge & (self.penalty != 0)).any()
        return not (bent or hinged)

    def whole(self, drive: Drive) -> bool:
        """Whether a step is taken exactly."""
        return self.exact and self.units <= LINEAR_UNITS and self.linear(drive)

    def step(self, motion: Motion, drive: Drive, noise: Single) -> None:
        """One step of the program; ``noise[rows(drive), n, chains]``, the last row for drift."""
        relax = np.sqrt(1 - self.drift_decay**2) * self.drift_spread
        motion.drift = np.float32(self.drift_decay) * motion.drift
        motion.drift += np.float32(relax * self.full_scale) * noise[-1]
        if self.whole(drive):
            self._whole(motion, drive, noise)
        else:
            self._divided(motion, drive, noise)

    def network(self, drive: Drive) -> tuple[Floats, Floats, Floats]:
        """B, the constant force on z (drift left out) and the noise on z, a step.

        Hinges and quartic terms are none of it.
        """
        n, s = self.units, drive.strengths
        rate = drive.rate * self.mobility
        inner = s[3] * self.coupling
        constant = s[2] * self.bias + s[5] * self.force + self.offset
        if len(self.k):
            back = self.k.T * (s[4] * self.back * self.penalty)
            inner, constant = inner + back @ self.k, constant - back @ self.target
        B = np.zeros((2 * n, 2 * n))
        B[:n, :n] = np.diag(rate * s[0] * self.quadratic)
        B[:n, n:] = rate[:, None] * inner
        B[n:, :n], B[n:, n:] = -np.eye(n) / self.lag, np.eye(n) / self.lag
        return B, -rate * constant, drive.noise * self.amplitude

    def _whole(self, motion: Motion, drive: Drive, noise: Single) -> None:
        if drive not in self._propagators:
            if len(self._propagators) == MOST_KEPT:  # a long ramp needs each only once
                self._propagators.clear()
            B, force, amplitude = self.network(drive)
            push = (-drive.rate * self.mobility[:, None]).astype(np.float32)
            self._propagators[drive] = (
                Propagator(B, amplitude),
                force[:, None].astype(np.float32),
                push,
            )
        propagator, constant, push = self._propagators[drive]
        x = np.concatenate([motion.z, motion.y])
        x = propagator.step(x, constant + push * motion.drift, noise[:2].reshape(x.shape))
        motion.z = np.clip(x[: self.units], -self.rails, self.rails)
        motion.y = x[self.units :]

    def _divided(self, motion: Motion, drive: Drive, noise: Single) -> None:
        steps, s = self.substeps, drive.strengths
        rate = (drive.rate / steps * self.mobility)[:, None]
        constant = (s[2] * self.bias + s[5] * self.force + self.offset)[:, None]
        push = (rate * (constant + motion.drift)).astype(np.float32)
        half = np.float32(drive.noise / np.sqrt(steps) / 2) * self.amplitude.astype(np.float32)
        kicks = noise[:steps].copy()
        kicks[0] += motion.kicks
        kicks[1:] += noise[: steps - 1]
        kicks *= half[:, None]
        kicks -= push
        motion.kicks = noise[steps - 1].copy()
        self._substeps(motion, rate, s, kicks)

    def _substeps(self, motion: Motion, rate: Floats, s: tuple[float, ...], kicks: Single) -> None:
        keep = (1 - rate * (s[0] * self.quadratic)[:, None]).astype(np.float32)
        cubic = (rate * (s[1] * self.quartic)[:, None]).astype(np.float32)
        pull = (rate * (s[3] * self.coupling)).astype(np.float32)
        k, back, lift = self._constraints(rate, s[4])
        quartic, coupled = bool(cubic.any()), bool(pull.any())
        old = np.float32(self.decay)
        new = np.float32((1 - self.decay) / 2)
        z, y = motion.z, motion.y
        for kick in kicks:
            move = keep * z
            move += kick
            if quartic:
                move -= cubic * (z * z * z)
            if coupled:
                move -= pull @ y
            if back is not None:
                r = k @ y - lift
                np.maximum(r, 0, out=r, where=self.hinge[:, None])
                move -= back @ r
            np.clip(move, -self.rails, self.rails, out=move)
            if coupled or back is not None:
                y *= old
                z += move
                z *= new
                y += z
            z = move
        if not (coupled or back is not None):
            y = z.copy()
        motion.z, motion.y = z, y

    def _constraints(self, rate: Floats, strength: float) -> tuple[Single, Single | None, Single]:
        """Rows k, the matrix from residuals to moves (None: no constraint acts), and d."""
        k, lift = self.k.astype(np.float32), self.target[:, None].astype(np.float32)
        if not len(self.k) or strength == 0:
            return k, None, lift
        back = rate * self.k.T * (strength * self.back * self.penalty)
        return k, back.astype(np.float32), lift

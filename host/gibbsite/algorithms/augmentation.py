r"""Logistic regression as a Gaussian that changes: Polya-Gamma augmentation on the engine.

    host      w_a ~ PG(1, x_a . theta)                                   one number a row
    device    theta | w  ~  exp(-V / kT),    in the coordinates z of `Coordinates`:
              V = kT (1/2 sum_a w_a (x_a.z)^2 - sum_a (y_a - 1/2) x_a.z + prior)

Alternating leaves the posterior invariant and converges to it, with no approximation of the
likelihood. Rows x_a are the engine's constraints with ``lambda_a = kT w_a / 2`` and d = 0; the
linear part does not depend on w. So a sweep streams lambda and touches no coupling.

**The device's draw** starts at the chain's last z, takes ``RELAXATIONS`` relaxation times of steps
of ``mu dt = 1 / (largest curvature)`` and then one step of dt/2 at kT/2. Euler-Maruyama's
covariance at dt is ``kT A^-1 (1 - mu dt A/2)^-1``, and the half step takes it to ``kT A^-1``
exactly. A chain that has not relaxed misses by less than ``exp(-2 RELAXATIONS)/2`` of a variance.
The host takes extreme eigenvalues of the p by p curvature to choose the steps, not the draw.

**Chains share a run**: each has units and rows of its own in a block-diagonal program, as many as
units and constraints hold, since their w differ.

Source: N. Polson, J. Scott, J. Windle, JASA 108 (2013) 1339, equations 2 to 5; the half step is the
averaged noise of B. Leimkuhler and C. Matthews, AMRX 2013, 34.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite.algorithms.polya_gamma import polya_gamma
from gibbsite.algorithms.regression import Coordinates
from gibbsite.langevin_compiler import CompiledPotential, compile_potential
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["Augmentation"]

Floats = NDArray[np.float64]

MU = 1.0
RELAXATIONS = 3.0
MOST_STEPS = 100_000
LARGEST_WEIGHT = 2.5
"""PG(1, 0) exceeds it in 6e-6 of all draws; then the program is scaled anew."""


class Augmentation:
    """Chains of a logistic posterior whose Gaussian half a device draws.

    ``start[chains, p]`` are first states in z. Raises: ProgramError where one chain has more
    parameters or rows than the device.
    """

    def __init__(
        self, at: Coordinates, target: Floats, kT: float, device: Device, seed: int, start: Floats
    ) -> None:
        rows, size = at.rows.shape
        limits = device.info.langevin
        for what, value, most in (
            ("parameters", size, limits.units),
            ("rows of data", rows, limits.constraints),
        ):
            if value > most:
                raise ProgramError(
                    f"the regression has {value} {what} and the device holds {most}: use fewer or "
                    f"a larger build"
                )
        self.at, self.kT, self.device, self.seed = at, kT, device, seed
        self.pull = at.rows.T @ (target - 0.5) + at.pull
        together = min(len(start), limits.units // size, limits.constraints // rows)
        self.groups: int = -(-len(start) // together)
        self.together = -(-len(start) // self.groups)
        """Chains of a run; the last run's may be fewer, and its spare blocks repeat them."""
        self.z = start
        self.random = np.random.default_rng([seed, 1])
        self.counters = {"steps": 0, "cycles": 0, "updates": 0, "saturations": 0}
        self.sweeps = 0
        self.loads = 0
        self._largest = LARGEST_WEIGHT
        self._reach = max(8.0, 2 * float(np.abs(start).max()))
        self._compiled = self._load()

    def sweep(self) -> Floats:
        """New weights, then new states ``z[chains, p]``."""
        weights = polya_gamma(self.z @ self.rows.T, self.random)
        z = self.z.copy()
        for group in range(self.groups):
            chains = np.arange(group * self.together, (group + 1) * self.together) % len(z)
            z[chains] = self._draw(self.z[chains], weights[chains], group)
        self.z = z
        self.sweeps += 1
        return z

    @property
    def rows(self) -> Floats:
        """x in z's coordinates, as the device's codes hold it."""
        rows, size = self.at.rows.shape
        return self._compiled.held.K[:rows, :size]

    def info(self) -> dict[str, Any]:
        """Who did what."""
        return {
            "seed": self.seed,
            "device": self.device.info.uri,
            "fingerprint": f"{self.device.info.fingerprint:016x}",
            "kT": self.kT,
            "host": f"{self.at.rows.shape[0]} Polya-Gamma draws a chain and sweep",
            "sweeps": self.sweeps,
            "runs": self.sweeps * self.groups,
            "chains_together": self.together,
            "loads": self.loads,
            **self.counters,
            "rounding": self._compiled.error,
        }

    # --- parts of the above -----------------------------------------------------------------------

    def _load(self) -> CompiledPotential:
        blocks = np.eye(self.together)
        prior = np.kron(blocks, self.kT * self.at.prior)
        off = prior - np.diag(np.diag(prior))
        rows = np.kron(blocks, self.at.rows)
        potential = Potential.build(
            len(prior),
            J2=np.diag(prior) / 2,
            J=(off + off.T) / 2,
            b=-np.tile(self.kT * self.pull, self.together),
            K=rows,
            lam=np.full(len(rows), self.kT * self._largest / 2),
        )
        compiled = compile_potential(potential, self.device.info.langevin, reach=self._reach)
        self.device.load(compiled.program)
        self.loads += 1
        return compiled

    def _draw(self, z: Floats, weights: Floats, group: int) -> Floats:
        """States of one run's chains under their weights; the same again if it saturates."""
        while weights.max() > self._largest:
            self._largest *= 2
            self._compiled = self._load()
        protocol = self._protocol(weights)
        while True:
            condition = Condition(lam=self.kT * weights.ravel() / 2)
            self.device.condition(self._compiled.conditions(condition))
            request = self._compiled.request(
                protocol, start=z.ravel(), seed=self.seed, first_chain=self._number(group)
            )
            result = self.device.run(request)
            for name in self.counters:
                self.counters[name] += getattr(result.counters, name)
            if not result.counters.saturations:
                states = self._compiled.decode(result, request).states
                assert states is not None, "states are asked for by default"
                return np.asarray(states[0, 0].reshape(z.shape))
            self._reach *= 2
            self._compiled = self._load()

    def _number(self, group: int) -> int:
        """Randomness belongs to (seed, chain): every run of the engine is a chain of its own."""
        return self.sweeps * self.groups + group

    def _protocol(self, weights: Floats) -> Protocol:
        curvature = np.einsum("ca,ai,aj->cij", weights, self.at.rows, self.at.rows) + self.at.prior
        eigenvalues = self.kT * np.linalg.eigvalsh(curvature)
        stiffest, softest = float(eigenvalues[:, -1].max()), float(eigenvalues[:, 0].min())
        steps = math.ceil(RELAXATIONS * stiffest / softest)
        if steps > MOST_STEPS:
            raise ProgramError(
                f"the condition number of the regression may be {MOST_STEPS / RELAXATIONS:.3g} at "
                f"most and is {stiffest / softest:.3g}: narrow the prior or drop columns that say "
                "the same"
            )
        dt = 1 / (MU * stiffest)
        return Protocol(MU, [Segment(steps, self.kT, dt), Segment(1, self.kT / 2, dt / 2)])

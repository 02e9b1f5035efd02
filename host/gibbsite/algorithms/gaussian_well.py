r"""A Gaussian on the Langevin engine: ``V(z) = 1/2 z.A z - b.z`` at kT, A with a diagonal of 1.

    wanted law:                  mean A^-1 b,  covariance kT A^-1
    of Euler-Maruyama at dt:     mean A^-1 b,  covariance C = kT A^-1 (1 - mu dt A/2)^-1

**The step** is ``mu dt = 1 / (largest eigenvalue of A)``, far too coarse to ignore: the stiffest
mode has twice its variance. Both ways out are exact for a Gaussian, at any stable dt:

    (z_k + z_(k+1)) / 2          has covariance kT A^-1, so draws are midpoints of two steps
    kT A^-1 = C (1 - mu dt A/2)  corrects second moments that the device accumulated itself

**The place.** Fixed point is finest near 0, and the well may be anywhere. Pilot runs find it: the
mean of a pilot moves the origin, ``b`` becomes ``b - A centre`` on the host in float, and the reach
shrinks to what the pilot visited, until it no longer does. So the couplings' rounding moves the
mean by no more than it moves what is left of it.

**The host** takes the extreme eigenvalues of A, to refuse what is not positive definite and to
choose the step and the number of steps. It never solves for the mean or the inverse.

Source: C. Gardiner, Handbook of Stochastic Methods, 2004, section 4.5; B. Leimkuhler and
C. Matthews, AMRX 2013, 34 (averaged noise is exact for harmonic wells).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite.default_device import DEFAULT_LANGEVIN_DEVICE
from gibbsite.langevin_compiler import CompiledPotential, LangevinSamples, compile_potential
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import number
from gibbsite_models.energies.potential import Potential
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["COLDEST", "DEVICE", "MOST_SEED", "GaussianWell", "require_units"]

Floats = NDArray[np.float64]

DEVICE = DEFAULT_LANGEVIN_DEVICE
MU = 1.0
MOST_SEED = (1 << 64) - 1
PILOT_CHAINS = 16
PILOT_DRAWS = 64
SPREAD = 2.0
"""Starts are drawn this many times wider than the pilot's standard deviation."""
ROOM = 4.0
"""Reach over the farthest that a pilot of 1024 states went, so over about 4 deviations."""
ROUNDING = 0.1
"""Most of the smallest eigenvalue that rounding the couplings may change."""
MOST_STEPS = 1_000_000
_NEXT = "use a better conditioned matrix or a build with more langevin_weight_bits (16 at most)"
COLDEST = 1e-100
"""Lowest kT: squares of deviations must not underflow."""
FARTHEST = 1e30
"""Largest reach of a program, and one over its smallest."""


class GaussianWell:
    """Moments and draws of a Gaussian ``A[n, n], b[n]`` from a device that is open.

    Raises: ProgramError for a well that the device cannot hold: too many units, or so ill
    conditioned that the rounding of its couplings would change it by a tenth.
    """

    def __init__(self, A: Floats, b: Floats, kT: float, device: Device, seed: int) -> None:
        kT = number("kT", kT, above=0, least=COLDEST)
        require_units(len(A), device)
        self.A, self.b, self.kT, self.device, self.seed = A, b, kT, device, seed
        eigenvalues = np.linalg.eigvalsh(A)
        self.softest, self.stiffest = float(eigenvalues[0]), float(eigenvalues[-1])
        self.dt = 1 / (MU * self.stiffest)
        self.condition_number = self.stiffest / self.softest
        self.relaxation = math.ceil(self.condition_number)
        """Steps in which the softest mode forgets all but 1/e."""
        # of an over-dispersed start exp(-12), 6e-6 of its distance, is left
        self.burn_in = 12 * self.relaxation
        if self.burn_in > MOST_STEPS:
            raise ProgramError(
                f"the condition number may be {MOST_STEPS // 12} at most and is "
                f"{self.condition_number:.3g}: regularise the matrix or drop what is redundant"
            )
        self.counters: dict[str, int] = {"steps": 0, "cycles": 0, "updates": 0, "saturations": 0}
        self.runs = self.pilots = 0
        self.centre = np.zeros(len(A))
        self._spread = 0.0
        self._require_digits(float(np.linalg.norm(b)) / self.softest)
        # |A^-1 b| <= |b| / softest, and Euler-Maruyama's deviations are sqrt(2) too wide at most
        self._reach = (float(np.linalg.norm(b)) + 12 * math.sqrt(kT * self.softest)) / self.softest
        self._compiled = self._load()
        self._settle()

    def _require_digits(self, farthest: float) -> None:
        """Refuse a well whose place 64-bit numbers do not tell to a tenth of its width."""
        width = math.sqrt(self.kT / self.stiffest)
        if farthest * np.finfo(np.float64).eps > width / 10:
            raise ProgramError(
                f"the solution may be {farthest:.3g} and kT = {self.kT:g} spreads it by "
                f"{width:.3g}, less than 64-bit numbers resolve there: choose a larger kT or scale "
                "b down"
            )

    @property
    def size(self) -> int:
        """n."""
        return len(self.A)

    @property
    def held(self) -> Floats:
        """A as the device's codes hold it."""
        return self._compiled.held.hessian(np.zeros(self.size))

    def midpoints(
        self, chains: int, draws: int, thin: int, progress: Progress | None = None
    ) -> Floats:
        """Draws ``[chains, draws, n]``, ``thin`` steps apart, from over-dispersed starts."""
        drawn = self._run(self.seed, chains, progress, draws=draws * thin + 1)
        assert drawn.states is not None, "states are asked for by default"
        z = drawn.states
        return np.asarray(self.centre + (z[:, :-1:thin] + z[:, 1::thin]) / 2)

    def mean(self, chains: int, draws: int, every: int, progress: Progress | None = None) -> Floats:
        """Means ``[chains, n]`` of so many states each, ``every`` steps apart."""
        pairs = [(i, None) for i in range(self.size)]
        return self.centre + self._moments(pairs, chains, draws, every, progress)

    def second(
        self, chains: int, draws: int, every: int, progress: Progress | None = None
    ) -> Floats:
        """Means of ``z z^T`` about the centre, ``[chains, n, n]``, at the finite dt."""
        rows, columns = np.triu_indices(self.size)
        pairs = list(zip(rows.tolist(), columns.tolist(), strict=True))
        found = self._moments(pairs, chains, draws, every, progress)
        result = np.empty((chains, self.size, self.size))
        result[:, rows, columns] = result[:, columns, rows] = found
        return result

    def info(self) -> dict[str, Any]:
        """What it took, and what was rounded."""
        return {
            "seed": self.seed,
            "device": self.device.info.uri,
            "fingerprint": f"{self.device.info.fingerprint:016x}",
            "kT": self.kT,
            "mu_dt": MU * self.dt,
            "condition_number": self.condition_number,
            "burn_in": self.burn_in,
            "runs": self.runs,
            "pilots": self.pilots,
            **self.counters,
            "rounding": self._compiled.error,
        }

    # --- parts of the above -----------------------------------------------------------------------

    def _load(self) -> CompiledPotential:
        if not 2 / FARTHEST <= self._reach <= FARTHEST / 2:
            raise ProgramError(
                f"the answer and its noise at kT = {self.kT:g} may reach {self._reach:.3g}, with "
                f"the matrix scaled to a diagonal of 1, and must lie in {2 / FARTHEST:g} to "
                f"{FARTHEST / 2:g}: choose other units or another kT"
            )
        J = self.A - np.diag(np.diag(self.A))
        potential = Potential.build(
            self.size, J2=np.diag(self.A) / 2, b=-(self.b - self.A @ self.centre), J=(J + J.T) / 2
        )
        build = self.device.info.langevin
        try:
            compiled = compile_potential(potential, build, reach=self._reach)
        except ProgramError as refused:
            # size and reach were looked at before: it is rounding that leaves no well
            raise ProgramError(
                f"rounding to {build.weight_bits} bits leaves a matrix of condition number "
                f"{self.condition_number:.3g} not positive definite: {_NEXT}"
            ) from refused
        error = compiled.held.hessian(np.zeros(self.size)) - self.A
        change = float(np.abs(np.linalg.eigvalsh(error)).max())
        if change > ROUNDING * self.softest:
            raise ProgramError(
                f"rounding to {build.weight_bits} bits changes the matrix, of condition number "
                f"{self.condition_number:.3g}, by "
                f"{change:.2g} and its smallest eigenvalue, {self.softest:.2g}, allows "
                f"{ROUNDING * self.softest:.2g}: {_NEXT}"
            )
        self.device.load(compiled.program)
        return compiled

    def _settle(self) -> None:
        """Move the origin into the well and shrink the reach, while that gains a factor of two."""
        while True:
            drawn = self._run(
                self._pilot_seed(), PILOT_CHAINS, None, draws=PILOT_DRAWS, coarse=True
            )
            self.pilots += 1
            assert drawn.states is not None, "states are asked for by default"
            # without b the well is known to be at 0, and second moments are about the centre
            mean = drawn.states.mean(axis=(0, 1)) if self.b.any() else np.zeros(self.size)
            away = drawn.states - mean
            farthest = float(np.abs(away).max())
            self._spread = SPREAD * float(away.std(axis=(0, 1)).max())
            shrinks = ROOM * farthest < self._reach / 2
            self.centre = self.centre + mean
            self._reach = ROOM * farthest if shrinks else self._reach
            self._compiled = self._load()
            if not shrinks:
                return

    def _pilot_seed(self) -> int:
        """Seeds of pilots are none of the runs', which have the seed that was given."""
        return int(np.random.SeedSequence([self.seed, self.pilots + 1]).generate_state(1)[0])

    def _moments(
        self,
        pairs: Sequence[tuple[int, int | None]],
        chains: int,
        draws: int,
        every: int,
        progress: Progress | None,
    ) -> Floats:
        """In as many runs of the same chains as the device's memory of pairs needs."""
        most = self.device.info.langevin.pairs
        if not most:
            raise ProgramError(
                "this device has no memory of pairs and accumulates no moments: open a build with "
                "pairs=1024"
            )
        parts = []
        while True:
            reach = self._reach
            for at in range(0, len(pairs), most):
                drawn = self._run(
                    self.seed, chains, progress, measured=draws * every,
                    pairs=pairs[at : at + most], moment_every=every, samples=False,
                )  # fmt: skip
                assert drawn.moments is not None, "pairs were asked for"
                parts.append(drawn.moments)
            if reach == self._reach or len(parts) == 1:
                return np.concatenate(parts, axis=1)
            parts.clear()  # a later part needed another program: all must come from one

    def _run(
        self,
        seed: int,
        chains: int,
        progress: Progress | None,
        *,
        measured: int = 0,
        **fields: Any,
    ) -> LangevinSamples:
        """A run after the burn-in; one that saturates is made again with twice the reach."""
        segments = [Segment(self.burn_in, self.kT, self.dt, measure=False)]
        if measured:
            segments.append(Segment(measured, self.kT, self.dt))
        protocol = Protocol(MU, segments)
        while True:
            request = self._compiled.request(
                protocol, start=0.0, spread=self._spread, seed=seed, chains=chains, **fields
            )
            result = self.device.run(request, progress)
            self.runs += 1
            for name in self.counters:
                self.counters[name] += getattr(result.counters, name)
            if not result.counters.saturations:
                return self._compiled.decode(result, request)
            self._reach *= 2
            self._compiled = self._load()


def require_units(size: int, device: Device) -> None:
    """Refuse more units than the device has.

    Raises: ProgramError with the limit.
    """
    most = device.info.langevin.units
    if size > most:
        raise ProgramError(
            f"{size} unknowns were given and the device holds {most} units: use fewer or a larger "
            f"build (units={size})"
        )

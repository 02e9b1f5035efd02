"""A `ConstraintEnergy` on the Langevin engine: couplings loaded once, everything else streamed.

What is loaded has every row at its strongest, ``lambda_a = max(lambda_a, top)`` where it may be
learned, so that the scales of the program hold whatever `ConstraintEnergy.tighten` and orders ask
for later. Strengths (0 where an order switches a row off), bounds, biases and clamps are
conditions.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial

import numpy as np

from gibbsite.langevin_compiler import LangevinSamples, compile_potential
from gibbsite.ledger.engines import langevin_ledger
from gibbsite.run_account import RunAccount
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_formats import MANTISSA_MAX, NOISE_LIFT
from gibbsite_hw.spec.langevin_program import LangevinCounters
from gibbsite_models.energies.arguments import count, number
from gibbsite_models.energies.constraints import ConstraintEnergy
from gibbsite_models.energies.potential import Array, Condition
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["StreamedEnergy", "cooling"]

SEGMENTS = 32
"""Temperatures of a cooling at most."""


class StreamedEnergy:
    """An energy whose couplings are on a device, run under its own changing strengths.

    ``top`` is the strength up to which learnable rows may grow, ``reach`` the largest |z| that must
    fit. ``loads`` counts what was loaded here, ``runs`` and ``counters`` what ran.

    Raises: ProgramError for an energy that is not normalizable or that the device cannot hold.
    """

    def __init__(
        self, energy: ConstraintEnergy, device: Device, *, top: float, reach: float
    ) -> None:
        self.device = device
        self.top = max(float(top), float(energy.lam.max(initial=0.0)))
        self.runs = 0
        self.counters = LangevinCounters()
        energy.potential.check()
        strongest = np.where(energy.learnable, np.maximum(energy.lam, self.top), energy.lam)
        before = device.loads
        self.account = RunAccount(device)
        """Ledger and meter of the load and of all runs."""
        self._compiled = compile_potential(
            replace(energy.potential, lam=strongest), device.info.langevin, reach=reach
        )
        device.load(self._compiled.program)
        self.loads = device.loads - before
        self._count(LangevinCounters(), runs=0, conditioned=False)

    @property
    def rounding(self) -> dict[str, float]:
        """Largest rounding error of each array that was loaded; see `CompiledPotential.error`."""
        return self._compiled.error

    @property
    def largest_rate(self) -> float:
        """The largest mu dt that a schedule of this program holds.

        Softened rows would allow larger steps than the scales of the strongest ones.
        """
        scales = self._compiled.scales
        return MANTISSA_MAX / 2.0**NOISE_LIFT * scales.energy * scales.length**2

    def run(
        self,
        energy: ConstraintEnergy,
        protocol: Protocol,
        *,
        seed: int,
        chains: int,
        start: Array,
        spread: float = 0.0,
        first_chain: int = 0,
        progress: Progress | None = None,
    ) -> LangevinSamples:
        """The ends of chains under the energy's present strengths; start ``z[n]``, in V's units."""
        potential, before = energy.potential, self.device.loads
        self.account.resume()
        self.device.condition(
            self._compiled.conditions(Condition(potential.b, potential.d, potential.lam))
        )
        request = self._compiled.request(
            protocol, start=start, spread=spread, seed=seed, chains=chains, first_chain=first_chain
        )
        result = self.device.run(request, progress)
        self._count(result.counters, runs=1, conditioned=True)
        self.runs += 1
        for field in fields(LangevinCounters):
            total = getattr(self.counters, field.name) + getattr(result.counters, field.name)
            setattr(self.counters, field.name, total)
        # what was asked are conditions: a load here would be a mistake of this class
        assert self.device.loads == before, "conditions do not load couplings"
        return self._compiled.decode(result, request)

    def _count(self, counters: LangevinCounters, *, runs: int, conditioned: bool) -> None:
        """Into the account; every run sends last states alone."""
        engine = partial(langevin_ledger, counters, self._compiled.program.units)
        self.account.count(engine, kinds=1, runs=runs, conditioned=conditioned)


def cooling(
    energy: ConstraintEnergy,
    steps: int,
    hot: float,
    cold: float,
    mu: float = 1.0,
    largest: float = float("inf"),
) -> Protocol:
    """kT falling geometrically from hot to cold in ``steps`` steps of half the largest stable dt.

    ``largest`` bounds mu dt from above.

    Raises: ProgramError for temperatures that do not fall, fewer than one step, what is no
    number.
    """
    hot, cold, mu = number("hot", hot), number("cold", cold), number("mu", mu, above=0)
    steps = count("steps", steps)
    if not 0 < cold <= hot:
        raise ProgramError(
            f"kT must fall from a finite hot to cold > 0 and goes from {hot} to {cold}: give these"
        )
    # rows and soft penalties are all there is: curvature does not depend on where z is
    dt = min(0.5 * energy.potential.largest_stable_dt(mu, 0.0), largest / mu)
    parts = min(SEGMENTS, steps)
    lengths = [steps // parts + (k < steps % parts) for k in range(parts)]
    kTs = np.geomspace(hot, cold, parts + 1)[1:]
    return Protocol(mu, [Segment(n, kT, dt) for n, kT in zip(lengths, kTs.tolist(), strict=True)])

"""Sampling a potential on a device: `LangevinSampler`.

    dz = -mu grad V(z; c) dt + sqrt(2 mu kT) dW        ->        z ~ exp(-V(z; c) / kT)

after ``n_steps`` Euler-Maruyama steps of ``dt`` from a start. Names and arguments follow S.
Whitelam's design of a thermodynamic computer (arXiv:2506.15121).

    with LangevinSampler(potential, LangevinConfig(kT=0.5, dim=8)) as sampler:
        draws = sampler.sample(n_samples=1000, seed=7)      # 1000 independent chains
        path = sampler.trajectory(seed=7, every=10, chains=64)
        sampler.estimate_entropy_production(path)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Self
from typing import Protocol as Interface

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.devices import open as open_device
from gibbsite.langevin_compiler import CompiledPotential, LangevinSamples, compile_potential
from gibbsite.langevin_entropy import EntropyProduction, entropy_production
from gibbsite.langevin_reach import natural_reach
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["LangevinConfig", "LangevinDraws", "LangevinSampler", "Trajectory"]

Floats = NDArray[np.float64]

DEVICE = "golden:?engines=langevin"
"""Where a sampler draws unless it is told otherwise."""


class EnergyModel(Interface):
    """Anything that has a potential: `ConstraintEnergy` and its kin."""

    @property
    def potential(self) -> Potential:
        """V."""
        ...


@dataclass(frozen=True, slots=True)
class LangevinConfig:
    """Mobility, temperature, time step, steps of a sample and the number of units.

    Raises `ProgramError` for settings that no dynamics has.
    """

    mu: float = 1.0
    kT: float = 1.0
    dt: float = 0.01
    n_steps: int = 1000
    dim: int = 64

    def __post_init__(self) -> None:
        for name in ("n_steps", "dim"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ProgramError(f"{name} must be a whole number from 1, not {value!r}: give one")
        Protocol(self.mu, [Segment(self.n_steps, self.kT, self.dt)])

    def protocol(self) -> Protocol:
        """All steps at one temperature."""
        return Protocol(self.mu, [Segment(self.n_steps, self.kT, self.dt)])


@dataclass(frozen=True, slots=True, eq=False)
class LangevinDraws:
    """Independent samples: ``states[n_samples, dim]``; ``numpy.asarray`` gives these.

    ``energies``, ``heat``, ``work`` ``[n_samples]``: V of the state, heat given to the bath and
    work done on the way there. ``info``: seed, device, counters, timing, rounding errors.
    """

    states: Floats
    energies: Floats
    heat: Floats
    work: Floats
    info: dict[str, Any]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.array(self.states, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.states)

    def __iter__(self) -> Iterator[Floats]:
        return iter(self.states)

    @property
    def best(self) -> Floats:
        """The sample of lowest energy, ``[dim]``."""
        lowest: Floats = self.states[int(self.energies.argmin())]
        return lowest


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Frames of chains from the start on, every ``every``-th step.

    ``steps[frames]``, ``states[chains, frames, dim]``; ``energies``, ``work``, ``heat``
    ``[chains, frames]`` since the start; ``kT[frames]`` of the step that led to each frame.
    """

    steps: NDArray[np.int64]
    states: Floats
    energies: Floats
    work: Floats
    heat: Floats
    kT: Floats
    info: dict[str, Any]


class LangevinSampler:
    """Draws from ``exp(-V / kT)`` on a device that has a Langevin engine.

    ``energy_model`` is a `Potential` or has one; ``device`` an open device or an address, opened
    when first needed and closed with the sampler. ``reach`` is the largest |z| that must fit, by
    default what a short float run visits with a margin; ``start`` and ``spread`` draw first states.

    Raises `ProgramError` for ill-posed settings, before anything runs: a dimension that is not the
    model's, a V that is not normalizable, a dt that is unstable (with the largest stable one).
    """

    def __init__(
        self,
        energy_model: Potential | EnergyModel,
        config: LangevinConfig | None = None,
        device: Device | str = DEVICE,
        *,
        reach: float | None = None,
        start: ArrayLike = 0.0,
        spread: float = 0.0,
    ) -> None:
        self.energy_model = energy_model
        potential = _potential(energy_model)
        self.config = config or LangevinConfig(dim=potential.size)
        if self.config.dim != potential.size:
            raise ProgramError(
                f"dim is {self.config.dim} and the energy has {potential.size} units: give "
                f"LangevinConfig(dim={potential.size})"
            )
        self._start = np.broadcast_to(np.asarray(start, dtype=np.float64), (potential.size,))
        if not (np.isfinite(self._start).all() and np.isfinite(spread) and spread >= 0):
            raise ProgramError(
                f"start and spread must be finite, spread at least 0, not {spread}: give numbers"
            )
        self._spread = float(spread)
        self._address = device if isinstance(device, str) else None
        self._device = None if isinstance(device, str) else device
        self._reach = reach
        self._compiled: CompiledPotential | None = None
        self._require_stable(potential, self.config.protocol(), {})

    def sample(
        self,
        condition: Condition | None = None,
        n_samples: int = 1,
        seed: int = 0,
        *,
        protocol: Protocol | None = None,
        progress: Progress | None = None,
    ) -> LangevinDraws:
        """The ends of ``n_samples`` independent chains; equal arguments give equal samples.

        ``condition`` streams b, d, lambda and clamps without touching couplings; ``protocol``
        replaces the configuration's steps, to anneal or to drive.
        """
        if isinstance(n_samples, bool) or not isinstance(n_samples, int) or n_samples < 1:
            raise ProgramError(f"n_samples must be a whole number from 1, not {n_samples!r}")
        drawn, info = self._run(
            condition, protocol, progress, seed=seed, chains=n_samples, best=False
        )
        assert drawn.states is not None, "states were asked for"
        return LangevinDraws(
            drawn.states[:, 0], drawn.energies[:, 0], drawn.heat[:, 0], drawn.work[:, 0], info
        )

    def trajectory(
        self,
        condition: Condition | None = None,
        seed: int = 0,
        *,
        every: int = 1,
        chains: int = 1,
        protocol: Protocol | None = None,
        progress: Progress | None = None,
    ) -> Trajectory:
        """Frames of ``chains`` chains: the start, and the state after every ``every``-th step."""
        steps = (protocol or self.config.protocol()).steps
        if not 1 <= every <= steps:
            raise ProgramError(f"every must lie in 1..{steps}, the steps of a chain, not {every}")
        drawn, info = self._run(
            condition, protocol, progress, seed=seed, chains=chains, trajectory=True, thin=every,
            draws=steps // every + 1,
        )  # fmt: skip
        assert drawn.states is not None, "states were asked for"
        segments = (protocol or self.config.protocol()).segments
        kT = np.repeat([segment.kT for segment in segments], [seg.steps for seg in segments])
        return Trajectory(
            steps=drawn.steps,
            states=drawn.states,
            energies=drawn.energies,
            work=drawn.work,
            heat=drawn.heat,
            kT=kT[np.maximum(drawn.steps - 1, 0)],
            info=info,
        )

    def estimate_entropy_production(self, trajectory: Trajectory) -> EntropyProduction:
        """Entropy produced along trajectories, with error bars; see `gibbsite.langevin_entropy`."""
        return entropy_production(trajectory.heat, trajectory.states, trajectory.kT)

    def close(self) -> None:
        """Give back a device that the sampler opened; closing twice is allowed."""
        if self._address is not None and self._device is not None:
            self._device.close()
            self._device = None
            self._compiled = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- parts of the above -----------------------------------------------------------------------

    def _run(
        self,
        condition: Condition | None,
        protocol: Protocol | None,
        progress: Progress | None,
        **fields: Any,
    ) -> tuple[LangevinSamples, dict[str, Any]]:
        wanted, steps = condition or Condition(), protocol or self.config.protocol()
        compiled, device = self._loaded(wanted, steps)
        request = compiled.request(steps, start=self._start, spread=self._spread, **fields)
        began = perf_counter_ns()
        result = device.run(request, progress)
        took = perf_counter_ns() - began
        drawn = compiled.decode(result, request)
        return drawn, _info(compiled, device, request, result, took)

    def _loaded(self, condition: Condition, protocol: Protocol) -> tuple[CompiledPotential, Device]:
        """The model on the device, under a condition; loaded anew only if it does not fit."""
        model = _potential(self.energy_model)
        wanted = model.conditioned(condition)
        self._require_stable(wanted, protocol, condition.clamps)
        if self._device is None:
            assert self._address is not None, "a sampler has a device or an address"
            self._device = open_device(self._address)
        if self._compiled is not None and _same_couplings(self._compiled.potential, wanted):
            full = Condition(wanted.b, wanted.d, wanted.lam, condition.clamps)
            try:
                self._device.condition(self._compiled.conditions(full))
            except ProgramError:
                self._compiled = None  # beyond the scales: load it anew below
            else:
                return self._compiled, self._device
        reach = self._reach or natural_reach(wanted, protocol, self._start, self._spread, condition)
        compiled = compile_potential(
            wanted, self._device.info.langevin, reach=reach, headroom=2.0, clamps=condition.clamps
        )
        self._device.load(compiled.program)
        self._compiled = compiled
        return compiled, self._device

    def _require_stable(self, potential: Potential, protocol: Protocol, clamps: Any) -> None:
        reach = self._reach if self._reach is not None else self._quartic_reach(potential)
        protocol.check(potential, reach, clamps)

    def _quartic_reach(self, potential: Potential) -> float:
        """How far quartic units go: where J4 z^4 holds 10 kT more than what pulls outwards."""
        wells = potential.J4 > 0
        if not wells.any():
            return 0.0
        pull = np.maximum(-potential.J2, 0)[wells] / potential.J4[wells]
        heat = (10 * max(self.config.kT, 1e-3) / potential.J4[wells]) ** 0.25
        return float((np.sqrt(pull) + heat).max())


def _potential(model: Potential | EnergyModel) -> Potential:
    return model if isinstance(model, Potential) else model.potential


def _same_couplings(one: Potential, two: Potential) -> bool:
    """Whether two potentials differ in conditions alone."""
    names = ("J2", "J4", "J", "K", "hinge", "force")
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def _info(
    compiled: CompiledPotential,
    device: Device,
    request: LangevinRequest,
    result: LangevinResult,
    took: int,
) -> dict[str, Any]:
    return {
        "seed": request.seed,
        "device": device.info.uri,
        "fingerprint": f"{device.info.fingerprint:016x}",
        **asdict(result.counters),
        "words_in": result.words_in,
        "words_out": result.words_out,
        "timing": {"sampling_ns": took},
        "rounding": compiled.error,
        "joules": None,
    }

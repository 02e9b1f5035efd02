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

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self
from typing import Protocol as Interface

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gibbsite.argument_kinds import refuse_no_functions
from gibbsite.default_device import DEFAULT_LANGEVIN_DEVICE
from gibbsite.devices import open as open_device
from gibbsite.langevin_compiler import CompiledPotential, LangevinSamples, compile_potential
from gibbsite.langevin_draws import (
    LangevinDraws,
    Moments,
    Trajectory,
    frame_temperatures,
    run_info,
    timed_run,
)
from gibbsite.langevin_entropy import EntropyProduction, entropy_production
from gibbsite.langevin_reach import natural_reach, require_stable
from gibbsite.langevin_slot import LangevinSlot
from gibbsite.ledger.engines import langevin_ledger
from gibbsite.run_account import RunAccount
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import count, number, numbers
from gibbsite_models.energies.potential import Condition, Potential
from gibbsite_models.langevin_float import Protocol, Segment

__all__ = ["LangevinConfig", "LangevinDraws", "LangevinSampler", "Moments", "Trajectory"]

Floats = NDArray[np.float64]

DEVICE = DEFAULT_LANGEVIN_DEVICE
"""Where a sampler draws unless it is told otherwise."""

HEADROOM = 4.0
"""Times that b, d and lambda may grow in a condition before a program of its own is made for it."""

WIDENINGS = 10
"""Times that a run whose states saturate is made again with four times the reach."""


CLAIM = "none: states after so many steps from the start; relaxation is not checked"


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
            object.__setattr__(self, name, count(name, getattr(self, name)))
        for name in ("mu", "kT", "dt"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        self.protocol()

    def protocol(self) -> Protocol:
        """All steps at one temperature."""
        return Protocol(self.mu, [Segment(self.n_steps, self.kT, self.dt)])


class LangevinSampler:
    """Draws from ``exp(-V / kT)`` on a device that has a Langevin engine.

    What it draws are states after ``n_steps`` steps from the start: they follow that law once
    ``n_steps dt`` is several relaxation times, which the sampler does not check and says so
    (``info["claim"]``), and up to the error of a finite dt: the variance of a direction of
    curvature h is ``kT / (h (1 - mu h dt / 2))``. ``info["dt_bias"]`` is what this adds at the
    largest h, of itself; of quartic units at the root mean square of the states.

    ``energy_model`` is a `Potential` or has one; ``device`` an open device or an address, opened
    when first needed and closed with the sampler. ``start`` and ``spread`` draw first states.
    ``condition`` holds where a call names none. ``reach`` is the largest |z| that must fit; by
    default it is estimated, and a run whose states do not fit is made again with a larger one; with
    a ``reach`` of yours what does not fit is saturated, and ``info["saturations"]`` counts it.
    Equal arguments give equal samples, whatever was drawn before.

    Raises `ProgramError` for ill-posed settings, before anything runs: a dimension that is not the
    model's, a V that is not normalizable, a dt that is unstable (with the largest stable one).
    """

    def __init__(
        self,
        energy_model: Potential | EnergyModel,
        config: LangevinConfig | None = None,
        device: Device | str = DEVICE,
        *,
        condition: Condition | None = None,
        reach: float | None = None,
        start: ArrayLike = 0.0,
        spread: float = 0.0,
    ) -> None:
        self.energy_model = energy_model
        potential = _potential(energy_model)
        self.config = config if config is not None else LangevinConfig(dim=potential.size)
        if not isinstance(self.config, LangevinConfig):
            raise ProgramError(
                f"the configuration is a LangevinConfig(...), not {type(config).__name__}: make one"
            )
        if self.config.dim != potential.size:
            raise ProgramError(
                f"dim is {self.config.dim} and the energy has {potential.size} units: give "
                f"LangevinConfig(dim={potential.size})"
            )
        self._condition = _condition(condition, Condition())
        self._start = _start(start, potential.size)
        self._spread = number("spread", spread, least=0)
        self._reach = None if reach is None else number("reach", reach, above=0)
        self._address = device if isinstance(device, str) else None
        self._slot = None if isinstance(device, str) else LangevinSlot(_device(device))
        self._base: tuple[Potential, float, CompiledPotential] | None = None
        self._require_stable(potential.conditioned(self._condition), self._condition, self.config)

    def sample(
        self,
        condition: Condition | None = None,
        n_samples: int = 1,
        seed: int = 0,
        *,
        best: bool = False,
        protocol: Protocol | None = None,
        progress: Progress | None = None,
    ) -> LangevinDraws:
        """The ends of ``n_samples`` independent chains; equal arguments give equal samples.

        ``condition`` streams b, d, lambda and clamps without touching couplings; ``protocol``
        replaces the configuration's steps, to anneal or to drive; with ``best`` the device also
        keeps the state of lowest energy of every chain.
        """
        chains = count("n_samples", n_samples)
        drawn, info = self._run(
            condition, protocol, progress, seed=_seed(seed), chains=chains, best=bool(best)
        )
        assert drawn.states is not None, "states were asked for"
        kept, lowest = drawn.best_states, drawn.best_energies
        return LangevinDraws(
            states=drawn.states[:, 0],
            energies=drawn.energies[:, 0],
            heat=drawn.heat[:, 0],
            work=drawn.work[:, 0],
            best_states=None if kept is None else kept[:, 0],
            best_energies=None if lowest is None else lowest[:, 0],
            info=info,
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
        """Frames of ``chains`` chains: the start, and the state after every ``every``-th step.

        The last frame is that of the last multiple of ``every``.
        """
        wanted = _protocol(protocol, self.config)
        thin = count("every", every)
        if thin > wanted.steps:
            raise ProgramError(
                f"every must lie in 1..{wanted.steps}, the steps of a chain, and is {every}: give "
                "one of these"
            )
        drawn, info = self._run(
            condition, protocol, progress, seed=_seed(seed), chains=count("chains", chains),
            trajectory=True, thin=thin, draws=wanted.steps // thin + 1,
        )  # fmt: skip
        assert drawn.states is not None, "states were asked for"
        return Trajectory(
            steps=drawn.steps,
            states=drawn.states,
            energies=drawn.energies,
            work=drawn.work,
            heat=drawn.heat,
            kT=frame_temperatures(wanted, drawn.steps),
            info=info,
        )

    def moments(
        self,
        condition: Condition | None = None,
        seed: int = 0,
        *,
        chains: int = 64,
        every: int = 1,
        progress: Progress | None = None,
    ) -> Moments:
        """Mean and covariance summed on the device, after every ``every``-th step.

        Each chain takes ``n_steps`` steps first, which do not count, and as many that do. Raises
        `ProgramError` where the device's pairs do not hold all n (n + 3) / 2 sums.
        """
        n, config = self.config.dim, self.config
        if count("every", every) > config.n_steps:
            raise ProgramError(
                f"every must lie in 1..{config.n_steps}, the steps that count, and is {every}: "
                "give one of these"
            )
        pairs: list[tuple[int, int | None]] = [(i, None) for i in range(n)]
        pairs += [(i, j) for i in range(n) for j in range(i, n)]
        steps = (config.n_steps, config.kT, config.dt)
        protocol = Protocol(config.mu, [Segment(*steps, measure=False), Segment(*steps)])
        drawn, info = self._run(
            condition, protocol, progress, seed=_seed(seed), chains=count("chains", chains),
            pairs=pairs, moment_every=count("every", every), samples=False,
        )  # fmt: skip
        assert drawn.moments is not None, "moments were asked for"
        return Moments.of(drawn.moments, n, info)

    def estimate_entropy_production(self, trajectory: Trajectory) -> EntropyProduction:
        """Entropy produced along trajectories, with error bars; see `gibbsite.langevin_entropy`."""
        if not isinstance(trajectory, Trajectory):
            raise ProgramError(
                f"entropy is produced along a trajectory, and {type(trajectory).__name__} is none: "
                "give what trajectory() returned"
            )
        return entropy_production(trajectory.heat, trajectory.states, trajectory.kT)

    def close(self) -> None:
        """Give back a device that the sampler opened; closing twice is allowed."""
        if self._address is not None and self._slot is not None:
            self._slot.device.close()
            self._slot = None

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
        refuse_no_functions(progress=progress)
        under = _condition(condition, self._condition)
        steps = _protocol(protocol, self.config)
        model = _potential(self.energy_model)
        self._require_stable(model.conditioned(under), under, self.config, steps)
        slot, discarded = self._opened(), 0
        account = RunAccount(slot.device)
        for widening in range(WIDENINGS):
            compiled = self._compiled(model, under, steps, 4.0**widening, slot.device)
            request = compiled.request(steps, start=self._start, spread=self._spread, **fields)
            slot.put(compiled)
            result, took = timed_run(slot.device, request, progress)
            account.count(
                partial(langevin_ledger, result.counters, compiled.program.units),
                kinds=int(request.samples) + int(request.best),
            )
            if not result.counters.saturations or self._reach is not None:
                drawn = compiled.decode(result, request)
                info = run_info(compiled, slot.device, request, result, took, account)
                info |= {"widenings": widening, "discarded_steps": discarded}
                info |= {"certificate": {"verdict": "unknown", "reason": CLAIM}}
                info |= {"claim": CLAIM, "dt_bias": _dt_bias(compiled, steps, under, drawn)}
                return drawn, info
            discarded += result.counters.steps
        raise ProgramError(
            f"states leave every reach up to {4.0 ** (WIDENINGS - 1):g} times the estimate: give "
            "reach=, or look whether V holds them"
        )

    def _opened(self) -> LangevinSlot:
        if self._slot is None:
            assert self._address is not None, "a sampler has a device or an address"
            self._slot = LangevinSlot(open_device(self._address))
        return self._slot

    def _compiled(
        self,
        model: Potential,
        condition: Condition,
        protocol: Protocol,
        widening: float,
        device: Device,
    ) -> CompiledPotential:
        """The program of the sampler's own condition where another fits it; else one of its own.

        Either follows from the arguments alone, not from what was drawn before.
        """
        full = model.conditioned(condition)
        own = model.conditioned(self._condition)
        build, clamps = device.info.langevin, self._condition.clamps
        if self._base is None or not _same(self._base[0], own) or self._base[1] != widening:
            reach = widening * self._reach_of(own, self.config.protocol(), clamps)
            base = compile_potential(own, build, reach=reach, headroom=HEADROOM, clamps=clamps)
            self._base = own, widening, base
        try:
            wanted = Condition(full.b, full.d, full.lam, condition.clamps)
            return self._base[2].under(wanted)
        except ProgramError:  # beyond the scales of the program
            reach = widening * self._reach_of(full, protocol, condition.clamps)
            return compile_potential(full, build, reach=reach, clamps=condition.clamps)

    def _reach_of(
        self, potential: Potential, protocol: Protocol, clamps: Mapping[int, float]
    ) -> float:
        if self._reach is not None:
            return self._reach
        return natural_reach(potential, protocol, self._start, self._spread, clamps)

    def _require_stable(
        self,
        potential: Potential,
        condition: Condition,
        config: LangevinConfig,
        protocol: Protocol | None = None,
    ) -> None:
        steps = protocol or config.protocol()
        most = np.inf if self._reach is None else self._reach
        require_stable(potential, steps, self._start, self._spread, condition.clamps, most)


def _potential(model: Potential | EnergyModel) -> Potential:
    found = model if isinstance(model, Potential) else getattr(model, "potential", None)
    if not isinstance(found, Potential):
        raise ProgramError(
            f"an energy model is a Potential or has one, and {type(model).__name__} is and has "
            "none: give gibbsite.Potential.build(...)"
        )
    return found


def _device(device: Device) -> Device:
    if not isinstance(device, Device):
        raise ProgramError(
            f"a device is an open one or an address, not {device!r}: give gibbsite.open(...)"
        )
    return device


def _condition(condition: Condition | None, default: Condition) -> Condition:
    if condition is None:
        return default
    if not isinstance(condition, Condition):
        raise ProgramError(
            f"a condition is a Condition(bias=, d=, lam=, clamps=), not {type(condition).__name__} "
            "(the number of samples is n_samples=): make one"
        )
    return condition


def _dt_bias(
    compiled: CompiledPotential, protocol: Protocol, condition: Condition, drawn: LangevinSamples
) -> float:
    """``1 / (1 - mu h dt / 2) - 1`` of the stiffest direction at the protocol's end."""
    last = protocol.segments[-1]
    size = 0.0 if drawn.states is None else float(np.sqrt((drawn.states[:, -1] ** 2).mean()))
    largest = compiled.potential.largest_stable_dt(
        protocol.mu, size, last.strengths, condition.clamps
    )
    return float(1 / (1 - min(last.dt / largest, 0.999)) - 1)


def _protocol(protocol: Protocol | None, config: LangevinConfig) -> Protocol:
    if protocol is None:
        return config.protocol()
    if not isinstance(protocol, Protocol):
        raise ProgramError(
            f"a protocol is a Protocol(mu, segments), not {type(protocol).__name__}: make one"
        )
    return protocol


def _start(start: ArrayLike, size: int) -> Floats:
    given = numbers("start", start)
    if given.shape not in ((), (1,), (size,)) or not np.isfinite(given).all():
        raise ProgramError(
            f"start must be one finite number or {size} of them, and is {start!r}: give these"
        )
    return np.array(np.broadcast_to(given, (size,)))


def _seed(seed: object) -> int:
    found = count("the seed", seed, least=0)
    if found >= 1 << 64:
        raise ProgramError(f"the seed must lie in 0..2^64-1 and is {found}: give one of these")
    return found


def _same(one: Potential, two: Potential) -> bool:
    """Whether two potentials are equal in every number."""
    names = ("J2", "J4", "b", "J", "K", "d", "lam", "hinge", "force")
    return one is two or all(np.array_equal(getattr(one, n), getattr(two, n)) for n in names)

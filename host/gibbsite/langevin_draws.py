"""What a `LangevinSampler` gives: samples, trajectories and moments, each with its `info`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite.langevin_compiler import CompiledPotential
from gibbsite.run_account import RunAccount
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.langevin_program import LangevinRequest, LangevinResult
from gibbsite_models.langevin_float import Protocol

__all__ = ["LangevinDraws", "Moments", "Trajectory", "run_info", "frame_temperatures", "timed_run"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LangevinDraws:
    """Independent samples: ``states[n_samples, dim]``; ``numpy.asarray`` gives these.

    ``energies``, ``heat``, ``work`` ``[n_samples]``: V of the state, heat given to the bath and
    work done on the way there. ``best_states``, ``best_energies``: the lowest that each chain saw,
    kept on the device, or None. ``info``: seed, device, counters, timing, rounding errors.
    """

    states: Floats
    energies: Floats
    heat: Floats
    work: Floats
    best_states: Floats | None
    best_energies: Floats | None
    info: dict[str, Any]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.array(self.states, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.states)

    def __iter__(self) -> Iterator[Floats]:
        return iter(self.states)

    @property
    def best(self) -> Floats:
        """The state of lowest energy, ``[dim]``: of all that was kept, else of the samples."""
        if self.best_states is None or self.best_energies is None:
            return np.asarray(self.states[int(self.energies.argmin())])
        return np.asarray(self.best_states[int(self.best_energies.argmin())])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trajectory:
    """Frames of chains from the start on, every ``every``-th step.

    ``steps[frames]``, ``states[chains, frames, dim]``; ``energies``, ``work``, ``heat``
    ``[chains, frames]`` since the start; ``kT[frames]`` of the steps since the frame before, NaN
    where these had several or were not measured.
    """

    steps: NDArray[np.int64]
    states: Floats
    energies: Floats
    work: Floats
    heat: Floats
    kT: Floats
    info: dict[str, Any]

    def __repr__(self) -> str:
        chains, frames, units = self.states.shape
        return (
            f"Trajectory(chains={chains}, frames={frames}, units={units}, steps={self.steps[-1]})"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """``mean[n]`` and ``covariance[n, n]``, with standard errors over independent chains."""

    mean: Floats
    covariance: Floats
    mean_error: Floats
    covariance_error: Floats
    info: dict[str, Any]

    @classmethod
    def of(cls, sums: Floats, units: int, info: dict[str, Any]) -> Moments:
        """From mean products ``[chains, n + n (n + 1) / 2]``: all z_i, then all z_i z_j, i <= j."""
        chains = len(sums)
        first, second = sums[:, :units], sums[:, units:]
        mean = first.mean(axis=0)
        i, j = np.triu_indices(units)
        # about the common mean: exact to first order in the chains' own
        product = second - first[:, i] * mean[j] - first[:, j] * mean[i] + mean[i] * mean[j]
        covariance, error = np.zeros((units, units)), np.full((units, units), np.nan)
        covariance[i, j] = covariance[j, i] = product.mean(axis=0)
        mean_error = np.full(units, np.nan)
        if chains > 1:
            mean_error = first.std(axis=0, ddof=1) / np.sqrt(chains)
            error[i, j] = error[j, i] = product.std(axis=0, ddof=1) / np.sqrt(chains)
        return cls(mean, covariance, mean_error, error, info)


def frame_temperatures(protocol: Protocol, steps: NDArray[np.int64]) -> Floats:
    """kT of the steps up to each of ``steps`` since the one before; NaN where there is not one."""
    segments = protocol.segments
    settings = [segment.kT if segment.measure else np.nan for segment in segments]
    of_step = np.repeat(settings, [segment.steps for segment in segments])
    found = np.full(len(steps), np.nan)
    for frame in range(1, len(steps)):
        between = of_step[steps[frame - 1] : steps[frame]]
        if (between == between[0]).all():
            found[frame] = between[0]
    return found


def timed_run(
    device: Device, request: LangevinRequest, progress: Progress | None
) -> tuple[LangevinResult, int]:
    """A run and the nanoseconds that it took."""
    began = perf_counter_ns()
    result = device.run(request, progress)
    return result, perf_counter_ns() - began


def run_info(
    compiled: CompiledPotential,
    device: Device,
    request: LangevinRequest,
    result: LangevinResult,
    took: int,
    account: RunAccount,
) -> dict[str, Any]:
    """What every result says of the run that it came from; the ledger counts discarded ones too."""
    ledger, reading = account.close()
    return {
        "seed": request.seed,
        "device": device.info.uri,
        "fingerprint": f"{device.info.fingerprint:016x}",
        **asdict(result.counters),
        "words_in": result.words_in,
        "words_out": result.words_out,
        "timing": {"sampling_ns": took},
        "rounding": compiled.error,
        "ledger": ledger.model_dump(mode="json"),
        "joules": ledger.joules,
        "joules_provenance": reading.provenance,
    }

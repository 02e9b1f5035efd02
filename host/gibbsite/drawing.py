"""Drawing reads from a device: batches of chains, one after the other, put together.

A chain's number alone decides its randomness, so however reads are cut into batches, they come out
the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from time import perf_counter_ns
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from gibbsite.compiler import CompiledModel, Decoded
from gibbsite.conditioning import Conditioned
from gibbsite_hw.spec.device import Device, Progress
from gibbsite_hw.spec.program import Counters, RunRequest

__all__ = ["Batch", "Drawn", "Interrupt", "WordCounter", "draw", "moved", "moved_words"]

Interrupt = Callable[[], bool]
"""Asked between reads; True ends the sampling with the reads so far."""

AT_ONCE = 1 << 24
"""State words of one run, which bounds the memory that a run takes."""


@runtime_checkable
class WordCounter(Protocol):
    """A device that counts the words on its streams, as `Driver` does."""

    @property
    def words_sent(self) -> int:
        """Words that went into it since it was opened."""
        ...

    @property
    def words_received(self) -> int:
        """Words that came out of it since it was opened."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Chains that differ in nothing but their number."""

    first_chain: int
    chains: int
    draws: int
    state: array[int] | None = None


@dataclass(slots=True)
class Drawn:
    """The reads of all batches in order, with what they cost."""

    decoded: Decoded
    chain: NDArray[np.int64]
    draw: NDArray[np.int64]
    counters: Counters = field(default_factory=Counters)
    sampling_ns: int = 0
    runs: int = 0
    interrupted: bool = False


def draw(
    device: Device,
    compiled: CompiledModel,
    under: Conditioned,
    batches: Sequence[Batch],
    request: RunRequest,
    *,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
) -> Drawn:
    """Run all batches with the betas, seed and sweeps of `request`.

    ``interrupt`` is asked after every chain; ``progress`` hears reads done and reads in all.
    """
    parts: list[Decoded] = []
    chains: list[NDArray[np.int64]] = []
    draws: list[NDArray[np.int64]] = []
    counters, sampling_ns, done, interrupted = Counters(), 0, 0, False
    runs = 0
    total = sum(batch.chains * batch.draws for batch in batches)
    for batch in _cut(batches, len(compiled.program.rows), interrupt is not None):
        part = RunRequest(
            betas=request.betas,
            seed=request.seed,
            chains=batch.chains,
            draws=batch.draws,
            first_chain=batch.first_chain,
            sweeps_per_step=request.sweeps_per_step,
            thin=request.thin,
            samples=not request.best,
            best=request.best,
            state=batch.state,
        )
        began = perf_counter_ns()
        runs += 1
        result = device.run(part, _shifted(progress, done, total))
        sampling_ns += perf_counter_ns() - began
        parts.append(compiled.decode(result, under, best=request.best))
        numbers = np.arange(result.reads, dtype=np.int64)
        chains.append(batch.first_chain + numbers // batch.draws)
        draws.append(numbers % batch.draws)
        done += result.reads
        for counter in fields(Counters):
            name = counter.name
            setattr(counters, name, getattr(counters, name) + getattr(result.counters, name))
        if interrupt is not None and interrupt():
            interrupted = True
            break
    decoded = Decoded(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.energies for part in parts]),
        np.concatenate([part.device_energies for part in parts]),
    )
    return Drawn(
        decoded,
        np.concatenate(chains),
        np.concatenate(draws),
        counters,
        sampling_ns,
        runs,
        interrupted,
    )


def moved_words(device: Device) -> tuple[int, int] | None:
    """Words into and out of the device since it was opened; None if it does not count them."""
    if isinstance(device, WordCounter):
        return device.words_sent, device.words_received
    return None


def moved(before: tuple[int, int] | None, after: tuple[int, int] | None) -> tuple[int, int] | None:
    """Words into and out of the device between two calls of `moved_words`."""
    if before is None or after is None:
        return None
    return after[0] - before[0], after[1] - before[1]


def _cut(batches: Sequence[Batch], rows: int, single: bool) -> Iterator[Batch]:
    """The batches in parts that memory holds, or chain by chain."""
    for batch in batches:
        step = 1 if single else max(1, AT_ONCE // (rows * batch.draws))
        for begin in range(0, batch.chains, step):
            count = min(step, batch.chains - begin)
            yield Batch(batch.first_chain + begin, count, batch.draws, batch.state)


def _shifted(progress: Progress | None, before: int, total: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, _all: progress(before + done, total)

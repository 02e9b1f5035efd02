"""Rounds of parallel tempering over any engine: sweep on the device, swap on the ladder.

The words and equations are those of `gibbsite.tempering`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite.argument_kinds import ArgumentError, refuse_no_functions
from gibbsite.replicas import Words
from gibbsite.schedules import positive
from gibbsite.tempering_clusters import ClusterMoves
from gibbsite.tempering_engines import LadderEngine
from gibbsite.tempering_statistics import Travels
from gibbsite.tempering_swaps import SWAP_STREAM, accepts, uniforms
from gibbsite_hw.spec.device import Progress

__all__ = ["Observer", "Stop", "TemperingResult", "temper"]

Integers: TypeAlias = NDArray[np.int64]

Observer = Callable[[int, Words, Integers], None]
"""Sees every round after its swaps: its number, states ``[groups, betas, words]``, energies."""

Stop = Callable[[int, int], bool]
"""Asked after every round with its number and the lowest energy code so far; True ends the run."""

CHAIN_NUMBERS = 1 << 31
"""Chain numbers of a run; the upper half of the 32 bits belongs to pilots."""


@dataclass(slots=True)
class TemperingResult:
    """What a run found and how well its ladder worked.

    ``betas``        the ladder in the model's unit, hottest first; ``beta_codes`` the device's
    ``best_energy``  lowest energy at the end of any round, in the model's unit; ``best_code`` its
                     code, ``best_words`` its state, ``best_round`` when it was first seen
    ``best``         {variable: value} of that state (empty for an engine without variables)
    ``energies``     codes ``[rounds, groups, betas]`` after the sweeps of each round
    ``lowest``       lowest code so far, ``[rounds]``
    ``swap_rates``   accepted share of each neighbouring pair, ``[betas - 1]``
    ``round_trips``  hot to cold to hot, by walker, ``[groups, betas]``
    ``flow``         by place, the share of visits by walkers that came from the hottest end
    ``counters``     the device's, and ``host_*``: swaps tried and made, sites exchanged by clusters
    ``timing``       nanoseconds on the device and on the host
    ``info``         of `ParallelTempering`: device, seed, quantization, and the account of all runs
                     of the device, those that found the ladder among them, as `Sampler` gives it
    """

    betas: list[float]
    beta_codes: list[int]
    best_energy: float
    best_code: int
    best_words: Words
    best_round: int
    energies: Integers
    lowest: Integers
    swap_rates: NDArray[np.float64]
    round_trips: Integers
    flow: NDArray[np.float64]
    rounds: int
    seed: int
    states: Words
    counters: dict[str, int] = field(default_factory=dict)
    timing: dict[str, int] = field(default_factory=dict)
    best: dict[Hashable, int] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)


def temper(
    engine: LadderEngine,
    codes: Words,
    *,
    rounds: int,
    seed: int,
    groups: int = 1,
    sweeps: int = 10,
    clusters: ClusterMoves | None = None,
    clusters_from: int = 0,
    first_chain: int = 0,
    observer: Observer | None = None,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> TemperingResult:
    """Temper what is loaded on an engine with a ladder of beta codes, hottest first.

    Replica k of round t is chain ``first_chain + t * K + k``. Clusters move at places from
    ``clusters_from`` on. Raises `ArgumentError` if there are
    more of them than chain numbers.
    """
    refuse_no_functions(observer=observer, stop=stop, progress=progress)
    count = positive("rounds", rounds)
    betas, replicas = len(codes), groups * len(codes)
    left = _numbers_from(positive("first_chain", first_chain, 0))
    if count * replicas > left:
        raise ArgumentError(
            f"{count} rounds of {replicas} replicas need {count * replicas} chain numbers and a "
            f"run from chain {first_chain} has {left}: use fewer rounds with more sweeps in each"
        )
    all_codes = np.tile(codes, groups)
    travels = Travels(groups, betas)
    energies = np.empty((count, groups, betas), dtype=np.int64)
    lowest = np.empty(count, dtype=np.int64)
    best_code, best_words, best_round = 0, np.empty(0, dtype=np.uint32), -1
    counters: dict[str, int] = {"host_cluster_sites": 0, "host_cluster_moves": 0}
    states: Words | None = None
    device_ns, began = 0, perf_counter_ns()
    done = count
    for number in range(count):
        chains = np.arange(replicas, dtype=np.int64) + (first_chain + number * replicas)
        asked = perf_counter_ns()
        found = engine.run(seed, chains.astype(np.uint32), all_codes, states, sweeps)
        device_ns += perf_counter_ns() - asked
        states = found.states
        for name, value in found.counters.items():
            counters[name] = counters.get(name, 0) + value
        energies[number] = found.energies.reshape(groups, betas)
        place = int(found.energies.argmin())
        if best_round < 0 or found.energies[place] < best_code:
            best_code, best_words = int(found.energies[place]), states[place].copy()
            best_round = number
        lowest[number] = best_code
        now = energies[number].copy()
        order = _swapped(now, codes.tolist(), engine.frac, seed, number, travels)
        states = states[(order + betas * np.arange(groups)[:, None]).reshape(-1)]
        if observer is not None:
            observer(number, states.reshape(groups, betas, -1), now)
        if clusters is not None:
            first, second = _partners(groups, betas, number, clusters_from)
            counters["host_cluster_sites"] += clusters.move(states, first, second, seed, number)
            counters["host_cluster_moves"] += len(first)
        if progress is not None:
            progress(number + 1, count)
        if stop is not None and stop(number, best_code):
            done = number + 1
            break
    counters["host_swaps_tried"] = int(travels.tried.sum())
    counters["host_swaps_made"] = int(travels.made.sum())
    assert states is not None, "there was a round"
    return TemperingResult(
        betas=[engine.beta(code) for code in codes.tolist()],
        beta_codes=codes.tolist(),
        best_energy=engine.energy(best_code),
        best_code=best_code,
        best_words=best_words,
        best_round=best_round,
        energies=energies[:done],
        lowest=lowest[:done],
        swap_rates=travels.rates,
        round_trips=travels.round_trips,
        flow=travels.flow,
        rounds=done,
        seed=seed,
        states=states,
        counters=counters,
        timing={"device_ns": device_ns, "host_ns": perf_counter_ns() - began - device_ns},
    )


def _numbers_from(first: int) -> int:
    """Chain numbers from ``first`` to the end of its half."""
    end = CHAIN_NUMBERS if first < CHAIN_NUMBERS else 2 * CHAIN_NUMBERS
    return max(0, end - first)


def _swapped(
    energies: Integers, codes: list[int], frac: int, seed: int, number: int, travels: Travels
) -> Integers:
    """Swap neighbours: energies in place; returns, by place, the place that its state came from."""
    groups, betas = energies.shape
    drawn = uniforms(seed, SWAP_STREAM, number, groups * betas).reshape(groups, betas).tolist()
    order = np.tile(np.arange(betas), (groups, 1))
    for group in range(groups):
        row = energies[group].tolist()
        for hot in range(number % 2, betas - 1, 2):
            cold = hot + 1
            accepted = accepts(
                drawn[group][hot], (codes[hot], row[hot]), (codes[cold], row[cold]), frac
            )
            travels.tried[hot] += 1
            if accepted:
                travels.made[hot] += 1
                order[group, [hot, cold]] = cold, hot
    energies[...] = np.take_along_axis(energies, order, axis=1)
    travels.follow(order)
    return order


def _partners(groups: int, betas: int, number: int, least: int) -> tuple[Integers, Integers]:
    """Replicas that exchange clusters: neighbouring groups, shifted by one in odd rounds.

    Only at places from ``least`` on.
    """
    shift = number % 2 if groups > 2 else 0
    first = [(2 * pair + shift) % groups for pair in range(groups // 2)]
    second = [(2 * pair + shift + 1) % groups for pair in range(groups // 2)]
    places = np.arange(least, betas, dtype=np.int64)
    return (
        np.concatenate([group * betas + places for group in first]),
        np.concatenate([group * betas + places for group in second]),
    )

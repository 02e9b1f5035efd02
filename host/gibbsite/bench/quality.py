"""How good answers are: every instance, so many seeds, beside simulated annealing at equal time.

For each seed ours runs first, until its budget ends or the best known value is found; the peer then
has as much processor time as ours took, with a schedule that was tuned for the instance on seeds of
its own. A peer that finds the best known value is not asked for more either.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from functools import partial
from statistics import mean, median
from typing import Any, Final

from gibbsite.bench.options import FIRST_SEED, Options
from gibbsite.bench.pairs import timed
from gibbsite.bench.peers import Annealer, missing
from gibbsite.bench.recipes import recipe_of
from gibbsite.bench.solvers import Attempt, attempt, warm
from gibbsite.bench.statistics import bootstrap, time_to_target
from gibbsite.bench.table import Row, Table
from gibbsite.instances import Family, Instance, edwards_anderson, planar_torus, read_folder

__all__ = ["ea3d", "maxcut", "tuned_annealer"]

BARS: Final[dict[str, float]] = {
    "G14": 0.999,
    "G22": 0.999,
    "G81": 0.997,
    **{f"L{side:02d}_{k:04d}": 1.0 for side in (8, 10) for k in range(3)},
    **{f"L12_{k:04d}": 0.999 for k in range(3)},
}
"""Share of the best known value that the median of the seeds is to reach."""

TUNING_SEED: Final = 1_000_001
TUNING_RANGES: Final = ((0.1, 2.0), (0.3, 3.0), (0.5, 5.0))
TUNING_SHARES: Final = (1, 4, 20, 100)
"""A read's share of the time, as so many reads in it."""

TRY_SECONDS: Final = 7.0
"""For one range and share: as many runs of the time as fit, at most one a seed; or part of one."""

TRIAL_SWEEPS: Final = (10, 400)

LEAST_SECONDS: Final = 0.5
"""Below, the peer's first read would decide what time it has."""


def maxcut(options: Options) -> Table:
    """Cuts of the G-set instances, or of generated tori."""
    return _suite("maxcut", options, [planar_torus(10, 20, seed) for seed in (1, 2)])


def ea3d(options: Options) -> Table:
    """Energies of the 3D spin glasses, or of generated ones."""
    return _suite("ea3d", options, [edwards_anderson(6, seed) for seed in (1, 2)])


def _suite(family: Family, options: Options, generated: list[Instance]) -> Table:
    table = Table(family)
    instances = generated
    if options.data is not None:
        instances = read_folder(options.data, family)
    else:
        table.notes.append(
            f"No --data folder with {family}/ was given: these instances are generated, and no "
            "best value is known of them."
        )
    if options.instances:
        instances = [one for one in instances if one.name in options.instances]
    absent = missing("dwave-samplers")
    if absent is not None:
        table.notes.append(absent)
    for number, instance in enumerate(instances):
        table.rows.append(_row(instance, options, absent is None, number, len(instances)))
        options.keep(table)
    return table


def _row(instance: Instance, options: Options, with_peer: bool, number: int, of: int) -> Row:
    recipe = recipe_of(instance)
    if options.seconds is not None:
        recipe = recipe.within(options.seconds)
    stage = f"{instance.name} ({number + 1} of {of})"
    ours: list[Attempt] = []
    with warm(recipe) as device:
        for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
            options.progress(stage, len(ours), options.seeds)
            ours.append(attempt(instance, recipe, device, seed))
    peers: list[float] = []
    reads: list[int] = []
    settings: dict[str, Any] = {}
    if with_peer:
        typical = max(LEAST_SECONDS, median(one.cpu for one in ours))
        annealer = tuned_annealer(instance, typical, options)
        settings = {"beta_range": annealer.beta_range, "num_sweeps": annealer.sweeps}
        for done, one in enumerate(ours):
            options.progress(f"{stage}: the peer", done, options.seeds)
            energy, count = annealer.within(max(LEAST_SECONDS, one.cpu), FIRST_SEED + done)
            peers.append(energy)
            reads.append(count)
    return _judged(instance, recipe.described(), ours, peers, {**settings, "reads": reads})


def _judged(
    instance: Instance,
    how: str,
    ours: list[Attempt],
    peers: list[float],
    peer_settings: dict[str, Any],
) -> Row:
    values = [instance.value(one.energy) for one in ours]
    theirs = [instance.value(energy) for energy in peers]
    middle, other = median(values), median(theirs) if theirs else None
    bar = BARS.get(instance.name)
    known = instance.best_known
    reached = [one.reached for one in ours]
    tts = bootstrap(reached, lambda times: time_to_target(times.tolist()))
    better = median(peers) < median(one.energy for one in ours) if peers else False
    cpu = median(one.cpu for one in ours)
    found = sum(math.isfinite(time) for time in reached)
    seeds = "1 seed" if len(ours) == 1 else f"{len(ours)} seeds"
    words = f"{seeds}; {how}; median {cpu:.1f} s"
    if found:
        words += f"; best known found {found} times, TTS99 {_seconds(tts.as_list())}"
    return Row(
        measure=f"{instance.name} {'cut' if instance.family == 'maxcut' else 'energy'}",
        ours=_values(instance, values),
        peer=_values(instance, theirs) if theirs else "",
        ratio=None if other is None else middle / other,
        bar="" if bar is None else f"{100 * bar:.5g} % of {known}",
        met=None if bar is None or known is None else instance.quality(middle) >= bar,
        loss=better,
        how=words,
        data={
            "instance": instance.name,
            "best_known": known,
            "values": values,
            "peer_values": theirs,
            "peer": peer_settings,
            "attempts": [_plain(one) for one in ours],
            "tts99": tts.as_list(),
        },
    )


def tuned_annealer(instance: Instance, seconds: float, options: Options) -> Annealer:
    """The peer with the schedule of the lowest mean energy on tuning seeds in its time.

    Longer times are cut to `TRY_SECONDS`; a read that takes longer is tried whole.
    """
    model = instance.model
    # sweeps a second, from two lengths: what a call costs beside its sweeps falls out; the first
    # call of all imports the peer
    Annealer(model, TUNING_RANGES[1], 1).energy(TUNING_SEED)
    short, long = (
        timed(partial(Annealer(model, TUNING_RANGES[1], sweeps).energy, TUNING_SEED)).cpu
        for sweeps in TRIAL_SWEEPS
    )
    rate = (TRIAL_SWEEPS[1] - TRIAL_SWEEPS[0]) / max(long - short, long / 4)
    left = max(seconds - short, seconds / 2)
    best, chosen = math.inf, Annealer(model, TUNING_RANGES[1], TRIAL_SWEEPS[1])
    tries = [(ends, share) for ends in TUNING_RANGES for share in TUNING_SHARES]
    for number, (ends, share) in enumerate(tries):
        options.progress(f"{instance.name}: tuning the peer", number, len(tries))
        annealer = Annealer(model, ends, max(10, int(rate * left / share)))
        runs = max(1, min(options.seeds, int(TRY_SECONDS / seconds)))
        energy = mean(
            annealer.within(min(seconds, TRY_SECONDS), TUNING_SEED * (1 + run))[0]
            for run in range(runs)
        )
        if energy < best:
            best, chosen = energy, annealer
    return chosen


def _values(instance: Instance, values: list[int]) -> str:
    best = max(values) if instance.family == "maxcut" else min(values)
    text = f"median {median(values):g}, best {best}"
    if instance.best_known is not None:
        text += f" ({100 * instance.quality(median(values)):.3f} %)"
    return text


def _seconds(estimate: list[float | None]) -> str:
    value, low, high = ("never" if v is None else f"{v:.2g}" for v in estimate)
    return f"{value} s [{low}, {high}]"


def _plain(one: Attempt) -> dict[str, Any]:
    plain = asdict(one)
    plain["reached"] = one.reached if math.isfinite(one.reached) else None
    return plain

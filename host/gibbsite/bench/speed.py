"""Updates a second of the graph engine's emulator beside dwave-samplers: one measure a function."""

from __future__ import annotations

from typing import Final

import numpy as np

import gibbsite
from gibbsite.bench.options import Options
from gibbsite.bench.pairs import Ratio, Work, ratio
from gibbsite.bench.peers import Annealer, missing
from gibbsite.bench.recipes import GRAPH
from gibbsite.bench.table import Row, Table
from gibbsite.compiler import compile_model
from gibbsite.instances import Instance, edwards_anderson, read_folder
from gibbsite.schedules import default_beta_range
from gibbsite.slot_model import slot_model
from gibbsite_hw.spec.device import Device
from gibbsite_hw.spec.program import RunRequest

__all__ = ["ratio_row", "speed"]

CHAINS: Final = 128
SWEEPS: Final = 100
BARS: Final = {"G22": 2.0}


def speed(options: Options) -> Table:
    """Proposals a second on public instances, one thread each, same schedule of betas."""
    table = Table("speed")
    absent = missing("dwave-samplers")
    if absent is not None:
        table.notes.append(absent)
        return table
    if options.data is None:
        instances = [edwards_anderson(8, 1)]
        table.notes.append("No --data folder was given: this instance is generated.")
    else:
        instances = [one for one in read_folder(options.data, "maxcut") if one.name == "G22"]
        instances += [one for one in read_folder(options.data, "ea3d") if one.name == "L10_0000"]
    with gibbsite.open(GRAPH) as device:
        for number, instance in enumerate(instances):
            options.progress("speed of the graph engine", number, len(instances))
            found = ratio(*_works(instance, device), options.seeds)
            how = f"{CHAINS} chains, {SWEEPS} sweeps; the peer's default betas"
            table.rows.append(
                ratio_row(
                    f"`fast:` graph, {instance.name}, proposals/s over dwave-samplers",
                    found,
                    BARS.get(instance.name),
                    how,
                )
            )
    return table


def ratio_row(measure: str, found: Ratio, bar: float | None, how: str) -> Row:
    """A row of a ratio of rates, with its bar."""
    return Row(
        measure=measure,
        ours=f"{found.ours / 1e6:.4g} M/s",
        peer=f"{found.peer / 1e6:.4g} M/s",
        ratio=found.value,
        bar="" if bar is None else f"at least {bar:g}",
        met=None if bar is None else found.value >= bar,
        loss=found.value < 1,
        how=f"median of {found.pairs} pairs, {found.low:.3g} to {found.high:.3g}; {how}",
        data={
            "ours": found.ours,
            "peer": found.peer,
            "ratio": [found.value, found.low, found.high],
            "pairs": found.pairs,
        },
    )


def _works(instance: Instance, device: Device) -> tuple[Work, Work]:
    """The same number of updates of the same model through the same betas, ours and the peer's."""
    model = instance.model
    low, high = default_beta_range(slot_model(model))
    compiled = compile_model(model, device.info.graph, beta_max=high)
    device.load(compiled.program)
    request = RunRequest(
        betas=compiled.betas(np.geomspace(low, high, SWEEPS)), chains=CHAINS, samples=False
    )
    peer = Annealer(model, (low, high), SWEEPS)

    def ours() -> float:
        return float(device.run(request).counters.updates)

    def theirs() -> float:
        peer.reads(CHAINS, 1)
        return float(CHAINS * SWEEPS * instance.spins)

    return ours, theirs

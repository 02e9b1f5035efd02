"""Counts the toggles of a routed netlist while its graph engine samples, for an estimate of energy.

    python tools/toggles.py --board ulx3s --build small build/ulx3s-small/routed.json toggles.json
    gibbsite energy --toggles toggles.json --table ecp5-estimate

The same run is made with so many sweeps and with three times as many; what the second has more of
is sampling alone, without the link and without the start. docs/energy.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import dimod
import numpy as np

from gibbsite.bench.facts import facts
from gibbsite.compiler import compile_model
from gibbsite.driver import Driver
from gibbsite_hw.boards.table import board, build
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import RunRequest
from gibbsite_sim.netlist.stream import NetlistStream

SIDE = 8
BETA = 0.6
SEED = 1


def glass() -> dimod.BinaryQuadraticModel:
    """A torus of 64 spins with couplings of -1 and +1."""
    rng = np.random.default_rng(SEED)
    model = dimod.BinaryQuadraticModel("SPIN")
    for row in range(SIDE):
        for column in range(SIDE):
            for down, right in ((0, 1), (1, 0)):
                other = ((row + down) % SIDE, (column + right) % SIDE)
                model.add_quadratic((row, column), other, int(rng.choice([-1, 1])))
    return model


def activity(stream: NetlistStream, parameters: GraphParameters, sweeps: int) -> dict[str, Any]:
    """Cycles, updates and toggles of ``2 * sweeps`` sweeps."""
    compiled = compile_model(glass(), parameters, beta_max=BETA)
    driver = Driver(stream)
    driver.load(compiled.program)
    seen: list[dict[str, Any]] = []
    for count in (sweeps, 3 * sweeps):
        cycles, toggles = stream.cycles, stream.toggles()
        request = RunRequest(
            betas=compiled.betas(np.array([BETA])), seed=SEED, sweeps_per_step=count, samples=False
        )
        counters = driver.run(request).counters
        moved = {kind: number - toggles[kind] for kind, number in stream.toggles().items()}
        sampling = {"run_cycles": counters.cycles, "updates": counters.updates}
        seen.append({"cycles": stream.cycles - cycles, **sampling, "toggles": moved})
    short, long = seen
    more = {name: long[name] - short[name] for name in ("cycles", "run_cycles", "updates")}
    # the line's cells are as busy in both, give or take a bit
    toggles = {
        kind: max(0, number - short["toggles"][kind]) for kind, number in long["toggles"].items()
    }
    return {**more, "toggles": toggles, "runs": seen}


def main(arguments: list[str] | None = None) -> int:
    """Write the file of toggles; 2 on wrong arguments, 1 where the netlist cannot be simulated."""
    options = _parser().parse_args(arguments)
    if not options.routed.is_file():
        print(f"toggles: {options.routed} is no file: make it with nox -s bitstream")
        return 2
    try:
        chosen = board(options.board)
        name, parameters = build(chosen, options.build)
        if parameters.graph is None:
            raise DeviceError(f"build {name} has no graph engine: choose one that has")
        print("building the netlist's simulation takes some minutes", flush=True)
        stream = NetlistStream(options.routed, chosen, parameters)
        print("sampling", flush=True)
        found = activity(stream, parameters.graph, options.sweeps)
    except DeviceError as error:
        print(f"toggles: {error}", file=sys.stderr)
        return 1
    document = {
        **facts(sys.argv),
        "board": chosen.title,
        "build": name,
        "model": f"{SIDE}x{SIDE} torus, couplings -1 and +1, beta {BETA}, seed {SEED}",
        "clock_hz": chosen.clock_hz,
        **found,
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{options.out}: {found['cycles']} cycles, {found['updates']} updates")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="toggles", description=str(__doc__).split("\n")[0])
    parser.add_argument("--board", required=True, metavar="NAME", help="of boards/table.py")
    parser.add_argument("--build", metavar="NAME", help="what it holds (default: its first)")
    parser.add_argument("--sweeps", type=int, default=1000, metavar="N", help="(default: 1000)")
    parser.add_argument("routed", type=Path, help="the netlist, routed.json of the bitstream")
    parser.add_argument("out", type=Path, help="the file of toggles to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())

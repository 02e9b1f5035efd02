"""A small shop scheduled by both engines of one device: orders by p-bits, times by Langevin.

python examples/langevin_schedule.py                      on the NumPy reference
python examples/langevin_schedule.py --device sim:        on the RTL (seconds, once it is built)
"""

import argparse
import sys

from rich.console import Console

import gibbsite
from gibbsite.algorithms.alternating import solve_schedule
from gibbsite.progress import bars
from gibbsite_models.energies.scheduling import SchedulingEnergy, Task

SHOP = SchedulingEnergy(
    [
        Task("cut", 3, "saw"),
        Task("trim", 2, "saw", demand={"crane": 1}),
        Task("glue", 2, "press", release=1),
        Task("form", 4, "press", deadline=10),
        Task("label", 1, "saw", preference=6),
        Task("load", 2, demand={"crane": 1}),
    ],
    precedence=[("cut", "glue"), ("trim", "form")],
    capacity={"crane": 1},
    horizon=16,
    scale=2.0,
)

say = Console(highlight=False).out


def main() -> None:
    """Schedule, and print the plan beside what the device drew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:")
    with gibbsite.open(parser.parse_args().device) as device, bars() as progress:
        plan = solve_schedule(SHOP, device, seed=2026, chains=2, progress=progress)
    say(f"{'task':8} {'machine':8} {'start':>6} {'end':>6}   drawn by the device")
    for task in sorted(SHOP.set.tasks, key=lambda t: plan.times[t.name]):
        start, end = plan.times[task.name]
        drawn = plan.drawn.starts[task.name]
        machine = task.machine or "-"
        say(f"{task.name:8} {machine:8} {float(start):6.2f} {float(end):6.2f}   {drawn:9.4f}")
    say(f"\nverified in fractions: {'a schedule' if plan.feasible else dict(plan.broken)}")
    say(
        f"as drawn, rules were missed by at most {plan.drawn.violation:.4f}; the host's "
        f"{plan.repair} moved a task by at most {plan.moved:.3f}"
    )
    loads, langevin, graph = (plan.info[name] for name in ("loads", "langevin", "graph"))
    say(
        f"couplings loaded: {loads['langevin']} and {loads['graph']} times; {langevin['runs']} runs"
        f" of times ({langevin['steps']} steps), {graph['draws']} draws of orders"
    )


if __name__ == "__main__":
    try:
        main()
    except gibbsite.GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

"""Three goods shared out among two bakeries at least cost, on the Langevin engine.

python examples/allocation.py                      on the NumPy reference
python examples/allocation.py --device sim:        on the RTL itself (seconds, once it is built)
"""

import argparse
import sys

from rich.console import Console

import gibbsite
from gibbsite.algorithms.minimising import minimise
from gibbsite.progress import bars
from gibbsite_models.energies.allocation import AllocationEnergy

BAKERIES = AllocationEnergy(
    demand={"bread": 40, "cake": 25, "rolls": 30},
    capacity={"north": 50, "south": 60},
    cost={
        ("bread", "north"): 1,
        ("bread", "south"): 2,
        ("cake", "north"): 3,
        ("cake", "south"): 1.5,
        ("rolls", "south"): 1.2,
    },
    use={("cake", "north"): 1.5},
    forbidden=[("rolls", "north")],
    price=0.1,
    scale=10,
)

TOLERANCE = 0.1

say = Console(highlight=False).out


def main() -> None:
    """Allocate, and print amounts and what they miss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:")
    with gibbsite.open(parser.parse_args().device) as device, bars() as progress:
        found = minimise(
            BAKERIES, device, tolerance=TOLERANCE, reach=70, seed=2026, progress=progress
        )
    say(f"{'':8}" + "".join(f"{resource:>10}" for resource in BAKERIES.capacity))
    for item in BAKERIES.demand:
        amounts = [found.values.get(f"{item}/{resource}") for resource in BAKERIES.capacity]
        say(f"{item:8}" + "".join(f"{'-' if x is None else f'{x:.2f}':>10}" for x in amounts))
    worst = max(found.violations.items(), key=lambda pair: pair[1], default=("nothing", 0))
    say(
        f"\nverified in fractions: {'every' if found.feasible else 'not every'} row holds within "
        f"{TOLERANCE}; worst is {worst[0]!r}, missed by {float(worst[1]):.4f}; repaired: nothing"
    )
    info = found.info
    say(
        f"{info['iterations']} anneals of {info['langevin']['reads'] // info['iterations']} chains,"
        f" couplings loaded {info['loads']} time, {100 * found.share:.0f} % of the last reads fit"
    )


if __name__ == "__main__":
    try:
        main()
    except gibbsite.GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

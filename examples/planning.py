"""What to make and to store of two products over four months, on the Langevin engine.

python examples/planning.py                      on the NumPy reference
python examples/planning.py --device sim:        on the RTL itself (seconds, once it is built)
"""

import argparse
import sys

from rich.console import Console

import gibbsite
from gibbsite.algorithms.minimising import minimise
from gibbsite.progress import bars
from gibbsite_models.energies.planning import PlanningEnergy, Product

PLAN = PlanningEnergy(
    [
        Product("bikes", [8, 12, 20, 10], 15, 20, initial=4, target=3, cost=1, holding=0.2),
        Product("carts", [5, 5, 10, 5], 9, 15, initial=2, cost=1, holding=0.2),
    ],
    capacity=20,
    smoothness=0.05,
    price=0.05,
    scale=5,
)

TOLERANCE = 0.1

say = Console(highlight=False).out


def main() -> None:
    """Plan, and print levels and what they miss."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:")
    with gibbsite.open(parser.parse_args().device) as device, bars() as progress:
        found = minimise(PLAN, device, tolerance=TOLERANCE, reach=30, seed=2026, progress=progress)
    say(f"{'month':14}" + "".join(f"{t:>9}" for t in range(PLAN.horizon)))
    for product in PLAN.products:
        say(f"{product.name:14}")
        say(f"{'  asked':14}" + "".join(f"{x:9.2f}" for x in product.demand))
        for what in ("make", "stock"):
            levels = [found.values[f"{product.name}.{what}.{t}"] for t in range(PLAN.horizon)]
            say(f"{'  ' + what:14}" + "".join(f"{x:9.2f}" for x in levels))
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

"""Handwritten digits drawn by a thermodynamic computer, and one of them completed.

    python examples/digits.py                      on the NumPy reference
    python examples/digits.py --device sim:        on the RTL itself (seconds, once it is built)

Needs nothing but the package: the trained machine comes with it.
"""

import argparse
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
from rich.console import Console

from gibbsite.generators.machine import GenerativeMachine
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.generative import load_trained

SHADES = " .:-=+*#%@"
console = Console(highlight=False)


def lines(image: np.ndarray) -> list[str]:
    """An image of 8 x 8 grey levels as text."""
    marks = np.minimum(image.reshape(8, 8) * len(SHADES) / 16, len(SHADES) - 1).astype(int)
    return ["".join(SHADES[mark] * 2 for mark in row) for row in marks]


def show(images: np.ndarray) -> None:
    """Images beside each other."""
    for row in zip(*(lines(image) for image in images), strict=True):
        console.out("   ".join(row))


def main() -> None:
    """Draw four digits and complete the first, on the device named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:?engines=langevin")
    device = parser.parse_args().device
    trained = load_trained(Path(str(files("gibbsite_models") / "data" / "digits_three.json")))
    with GenerativeMachine(trained, device) as machine:
        drawn = machine.sample(4, seed=11)
        console.out(f"drawn from noise by {device}, {drawn.info['steps']} Langevin steps:")
        show(drawn.images)
        upper = np.arange(64) < 32
        completed = machine.complete(drawn.images[0], upper, 3, seed=5)
        console.out("the first one, and three completions of its upper half:")
        show(np.array([drawn.images[0], *completed.images]))
        console.out(f"heat a sample: {drawn.heat.mean():.0f} (kT = 1)")


if __name__ == "__main__":
    try:
        main()
    except GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

"""Solve A x = b and invert A by letting coupled wells come to equilibrium; compare with NumPy.

    python examples/linear_algebra.py                    on the NumPy reference
    python examples/linear_algebra.py --device sim:      on the RTL (seconds, once it is built)
    python examples/linear_algebra.py --plot out.png     with a picture of the errors

Errors fall as one over the square root of the number of samples.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from gibbsite.algorithms.linear_algebra import inverse, solve
from gibbsite_hw.spec.errors import GibbsiteError
from gibbsite_models.energies.arguments import count

Floats = NDArray[np.float64]

say = Console(highlight=False).out


def main() -> None:
    """Estimate with more and more samples on the device named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:?engines=langevin")
    parser.add_argument("--size", type=int, default=12)
    parser.add_argument("--kT", type=float, default=0.5)
    parser.add_argument("--most", type=int, default=65536, help="samples of the last estimate")
    parser.add_argument("--plot", type=Path, help="file of a picture")
    options = parser.parse_args()
    count("--size", options.size)
    count("--most", options.most, 256)
    if options.plot is not None and not options.plot.parent.is_dir():
        raise GibbsiteError(f"the folder {options.plot.parent} of --plot does not exist: make it")

    random = np.random.default_rng(2026)
    M = random.normal(size=(options.size, options.size))
    A = M @ M.T / options.size + 0.5 * np.eye(options.size)
    b = 3 * random.normal(size=options.size)
    x, X = np.linalg.solve(A, b), np.linalg.inv(A)

    counts = [n for n in (256, 1024, 4096, 16384, 65536) if n <= options.most]
    errors = np.zeros((len(counts), 2))
    say(f"relative errors for {options.size} unknowns at kT = {options.kT} on {options.device}")
    say(f"{'samples':>9}{'A x = b':>11}{'A^-1':>11}{'steps':>10}")
    for k, samples in enumerate(counts):
        arguments = {"samples": samples, "kT": options.kT, "seed": k, "device": options.device}
        one, two = solve(A, b, **arguments), inverse(A, **arguments)
        errors[k] = relative(one.value, x), relative(two.value, X)
        steps = one.info["steps"] + two.info["steps"]
        say(f"{samples:9d}{errors[k, 0]:11.5f}{errors[k, 1]:11.5f}{steps:10d}")
    say("\n     x, device          NumPy")
    for value, error, exact in zip(one.value[:5], one.standard_error, x, strict=False):
        say(f"{value:9.4f} +- {error:.4f}{exact:9.4f}")
    if options.plot is not None:
        draw(options.plot, counts, errors)


def relative(found: Floats, exact: Floats) -> float:
    """Distance over length."""
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def draw(path: Path, counts: list[int], errors: Floats) -> None:
    """Errors over samples, with the law that they follow."""
    # here, so that the numbers come without waiting for it
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for column, (label, marker) in enumerate((("A x = b", "o"), ("inverse of A", "s"))):
        axes.loglog(counts, errors[:, column], marker, color=f"C{column}", label=label)
        level = np.exp(np.log(errors[:, column] * np.sqrt(counts)).mean())
        axes.loglog(counts, level / np.sqrt(counts), "--", color=f"C{column}")
    axes.set_xlabel("samples")
    axes.set_ylabel("relative error (dashed: one over the square root)")
    axes.legend()
    figure.savefig(path, dpi=150)
    say(f"picture: {path}")


if __name__ == "__main__":
    try:
        main()
    except GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

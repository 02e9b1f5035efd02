"""Fit a line and a logistic curve on the Langevin engine; print posteriors beside exact ones.

    python examples/bayesian_regression.py                    on the NumPy reference
    python examples/bayesian_regression.py --device sim:      on the RTL (seconds, once it is built)
    python examples/bayesian_regression.py --plot out.png     with a picture of both

The line's posterior is known in closed form. The logistic one is compared with the mean on a grid.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from gibbsite.algorithms.bayesian import (
    BayesianSampler,
    LinearRegression,
    LogisticRegression,
    Posterior,
)
from gibbsite.progress import bars
from gibbsite_hw.spec.errors import GibbsiteError

Floats = NDArray[np.float64]

say = Console(highlight=False).out


def main() -> None:
    """Draw both posteriors on the device named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="golden:?engines=langevin")
    parser.add_argument("--draws", type=int, default=400, help="of each of 6 chains")
    parser.add_argument("--plot", type=Path, help="file of a picture")
    options = parser.parse_args()
    if options.plot is not None and not options.plot.parent.is_dir():
        raise GibbsiteError(f"the folder {options.plot.parent} of --plot does not exist: make it")

    random = np.random.default_rng(2026)
    x = np.sort(random.uniform(0, 10, 40))
    y = 1.5 - 0.4 * x + 0.5 * random.standard_normal(40)
    passed = (random.random(40) < 1 / (1 + np.exp(-(0.8 * x - 4)))).astype(float)
    line = LinearRegression(X=x, y=y, sigma=0.5)
    curve = LogisticRegression(X=x, y=passed, prior_scale=[20.0, 5.0])

    found = []
    for name, model in (("line", line), ("logistic curve", curve)):
        with bars() as report:
            sampler = BayesianSampler(model, options.device)
            progress = partial(report, name)
            found.append(sampler.sample(chains=6, draws=options.draws, seed=7, progress=progress))
    mean, covariance = line.exact()
    show("line, y = intercept + slope x", found[0], mean, np.sqrt(np.diag(covariance)))
    show("logistic curve", found[1], *on_a_grid(curve, found[1]))
    if options.plot is not None:
        draw(options.plot, x, y, passed, found)


def show(title: str, found: Posterior, mean: Floats, deviation: Floats) -> None:
    """One table: what the device drew, and what is exact."""
    say(f"{title}: {found.draws.shape[0]} chains, {found.draws.shape[1]} draws each")
    say(
        f"  {'':10}{'device mean':>20}{'exact':>9}{'device sd':>11}{'exact':>9}{'ess':>7}"
        f"{'R-hat':>8}"
    )
    width = np.sqrt(np.diag(found.covariance))
    for k, name in enumerate(found.names):
        say(
            f"  {name:10}{found.mean[k]:11.4f} +- {found.standard_error[k]:.4f}{mean[k]:9.4f}"
            f"{width[k]:11.4f}{deviation[k]:9.4f}{found.ess[k]:7.0f}{found.r_hat[k]:8.4f}"
        )
    if found.r_hat.max() > 1.05:
        say("  R-hat above 1.05: these chains do not agree yet, ask for more --draws")
    info = found.info
    say(f"  {info['steps']} steps of the engine on {info['device']}; host: {info['host']}\n")


def on_a_grid(model: LogisticRegression, found: Posterior) -> tuple[Floats, Floats]:
    """Mean and deviation of a posterior of two parameters, by sums over a grid."""
    side = np.linspace(-9, 9, 400)
    root = np.linalg.cholesky(found.covariance)
    theta = found.mean + np.stack(np.meshgrid(side, side), axis=-1) @ root.T
    level = model.log_posterior(theta)
    weight = np.exp(level - level.max())
    weight /= weight.sum()
    mean = np.einsum("ab,abi->i", weight, theta)
    return mean, np.sqrt(np.einsum("ab,abi->i", weight, (theta - mean) ** 2))


def draw(path: Path, x: Floats, y: Floats, passed: Floats, found: list[Posterior]) -> None:
    """Data and fifty draws of each posterior."""
    # here, so that the numbers come without waiting for it
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    FigureCanvasAgg(figure)
    across = np.linspace(-0.5, 10.5, 200)
    for axes, data, posterior in zip(figure.subplots(1, 2), (y, passed), found, strict=True):
        flat = posterior.draws.reshape(-1, 2)
        for intercept, slope in flat[:: max(1, len(flat) // 50)]:
            height = intercept + slope * across
            if data is passed:
                height = 1 / (1 + np.exp(-height))
            axes.plot(across, height, color="C0", alpha=0.15)
        axes.plot(x, data, "o", color="C1")
        axes.set_xlabel("x")
    figure.savefig(path, dpi=150)
    say(f"picture: {path}")


if __name__ == "__main__":
    try:
        main()
    except GibbsiteError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)

"""The picture of a certificate: beta, calibration, all checks, energies, autocorrelation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gibbsite.certificate_report import counted
from gibbsite.plot import PlotError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

TRACES = 4
"""Chains whose energies are drawn as lines."""

BLOCKS = 40
"""Points of such a line."""

LAGS = 60


def draw(document: dict[str, Any], energies: NDArray[np.float64], path: Path) -> None:
    """Write the picture of a certificate and of ``energies[chain, draw]``.

    Raises: `PlotError` for a format that matplotlib does not write, or a full disk.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    found = document["certificate"]
    figure = Figure(figsize=(14, 8))
    # panels apart from each other: the names of checks are long
    figure.set_layout_engine("constrained", w_pad=0.15, h_pad=0.15, wspace=0.04, hspace=0.04)
    FigureCanvasAgg(figure)
    panels = figure.subplots(2, 3, width_ratios=(1, 1.3, 1.3))
    _beta(panels[0, 0], found)
    _calibration(panels[0, 1], found)
    _checks(panels[0, 2], found)
    _distance(panels[1, 0], found)
    _energies(panels[1, 1], energies)
    _correlation(panels[1, 2], found, energies)
    source = document["device"] or document.get("samples") or "draws"
    figure.suptitle(
        f"{found['verdict']}: {source} at beta {document['beta']:g}, "
        f"{counted(found['chains'], 'chain')} of {counted(found['draws'], 'draw')}",
        fontsize=13,
    )
    for axes in panels.flat:
        axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise PlotError(f"no picture can be written to {path}: {error}") from None


def _nothing(axes: Axes, words: str = "not checked") -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", transform=axes.transAxes, color="0.4")


def _beta(axes: Axes, found: dict[str, Any]) -> None:
    axes.set_title("effective beta")
    beta = found["effective_beta"]
    if beta is None:
        _nothing(axes)
        return
    reach = [[beta["estimate"] - beta["low"]], [beta["high"] - beta["estimate"]]]
    axes.errorbar([0], [beta["estimate"]], yerr=reach, fmt="none", capsize=9, color="C0")
    axes.errorbar([0], [beta["estimate"]], yerr=[beta["error"]], fmt="o", lw=4, color="C0")
    axes.axhline(beta["stated"], color="C3", ls="--", label="stated")
    axes.set_xticks([])
    axes.set_xlim(-1, 1)
    axes.set_xlabel(f"thick: one standard error; thin: {100 * beta['level']:.5g} %")
    axes.legend(loc="lower right", fontsize=8)


def _calibration(axes: Axes, found: dict[str, Any]) -> None:
    axes.set_title("decisions: found beside stated")
    bins = found["calibration"]
    if not bins:
        _nothing(axes)
        return
    stated = np.clip([each["expected"] for each in bins], 1e-12, 1 - 1e-12)
    seen = np.array([each["found"] for each in bins])
    error = np.array([each["error"] for each in bins])
    logit = np.log(stated / (1 - stated))
    width = 3.29  # 99.9 % of a normal law
    axes.axhline(0, color="C3", ls="--")
    axes.errorbar(logit, (seen - stated) / error, yerr=1.0, fmt="o", color="C0", markersize=4)
    axes.axhspan(-width, width, color="C0", alpha=0.1, lw=0, label="99.9 % if all is well")
    axes.legend(loc="upper right", fontsize=8)
    axes.set_ylim(top=max(1.6 * width, float(((seen - stated) / error).max()) + 2))
    axes.set_xlabel("logit of the stated probability")
    axes.set_ylabel("found - stated, in standard errors")


def _checks(axes: Axes, found: dict[str, Any]) -> None:
    axes.set_title("checks: found / limit")
    named = [(each["name"], each["deviation"] / each["limit"]) for each in found["checks"]]
    beta, mean = found["effective_beta"], found["mean_energy"]
    if beta is not None:
        half = (beta["high"] - beta["low"]) / 2
        named.append(("effective beta", abs(beta["estimate"] - beta["stated"]) / max(half, 1e-300)))
    if mean is not None:
        named.append(("mean energy", mean["deviation"] / mean["limit"]))
    if found["agreement"] is not None:
        excess = found["agreement"]["limit"] - 1
        r_hat = found["agreement"]["r_hat"]  # None if infinite
        size = np.inf if r_hat is None else (r_hat - 1) / max(excess, 1e-300)
        named.append(("R-hat - 1", size))
    if not named:
        _nothing(axes)
        return
    names = [name for name, _ in named][::-1]
    sizes = np.clip([size for _, size in named][::-1], 0, 2.0)
    axes.barh(names, sizes, height=0.6, color=["C3" if size > 1 else "C0" for size in sizes])
    axes.tick_params(axis="y", length=0)
    axes.axvline(1, color="k", ls="--")
    axes.set_xlim(0, max(1.15, float(sizes.max()) * 1.05))
    axes.set_xlabel("share of the limit (from 2 on shown as 2)")


def _distance(axes: Axes, found: dict[str, Any]) -> None:
    axes.set_title("total variation")
    distance = found["total_variation"]
    if distance is None:
        _nothing(axes, "the exact law is out of reach")
        return
    colours = ["C0" if distance["within"] else "C3", "0.7"]
    heights = [distance["distance"], distance["floor"]]
    axes.bar_label(
        axes.bar(["found", "noise floor"], heights, width=0.6, color=colours), fmt="%.4f"
    )
    axes.margins(y=0.12)
    axes.set_xlabel(f"{distance['states']} states, {distance['draws']} effective draws")


def _energies(axes: Axes, energies: NDArray[np.float64]) -> None:
    """Means over blocks of draws, a thin line a chain, in the span that most single draws keep to.

    Chains that do not agree keep apart here, where single draws would cover each other.
    """
    chains, draws = energies.shape
    size = max(1, draws // BLOCKS)
    blocks = energies[:, : draws // size * size].reshape(chains, -1, size)
    at = (np.arange(blocks.shape[1]) + 0.5) * size
    axes.set_title("energies" if size == 1 else f"energies, means of {size} draws")
    low, high = np.percentile(blocks, (5, 95), axis=(0, 2))
    axes.fill_between(at, low, high, color="0.88", lw=0, label="90 % of the draws")
    shown = blocks.mean(axis=2)[:: max(1, chains // TRACES)][:TRACES]
    for chain in shown:
        axes.plot(at, chain, lw=1)
    axes.axhline(float(energies.mean()), color="k", lw=1, ls="--", label="mean")
    axes.set_xlabel(f"draw ({len(shown)} of {chains} chains as lines)")
    axes.set_ylabel("energy")
    axes.margins(x=0)
    axes.set_ylim(top=float(high.max() + 0.35 * np.ptp([low.min(), high.max()]) + 1e-9))
    axes.legend(loc="upper right", fontsize=8, ncols=2)


def _correlation(axes: Axes, found: dict[str, Any], energies: NDArray[np.float64]) -> None:
    axes.set_title("autocorrelation of the energy")
    away = energies - energies.mean(axis=1, keepdims=True)
    lags = min(LAGS, energies.shape[1] // 2)
    whole = float((away**2).mean())
    if whole == 0 or lags < 2:
        _nothing(axes, "every energy is the same")
        return
    draws = energies.shape[1]
    rho = [float((away[:, : draws - lag] * away[:, lag:]).mean()) / whole for lag in range(lags)]
    axes.bar(range(lags), rho, color="C0")
    axes.axhline(0, color="k", lw=0.8)
    axes.set_xlabel("lag in draws")
    time = found["autocorrelation"]
    if time is not None:
        axes.text(
            0.97,
            0.9,
            f"slowest: {time['statistic']}, {time['time']:.2f} draws\n"
            f"{time['effective_draws']:.0f} effective draws",
            ha="right",
            va="top",
            transform=axes.transAxes,
        )

"""Pictures of generated images: noise becoming digits, and completions beside their originals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_completions", "draw_frames"]

Floats = NDArray[np.float64]
CELL = 0.62
"""Inches of an image."""


def draw_frames(path: Path, frames: Floats, steps: list[int], levels: float, title: str) -> None:
    """``frames[rows, columns, pixels]``: one chain a row, one step a column."""
    rows = [[f"step {step}" for step in steps], *[[""] * len(steps)] * (len(frames) - 1)]
    _sheet(path, frames, rows, levels, title)


def draw_completions(path: Path, images: Floats, heads: list[str], levels: float) -> None:
    """``images[rows, columns, pixels]`` with NaN where a pixel is unknown; heads of columns."""
    rows = [heads, *[[""] * len(heads)] * (len(images) - 1)]
    _sheet(path, images, rows, levels, "completions: known pixels are clamped, the rest is drawn")


def _sheet(path: Path, images: Floats, heads: list[list[str]], levels: float, title: str) -> None:
    # here, not above: it takes a second, and only pictures need it
    from matplotlib.figure import Figure

    count, columns, pixels = images.shape
    side = round(pixels**0.5)
    figure = Figure(figsize=(CELL * columns + 0.3, CELL * count + 0.8), layout="constrained")
    axes = figure.subplots(count, columns, squeeze=False)
    figure.suptitle(title, fontsize=9)
    for row in range(count):
        for column in range(columns):
            axis = axes[row, column]
            axis.set_facecolor("#c05040")  # what is unknown
            axis.imshow(
                np.ma.masked_invalid(images[row, column].reshape(side, side)),
                cmap="gray_r",
                vmin=0,
                vmax=levels,
            )
            axis.set_xticks([])
            axis.set_yticks([])
            if heads[row][column]:
                axis.set_title(heads[row][column], fontsize=7)
    figure.savefig(path, dpi=150)

"""Pictures of the committed benchmarks: speed beside peers with growth, and residual energy.

    python tools/pictures/speed.py            docs/pictures/speed.png, docs/pictures/residual.png

Figures come from docs/figures, which `gibbsite bench` writes; what is not there is not drawn.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt  # after the backend was chosen
from matplotlib.axes import Axes

from gibbsite.bench.figures import committed

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
OURS, PEER = "#1b6ca8", "#b0b0b0"


def rows(*suites: str) -> list[dict[str, Any]]:
    """The rows of these suites, as far as they were measured."""
    return [row for one in committed(suites) for row in one["rows"]]


def speed(out: Path) -> bool:
    """Rates beside peers, and time a flip against size; False if nothing was measured."""
    rates = [row for row in rows("speed", "lattice") if row["data"].get("peer")]
    grown = [row for row in rows("lattice") if "ns_per_flip" in row["data"]]
    if not rates:
        return False
    figure, axes = plt.subplots(1, 2, figsize=(12, 4), layout="constrained", width_ratios=(3, 2))
    places = np.arange(len(rates))
    for name, colour, shift in (("ours", OURS, -0.2), ("peer", PEER, 0.2)):
        values = [row["data"][name] / 1e6 for row in rates]
        axes[0].barh(places + shift, values, 0.38, color=colour, label=name)
    for place, row in zip(places, rates, strict=True):
        axes[0].text(
            row["data"]["ours"] / 1e6 * 1.1, place - 0.2, f"x {row['ratio']:.3g}", va="center"
        )
    axes[0].set_xscale("log")
    axes[0].set_yticks(places, [row["measure"].replace("`", "") for row in rates], fontsize=8)
    axes[0].set_xlabel("updates a second, millions")
    axes[0].margins(x=0.2)
    axes[0].invert_yaxis()
    axes[0].legend()
    for row in grown:
        sizes = np.array(row["data"]["sizes"], dtype=float)
        label = row["measure"].rpartition("against ")[2]
        axes[1].loglog(sizes / sizes[0], row["data"]["ns_per_flip"], "o-", label=label)
    axes[1].set_xlabel("size, in units of the smallest")
    axes[1].set_ylabel("nanoseconds a flip")
    axes[1].legend()
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return True


def residual(out: Path) -> bool:
    """Residual energy of reads against sweeps, ours and the peer's; False if there is none."""
    curves = [row["data"] for row in rows("gain") if "residuals" in row["data"]]
    if not curves:
        return False
    figure, axis = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for number, curve in enumerate(curves):
        _curve(axis, curve, number == 0)
    axis.set_xlabel("sweeps of a read")
    axis.set_ylabel("residual energy a spin")
    axis.legend()
    figure.savefig(out, dpi=120)
    plt.close(figure)
    return True


def _curve(axis: Axes, curve: dict[str, Any], first: bool) -> None:
    for key, colour, name in (
        ("residuals", OURS, "fast: annealing"),
        ("peer_residuals", PEER, "dwave-samplers"),
    ):
        if key in curve:
            label = name if first else None
            axis.loglog(curve["sweeps"], curve[key], "o-", color=colour, label=label, ms=3)


def main() -> None:
    """Draw both."""
    for name, draw in (("speed", speed), ("residual", residual)):
        out = PICTURES / f"{name}.png"
        print(f"wrote {out}" if draw(out) else f"nothing was measured for {out.name}")


if __name__ == "__main__":
    main()

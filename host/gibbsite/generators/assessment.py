"""What generated digits are worth: the device's samples beside float, Gaussian and real images.

One table: for each source the share of confident images, the shares of the classes, MMD to held-out
images, distances to the nearest training image; and the heat per sample of the trained and the
untrained machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gibbsite.generators.machine import REACH, Generated
from gibbsite_models.digits_judge import Judge, Verdict
from gibbsite_models.generative import Trained, generator
from gibbsite_models.langevin_float import simulate

__all__ = ["Assessment", "Bars", "assess", "float_images", "mean_and_error"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bars:
    """What samples of the three classes must reach."""

    confident: float = 0.70
    least_share: float = 0.15


@dataclass(frozen=True, slots=True)
class Assessment:
    """Verdicts by source ("device", "float", "gaussian", "real"), heat by machine, MMD's floor.

    ``heat`` holds (mean, standard error) of "trained" and "untrained".
    """

    classes: tuple[int, ...]
    accuracy: float
    verdicts: dict[str, Verdict]
    heat: dict[str, tuple[float, float]]
    info: dict[str, Any]

    def missed(self, bars: Bars) -> list[str]:
        """A sentence for each bar that the device's samples miss."""
        device, fitted = self.verdicts["device"], self.verdicts["gaussian"]
        found = []
        if device.confident < bars.confident:
            found.append(f"{device.confident:.2f} confident and {bars.confident} is asked")
        if min(device.shares) < bars.least_share:
            found.append(f"the rarest class has {min(device.shares):.2f}, asked {bars.least_share}")
        if not device.mmd < fitted.mmd:
            found.append(
                f"MMD^2 {device.mmd:.4f} is no better than the Gaussian's {fitted.mmd:.4f}"
            )
        return found

    def table(self) -> str:
        """The verdicts as a Markdown table."""
        head = (
            "| images | number | confident | shares | MMD² | MMD², half width | nearest training |"
        )
        lines = [head, "|" + "---|" * 7]
        for name, v in self.verdicts.items():
            shares = " ".join(f"{share:.2f}" for share in v.shares)
            near = " ".join(f"{distance:.1f}" for distance in v.nearest)
            lines.append(
                f"| {name} | {v.images} | {v.confident:.3f} | {shares} | {v.mmd:.4f} | "
                f"{v.mmd_half:.4f} | {near} |"
            )
        return "\n".join(lines)

    def heat_lines(self) -> str:
        """Heat per sample in words."""
        return "\n".join(
            f"heat per sample, {name} machine: {mean:.2f} +- {error:.2f} (units of V; kT is 1)"
            for name, (mean, error) in self.heat.items()
        )

    def document(self) -> dict[str, Any]:
        """All of it for JSON."""
        return {
            "classes": list(self.classes),
            "classifier_accuracy": self.accuracy,
            "verdicts": {name: asdict(verdict) for name, verdict in self.verdicts.items()},
            "heat": {name: {"mean": m, "error": e} for name, (m, e) in self.heat.items()},
            **self.info,
        }


def assess(
    judge: Judge, trained: Trained, drawn: Generated, plain: Generated, seed: int
) -> Assessment:
    """Judge the device's samples ``drawn``; ``plain`` are those of the untrained machine."""
    count = len(drawn.images)
    verdicts = {
        "device": judge.verdict(drawn.images),
        "float": judge.verdict(float_images(trained, count, seed)),
        "gaussian": judge.verdict(judge.gaussian(count, seed)),
        "real": judge.real(),
    }
    heat = {
        "trained": mean_and_error(drawn.heat),
        "untrained": mean_and_error(plain.heat),
    }
    info = {"device": drawn.info, "untrained": plain.info}
    return Assessment(judge.classes, judge.accuracy, verdicts, heat, info)


def float_images(trained: Trained, count: int, seed: int) -> Floats:
    """Images of the float machine, nothing rounded: what quantization is measured against."""
    made = generator(trained)
    found = simulate(
        made.potential,
        made.protocol,
        count,
        seed,
        start=made.start,
        start_sigma=made.sigma0,
        reach=REACH,
    )
    return made.decode(found.z)


def mean_and_error(values: Floats) -> tuple[float, float]:
    """Mean and standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))

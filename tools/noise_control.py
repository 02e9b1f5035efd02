"""One of dieharder's tests again and again: a source of ours beside generators that dieharder has.

    python tools/noise_control.py --test 14 --source lattice-lane --runs 200

A test whose p-values are not uniform calls a perfect source weak more often than it says. What
tells that from a fault of ours is the same test on others: AES in output feedback and mt19937,
which share nothing with each other or with our sources. Their p-values and ours are compared by
the two-sample Kolmogorov-Smirnov test. Every run has a seed of its own.

Source: R. G. Brown, dieharder 3.31.1, its manual page and `dieharder -l`.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import ks_2samp

from gibbsite.bench.figures import NIGHTLY, write_figures
from noise_battery import piped
from noise_results import WEAK, parse_table
from noise_sources import SOURCES

CONTROLS: Final = {"AES_OFB": 205, "mt19937": 13}
"""dieharder's own generators, by its numbers."""

FIRST_SEED: Final = 100_001
"""Of our runs: behind all batteries."""


def control(generator: int, test: int, seed: int) -> float:
    """The p-value of one of dieharder's generators."""
    command = ["dieharder", "-g", str(generator), "-d", str(test), "-S", str(seed)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return parse_table(done.stdout)[0].p


def summary(found: Sequence[float]) -> dict[str, Any]:
    """How many p-values are weak, or below 0.05, where a hundredth and a twentieth should be."""
    p = np.array(found)
    return {
        "runs": len(p),
        "weak": int(((p < WEAK / 2) | (p > 1 - WEAK / 2)).sum()),
        "below_0.05": int((p < 0.05).sum()),
        "p": [round(float(one), 8) for one in p],
    }


def main() -> None:
    """Run, compare, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--test", type=int, default=14, help="dieharder's number of it")
    parser.add_argument("--source", choices=sorted(SOURCES), default="lattice-lane")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--out", type=Path, default=NIGHTLY)
    asked = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in (asked.source, *CONTROLS)}
    for run in range(asked.runs):
        arguments = ["-d", str(asked.test), "-n", "0"]
        rows, _ = piped(arguments, SOURCES[asked.source], FIRST_SEED + run)
        found[asked.source].append(rows[0].p)
        for name, generator in CONTROLS.items():
            found[name].append(control(generator, asked.test, 1 + run))
        if sys.stderr.isatty():
            print(f"\r{run + 1} of {asked.runs}", end="", file=sys.stderr, flush=True)
    report: dict[str, Any] = {"test": asked.test, "source": asked.source}
    report["found"] = {name: summary(values) for name, values in found.items()}
    for name in CONTROLS:
        alike = float(ks_2samp(found[asked.source], found[name]).pvalue)
        report["found"][name]["like_ours"] = alike
    for name, row in report["found"].items():
        like = f", like ours p = {row['like_ours']:.3f}" if "like_ours" in row else ""
        print(f"{name}: {row['weak']} weak of {row['runs']}, {row['below_0.05']} below 0.05{like}")
    write_figures(f"noise-control-{asked.test}", report, asked.out)


if __name__ == "__main__":
    main()

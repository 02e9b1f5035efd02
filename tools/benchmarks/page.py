"""Write docs/benchmarks.md from the committed figures in docs/figures.

python tools/benchmarks/page.py            docs/benchmarks.md
python tools/benchmarks/page.py --print    to stdout
"""

from __future__ import annotations

import sys
from pathlib import Path

from gibbsite.bench.figures import committed
from gibbsite.bench.suites import SUITES
from gibbsite.bench.table import page

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "benchmarks.md"

HEAD = """# Benchmarks

Written by `python tools/benchmarks/page.py` from the JSON under `docs/figures`, which
`gibbsite bench SUITE... --out docs/figures/bench` and the session `nightly` write. Peers are
installed by `pip install 'gibbsite[bench]'`; instances come from a data folder (`--data`), or are
generated.

Seeds of instances begin at 1001: lower ones were looked at while settings were chosen.

How it is measured: seconds are processor time of one thread unless a row says otherwise, since that
is what other programs on the machine disturb least. Ratios are medians of interleaved pairs in one
run. For quality ours runs first, until its budget ends or the best known value is found; the peer,
dwave-samplers' simulated annealing with betas and sweeps tuned for the instance on seeds of their
own, then has as much time; tuning and compiling are no part of either's, so that a run takes longer
than its `--seconds`. A ratio above 1 is better for cuts, energies and rates alike. What the
host does beside the device (cluster moves, recombination) is named in the row and timed apart in
the JSON. Losses and missed bars are marked.

Figures in brackets are 95 % intervals of the bootstrap over seeds. TTS99 is the time until 99 % of
runs have found the best known value, restarts included.
"""

PICTURES = {"speed": "Speed beside peers", "residual": "Residual energy against sweeps"}
"""What tools/pictures/speed.py draws."""


def text() -> str:
    """The whole page."""
    shown = [
        f"![{what}](pictures/{name}.png)\n"
        for name, what in PICTURES.items()
        if (ROOT / "docs" / "pictures" / f"{name}.png").exists()
    ]
    return "\n".join([HEAD, *shown, *(page(document) for document in committed(SUITES))])


def main() -> None:
    """Write or print the page."""
    if "--print" in sys.argv[1:]:
        print(text())
    else:
        PAGE.write_text(text(), encoding="utf-8")
        print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()

"""Writes the table of power in docs/certificates.md anew from docs/figures/nightly.

    python tools/certificate_table.py

The figures are those of `pytest -m nightly tests/stats/test_certificate_power.py`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "certificates.md"
FIGURES = ROOT / "docs" / "figures" / "nightly"
BEGIN, END = "<!-- table: tools/certificate_table.py -->", "<!-- end of table -->"

FAULTS = {
    "hotter": "beta 3 % too small",
    "colder": "beta 3 % too large",
    "stuck": "one variable stuck",
    "shifted": "one-shift noise: a 32-bit LFSR, one new bit a draw",
    "together": "two coupled colours updated together",
    "clipped": "noise cut at 3 sigma: clipped",
    "redrawn": "noise cut at 3 sigma: redrawn",
}
"""As `FAULTS` of the test, in words."""


def table(power: dict[str, Any], alarms: dict[str, Any]) -> str:
    """Runs that were accused, and below how many there were."""
    cases = list(power["power"])
    lines = [["fault", *cases], ["---"] * (len(cases) + 1)]
    for fault, words in FAULTS.items():
        blind = power["blind"].get(fault, ())
        counts = (_accused(power["power"][case][fault]) for case in cases)
        cells = [
            f"{count} (sound)" if case in blind else str(count)
            for case, count in zip(cases, counts, strict=True)
        ]
        lines.append([words, *cells])
    good = [_accused(alarms["verdicts"][case]) for case in cases]
    lines.append([f"none, of {alarms['runs']} runs", *map(str, good)])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        f"{text}\n\n{power['runs']} runs each from seed {power['seed']}, commit {power['commit']}; "
        f"false alarms {alarms['alarms']} of {len(cases) * alarms['runs']}, so at most "
        f"{alarms['rate_at_most_95']:.1e} a verdict at 95 %, commit {alarms['commit']}."
    )


def _accused(verdicts: dict[str, int]) -> int:
    return verdicts.get("biased", 0) + verdicts.get("not equilibrated", 0)


def page(text: str) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    power, alarms = (
        json.loads((FIGURES / f"certificate-{name}.json").read_text("utf-8"))
        for name in ("power", "alarms")
    )
    return f"{before}{BEGIN}\n{table(power, alarms)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")

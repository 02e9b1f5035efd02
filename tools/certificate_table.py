"""Writes the table of power in docs/certificates.md anew from docs/figures/nightly.

    python tools/certificate_table.py

The figures are those of `pytest -m nightly tests/stats/test_certificate_power.py`; with `-k ring`
it makes one column of them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from scipy import stats

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


CASES = ("fields", "glass", "ring", "triangles", "potts")
"""Columns, as `NAMES` of the test."""

Figures: TypeAlias = dict[str, dict[str, Any]]


def table(power: Figures, alarms: Figures) -> str:
    """Runs that were accused, and below how many there were."""
    lines = [["fault", *CASES], ["---"] * (len(CASES) + 1)]
    for fault, words in FAULTS.items():
        cells = [
            f"{_accused(power[case]['power'][fault])}"
            + (" (sound)" if fault in power[case]["blind"] else "")
            for case in CASES
        ]
        lines.append([words, *cells])
    runs = _same(alarms, "runs")
    lines.append([f"none, of {runs} runs", *(str(_accused(alarms[c]["verdicts"])) for c in CASES)])
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    accused, good = sum(_accused(alarms[case]["verdicts"]) for case in CASES), runs * len(CASES)
    most = stats.beta.ppf(0.95, accused + 1, good - accused)
    return (
        f"{text}\n\n{_same(power, 'runs')} runs each from seed {_same(power, 'seed')}, "
        f"{_commits(power)}; false alarms {accused} of {good}, so at most {most:.1e} a verdict at "
        f"95 %, {_commits(alarms)}."
    )


def _same(figures: Figures, name: str) -> int:
    """What all columns have to have in common."""
    (value,) = {column[name] for column in figures.values()}
    return int(value)


def _commits(figures: Figures) -> str:
    """Which commits made the columns: one, or each with its columns."""
    made: dict[str, list[str]] = {}
    for case, column in figures.items():
        made.setdefault(column["commit"], []).append(case)
    if len(made) == 1:
        return f"commit {next(iter(made))}"
    return "commits " + ", ".join(f"{commit} ({', '.join(made[commit])})" for commit in made)


def _accused(verdicts: dict[str, int]) -> int:
    return verdicts.get("biased", 0) + verdicts.get("not equilibrated", 0)


def page(text: str) -> str:
    """The page with its table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    power, alarms = (
        {
            case: json.loads((FIGURES / f"certificate-{name}-{case}.json").read_text("utf-8"))
            for case in CASES
        }
        for name in ("power", "alarms")
    )
    return f"{before}{BEGIN}\n{table(power, alarms)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")

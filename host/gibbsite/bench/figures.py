"""Figures as committed JSON: what was measured, with the machine, versions, date and commit.

    write_figures("maxcut", {...})          docs/figures/nightly/maxcut.json

Long checks call it with what they found; documentation and pictures are made from these files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from gibbsite.bench.facts import facts

__all__ = ["BENCH", "NIGHTLY", "committed", "read_figures", "write_figures"]

ROOT: Final = Path(__file__).resolve().parents[3]
"""The checkout; an installed package has none and must name a folder."""

BENCH: Final = ROOT / "docs" / "figures" / "bench"
NIGHTLY: Final = ROOT / "docs" / "figures" / "nightly"


def write_figures(name: str, data: Mapping[str, Any], folder: Path = NIGHTLY) -> Path:
    """Write ``folder/name.json``: the facts of this process, then ``data``; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {**facts(sys.argv), **data}
    whole = path.with_suffix(".part")  # a run that is killed while it writes leaves the old figures
    whole.write_text(json.dumps(document, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    whole.replace(path)
    return path


def read_figures(path: Path) -> dict[str, Any]:
    """What `write_figures` wrote."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def committed(suites: Iterable[str]) -> list[dict[str, Any]]:
    """All committed figures of these suites, in their order, then by name of file."""
    paths = [path for folder in (BENCH, NIGHTLY) for path in sorted(folder.glob("*.json"))]
    found = [read_figures(path) for path in paths]
    return [one for suite in suites for one in found if one.get("suite") == suite]

"""Figures as committed JSON: what was measured, with the machine, versions, date and commit.

    write_figures("maxcut", {...})          docs/figures/nightly/maxcut.json

Long checks call it with what they found; documentation and pictures are made from these files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gibbsite.bench.facts import facts

__all__ = ["NIGHTLY", "read_figures", "write_figures"]

ROOT: Final = Path(__file__).resolve().parents[3]
"""The checkout; an installed package has none and must name a folder."""

NIGHTLY: Final = ROOT / "docs" / "figures" / "nightly"


def write_figures(name: str, data: Mapping[str, Any], folder: Path = NIGHTLY) -> Path:
    """Write ``folder/name.json``: the facts of this process, then ``data``; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    document = {**facts(sys.argv), **data}
    path.write_text(json.dumps(document, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    return path


def read_figures(path: Path) -> dict[str, Any]:
    """What `write_figures` wrote."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document

"""One table for all suites: rows of a measure beside its peer and its bar, as Markdown and JSON.

A row where the peer is better is marked as a loss, and one that misses its bar as missed: nothing
is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

__all__ = ["Row", "Table", "page"]

HEAD: Final = ("measure", "ours", "peer", "ratio", "bar", "verdict", "how")


@dataclass(slots=True)
class Row:
    """One measure.

    ``ours``, ``peer``  as they are to be read, units included; ``peer`` empty where there is none
    ``ratio``           ours over the peer's so that above 1 is better, or None
    ``bar``             what was to be reached, empty where nothing was promised
    ``met``             whether it was; None without a bar
    ``loss``            whether the peer is better
    ``how``             seeds, pairs, algorithm: what a reader needs to repeat it
    ``data``            everything behind the row, for JSON
    """

    measure: str
    ours: str
    peer: str = ""
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None
    loss: bool = False
    how: str = ""
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Bar and peer in words."""
        words = [] if self.met is None else ["bar met" if self.met else "**bar missed**"]
        return ", ".join([*words, *(["**loss**"] if self.loss else [])])


@dataclass(slots=True)
class Table:
    """The rows of a suite; ``notes`` say what was left out and why."""

    suite: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The table in Markdown, its notes below."""
        lines = [f"## {self.suite}", "", _line(HEAD), _line(["---"] * len(HEAD))]
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
            lines.append(
                _line([row.measure, row.ours, row.peer, ratio, row.bar, row.verdict, row.how])
            )
        lines += [f"\n{note}" for note in self.notes]
        return "\n".join(lines) + "\n"

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Table:
        """The table that `as_dict` gave."""
        rows = [
            Row(**{name: value for name, value in row.items() if name != "verdict"})
            for row in document["rows"]
        ]
        return cls(document["suite"], rows, list(document["notes"]))

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values."""
        rows = [{**asdict(row), "verdict": row.verdict.replace("*", "")} for row in self.rows]
        return {"suite": self.suite, "rows": rows, "notes": self.notes}


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def page(document: Mapping[str, Any]) -> str:
    """A table in Markdown from its figures, with what made it."""
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    first = document["first_seed"]
    last = first + document["seeds"] - 1
    return (
        f"{Table.of(document).markdown()}\n"
        f"`{document['command']}`; seeds {first} to {last}; {document['date']}, commit "
        f"{document['commit']}; {machine['processor']}, {machine['cores']} cores, load "
        f"{machine.get('load', 'unknown')} when it ended; {versions}.\n"
    )

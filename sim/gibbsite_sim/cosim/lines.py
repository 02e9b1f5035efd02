"""Line coverage of a simulated Verilog text, from the data that Verilator writes.

A point is a block of lines that run together, or one side of an ``if`` or case; a source line is
covered when every point that names it was reached.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["LineCoverage", "Point"]

EXPORTER = "$auto$verilog_backend"


@dataclass(frozen=True, slots=True)
class Point:
    """One counted place: module instance, kind (line or branch), source lines, hits."""

    instance: str
    kind: str
    what: str
    lines: tuple[int, ...]
    hits: int


class LineCoverage:
    """All points of one run in ``verilog``. Raises ValueError if the file holds none.

    The empty ``if`` that the exporter puts into every process, only to wake it up, is no point.
    """

    def __init__(self, data: Path, verilog: str) -> None:
        self._text = verilog.splitlines()
        self.points = [
            point
            for point in _points(data.read_text(encoding="utf-8"))
            if EXPORTER not in self._text[point.lines[0] - 1]
        ]
        if not self.points:
            raise ValueError(f"{data} counts nothing: build the bench with coverage=True")

    def part(self, kind: str | None = None) -> float:
        """Points reached / points, of one kind or of all."""
        chosen = [point for point in self.points if kind is None or point.kind == kind]
        return sum(point.hits > 0 for point in chosen) / len(chosen)

    def lines(self) -> dict[tuple[str, int], bool]:
        """Whether each source line, named by module instance and number, ran in every way."""
        found: dict[tuple[str, int], bool] = {}
        for point in self.points:
            for line in point.lines:
                place = (point.instance, line)
                found[place] = found.get(place, True) and point.hits > 0
        return found

    def line_part(self) -> float:
        """Lines covered / lines."""
        lines = self.lines()
        return sum(lines.values()) / len(lines)

    def uncovered(self) -> list[tuple[str, str, str]]:
        """Every point that was not reached: instance, what it is, and its first line's text."""
        return [
            (point.instance, f"{point.kind} {point.what}", self._text[point.lines[0] - 1].strip())
            for point in self.points
            if not point.hits
        ]


def _points(data: str) -> Iterator[Point]:
    for record in data.splitlines():
        if not record.startswith("C '"):
            continue
        body, _, count = record[3:].rpartition("' ")
        fields = dict(item.split("\x02", 1) for item in body.split("\x01") if "\x02" in item)
        yield Point(
            instance=fields["h"],
            kind=fields["t"],
            what=fields.get("o", ""),
            lines=tuple(_numbers(fields.get("S") or fields["l"])),
            hits=int(count),
        )


def _numbers(spans: str) -> Iterator[int]:
    """``3,5-7`` is 3, 5, 6, 7."""
    for span in spans.split(","):
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)

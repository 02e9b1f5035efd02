"""Tables: a task table with a header row, drawn with "|", becomes one line of text a fact.

Columns are known by their headers; a header that says nothing known refuses the table, so that no
column is dropped silently.
"""

from __future__ import annotations

from typing import Final

from gibbsite.formalizer.refusal import FormalizationError

__all__ = ["write_out_tables"]

_COLUMNS: Final[dict[str, str]] = {
    **dict.fromkeys(
        "task job operation step activity name order zadanie zlecenie operacja krok czynność "
        "nazwa etap".split(),
        "name",
    ),
    **dict.fromkeys(
        "duration time length takes hours minutes days czas trwanie godziny minuty dni".split(),
        "duration",
    ),
    **dict.fromkeys(
        "after predecessor predecessors needs requires depends po poprzednik poprzedniki "
        "wymaga".split(),
        "after",
    ),
    **dict.fromkeys("machine machines on only maszyna maszyny stanowisko".split(), "machine"),
    **dict.fromkeys("release available arrives earliest dostępne przychodzi od".split(), "release"),
    **dict.fromkeys("deadline due latest by termin do".split(), "deadline"),
}
_SENTENCES: Final[dict[str, str]] = {
    "after": "{name} after {value}.",
    "machine": "{name} only on {value}.",
    "release": "{name} not before {value}.",
    "deadline": "{name} due by {value}.",
}
_POLISH: Final[dict[str, str]] = {
    "after": "{name} po {value}.",
    "machine": "{name} tylko na {value}.",
    "release": "{name} nie wcześniej niż {value}.",
    "deadline": "{name} termin do {value}.",
}
_UNITS: Final = {
    "hours": "h",
    "godziny": "h",
    "minutes": "min",
    "minuty": "min",
    "days": "days",
    "dni": "dni",
    "h": "h",
    "min": "min",
}


def write_out_tables(text: str) -> str:
    """The text with each task table as sentences; other text stays as it is."""
    lines = text.split("\n")
    result: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end < len(lines) and lines[end].count("|") >= 2:
            end += 1
        if end - at >= 2:
            result.extend(_written(lines[at:end]))
            at = end
        else:
            result.append(lines[at])
            at += 1
    return "\n".join(result)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _written(lines: list[str]) -> list[str]:
    header = _cells(lines[0])
    columns = [_column(cell) for cell in header]
    if "name" not in columns or "duration" not in columns:
        return lines
    unknown = [cell for cell, column in zip(header, columns, strict=True) if column is None]
    if unknown:
        raise FormalizationError(
            "not_understood",
            "a task table has columns for name, duration, after, machine, release and deadline, "
            f"found {unknown[0]!r}; rename that column or leave it out",
            unknown[0],
        )
    polish = any(cell.lower().split()[0] in _POLISH_HEADERS for cell in header if cell)
    sentences = _POLISH if polish else _SENTENCES
    first: list[str] = []
    then: list[str] = []
    for line in lines[1:]:
        cells = _cells(line)
        if len(cells) != len(header) or all(not cell.strip("-: ") for cell in cells):
            continue
        row = {str(column): cell for column, cell in zip(columns, cells, strict=True)}
        duration = row["duration"]
        if duration.replace(".", "").replace(",", "").replace("-", "").isdigit():
            duration += " " + _unit(header[columns.index("duration")])
        first.append(f"- {row['name']}: {duration}")
        for column, sentence in sentences.items():
            value = row.get(column, "").strip("-–— ")
            if value:
                then.append(sentence.format(name=row["name"], value=value))
    return [*first, *then]


_POLISH_HEADERS: Final = frozenset(
    word for word in _COLUMNS if any(letter in word for letter in "ąćęłńóśźż")
) | frozenset("zadanie zlecenie operacja krok nazwa etap czas po termin maszyna".split())


def _column(cell: str) -> str | None:
    words = cell.lower().replace("(", " ").replace(")", " ").split()
    return next((_COLUMNS[word] for word in words if word in _COLUMNS), None)


def _unit(cell: str) -> str:
    words = cell.lower().replace("(", " ").replace(")", " ").replace("[", " ").replace("]", " ")
    return next((_UNITS[word] for word in words.split() if word in _UNITS), "")

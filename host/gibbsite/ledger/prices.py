"""Named tables of prices: data files with provenance, checked when they are read.

A table is of one kind. Its parts are alternatives, or stages, each a sum of figures: counts of the
ledger times joules.

    E(part) = sum over its figures of  value x count
"""

from __future__ import annotations

import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gibbsite.ledger.counts import COUNTS
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["TABLES", "Figure", "PriceError", "PriceTable", "price_table", "read_table"]

TABLES: Final = ("extropic-z1", "design-documents")
"""Names of the tables that price counts of a run; `gibbsite.ledger.fpga` has its own."""


class PriceError(GibbsiteError, ValueError):
    """A table of prices that does not exist or cannot be read."""


class Figure(BaseModel):
    """One published or measured figure and where it is from.

    ``per``  the count of the ledger that it is a price of; null for a figure that is no price
    ``date`` of publication, as far as it is known: a year, a month or a day
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    unit: str
    kind: Literal["measured", "estimated", "quoted"]
    per: str | None = None
    source: Annotated[str, Field(min_length=10)]
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
    covers: Annotated[str, Field(min_length=3)]
    excludes: Annotated[str, Field(min_length=3)]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.per is not None and (self.per not in COUNTS or self.unit != "J"):
            raise ValueError(
                f"a price is in J per one of {', '.join(COUNTS)}, found {self.unit} per {self.per}"
            )
        # a date that no calendar has is a slip of the pen
        datetime.date.fromisoformat(f"{self.date}-01-01"[:10])
        return self


class PriceTable(BaseModel):
    """Figures of one kind under one name, and which of them make up each part.

    ``engines``  whose updates the prices are of; null: any
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1]
    name: str
    title: str
    kind: Literal["estimated", "quoted"]
    about: str
    engines: tuple[str, ...] | None = None
    figures: dict[str, Figure]
    parts: dict[str, tuple[str, ...]]
    error_factor: Annotated[float, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for part, names in self.parts.items():
            for name in names:
                if name not in self.figures or self.figures[name].per is None:
                    raise ValueError(f"part {part!r} needs the price {name!r}, which is not there")
        for name, figure in self.figures.items():
            if figure.kind != self.kind:
                raise ValueError(f"{name} is {figure.kind} in a table that is {self.kind}")
        return self

    def prices(self, engines: tuple[str, ...]) -> bool:
        """Whether the prices are of the work of these engines."""
        return self.engines is None or set(engines) <= set(self.engines)


def read_table(path: Path) -> PriceTable:
    """A table of one's own. Raises `PriceError` for a file that is none, with what is wrong."""
    try:
        return PriceTable.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceError(
            f"the price table {path} cannot be read: {error.strerror}; check its name"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PriceError(
            f"the price table {path} is not one: {place or 'document'}: {first['msg']}; compare "
            "with `gibbsite energy --json`"
        ) from None


@cache
def price_table(name: str) -> PriceTable:
    """The table of that name that comes with Gibbsite. Raises `PriceError` if there is none."""
    if name not in TABLES:
        raise PriceError(f"price tables are {', '.join(TABLES)}, found {name!r}: use one of these")
    place = files("gibbsite.ledger") / "tables" / f"{name}.json"
    return PriceTable.model_validate_json(place.read_text(encoding="utf-8"))

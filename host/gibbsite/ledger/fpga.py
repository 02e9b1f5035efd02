"""Joules of an FPGA, estimated from the toggles of its netlist after place and route.

    E = sum over cell kinds of  toggles x C V^2 / 2  +  cycles x E_clock  +  P_static x cycles / f

C belongs to a net and what drives it. The tables' capacitances are derived from published currents
or assumed, as each says; a table's ``error_factor`` bounds, by its makers' judgement, how far the
whole may be off either way. A simulation without delays shows no glitches, so an estimate from one
leans to the low side.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gibbsite.ledger.energy import Estimated
from gibbsite.ledger.prices import Figure, PriceError

__all__ = [
    "FPGA_TABLES",
    "FpgaEstimate",
    "FpgaTable",
    "Toggles",
    "fpga_estimate",
    "fpga_table",
    "read_toggles",
]

FPGA_TABLES: Final = ("ice40-estimate", "ecp5-estimate")

METHOD: Final = (
    "toggles of the routed netlist x C V^2 / 2, the clock tree by the cycle, static power by the "
    "second"
)


class FpgaTable(BaseModel):
    """Capacitances of one part: ``cells`` by kind, ``names`` from a netlist's cell types to kinds.

    A name stands for every type that begins with it; the longest that fits counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    schema_version: Literal[1]
    name: str
    title: str
    kind: Literal["estimated"]
    device: str
    about: str
    error_factor: Annotated[float, Field(ge=1)]
    error_because: str
    volts: Figure
    static: Figure
    clock: Figure
    cells: dict[str, Figure]
    names: dict[str, str]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        figures = {"volts": self.volts, "static": self.static, "clock": self.clock} | self.cells
        units = {"volts": "V", "static": "W", "clock": "J"} | dict.fromkeys(self.cells, "F")
        for name, figure in figures.items():
            if figure.unit != units[name]:
                raise ValueError(f"{name} is in {units[name]}, found {figure.unit}")
        unknown = set(self.names.values()) - set(self.cells)
        if unknown:
            raise ValueError(f"names lead to the kinds {sorted(unknown)}, which have no figure")
        return self

    def has(self, name: str) -> bool:
        """Whether a cell type has a capacitance here."""
        return any(name.startswith(known) for known in self.names)

    def cell(self, name: str) -> Figure:
        """The capacitance of a cell type. Raises `PriceError` for one that has none."""
        fits = [known for known in self.names if name.startswith(known)]
        if not fits:
            others = [one for one in FPGA_TABLES if fpga_table(one).has(name)]
            step = f"use --table {others[0]}" if others else "add it to the table with its source"
            raise PriceError(
                f"{self.name} has no capacitance of the cell {name!r}, only of "
                f"{', '.join(sorted(self.names))}: {step}"
            )
        return self.cells[self.names[max(fits, key=len)]]


class Toggles(BaseModel):
    """What a simulation of a netlist counted: a document of its own beside the netlist.

    ``toggles``  cell type -> changes of its outputs over all ``cycles``; ``clock_hz`` of the board
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    cycles: Annotated[int, Field(ge=1)]
    toggles: dict[str, Annotated[int, Field(ge=0)]]
    clock_hz: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class FpgaEstimate(BaseModel):
    """An estimate over so many cycles; ``low`` and ``high`` are its joules by the error factor."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["estimated"] = "estimated"
    table: str
    device: str
    method: str = METHOD
    cycles: int
    clock_hz: float
    toggles: dict[str, int]
    toggle_joules: float
    clock_joules: float
    static_joules: float
    joules: float
    error_factor: float
    error_because: str
    low: float
    high: float

    @property
    def watts(self) -> float:
        """Mean power meanwhile."""
        return self.joules * self.clock_hz / self.cycles

    def energy(self, cycles: int | None = None) -> Estimated:
        """As a figure of a ledger, for the cycles simulated or for a run of another length.

        The latter takes the activity of the simulated cycles for that of all.
        """
        count = self.cycles if cycles is None else cycles
        return Estimated(
            joules=self.joules * count / self.cycles,
            table=self.table,
            part=f"at {self.clock_hz / 1e6:g} MHz",
            covers=f"the core of {self.device}: {self.method}",
            excludes="pins, auxiliary supplies, PLLs, glitches, the board, the host",
            error_factor=self.error_factor,
        )


def fpga_estimate(
    toggles: Mapping[str, int], cycles: int, clock_hz: float, table: FpgaTable | str
) -> FpgaEstimate:
    """Joules of ``cycles`` cycles in which nets toggled so often, by the type of what drives them.

    ``toggles``  cell type (or kind: lut, ff, carry, ram, multiplier, io) -> changes of its outputs,
                 0 to 1 and 1 to 0 alike, over all cycles and nets

    Raises `PriceError` for a cell without a figure, a negative count, or no cycles.
    """
    table = fpga_table(table) if isinstance(table, str) else table
    if cycles < 1:
        raise PriceError(f"cycles must be at least 1 and is {cycles}: simulate some")
    if not 0 < clock_hz < float("inf"):
        raise PriceError(
            f"clock_hz must be a finite number above 0 and is {clock_hz}: give the clock"
        )
    half = table.volts.value**2 / 2
    moved = 0.0
    for name, count in sorted(toggles.items()):
        if count < 0:
            raise PriceError(
                f"toggles of {name} must be at least 0, found {count}: count them anew"
            )
        moved += count * table.cell(name).value * half
    clock = cycles * table.clock.value
    static = table.static.value * cycles / clock_hz
    joules = moved + clock + static
    return FpgaEstimate(
        table=table.name,
        device=table.device,
        cycles=cycles,
        clock_hz=clock_hz,
        toggles=dict(sorted(toggles.items())),
        toggle_joules=moved,
        clock_joules=clock,
        static_joules=static,
        joules=joules,
        error_factor=table.error_factor,
        error_because=table.error_because,
        low=joules / table.error_factor,
        high=joules * table.error_factor,
    )


def read_toggles(path: Path) -> Toggles:
    """The toggles in a file. Raises `PriceError` for one that holds none, with what is wrong."""
    try:
        return Toggles.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PriceError(
            f"the toggles {path} cannot be read: {error.strerror}; check its name"
        ) from None
    except UnicodeDecodeError as error:
        raise PriceError(
            f"the toggles {path} are no text in UTF-8 (byte {error.start}): give a file of toggles "
            "in JSON"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "document"
        raise PriceError(
            f"{path} holds no toggles: {place}: {first['msg']}; give "
            '{"cycles": N, "toggles": {"SB_LUT4": N, ...}}'
        ) from None


@cache
def fpga_table(name: str) -> FpgaTable:
    """The table of that name. Raises `PriceError` if there is none."""
    if name not in FPGA_TABLES:
        raise PriceError(f"tables are {', '.join(FPGA_TABLES)}, found {name!r}: use one of these")
    place = files("gibbsite.ledger") / "tables" / f"{name}.json"
    return FpgaTable.model_validate_json(place.read_text(encoding="utf-8"))

"""A ledger's energy and the tables of prices as lines of text: one line a kind, no sum of two."""

from __future__ import annotations

import json

from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.energy import AnyEnergy
from gibbsite.ledger.fpga import FPGA_TABLES, FpgaEstimate, FpgaTable, fpga_table
from gibbsite.ledger.host_meter import HostMeter
from gibbsite.ledger.prices import TABLES, Figure, PriceTable, price_table
from gibbsite.ledger.savings import SamplerKind, estimate_energy_savings

__all__ = ["energy_lines", "estimate_lines", "savings_lines", "table_lines", "tables_json"]

SAMPLERS: tuple[SamplerKind, ...] = ("digital", "analog")

KINDS = ("measured", "estimated", "quoted")

NONE = {
    "measured": "none claimed",
    "estimated": "none claimed: no toggles of this device's netlist are at hand",
    "quoted": "none claimed: no table prices what was counted",
}
"""Why there is no figure of a kind, where the ledger itself does not say."""

ONE_OF = {
    "updates": "an update",
    "values_read": "a value read",
    "values_written": "a value written",
    "langevin_steps": "a Langevin step",
    "llm_tokens": "a token",
}

PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"))


def energy_lines(ledger: Ledger) -> list[str]:
    """One line for each kind: its figures with their tables, or why none is claimed."""
    lines = []
    for kind in KINDS:
        told = "; ".join(_told(energy) for energy in ledger.energies if energy.kind == kind)
        if not told and kind == "measured" and ledger.joules_reason:
            told = f"none claimed: {ledger.joules_reason.removeprefix('not measured: ')}"
        if told and kind == "quoted":
            told = f"{told}; other makers' prices, no statement about this device"
        lines.append(f"energy, {kind}: {told or NONE[kind]}")
    return lines


def table_lines() -> list[str]:
    """Every table with its figures and where they are from, and what this machine measures."""
    with HostMeter() as meter:
        pass
    reading = meter.reading
    state = ", ".join(reading.zones) if reading.reason is None else reading.reason
    lines = ["host-measured (measured): joules of the host while it draws", f"  here: {state}"]
    for table in _tables():
        lines += ["", f"{table.name} ({table.kind}): {table.title}", f"  {table.about}"]
        if isinstance(table, FpgaTable):
            lines.append(
                f"  error: a factor of {table.error_factor:g} either way, since "
                f"{table.error_because}"
            )
        for name, figure in _figures(table).items():
            per = f" {ONE_OF.get(figure.per, figure.per)}" if figure.per else ""
            lines += [
                f"  {name}: {_amount(figure.value, figure.unit, 4)}{per} ({figure.kind}, "
                f"{figure.date})",
                f"    covers   {figure.covers}",
                f"    excludes {figure.excludes}",
                f"    source   {figure.source}",
            ]
    return lines


def savings_lines() -> list[str]:
    """The design documents' table of savings, from their own counts and prices."""
    table = price_table("design-documents")
    tokens, steps = (int(table.figures[n].value) for n in ("formalizing_tokens", "sampler_steps"))
    digital, analog = (
        estimate_energy_savings(tokens, steps, sampler=sampler) for sampler in SAMPLERS
    )
    alone = _amount(digital.alone_joules, "J")
    lines = [
        "",
        f"design-documents: a language model alone ({digital.alone_tokens:,} tokens) {alone}",
    ]
    for name, saved in zip(SAMPLERS, (digital, analog), strict=True):
        lines.append(
            f"  {tokens:,} tokens and {steps:,} steps, {name}: {_amount(saved.path_joules, 'J')}, "
            f"saves {saved.saved:.0%}; by the documents' own formula (0.1 x alone for "
            f"formalizing) {_amount(saved.documented_joules, 'J')}, {saved.documented_saved:.0%}"
        )
    return lines


def estimate_lines(estimate: FpgaEstimate) -> list[str]:
    """An FPGA estimate with its parts, its method and its error."""
    parts = {
        "toggles": estimate.toggle_joules,
        "clock": estimate.clock_joules,
        "static": estimate.static_joules,
    }
    told = ", ".join(f"{name} {_amount(joules, 'J')}" for name, joules in parts.items())
    return [
        f"estimated: {_amount(estimate.joules, 'J')} in {estimate.cycles:,} cycles at "
        f"{estimate.clock_hz / 1e6:g} MHz, {_amount(estimate.watts, 'W')} ({estimate.table})",
        f"  between {_amount(estimate.low, 'J')} and {_amount(estimate.high, 'J')}: a factor of "
        f"{estimate.error_factor:g} either way, since {estimate.error_because}",
        f"  {told}",
        f"  method: {estimate.method}",
        "  not in it: pins, auxiliary supplies, PLLs, glitches, the board, the host",
    ]


def tables_json() -> str:
    """All tables as one JSON document."""
    tables = [table.model_dump(mode="json") for table in _tables()]
    document = {"schema_version": 1, "tables": tables}
    return json.dumps(document)


def _tables() -> list[PriceTable | FpgaTable]:
    return [*map(price_table, TABLES), *map(fpga_table, FPGA_TABLES)]


def _figures(table: PriceTable | FpgaTable) -> dict[str, Figure]:
    if isinstance(table, PriceTable):
        return table.figures
    return {"volts": table.volts, "static": table.static, "clock": table.clock} | table.cells


def _told(energy: AnyEnergy) -> str:
    name = f"{energy.table}, {energy.part}" if energy.part else energy.table
    if energy.joules is None:
        return f"{name} unknown ({energy.reason})"
    error = f", within a factor of {energy.error_factor:g}" if energy.error_factor else ""
    return f"{_amount(energy.joules, 'J')} ({name}{error})"


def _amount(value: float | None, unit: str, digits: int = 3) -> str:
    """A figure with a prefix; counts and shares as they are."""
    if value is None:
        return "unknown"
    if unit not in {"J", "W", "F", "V"} or value == 0:
        return f"{value:g} {unit}"
    for size, prefix in PREFIXES:
        if value >= size:
            return f"{value / size:.{digits}g} {prefix}{unit}"
    return f"{value:.3g} {unit}"

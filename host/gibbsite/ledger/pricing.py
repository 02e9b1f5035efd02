"""Counts of a ledger times the prices of a table: joules of the table's kind."""

from __future__ import annotations

from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.energy import AnyEnergy, Estimated, Quoted, totals
from gibbsite.ledger.host_meter import HostReading
from gibbsite.ledger.prices import TABLES, PriceError, PriceTable, price_table

__all__ = ["price", "priced"]


def price(ledger: Ledger, table: PriceTable, part: str) -> AnyEnergy:
    """Joules of one part of a table; unknown if one of the counts that it needs is.

    Raises `PriceError` for a part that the table does not have.
    """
    if part not in table.parts:
        raise PriceError(
            f"{table.name} has the parts {', '.join(table.parts)}, found {part!r}: use one of these"
        )
    figures = [table.figures[name] for name in table.parts[part]]
    joules, missing = 0.0, []
    for figure in figures:
        assert figure.per is not None, "parts hold prices"
        count = getattr(ledger, figure.per)
        if count is None:
            missing.append(figure.per.replace("_", " "))
        else:
            joules += figure.value * count
    if not table.prices(ledger.engines):
        joules, missing = 0.0, [f"work of the engine {', '.join(ledger.engines)}"]
    kind = Estimated if table.kind == "estimated" else Quoted
    return kind(
        joules=None if missing else joules,
        table=table.name,
        part=part,
        covers="; ".join(figure.covers for figure in figures),
        excludes="; ".join(dict.fromkeys(figure.excludes for figure in figures)),
        reason=f"not counted: {', '.join(missing)}" if missing else None,
        error_factor=table.error_factor,
    )


def priced(
    ledger: Ledger, reading: HostReading | None = None, names: tuple[str, ...] = TABLES
) -> Ledger:
    """The ledger with what the host measured, and with all parts of tables that can price it.

    Left out are tables for other engines and parts of which nothing was counted.
    """
    energies = list(ledger.energies)
    if reading is not None:
        energies += [] if reading.energy is None else [reading.energy]
    for name in names:
        table = price_table(name)
        if not table.prices(ledger.engines):
            continue
        for part, figures in table.parts.items():
            per = [table.figures[figure].per for figure in figures]
            if any(count and getattr(ledger, count) is not None for count in per):
                energies.append(price(ledger, table, part))
    update: dict[str, object] = {"energies": totals(energies)}
    if reading is not None:
        update |= {"joules": reading.joules, "joules_reason": reading.reason}
    return ledger.model_copy(update=update)

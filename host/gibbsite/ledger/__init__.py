"""The ledger of a run: what was counted, and what it would cost by named tables of prices.

    Ledger                     counts of a run, per engine; what is not known is null, never 0
    Measured Estimated Quoted  joules of one kind and one source; kinds are never added
    PriceTable                 figures with unit, source, date, and what they cover and do not
    HostMeter                  joules that the host's own counters show, where it has any
    fpga_estimate              joules of a routed netlist from its toggles
    estimate_energy_savings    the design documents' comparison, from counted tokens and steps

Counts come from the device's counters, or from these by the formulas of `gibbsite.ledger.engines`.
See docs/energy.md.
"""

from __future__ import annotations

from gibbsite.ledger.counts import LEDGER_VERSION, Ledger
from gibbsite.ledger.energy import (
    AnyEnergy,
    Energy,
    Estimated,
    KindError,
    Measured,
    Quoted,
    totals,
)
from gibbsite.ledger.fpga import FpgaEstimate, FpgaTable, fpga_estimate, fpga_table
from gibbsite.ledger.host_meter import HostMeter, HostReading
from gibbsite.ledger.prices import (
    TABLES,
    Figure,
    PriceError,
    PriceTable,
    price_table,
    read_table,
)
from gibbsite.ledger.pricing import price, priced
from gibbsite.ledger.savings import EnergySavings, estimate_energy_savings, savings_of

__all__ = [
    "LEDGER_VERSION",
    "TABLES",
    "AnyEnergy",
    "Energy",
    "EnergySavings",
    "Estimated",
    "Figure",
    "FpgaEstimate",
    "FpgaTable",
    "HostMeter",
    "HostReading",
    "KindError",
    "Ledger",
    "Measured",
    "PriceError",
    "PriceTable",
    "Quoted",
    "estimate_energy_savings",
    "fpga_estimate",
    "fpga_table",
    "price",
    "price_table",
    "priced",
    "read_table",
    "savings_of",
    "totals",
]

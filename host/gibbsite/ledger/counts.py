"""`Ledger`: what a run did, in whole numbers; what nobody counted is null, never 0.

Ledgers add: counts add, null stays null, joules keep to their kind, table and part. Addition is
associative, and commutative but for which reason is kept (joules up to rounding).
"""

from __future__ import annotations

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from gibbsite.ledger.energy import AnyEnergy, totals

__all__ = ["COUNTS", "LEDGER_VERSION", "Ledger"]

LEDGER_VERSION: Final = 1
"""Raised whenever a field of the ledger changes its meaning."""

Count = Annotated[int, Field(ge=0)]


class Ledger(BaseModel):
    """Counts of one run, or of several added up, and what they cost by named tables.

    ``engines``        which engines did the work
    ``coupling_loads`` programs loaded; ``conditionings`` conditions sent besides these
    ``runs``           runs of the device; ``reads`` draws that it sent; ``sweeps`` of graph and
                       lattice; ``langevin_steps`` of the Langevin engine
    ``cycles``         of the device's clock, seeding and starting among them
    ``updates``        one-hot states, p-bits, sites or units that sweeps and steps decided
    ``neighbour_terms``  couplings of non-zero weight that were accumulated
    ``memory_reads``   coupling codes read on the device for the updates
    ``memory_writes``  writes of the state memory by commits of the updates
    ``values_read``    values of slots, sites or units that left the device in draws
    ``values_written`` slots, sites or units programmed: all of them at each load and conditioning
    ``words_in``, ``words_out``  words of 32 bits over the link, programs and conditions among
                       them; null for a device that does not count them
    ``bits_in``, ``bits_out``    the same in bits
    ``device_seconds`` cycles by the device's clock; null where no clock runs in real time
    ``llm_tokens``     null where no language model was asked
    ``joules``         measured joules of the host while it drew; null where it has no counter
    ``joules_reason``  why they are null
    ``energies``       one figure for each kind, table and part; never to be added up

    A replay for the energy trace is no run and is not counted, nor is the pass that starts a chain
    in anything but cycles. Formulas: `gibbsite.ledger.engines`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = LEDGER_VERSION
    engines: tuple[str, ...]
    coupling_loads: Count | None = None
    conditionings: Count | None = None
    runs: Count | None = None
    reads: Count | None = None
    sweeps: Count | None = None
    langevin_steps: Count | None = None
    cycles: Count | None = None
    updates: Count | None = None
    neighbour_terms: Count | None = None
    memory_reads: Count | None = None
    memory_writes: Count | None = None
    values_read: Count | None = None
    values_written: Count | None = None
    words_in: Count | None = None
    words_out: Count | None = None
    bits_in: Count | None = None
    bits_out: Count | None = None
    device_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    llm_tokens: Count | None = None
    joules: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    joules_reason: str | None = None
    energies: tuple[AnyEnergy, ...] = ()

    def __add__(self, other: Self) -> Self:
        """Both ledgers as one. A figure of energy that only one of them has becomes unknown."""
        summed: dict[str, object] = {}
        for name in (*COUNTS, "device_seconds", "joules"):
            mine, yours = getattr(self, name), getattr(other, name)
            summed[name] = None if mine is None or yours is None else mine + yours
        summed["joules_reason"] = self.joules_reason or other.joules_reason
        summed["engines"] = tuple(sorted({*self.engines, *other.engines}))
        summed["energies"] = totals((*self._beside(other), *other._beside(self)))
        return type(self).model_validate({"schema_version": self.schema_version, **summed})

    @property
    def bits_moved(self) -> dict[str, int] | None:
        """Bits into and out of the device; None where nobody counted."""
        if self.bits_in is None or self.bits_out is None:
            return None
        return {"in": self.bits_in, "out": self.bits_out}

    def _beside(self, other: Ledger) -> tuple[AnyEnergy, ...]:
        """The energies, and an unknown one for each figure that only ``other`` has."""
        own = {(energy.kind, energy.table, energy.part) for energy in self.energies}
        missing = tuple(
            energy.model_copy(update={"joules": None, "reason": "not priced for all of the work"})
            for energy in other.energies
            if (energy.kind, energy.table, energy.part) not in own
        )
        return self.energies + missing


COUNTS: Final = tuple(
    name
    for name in Ledger.model_fields
    if name
    not in {"schema_version", "engines", "device_seconds", "joules", "joules_reason", "energies"}
)
"""Names of the fields that hold whole numbers."""

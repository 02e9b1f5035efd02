"""Ports of the lattice engine's blocks as Python sees them: slots, table writes, store writes."""

from dataclasses import dataclass
from typing import Any

from gibbsite_hw.lattice_signatures import slot_layout
from gibbsite_hw.lattice_thresholds import table_write_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_sim.cosim.clocked import read

__all__ = [
    "StoreWrite",
    "TableWrite",
    "signed_port",
    "slot_bits",
    "slot_fields",
    "table_write",
]


@dataclass(frozen=True, slots=True)
class TableWrite:
    """Two entries of a threshold table: ``low`` at an even ``address``, ``high`` behind it."""

    half: int
    address: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class StoreWrite:
    """One record on the engine's write port (`lattice_write_signature`)."""

    memory: int
    column: int = 0
    x: int = 0
    place: int = 0
    step: int = 0
    data: int = 0

    def drive(self, dut: Any, enable: bool = True) -> None:
        """Put it on the port."""
        dut.write__enable.value = int(enable)
        for name in ("memory", "column", "x", "place", "step", "data"):
            getattr(dut, f"write__{name}").value = getattr(self, name)


def signed_port(handle: Any) -> int:
    """The value of a port in two's complement. Raises AssertionError for an unknown bit."""
    value, width = read(handle), len(handle)
    return value - (value >> width - 1 << width)


def table_write(parameters: LatticeParameters, bits: int) -> TableWrite | None:
    """What the bits of a table's write port ask for; None if nothing."""
    found = table_write_layout(parameters).from_bits(bits)
    if not found.enable:
        return None
    return TableWrite(found.half, 2 * found.place, found.low, found.high)


def slot_bits(parameters: LatticeParameters, **fields: int) -> int:
    """A slot of the pipeline as one word; fields that are not named are 0."""
    bits: int = slot_layout(parameters).const(fields).as_bits()
    return bits


def slot_fields(parameters: LatticeParameters, bits: int) -> dict[str, int]:
    """The fields of a slot by name."""
    layout = slot_layout(parameters)
    found = layout.from_bits(bits)
    return {name: found[name] for name, _ in layout}

"""The threshold tables of a bank's lanes.

Twin: ``table`` of `gibbsite_models.golden.lattice.LatticeEngine`.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gibbsite_hw.lattice_memory import block_memory, read_word
from gibbsite_hw.lattice_thresholds import ENTRY_BITS, table_write_layout
from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["LatticeEntries", "table_copies"]

_TABLE_LANES = 8
"""Lanes that read the same memory: synthesis makes one of every port, in the simulation the fewer
memories the better, and Yosys fails with twice as many ports."""


def table_copies(parameters: LatticeParameters) -> int:
    """Registers that bring the tables: one for two lanes of each bank, which lie together on a chip
    that has few block memories; else one."""
    return -(-parameters.lanes // 2) if parameters.tables == 1 else 1


class LatticeEntries(wiring.Component):
    """``found`` are the entries of ``fields`` in table ``half``, a cycle later.

    ``table`` is written to all lanes; its copies are equal. In a build with one table a lane, two
    lanes share a block memory, each with a port of its own that it also writes through: nothing is
    found of the cycles in which ``table`` comes.
    """

    def __init__(self, parameters: LatticeParameters) -> None:
        self._parameters = parameters
        lanes = parameters.lanes
        super().__init__(
            {
                "table": In(table_write_layout(parameters)).array(table_copies(parameters)),
                "half": In(1),
                "fields": In(unsigned(parameters.field_bits)).array(lanes),
                "found": Out(unsigned(ENTRY_BITS)).array(lanes),
            }
        )

    def elaborate(self, platform):
        m = Module()
        if self._parameters.tables == 1:
            self._one(m)
        else:
            self._two(m)
        return m

    def _one(self, m):
        """A memory for two lanes: the even one writes the lower entries, the odd one the higher."""
        bits, lanes = self._parameters.field_bits, self._parameters.lanes
        for number in range(-(-lanes // 2)):
            memory = block_memory(unsigned(ENTRY_BITS), 1 << bits)
            m.submodules[f"table{number}"] = memory
            write = self.table[number]
            for place, entry in enumerate((write.low, write.high)):
                lane = 2 * number + place
                # an odd lane that is not there: its port writes all the same
                field = self.fields[lane] if lane < lanes else Const(0, bits)
                address = Signal(bits, name=f"address{lane}")
                port = memory.write_port()
                m.d.comb += [
                    address.eq(Mux(write.enable, Cat(Const(place, 1), write.place), field)),
                    port.addr.eq(address),
                    port.data.eq(entry),
                    port.en.eq(write.enable),
                ]
                if lane < lanes:
                    m.d.comb += self.found[lane].eq(
                        read_word(m, memory, address, f"entry_out{lane}")
                    )

    def _two(self, m):
        """Memories with two ports that write, and one a lane that reads."""
        tables = []
        write = self.table[0]
        for number in range(-(-self._parameters.lanes // _TABLE_LANES)):
            table = block_memory(unsigned(ENTRY_BITS), 2 << self._parameters.field_bits)
            m.submodules[f"table{number}"] = table
            for place, entry in enumerate((write.low, write.high)):
                port = table.write_port()
                m.d.comb += [
                    port.addr.eq(Cat(place, write.place, write.half)),
                    port.data.eq(entry),
                    port.en.eq(write.enable),
                ]
            tables.append(table)
        for lane, field in enumerate(self.fields):
            table = tables[lane // _TABLE_LANES]
            found = read_word(m, table, Cat(field, self.half), f"entry_out{lane}")
            m.d.comb += self.found[lane].eq(found)

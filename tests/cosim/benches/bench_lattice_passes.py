"""`LatticePasses` against the cycles of `spec.lattice_timing`: every slot, every port."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.spec.lattice_timing import pass_cycles, reach, streams_through, sweep_cycles
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import slot_fields
from gibbsite_sim.cosim.run import lattice_parameters_here

PARAMETERS = lattice_parameters_here()
OFFSETS = LatticePlan(PARAMETERS).column_offsets
SETTLE = 2 * reach(PARAMETERS) + 4
INPUTS = ("columns", "sized", "begin", "start", "half", "reading", "read_column")


class Passes:
    """Follows the ports; what enters the pipeline is a function of the cycles since ``begin``."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.inputs = dict.fromkeys(INPUTS, 0)
        self.inputs["columns"] = 2
        self.since = -1  # cycles since the sweep's first one; -1 at rest
        self.start = self.follows = False
        self.read_column: int | None = None
        self.slots = self.follow_ons = self.reads = 0
        self.rng = Random(4)
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        columns, begin = read(dut.columns), read(dut.begin)
        one_pass, sweep = (f(PARAMETERS, columns) for f in (pass_cycles, sweep_cycles))
        colour, column = divmod(max(self.since, 0), one_pass)
        valid = self.since >= 0 and column < columns
        ending = self.since == sweep - 1
        assert read(dut.ending) == ending
        assert read(dut.turn) == (begin or self.since == one_pass - 1)
        slot = slot_fields(PARAMETERS, read(dut.slot))
        assert slot["valid"] == valid
        if valid:
            close = streams_through(PARAMETERS, columns) and (colour or self.follows)
            wanted = {
                "valid": 1, "colour": colour, "column": column, "x": (column + colour) % 2,
                "first": int(not colour and not column),
                "last": int(bool(colour) and column == columns - 1),
                "start": int(self.start), "half": read(dut.half),
                "near": int(close and column == 0), "far": int(close and column < 4),
            }  # fmt: skip
            assert slot == wanted, f"{slot} where {wanted} should be"
            for number, offset in enumerate(OFFSETS):
                port = read(getattr(dut, f"ports__{number}"))
                assert port == (column + offset) % columns, f"port {number} at column {column}"
                assert read(getattr(dut, f"colours__{number}")) == 1 - colour
            self.slots += 1
            self.follow_ons += close and not colour and not column
        if self.read_column is not None:
            for number in range(2):
                assert read(getattr(dut, f"ports__{number}")) == self.read_column
                assert read(getattr(dut, f"colours__{number}")) == number
            self.reads += 1
        self.read_column = read(dut.read_column) if read(dut.reading) else None
        if begin:
            assert self.since == -1 or ending, "a sweep in a sweep"
            self.follows = self.since >= 0
            self.since, self.start = 0, bool(read(dut.start))
        elif self.since >= 0:
            self.since = -1 if ending else self.since + 1

    def drive(self) -> None:
        for name, value in self.inputs.items():
            getattr(self.dut, name).value = value
        if not self.inputs["begin"]:  # what stands at other times is no matter
            self.dut.start.value = self.rng.randrange(2)
        self.inputs["begin"] = self.inputs["sized"] = 0
        self.inputs["half"] = self.rng.randrange(2)


@cocotb.test()
async def sweeps(dut: object) -> None:
    """Every width; sweeps from rest and one after the other, reads between them."""
    clocked = Clocked(dut)
    passes = Passes(clocked)
    rng = passes.rng
    await clocked.start()
    widths = [2 * n for n in range(1, PARAMETERS.columns // 2 + 1)]
    begun = 0
    for columns in [*widths, *widths[::-7]]:
        passes.inputs["sized"] = 1
        await clocked.wait(1)
        passes.inputs["columns"] = columns
        await clocked.wait(SETTLE - 1)
        for sweep in range(3):
            passes.inputs.update(begin=1, start=rng.randrange(2))
            begun += 1
            # its last cycle, in which the next one may begin
            await clocked.wait(sweep_cycles(PARAMETERS, columns))
            if sweep % 2 or rng.random() < 0.3:
                await clocked.wait(rng.randrange(1, 8))
                for _ in range(rng.randrange(6)):
                    passes.inputs.update(reading=1, read_column=rng.randrange(columns))
                    await clocked.wait(1)
                passes.inputs["reading"] = 0
                await clocked.wait(1)
    assert passes.slots >= 2 * 2 * begun
    assert passes.follow_ons > 0 or not streams_through(PARAMETERS, PARAMETERS.columns)
    assert passes.reads > len(widths)

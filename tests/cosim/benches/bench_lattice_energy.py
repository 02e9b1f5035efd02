"""`LatticeEnergy` against the sum itself: energies, the lowest so far, and who is lower."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import signed_port, slot_bits, slot_fields
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

PARAMETERS = lattice_parameters_here()
PLAN = LatticePlan(PARAMETERS)
LANES, BITS = PARAMETERS.lanes, PARAMETERS.field_bits
HALF = 1 << BITS - 1
SWEEPS = 400


class Energy:
    """Sweeps column by column; the model adds up s v of what the ports carry.

    ``queue``: for each cycle to come the slot's fields, spins and values of its column.
    """

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.board: Scoreboard[tuple[int, int, int, int]] = Scoreboard("sweeps")
        self.rng = Random(9)
        self.queue: list[tuple[dict[str, int], int, list[int]]] = []
        self.slots: list[dict[str, int]] = [{}] * PLAN.tree
        self.parts: list[int] = []  # of the columns that are in the tree
        self.energy = 0
        self.best: int | None = None
        self.ended = self.limits = 0
        self.after = False
        self.drive()
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        lower = read(dut.lower)
        if self.after:  # a cycle behind the end of a sweep
            self.board.saw((now, signed_port(dut.energy), lower, 0))
        else:
            assert not lower, "lower in the middle of a sweep"
        if self.best is not None and not self.after:
            assert signed_port(dut.best_energy) == self.best
        spins = read(dut.spins)
        values = [read(getattr(dut, f"values__{lane}")) - HALF for lane in range(LANES)]
        part = sum(v if spins >> lane & 1 else -v for lane, v in enumerate(values))
        self.parts.append(part)
        part = self.parts.pop(0) if len(self.parts) > PLAN.tree else 0
        slot = slot_fields(PARAMETERS, read(dut.slot))
        self.after = False
        if slot["valid"]:
            self.energy = part + (0 if slot["first"] else self.energy)
            if slot["last"]:
                lower = bool(slot["start"] or self.best is None or self.energy < self.best)
                self.best = self.energy if lower else self.best
                self.board.expect((now + 1, self.energy, int(lower), 0))
                self.after = True
                self.ended += 1
                self.limits += abs(self.energy) > PARAMETERS.rows * PARAMETERS.field_max

    def drive(self) -> None:
        rng = self.rng
        garbage = [rng.getrandbits(BITS) for _ in range(LANES)]
        fields, spins, values = (
            self.queue.pop(0) if self.queue else ({}, rng.getrandbits(LANES), garbage)
        )
        self.dut.spins.value = spins
        for lane, value in enumerate(values):
            getattr(self.dut, f"values__{lane}").value = value
        self.slots.append(fields)
        self.dut.slot.value = slot_bits(PARAMETERS, **self.slots.pop(0))


@cocotb.test()
async def sweeps(dut: object) -> None:
    """Values of all sizes, extreme sums of both signs, pauses; start sweeps forget the best."""
    clocked = Clocked(dut)
    energy = Energy(clocked)
    rng, most = energy.rng, PARAMETERS.field_max
    dut_: Any = dut
    dut_.preset.value = 0
    await clocked.start()
    for number in range(SWEEPS):
        columns = rng.choice([2, PARAMETERS.columns, 2 * rng.randint(1, PARAMETERS.columns // 2)])
        width = len(dut_.preset)
        await clocked.until(lambda: not energy.queue, 1000, "end of a sweep")
        await clocked.wait(PLAN.tree + 2)
        dut_.preset.value = -(columns * PARAMETERS.rows * HALF) & (1 << width) - 1
        size = rng.choice([0, 1, most, most])
        towards = rng.choice([-1, 0, 1])  # all terms of one sign: the ends of the range
        start = int(number % 12 == 0)
        for colour in range(2):
            for column in range(columns):
                spins = rng.getrandbits(LANES)
                values = []
                for lane in range(LANES):
                    value = rng.choice([size, -size, rng.randint(-size, size)])
                    if towards:
                        value = towards * size * (1 if spins >> lane & 1 else -1)
                    values.append(value + HALF)
                fields = {
                    "valid": 1, "colour": colour, "start": start, "column": column,
                    "first": int(not colour and not column),
                    "last": int(bool(colour) and column == columns - 1),
                }  # fmt: skip
                energy.queue.append((fields, spins, values))
                if rng.random() < 0.05:
                    garbage = [rng.getrandbits(BITS) for _ in range(LANES)]
                    energy.queue.append(({}, rng.getrandbits(LANES), garbage))
    await clocked.until(lambda: energy.ended == SWEEPS, 1000, "last sweep")
    await clocked.wait(3)
    energy.board.finish(SWEEPS)
    assert energy.limits > SWEEPS // 4

"""`LatticeStore` against what was written: every word of every read, each in the plan's cycle."""

from random import Random
from typing import Any

import cocotb

from gibbsite_hw.lattice_plan import LatticePlan
from gibbsite_hw.lattice_signatures import LatticeMemories
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import StoreWrite
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard

P = lattice_parameters_here()
PLAN = LatticePlan(P)
LANES, RULES = P.lanes, P.neighbours // 4
PHASES, READS, WRITES = 12, 60, 40
SETTLED = PLAN.spin + 4
"""Cycles in which all that was read before is out, and all that was written is in memory."""
BIASED = 3
"""The cycle of the bias; the others are those of the plan."""

Place = tuple[int, int]
"""Column and row parity."""


def signed(code: int, bits: int) -> int:
    """Two's complement."""
    return code - (code >> bits - 1 << bits)


class Store:
    """Writes and reads in turns; the model keeps what the write port carried."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.rng = Random(21)
        self.couplings: dict[tuple[int, int, int], list[int]] = {}
        self.biases: dict[tuple[int, int, int], int] = {}
        self.rows: dict[str, dict[tuple[int, int], int]] = {"on": {}, "off": {}, "state": {}}
        self.reads: Scoreboard[tuple[str, Place, int]] = Scoreboard("reads")
        self.queue: list[StoreWrite] = []
        self.left = 0
        self.past: list[Place | None] = []
        self.now: Place | None = None
        StoreWrite(0).drive(self.dut, enable=False)
        for name in ("column", "x", "given"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        if read(dut.write__enable):
            self.write(
                *(read(getattr(dut, f"write__{name}")) for name in ("memory", "column", "x")),
                read(dut.write__place),
                read(dut.write__data),
            )
        self.past.append(self.now)
        given = read(dut.given)
        for number, pair in enumerate(PLAN.pairs):
            self.look(f"pairs__{number}", 2 + pair.level, self.pairs)
        self.look("bias", BIASED, lambda at: self.bias(at, P.bias_bits))
        self.look("bias_late", PLAN.spin, lambda at: self.bias(at, P.field_bits))
        self.look("fixed", PLAN.field + 2, lambda at: self.lanes(at, given)[0])
        self.look("value", PLAN.field + 2, lambda at: self.lanes(at, given)[1])

    def look(self, port: str, delay: int, model: Any) -> None:
        """What was asked for ``delay`` cycles ago is there now."""
        place = self.past[-1 - delay] if len(self.past) > delay else None
        if place is not None:
            self.reads.expect((port, place, model(place)))
            self.reads.saw((port, place, read(getattr(self.dut, port))))

    def write(self, memory: int, column: int, x: int, place: int, data: int) -> None:
        """One record, as `lattice_write_signature` has it."""
        if memory == LatticeMemories.COUPLINGS:
            codes = [data >> 8 * k & 0xFF for k in range(P.neighbours)]
            self.couplings[column, x, place] = [signed(code, 8) for code in codes]
        elif memory == LatticeMemories.BIASES:
            self.biases[column, x, place] = signed(data & (1 << P.bias_bits) - 1, P.bias_bits)
        elif memory == LatticeMemories.CLEAR:
            for rows in self.rows.values():
                rows |= {(column, 2 * n + x): 0 for n in range(LANES)}
        elif memory != LatticeMemories.SCHEDULE:
            names = ("on", "off") if memory == LatticeMemories.CLAMPS else ("state",)
            for part, name in enumerate(names):
                for row in range(32 * place + x, min(32 * place + 32, P.rows), 2):
                    self.rows[name][column, row] = data >> 32 * part + row % 32 & 1

    def pairs(self, at: Place) -> int:
        """Sums and differences of each lane's couplings, with half of their range added."""
        bits, word = P.coupling_bits + 1, 0
        for lane in range(LANES):
            codes = self.couplings[(*at, lane)]
            for number, pair in enumerate(PLAN.pairs):
                a, b = codes[pair.a], codes[pair.b]
                held = [value + (1 << bits - 1) for value in (a + b, a - b)]
                place = lane * PLAN.record_bits + number * PLAN.pair_bits
                word |= held[0] << place | held[1] << place + bits
        return word

    def bias(self, at: Place, bits: int) -> int:
        """The lanes' biases as codes of ``bits``, with half of that range added."""
        codes = [self.biases[(*at, lane)] + (1 << bits - 1) for lane in range(LANES)]
        return sum(code << bits * lane for lane, code in enumerate(codes))

    def lanes(self, at: Place, given: int) -> tuple[int, int]:
        """Which lanes are fixed, and at what."""
        fixed = value = 0
        for lane in range(LANES):
            site = at[0], 2 * lane + at[1]
            on, off, state = (self.rows[name][site] for name in ("on", "off", "state"))
            fixed |= (on | off | given) << lane
            value |= (on or (given and state and not off)) << lane
        return fixed, value

    def drive(self) -> None:
        dut, rng = self.dut, self.rng
        dut.write__enable.value = 0
        if self.queue and rng.random() < 0.9:
            self.queue.pop(0).drive(dut)
        elif not self.queue:
            self.record(rng.choice([0, 1, 2, 4, 5])).drive(dut, enable=False)
        place = rng.randrange(P.columns), rng.randrange(2)
        dut.column.value, dut.x.value = place
        self.now = place if self.left else None
        self.left = max(0, self.left - 1)

    def record(self, memory: int) -> StoreWrite:
        """Any record that the loader may write."""
        rng, m = self.rng, LatticeMemories

        def code(most: int, bits: int) -> int:
            return rng.choice([most, -most, 0, rng.randint(-most, most)]) & (1 << bits) - 1

        data = sum(code(P.coupling_max, 8) << 8 * k for k in range(P.neighbours))
        place = rng.randrange(LANES)
        if memory == m.BIASES:
            data = code(P.bias_max, 32)
        elif memory in (m.CLAMPS, m.STATE):
            place = rng.randrange(P.words)
            on = rng.getrandbits(32)
            data = on | (rng.getrandbits(32) & ~on) << 32
        return StoreWrite(memory, rng.randrange(P.columns), rng.randrange(2), place, 0, data)


@cocotb.test()
async def words(dut: Any) -> None:
    """All is written once; then some of it again, and cleared, between reads in every cycle."""
    clocked = Clocked(dut)
    store = Store(clocked)
    rng, m = store.rng, LatticeMemories
    await clocked.start()
    for column in range(P.columns):
        for x in range(2):
            for memory, places in ((m.COUPLINGS, LANES), (m.BIASES, LANES), (m.CLEAR, 1)):
                for place in range(places):
                    data = store.record(memory).data
                    store.queue.append(StoreWrite(memory, column, x, place, 0, data))
    rng.shuffle(store.queue)
    most = 2 * len(store.queue) + 200
    for number in range(PHASES):
        if number:
            kinds = [m.COUPLINGS, m.BIASES, m.CLAMPS, m.CLAMPS, m.STATE, m.STATE, m.SCHEDULE]
            kinds += [m.CLEAR] if number % 4 == 3 else []
            store.queue += [store.record(rng.choice(kinds)) for _ in range(WRITES)]
        await clocked.until(lambda: not store.queue, most, "writes")
        dut.given.value = number % 2
        await clocked.wait(SETTLED)
        store.left = READS
        await clocked.wait(READS + SETTLED)
    store.reads.finish(PHASES * READS * (len(PLAN.pairs) + 4))

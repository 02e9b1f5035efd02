"""`GraphField` against ``field`` of the golden engine: every slot of every row, and the terms."""

import os
from collections import deque
from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.spec.program import Row, RunRequest, decode_entry
from gibbsite_models.golden.graph import GraphEngine
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.programs import Shape, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, Stalls

PARAMETERS = parameters_here()
LANES = PARAMETERS.lanes
PROGRAMS = 25


class Recorder(GraphEngine):
    """The golden engine, which also notes every field and the spins that it was computed from."""

    noted: list[tuple[int, bool, list[int], list[int]]]

    def field(self, row: Any, chains: Any, start: bool) -> Any:
        fields = super().field(row, chains, start)
        bits = chains.bits[:, 0].reshape(-1, LANES)
        words = [int(sum(int(b) << n for n, b in enumerate(word))) for word in bits]
        self.noted.append((row.number, start, words, [int(f) for f in fields[:, 0]]))
        return fields


class Adder:
    """One coupling word a cycle, with gaps; answers the spin addresses of the cycle before."""

    def __init__(self, clocked: Clocked, stalls: Stalls) -> None:
        self.dut: Any = clocked.dut
        self.clocked, self.stalls = clocked, stalls
        self.fields: Scoreboard[tuple[int, tuple[int, ...]]] = Scoreboard("fields")
        self.terms: Scoreboard[int] = Scoreboard("terms")
        self.queue: deque[dict[str, Any]] = deque()
        self.at: list[dict[str, Any] | None] = [None, None, None]  # words in cycles 1, 2 and 3
        self.addresses = [0] * LANES
        ports = range(LANES)
        self.entry = [getattr(self.dut, f"entry__{n}") for n in ports]
        self.spins = [getattr(self.dut, f"spins__{n}") for n in ports]
        self.bias = [getattr(self.dut, f"bias__{n}") for n in ports]
        self.address = [getattr(self.dut, f"address__{n}") for n in ports]
        self.field = [getattr(self.dut, f"field__{n}") for n in ports]
        for port in (*self.entry, *self.spins, *self.bias):
            port.value = 0
        for name in ("starting", "valid", "opens", "row", "fold"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        if self.at[0] is not None:
            self.terms.saw(read(self.dut.terms))
            entries = [decode_entry(PARAMETERS, read(port)) for port in self.entry]
            self.terms_model(entries)
            self.addresses = [read(port) for port in self.address]
        done = self.at[2]
        if done is not None and done["ends"]:
            width = PARAMETERS.field_bits
            seen = [read(self.field[lane]) for lane in done["lanes"]]
            values = tuple(value - (value >> width - 1 << width) for value in seen)
            self.fields.saw((done["row"], values))

    def terms_model(self, entries: list[tuple[int, int, bool]]) -> None:
        wanted = sum(weight != 0 for _, weight, _ in entries)
        assert read(self.dut.terms) == wanted, "terms"

    def drive(self) -> None:
        dut = self.dut
        new = None
        # a start pass and a sweep do not overlap in the pipeline: BARRIER_CYCLES lie between
        ready = self.queue and (
            all(w is None or w["start"] == self.queue[0]["start"] for w in self.at[:2])
        )
        if ready and not self.stalls.hold():
            new = self.queue.popleft()
        self.at = [new, *self.at[:2]]
        dut.valid.value = int(new is not None)
        if new is not None:
            dut.starting.value = int(new["start"])
            dut.opens.value, dut.row.value = int(new["opens"]), new["row"]
            for port, entry in zip(self.entry, new["entries"], strict=True):
                port.value = entry
        second, third = self.at[1], self.at[2]
        if second is not None:
            for port, address in zip(self.spins, self.addresses, strict=True):
                memory = second["spins"]
                port.value = memory[address] if address < len(memory) else 0
        if third is not None:
            dut.fold.value = third["fold"]
            for port, bias in zip(self.bias, third["biases"], strict=True):
                port.value = bias & (1 << PARAMETERS.bias_bits) - 1


def lanes_of(row: Row) -> list[int]:
    return [lane for lane in range(LANES) if row.mask >> lane & 1]


@cocotb.test()
async def fields(dut: object) -> None:
    """Start passes and sweeps of random programs from random spins."""
    rng = Random(31)
    clocked = Clocked(dut)
    pattern = os.environ["GIBBSITE_STALLS"]
    adder = Adder(clocked, Stalls(*STALLS[pattern], seed=6))
    await clocked.start()
    wanted = 0
    for number in range(PROGRAMS):
        shape = Shape(rows=rng.randint(1, 12), density=rng.choice([0.1, 0.5, 0.9]))
        case = random_case(PARAMETERS, rng, shape)
        program = case.program
        entries = np.array(program.entries, np.uint32).reshape(-1, LANES)
        engine = Recorder(PARAMETERS, program.rows, entries)
        engine.noted = []
        engine.condition(program.conditions)
        request = RunRequest(betas=[1 << 16, 1 << 20], seed=number, chains=1)
        list(engine.run(request))
        firsts = np.cumsum([0, *(row.length for row in program.rows)])
        for at, start, words, values in engine.noted:
            row = program.rows[at]
            biases = list(program.conditions.biases[at * LANES : (at + 1) * LANES])
            for k in range(row.length):
                block = [int(word) for word in entries[firsts[at] + k]]
                adder.terms.expect(sum(decode_entry(PARAMETERS, word)[1] != 0 for word in block))
                adder.queue.append(
                    {
                        **{"row": at, "start": start, "spins": words, "entries": block},
                        **{"opens": k == 0, "ends": k == row.length - 1, "fold": row.fold},
                        **{"biases": biases, "lanes": lanes_of(row)},
                    }
                )
            adder.fields.expect((at, tuple(values)))
            wanted += 1
        await clocked.until(lambda: not adder.queue, 20_000, "end of the words")
    await clocked.wait(5)
    adder.fields.finish(wanted)
    adder.terms.finish(wanted)
    assert wanted > 100
    assert (adder.stalls.held > 0) == (pattern != "none")

"""`GraphEngine` against the golden engine: draws, counters, and the cycles that it is busy.

Settings are written to the books and counters read from them through the shell's port.
"""

import os
from array import array
from collections import deque
from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.device_books import FIRST_COUNTER
from gibbsite_hw.graph_signatures import Memories
from gibbsite_hw.spec.packets import Packet, Response
from gibbsite_hw.spec.program import Conditions, Row, RunRequest
from gibbsite_hw.spec.registers import Register, RunFlags
from gibbsite_models.golden.graph import GraphEngine
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.programs import Case, Shape, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, Stalls, StreamMonitor, StreamSink

PARAMETERS = parameters_here()
LANES = PARAMETERS.lanes
WORD = 0xFFFF_FFFF
RUNS = 14
BOOKS = 400
"""Cycles that the books have for what comes before a run, before a chain and after a draw."""
SETTLE = 3
"""Cycles between the last pass before a draw and its first word."""
COUNTERS = 6


class Engine:
    """Writes memories and starts runs; its model is built from the write port and the settings."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.memories: dict[int, dict[tuple[int, int], int]] = {n: {} for n in range(7)}
        self.draws: Scoreboard[list[int]] = Scoreboard("draws")
        self.ends: Scoreboard[tuple[int, ...]] = Scoreboard("counters")
        self.queue: list[tuple[int, int, int, int]] = []
        self.start = self.running = False
        self.began = self.took = self.reads = 0
        self.settings: dict[int, int] = {}
        self.asks: deque[tuple[int, int | None]] = deque()
        self.counters: list[int] = []
        for name in ("enable", "memory", "address", "lane", "data"):
            getattr(self.dut, f"write__{name}").value = 0
        for name in ("start", "abort", "tag", "flags", "rows", "check_row", "held", "value"):
            getattr(self.dut, name).value = 0
        for name in ("valid", "source", "target", "write", "blank", "outside", "more", "less"):
            getattr(self.dut, f"books__{name}").value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        if read(dut.write__enable):
            assert not read(dut.busy)
            place = read(dut.write__address), read(dut.write__lane)
            self.memories[read(dut.write__memory)][place] = read(dut.write__data)
        if read(dut.start):
            self.began = self.clocked.cycle
            self.model()
        if read(dut.finished):
            assert not read(dut.aborted)
            self.took = self.clocked.cycle - self.began
            self.asks.extend((FIRST_COUNTER + n, None) for n in range(2 * COUNTERS))
            self.running = False
        if read(dut.books__done):
            at, value = self.asks.popleft()
            if value is None:
                self.counters.append(read(dut.word))
                if len(self.counters) == 2 * COUNTERS:
                    low, high = self.counters[::2], self.counters[1::2]
                    self.ends.saw(tuple(a | b << 32 for a, b in zip(low, high, strict=True)))
            else:
                self.settings[at] = value
                assert read(dut.word) == value

    def model(self) -> None:
        """The golden run of what the memories hold now."""
        dut, memories = self.dut, self.memories
        size = read(dut.rows)
        held = [memories[Memories.ROWS][at, 0] for at in range(size)]
        rows = [Row.decode(word & 0x3FFFF, word >> 18) for word in held]
        length = sum(row.length for row in rows)
        entries = [
            [memories[Memories.ENTRIES][w, lane] for lane in range(LANES)] for w in range(length)
        ]
        biases = array("i")
        for at in range(size):
            for lane in range(LANES):
                code = memories[Memories.BIASES][at, lane]
                biases.append(code - (code >> 31 << 32))
        clamps = [memories[Memories.CLAMPS].get((at, 0), 0) for at in range(size)]
        full = (1 << LANES) - 1
        on, off = (array("I", (c >> n & full for c in clamps)) for n in (0, LANES))
        flags = read(dut.flags)
        state = array("I", (memories[Memories.STATE].get((at, 0), 0) for at in range(size)))
        settings = self.settings
        self.counters = []
        steps = settings[Register.STEPS]
        request = RunRequest(
            betas=array("I", (memories[Memories.SCHEDULE][n, 0] for n in range(steps))),
            seed=settings[Register.SEED_HIGH] << 32 | settings[Register.SEED_LOW],
            chains=settings[Register.CHAINS],
            draws=settings[Register.DRAWS],
            first_chain=settings[Register.FIRST_CHAIN],
            sweeps_per_step=settings[Register.SWEEPS_PER_STEP],
            thin=settings[Register.THIN],
            samples=bool(flags & RunFlags.SAMPLES),
            best=bool(flags & RunFlags.BEST),
            state=state if flags & RunFlags.GIVEN_STATE else None,
        )
        engine = GraphEngine(PARAMETERS, rows, np.array(entries, np.uint32))
        engine.condition(Conditions(biases, on, off))
        read_so_far = 0  # a block holds whole chains, or one draw of a chain on its own
        for block in engine.run(request):
            for energies, states, bests, best_states in zip(
                block.energies, block.states, block.best_energies, block.best_states, strict=True
            ):
                for at, energy in enumerate(energies.tolist()):
                    chain, draw = divmod(read_so_far, request.draws)
                    read_so_far += 1
                    number = request.first_chain + chain & WORD
                    payload = [number, draw, energy & WORD, energy >> 32 & WORD]
                    payload += states[at].tolist()
                    if request.best:
                        low = int(bests[at])
                        payload += [low & WORD, low >> 32 & WORD, *best_states[at].tolist()]
                    packet = Packet(Response.DRAW, read(dut.tag), tuple(payload))
                    self.draws.expect(packet.words())
        cost = engine.cost
        each = steps * request.sweeps_per_step + (request.draws - 1) * request.thin
        sweeps = request.chains * each
        self.ends.expect(
            (
                request.chains * (cost.seeding + cost.cycles) + sweeps * cost.cycles,
                *(sweeps * one for one in (cost.cycles, cost.terms, cost.updates, 1)),
                request.chains * request.draws,
            )
        )
        self.reads = request.chains * request.draws

    def load(self, case: Case) -> None:
        """Queue all writes of a case."""
        program, conditions = case.program, case.program.conditions
        for at, row in enumerate(program.rows):
            descriptor, mask = row.encode()
            clamps = conditions.clamps_on[at] | conditions.clamps_off[at] << LANES
            self.queue += [
                (Memories.ROWS, at, 0, descriptor | mask << 18),
                (Memories.CLAMPS, at, 0, clamps),
                (Memories.STATE, at, 0, case.state[at]),
                (Memories.SPINS, at, 0, 0),
            ]
            for lane in range(LANES):
                code = conditions.biases[at * LANES + lane] & WORD
                self.queue.append((Memories.BIASES, at, lane, code))
        for place, entry in enumerate(program.entries):
            self.queue.append((Memories.ENTRIES, place // LANES, place % LANES, entry))
        for at, beta in enumerate(case.betas):
            self.queue.append((Memories.SCHEDULE, at, 0, beta))

    def drive(self) -> None:
        dut = self.dut
        dut.start.value = int(self.start)
        self.start = False
        dut.books__valid.value = int(bool(self.asks))
        if self.asks:
            at, setting = self.asks[0]
            dut.books__source.value = dut.books__target.value = at
            dut.books__write.value = dut.books__outside.value = int(setting is not None)
            dut.value.value = setting or 0
        dut.write__enable.value = int(bool(self.queue))
        if self.queue:
            names = ("memory", "address", "lane", "data")
            for name, value in zip(names, self.queue.pop(0), strict=True):
                getattr(dut, f"write__{name}").value = value


@cocotb.test()
async def runs(dut: object) -> None:
    """Random programs and settings; a run's length is exact where the reader never stalls."""
    rng = Random(51)
    pattern = os.environ["GIBBSITE_STALLS"]
    clocked = Clocked(dut)
    engine = Engine(clocked)
    monitor = StreamMonitor(clocked, "draws", lambda seen: engine.draws.saw(seen.words))
    StreamSink(clocked, "draws", Stalls(*STALLS[pattern], seed=1))
    await clocked.start()
    reads = words = 0
    for number in range(RUNS):
        case = random_case(PARAMETERS, rng, Shape(rows=rng.choice([1, 5, 20])))
        engine.load(case)
        await clocked.until(lambda: not engine.queue, 5000, "writes")
        await clocked.wait(2)
        dut.rows.value = len(case.program.rows)
        dut.tag.value, dut.flags.value = rng.getrandbits(8), number % 8
        seeds = {r: rng.getrandbits(32) for r in (Register.SEED_LOW, Register.SEED_HIGH)}
        engine.asks.extend({**case.settings, **seeds}.items())
        await clocked.until(lambda: not engine.asks, 1000, "settings")
        engine.start = engine.running = True
        await clocked.until(lambda: not engine.running, 100_000, "end of the run")
        reads += engine.reads
        await clocked.until(lambda: not engine.asks, 1000, "counters")
        await clocked.wait(1)
        if pattern == "none":
            # beyond what is counted: draws word by word, and the books' work on each of them
            words = monitor.transfers - words
            least = engine.counters[0] + SETTLE * engine.reads + words
            assert least < engine.took < least + BOOKS * (engine.reads + 2)
        words = monitor.transfers
    engine.draws.finish(reads)
    engine.ends.finish(RUNS)
    assert reads >= RUNS
    assert (monitor.stalled > 0) == (pattern != "none")

"""`GraphEngine` against the golden engine: draws, counters and the cycle in which a run ends."""

import os
from array import array
from random import Random
from typing import Any

import cocotb
import numpy as np

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
SETTLE = 3
"""Cycles between the last pass before a draw and its first word."""
COUNTERS = ("cycles", "sweep_cycles", "terms", "updates", "sweeps", "reads")
SETTINGS = {
    "first_chain": Register.FIRST_CHAIN,
    "chains": Register.CHAINS,
    "number_of_draws": Register.DRAWS,
    "steps": Register.STEPS,
    "sweeps_per_step": Register.SWEEPS_PER_STEP,
    "thin": Register.THIN,
    "flags": Register.FLAGS,
}


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
        self.began = self.took = self.words = self.reads = 0
        for name in ("enable", "memory", "address", "lane", "data"):
            getattr(self.dut, f"write__{name}").value = 0
        for name in ("start", "abort", "tag", "seed", "rows", "check_row", *SETTINGS):
            getattr(self.dut, name).value = 0
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
            self.ends.saw(tuple(read(getattr(dut, name)) for name in COUNTERS))
            self.running = False

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
        steps = read(dut.steps)
        request = RunRequest(
            betas=array("I", (memories[Memories.SCHEDULE][n, 0] for n in range(steps))),
            seed=read(dut.seed),
            chains=read(dut.chains),
            draws=read(dut.number_of_draws),
            first_chain=read(dut.first_chain),
            sweeps_per_step=read(dut.sweeps_per_step),
            thin=read(dut.thin),
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
    reads = 0
    for number in range(RUNS):
        case = random_case(PARAMETERS, rng, Shape(rows=rng.choice([1, 5, 20])))
        engine.load(case)
        await clocked.until(lambda: not engine.queue, 5000, "writes")
        await clocked.wait(2)
        dut.rows.value = len(case.program.rows)
        dut.seed.value, dut.tag.value = rng.getrandbits(64), rng.getrandbits(8)
        for name, register in SETTINGS.items():
            getattr(dut, name).value = case.settings[register]
        dut.flags.value = number % 8
        words = monitor.transfers
        engine.start = engine.running = True
        await clocked.until(lambda: not engine.running, 100_000, "end of the run")
        reads += engine.reads
        words = monitor.transfers - words
        if pattern == "none":
            cycles = read(dut.cycles)
            assert engine.took == 1 + cycles + SETTLE * engine.reads + words
    engine.draws.finish(reads)
    engine.ends.finish(RUNS)
    assert reads >= RUNS
    assert (monitor.stalled > 0) == (pattern != "none")

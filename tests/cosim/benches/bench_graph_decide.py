"""`GraphDecide` against the golden engine: writes, energy, copies and the end of a pass."""

import os
from collections import deque
from random import Random
from typing import Any

import cocotb
import numpy as np

from gibbsite_hw.spec.program import Row
from gibbsite_models.golden.graph import BARRIER_CYCLES, GraphEngine
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.programs import Shape, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, Stalls

PARAMETERS = parameters_here()
LANES = PARAMETERS.lanes
PROGRAMS = 40
PASSES = 4
END = 5
"""Cycles from a row's fields to `pass_ended`, if it is the last row."""


class Forced(GraphEngine):
    """The golden engine with fields and noise given from outside, row by row in order."""

    given_fields: deque[list[int]]
    given_noise: deque[list[int]]

    def field(self, row: Any, chains: Any, start: bool) -> Any:
        return np.array([self.given_fields.popleft()], np.int64).T[row.lanes]

    def noise(self, uniform: Any, gumbel: bool) -> Any:
        lanes = self.lanes_of.popleft()
        return np.array([self.given_noise.popleft()], np.int64).T[lanes]


class Decider:
    """Plays the pipeline in front and the spin memory behind."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.memory = [0] * PARAMETERS.rows
        self.queue: deque[dict[str, Any]] = deque()
        self.second: dict[str, Any] | None = None
        self.first: dict[str, Any] | None = None
        self.energies: Scoreboard[tuple[int, int]] = Scoreboard("energies")
        self.copies: Scoreboard[tuple[int, int, int]] = Scoreboard("copies")
        self.writes = 0
        self.ended = 0
        self.pause = 0
        self.stalls = Stalls()
        ports = range(LANES)
        self.field = [getattr(self.dut, f"field__{n}") for n in ports]
        self.against = [getattr(self.dut, f"against__{n}") for n in ports]
        self.mirrored = Random(8)
        for port in (*self.field, *self.against, self.dut.more):
            port.value = 0
        for name in ("starting", "use_given", "clear", "beta", "valid", "row_end"):
            getattr(self.dut, name).value = 0
        for name in ("on", "off", "given", "old"):
            getattr(self.dut, name).value = 0
        self.clear = False
        self.seen_old = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        if self.first is not None:
            self.seen_old = self.memory[self.first["row"]]  # the port reads before it is written
            if not self.first["starting"]:
                self.copies.expect((now + 2, self.first["row"], self.seen_old))
            if self.first["pass_end"]:
                self.energies.expect((now + END, self.first["energy"]))
        if read(dut.copy):
            self.copies.saw((now, read(dut.copy_row), read(dut.copy_word)))
        if read(dut.pass_ended):
            width = PARAMETERS.energy_bits
            value = read(dut.energy)
            self.energies.saw((now, value - (value >> width - 1 << width)))
            self.ended += 1
        if read(dut.write):
            self.memory[read(dut.write_row)] = read(dut.write_word)
            self.writes += 1

    def drive(self) -> None:
        dut = self.dut
        dut.clear.value = int(self.clear)
        self.clear = False
        self.second, self.first = self.first, None
        if self.second is not None:
            more = self.mirrored.getrandbits(LANES)
            for lane, port in enumerate(self.against):  # -noise = against + more
                value = -self.second["noise"][lane] - (more >> lane & 1)
                port.value = value & (1 << len(port)) - 1
            dut.more.value = more
            dut.old.value = self.seen_old
        if self.pause:
            self.pause -= 1
        elif self.queue and not self.stalls.hold():
            self.first = self.queue.popleft()
        dut.valid.value = int(self.first is not None)
        if self.first is not None:
            at = self.first
            if at["barrier"]:
                self.pause = BARRIER_CYCLES
            for port, value in zip(self.field, at["field"], strict=True):
                port.value = value & (1 << len(port)) - 1
            for name in ("on", "off", "given", "row_end"):
                getattr(dut, name).value = at[name]


FOLD_BITS = PARAMETERS.lane_bits.bit_length()


def row_end(number: int, row: Row, final: bool) -> int:
    value, at = number, PARAMETERS.row_bits
    fields = ((row.fold, FOLD_BITS), (row.group, 1), (row.first, 1), (row.last, 1), (final, 1))
    for field, width in (*fields, (row.mask, LANES)):
        value |= int(field) << at
        at += width
    return value


def numbers(rng: Random, most: int) -> list[int]:
    """One value a lane: large, small, or all the same so that ties decide."""
    most = rng.choice([most, most, 1000, 1])
    if rng.random() < 0.2:
        return [rng.randint(-most, most)] * LANES
    return [rng.randint(-most, most) for _ in range(LANES)]


@cocotb.test()
async def decisions(dut: object) -> None:
    """Start passes, given states and sweeps with any field, any noise and any clamp."""
    rng = Random(41)
    clocked = Clocked(dut)
    pattern = os.environ["GIBBSITE_STALLS"]
    decider = Decider(clocked)
    decider.stalls = Stalls(*STALLS[pattern], seed=2)
    await clocked.start()
    passes = 0
    widest = (PARAMETERS.max_degree + LANES) * PARAMETERS.weight_max + PARAMETERS.bias_max
    for number in range(PROGRAMS):
        groups = (LANES * 3 + 1,) if number % 5 == 0 else ()
        case = random_case(PARAMETERS, rng, Shape(rows=rng.randint(1, 10), groups=groups))
        rows = case.program.rows
        # one word of couplings a row will do: fields come from outside
        short = [Row(1, r.fold, r.group, r.first, r.last, r.barrier, r.mask) for r in rows]
        engine = Forced(PARAMETERS, short, np.zeros((len(rows), LANES), np.uint32))
        engine.condition(case.program.conditions)
        chains = engine.seed(1, np.array([0], np.uint64), False)
        # what an earlier chain left: nothing at all, or a state of this very program
        decider.memory[: len(rows)] = rng.choice([[0] * len(rows), list(case.state)])
        decider.clear = True
        await clocked.wait(3)
        for turn in range(PASSES):
            starting, given = turn == 0, number % 3 == 0
            beta = 0 if starting else rng.randint(0, rng.choice([PARAMETERS.beta_max, 99, 1 << 20]))
            fields = [numbers(rng, widest) for _ in rows]
            noise = [numbers(rng, (1 << 6 + PARAMETERS.score_frac) - 1) for _ in rows]
            engine.given_fields, engine.given_noise = deque(fields), deque(noise)
            engine.lanes_of = deque(
                [lane for lane in range(LANES) if row.mask >> lane & 1] for row in rows
            )
            if starting:
                engine.start(chains, list(case.state) if given else None)
            else:
                engine.sweep(chains, beta)
            dut.starting.value, dut.use_given.value = int(starting), int(given)
            dut.beta.value = beta
            conditions = case.program.conditions
            for at, row in enumerate(rows):
                final = at == len(rows) - 1
                decider.queue.append(
                    {
                        **{"row": at, "starting": starting, "pass_end": final},
                        **{"barrier": row.barrier, "row_end": row_end(at, row, final)},
                        **{"field": fields[at], "noise": noise[at], "given": case.state[at]},
                        **{"on": conditions.clamps_on[at], "off": conditions.clamps_off[at]},
                        **{"energy": int(chains.energy[0])},
                    }
                )
            passes += 1
            await clocked.until(lambda p=passes: decider.ended == p, 5000, "end of the pass")
            await clocked.wait(BARRIER_CYCLES)
            bits = chains.bits[:, 0].reshape(-1, LANES)
            words = [int(sum(int(b) << n for n, b in enumerate(word))) for word in bits]
            assert decider.memory[: len(rows)] == words, f"program {number}, pass {turn}"
    decider.energies.finish(PROGRAMS * PASSES)
    decider.copies.finish(PROGRAMS * (PASSES - 1))
    assert decider.writes >= passes
    assert (decider.stalls.held > 0) == (pattern != "none")

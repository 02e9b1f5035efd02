"""The whole device in its pyuvm environment: commands in every state, programs, stalls, resets.

The tests share one simulation and one functional coverage, which the last of them closes.
"""

import json
import os
from pathlib import Path
from random import Random

import pyuvm
from pyuvm import uvm_test

from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.program import Row
from gibbsite_hw.spec.registers import REGISTERS, Register, RunFlags, State
from gibbsite_sim.cosim.coverage import Coverage
from gibbsite_sim.cosim.environment import DeviceEnvironment
from gibbsite_sim.cosim.graph_mistakes import Mistakes
from gibbsite_sim.cosim.programs import Shape, random_case
from gibbsite_sim.cosim.registers import RegisterModel
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.sequences import (
    Commands,
    EveryOpcode,
    Framing,
    LoadCase,
    RegisterWalk,
    RunCase,
)
from gibbsite_sim.cosim.streams import STALLS

PARAMETERS = parameters_here()
COVERAGE = Coverage(PARAMETERS)
PATTERNS = tuple(STALLS)
LONG = {"SWEEPS_PER_STEP": 2, "THIN": 3, "FLAGS": int(RunFlags.SAMPLES)}
TOTALS: dict[str, int] = {}


class DeviceTest(uvm_test):
    """Base: the environment, its start, and the totals that pytest asserts."""

    def build_phase(self) -> None:
        DeviceEnvironment.coverage = COVERAGE
        self.env = DeviceEnvironment("env", self)
        self.rng = Random(f"{self.get_type_name()} {os.environ.get('GIBBSITE_SEED', '1')}")

    async def run_phase(self) -> None:
        self.raise_objection()
        await self.env.begin()
        await self.scenario()
        await self.env.settled()
        self.drop_objection()

    async def scenario(self) -> None:
        raise NotImplementedError

    def check_phase(self) -> None:
        env = self.env
        now = {
            "commands": env.command.monitor.packets,
            "responses": env.response.monitor.packets,
            "answers": env.predictor.answers,
            "draws": env.predictor.draws,
            "runs": env.predictor.runs,
            "words in": env.seen_in.transfers,
            "words out": env.seen_out.transfers,
            "stalled cycles": env.seen_out.stalled,
            "idle cycles": env.seen_in.idle,
            "register checks": env.predictor.registers.checked,
            "cycles": env.clocked.cycle,
        }
        assert now["answers"] > 0, "nothing was seen"
        for name, value in now.items():
            TOTALS[name] = TOTALS.get(name, 0) + value

    async def load(self, shape: Shape | None = None, split: bool = False) -> object:
        case = random_case(PARAMETERS, self.rng, shape)
        await LoadCase(PARAMETERS, case, self.rng if split else None).on(self.env)
        return case

    async def put(self, opcode: int, *payload: int) -> None:
        sequence = Commands()
        sequence.sequencer = self.env.command.sequencer
        await sequence.put(opcode, *payload)

    async def start_long(self, chains: int = 1) -> None:
        """A run that goes on until it is aborted: of one long chain or of many short ones."""
        case = await self.load(Shape(rows=12, density=0.3))
        draws = 1 if chains > 1 else 1_000_000
        await RunCase(case, CHAINS=chains, DRAWS=draws, **LONG).on(self.env)


@pyuvm.test()
class Registers(DeviceTest):
    """Reset values, access and bounds of every register, and offsets that do not exist."""

    async def scenario(self) -> None:
        await RegisterWalk().on(self.env)
        self.env.stall("short", 3)
        await RegisterWalk().on(self.env)
        least = 2 * (len(REGISTERS) + len(RegisterModel.probes()))
        assert self.env.predictor.registers.checked > least / 2


@pyuvm.test()
class States(DeviceTest):
    """Every opcode and every fault of framing in each state, with each pattern of stalls."""

    async def scenario(self) -> None:
        await self.everything(State.EMPTY)
        await self.put(Opcode.BEGIN, 3, 4)
        await self.everything(State.LOADING)
        await self.load()
        await self.everything(State.READY)
        await self.start_long()
        await self.everything(State.RUNNING)
        await self.put(Opcode.ABORT)

    async def everything(self, state: State) -> None:
        for seed, pattern in enumerate(PATTERNS):
            self.env.stall(pattern, seed)
            await EveryOpcode(PARAMETERS, state, 4, self.rng).on(self.env)
            await Framing(PARAMETERS.payload_words, self.rng).on(self.env)
            assert self.env.state() is state
        self.env.stall("none")


@pyuvm.test()
class Refusals(DeviceTest):
    """Every error code from every side."""

    async def scenario(self) -> None:
        for pattern in ("none", "short"):
            self.env.stall(pattern, 5)
            await Mistakes(PARAMETERS).on(self.env)
            await self.env.settled()
        assert self.env.predictor.runs == 2


@pyuvm.test()
class Programs(DeviceTest):
    """Random programs and settings, each run twice, with every pattern of stalls."""

    async def scenario(self) -> None:
        lanes = PARAMETERS.lanes
        shapes = [Shape(groups=(n,)) for n in (1, lanes - 1, lanes, lanes + 1)]
        shapes += [Shape(rows=1), Shape(rows=30, density=0.1), Shape(rows=16, density=0.6)]
        shapes += [Shape(rows=8, clamps=0.9), Shape(rows=8, clamps=0.0)]
        flags = [0, 0]
        for number in range(int(os.environ["GIBBSITE_PROGRAMS"])):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            case = await self.load(shapes[number % len(shapes)], split=number % 2 == 1)
            flags = [number % 8, self.rng.randrange(8)]
            for flag in flags:
                await RunCase(case, FLAGS=flag).on(self.env)
                await self.env.settled()
            await self.reconditioned(case)

    async def reconditioned(self, case: object) -> None:
        """Biases and clamps change, couplings stay; the schedule grows at its end."""
        program = case.program
        await self.put(Opcode.CLAMPS, 0, *(0,) * 2 * min(len(program.rows), 8))
        row = self.rng.randrange(len(program.rows))
        biases = [self.rng.randint(-999, 999) for _ in range(PARAMETERS.lanes)]
        await self.put(Opcode.BIASES, row, *biases)
        await self.put(Opcode.SCHEDULE, len(case.betas), 1 << 19)
        await RunCase(case, FLAGS=3, CHAINS=1, STEPS=len(case.betas) + 1).on(self.env)
        await self.env.settled()


@pyuvm.test()
class LargestGroup(DeviceTest):
    """A group of as many states as there may be, next to p-bits and a small group."""

    async def scenario(self) -> None:
        for pattern, clamps in (("none", 1.0), ("short", 0.0)):
            self.env.stall(pattern, 9)
            groups = (PARAMETERS.max_group, 3)
            case = await self.load(Shape(rows=70, groups=groups, density=0.01, clamps=clamps))
            await RunCase(case, FLAGS=3, CHAINS=2, DRAWS=2).on(self.env)
            await self.env.settled()
        assert self.env.predictor.draws == 8


@pyuvm.test()
class FullMemory(DeviceTest):
    """Every row and every coupling word of the device is used."""

    async def scenario(self) -> None:
        rows, words, lanes = PARAMETERS.rows, PARAMETERS.words, PARAMETERS.lanes
        lengths = [words // rows + (n < words % rows) for n in range(rows)]
        full = (1 << lanes) - 1
        await self.put(Opcode.BEGIN, rows, words)
        for at, length in enumerate(lengths):
            row = Row(length, 0, False, False, False, at % 7 == 0 or at == rows - 1, full)
            await self.put(Opcode.ROWS, at, *row.encode())
        per = (PARAMETERS.payload_words - 1) // lanes
        for at in range(0, words, per):
            await self.put(Opcode.ENTRIES, at, *(0,) * lanes * min(per, words - at))
        for at in range(0, rows, per):
            count = lanes * min(per, rows - at)
            await self.put(
                Opcode.BIASES, at, *(self.rng.randint(-4000, 4000) for _ in range(count))
            )
        await self.put(Opcode.COMMIT)
        steps = PARAMETERS.schedule_steps
        await self.put(Opcode.SCHEDULE, 0, *(n << 16 for n in range(steps)))
        await self.put(Opcode.WRITE, Register.STEPS, steps)
        await self.put(Opcode.WRITE, Register.FLAGS, 3)
        await self.put(Opcode.RUN)
        await self.env.settled()
        assert self.env.predictor.draws == 1


@pyuvm.test()
class Running(DeviceTest):
    """Commands while a run goes on: IDENTIFY, READ, what is illegal, and ABORT at any point."""

    async def scenario(self) -> None:
        for number in range(9):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long(1 + number % 2 * 999)
            for _ in range(6):
                await self.put(Opcode.READ, self.rng.choice(list(REGISTERS)))
                await self.put(Opcode.IDENTIFY)
                await self.put(Opcode.WRITE, Register.CHAINS, 7)
                await self.env.clocked.wait(self.rng.randrange(150))
            await self.put(Opcode.ABORT)
            await self.put(Opcode.READ, Register.STATE)
            await self.env.settled()
            for register in REGISTERS:
                await self.put(Opcode.READ, register)
        assert self.env.predictor.runs == 9

    def check_phase(self) -> None:
        assert COVERAGE.hits["end", "ABORTED"] >= 9
        super().check_phase()


@pyuvm.test()
class Race(DeviceTest):
    """Commands around the very end of a run, cycle by cycle; ABORT there gives DONE or ABORTED."""

    async def scenario(self) -> None:
        case = await self.load(Shape(rows=2))
        run = RunCase(case, FLAGS=1, CHAINS=1, DRAWS=1, STEPS=0)
        await run.on(self.env)
        began = self.env.clocked.cycle
        await self.env.settled()
        length = self.env.clocked.cycle - began
        for wait in range(max(0, length - 40), length + 4):
            for opcode, payload in (
                (Opcode.ABORT, ()),
                (Opcode.READ, (Register.STATE,)),
                (Opcode.READ, (Register.CYCLES_LOW,)),
                (Opcode.RUN, ()),
            ):
                await self.put(Opcode.RUN)
                await self.env.clocked.wait(wait)
                await self.put(opcode, *payload)
                await self.env.settled()


@pyuvm.test()
class Resets(DeviceTest):
    """The reset in every state and in the middle of sweeps, draws and packets."""

    async def scenario(self) -> None:
        env = self.env
        await env.reset()
        await self.works()
        await self.put(Opcode.BEGIN, 3, 4)
        await env.reset()
        await self.works()
        await self.load()
        await env.reset()
        await self.works()
        for number in range(8):
            env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long(1 + number % 2 * 999)
            env.source.send([0x11_00_0007, 1, 2])  # a packet cut in half by the reset
            await env.clocked.wait(self.rng.randrange(400))
            await env.reset()
            await self.works()

    async def works(self) -> None:
        await RegisterWalk().on(self.env) if self.rng.random() < 0.2 else None
        case = await self.load(Shape(rows=4))
        await RunCase(case, FLAGS=3, CHAINS=2).on(self.env)
        await self.env.settled()


@pyuvm.test()
class StalledReader(DeviceTest):
    """A reader that stops for long: the run waits, no word is lost, no counter counts it."""

    async def scenario(self) -> None:
        case = await self.load(Shape(rows=6))
        for wait in (1, 50, 3000):
            await RunCase(case, FLAGS=3, CHAINS=3, DRAWS=2).on(self.env)
            self.env.sink.blocked = True
            await self.env.clocked.wait(wait)
            stood = self.env.seen_out.transfers
            await self.env.clocked.wait(wait)
            assert self.env.seen_out.transfers == stood
            self.env.sink.blocked = False
            await self.env.settled()
        assert self.env.predictor.draws == 18


@pyuvm.test()
class Unread(DeviceTest):
    """Commands sent without waiting for answers, behind a reader that sleeps at times."""

    async def scenario(self) -> None:
        for number, pattern in enumerate(PATTERNS):
            self.env.stall(pattern, number)
            case = random_case(PARAMETERS, self.rng)
            sequence = LoadCase(PARAMETERS, case, self.rng)
            sequence.wait = False
            await sequence.on(self.env)
            sequence = RunCase(case, FLAGS=7)
            sequence.wait = False
            await sequence.on(self.env)
            await self.env.settled()
        assert self.env.predictor.runs == len(PATTERNS)


@pyuvm.test()
class Closed(DeviceTest):
    """Every bin of the functional coverage was hit."""

    async def scenario(self) -> None:
        await self.put(Opcode.IDENTIFY)

    def check_phase(self) -> None:
        super().check_phase()
        missing = COVERAGE.missing()
        report = {
            "totals": TOTALS,
            "bins": len(COVERAGE.hits),
            "missing": missing,
            "hits": {" ".join(name): hits for name, hits in COVERAGE.hits.items()},
        }
        Path("coverage.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
        assert not missing, f"{len(missing)} bins were never hit: {missing}"

"""The Langevin engine's shell in its pyuvm environment: commands, programs, stalls, resets.

The tests share one simulation and one functional coverage, which the last of them closes.
"""

import json
import os
from pathlib import Path
from random import Random

import pyuvm
from pyuvm import uvm_test

from gibbsite_hw.spec.langevin_packets import LangevinOpcode
from gibbsite_hw.spec.langevin_registers import (
    LANGEVIN_REGISTERS,
    LangevinFlags,
    LangevinRegister,
)
from gibbsite_hw.spec.registers import State
from gibbsite_sim.cosim.dialects import LANGEVIN
from gibbsite_sim.cosim.langevin_cases import (
    LangevinCase,
    LangevinShape,
    conditioning,
    random_langevin,
    recondition,
)
from gibbsite_sim.cosim.langevin_coverage import LangevinCoverage
from gibbsite_sim.cosim.langevin_sequences import (
    EveryLangevinOpcode,
    LangevinEnvironment,
    LangevinMistakes,
    LoadLangevin,
    RunLangevin,
)
from gibbsite_sim.cosim.registers import RegisterModel
from gibbsite_sim.cosim.run import langevin_parameters_here
from gibbsite_sim.cosim.sequences import Commands, Framing, RegisterWalk
from gibbsite_sim.cosim.streams import STALLS

PARAMETERS = langevin_parameters_here()
COVERAGE = LangevinCoverage(PARAMETERS)
PATTERNS = tuple(STALLS)
LONG = {"THIN": 3, "FLAGS": int(LangevinFlags.SAMPLES), "PAIRS": 0}
TOTALS: dict[str, int] = {}


class ShellTest(uvm_test):
    """Base: the environment, its start, and the totals that pytest asserts."""

    def build_phase(self) -> None:
        LangevinEnvironment.coverage = COVERAGE
        self.env = LangevinEnvironment("env", self)
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

    async def load(self, shape: LangevinShape | None = None, split: bool = False) -> LangevinCase:
        case = random_langevin(PARAMETERS, self.rng, shape)
        await LoadLangevin(PARAMETERS, case, self.rng if split else None).on(self.env)
        return case

    async def put(self, opcode: int, *payload: int) -> None:
        sequence = Commands()
        sequence.sequencer = self.env.command.sequencer
        await sequence.put(opcode, *payload)

    async def start_long(self, chains: int = 1) -> None:
        """A run that goes on until it is aborted: of one long chain or of many short ones."""
        case = await self.load()
        changes = {**LONG, "CHAINS": chains, "DRAWS": 1 if chains > 1 else 1_000_000}
        if chains > 1:
            changes["PAIRS"] = len(case.pairs)
        await RunLangevin(case, **changes).on(self.env)


@pyuvm.test()
class Registers(ShellTest):
    """Reset values, access and bounds of every register, and offsets that do not exist."""

    async def scenario(self) -> None:
        await RegisterWalk(LANGEVIN).on(self.env)
        self.env.stall("short", 3)
        await RegisterWalk(LANGEVIN).on(self.env)
        least = 2 * (len(LANGEVIN_REGISTERS) + len(RegisterModel.probes(LANGEVIN_REGISTERS)))
        assert self.env.predictor.registers.checked > least / 2


@pyuvm.test()
class States(ShellTest):
    """Every opcode and every fault of framing in each state, with each pattern of stalls."""

    async def scenario(self) -> None:
        await self.everything(State.EMPTY)
        for pattern in PATTERNS:
            self.env.stall(pattern, 2)
            await self.put(LangevinOpcode.BEGIN, 3, 2, 1, 0, 0, 0)
            await EveryLangevinOpcode(PARAMETERS, State.LOADING, 1, self.rng).on(self.env)
        await self.everything(State.LOADING)
        await self.load()
        await self.everything(State.READY)
        await self.start_long()
        await self.everything(State.RUNNING)
        await self.put(LangevinOpcode.ABORT)

    async def everything(self, state: State) -> None:
        for seed, pattern in enumerate(PATTERNS):
            self.env.stall(pattern, seed)
            await EveryLangevinOpcode(PARAMETERS, state, 4, self.rng).on(self.env)
            await Framing(PARAMETERS.payload_words, self.rng, LANGEVIN).on(self.env)
            assert self.env.state() is state
        self.env.stall("none")


@pyuvm.test()
class Refusals(ShellTest):
    """Every error code, every rule from both sides."""

    async def scenario(self) -> None:
        for pattern in ("none", "short"):
            self.env.stall(pattern, 5)
            await LangevinMistakes(PARAMETERS).on(self.env)
            await self.env.settled()
        assert self.env.predictor.runs == 6


@pyuvm.test()
class Programs(ShellTest):
    """Random programs and settings, each run and conditioned anew, with every stall pattern."""

    async def scenario(self) -> None:
        n, m = PARAMETERS.units, PARAMETERS.constraints
        shapes = [LangevinShape(), LangevinShape(units=1), LangevinShape(wild=True)]
        shapes += [
            LangevinShape(constraints=c, coupled=j) for c in (0, 1, m) for j in (False, True)
        ]
        shapes += [LangevinShape(units=n, clamps=0.9), LangevinShape(units=n, clamps=0.0)]
        shapes += [LangevinShape(units=n, constraints=m, coupled=True, wild=True)] * 2
        for number in range(int(os.environ["GIBBSITE_PROGRAMS"])):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            shape = shapes[number % len(shapes)]
            case = await self.load(shape, split=number % 2 == 1)
            for flags in (number % 8, self.rng.randrange(8)):
                await RunLangevin(case, FLAGS=flags).on(self.env)
                await self.env.settled()
                # other conditions, the same couplings
                case = recondition(PARAMETERS, case, self.rng, shape)
                await Commands(conditioning(PARAMETERS, case, self.rng)).on(self.env)
            await RunLangevin(case, FLAGS=3).on(self.env)
            await self.env.settled()
            # the next program finds neither clamps nor states of this one
            rng, leave = self.rng, (LangevinOpcode.CLAMPS, LangevinOpcode.STATE)
            await LoadLangevin(PARAMETERS, case, rng, leave).on(self.env)
            await RunLangevin(case, FLAGS=1, DRAWS=1, CHAINS=1).on(self.env)
            await self.env.settled()


@pyuvm.test()
class FullMemory(ShellTest):
    """Every unit, constraint, schedule entry and pair of the device is used."""

    async def scenario(self) -> None:
        p = PARAMETERS
        for wild in (False, True):
            shape = LangevinShape(p.units, p.constraints, True, wild=wild)
            case = random_langevin(p, self.rng, shape)
            while (len(case.schedule), len(case.pairs)) != (p.schedule_entries, p.pairs):
                case = recondition(p, case, self.rng, shape)
            await LoadLangevin(p, case).on(self.env)
            full = {"ENTRIES": p.schedule_entries, "PAIRS": p.pairs}
            await RunLangevin(case, FLAGS=3, CHAINS=2, DRAWS=2, **full).on(self.env)
            await self.env.settled()
        assert self.env.predictor.draws == 2 * (4 + 2)


@pyuvm.test()
class Running(ShellTest):
    """Commands while a run goes on: IDENTIFY, READ, what is illegal, and ABORT at any point."""

    async def scenario(self) -> None:
        for number in range(16):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long(1 + number % 2 * 999)
            for _ in range(5):
                await self.put(LangevinOpcode.READ, self.rng.choice(list(LANGEVIN_REGISTERS)))
                await self.put(LangevinOpcode.IDENTIFY)
                await self.put(LangevinOpcode.WRITE, LangevinRegister.CHAINS, 7)
                await self.env.clocked.wait(self.rng.randrange(200))
            await self.put(LangevinOpcode.ABORT)
            await self.put(LangevinOpcode.READ, LangevinRegister.STATE)
            await self.env.settled()
            for register in LANGEVIN_REGISTERS:
                await self.put(LangevinOpcode.READ, register)
        assert self.env.predictor.runs == 16

    def check_phase(self) -> None:
        assert COVERAGE.hits["end", "ABORTED"] >= 16
        super().check_phase()


@pyuvm.test()
class Race(ShellTest):
    """Commands around the very end of a run, cycle by cycle; ABORT there gives DONE or ABORTED."""

    async def scenario(self) -> None:
        case = await self.load(LangevinShape(units=2))
        one = {"FLAGS": 5, "CHAINS": 1, "DRAWS": 1}
        for pairs in {0, len(case.pairs)}:
            await RunLangevin(case, PAIRS=pairs, **one).on(self.env)
            began = self.env.clocked.cycle
            await self.env.settled()
            length = self.env.clocked.cycle - began
            for wait in range(max(0, length - 40), length + 4):
                for opcode, payload in (
                    (LangevinOpcode.ABORT, ()),
                    (LangevinOpcode.READ, (LangevinRegister.STATE,)),
                    (LangevinOpcode.READ, (LangevinRegister.CYCLES_LOW,)),
                    (LangevinOpcode.RUN, ()),
                ):
                    await self.put(LangevinOpcode.RUN)
                    await self.env.clocked.wait(wait)
                    await self.put(opcode, *payload)
                    await self.env.settled()


@pyuvm.test()
class AbortAnywhere(ShellTest):
    """ABORT in each of the first cycles of a run: seeding, passes, draws, moments, next chain."""

    async def scenario(self) -> None:
        shape = LangevinShape(units=2, constraints=1)
        case = await self.load(shape)
        while len(case.pairs) < 2:
            case = await self.load(shape)
        settings = {"FLAGS": int(LangevinFlags.TRAJECTORY), "CHAINS": 3, "DRAWS": 2, "THIN": 1}
        for pairs, pattern in ((0, "none"), (2, "short")):
            self.env.stall(pattern, 4)
            await RunLangevin(case, PAIRS=pairs, MOMENT_EVERY=1, **settings).on(self.env)
            await self.env.settled()
            for wait in range(int(os.environ["GIBBSITE_ABORTS"])):
                await self.put(LangevinOpcode.RUN)
                await self.env.clocked.wait(wait)
                await self.put(LangevinOpcode.ABORT)
                await self.env.settled()
            # what an aborted run leaves behind does not reach the next one
            await self.put(LangevinOpcode.RUN)
            await self.env.settled()


@pyuvm.test()
class Resets(ShellTest):
    """The reset in every state and in the middle of passes, draws and packets."""

    async def scenario(self) -> None:
        env = self.env
        await env.reset()
        await self.works()
        await self.put(LangevinOpcode.BEGIN, 3, 2, 1, 0, 0, 0)
        await env.reset()
        await self.works()
        await self.load()
        await env.reset()
        await self.works()
        for number in range(8):
            env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long(1 + number % 2 * 999)
            env.source.send([LangevinOpcode.UNITS << 24 | 7, 1, 2])  # cut in half by the reset
            await env.clocked.wait(self.rng.randrange(400))
            await env.reset()
            await self.works()

    async def works(self) -> None:
        if self.rng.random() < 0.2:
            await RegisterWalk(LANGEVIN).on(self.env)
        case = await self.load(LangevinShape(units=4))
        await RunLangevin(case, FLAGS=3, CHAINS=2).on(self.env)
        await self.env.settled()


@pyuvm.test()
class StalledReader(ShellTest):
    """A reader that stops for long: the run waits, no word is lost, no counter counts it."""

    async def scenario(self) -> None:
        case = await self.load(LangevinShape(units=6))
        for wait in (1, 50, 3000):
            await RunLangevin(case, FLAGS=3, CHAINS=3, DRAWS=2, PAIRS=0).on(self.env)
            self.env.sink.blocked = True
            await self.env.clocked.wait(wait)
            stood = self.env.seen_out.transfers
            await self.env.clocked.wait(wait)
            assert self.env.seen_out.transfers == stood
            self.env.sink.blocked = False
            await self.env.settled()
        assert self.env.predictor.draws == 18


@pyuvm.test()
class Unread(ShellTest):
    """Commands sent without waiting for answers, behind a reader that sleeps at times."""

    async def scenario(self) -> None:
        for number, pattern in enumerate(PATTERNS):
            self.env.stall(pattern, number)
            case = random_langevin(PARAMETERS, self.rng)
            for sequence in (
                LoadLangevin(PARAMETERS, case, self.rng),
                RunLangevin(case, FLAGS=7),
            ):
                sequence.wait = False
                await sequence.on(self.env)
            await self.env.settled()
        assert self.env.predictor.runs == len(PATTERNS)


@pyuvm.test()
class Closed(ShellTest):
    """Every bin of the functional coverage was hit."""

    async def scenario(self) -> None:
        await self.put(LangevinOpcode.IDENTIFY)

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

"""The lattice engine's shell in its pyuvm environment: commands, programs, stalls, resets.

The tests share one simulation and one functional coverage, which the last of them closes.
"""

import json
import os
from pathlib import Path
from random import Random

import pyuvm
from pyuvm import uvm_test

from gibbsite_hw.spec.lattice_packets import LatticeOpcode
from gibbsite_hw.spec.lattice_registers import LATTICE_REGISTERS, LatticeRegister
from gibbsite_hw.spec.registers import State
from gibbsite_sim.cosim.dialects import LATTICE
from gibbsite_sim.cosim.lattice_cases import lattice_settings
from gibbsite_sim.cosim.lattice_coverage import LatticeCoverage
from gibbsite_sim.cosim.lattice_sequences import (
    EveryLatticeOpcode,
    LatticeEnvironment,
    LatticeMistakes,
    LoadLattice,
    packets,
)
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.sequences import Commands, Framing, RegisterWalk
from gibbsite_sim.cosim.streams import STALLS

PARAMETERS = lattice_parameters_here()
COVERAGE = LatticeCoverage(PARAMETERS)
PATTERNS = tuple(STALLS)
TOTALS: dict[str, int] = {}


class ShellTest(uvm_test):
    """Base: the environment, its start, and the totals that pytest asserts."""

    def build_phase(self) -> None:
        LatticeEnvironment.coverage = COVERAGE
        self.env = LatticeEnvironment("env", self)
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
            "answers": env.predictor.answers,
            "draws": env.predictor.draws,
            "runs": env.predictor.runs,
            "stalled cycles": env.seen_out.stalled,
            "idle cycles": env.seen_in.idle,
            "register checks": env.predictor.registers.checked,
            "cycles": env.clocked.cycle,
        }
        assert now["answers"] > 0, "nothing was seen"
        for name, value in now.items():
            TOTALS[name] = TOTALS.get(name, 0) + value

    async def load(self, columns: int = 0, steps: int = 2) -> None:
        width = columns or 2 * self.rng.randint(1, PARAMETERS.columns // 2)
        await LoadLattice(PARAMETERS, self.rng, width, steps).on(self.env)

    async def put(self, opcode: int, *payload: int) -> None:
        sequence = Commands()
        sequence.sequencer = self.env.command.sequencer
        await sequence.put(opcode, *payload)

    async def run_with(self, **registers: int) -> None:
        values = {"CHAINS": 1, "DRAWS": 1, "STEPS": 1, "SWEEPS_PER_STEP": 1, "THIN": 1, "FLAGS": 3}
        for name, value in {**values, **registers}.items():
            await self.put(LatticeOpcode.WRITE, LatticeRegister[name], value)
        await self.put(LatticeOpcode.RUN)

    async def start_long(self) -> None:
        await self.load(4)
        await self.run_with(CHAINS=1000, DRAWS=1000, THIN=3)


@pyuvm.test()
class Registers(ShellTest):
    """Reset values, access and bounds of every register, and offsets that do not exist."""

    async def scenario(self) -> None:
        await RegisterWalk(LATTICE).on(self.env)
        self.env.stall("short", 3)
        await RegisterWalk(LATTICE).on(self.env)


@pyuvm.test()
class States(ShellTest):
    """Every opcode and every fault of framing in each state, with each pattern of stalls."""

    async def scenario(self) -> None:
        await self.everything(State.EMPTY)
        for pattern in PATTERNS:
            self.env.stall(pattern, 2)
            await self.put(LatticeOpcode.BEGIN, 2)
            await EveryLatticeOpcode(PARAMETERS, State.LOADING, 1, self.rng).on(self.env)
        await self.everything(State.LOADING)
        for pattern in PATTERNS:
            self.env.stall(pattern, 3)
            await self.load()
        await self.everything(State.READY)
        await self.start_long()
        await self.everything(State.RUNNING)
        await self.put(LatticeOpcode.ABORT)

    async def everything(self, state: State) -> None:
        for seed, pattern in enumerate(PATTERNS):
            self.env.stall(pattern, seed)
            await EveryLatticeOpcode(PARAMETERS, state, 4, self.rng).on(self.env)
            await Framing(PARAMETERS.payload_words, self.rng, LATTICE).on(self.env)
            assert self.env.state() is state
        self.env.stall("none")


@pyuvm.test()
class Refusals(ShellTest):
    """Every error code, every rule from both sides."""

    async def scenario(self) -> None:
        for pattern in ("none", "short"):
            await self.env.reset()
            self.env.stall(pattern, 5)
            await LatticeMistakes(PARAMETERS, PARAMETERS.columns).on(self.env)
            await self.env.settled()


@pyuvm.test()
class Programs(ShellTest):
    """Random programs and settings, three runs each, with every stall pattern."""

    async def scenario(self) -> None:
        for number in range(int(os.environ["GIBBSITE_PROGRAMS"])):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            steps = number % (PARAMETERS.schedule_steps + 1)
            await self.load(PARAMETERS.columns if number % 3 == 0 else 0, steps)
            for _ in range(3):
                settings = packets(list(lattice_settings(PARAMETERS, self.rng, steps)))
                await Commands(settings).on(self.env)
                await self.put(LatticeOpcode.WRITE, LatticeRegister.FLAGS, self.rng.randrange(8))
                await self.put(LatticeOpcode.RUN)
                await self.env.settled()


@pyuvm.test()
class Running(ShellTest):
    """Commands while a run goes on: IDENTIFY, READ, what is illegal, and ABORT at any point."""

    async def scenario(self) -> None:
        for number in range(12):
            self.env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long()
            for _ in range(4):
                await self.put(LatticeOpcode.READ, self.rng.choice(list(LATTICE_REGISTERS)))
                await self.put(LatticeOpcode.IDENTIFY)
                await self.put(LatticeOpcode.WRITE, LatticeRegister.CHAINS, 7)
                await self.env.clocked.wait(self.rng.randrange(200))
            await self.put(LatticeOpcode.ABORT)
            await self.put(LatticeOpcode.READ, LatticeRegister.STATE)
            await self.env.settled()
            for register in LATTICE_REGISTERS:
                await self.put(LatticeOpcode.READ, register)


@pyuvm.test()
class AbortAnywhere(ShellTest):
    """ABORT in each cycle of a run: seeding, passes, waits, draws, next group, and its end."""

    async def scenario(self) -> None:
        await self.load(2, 2)
        for pattern in ("none", "short"):
            self.env.stall(pattern, 4)
            await self.run_with(CHAINS=3, DRAWS=2, STEPS=2)
            began = self.env.clocked.cycle
            await self.env.settled()
            length = self.env.clocked.cycle - began
            for wait in range(0, length + 4, int(os.environ["GIBBSITE_ABORT_STEP"])):
                await self.put(LatticeOpcode.RUN)
                await self.env.clocked.wait(wait)
                await self.put(LatticeOpcode.ABORT)
                await self.env.settled()
            # what an aborted run leaves behind does not reach the next one
            await self.put(LatticeOpcode.RUN)
            await self.env.settled()


@pyuvm.test()
class Resets(ShellTest):
    """The reset in every state and in the middle of passes, draws and packets."""

    async def scenario(self) -> None:
        env = self.env
        await env.reset()
        await self.works()
        await self.put(LatticeOpcode.BEGIN, 4)
        await env.reset()
        await self.works()
        await env.reset()
        await self.works()
        for number in range(6):
            env.stall(PATTERNS[number % len(PATTERNS)], number)
            await self.start_long()
            env.source.send([LatticeOpcode.BIASES << 24 | 7, 1, 2])  # cut in half by the reset
            await env.clocked.wait(self.rng.randrange(400))
            await env.reset()
            await self.works()

    async def works(self) -> None:
        await self.load(PARAMETERS.columns)
        await self.run_with(CHAINS=2, STEPS=2)
        await self.env.settled()


@pyuvm.test()
class StalledReader(ShellTest):
    """A reader that stops for long: the run waits, no word is lost, no counter counts it."""

    async def scenario(self) -> None:
        await self.load(6)
        for wait in (1, 50, 2000):
            await self.run_with(CHAINS=3, DRAWS=2)
            self.env.sink.blocked = True
            await self.env.clocked.wait(wait)
            stood = self.env.seen_out.transfers
            await self.env.clocked.wait(wait)
            assert self.env.seen_out.transfers == stood
            self.env.sink.blocked = False
            await self.env.settled()
        assert self.env.predictor.draws == 18


@pyuvm.test()
class Closed(ShellTest):
    """Every bin of the functional coverage was hit."""

    async def scenario(self) -> None:
        await self.put(LatticeOpcode.IDENTIFY)

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

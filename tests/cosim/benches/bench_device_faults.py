"""The environment of the whole device with something wrong on purpose: each test here must fail."""

import os
from random import Random
from typing import Any

import pyuvm
from pyuvm import uvm_test

from gibbsite_hw.spec.packets import Opcode
from gibbsite_hw.spec.registers import Register
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_sim.cosim.coverage import Coverage
from gibbsite_sim.cosim.environment import DeviceEnvironment
from gibbsite_sim.cosim.programs import Shape, random_case
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.sequences import Commands, LoadCase, RunCase

PARAMETERS = parameters_here()
FAULT = os.environ["GIBBSITE_FAULT"]


def golden(parameters: Any, engine: type) -> GoldenStream:
    """The golden device with the wanted fault."""

    class Broken(engine):
        def noise(self, uniform: Any, gumbel: bool) -> Any:
            return super().noise(uniform, gumbel) + (FAULT == "noise") * (1 << 14)

        def _add_energy(self, row: Any, chains: Any, *rest: Any) -> None:
            super()._add_energy(row, chains, *rest)
            chains.energy += FAULT == "energy"

    stream = GoldenStream(parameters, engines=Engines(graph=Broken))
    if FAULT == "register":
        stream.send([0x03_00_0002, Register.THIN, 5])
        stream.receive()
    return stream


@pyuvm.test()
class Faulty(uvm_test):
    """A few programs, as in the real tests."""

    def build_phase(self) -> None:
        DeviceEnvironment.coverage = Coverage(PARAMETERS)
        DeviceEnvironment.golden = staticmethod(golden)
        self.env = DeviceEnvironment("env", self)

    async def run_phase(self) -> None:
        self.raise_objection()
        env = self.env
        await env.begin()
        if FAULT == "deaf":
            env.seen_in.muted = env.seen_out.muted = True
            await env.clocked.wait(50)
        else:
            reader = Commands()
            reader.sequencer = env.command.sequencer
            await reader.put(Opcode.READ, Register.THIN)
            rng = Random(1)
            for _ in range(3):
                case = random_case(PARAMETERS, rng, Shape(rows=6, clamps=0.0))
                await LoadCase(PARAMETERS, case).on(env)
                await Commands().on(env)
                await RunCase(case, FLAGS=1, DRAWS=3).on(env)
                await env.settled()
        self.drop_objection()

"""The environment of the Langevin shell with something wrong on purpose: each test must fail."""

import os
from random import Random
from typing import Any

import pyuvm
from pyuvm import uvm_test

from gibbsite_hw.spec.langevin_packets import LangevinOpcode
from gibbsite_hw.spec.langevin_registers import LangevinRegister
from gibbsite_models.golden.langevin import LangevinEngine
from gibbsite_sim.cosim.langevin_cases import LangevinShape, random_langevin
from gibbsite_sim.cosim.langevin_coverage import LangevinCoverage
from gibbsite_sim.cosim.langevin_predictor import LangevinPredictor
from gibbsite_sim.cosim.langevin_sequences import LangevinEnvironment, LoadLangevin, RunLangevin
from gibbsite_sim.cosim.packet_predictor import Golden
from gibbsite_sim.cosim.run import langevin_parameters_here
from gibbsite_sim.cosim.sequences import Commands

PARAMETERS = langevin_parameters_here()
FAULT = os.environ["GIBBSITE_FAULT"]


class BrokenEngine(LangevinEngine):
    """The golden engine with the wanted fault."""

    def draw(self, streams: Any) -> Any:
        xi, dither = super().draw(streams)
        return xi + (FAULT == "noise"), dither

    def heat(self, walkers: Any, gradient: Any) -> Any:
        return super().heat(walkers, gradient) + (FAULT == "heat")


class BrokenPredictor(LangevinPredictor):
    """A register that does not have its reset value."""

    def golden(self) -> Golden:
        golden = super().golden()
        if FAULT == "register":
            golden.send([LangevinOpcode.WRITE << 24 | 2, LangevinRegister.THIN, 5])
            golden.receive()
        return golden


class BrokenEnvironment(LangevinEnvironment):
    """The environment around these."""

    def predicts(self) -> LangevinPredictor:
        return BrokenPredictor(PARAMETERS, self.heard, self.run_ended, BrokenEngine)


@pyuvm.test()
class Faulty(uvm_test):
    """A few programs, as in the real tests."""

    def build_phase(self) -> None:
        BrokenEnvironment.coverage = LangevinCoverage(PARAMETERS)
        self.env = BrokenEnvironment("env", self)

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
            await reader.put(LangevinOpcode.READ, LangevinRegister.THIN)
            rng = Random(1)
            for _ in range(3):
                case = random_langevin(PARAMETERS, rng, LangevinShape(units=6, clamps=0.0))
                await LoadLangevin(PARAMETERS, case).on(env)
                await RunLangevin(case, FLAGS=1, DRAWS=3).on(env)
                await env.settled()
        self.drop_objection()

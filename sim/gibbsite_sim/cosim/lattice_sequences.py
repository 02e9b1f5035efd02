"""Sequences of commands for the lattice engine's shell, and the environment that they run in."""

from random import Random

from gibbsite_hw.spec.lattice_packets import (
    LATTICE_FIXED_LENGTHS,
    LatticeOpcode,
    lattice_record_words,
)
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.packets import Packet
from gibbsite_hw.spec.registers import State
from gibbsite_sim.cosim.dialects import LATTICE
from gibbsite_sim.cosim.environment import DeviceEnvironment
from gibbsite_sim.cosim.lattice_cases import Command, lattice_loads, lattice_program
from gibbsite_sim.cosim.lattice_mistakes import lattice_mistakes
from gibbsite_sim.cosim.lattice_predictor import LatticePredictor
from gibbsite_sim.cosim.packet_predictor import PacketPredictor
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.sequences import Commands, EveryOpcode

__all__ = ["EveryLatticeOpcode", "LatticeEnvironment", "LatticeMistakes", "LoadLattice", "packets"]

_O = LatticeOpcode


def packets(commands: "list[Command]") -> list[Packet]:
    """Commands as packets."""
    return [Packet(opcode, 0, tuple(payload)) for opcode, payload in commands]


class LatticeEnvironment(DeviceEnvironment):
    """The environment of a device around the lattice engine's shell alone."""

    def predicts(self) -> PacketPredictor:
        """The golden shell of that engine."""
        return LatticePredictor(lattice_parameters_here(), self.heard, self.run_ended)


class LoadLattice(Commands):
    """Load a random program of this size."""

    def __init__(
        self, parameters: LatticeParameters, dice: Random, columns: int, steps: int
    ) -> None:
        super().__init__(packets(list(lattice_program(parameters, dice, columns, steps))))


class EveryLatticeOpcode(EveryOpcode):
    """Every opcode of this engine."""

    dialect = LATTICE

    def payload(self, opcode: int) -> tuple[int, ...]:
        """A payload of a fitting length."""
        code = LatticeOpcode(opcode)
        if code is _O.BEGIN:
            return (2,)
        if code in LATTICE_FIXED_LENGTHS:
            return super().payload(opcode)
        return (0,) * (1 + lattice_record_words(self.parameters, code))


class LatticeMistakes(Commands):
    """Every rule of the shell from both sides."""

    def __init__(self, parameters: LatticeParameters, columns: int) -> None:
        super().__init__()
        self._parameters, self._columns = parameters, columns

    async def body(self) -> None:
        p, state = self._parameters, State.EMPTY
        for mistake in lattice_mistakes(p, self._columns):
            if mistake.state != state:
                state = mistake.state
                await self.put(_O.BEGIN, self._columns)
                if state is State.READY:
                    await self._whole()
            await self.put(mistake.opcode, *mistake.payload)

    async def _whole(self) -> None:
        """A program of zeros; COMMIT is refused while its biases are missing."""
        p = self._parameters
        sites = p.rows * self._columns
        for opcode, size in ((_O.COUPLINGS, p.neighbours // 4), (_O.BIASES, 1)):
            for code, payload in lattice_loads(p, opcode, [[0] * size] * sites):
                await self.put(code, *payload)
            await self.put(_O.COMMIT)

"""Sequences of commands for the whole device: what a host does, and frames that none should send.

Each sequence sends through the environment's sequencer; the scoreboard judges.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from pyuvm import uvm_sequence

from gibbsite_hw.spec.packets import ENGINE_FIELD, Opcode, Packet, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.registers import Register, State
from gibbsite_sim.cosim.dialects import GRAPH, Dialect
from gibbsite_sim.cosim.environment import CommandItem, DeviceEnvironment
from gibbsite_sim.cosim.programs import Case, loading
from gibbsite_sim.cosim.registers import RegisterModel

__all__ = [
    "Commands",
    "EveryOpcode",
    "Framing",
    "LoadCase",
    "RegisterWalk",
    "RunCase",
]

WORD = 0xFFFF_FFFF


class Commands(uvm_sequence):
    """A list of packets; the base of all sequences."""

    wait = True

    def __init__(self, packets: Iterable[Packet] = ()) -> None:
        super().__init__("commands")
        self.packets = list(packets)
        self._tag = 0

    async def body(self) -> None:
        for packet in self.packets:
            await self.put(packet.opcode, *packet.payload)

    async def on(self, environment: DeviceEnvironment) -> None:
        """Run on the environment's command side."""
        self.environment = environment
        await self.start(environment.command.sequencer)

    async def put(self, opcode: int, *payload: int) -> None:
        """Send one well-framed packet with a tag of its own."""
        self._tag = self._tag + 37 & 0xFF
        await self.send(Packet(opcode, self._tag, tuple(word & WORD for word in payload)).words())

    async def send(self, words: Sequence[int]) -> None:
        """Send words whatever they are."""
        item = CommandItem(list(words), self.wait)
        await self.start_item(item)
        await self.finish_item(item)


class LoadCase(Commands):
    """Load a program; with ``rng`` in packets of any size."""

    def __init__(self, parameters: GraphParameters, case: Case, rng: Random | None = None) -> None:
        super().__init__(loading(parameters, case, rng))


class RunCase(Commands):
    """Write all settings of a run and start it."""

    def __init__(self, case: Case, **changes: int) -> None:
        settings = {**case.settings, **{Register[name]: value for name, value in changes.items()}}
        super().__init__(
            [
                *(Packet(Opcode.WRITE, 0, (at, value)) for at, value in settings.items()),
                Packet(Opcode.RUN, 0, ()),
            ]
        )


class RegisterWalk(Commands):
    """Reset values, every bound from both sides, all offsets, what cannot be written."""

    def __init__(self, dialect: Dialect = GRAPH) -> None:
        super().__init__()
        self._dialect = dialect

    async def body(self) -> None:
        registers = self._dialect.registers
        read, write = self._dialect.own(Opcode.READ), self._dialect.own(Opcode.WRITE)
        for offset in [*range(0x40), 0x100, 0x8000_0000, WORD]:
            await self.put(read, offset)
        for offset, value in RegisterModel.probes(registers):
            await self.put(write, offset, value)
            if offset in registers:
                await self.put(read, offset)
        for register, info in registers.items():
            if info.writable:
                await self.put(write, register, info.reset)


class EveryOpcode(Commands):
    """Every opcode that leaves ``state`` as it is, ``times`` over; payloads as the opcode wants."""

    dialect = GRAPH

    def __init__(self, parameters: Any, state: State, times: int, rng: Random) -> None:
        super().__init__()
        self.parameters, self.rng = parameters, rng
        self._state, self._times = state, times

    async def body(self) -> None:
        changing = [self.dialect.own(code) for code in _CHANGE_THE_STATE]
        for _ in range(self._times):
            for opcode in self.dialect.opcodes:
                if self._state in self.dialect.legal_states[opcode] and opcode in changing:
                    continue  # other sequences send them
                await self.put(opcode, *self.payload(opcode))

    def payload(self, opcode: int) -> tuple[int, ...]:
        """A payload of a fitting length."""
        parameters = self.parameters
        common = opcode & ~ENGINE_FIELD
        if common == Opcode.READ:
            return (self.rng.choice(list(self.dialect.registers)),)
        if common == Opcode.WRITE:
            return (Register.FIRST_CHAIN, self.rng.getrandbits(32))
        if opcode == Opcode.BEGIN:
            return (1, 1)
        if opcode in (Opcode.ROWS, Opcode.CLAMPS):
            return (0, 0, 0)
        if opcode in (Opcode.ENTRIES, Opcode.BIASES):
            return (0, *(0,) * parameters.lanes)
        if opcode in (Opcode.SCHEDULE, Opcode.STATE):
            return (0, 0)
        return ()


_CHANGE_THE_STATE = (Opcode.BEGIN, Opcode.RUN, Opcode.ABORT, Opcode.COMMIT)


class Framing(Commands):
    """Truncated, oversized, too long, unknown and of the wrong length, in any state."""

    def __init__(self, payload_words: int, rng: Random, dialect: Dialect = GRAPH) -> None:
        super().__init__()
        self._most, self._rng, self._dialect = payload_words, rng, dialect

    async def body(self) -> None:
        most, rng, lengths = self._most, self._rng, self._dialect.fixed_lengths
        for opcode in (*self._dialect.opcodes, 0x00, 0x7F, 0xFF):
            announced = rng.randint(1, most)
            await self.send([header(opcode, 1, announced)])  # last on the header
            await self.send([header(opcode, 2, announced), *range(rng.randrange(announced))])
            await self.send([header(opcode, 3, 0), *range(rng.randint(1, 5))])
            await self.send([header(opcode, 4, announced), *range(announced + rng.randint(1, 5))])
            await self.send([header(opcode, 5, most + 1), *range(rng.choice([1, most, most + 1]))])
            await self.send([header(opcode, 6, rng.randint(most + 1, 0xFFFF))])
            await self.put(opcode, *(0,) * rng.choice([3, most]))
            await self.put(opcode, *(0,) * (1 if lengths.get(opcode) == 0 else 0))

"""Sequences of commands for the whole device: what a host does, and what it never should.

Each sequence sends through the environment's sequencer; the scoreboard judges.
"""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from pyuvm import uvm_sequence

from gibbsite_hw.spec.packets import ENGINE_FIELD, Opcode, Packet, header
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Row
from gibbsite_hw.spec.registers import Register, RunFlags, State
from gibbsite_sim.cosim.dialects import GRAPH, Dialect
from gibbsite_sim.cosim.environment import CommandItem, DeviceEnvironment
from gibbsite_sim.cosim.programs import Case, loading
from gibbsite_sim.cosim.registers import RegisterModel

__all__ = [
    "Commands",
    "EveryOpcode",
    "Framing",
    "LoadCase",
    "Mistakes",
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


class Mistakes(Commands):
    """Every way in which a well-framed command can be refused, `ErrorCode` by `ErrorCode`.

    Starts and ends with no program that matters.
    """

    def __init__(self, parameters: GraphParameters) -> None:
        super().__init__()
        self._parameters = parameters

    async def body(self) -> None:
        await self._sizes()
        await self._records()
        await self._structures()
        await self._conditions()

    async def _sizes(self) -> None:
        p = self._parameters
        for rows, words in ((0, 1), (p.rows + 1, 1), (1, 0), (1, p.words + 1), (WORD, WORD)):
            await self.put(Opcode.BEGIN, rows, words)

    async def _records(self) -> None:
        """Addresses and values just inside and just outside of what each memory takes."""
        p, lanes = self._parameters, self._parameters.lanes
        full = (1 << lanes) - 1
        plain = Row(1, 0, False, False, False, True, full).encode()
        await self.put(Opcode.BEGIN, 2, 3)
        for first in (1, 2, WORD):
            await self.put(Opcode.ROWS, first, *plain)
            await self.put(Opcode.ENTRIES, first, *(0,) * lanes)
            await self.put(Opcode.BIASES, first, *(0,) * lanes)
        await self.put(Opcode.ROWS, 0, *plain * 3)
        await self.put(Opcode.ENTRIES, 0, *(0,) * 4 * lanes)
        await self.put(Opcode.BIASES, 0, *(0,) * 3 * lanes)
        for opcode, record in ((Opcode.CLAMPS, (0, 0)), (Opcode.STATE, (0,))):
            for first in (2, WORD):
                await self.put(opcode, first, *record)
            await self.put(opcode, 1, *record * 2)
        for first in (1, p.schedule_steps, WORD):
            await self.put(Opcode.SCHEDULE, first, 0)
        await self.put(Opcode.SCHEDULE, 0, *(0,) * (p.schedule_steps + 1))
        for descriptor, mask in self._bad_rows(plain[0], full):
            await self.put(Opcode.ROWS, 0, descriptor, mask)
            await self.put(Opcode.ROWS, 0, *plain, descriptor, mask)
        least = 1 << p.address_bits + p.weight_bits - 1
        width = p.address_bits + p.weight_bits + 1
        for entry in (2 * lanes, least, 1 << width, WORD):
            for at in (0, lanes - 1, lanes):
                words = [0] * 2 * lanes
                words[at] = entry
                await self.put(Opcode.ENTRIES, 0, *words)
        for bias in (p.bias_max + 1, -p.bias_max - 1, 1 << 31):
            await self.put(Opcode.BIASES, 0, *(0,) * (lanes - 1), bias)
        await self.put(Opcode.CLAMPS, 0, full + 1, 0)
        await self.put(Opcode.CLAMPS, 0, 0, full + 1)
        await self.put(Opcode.STATE, 0, full, full + 1)
        await self.put(Opcode.SCHEDULE, 0, p.beta_max, p.beta_max + 1)
        await self.put(Opcode.SCHEDULE, 0, p.beta_max)
        await self.put(Opcode.BIASES, 0, *(p.bias_max, -p.bias_max) * (lanes // 2))

    def _bad_rows(self, plain: int, full: int) -> list[tuple[int, int]]:
        p = self._parameters
        longest = p.max_degree + p.lanes >> p.lane_bits
        top = (1 << p.lane_bits) << 0
        bad = [(plain & ~0x7FF, full), (plain & ~0x7FF | p.max_degree + 1, full), (plain, 0)]
        bad += [(plain | 1 << bit, full) for bit in (15, 16, 18, 31)]
        bad += [(plain, full + 1), (plain | 1 << 11, 2), (plain | p.lane_bits + 1 << 11, 1)]
        bad += [(plain & ~0x7FF | longest + 1 | p.lane_bits << 11, 1), (plain | 1 << 11, top)]
        return bad

    async def _structures(self) -> None:
        """Rows that are right one by one and do not fit each other."""
        p = self._parameters
        bit, wall = (
            Row(1, 0, False, False, False, False, 1),
            Row(1, 0, False, False, False, True, 1),
        )
        first, last = Row(1, 0, True, True, False, False, 1), Row(1, 0, True, False, True, True, 1)
        middle, whole = (
            Row(1, 0, True, False, False, False, 1),
            Row(1, 0, True, True, True, True, 1),
        )
        full = (1 << p.lanes) - 1
        large = p.max_group // p.lanes
        group = [Row(1, 0, True, n == 0, n == large, n == large, full) for n in range(large + 1)]
        for rows in (
            [bit, bit],
            [last, wall],
            [first, wall],
            [first, first, last],
            [wall, middle],
            [Row(1, 0, True, True, False, True, 1), last],
            [wall, first],
            [whole, Row(1, 0, True, True, True, False, 1)],
            group,
        ):
            await self._load(rows)
            await self.put(Opcode.COMMIT)
        await self._load([wall, whole], words=3)
        await self.put(Opcode.COMMIT)
        await self.put(Opcode.BEGIN, 1, 1)
        await self.put(Opcode.COMMIT)  # nothing loaded at all

    async def _conditions(self) -> None:
        """Clamps and given states that a run must refuse, then one that it takes."""
        rows = [
            Row(1, 0, False, False, False, True, 0b0111),
            Row(1, 0, True, True, False, False, 0b1111),
            Row(1, 0, True, False, True, True, 0b0011),
        ]
        await self._load(rows)
        await self.put(Opcode.COMMIT)
        await self.put(Opcode.WRITE, Register.STEPS, 1)
        await self.put(Opcode.RUN)
        await self.put(Opcode.WRITE, Register.STEPS, 0)
        for given in (0, RunFlags.GIVEN_STATE):
            await self.put(Opcode.WRITE, Register.FLAGS, given)
            for on, off in (
                ((1, 0, 0), (1, 0, 0)),
                ((0, 1, 1), (0, 0, 0)),
                ((0, 6, 0), (0, 0, 0)),
                ((0, 0, 0), (0, 15, 3)),
                ((0, 0, 2), (0, 0, 2)),
            ):
                await self._clamp(on, off)
                await self.put(Opcode.RUN)
        await self._clamp((0, 0, 0), (0, 0, 0))
        for state in ((8, 1, 0), (0, 0, 0), (0, 3, 0), (0, 1, 1), (0, 0, 3), (0, 0, 4)):
            await self.put(Opcode.STATE, 0, *state)
            await self.put(Opcode.RUN)
        await self.put(Opcode.STATE, 0, 5, 0, 2)
        for on, off in (
            ((2, 0, 0), (0, 0, 0)),
            ((0, 0, 0), (4, 0, 0)),
            ((0, 0, 0), (0, 0, 2)),
            ((0, 1, 0), (0, 0, 0)),
        ):
            await self._clamp(on, off)
            await self.put(Opcode.RUN)
        await self._clamp((1, 0, 2), (2, 15, 1))
        await self.put(Opcode.RUN)

    async def _load(self, rows: list[Row], words: int | None = None) -> None:
        """Rows with zero entries and biases; ``words`` announced if not the sum of the lengths."""
        p = self._parameters
        number = words if words is not None else sum(row.length for row in rows)
        await self.put(Opcode.BEGIN, len(rows), number)
        for at, row in enumerate(rows):
            await self.put(Opcode.ROWS, at, *row.encode())
            await self.put(Opcode.BIASES, at, *(0,) * p.lanes)
        for at in range(number):
            await self.put(Opcode.ENTRIES, at, *(0,) * p.lanes)

    async def _clamp(self, on: tuple[int, ...], off: tuple[int, ...]) -> None:
        pairs = [mask for pair in zip(on, off, strict=True) for mask in pair]
        await self.put(Opcode.CLAMPS, 0, *pairs)

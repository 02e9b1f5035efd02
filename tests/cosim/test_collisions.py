"""No one uses what a memory gives of a word being written: where it is wrong, all is right.

Bitstreams are synthesized on this promise. One device with all three engines behind its serial line
runs random programs on memories that turn every bit of such a word.
"""

from collections.abc import Iterator
from random import Random

import pytest
from amaranth.hdl import Fragment, Module
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.packets import ENGINE_FIELD, Opcode, Packet, header
from gibbsite_models.golden.device import GoldenStream
from gibbsite_models.golden.link_host import HostEnd, Timing
from gibbsite_sim.collisions import CollidingMemories, collision_library
from gibbsite_sim.cosim.build import LANGEVIN_SMALL, LATTICE_SMALL, SMALL
from gibbsite_sim.cosim.langevin_cases import langevin_loading, random_langevin
from gibbsite_sim.cosim.lattice_cases import lattice_program, lattice_settings
from gibbsite_sim.cosim.programs import loading, random_case
from gibbsite_sim.pins import DIVISOR, Pins

pytestmark = pytest.mark.sim

PARAMETERS = DeviceParameters(SMALL, LANGEVIN_SMALL, LATTICE_SMALL)
SLICE = 10 * DIVISOR
PATIENCE = 40_000_000
"""Cycles without a packet after which the device hangs."""
RUN, WRITE = int(Opcode.RUN), int(Opcode.WRITE)


class Line:
    """The device on its two pins, at the other end of a framed link."""

    def __init__(self) -> None:
        self.pins = Pins(collision_library(PARAMETERS))
        self.host = HostEnd(1, Timing.of(1_000_000))

    def now(self) -> float:
        return self.pins.cycles / (DIVISOR * 1e6)

    def send(self, words: list[int]) -> None:
        self.host.send(words)

    def receive(self) -> list[int]:
        end = self.pins.cycles + PATIENCE
        while not self.host.packets:
            self.pins.send(self.host.output(self.now()))
            self.pins.advance(SLICE)
            self.host.feed(self.pins.take(), self.now())
            assert self.host.failure is None
            assert self.pins.cycles < end
        return self.host.packets.popleft()


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    opened = Line()
    yield opened
    opened.pins.destroy()


def agree(line: Line, golden: GoldenStream, commands: list[tuple[int, tuple[int, ...]]]) -> int:
    """Every answer of these commands, and every packet of a run; how many there were."""
    packets = 0
    for tag, (opcode, payload) in enumerate(commands):
        words = [header(opcode, tag & 255, len(payload)), *payload]
        golden.send(words)
        line.send(words)
        assert line.receive() == golden.receive(), hex(opcode)
        while golden.pending:
            assert line.receive() == golden.receive(), "a run"
            packets += 1
    return packets


def engine_bits(packets: list[Packet]) -> int:
    return packets[0].opcode & ENGINE_FIELD


def graph(dice: Random) -> list[tuple[int, tuple[int, ...]]]:
    case = random_case(SMALL, dice)
    return _run(loading(SMALL, case, dice), case.settings)


def langevin(dice: Random) -> list[tuple[int, tuple[int, ...]]]:
    case = random_langevin(LANGEVIN_SMALL, dice)
    return _run(langevin_loading(LANGEVIN_SMALL, case, dice), case.settings)


def lattice(dice: Random) -> list[tuple[int, tuple[int, ...]]]:
    columns, steps = 2 * dice.randint(1, 6), dice.randint(0, 4)
    commands = [
        *lattice_program(LATTICE_SMALL, dice, columns, steps),
        *lattice_settings(LATTICE_SMALL, dice, steps),
    ]
    return [*((code, tuple(payload)) for code, payload in commands), (0x20 | RUN, ())]


def _run(packets: list[Packet], settings: dict) -> list[tuple[int, tuple[int, ...]]]:
    engine = engine_bits(packets)
    return [
        *((packet.opcode, tuple(packet.payload)) for packet in packets),
        *((engine | WRITE, (register, value)) for register, value in settings.items()),
        (engine | RUN, ()),
    ]


@pytest.mark.parametrize("program", [graph, lattice, langevin])
def test_no_engine_uses_a_word_that_is_being_written(line: Line, program) -> None:
    golden = GoldenStream(PARAMETERS)
    packets = sum(agree(line, golden, program(Random(seed))) for seed in range(6))
    assert packets > 12  # draws and ends of six runs


@pytest.mark.parametrize("domain", ["comb", "sync"])
def test_such_a_word_is_wrong(domain: str) -> None:
    m = Module()
    m.submodules.memory = memory = Memory(shape=8, depth=4, init=[1, 2, 3, 4])
    write, read = memory.write_port(), memory.read_port(domain=domain)
    seen = []

    async def drive(ctx) -> None:
        for address, enable in ((2, 0), (2, 1), (1, 1)):
            ctx.set(read.addr, 2)
            ctx.set(write.addr, address)
            ctx.set(write.data, 9)
            ctx.set(write.en, enable)
            if domain == "comb":
                seen.append(ctx.get(read.data))
            await ctx.tick()
            if domain == "sync":
                seen.append(ctx.get(read.data))

    simulator = Simulator(Fragment.get(m, CollidingMemories()))
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert seen == [3, 3 ^ 255, 9]

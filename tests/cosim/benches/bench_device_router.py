"""`PacketRouter`: whole packets to the engine they name, whole packets back, none mixed."""

import os
from random import Random

import cocotb

from gibbsite_hw.spec.packets import ENGINE_FIELD, Engine, Opcode, Packet, Response
from gibbsite_sim.cosim.clocked import Clocked
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import (
    STALLS,
    PacketSeen,
    Stalls,
    StreamMonitor,
    StreamSink,
    StreamSource,
)

PACKETS = 300
FAIR = 2
"""Packets of one engine that may pass while one of the other waits: that on its way, and one."""


ENGINES = (Engine.GRAPH, Engine.LANGEVIN)


def _engine(words: list[int]) -> int:
    """The port of a packet."""
    return ENGINES.index(Engine((words[0] >> 24 & ENGINE_FIELD) >> 5))


def _words(rng: Random, engine: int) -> list[int]:
    """A packet of an engine; the engine named by its payload words is noise."""
    kind = rng.choice([*Opcode, *Response]) | ENGINES[engine].code
    size = rng.choice([0, 1, 2, rng.randint(3, 20)])
    payload = tuple(rng.getrandbits(32) for _ in range(size))
    return Packet(kind, rng.getrandbits(8), payload).words()


class Merged:
    """Whole packets in, by engine; each that comes out is the oldest of its own engine."""

    def __init__(self) -> None:
        self.boards: tuple[Scoreboard[list[int]], ...] = (Scoreboard("first"), Scoreboard("second"))
        self.waiting = [0, 0]
        self.longest = 0

    def sent(self, engine: int, words: list[int]) -> None:
        self.boards[engine].expect(words)

    def seen(self, packet: PacketSeen) -> None:
        engine = _engine(packet.words)
        self.boards[engine].saw(packet.words)
        self.waiting[engine] = 0
        self.waiting[not engine] += self.boards[not engine].open > 0
        self.longest = max(self.longest, *self.waiting)


@cocotb.test()
async def packets(dut: object) -> None:
    """Commands to both engines, then answers of both at once, each at its own pace."""
    pattern = os.environ["GIBBSITE_STALLS"]
    rng = Random(5)
    clocked = Clocked(dut)
    commands = (Scoreboard[list[int]]("commands 0"), Scoreboard[list[int]]("commands 1"))
    merged = Merged()

    def routed(packet: PacketSeen) -> None:
        commands[_engine(packet.words)].expect(packet.words)

    monitors = [StreamMonitor(clocked, "command", routed)]
    for engine in range(2):
        monitors += [
            StreamMonitor(
                clocked, f"commands__{engine}", lambda seen, e=engine: commands[e].saw(seen.words)
            ),
            StreamMonitor(clocked, f"responses__{engine}"),
        ]
        StreamSink(clocked, f"commands__{engine}", Stalls(*STALLS[pattern], seed=11 + engine))
    monitors.append(StreamMonitor(clocked, "response", merged.seen))
    StreamSink(clocked, "response", Stalls(*STALLS[pattern], seed=13))
    source = StreamSource(clocked, "command", Stalls(*STALLS[pattern], seed=14))
    engines = [
        StreamSource(clocked, f"responses__{engine}", Stalls(*STALLS[pattern], seed=15 + engine))
        for engine in range(2)
    ]
    await clocked.start()
    for _ in range(PACKETS):
        source.send(_words(rng, rng.randrange(2)))
    for _ in range(PACKETS):
        engine = rng.randrange(2)
        words = _words(rng, engine)
        merged.sent(engine, words)
        engines[engine].send(words)
        if rng.random() < 0.2:  # at times neither has anything, or one alone
            await clocked.wait(rng.randrange(60))
    await clocked.until(
        lambda: source.idle and all(one.idle for one in engines), 60_000, "end of the packets"
    )
    await clocked.wait(2)
    for board in (*commands, *merged.boards):
        board.finish(PACKETS // 3)
    assert sum(board.matched for board in commands) == PACKETS
    assert merged.longest <= FAIR if pattern == "none" else merged.longest > 0
    stalled = sum(monitor.stalled for monitor in monitors)
    assert stalled > 0
    assert (sum(monitor.idle for monitor in monitors) > 0) == (pattern != "none")

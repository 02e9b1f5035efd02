"""`DeviceResponder`: answers, draws and the end of a run, each whole and in order."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.packets import Packet, Response
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import (
    STALLS,
    PacketSeen,
    Stalls,
    StreamMonitor,
    StreamSink,
    StreamSource,
)

ROUNDS = 60


class Answers:
    """Asks for answers and ends; models both from the ports when they are asked for."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.random = Random(12)
        self.answers: Scoreboard[list[int]] = Scoreboard("answers")
        self.draws: Scoreboard[list[int]] = Scoreboard("draws")
        self.ends: Scoreboard[list[int]] = Scoreboard("ends")
        self.pending = self.ending = self.start = self.finish = False
        self.identity = [getattr(self.dut, f"identity__{n}") for n in range(8)]
        self.counters = [getattr(self.dut, f"counters__{n}") for n in range(12)]
        self.words = [getattr(self.dut, f"words__{n}") for n in range(2)]
        for port in self.identity:
            port.value = self.random.getrandbits(32)
        for port in (*self.counters, *self.words):
            port.value = 0
        for name in (
            "start",
            "identify",
            "kind",
            "tag",
            "length",
            "finished",
            "aborted",
            "run_tag",
        ):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        if read(dut.start):
            if read(dut.identify):
                kind, payload = Response.INFO, [read(port) for port in self.identity]
            else:
                kind = read(dut.kind)
                payload = [read(port) for port in self.words][: read(dut.length)]
            self.answers.expect(Packet(kind, read(dut.tag), tuple(payload)).words())
        if read(dut.finished):
            kind = Response.ABORTED if read(dut.aborted) else Response.DONE
            counters = tuple(read(port) for port in self.counters)
            self.ends.expect(Packet(kind, read(dut.run_tag), counters).words())
        if read(dut.answered):
            assert self.pending
            self.pending = False
        if read(dut.run_answered):
            assert self.ending
            self.ending = False

    def seen(self, packet: PacketSeen) -> None:
        kind = packet.words[0] >> 24
        if kind == Response.DRAW:
            self.draws.saw(packet.words)
        elif kind in (Response.DONE, Response.ABORTED):
            assert not self.draws.open, "the end of a run came before its draws"
            self.ends.saw(packet.words)
        else:
            self.answers.saw(packet.words)

    def drive(self) -> None:
        """Settings change only while no answer is open, as the shell holds them."""
        dut, rng = self.dut, self.random
        dut.start.value, dut.finished.value = int(self.start), int(self.finish)
        if self.start:
            dut.identify.value = int(rng.random() < 0.3)
            kind = rng.choice([Response.OK, Response.ERROR, Response.INFO])
            dut.kind.value, dut.tag.value = kind, rng.getrandbits(8)
            dut.length.value = {Response.OK: 0, Response.ERROR: 2, Response.INFO: 1}[kind]
            for port in self.words:
                port.value = rng.getrandbits(32)
        if self.finish:
            dut.aborted.value, dut.run_tag.value = rng.randrange(2), rng.getrandbits(8)
            for port in self.counters:
                port.value = rng.getrandbits(32)
        self.start = self.finish = False


@cocotb.test()
async def responses(dut: object) -> None:
    """Runs of draws with answers thrown in at any time."""
    pattern = os.environ["GIBBSITE_STALLS"]
    rng = Random(77)
    clocked = Clocked(dut)
    answers = Answers(clocked)
    monitor = StreamMonitor(clocked, "response", answers.seen)
    incoming = StreamMonitor(clocked, "draws", lambda seen: answers.draws.expect(seen.words))
    # a draw's model is fed when its last word goes through, in the same cycle as it comes out
    clocked.agents.remove(incoming)
    clocked.agents.insert(0, incoming)
    source = StreamSource(clocked, "draws", Stalls(*STALLS[pattern], seed=3))
    StreamSink(clocked, "response", Stalls(*STALLS[pattern], seed=4))
    await clocked.start()
    asked = 0
    for number in range(ROUNDS):
        draws = rng.randrange(4)
        for _ in range(draws):
            payload = tuple(rng.getrandbits(32) for _ in range(rng.randint(4, 30)))
            source.send(Packet(Response.DRAW, number & 0xFF, payload).words())
        for _ in range(rng.randrange(5)):
            await clocked.wait(rng.randrange(20))
            await clocked.until(lambda: not answers.pending, 3000, "answer")
            answers.start = answers.pending = True
            asked += 1
        await clocked.until(lambda: source.idle, 5000, "draws gone")
        await clocked.until(lambda: not answers.pending, 3000, "answer")
        answers.finish = answers.ending = True
        if rng.random() < 0.5:
            answers.start = answers.pending = True
            asked += 1
        await clocked.until(lambda: not answers.ending and not answers.pending, 3000, "end")
    answers.ends.finish(ROUNDS)
    answers.answers.finish(asked)
    answers.draws.finish(ROUNDS // 2)
    assert (monitor.stalled > 0) == (pattern != "none")

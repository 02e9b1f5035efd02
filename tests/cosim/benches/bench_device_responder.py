"""The responder of a device: answers, draws and the end of a run, each whole and in order."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.device_books import FIRST_COUNTER
from gibbsite_hw.spec.packets import Engine, Packet, Response
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

ROUNDS = 70
COUNTERS, CODE = 12, Engine.LATTICE.code
"""As `gibbsite_sim.cosim.build` makes it."""
WORD, WORDS = 0xFFFF_FFFF, 64
CHOSEN = 2
"""Cycles from the one in which an answer is asked for to the first in which nothing else begins."""


class Responder:
    """Asks for answers and ends, plays the books; models both from the ports.

    A word of the books stands from ``fetched`` for as long as it is ``held``; there is garbage
    otherwise.
    """

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.clocked = clocked
        self.rng = Random(12)
        self.answers: Scoreboard[list[int]] = Scoreboard("answers")
        self.draws: Scoreboard[list[int]] = Scoreboard("draws")
        self.ends: Scoreboard[list[int]] = Scoreboard("ends")
        self.books = [self.rng.getrandbits(32) for _ in range(WORDS)]
        self.answering = self.ending = self.start = self.finish = False
        self.asked = self.began = 0
        self.inside = self.last_offer = False
        self.fetching: int | None = None
        self.standing = False
        self.place = 0
        self.orders: set[tuple[str, str]] = set()
        self.last_kind = ""
        for name in ("start", "kind", "tag", "length", "given", "first", "error", "detail"):
            getattr(self.dut, name).value = 0
        for name in ("finished", "aborted", "run_tag", "fetched", "word"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def packet(self, kind: int, tag: int, payload: list[int]) -> list[int]:
        """The words of a packet with the engine's code."""
        return [(kind | CODE) << 24 | tag << 16 | len(payload), *payload]

    def sample(self) -> None:
        dut, now = self.dut, self.clocked.cycle
        if read(dut.start):
            length, first = read(dut.length), read(dut.first)
            payload = self.books[first : first + length]
            if read(dut.given):
                payload = [read(dut.error), read(dut.detail)][2 - length :] if length else []
            self.answers.expect(self.packet(read(dut.kind), read(dut.tag), payload))
            self.asked = now
        if read(dut.finished):
            kind = Response.ABORTED if read(dut.aborted) else Response.DONE
            counters = self.books[FIRST_COUNTER : FIRST_COUNTER + COUNTERS]
            self.ends.expect(self.packet(kind, read(dut.run_tag), counters))
        self.begins()
        taken = read(dut.response__valid) and read(dut.response__ready)
        ended = taken and read(dut.response__payload) >> 32
        for name in ("answered", "run_answered"):
            if read(getattr(dut, name)):
                assert ended, f"{name} without the last word of a packet"
        if read(dut.answered):
            assert self.answering, "an answer that nobody asked for"
            assert not read(dut.run_answered)
            self.answering = False
        if read(dut.run_answered):
            assert self.ending, "an end that nobody asked for"
            self.ending = False
        self.inside = (self.inside or bool(read(dut.response__valid))) and not ended
        self.play(bool(taken))

    def begins(self) -> None:
        """What begins in this cycle may begin: answers go first, then draws."""
        dut, now = self.dut, self.clocked.cycle
        if self.inside or not read(dut.response__valid):
            self.last_offer = bool(read(dut.draws__valid))
            return
        kind = read(dut.response__payload) >> 24 & 0xFF
        name = {
            Response.DRAW | CODE: "draw",
            Response.DONE | CODE: "end",
            Response.ABORTED | CODE: "end",
        }.get(kind, "answer")
        if name != "answer":
            waits = self.answering and not self.start and now - self.asked >= CHOSEN
            assert not waits, f"an answer waits for the {name}"
        assert name != "end" or not self.last_offer, "the end of a run goes before a draw"
        if self.last_kind:
            self.orders.add((self.last_kind, name))
        self.last_kind = name
        self.last_offer = bool(read(dut.draws__valid))

    def play(self, taken: bool) -> None:
        """The books: a word some cycles after it was asked for."""
        dut = self.dut
        if self.standing and (taken or not (read(dut.held) or read(dut.fetched))):
            self.standing = False
        if read(dut.fetched):
            self.standing, self.fetching = True, None
        elif read(dut.fetch):
            place = read(dut.source)
            assert self.fetching is None or place == self.place, "another word while one is fetched"
            if self.fetching is None:
                self.fetching = self.rng.choice([0, 1, 7, 20])
            self.place = place
        else:
            assert self.fetching is None, "a fetch was given up"

    def seen(self, packet: PacketSeen) -> None:
        kind = packet.words[0] >> 24 & ~CODE
        if kind == Response.DRAW:
            self.draws.saw(packet.words)
        elif kind in (Response.DONE, Response.ABORTED):
            self.ends.saw(packet.words)
        else:
            self.answers.saw(packet.words)

    def drive(self) -> None:
        """Settings change only while no answer is open, as the shell holds them."""
        dut, rng = self.dut, self.rng
        dut.start.value, dut.finished.value = int(self.start), int(self.finish)
        if self.start:
            kind = rng.choice([Response.OK, Response.ERROR, Response.INFO])
            given = kind == Response.ERROR or (kind == Response.INFO and rng.random() < 0.3)
            length = {Response.OK: 0, Response.ERROR: 2, Response.INFO: 1}[kind]
            if kind == Response.INFO and not given:
                length = rng.choice([1, 1, 8, 15])
            dut.kind.value, dut.tag.value = kind, rng.getrandbits(8)
            dut.length.value, dut.given.value = length, int(given)
            dut.first.value = rng.choice([0, WORDS - max(1, length), rng.randrange(WORDS - length)])
            dut.error.value, dut.detail.value = rng.getrandbits(8), rng.getrandbits(32)
        if self.finish:
            dut.aborted.value, dut.run_tag.value = rng.randrange(2), rng.getrandbits(8)
        elif not self.ending:
            dut.aborted.value = rng.randrange(2)
        self.start = self.finish = False
        fetched = self.fetching == 0
        if self.fetching:
            self.fetching -= 1
        stands = fetched or self.standing
        dut.fetched.value = int(fetched)
        dut.word.value = self.books[self.place] if stands else rng.getrandbits(32)


@cocotb.test()
async def responses(dut: object) -> None:
    """Runs of draws, their ends asked for before or behind the last draw, answers at any time."""
    pattern = os.environ["GIBBSITE_STALLS"]
    rng = Random(77)
    clocked = Clocked(dut)
    responder = Responder(clocked)
    monitor = StreamMonitor(clocked, "response", responder.seen)
    incoming = StreamMonitor(clocked, "draws", lambda seen: responder.draws.expect(seen.words))
    # a draw's model is fed when its last word goes through, in the same cycle as it comes out
    clocked.agents.remove(incoming)
    clocked.agents.insert(0, incoming)
    source = StreamSource(clocked, "draws", Stalls(*STALLS[pattern], seed=3))
    StreamSink(clocked, "response", Stalls(*STALLS[pattern], seed=4))
    await clocked.start()
    asked = drawn = 0
    for number in range(ROUNDS):
        draws = rng.randrange(4)
        for _ in range(draws):
            payload = tuple(rng.getrandbits(32) for _ in range(rng.choice([4, 4, 30])))
            source.send(Packet(Response.DRAW | CODE, number & 0xFF, payload).words())
        drawn += draws
        end = rng.randrange(5)
        for turn in range(5):
            await clocked.wait(rng.choice([0, 0, 1, 2, rng.randrange(40)]))
            if turn == end:
                responder.finish = responder.ending = True
            if rng.random() < 0.6 and not responder.answering:
                responder.start = responder.answering = True
                asked += 1
        await clocked.until(
            lambda: source.idle and not responder.answering and not responder.ending, 5000, "end"
        )
    responder.ends.finish(ROUNDS)
    responder.answers.finish(asked)
    responder.draws.finish(drawn)
    kinds = ("answer", "draw", "end")
    assert {(one, two) for one in kinds for two in kinds} - responder.orders <= {("end", "end")}
    assert (monitor.stalled > 0) == (pattern != "none")

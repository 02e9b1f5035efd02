"""`GraphReadout`: every DRAW packet word for word, and its length in cycles."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.packets import Packet, Response
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, PacketSeen, Stalls, StreamMonitor, StreamSink

DRAWS = 60
WORD = 0xFFFF_FFFF


class Readout:
    """Plays the two memories and the settings; models each draw from what the ports carry."""

    def __init__(self, clocked: Clocked, rows: int, lanes: int) -> None:
        self.dut: Any = clocked.dut
        self.clocked, self.lanes = clocked, lanes
        self.random = Random(3)
        self.spins = [0] * rows
        self.best = [0] * rows
        self.start = False
        self.began = 0
        self.finished = 0
        self.address = 0
        self.chain = self.draw = self.asked = self.waits = 0
        self.board: Scoreboard[list[int]] = Scoreboard("draws")
        for name in ("start", "tag", "samples", "with_best", "current", "rows", "word", "fetched"):
            getattr(self.dut, name).value = 0
        for name in ("energy", "best_energy", "spins", "best"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        self.address = read(self.dut.address)
        if read(self.dut.start):
            self.began = self.clocked.cycle
            self.board.expect(self.model())
        self.finished += read(self.dut.done)
        self.asked = read(self.dut.fetch)
        self.waits += self.asked

    def signed(self, port: Any) -> int:
        value, width = read(port), len(port)
        return value - (value >> width - 1 << width)

    def model(self) -> list[int]:
        dut = self.dut
        rows = read(dut.rows)
        energy, best_energy = self.signed(dut.energy), self.signed(dut.best_energy)
        payload = [self.chain, self.draw, energy & WORD, energy >> 32 & WORD]
        if read(dut.samples):
            payload += self.spins[:rows]
        if read(dut.with_best):
            payload += [best_energy & WORD, best_energy >> 32 & WORD]
            payload += (self.spins if read(dut.current) else self.best)[:rows]
        return Packet(Response.DRAW, read(dut.tag), tuple(payload)).words()

    def prepare(self, number: int) -> None:
        """New memories and settings; the start comes with the next cycle."""
        rng, dut = self.random, self.dut
        most = len(self.spins)
        self.spins = [rng.getrandbits(self.lanes) for _ in range(most)]
        self.best = [rng.getrandbits(self.lanes) for _ in range(most)]
        dut.rows.value = most if number % 10 == 0 else rng.choice([1, 2, rng.randint(1, most)])
        for port in (dut.energy, dut.best_energy):
            width = len(port)
            most_energy = (1 << width - 1) - 1
            low = rng.choice([most_energy, 1000, 1])
            port.value = rng.randint(-low, low) & (1 << width) - 1
        dut.tag.value = rng.getrandbits(8)
        self.chain, self.draw = rng.getrandbits(32), rng.getrandbits(32)
        dut.samples.value, dut.with_best.value = number & 1, number >> 1 & 1
        dut.current.value = number >> 2 & 1
        self.start = True

    def drive(self) -> None:
        self.dut.start.value = int(self.start)
        self.start = False
        # the books answer some cycles later, whatever stood in their word before
        fetched = bool(self.asked) and not read(self.dut.fetched) and self.random.random() < 0.3
        self.dut.fetched.value = int(fetched)
        if fetched:
            self.dut.word.value = self.draw if read(self.dut.fetch_draw) else self.chain
        if self.address < len(self.spins):
            self.dut.spins.value = self.spins[self.address]
            self.dut.best.value = self.best[self.address]


@cocotb.test()
async def draws(dut: object) -> None:
    """All combinations of samples, best and current, in one pattern of stalls."""
    pattern = os.environ["GIBBSITE_STALLS"]
    parameters = parameters_here()
    clocked = Clocked(dut)
    readout = Readout(clocked, parameters.rows, parameters.lanes)

    def seen(packet: PacketSeen) -> None:
        readout.board.saw(packet.words)
        if pattern == "none":
            took = packet.last - readout.began - readout.waits
            assert took == len(packet.words), "a word a cycle, but for what is fetched"
        readout.waits = 0

    monitor = StreamMonitor(clocked, "words", seen)
    StreamSink(clocked, "words", Stalls(*STALLS[pattern], seed=8))
    await clocked.start()
    for number in range(DRAWS):
        readout.prepare(number)
        await clocked.until(lambda n=number: readout.finished > n, 5000, "draw")
        await clocked.wait(readout.random.randrange(3))
    readout.board.finish(DRAWS)
    assert (monitor.stalled > 0) == (pattern != "none")

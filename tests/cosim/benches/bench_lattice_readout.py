"""`LatticeReadout`: every DRAW packet of the lattice engine, word for word."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.lattice_packets import LatticeResponse
from gibbsite_hw.spec.packets import Packet
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.lattice_ports import signed_port
from gibbsite_sim.cosim.run import lattice_parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, PacketSeen, Stalls, StreamMonitor, StreamSink

P = lattice_parameters_here()
DRAWS = 60
WORD = 0xFFFF_FFFF
BEHIND = 4
"""Cycles from a column on the port to its spins beside it: those of the engine's memories."""


class Readout:
    """Plays the spin memories; models each draw from what the ports carry at ``start``.

    A state is a row of bits for each column. The memory of a colour holds, in the lane of rows 2n
    and 2n + 1, the one of them whose row and column together are of that colour.
    """

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.rng = Random(3)
        self.states: list[list[int]] = [[0] * P.columns for _ in range(2)]
        self.asked: list[tuple[int, int]] = []
        self.start = self.inside = False
        self.finished = 0
        self.board: Scoreboard[list[int]] = Scoreboard("draws")
        for name in ("start", "tag", "samples", "with_best", "columns", "chain", "draw"):
            getattr(self.dut, name).value = 0
        for name in ("energy", "best_energy", "spins__0", "spins__1"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def sample(self) -> None:
        dut = self.dut
        self.asked.append((read(dut.column), read(dut.show_best)))
        if read(dut.start):
            self.board.expect(self.model())
            self.inside = True
        if read(dut.done):
            assert read(dut.words__valid)
            assert read(dut.words__ready)
            assert read(dut.words__payload) >> 32, "done before the last word"
            self.finished += 1
            self.inside = False
        assert self.inside or not read(dut.words__valid) or read(dut.done), "a word out of a draw"

    def model(self) -> list[int]:
        """The packet that is asked for."""
        dut = self.dut
        columns = read(dut.columns)
        energies = [signed_port(dut.energy), signed_port(dut.best_energy)]
        payload = [read(dut.chain), read(dut.draw)]
        for number, wanted in enumerate((read(dut.samples), read(dut.with_best))):
            if number == 0 or wanted:
                payload += [energies[number] & WORD, energies[number] >> 32 & WORD]
            for rows in self.states[number][:columns] if wanted else ():
                payload += [rows >> 32 * n & WORD for n in range(P.words)]
        return Packet(LatticeResponse.DRAW, read(dut.tag), tuple(payload)).words()

    def prepare(self, number: int) -> None:
        """New states and settings; the start comes with the next cycle."""
        rng, dut = self.rng, self.dut
        self.states = [[rng.getrandbits(P.rows) for _ in range(P.columns)] for _ in range(2)]
        columns = rng.choice([2, P.columns, 2 * rng.randint(1, P.columns // 2)])
        dut.columns.value = columns
        for port in (dut.energy, dut.best_energy):
            width = len(port)
            most = rng.choice([(1 << width - 1) - 1, 1000, 0])
            port.value = rng.randint(-most, most) & (1 << width) - 1
        dut.tag.value = rng.getrandbits(8)
        dut.chain.value, dut.draw.value = rng.getrandbits(32), rng.getrandbits(32)
        dut.samples.value, dut.with_best.value = number & 1, number >> 1 & 1

    def spins(self, colour: int, column: int, best: int) -> int:
        """A word of a colour's memory: a bit a lane."""
        rows = self.states[best][column]
        x = colour ^ column & 1
        return sum((rows >> 2 * n + x & 1) << n for n in range(P.lanes))

    def drive(self) -> None:
        dut = self.dut
        dut.start.value = int(self.start)
        self.start = False
        if len(self.asked) < BEHIND:
            return
        column, best = self.asked.pop(0)
        for colour in range(2):
            getattr(dut, f"spins__{colour}").value = (
                self.spins(colour, column, best) if column < P.columns else 0
            )


@cocotb.test()
async def draws(dut: object) -> None:
    """Draws of every kind and size, one at once behind the other or with pauses."""
    pattern = os.environ["GIBBSITE_STALLS"]
    clocked = Clocked(dut)
    readout = Readout(clocked)
    seen: list[PacketSeen] = []

    def came(packet: PacketSeen) -> None:
        seen.append(packet)
        readout.board.saw(packet.words)

    monitor = StreamMonitor(clocked, "words", came)
    StreamSink(clocked, "words", Stalls(*STALLS[pattern], seed=4))
    await clocked.start()
    for number in range(DRAWS):
        readout.prepare(number)
        await clocked.wait(2 + readout.rng.choice([0, 0, 7]))
        readout.start = True
        finished = readout.finished
        words = 2 * (P.columns * P.words + 8)
        await clocked.until(lambda at=finished: readout.finished > at, 20 * words, "draw")
    readout.board.finish(DRAWS)
    assert len({len(packet.words) for packet in seen}) > 8
    assert (monitor.stalled > 0) == (pattern != "none")

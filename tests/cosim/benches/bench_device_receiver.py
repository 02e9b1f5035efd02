"""`DeviceReceiver` against the golden device: every fault of framing, and every payload word."""

import os
from random import Random
from typing import Any

import cocotb

from gibbsite_hw.spec.packets import ErrorCode, Opcode, Packet, Response, header
from gibbsite_models.golden.device import GoldenStream
from gibbsite_sim.cosim.clocked import Clocked, read
from gibbsite_sim.cosim.run import parameters_here
from gibbsite_sim.cosim.scoreboard import Scoreboard
from gibbsite_sim.cosim.streams import STALLS, PacketSeen, Stalls, StreamMonitor, StreamSource

PARAMETERS = parameters_here()
MOST = PARAMETERS.payload_words
PACKETS = 300
FRAMING = {
    *(ErrorCode.TOO_LONG, ErrorCode.UNKNOWN_OPCODE, ErrorCode.TRUNCATED, ErrorCode.OVERSIZED),
}

Verdict = tuple[int, int, int, int, int]


class Receiver:
    """Looks at each packet that is held, reads its payload back, then releases it."""

    def __init__(self, clocked: Clocked) -> None:
        self.dut: Any = clocked.dut
        self.golden = GoldenStream(PARAMETERS)
        self.board: Scoreboard[tuple[Verdict, tuple[int, ...]]] = Scoreboard("packets")
        self.codes: dict[int, int] = {}
        self.address = 0
        self.words: list[int] = []
        self.pause = Random(7)
        self.release = False
        for name in ("release", "address"):
            getattr(self.dut, name).value = 0
        clocked.agents.append(self)

    def seen(self, packet: PacketSeen) -> None:
        """The model, fed by the monitor of the stream."""
        words = packet.words
        self.golden.send(words)
        answer = self.golden.receive()
        error = answer[1] if answer[0] >> 24 == Response.ERROR else 0
        fault = error if error in FRAMING else 0
        detail = answer[2] if fault else 0
        verdict = (words[0] >> 24, words[0] >> 16 & 0xFF, words[0] & 0xFFFF, fault, detail)
        self.board.expect((verdict, tuple(words[1:]) if not fault else ()))

    def sample(self) -> None:
        dut = self.dut
        if not read(dut.held) or read(dut.release):
            self.address, self.words = 0, []
            return
        fault = read(dut.error)
        size = 0 if fault else read(dut.length)
        if self.address >= 1 and len(self.words) < size:
            self.words.append(read(dut.word))
        self.address += 1
        if len(self.words) == size and not self.release:
            names = ("opcode", "tag", "length", "error")
            verdict = tuple(read(getattr(dut, name)) for name in names)
            detail = read(dut.detail) if fault else 0
            self.board.saw(((*verdict, detail), tuple(self.words)))
            self.codes[fault] = self.codes.get(fault, 0) + 1
            self.release = True

    def drive(self) -> None:
        self.dut.release.value = int(self.release)
        self.release = False
        self.dut.address.value = min(self.address, MOST - 1)


@cocotb.test()
async def packets(dut: object) -> None:
    """Packets of every length, framed right and wrong."""
    rng = Random(71)
    pattern = os.environ["GIBBSITE_STALLS"]
    clocked = Clocked(dut)
    receiver = Receiver(clocked)
    monitor = StreamMonitor(clocked, "command", receiver.seen)
    clocked.agents.reverse()  # the monitor hears of a packet before it is looked at
    source = StreamSource(clocked, "command", Stalls(*STALLS[pattern], seed=2))
    await clocked.start()
    for _ in range(PACKETS):
        opcode = rng.choice([*Opcode, rng.getrandbits(8)])
        size = rng.choice([0, 1, MOST, rng.randint(0, MOST)])
        payload = tuple(rng.getrandbits(32) for _ in range(size))
        words = Packet(opcode, rng.getrandbits(8), payload).words()
        kind = rng.randrange(5)
        if kind == 0:
            words = words[: rng.randint(1, len(words))]
        elif kind == 1:
            words += [rng.getrandbits(32)] * rng.randint(1, 4)
        elif kind == 2:
            words[0] = header(opcode, 1, rng.randint(MOST + 1, 0xFFFF))
        source.send(words)
    await clocked.until(
        lambda: source.idle and not receiver.board.open, 60_000, "end of the packets"
    )
    await clocked.wait(4)
    receiver.board.finish(PACKETS)
    assert set(receiver.codes) == {0, *FRAMING}, receiver.codes
    assert monitor.stalled > 0
    assert (monitor.idle > 0) == (pattern != "none")

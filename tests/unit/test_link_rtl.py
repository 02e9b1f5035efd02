"""`FramedLink` against its golden twin: what each frame, packet and stall makes both ends say.

Every step is let settle, so that both must agree to the byte and to the word. The planted fault is
a twin that takes a frame twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest
from amaranth.sim import Simulator

from gibbsite_hw.link import FramedLink
from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.frames import FRAME_WORDS, LAST, SEQUENCES, WINDOW, Frame, Kind
from gibbsite_hw.uart import UartReceiver, UartTransmitter, uart_divisor
from gibbsite_models.golden.link import DeviceEnd

QUIET = 40
"""Cycles without a byte after which the hardware has said all: more than it needs to start one
(encoding a word takes five cycles, and looking for its first word eight)."""

ENCODING = 6 * (FRAME_WORDS + 3)
"""Cycles of the longest frame from its choice to its first byte."""


@dataclass(frozen=True)
class Step:
    """Bytes from the line, then words that the shell takes, then a packet that it gives."""

    line: bytes = b""
    takes: int = 0
    gives: tuple[int, ...] = ()


def frames(rng: Random, session: int) -> Iterator[Step]:
    """A session with everything that a line and a host may do, in some order; one step a frame."""
    sent = acknowledged = 0
    yield Step(Frame(Kind.POLL, session).line())  # no session yet
    yield Step(Frame(Kind.RESET, 0).line())  # and this starts none
    yield Step(Frame(Kind.RESET, session).line())
    for _ in range(120):
        words = tuple(
            rng.choice([0, rng.getrandbits(32), rng.getrandbits(8) << 24])
            for _ in range(rng.choice([1, 2, 9, FRAME_WORDS]))
        )
        kind = Kind.DATA | rng.choice([0, LAST])
        frame = Frame(kind, session, sent % SEQUENCES, acknowledged % SEQUENCES, words)
        line = frame.line()
        what = rng.randrange(13)
        if what < 3:
            yield Step(line)
            sent += 1
        elif what == 3:  # an old one, or one too far ahead
            shift = rng.randrange(1, SEQUENCES)
            yield Step(replace(frame, sequence=(sent + shift) % SEQUENCES).line())
        elif what == 4:
            yield Step(replace(frame, session=session ^ 1 << rng.randrange(16)).line())
        elif what == 5:  # a flipped bit, or a byte that is lost or doubled
            at = rng.randrange(1, len(line) - 1)
            byte = line[at] ^ 1 << rng.randrange(8)
            middle = rng.choice([bytes([byte]), b"", line[at : at + 1] * 2])
            yield Step(line[:at] + middle + line[at + 1 :])
        elif what == 6:
            noise = bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, 300)))
            yield Step(noise + b"\0")
        elif what == 7:
            yield Step(replace(frame, words=(), kind=kind & ~LAST).line())  # no words at all
        elif what == 8:
            yield Step(replace(frame, words=(7,) * (FRAME_WORDS + 1)).line())  # one too many
        elif what == 9:
            yield Step(takes=rng.randrange(1, 4))
        elif what == 10:
            yield Step(gives=tuple(rng.getrandbits(32) for _ in range(rng.choice([1, 31, 32, 70]))))
        else:
            # any number: those outside what was sent must be ignored
            acknowledged = rng.randrange(SEQUENCES)
            of = rng.choice([Kind.ACK, Kind.POLL, Kind.RESEND, Kind.READY])
            yield Step(replace(frame, kind=of, words=(), acknowledge=acknowledged).line())
        if rng.random() < 0.3:
            yield Step(takes=1)
    yield Step(gives=tuple(range(31 * (WINDOW + 2))))  # more than the ring holds
    yield Step(Frame(Kind.RESET, session ^ 0x5555).line())  # in the middle of it
    yield Step(Frame(Kind.POLL, session).line())
    yield Step(Frame(Kind.DATA | LAST, session ^ 0x5555, 0, 0, (1, 2, 3)).line(), takes=1)


def golden(steps: list[Step], end: DeviceEnd) -> list[tuple[bytes, list[tuple[int, bool]]]]:
    """What the twin sends, and the words that it hands to the shell, step by step."""
    seen = []
    for step in steps:
        out, taken = b"", list[tuple[int, bool]]()
        end.feed(step.line)
        while line := end.transmit():
            out += line
        for _ in range(step.takes):
            part = end.take()
            if part is not None:
                words, last = part
                taken += [(word, last and at == len(words) - 1) for at, word in enumerate(words)]
                while line := end.transmit():
                    out += line
        if step.gives:
            end.give(list(step.gives))
        while line := end.transmit():
            out += line
        seen.append((out, taken))
    return seen


def hardware(steps: list[Step], rng: Random) -> list[tuple[bytes, list[tuple[int, bool]]]]:
    """The same of the RTL, its bytes held back at random on both sides of the line."""
    link = FramedLink()
    simulator = Simulator(link)
    simulator.add_clock(1e-6)
    seen: list[tuple[bytes, list[tuple[int, bool]]]] = []
    out, taken = bytearray(), list[tuple[int, bool]]()

    async def settle(ctx) -> None:
        quiet, said, most = 0, len(out), QUIET + ENCODING
        while quiet < most:
            await ctx.tick()
            quiet = quiet + 1 if len(out) == said else 0
            said = len(out)

    finished = False

    async def listen(ctx) -> None:
        while not finished:
            ctx.set(link.tx.ready, rng.random() < 0.8)
            _, _, valid, ready, byte = await ctx.tick().sample(
                link.tx.valid, link.tx.ready, link.tx.payload
            )
            if valid and ready:
                out.append(byte)

    async def give(ctx, words: tuple[int, ...]) -> None:
        for at, word in enumerate(words):
            ctx.set(link.response.payload, {"word": word, "last": at == len(words) - 1})
            ctx.set(link.response.valid, 1)
            await ctx.tick().until(link.response.ready | link.reset)
            if ctx.get(link.reset):
                waiting.clear()
                break
        ctx.set(link.response.valid, 0)

    waiting: list[tuple[int, ...]] = []

    async def shell(ctx) -> None:
        while not finished:
            if waiting:
                await give(ctx, waiting.pop(0))
            await ctx.tick()

    async def take(ctx) -> None:
        """All words of the next frame, if there is one: their slot is free then."""
        for _ in range(6):
            if ctx.get(link.command.valid):
                break
            await ctx.tick()
        else:
            return
        ctx.set(link.command.ready, 1)
        # words of one slot follow each other within two cycles
        idle = 0
        while idle < 3:
            _, _, valid, word, last = await ctx.tick().sample(
                link.command.valid, link.command.payload.word, link.command.payload.last
            )
            idle = 0 if valid else idle + 1
            if valid:
                taken.append((word, bool(last)))
        ctx.set(link.command.ready, 0)

    async def drive(ctx) -> None:
        for step in steps:
            for byte in step.line:
                ctx.set(link.rx.payload, byte)
                ctx.set(link.rx.valid, 1)
                await ctx.tick()
                ctx.set(link.rx.valid, 0)
                await ctx.tick().repeat(rng.randrange(2) + 1)
            await settle(ctx)
            for _ in range(step.takes):
                await take(ctx)
                await settle(ctx)
            if step.gives:
                waiting.append(step.gives)
                await settle(ctx)
            seen.append((bytes(out), list(taken)))
            out.clear()
            taken.clear()
        nonlocal finished
        finished = True

    simulator.add_testbench(drive)
    simulator.add_testbench(listen)
    simulator.add_testbench(shell)
    simulator.run()
    return seen


def compare(steps: list[Step], end: DeviceEnd, seed: int) -> None:
    """Both say the same at every step."""
    for number, (real, expected) in enumerate(
        zip(hardware(steps, Random(seed)), golden(steps, end), strict=True)
    ):
        assert real == expected, f"step {number}: {steps[number]}"


@pytest.mark.parametrize("seed", [1, 2])
def test_link(seed: int) -> None:
    """Good and bad frames of every kind, stalls of the shell, a new session in the middle."""
    rng = Random(seed)
    steps = list(frames(rng, rng.randrange(1, 1 << 16)))
    end = DeviceEnd()
    compare(steps, end, seed)
    assert end.resets == 2
    assert end.bad >= 5


class Forgetful(DeviceEnd):
    """A twin that takes a frame a second time."""

    def _act(self, frame: Frame) -> None:
        if frame.sequence == (self.expected - 1) % SEQUENCES and frame.plain == Kind.DATA:
            self.expected -= 1
        super()._act(frame)


def test_a_frame_taken_twice_is_seen() -> None:
    """The planted fault."""
    steps = [Step(Frame(Kind.RESET, 5).line())]
    twice = Frame(Kind.DATA | LAST, 5, 0, 0, (1, 2)).line()
    steps += [Step(twice), Step(twice), Step(takes=1), Step(takes=1)]
    compare(steps, DeviceEnd(), 3)
    with pytest.raises(AssertionError, match="step"):
        compare(steps, Forgetful(), 3)


@pytest.mark.parametrize("divisor", [4, 5, 16])
@pytest.mark.parametrize("drift", [-0.02, 0.0, 0.02])
def test_uart(divisor: int, drift: float) -> None:
    """A receiver takes what a transmitter sends on a clock that is 2 % off, and drops breaks."""
    sender, receiver = UartTransmitter(divisor), UartReceiver(divisor)
    sent = [0x00, 0xFF, 0x55, 0xA5, 0x01, 0x80] + [
        Random(divisor).randrange(256) for _ in range(20)
    ]
    bits: list[int] = []
    first = Simulator(sender)
    first.add_clock(1e-6)

    async def send(ctx) -> None:
        for byte in sent:
            ctx.set(sender.bytes.payload, byte)
            ctx.set(sender.bytes.valid, 1)
            while True:
                bits.append(ctx.get(sender.tx))
                _, _, ready = await ctx.tick().sample(sender.bytes.ready)
                if ready:
                    break
        ctx.set(sender.bytes.valid, 0)
        for _ in range(12 * divisor):
            bits.append(ctx.get(sender.tx))
            await ctx.tick()

    first.add_testbench(send)
    first.run()
    got: list[int] = []
    second = Simulator(receiver)
    second.add_clock(1e-6)

    async def receive(ctx) -> None:
        ctx.set(receiver.bytes.ready, 1)
        line = [1] * 9 + [0] * 15 * divisor + [1] * 20 * divisor  # a break first
        stretched = [bits[int(at * (1 + drift))] for at in range(int(len(bits) / (1 + drift)) - 1)]
        for level in line + stretched:
            ctx.set(receiver.rx, level)
            _, _, valid, byte = await ctx.tick().sample(
                receiver.bytes.valid, receiver.bytes.payload
            )
            if valid:
                got.append(byte)

    second.add_testbench(receive)
    second.run()
    assert got == sent


def test_rates_that_no_clock_makes_are_refused() -> None:
    """The sentence names what would do."""
    assert uart_divisor(12e6, 1_000_000) == 12
    assert uart_divisor(25e6, 1_000_000) == 25
    with pytest.raises(ProgramError, match="at most 3000000 baud"):
        uart_divisor(12e6, 4_000_000)
    with pytest.raises(ProgramError, match="choose 2400000 baud"):
        uart_divisor(12e6, 2_300_000)

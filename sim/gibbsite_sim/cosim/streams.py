"""Drivers and monitors of Amaranth's word streams, and generators of idle and stalled cycles."""

from collections import deque
from collections.abc import Callable
from random import Random

from gibbsite_sim.cosim.clocked import Clocked, read

__all__ = ["STALLS", "PacketSeen", "Stalls", "StreamMonitor", "StreamSink", "StreamSource"]

Transfer = Callable[[int, bool, int], None]
"""Called with (word, last, cycle) for each word that moved."""


class Stalls:
    """Decides cycle by cycle whether a side of a stream holds still.

    ``part``: chance of a still cycle; ``burst``: such cycles come in runs of up to so many.
    """

    def __init__(self, part: float = 0.0, burst: int = 1, seed: int = 0) -> None:
        self.part = part
        self.burst = burst
        self.held = 0
        self._left = 0
        self._random = Random(seed)

    def hold(self) -> bool:
        """Whether to hold still in the cycle that begins."""
        if self._left > 0:
            self._left -= 1
        elif self.part and self._random.random() < self.part:
            self._left = self._random.randrange(self.burst)
        else:
            return False
        self.held += 1
        return True


STALLS: dict[str, tuple[float, int]] = {"none": (0.0, 1), "short": (0.4, 2), "long": (0.05, 60)}
"""Patterns that every stream test is crossed with: (part, burst)."""


class StreamSource:
    """Drives ``valid`` and ``payload``; holds them until ``ready``, with idle cycles between."""

    def __init__(self, clocked: Clocked, name: str, stalls: Stalls) -> None:
        self._valid = getattr(clocked.dut, f"{name}__valid")
        self._ready = getattr(clocked.dut, f"{name}__ready")
        self._payload = getattr(clocked.dut, f"{name}__payload")
        self.stalls = stalls
        self.queue: deque[tuple[int, bool]] = deque()
        self._offered = False
        self._valid.value = 0
        self._payload.value = 0
        clocked.agents.append(self)

    @property
    def idle(self) -> bool:
        """Nothing is offered and nothing waits."""
        return not self.queue and not self._offered

    def send(self, words: list[int], lasts: list[bool] | None = None) -> None:
        """Queue a packet; ``lasts`` marks its ends if not the last word alone."""
        marks = lasts or [False] * (len(words) - 1) + [True]
        self.queue.extend(zip(words, marks, strict=True))

    def clear(self) -> None:
        """Forget everything, also what is offered."""
        self.queue.clear()
        self._offered = False
        self._valid.value = 0

    def sample(self) -> None:
        if self._offered and read(self._ready):
            self._offered = False

    def drive(self) -> None:
        if self._offered:
            return
        if self.queue and not self.stalls.hold():
            word, last = self.queue.popleft()
            self._payload.value = word | last << 32
            self._valid.value = 1
            self._offered = True
        else:
            self._valid.value = 0


class StreamSink:
    """Drives ``ready``; ``blocked`` holds it low for as long as it is set."""

    def __init__(self, clocked: Clocked, name: str, stalls: Stalls) -> None:
        self._ready = getattr(clocked.dut, f"{name}__ready")
        self.stalls = stalls
        self.blocked = False
        self._level: bool | None = None
        clocked.agents.append(self)

    def sample(self) -> None:
        """Nothing to see: the monitor takes the words."""

    def drive(self) -> None:
        level = not self.blocked and not self.stalls.hold()
        if level != self._level:
            self._ready.value = int(level)
            self._level = level


class PacketSeen:
    """One packet as it moved: its words, its cycles, and whether anything held it up."""

    __slots__ = ("first", "last", "stalled", "words")

    def __init__(self, words: list[int], first: int, last: int, stalled: bool) -> None:
        self.words = words
        self.first = first
        self.last = last
        self.stalled = stalled


class StreamMonitor:
    """Watches a stream: collects packets and holds the stream to its rule.

    A word that was offered must be offered unchanged until it is taken. ``on_packet`` hears of
    every packet in the cycle of its last word. While ``muted``, as in a reset, it sees nothing.
    Without ``gaps`` a packet whose words come slowly was not held up: only who takes them can.
    """

    def __init__(
        self,
        clocked: Clocked,
        name: str,
        on_packet: Callable[[PacketSeen], None] | None = None,
        gaps: bool = True,
    ) -> None:
        self._gaps = gaps
        dut = clocked.dut
        self._clocked = clocked
        self._name = name
        self._valid = getattr(dut, f"{name}__valid")
        self._ready = getattr(dut, f"{name}__ready")
        self._payload = getattr(dut, f"{name}__payload")
        self._on_packet = on_packet
        self.packets: list[PacketSeen] = []
        self.transfers = 0
        self.stalled = 0
        self.idle = 0
        self.muted = False
        self._words: list[int] = []
        self._first = 0
        self._held_up = False
        self._waiting: int | None = None
        clocked.agents.append(self)

    def forget(self) -> None:
        """Start anew, as after a reset."""
        self._words, self._held_up, self._waiting = [], False, None

    @property
    def inside(self) -> bool:
        """Whether a packet has begun and not ended."""
        return bool(self._words)

    def sample(self) -> None:
        if self.muted:
            self.forget()
            return
        if not read(self._valid):
            if self._waiting is not None:
                raise AssertionError(f"{self._name} took back a word that it had offered")
            if self._words:
                self.idle += 1
                self._held_up |= self._gaps
            return
        payload = read(self._payload)
        if self._waiting is not None and payload != self._waiting:
            raise AssertionError(
                f"{self._name} changed a word that it had offered: {self._waiting:x} to {payload:x}"
            )
        if not read(self._ready):
            self._waiting = payload
            self._held_up = True
            self.stalled += 1
            return
        self._waiting = None
        self.transfers += 1
        if not self._words:
            self._first = self._clocked.cycle
        self._words.append(payload & 0xFFFF_FFFF)
        if payload >> 32:
            seen = PacketSeen(self._words, self._first, self._clocked.cycle, self._held_up)
            self._words, self._held_up = [], False
            self.packets.append(seen)
            if self._on_packet is not None:
                self._on_packet(seen)

    def drive(self) -> None:
        """A monitor drives nothing."""

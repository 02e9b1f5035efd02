"""The device's end of the framed link, frame by frame and without a clock.

Every frame that is fed is acted on at once. What goes out is chosen when it is asked for, in the
order of the hardware: READY, STRANGER, words, ACK. The shell stands apart: it takes frames of words
with `DeviceEnd.take` and gives packets with `DeviceEnd.give`, as slowly as it likes.

Source: docs/framed-link.md.
Twin: ``gibbsite_hw.link.FramedLink``.
"""

from collections import deque
from typing import TypeAlias

from gibbsite_hw.spec.frames import (
    FRAME_WORDS,
    FROM_DEVICE,
    LAST,
    LINE_BYTES,
    LINK_INFO,
    SEQUENCES,
    WINDOW,
    Frame,
    Kind,
)

__all__ = ["DeviceEnd", "Splitter", "fragments"]

Part: TypeAlias = tuple[tuple[int, ...], bool]
"""Words of a packet, and whether they are its last."""


class Splitter:
    """Cuts the bytes of a line at its delimiters; ``bad`` counts what was no frame.

    What has grown beyond the longest frame is given up at once, so that noise costs no memory.
    """

    def __init__(self) -> None:
        self.bad = 0
        self._rest = bytearray()

    def frames(self, data: bytes) -> list[Frame]:
        """The good frames that end within these bytes, in their order."""
        found: list[Frame] = []
        *ended, rest = data.split(b"\0")
        for part in ended:
            encoded = bytes(self._rest + part)
            self._rest.clear()
            if not encoded:
                continue
            frame = Frame.parse(encoded)
            if frame is None:
                self.bad += 1
            else:
                found.append(frame)
        if len(self._rest) <= LINE_BYTES:
            self._rest += rest[: LINE_BYTES + 1]
        return found


def fragments(words: "list[int]") -> list[Part]:
    """A packet in parts of at most `FRAME_WORDS` words, each with whether it is the last."""
    starts = range(0, len(words), FRAME_WORDS)
    return [(tuple(words[at : at + FRAME_WORDS]), at + FRAME_WORDS >= len(words)) for at in starts]


class DeviceEnd:
    """A device's end. ``resets`` counts the sessions that were started: each resets the shell."""

    def __init__(self) -> None:
        self.session = 0
        self.resets = 0
        self.expected = 0
        """Number of the next frame from the host, counted without end."""
        self._splitter = Splitter()
        self._taken = self._first = self._following = 0
        self._taking: deque[Part] = deque()
        self._held: deque[Part] = deque()
        self._before: deque[Part] = deque()
        self._ready = self._stranger = self._answer = False

    @property
    def bad(self) -> int:
        """Runs of bytes between delimiters that were no frames."""
        return self._splitter.bad

    @property
    def room(self) -> bool:
        """Whether the ring takes what the shell gives next, without letting it wait."""
        return not self._before and len(self._held) < WINDOW

    def feed(self, data: bytes) -> None:
        """Bytes from the line."""
        for frame in self._splitter.frames(data):
            self._act(frame)

    def take(self) -> Part | None:
        """The shell takes the words of the next frame; whether a packet ends with them."""
        if not self._taking:
            return None
        self._taken += 1
        self._answer = True
        return self._taking.popleft()

    def give(self, words: "list[int]") -> None:
        """The shell gives a packet; what finds no slot waits before the ring."""
        self._before.extend(fragments(words))
        self._fill()

    def transmit(self) -> bytes:
        """The next frame's bytes on the line; none if there is nothing to say."""
        if self._ready:
            self._ready = False
            return self._frame(Kind.READY, (LINK_INFO,))
        if self._stranger:
            self._stranger = False
            return self._frame(Kind.STRANGER)
        place = self._following - self._first
        if place < len(self._held):
            words, last = self._held[place]
            self._answer = False
            line = self._frame(Kind.DATA | (LAST if last else 0), words)
            self._following += 1
            return line
        if self._answer:
            self._answer = False
            return self._frame(Kind.ACK)
        return b""

    def _act(self, frame: Frame) -> None:
        if frame.kind & ~(LAST | 7):
            return
        if frame.plain == Kind.RESET:
            if frame.session != 0:
                self.session = frame.session
                self.resets += 1
                self._forget()
                self._ready = True
            return
        if frame.session != self.session or self.session == 0:
            self._stranger = True
            return
        if frame.plain == Kind.DATA:
            self._acknowledged(frame)
            in_order = frame.sequence == self.expected % SEQUENCES
            if in_order and frame.words and self.expected - self._taken < WINDOW:
                self.expected += 1
                self._taking.append((frame.words, frame.last))
            else:
                self._answer = True
        elif frame.plain in (Kind.ACK, Kind.POLL, Kind.RESEND):
            self._acknowledged(frame, again=frame.plain == Kind.RESEND)
            self._answer = self._answer or frame.plain != Kind.ACK

    def _acknowledged(self, frame: Frame, again: bool = False) -> None:
        moved = (frame.acknowledge - self._first) % SEQUENCES
        if moved > len(self._held):
            return
        for _ in range(moved):
            self._held.popleft()
        self._first += moved
        if again or self._following < self._first:
            self._following = self._first
        self._fill()

    def _fill(self) -> None:
        while self._before and len(self._held) < WINDOW:
            self._held.append(self._before.popleft())

    def _forget(self) -> None:
        self.expected = 0
        self._taken = self._first = self._following = 0
        for queue in (self._taking, self._held, self._before):
            queue.clear()
        self._ready = self._stranger = self._answer = False

    def _frame(self, kind: int, words: tuple[int, ...] = ()) -> bytes:
        numbers = self._following, self._taken
        return Frame(kind | FROM_DEVICE, self.session, *numbers, words).line()

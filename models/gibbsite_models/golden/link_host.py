"""The host's end of the framed link: a state machine of bytes and seconds, without a port.

All waiting is done here. Whatever is not acknowledged is sent again after `Timing.repeat`; a gap is
asked for at once; as long as nothing comes the device is asked whether it still lives, and a device
that does not answer within `Timing.silence` makes the end fail with a `Failure`. Nothing else ends
a session, so that a run may last as long as it likes.

Source: docs/framed-link.md.
Twin: none in hardware; `gibbsite.uart` drives it on a port.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from gibbsite_hw.spec.frames import (
    FROM_DEVICE,
    LAST,
    LINE_BYTES,
    LINK_INFO,
    SEQUENCES,
    WINDOW,
    Frame,
    Kind,
)
from gibbsite_models.golden.link import Splitter, fragments

__all__ = ["Counts", "Failure", "HostEnd", "Timing"]


class Failure(Enum):
    """Why a session cannot go on."""

    NO_ANSWER = "no answer"
    """RESET was never answered."""
    ECHO = "echo"
    """RESET was never answered, and what was sent came back."""
    VERSION = "version"
    """The device speaks another version of the link."""
    STRANGER = "stranger"
    """The device knows the session no more: it was reset, or another host started one."""
    SILENCE = "silence"
    """The device answered before and does so no more."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds: how long until something is said again, asked again at most, and given up."""

    repeat: float
    idle: float
    silence: float

    @classmethod
    def of(cls, baud: int, delay: float = 0.025) -> "Timing":
        """For a line of this rate on which a byte takes ``delay`` more at most, both ways.

        A full window takes ``WINDOW * LINE_BYTES * 10 / baud``, and its acknowledgement may wait
        behind a full window of the other end. Adapters on USB hold bytes back for 16 ms.
        """
        repeat = delay + 2 * WINDOW * LINE_BYTES * 10 / baud
        return cls(repeat, max(0.25, repeat), max(2.0, 16 * repeat))


@dataclass(slots=True)
class Counts:
    """What happened on a line, as the host saw it."""

    frames_sent: int = 0
    frames_received: int = 0
    bad_frames: int = 0
    """Runs of bytes that were no frames, or frames that no device of this session sends."""
    repeated: int = 0
    """DATA frames that were sent again."""
    duplicates: int = 0
    """DATA frames that had come before."""
    gaps: int = 0
    """How often frames were missing and asked for again."""
    polls: int = 0


class HostEnd:
    """One session. ``session`` is its number, 1 to 65535, at random for each.

    `send` queues packets, `feed` takes what came from the line and `output` says what goes there;
    both want the time. ``packets`` holds what was received whole, ``failure`` why it is over.
    """

    def __init__(self, session: int, timing: Timing) -> None:
        if not 0 < session < 1 << 16:
            raise ValueError(f"a session is a number of 1..65535, not {session}: draw another")
        self.session = session
        self.opened = False
        self.failure: Failure | None = None
        self.info = 0
        """What the device said of itself in READY."""
        self.packets: deque[list[int]] = deque()
        self.counts = Counts()
        self._timing = timing
        self._splitter = Splitter()
        self._partial: list[int] = []
        self._queue: deque[tuple[tuple[int, ...], bool]] = deque()  # from the oldest not taken
        self._first = 0  # number of the queue's first frame, counted without end
        self._following = 0  # the next one to be sent
        self._ever = 0  # the first one that was never sent
        self._expected = 0
        self._owes_ack = self._wants_again = False
        self._asked_at = -1
        """The frame that was asked for again; asking once is enough until time passes."""
        self._echo = False
        self._next_try = 0.0
        self._wait = timing.repeat
        self._asked_since: float | None = None
        """When the first question since the last good frame was asked."""
        self._looked = 0.0
        self._answered = True
        """Whether a frame came since all was sent again. If none did, a question is enough: a line
        that is slower than was said must not fill up with what nobody has read yet."""

    @property
    def unacknowledged(self) -> int:
        """Frames that the device has not taken yet, those that were not sent included."""
        return len(self._queue)

    def send(self, words: "list[int]") -> None:
        """Queue one packet."""
        self._queue.extend(fragments(words))

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the line."""
        frames = self._splitter.frames(data)
        bad, self._splitter.bad = self._splitter.bad, 0
        if bad:
            # likely a frame that was hit: whether something is missing is asked early
            self.counts.bad_frames += bad
            self._next_try = min(self._next_try, now + self._timing.repeat / 4)
        for frame in frames:
            self._act(frame, now)

    def output(self, now: float) -> bytes:
        """What to send now; looks at the time, so call it every few milliseconds."""
        if self.failure is not None:
            return b""
        if self._asked_since is not None and now - self._looked > self._timing.idle:
            self._asked_since = now  # we slept, not the device: its answer may only now be read
        self._looked = now
        if self._asked_since is not None and now - self._asked_since > self._timing.silence:
            silent = Failure.ECHO if self._echo else Failure.NO_ANSWER
            self.failure = Failure.SILENCE if self.opened else silent
            return b""
        frames = list(self._due(now))
        self.counts.frames_sent += len(frames)
        return b"".join(frame.line() for frame in frames)

    # --- what comes -------------------------------------------------------------------------------

    def _act(self, frame: Frame, now: float) -> None:
        if not frame.kind & FROM_DEVICE:
            self._echo = True
            self.counts.bad_frames += 1
            return
        if not self.opened:
            if frame.plain == Kind.READY and frame.session == self.session and frame.words:
                self._ready(frame.words[0], now)
            return
        if frame.session != self.session:
            if frame.plain == Kind.STRANGER:
                self.failure = Failure.STRANGER
            else:
                self.counts.bad_frames += 1
            return
        self.counts.frames_received += 1
        self._asked_since = None
        self._answered = True
        if frame.plain in (Kind.DATA, Kind.ACK):
            self._acknowledged(frame.acknowledge, now)
            ahead = (frame.sequence - self._expected) % SEQUENCES
            if frame.plain == Kind.DATA:
                self._data(frame, ahead, now)
            elif 0 < ahead <= WINDOW:
                self._gap()

    def _ready(self, info: int, now: float) -> None:
        self.info = info
        self._asked_since = None
        if info != LINK_INFO:
            self.failure = Failure.VERSION
            return
        self.opened = True
        self._heard(now)

    def _data(self, frame: Frame, ahead: int, now: float) -> None:
        if ahead == 0:
            self._expected += 1
            self._owes_ack = True
            self._asked_at = -1
            self._partial.extend(frame.words)
            if frame.last:
                self.packets.append(self._partial)
                self._partial = []
            self._heard(now)
        elif ahead < WINDOW:
            self._gap()
        else:
            self.counts.duplicates += 1
            self._owes_ack = True

    def _gap(self) -> None:
        if self._asked_at != self._expected:
            self._asked_at = self._expected
            self._wants_again = True
            self.counts.gaps += 1

    def _acknowledged(self, number: int, now: float) -> None:
        moved = (number - self._first) % SEQUENCES
        if 0 < moved <= self._ever - self._first:
            for _ in range(moved):
                self._queue.popleft()
            self._first += moved
            self._following = max(self._following, self._first)
            self._heard(now)

    def _heard(self, now: float) -> None:
        """Something went forward: the next question may wait."""
        self._wait = self._timing.repeat
        self._next_try = now + self._wait

    # --- what goes --------------------------------------------------------------------------------

    def _due(self, now: float) -> Iterator[Frame]:
        late = now >= self._next_try
        if not self.opened:
            if late:
                self._question(now)
                yield Frame(Kind.RESET, self.session)
            return
        if late:
            self._asked_at = -1  # what was asked for may have been lost
            if self._following > self._first and self._answered:
                self._answered = False
                self.counts.repeated += self._following - self._first
                self._following = self._first
        spoke = False
        while self._following - self._first < min(WINDOW, len(self._queue)):
            words, last = self._queue[self._following - self._first]
            yield self._frame(Kind.DATA | (LAST if last else 0), self._following, words)
            if self._following == self._ever:
                self._ever += 1
                if not spoke and not late:
                    self._heard(now)
            self._following += 1
            spoke = True
        if self._wants_again:
            self._wants_again = False
            yield self._frame(Kind.RESEND, self._following)
        elif late:
            self.counts.polls += 1
            yield self._frame(Kind.POLL, self._following)
        elif self._owes_ack and not spoke:
            yield self._frame(Kind.ACK, self._following)
        self._owes_ack = False
        if late or spoke:
            self._question(now, late)

    def _question(self, now: float, late: bool = True) -> None:
        """Something was said that the device answers: from here its silence counts."""
        if self._asked_since is None:
            self._asked_since = now
        if late:
            self._next_try = now + self._wait
            self._wait = min(2 * self._wait, self._timing.idle)

    def _frame(self, kind: int, number: int, words: tuple[int, ...] = ()) -> Frame:
        return Frame(kind, self.session, number % SEQUENCES, self._expected % SEQUENCES, words)

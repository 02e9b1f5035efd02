"""The host's end of a word stream: commands with tags, checked answers, and runs that always end.

`Line` is the stream itself, which all engines of a device share; `Link` is what the driver of one
engine holds of it. Every command carries a tag, and its answer is checked before the next command
is sent. Whatever goes wrong (a refusal, Ctrl-C, an exception out of `progress`), the run is aborted
and its answers are read to the end, so the device works on.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Protocol, runtime_checkable

from gibbsite_hw.spec.device import Progress, WordStream
from gibbsite_hw.spec.errors import CommandRefused, DeviceError, FingerprintMismatch
from gibbsite_hw.spec.packets import ENGINE_FIELD, MAGIC, Engine, Opcode, Response, header
from gibbsite_hw.spec.parameters import SPEC_VERSION

__all__ = ["Line", "Link", "PackedStream", "Reader", "Refusal"]

AT_ONCE = 1 << 16
"""Packets that are taken from a stream at a time."""

PROGRESS_SECONDS = 0.1
"""Least time between two calls of `progress`."""

Refusal = Callable[[int, int, int], CommandRefused]
"""The exception for (opcode, error code, detail)."""


class Packed(Protocol):
    """Whole packets back to back, type code ``I``; a header word says how long its packet is."""

    @property
    def words(self) -> array[int]:
        """All of them."""
        ...


@runtime_checkable
class PackedStream(Protocol):
    """What a stream may offer besides `receive`, for runs of very many draws."""

    def receive_many(self, limit: int) -> Packed:
        """Wait for a packet; gives those that are at hand, at most ``limit`` of them."""
        ...


class Reader(Protocol):
    """Collects what one run sends back."""

    reads: int
    """Draws that the run was asked for."""
    ended: bool
    """Whether DONE or ABORTED came."""

    @property
    def done(self) -> int:
        """Draws that came so far."""
        ...

    def take(self, packet: list[int], tag: int) -> None:
        """One packet of the run."""
        ...

    def take_packed(self, words: array[int], tag: int) -> None:
        """Whole packets back to back."""
        ...


class Line:
    """A word stream with its tags, and the run on it that is not at its end."""

    def __init__(self, stream: WordStream) -> None:
        self.stream = stream
        self.words_sent = 0
        """Words that went into the device since it was opened."""
        self.words_received = 0
        """Words that came out of the device since it was opened."""
        self._tag = 0
        self._stale: set[int] = set()
        self._unfinished: tuple[int, int] | None = None

    def exchange(self, opcode: int, name: str, payload: Sequence[int], tag: int) -> list[int]:
        """Send one command and wait for its answer; gives back the whole packet."""
        self._stale.add(tag)
        self._send(header(opcode, tag, len(payload)), payload)
        while True:
            packet = self.receive()
            of = packet[0] >> 16 & 0xFF
            if of == tag:
                break
            # An answer to a command that was interrupted before it was answered.
            if of not in self._stale:
                raise DeviceError(
                    f"{self.stream.uri} answered tag {of} to {name} with tag {tag}: close it and "
                    "open it again"
                )
            self._stale.discard(of)
        self._stale.discard(tag)
        return packet

    def next_tag(self) -> int:
        """The tag of the next command."""
        self._tag = (self._tag + 1) & 0xFF
        return self._tag

    def receive(self) -> list[int]:
        """The next packet, of the length that its header says."""
        packet = self.stream.receive()
        self.words_received += len(packet)
        if not packet or len(packet) - 1 != packet[0] & 0xFFFF:
            raise DeviceError(
                f"{self.stream.uri} sent a packet of {len(packet)} words whose header "
                f"{[hex(word) for word in packet[:1]]} says another length: close it and open it "
                f"again"
            )
        return packet

    def begin(self, engine_code: int, tag: int) -> None:
        """A run of an engine is about to be started with this tag."""
        self._unfinished = engine_code, tag

    def end(self) -> None:
        """The run is at its end."""
        self._unfinished = None

    def settle(self) -> None:
        """End a run that is not at its end, and read its answers to the end.

        An interruption of this very loop leaves it to the next command to do it again.
        """
        if self._unfinished is None:
            return
        (engine_code, run_tag), tag = self._unfinished, self.next_tag()
        self._send(header(Opcode.ABORT | engine_code, tag, 0), [])
        answered = False
        ended = False
        # A run that never started, or ended before ABORT came, answers ABORT with WRONG_STATE.
        while not answered or not ended:
            packet = self.receive()
            kind, of = packet[0] >> 24 & ~ENGINE_FIELD, packet[0] >> 16 & 0xFF
            if of == tag:
                answered = True
                ended = ended or kind == Response.ERROR
            elif of == run_tag:
                ended = ended or kind in (Response.DONE, Response.ABORTED)
                if kind == Response.ERROR:
                    ended = True
        self._stale.discard(run_tag)
        self._unfinished = None

    def collect(self, reader: Reader, tag: int, progress: Progress | None) -> None:
        """Hand packets to the reader of a run until it has ended."""
        due = monotonic() + PROGRESS_SECONDS
        packed = self.stream.receive_many if isinstance(self.stream, PackedStream) else None
        while not reader.ended:
            if packed is None:
                reader.take(self.receive(), tag)
            else:
                words = packed(AT_ONCE).words
                self.words_received += len(words)
                reader.take_packed(words, tag)
            if progress is not None and (reader.ended or monotonic() >= due):
                progress(reader.done, reader.reads)
                due = monotonic() + PROGRESS_SECONDS

    def _send(self, first: int, payload: Sequence[int]) -> None:
        self.stream.send([first, *payload])
        self.words_sent += 1 + len(payload)


class Link:
    """One engine's part of a line. ``engine`` is its number, ``name`` its name.

    Opcodes are given with the engine code or without it. ``refusal`` makes the exception for an
    error code of this engine; ``payload_words`` is the longest payload that its shell takes.
    """

    def __init__(
        self, line: Line, engine: Engine, name: str, payload_words: int, refusal: Refusal
    ) -> None:
        self._line = line
        self._code = engine.code
        self._name = name
        self._payload_words = payload_words
        self._refusal = refusal

    @property
    def words_sent(self) -> int:
        """Words that went into the device since it was opened."""
        return self._line.words_sent

    @property
    def words_received(self) -> int:
        """Words that came out of the device since it was opened."""
        return self._line.words_received

    def identify(self, sizes: Mapping[str, int]) -> None:
        """Check that the engine is there and was built as the stream's parameters say.

        ``sizes``: names and expected values of the four last words of IDENTIFY's answer, to be
        told where they differ. Raises `FingerprintMismatch`, `DeviceError`.
        """
        uri, expected = self._line.stream.uri, self._line.stream.parameters.fingerprint()
        try:
            answer = self.command(Opcode.IDENTIFY)
        except CommandRefused as refused:
            raise FingerprintMismatch(
                f"{uri} has no {self._name} engine ({refused}) and this host expects fingerprint "
                f"{expected:016x} with one: open it with the engines that it was built with"
            ) from refused
        if len(answer) != 8 or answer[0] != MAGIC:
            raise DeviceError(
                f"{uri} does not answer as a Gibbsite device (magic {MAGIC:#x} "
                f"expected, {[hex(word) for word in answer[:1]]} found): check what is connected"
            )
        version, found = answer[1], answer[2] | answer[3] << 32
        if version != SPEC_VERSION or found != expected:
            there = ", ".join(f"{name} {at}" for name, at in zip(sizes, answer[4:], strict=True))
            here = ", ".join(f"{name} {size}" for name, size in sizes.items())
            raise FingerprintMismatch(
                f"{uri} has fingerprint {found:016x} (specification {version}, {there}) and this "
                f"host expects {expected:016x} (specification {SPEC_VERSION}, {here}): open it "
                "with the parameters that it was built with"
            )

    def command(self, opcode: int, payload: Sequence[int] = ()) -> list[int]:
        """Send one command; gives the payload of its answer. Raises `CommandRefused`."""
        return self._answered(opcode, payload, self._line.next_tag())

    def write(self, register: int, value: int) -> None:
        """Set one register."""
        self.command(Opcode.WRITE, [register, value])

    def send_records(self, opcode: int, words: list[int], record: int) -> None:
        """Records in packets as long as the device takes them, each with its first address."""
        assert len(words) % record == 0, "words are whole records"
        at_once = (self._payload_words - 1) // record
        for first in range(0, len(words) // record, at_once):
            part = words[first * record : (first + at_once) * record]
            self.command(opcode, [first, *part])

    def settle(self) -> None:
        """End a run that was interrupted, whichever engine's: to be called before any command."""
        self._line.settle()

    def run(self, reader: Reader, progress: Progress | None) -> None:
        """RUN, then all that comes back goes to the reader; ends the run if anything goes wrong."""
        tag = self._line.next_tag()
        self._line.begin(self._code, tag)
        try:
            self._answered(Opcode.RUN, (), tag)
            self._line.collect(reader, tag, progress)
            self._line.end()
        finally:
            self._line.settle()

    def _answered(self, opcode: int, payload: Sequence[int], tag: int) -> list[int]:
        plain = opcode & ~ENGINE_FIELD
        name = Opcode(plain).name if plain in set(Opcode) else f"command {opcode:#04x}"
        packet = self._line.exchange(plain | self._code, name, payload, tag)
        kind = packet[0] >> 24
        if kind & ~ENGINE_FIELD == Response.ERROR:
            code, detail = [*packet[1:], 0, 0][:2]
            raise self._refusal(plain | self._code, code, detail)
        asked = plain in (Opcode.IDENTIFY, Opcode.READ)
        expected = (Response.INFO if asked else Response.OK) | self._code
        if kind != expected:
            raise DeviceError(
                f"{self._line.stream.uri} answered {kind:#x} to {name} where {expected:#x} "
                "belongs: close it and open it again"
            )
        return packet[1:]

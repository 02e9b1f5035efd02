"""The word stream of a board on a serial line: the framed link over a port.

    stream = UartStream("/dev/ttyUSB0", baud=1_000_000)     # asks the device what it is
    stream.send(Packet(Opcode.IDENTIFY, 0, ()).words())
    stream.receive()

A thread of its own reads and writes the port, so that draws are taken and acknowledged while the
host computes, and so that Ctrl-C, which reaches the main thread alone, never tears a frame.

Source: docs/framed-link.md.
Twin: `gibbsite_models.golden.link_host.HostEnd`, which does all but the port.
"""

from __future__ import annotations

import secrets
import weakref
from array import array
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Condition, Thread
from time import monotonic
from typing import Self

from gibbsite.uart_awaited import Awaited
from gibbsite.uart_port import open_port
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.frames import LINK_VERSION
from gibbsite_hw.spec.packets import MAGIC, Opcode, Packet
from gibbsite_models.golden.link_host import Counts, Failure, HostEnd, Timing

__all__ = ["BAUD", "PackedWords", "UartStream"]

BAUD = 1_000_000
"""The rate of every board's bitstream that says nothing else."""

PATIENCE = 60.0
"""Seconds without an answer to a command, outside of runs, on a line that works: the longest checks
of the largest device take less than one."""

Lookup = Callable[[int], DeviceParameters]
"""The parameters of a build by its fingerprint. Raises `FingerprintMismatch`."""


@dataclass(frozen=True, slots=True)
class PackedWords:
    """Whole packets back to back, type code ``I``."""

    words: array[int]


class UartStream:
    """One session on one port.

    ``build`` are the parameters that are expected, or what finds them by the fingerprint that the
    device tells. ``timing`` says when frames are repeated and a device counts as silent.

    Raises `ToolMissing` without pyserial, `DeviceError` if the port cannot be had or nothing
    answers, and whatever ``build`` raises.
    """

    def __init__(
        self,
        port: str,
        baud: int = BAUD,
        build: DeviceParameters | Lookup | None = None,
        *,
        uri: str | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._where = f"{port} at {baud} baud"
        self._port_name = port
        self._uri = f"uart:{port}" if uri is None else uri
        self._timing = Timing.of(baud) if timing is None else timing
        self._end = HostEnd(1 + secrets.randbelow(0xFFFF), self._timing)
        self._failed: DeviceError | None = None
        self._bytes_received = 0
        self._wake = Condition()
        self._port = open_port(port, baud, self._timing.silence)
        self._stopping = False
        self._thread = Thread(target=_serve, args=(weakref.ref(self),), daemon=True)
        known = build if isinstance(build, DeviceParameters) else None
        self._awaited = Awaited(known)
        try:
            self._thread.start()
            self._wait(lambda: self._end.opened, None)
            self._parameters = (
                build if isinstance(build, DeviceParameters) else self._learned(build)
            )
            self._awaited = Awaited(self._parameters)
        except BaseException:
            self.close()
            raise

    @property
    def uri(self) -> str:
        """The address under which it was opened."""
        return self._uri

    @property
    def parameters(self) -> DeviceParameters:
        """Engines of the device and their parameters."""
        return self._parameters

    @property
    def counts(self) -> Counts:
        """What happened on the line so far."""
        with self._wake:
            return replace(self._end.counts)

    def send(self, words: list[int]) -> None:
        """Queue one packet; its last word carries ``last``."""
        if not words or not all(0 <= word <= 0xFFFF_FFFF for word in words):
            raise DeviceError(
                "a packet is one or more words of 32 bits: send a header word and its payload"
            )
        with self._wake:
            self._raise_failure()
            self._end.send(words)
            self._awaited.sent(words[0])
        self._port.cancel_read()

    def receive(self) -> list[int]:
        """Wait for the next packet. Raises `DeviceError` when none can come."""
        self._await_packet()
        with self._wake:
            packet = self._end.packets.popleft()
            self._awaited.came(packet[0])
        return packet

    def receive_many(self, limit: int) -> PackedWords:
        """Wait for a packet; gives those that are there then, at most ``limit`` of them."""
        self._await_packet()
        words = array("I")
        with self._wake:
            for _ in range(min(limit, len(self._end.packets))):
                packet = self._end.packets.popleft()
                self._awaited.came(packet[0])
                words.extend(packet)
        return PackedWords(words)

    def close(self) -> None:
        """Give the port back; closing twice is allowed."""
        self._stopping = True
        if self._thread.ident is not None and self._port.is_open:
            self._port.cancel_read()
            self._thread.join()
        self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- waiting ----------------------------------------------------------------------------------

    def _await_packet(self) -> None:
        if not self._end.packets and not self._awaited.any:
            self._raise_failure()
            raise DeviceError(
                "no answer can come, since every command was answered: send a command first"
            )
        self._wait(lambda: bool(self._end.packets), None if self._awaited.running else PATIENCE)

    def _wait(self, done: Callable[[], bool], patience: float | None) -> None:
        """Until something is so or the session has failed; ``patience`` in seconds."""
        until = None if patience is None else monotonic() + patience
        with self._wake:
            while not done():
                self._raise_failure()
                if until is not None and monotonic() > until:
                    raise DeviceError(
                        f"the device on {self._where} answers on the line and not to a command "
                        f"for {patience:.0f} s: close it and open it again, which resets it"
                    )
                self._wake.wait(0.1)

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed
        if self._end.failure is not None:
            raise DeviceError(self._sentence(self._end.failure))
        if self._stopping:
            raise DeviceError(f"{self._uri} was closed: open it again")

    def _sentence(self, failure: Failure) -> str:
        where, limit = self._where, f"{self._timing.silence:.1f} s"
        if failure is Failure.NO_ANSWER:
            return (
                f"nothing on {where} answers as a Gibbsite device within {limit} "
                f"({self._bytes_received} bytes came): check the port, the rate and that the "
                "board's bitstream is loaded"
            )
        if failure is Failure.ECHO:
            return (
                f"{where} sends back what is sent to it and no device answers within {limit}: "
                "take away the loop between its two lines"
            )
        if failure is Failure.VERSION:
            return (
                f"the device on {where} speaks version {self._end.info >> 16} of the link "
                f"(says {self._end.info:#x}) and this host version {LINK_VERSION}: load a "
                "bitstream of this release"
            )
        if failure is Failure.STRANGER:
            return (
                f"the device on {where} was reset in the middle of the session, or another program "
                "has opened it: what was loaded is lost, so open it again and load it again"
            )
        return (
            f"the device on {where} has not answered for {limit}: check its power and cable, then "
            "open it again"
        )

    def _learned(self, build: Lookup | None) -> DeviceParameters:
        """Ask the device for its fingerprint, and whoever knows for what it stands for."""
        self.send(Packet(Opcode.IDENTIFY, 0, ()).words())
        packet = self.receive()
        if len(packet) != 9 or packet[1] != MAGIC:
            raise DeviceError(
                f"what is on {self._where} speaks the link and is no Gibbsite device (magic "
                f"{MAGIC:#x} expected, {[hex(word) for word in packet[:2]]} found): check the board"
            )
        fingerprint = packet[3] | packet[4] << 32
        if build is None:
            raise DeviceError(
                f"the device on {self._where} has fingerprint {fingerprint:016x} and no build was "
                "named: give its parameters"
            )
        return build(fingerprint)

    # --- the thread -------------------------------------------------------------------------------

    def _exchange(self) -> bool:
        """One read and one write; whether to go on."""
        try:
            data = self._port.read(max(1, self._port.in_waiting))
            with self._wake:
                self._bytes_received += len(data)
                if data:
                    self._end.feed(data, monotonic())
                out = self._end.output(monotonic())
                if data or self._end.failure is not None:
                    self._wake.notify_all()
            if out:
                self._port.write(out)
        except OSError as error:  # pyserial's own errors are of this kind
            self._lost(error)
            return False
        return not self._stopping and self._end.failure is None

    def _lost(self, error: OSError) -> None:
        with self._wake:
            if not self._stopping:
                reason = error.strerror or str(error)
                self._failed = DeviceError(
                    f"the port {self._port_name} is gone ({reason}): plug the board in again, then "
                    "open it again"
                )
            self._wake.notify_all()


def _serve(stream: weakref.ref[UartStream]) -> None:
    """Serve a stream until it is closed, has failed or was forgotten."""
    while True:
        alive = stream()
        if alive is None or not alive._exchange():
            return
        del alive

"""A board on a pseudo-terminal: what the driver of ``uart:`` opens where there is no board.

    with PtyBoard(PinsCore(parameters)) as board:
        device = gibbsite.open(f"uart:{board.path}")

Behind the terminal is a core: `PinsCore` is the whole RTL on two pins, bit by bit, `GoldenCore` the
golden device behind the golden end of the link.

Twin: `gibbsite_hw.serial_device.SerialDevice` on a board.
"""

import os
import select
import time
import tty
from contextlib import suppress
from queue import Empty, Queue
from threading import Lock, Thread
from typing import Protocol, Self

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_models.golden.device import GoldenStream
from gibbsite_models.golden.link import DeviceEnd
from gibbsite_sim.line_faults import FaultyLine
from gibbsite_sim.pins import DIVISOR, Pins, pins_library

__all__ = ["BoardCore", "GoldenCore", "PinsCore", "PtyBoard"]

SLICE = 20 * 10 * DIVISOR
"""Cycles that the pins go on between two looks at the terminal: the time of 20 bytes."""

AWAKE = 300
"""Slices without a byte after which the core rests until one comes; a host asks far more often."""

REST = 0.05
"""Seconds of a rest at most, so that `PtyBoard.close` is heard."""

PAUSE = 0.001
"""Seconds that the golden core waits where it has nothing to do."""

AHEAD = 8
"""Packets that the golden device computes before they are asked for."""


class BoardCore(Protocol):
    """What is behind the terminal; used by one thread at a time."""

    def exchange(self, data: bytes) -> bytes:
        """Take bytes from the host, go on for a moment, and give what came out."""
        ...

    def reset(self) -> None:
        """Push the button."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


class PinsCore:
    """The RTL on two pins."""

    def __init__(self, parameters: DeviceParameters) -> None:
        self.pins = Pins(pins_library(parameters))

    def exchange(self, data: bytes) -> bytes:
        """The bytes go over the line at its rate, all of them, before this comes back."""
        self.pins.send(data)
        self.pins.advance(SLICE)
        while self.pins.queued:
            self.pins.advance(SLICE)
        return self.pins.take()

    def reset(self) -> None:
        """Pulse ``rst``."""
        self.pins.reset()

    def close(self) -> None:
        """Free the model."""
        self.pins.destroy()


class GoldenCore:
    """The golden device and link; the device computes in a thread, so that the link stays awake."""

    def __init__(self, parameters: DeviceParameters) -> None:
        self._parameters = parameters
        self._packet: list[int] = []
        self._device = _GoldenThread(parameters)
        self.reset()

    def reset(self) -> None:
        """A new device that knows no session."""
        self.end = DeviceEnd()
        self._sessions = 0
        self._start()

    def exchange(self, data: bytes) -> bytes:
        """Act on the bytes, let the device answer, send all there is to say."""
        self.end.feed(data)
        if self.end.resets != self._sessions:
            self._sessions = self.end.resets
            self._start()
        while (part := self.end.take()) is not None:
            words, last = part
            self._packet.extend(words)
            if last:
                self._device.commands.put(self._packet)
                self._packet = []
        while self.end.room and not self._device.responses.empty():
            self.end.give(self._device.responses.get())
        out = b""
        while line := self.end.transmit():
            out += line
        return out or self._pause()

    def close(self) -> None:
        """Let the device end."""
        self._device.stopping = True

    def _start(self) -> None:
        self._device.stopping = True
        self._device = _GoldenThread(self._parameters)
        self._device.start()
        self._packet = []

    def _pause(self) -> bytes:
        """Nothing happens: leave the processor to the device."""
        time.sleep(PAUSE)
        return b""


class _GoldenThread(Thread):
    """A golden device that takes commands and gives responses as fast as it can."""

    def __init__(self, parameters: DeviceParameters) -> None:
        super().__init__(daemon=True)
        self.commands: Queue[list[int]] = Queue()
        self.responses: Queue[list[int]] = Queue(AHEAD)
        self.stopping = False
        self._stream = GoldenStream(parameters)

    def run(self) -> None:
        """Until it is told to stop."""
        while not self.stopping:
            with suppress(Empty):
                self._stream.send(self.commands.get(timeout=0 if self._stream.pending else REST))
            if self._stream.pending and not self.responses.full():
                self.responses.put(self._stream.receive())
            elif self._stream.pending:
                time.sleep(PAUSE)


class PtyBoard:
    """A core behind a pseudo-terminal, served by a thread of its own.

    ``to_device`` and ``to_host`` may break what passes. ``path`` is what the driver opens.
    """

    def __init__(
        self,
        core: BoardCore,
        to_device: FaultyLine | None = None,
        to_host: FaultyLine | None = None,
    ) -> None:
        self.to_device = to_device or FaultyLine(0)
        self.to_host = to_host or FaultyLine(0)
        self._core = core
        self._lock = Lock()
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.path = os.ttyname(self._slave)
        self._closing = False
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def closed(self) -> bool:
        """Whether the port is gone."""
        return self._closing

    def reset(self) -> None:
        """Push the board's button."""
        with self._lock:
            self._core.reset()

    def vanish(self) -> None:
        """Pull the plug: the port is gone for whoever has it open."""
        self._stop()
        for end in (self._master, self._slave):
            with suppress(OSError):
                os.close(end)

    def close(self) -> None:
        """End it all; closing twice is allowed."""
        if not self._closing:
            self.vanish()
        self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stop(self) -> None:
        self._closing = True
        if self._thread.is_alive():
            self._thread.join()

    def _serve(self) -> None:
        quiet, unsent = 0, b""
        while not self._closing:
            wait = REST if quiet > AWAKE and not unsent else 0
            readable, _, _ = select.select([self._master], [], [], wait)
            data = b""
            if readable:
                with suppress(OSError):  # nobody has it open
                    data = os.read(self._master, 4096)
            with self._lock:
                came = self._core.exchange(self.to_device.carry(data))
            unsent += self.to_host.carry(came)
            quiet = 0 if data or came else quiet + 1
            if unsent:
                with suppress(BlockingIOError):  # the host is slow: the rest waits
                    unsent = unsent[os.write(self._master, unsent) :]

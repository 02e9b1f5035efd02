"""The simulated device: the shell's RTL, Verilated into a library and driven in process.

    stream = SimStream(build)               # builds the library if the cache does not hold it
    stream.send(Packet(Opcode.IDENTIFY, 0, ()).words())
    stream.receive()

Twin: `gibbsite_models.golden.device.GoldenStream`, the same stream without RTL.
"""

import weakref
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.build import Recipe, Stage
from gibbsite_sim.cache import Cache, cache_folder
from gibbsite_sim.library import Model, Status

__all__ = ["Packets", "SimStream", "device_library"]

SLICE = 100
"""Milliseconds of a call into the library: how long Ctrl-C waits at most."""

WORDS = 1 << 20
"""Words after which a call into the library comes back, so that its buffer stays small."""

PATIENCE = 1 << 22
"""Cycles without a word, outside of runs, after which the device counts as stuck: the longest
checks, COMMIT and RUN of the graph engine over all rows and lanes, take fewer than a tenth of them,
and the Langevin engine looks at no more than its largest memory."""

_WORD = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets behind each other: packet i is ``words[ends[i - 1]:ends[i]]`` (both type ``I``)."""

    words: "array[int]"
    ends: "array[int]"

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> list[int]:
        if not 0 <= index < len(self.ends):
            raise IndexError(index)
        return self.words[self.ends[index - 1] if index else 0 : self.ends[index]].tolist()


def device_library(build: Build, waves: bool = False, stage: Stage | None = None) -> Path:
    """The compiled device from the cache, built first if it is not there.

    ``stage`` hears how a build goes on. Raises `ToolMissing`, `BuildFailed`, `CacheUnusable`.
    """
    hear: Callable[[str, int, int], None] = stage or _deaf
    recipe = Recipe(DeviceParameters.of(build), waves)
    return Cache(cache_folder() / "sim").obtain(
        recipe.key(), lambda folder: recipe.make(folder, hear), lambda: hear("wait", 0, 1)
    )


class SimStream:
    """The word stream of one simulated device; cycles pass only while an answer is waited for.

    ``build``: its engines and their parameters, by default both.
    ``waves``: a file that takes the waveform of every cycle (FST), finished by `close`.
    ``stage``: hears how the build goes on, if there is one.
    """

    def __init__(
        self,
        build: Build | None = None,
        *,
        uri: str = "sim:",
        waves: Path | str | None = None,
        stage: Stage | None = None,
    ) -> None:
        self._parameters = DeviceParameters.of(build)
        self._uri = uri
        wanted = _writable(Path(waves)) if waves is not None else None
        library = device_library(self._parameters, wanted is not None, stage)
        self._model = Model(library, wanted)
        # also at the interpreter's end, so that a waveform is whole
        self._closer = weakref.finalize(self, self._model.destroy)
        self._ready = Packets(array("I"), array("I"))
        self._next = 0
        self._interrupted = False

    @property
    def uri(self) -> str:
        """The address under which it was opened."""
        return self._uri

    @property
    def parameters(self) -> DeviceParameters:
        """Engines of the device and their parameters."""
        return self._parameters

    @property
    def cycles(self) -> int:
        """Clock cycles since the stream was opened, those of loading and waiting too."""
        self._check_open()
        return self._model.cycles

    def send(self, words: "list[int]") -> None:
        """Queue one packet; its last word carries ``last``."""
        self.send_raw(words)

    def send_raw(self, words: Iterable[int], lasts: Iterable[bool] | None = None) -> None:
        """Queue words; ``lasts`` marks the ends of packets, by default the last word alone."""
        self._check_open()
        try:
            packed = array("I", words)
        except (OverflowError, TypeError) as error:
            raise DeviceError("a packet's words have 32 bits, 0 to 2^32 - 1: cut them") from error
        marks = None if lasts is None else bytes(map(bool, lasts))
        if not packed or (marks is not None and len(marks) != len(packed)):
            raise DeviceError("a packet is one or more words of 32 bits: send a header word first")
        self._model.send(packed, marks)

    def receive(self) -> "list[int]":
        """Wait for the next packet. Raises `DeviceError` when none can come."""
        self._fill(1)
        packet = self._ready[self._next]
        self._next += 1
        return packet

    def receive_many(self, limit: int) -> Packets:
        """Wait for a packet; gives up to ``limit`` of those there after a tenth of a second.

        The batch form of `receive`: ten thousands of draws cost one call. Raises `DeviceError` when
        none can come.
        """
        if limit < 1:
            raise DeviceError(
                f"receive_many takes at least 1 packet at a time, not {limit}: ask more"
            )
        self._fill(limit)
        first, last = self._next, min(self._next + limit, len(self._ready))
        ready = self._ready
        self._next = last
        if (first, last) == (0, len(ready)):
            return ready
        start = ready.ends[first - 1] if first else 0
        ends = array("I", (end - start for end in ready.ends[first:last]))
        return Packets(ready.words[start : start + ends[-1]], ends)

    def advance(self, cycles: int) -> None:
        """Let cycles pass, whatever the device does with them."""
        self._check_open()
        while cycles > 0:
            cycles = self._model.advance(cycles, SLICE)

    def stall(self, seed: int = 0, command: float = 0.5, response: float = 0.5) -> None:
        """From now on hold back each stream at random in such parts of all cycles (0: never)."""
        self._check_open()
        if not (0 <= command < 1 and 0 <= response < 1):
            raise DeviceError(f"stalls must lie in 0..1 (1 excluded), not {command} and {response}")
        self._model.stall(seed, int(256 * command), int(256 * response))

    def reset(self) -> None:
        """Pulse the reset: the device is EMPTY, everything queued is forgotten."""
        self._check_open()
        self._model.reset()
        self._ready, self._next = Packets(array("I"), array("I")), 0

    def interrupt(self) -> None:
        """Let the reader that waits now, or the next one, raise `DeviceError`; from any thread."""
        self._interrupted = True

    def resume(self) -> None:
        """Forget an `interrupt` that nobody met."""
        self._interrupted = False

    def close(self) -> None:
        """Give the stream back and finish its waveform; closing twice is allowed."""
        self._closer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if not self._closer.alive:
            raise DeviceError(f"the device {self._uri} was closed: open it again")

    def _fill(self, limit: int) -> None:
        """Have one packet ready at least, and up to ``limit`` if they come within one slice."""
        self._check_open()
        while self._next >= len(self._ready):
            if self._interrupted:
                self._interrupted = False
                raise DeviceError("the wait for an answer was interrupted: ask for it again")
            status = self._model.step(limit, WORDS, SLICE, PATIENCE)
            # taken last: until then an interrupt finds everything still in the model
            self._ready, self._next = Packets(*self._model.take()), 0
            if len(self._ready):
                return
            if status is Status.IDLE:
                raise DeviceError(
                    "no answer can come, since every command was answered: send a command first"
                )
            if status is Status.STUCK:
                raise DeviceError(
                    f"the device took or gave no word for {PATIENCE} cycles: end the packet that "
                    "was begun, or reset the device"
                )


def _deaf(_what: str, _done: int, _all: int) -> None:
    """Hear nothing of a build."""


def _writable(path: Path) -> Path:
    try:
        path.open("wb").close()
    except OSError as error:
        raise DeviceError(
            f"no waveform can be written to {path} ({error.strerror}): choose another file"
        ) from error
    return path

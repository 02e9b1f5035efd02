"""The compiled shell as a Python object: one `Model` per instance, every call without the GIL.

Twin: ``harness.cpp``, whose functions are declared here once more for ctypes.
"""

import ctypes
from array import array
from enum import IntEnum
from pathlib import Path

from gibbsite_hw.spec.errors import DeviceError

__all__ = ["Model", "Status"]

_WORDS = ctypes.POINTER(ctypes.c_uint32)
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "create": (ctypes.c_void_p, (ctypes.c_char_p,)),
    "destroy": (None, (ctypes.c_void_p,)),
    "flush": (None, (ctypes.c_void_p,)),
    "reset": (None, (ctypes.c_void_p,)),
    "send": (None, (ctypes.c_void_p, _WORDS, ctypes.c_char_p, ctypes.c_size_t)),
    "stall": (None, (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)),
    "step": (
        ctypes.c_int,
        (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_uint64),
    ),
    "advance": (ctypes.c_uint64, (ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64)),
    "packets": (ctypes.c_size_t, (ctypes.c_void_p,)),
    "words": (ctypes.c_size_t, (ctypes.c_void_p,)),
    "take": (None, (ctypes.c_void_p, _WORDS, _WORDS)),
    "cycles": (ctypes.c_uint64, (ctypes.c_void_p,)),
}


class Status(IntEnum):
    """Why `Model.step` came back."""

    PACKETS = 0
    WORDS = 1
    TIME = 2
    IDLE = 3
    STUCK = 4


class Model:
    """One instance of the Verilated shell, already reset; for one thread at a time.

    ``waves`` needs a library that was built with the waveform writer. Raises `DeviceError` if the
    library cannot be loaded or the file not be written.
    """

    def __init__(self, library: Path, waves: Path | None = None) -> None:
        self._handle: int | None = None
        try:
            self._library = ctypes.CDLL(str(library))
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(self._library, f"gibbsite_{name}")
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise DeviceError(
                f"the simulated device in {library} cannot be loaded ({error}): remove that "
                "folder, and the device is built anew"
            ) from error
        self._handle = self._library.gibbsite_create(str(waves).encode() if waves else None)
        if not self._handle:
            raise DeviceError(f"no waveform can be written to {waves}: choose another file")
        self.reset()

    def destroy(self) -> None:
        """Free the model and finish its waveform; doing so twice is allowed."""
        handle, self._handle = self._handle, None
        if handle:
            self._library.gibbsite_destroy(handle)

    def flush(self) -> None:
        """Bring the waveform so far to the file."""
        self._library.gibbsite_flush(self._handle)

    def reset(self) -> None:
        """Pulse ``rst`` and forget all queued words; memories keep their content."""
        self._library.gibbsite_reset(self._handle)

    def send(self, words: "array[int]", lasts: bytes | None = None) -> None:
        """Queue words (type code ``I``); the last ends the packet unless ``lasts`` says where."""
        buffer = (ctypes.c_uint32 * len(words)).from_buffer(words)
        self._library.gibbsite_send(self._handle, buffer, lasts, len(words))

    def stall(self, seed: int, command: int, response: int) -> None:
        """Hold back each stream in about ``command`` and ``response`` of 256 cycles."""
        self._library.gibbsite_stall(self._handle, seed, command, response)

    def step(self, packets: int, words: int, milliseconds: int, patience: int) -> Status:
        """Clock the model until there is something to say; see harness.cpp."""
        step = self._library.gibbsite_step
        return Status(step(self._handle, packets, words, milliseconds, patience))

    def advance(self, cycles: int, milliseconds: int) -> int:
        """Clock the model for so many cycles or so long; returns the cycles that are left."""
        return int(self._library.gibbsite_advance(self._handle, cycles, milliseconds))

    def take(self) -> "tuple[array[int], array[int]]":
        """All complete packets: words one behind the other, and where each packet ends (``I``)."""
        packets = self._library.gibbsite_packets(self._handle)
        n = self._library.gibbsite_words(self._handle)
        words, ends = array("I", bytes(4 * n)), array("I", bytes(4 * packets))
        if packets:
            self._library.gibbsite_take(
                self._handle,
                (ctypes.c_uint32 * n).from_buffer(words),
                (ctypes.c_uint32 * packets).from_buffer(ends),
            )
        return words, ends

    @property
    def cycles(self) -> int:
        """Clock cycles since the model was made."""
        return int(self._library.gibbsite_cycles(self._handle))

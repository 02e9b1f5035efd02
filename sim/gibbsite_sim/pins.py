"""A device on two pins, Verilated: bytes in, bytes out, with every bit of both lines simulated.

    pins = Pins(pins_library(DeviceParameters.of(build)))
    pins.send(Frame(Kind.RESET, 1).line())
    pins.advance(10_000)
    pins.take()

Twin: ``pins.cpp``, whose functions are declared here once more for ctypes.
"""

import ctypes
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_sim.build import Recipe, Stage
from gibbsite_sim.cache import Cache, cache_folder

__all__ = ["DIVISOR", "PinsRecipe", "Pins", "pins_library"]

DIVISOR = 8
"""Clock cycles a bit in simulation: few, so that a byte takes no more cycles than it must."""

HERE = Path(__file__).resolve().parent

_HANDLE = ctypes.c_void_p
_SIGNATURES: dict[str, tuple[type | None, tuple[type, ...]]] = {
    "create": (_HANDLE, ()),
    "destroy": (None, (_HANDLE,)),
    "reset": (None, (_HANDLE,)),
    "send": (None, (_HANDLE, ctypes.c_char_p, ctypes.c_size_t)),
    "noise": (None, (_HANDLE, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)),
    "advance": (None, (_HANDLE, ctypes.c_uint64)),
    "ready": (ctypes.c_size_t, (_HANDLE,)),
    "take": (None, (_HANDLE, ctypes.c_char_p)),
    "queued": (ctypes.c_size_t, (_HANDLE,)),
    "cycles": (ctypes.c_uint64, (_HANDLE,)),
    "turned": (ctypes.c_uint64, (_HANDLE,)),
}


@dataclass(frozen=True, slots=True)
class PinsRecipe(Recipe):
    """The library of one `gibbsite_hw.serial_device.SerialDevice`."""

    divisor: int = DIVISOR
    harness: ClassVar[Path] = HERE / "pins.cpp"
    bench: ClassVar[Path] = HERE / "pins.v"

    def facts(self) -> list[str]:
        """What the library depends on besides sources and tools."""
        own = (HERE / "pins_elaborate.py").read_text("utf-8")
        return [*Recipe.facts(self), "pins", str(self.divisor), own]

    def defines(self) -> list[str]:
        """What the harness is compiled with."""
        return [*Recipe.defines(self), f"GIBBSITE_DIVISOR={self.divisor}"]

    def elaborate(self) -> list[str]:
        """The program that writes ``shell.v``, given ``parameters.json`` beside it."""
        module = "gibbsite_sim.pins_elaborate"
        return [sys.executable, "-m", module, "parameters.json", "shell.v", str(self.divisor)]


def pins_library(
    parameters: DeviceParameters, divisor: int = DIVISOR, stage: Stage | None = None
) -> Path:
    """The compiled device from the cache, built first if it is not there.

    ``stage`` hears how a build goes on. Raises `ToolMissing`, `BuildFailed`, `CacheUnusable`.
    """
    hear: Stage = stage or (lambda _what, _done, _all: None)
    recipe = PinsRecipe(parameters, divisor=divisor)
    return Cache(cache_folder() / "sim").obtain(
        recipe.key(), lambda folder: recipe.make(folder, hear), lambda: hear("wait", 0, 1)
    )


class Pins:
    """One instance, reset and idle; for one thread at a time."""

    def __init__(self, library: Path) -> None:
        self._handle: int | None = None
        try:
            loaded = ctypes.CDLL(str(library))
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(loaded, f"gibbsite_pins_{name}")
                function.restype, function.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            raise DeviceError(
                f"the simulated device in {library} cannot be loaded ({error}): remove that "
                "folder, and the device is built anew"
            ) from error
        self._library = loaded
        self._handle = loaded.gibbsite_pins_create()
        self.reset()

    def destroy(self) -> None:
        """Free the model; doing so twice is allowed."""
        handle, self._handle = self._handle, None
        if handle:
            self._library.gibbsite_pins_destroy(handle)

    def reset(self) -> None:
        """Pulse the reset, as the button of a board: the lines go on, memories keep."""
        self._call("reset")

    def send(self, data: bytes) -> None:
        """Queue bytes for the device's ``rx``."""
        self._call("send", data, len(data))

    def noise(self, seed: int, flips: int, glitches: int = 0) -> None:
        """Turn so many of a million bits on both lines, whole or for one cycle."""
        self._call("noise", seed, flips, glitches)

    def advance(self, cycles: int) -> None:
        """Let clock cycles pass."""
        self._call("advance", cycles)

    def take(self) -> bytes:
        """The bytes that came on ``tx`` since the last call."""
        number = int(self._call("ready"))
        buffer = ctypes.create_string_buffer(number)
        self._call("take", buffer)
        return buffer.raw

    @property
    def queued(self) -> int:
        """Bytes that are still to be sent."""
        return int(self._call("queued"))

    @property
    def cycles(self) -> int:
        """Clock cycles since the model was made."""
        return int(self._call("cycles"))

    @property
    def turned(self) -> int:
        """Bits that noise has turned, whole or in part."""
        return int(self._call("turned"))

    def _call(self, name: str, *arguments: object) -> Any:
        if not self._handle:
            raise DeviceError("the simulated device was destroyed: make another")
        return getattr(self._library, f"gibbsite_pins_{name}")(self._handle, *arguments)

"""A routed netlist, Verilated, on its two pins.

    pins = Pins(netlist_library(routed, board, parameters))

It is driven exactly as the RTL is by `gibbsite_sim.pins`, at the board's own cycles a bit.
"""

import ctypes
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from gibbsite_hw.boards.table import Board
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_sim.build import Stage
from gibbsite_sim.cache import Cache, cache_folder
from gibbsite_sim.netlist.verilog import CELLS, watched_types
from gibbsite_sim.pins import Pins, PinsRecipe

__all__ = ["START_CYCLES", "NetlistPins", "NetlistRecipe", "netlist_library"]

HERE = Path(__file__).resolve().parent

START_CYCLES = 4096
"""Cycles after which every board's own reset is over."""


@dataclass(frozen=True, slots=True)
class NetlistRecipe(PinsRecipe):
    """The library of one netlist after place and route."""

    routed: Path = field(default=Path())
    family: str = "ecp5"
    bench: ClassVar[Path] = HERE / "routed.v"

    def facts(self) -> list[str]:
        """What the library depends on besides sources and tools: the netlist and the models."""
        digest = sha256(self.routed.read_bytes())
        models = sorted((CELLS / self.family).glob("*.v"))
        for path in [HERE / "verilog.py", HERE / "toggles.py", *models]:
            digest.update(path.read_bytes())
        return [*PinsRecipe.facts(self), digest.hexdigest()]

    def defines(self) -> list[str]:
        """What the harness is compiled with."""
        return [*PinsRecipe.defines(self), "GIBBSITE_TOGGLES=1"]

    def elaborate(self) -> list[str]:
        """The program that writes ``shell.v``."""
        module = "gibbsite_sim.netlist.verilog"
        return [sys.executable, "-m", module, str(self.routed.resolve()), self.family, "shell.v"]


def netlist_library(
    routed: Path, board: Board, parameters: DeviceParameters, stage: Stage | None = None
) -> Path:
    """The compiled netlist from the cache, built first if it is not there."""
    hear: Stage = stage or (lambda _what, _done, _all: None)
    divisor = round(board.clock_hz / board.baud)
    recipe = NetlistRecipe(parameters, divisor=divisor, routed=routed, family=board.family)
    return Cache(cache_folder() / "sim").obtain(
        recipe.key(), lambda folder: recipe.make(folder, hear), lambda: hear("wait", 0, 1)
    )


class NetlistPins(Pins):
    """One instance of a routed netlist, which counts the changes of its nets."""

    def __init__(self, library: Path, routed: Path) -> None:
        self._types = watched_types(routed)
        super().__init__(library)
        function = self._library.gibbsite_pins_toggles
        function.restype, function.argtypes = ctypes.c_uint64, (ctypes.c_void_p, ctypes.c_uint32)

    def toggles(self) -> dict[str, int]:
        """Changes of nets since the model was made, by the type of the cell that drives them."""
        return {kind: int(self._call("toggles", n)) for n, kind in enumerate(self._types)}

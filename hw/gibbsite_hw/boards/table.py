"""The boards that bitstreams are made for, and the devices that fit them.

A build more is one line here; `docs/silicon.md` has the figures of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.errors import DeviceError
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.parameters import GraphParameters

__all__ = ["BOARDS", "Board", "board", "build"]


@dataclass(frozen=True, slots=True)
class Board:
    """A board, its clock and its devices; the first of ``builds`` is made where none is named.

    ``platform``   module and class of its `amaranth_boards` platform
    ``family``     which tools make its bitstream: ice40, ecp5, gowin
    ``clock_hz``   of the device, by a PLL where it is not ``input_hz``, the board's oscillator
    ``baud``       of the serial link
    ``clocks_hz``  of the builds that have a clock of their own
    ``synthesis``  options of Yosys for this part
    """

    title: str
    platform: str
    family: str
    input_hz: int
    clock_hz: int
    baud: int
    builds: Mapping[str, Build]
    clocks_hz: Mapping[str, int] = field(default_factory=dict)
    synthesis: str = ""

    def at_clock_of(self, build: str) -> "Board":
        """This board at the clock of one of its builds."""
        return replace(self, clock_hz=self.clocks_hz.get(build, self.clock_hz))

    def make_platform(self) -> Any:
        """A new platform object; needs the package amaranth-boards."""
        module, _, name = self.platform.partition(":")
        return getattr(import_module(f"amaranth_boards.{module}"), name)()


_GRAPH = GraphParameters(hash_rounds=1)
_SMALL_GRAPH = replace(
    _GRAPH,
    hash_rounds=0,
    lanes=2,
    rows=256,
    words=512,
    weight_bits=6,
    bias_bits=10,
    beta_bits=15,
    beta_frac=16,
    schedule_steps=256,
    max_degree=63,
    max_group=16,
    payload_words=64,
    noise_index_bits=4,
    noise_tail_bits=1,
)

BOARDS: Mapping[str, Board] = {
    "icebreaker": Board(
        title="iCEBreaker, iCE40 UP5K",
        platform="icebreaker:ICEBreakerPlatform",
        family="ice40",
        input_hz=12_000_000,
        clock_hz=12_000_000,
        baud=1_000_000,
        builds={"graph": replace(_SMALL_GRAPH, words=16384)},
        synthesis="-device u -dsp -spram",
    ),
    "hx8k": Board(
        title="iCE40-HX8K breakout, iCE40 HX8K",
        platform="ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
        family="ice40",
        input_hz=12_000_000,
        clock_hz=12_000_000,
        baud=1_000_000,
        builds={"graph": replace(_SMALL_GRAPH, words=256)},
        synthesis="-device hx",
    ),
    "ulx3s": Board(
        title="ULX3S, ECP5-85F",
        platform="ulx3s:ULX3S_85F_Platform",
        family="ecp5",
        input_hz=25_000_000,
        clock_hz=25_000_000,
        baud=1_000_000,
        builds={
            "graph": replace(
                _GRAPH,
                lanes=16,
                rows=512,
                words=2048,
                schedule_steps=1024,
                max_group=64,
                payload_words=256,
                noise_index_bits=6,
                noise_tail_bits=5,
            ),
            "small": _SMALL_GRAPH,
            "langevin": LangevinParameters(
                units=64,
                constraints=32,
                multipliers=8,
                schedule_entries=256,
                pairs=64,
                payload_words=256,
                hash_rounds=1,
            ),
            # 208 lanes, two of which share a block memory; 224 do not route
            "lattice": LatticeParameters(
                rows=52,
                columns=64,
                banks=8,
                schedule_steps=512,
                payload_words=256,
                hash_rounds=1,
                tables=1,
            ),
        },
        clocks_hz={"lattice": 62_500_000},
    ),
    "tangprimer20k": Board(
        title="Tang Primer 20K, Gowin GW2A-18",
        platform="tang_primer_20k:TangPrimer20kDockPlatform",
        family="gowin",
        input_hz=27_000_000,
        clock_hz=27_000_000,
        baud=1_000_000,
        builds={"graph": _SMALL_GRAPH},
    ),
}


def board(name: str) -> Board:
    """The board of this name.

    Raises:
        DeviceError: there is none.
    """
    if name not in BOARDS:
        raise DeviceError(f"there is no board named {name}: choose one of {', '.join(BOARDS)}")
    return BOARDS[name]


def build(of: Board, name: str | None) -> tuple[str, DeviceParameters]:
    """The build of this name, or the board's first, and what it holds.

    Raises:
        DeviceError: the board has none of this name.
    """
    chosen = next(iter(of.builds)) if name is None else name
    if chosen not in of.builds:
        raise DeviceError(
            f"{of.title} has no build named {chosen}: choose one of {', '.join(of.builds)}"
        )
    return chosen, DeviceParameters.of(of.builds[chosen])

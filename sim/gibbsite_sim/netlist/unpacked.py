"""The bitstream of an iCE40 turned back into Verilog: what the chip is told, not what was meant.

    python -m gibbsite_sim.netlist.unpacked TOP.bin TOP.pcf OUT.v

Two programs of Project IceStorm do it (Debian: fpga-icestorm): iceunpack gives back the bits of
each tile, icebox_vlog makes equations of them. Tables, carries and flip-flops are written out, so
that memories alone need a model: ours.

icebox_vlog leaves out a memory whose power-up bit it does not expect, and all multipliers and large
memories of an UP5K. So memories are counted, and other devices than the HX8K are refused.

Twin: `gibbsite_sim.netlist.verilog`, from the netlist that was packed into the bitstream.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from gibbsite_hw.boards.table import Board
from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.errors import DeviceError, ToolMissing
from gibbsite_sim.cache import Cache, cache_folder
from gibbsite_sim.netlist.toggles import MOST_TYPES
from gibbsite_sim.netlist.verilog import CELLS
from gibbsite_sim.pins import PinsRecipe

__all__ = [
    *("ICESTORM_HINT", "UnpackedRecipe", "icestorm", "memories", "routed_memories"),
    *("unpack", "unpacked_library", "unpacked_verilog"),
]

HERE = Path(__file__).resolve().parent

ICESTORM_HINT = "apt-get install fpga-icestorm  (Debian, Ubuntu)"

_DEVICE = "8k"
_MODELS = ("memories.v", "unpacked.v")
_MEMORY = re.compile(r"^SB_RAM40_4K #\(\n(.*?)\) ram40_(\d+)_(\d+) \(", re.M | re.S)
_SETTING = re.compile(r"\.(\w+)\((?:256'h)?([0-9a-f]+)\)")
_WIRES = re.compile(r"^wire (.*);$", re.M)
_PORT = re.compile(r"^module top \((.*?)\);", re.M | re.S)


def icestorm(program: str, *arguments: str, folder: Path) -> str:
    """Run a program of Project IceStorm in ``folder`` and give back what it wrote.

    Raises:
        ToolMissing: it is not on PATH.
        DeviceError: it failed.
    """
    where = shutil.which(program)
    if where is None:
        raise ToolMissing(
            f"a bitstream is turned back by {program}, which is not on PATH: {ICESTORM_HINT}"
        )
    done = subprocess.run(
        [where, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DeviceError(
            f"{program} failed (exit status {done.returncode}), see what it said: "
            f"{' | '.join(done.stderr.strip().splitlines()[-4:])}"
        )
    return done.stdout


def unpack(bitstream: Path) -> str:
    """The bits of each tile, in IceStorm's text form."""
    with tempfile.TemporaryDirectory() as folder:
        return icestorm("iceunpack", str(bitstream.resolve()), folder=Path(folder))


def unpacked_verilog(bits: str, pins: Path) -> str:
    """The whole Verilog text, with ``gibbsite_routed`` around it; ``pins`` is the board's .pcf.

    Raises:
        DeviceError: the device is no HX8K, a memory was left out, or a pin is not known.
    """
    device = re.search(r"^\.device (\S+)$", bits, re.M)
    if device is None or device[1] != _DEVICE:
        raise DeviceError(
            f"the bitstream is for the device {device[1] if device else '(none)'} and only one "
            f"for {_DEVICE} is turned back whole: simulate the routed netlist instead"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "top.asc").write_text(bits, encoding="utf-8")
        options = ("-s", "-n", "top", "-p", str(pins.resolve()))
        text = icestorm("icebox_vlog", *options, "top.asc", folder=folder)
    wanted, found = len(re.findall(r"^\.ram_data ", bits, re.M)), len(memories(text))
    if found != wanted:
        raise DeviceError(
            f"icebox_vlog wrote {found} memories of the {wanted} in the bitstream: look at the "
            "power-up bits of the others"
        )
    models = [(CELLS / "ice40" / name).read_text("utf-8") for name in _MODELS]
    return "\n".join([_once(text), *models, _around(text)])


def memories(verilog: str) -> dict[str, dict[str, int]]:
    """By place (``X8/Y1``), the modes and first values of each memory that icebox_vlog wrote."""
    return {
        f"X{column}/Y{row}": {name: int(value, 16) for name, value in _SETTING.findall(settings)}
        for settings, column, row in _MEMORY.findall(verilog)
    }


def routed_memories(routed: Path) -> dict[str, dict[str, int]]:
    """The same of a routed netlist."""
    found = {}
    (module,) = json.loads(routed.read_text("utf-8"))["modules"].values()
    for cell in module["cells"].values():
        if cell["type"] == "ICESTORM_RAM":
            place = cell["attributes"]["NEXTPNR_BEL"].removesuffix("/ram")
            found[place] = {
                name: int(value.replace("x", "0"), 2)  # what is free is packed as zero
                for name, value in cell["parameters"].items()
                if name.endswith("_MODE") or name.startswith("INIT_")
            }
    return found


@dataclass(frozen=True, slots=True)
class UnpackedRecipe(PinsRecipe):
    """The library of one bitstream."""

    bitstream: Path = field(default=Path())
    board_pins: Path = field(default=Path())
    bench: ClassVar[Path] = HERE / "routed.v"

    def facts(self) -> list[str]:
        """What the library depends on besides sources and tools."""
        models = [CELLS / "ice40" / name for name in _MODELS]
        program = [Path(found) for name in ("iceunpack", "icebox_vlog") if (found := _where(name))]
        digest = sha256()
        for path in [self.bitstream, self.board_pins, HERE / "unpacked.py", *models, *program]:
            digest.update(path.read_bytes())
        return [*PinsRecipe.facts(self), "unpacked", digest.hexdigest()]

    def elaborate(self) -> list[str]:
        """The program that writes ``shell.v``."""
        files = (str(self.bitstream.resolve()), str(self.board_pins.resolve()))
        return [sys.executable, "-m", "gibbsite_sim.netlist.unpacked", *files, "shell.v"]


def unpacked_library(
    bitstream: Path, pins: Path, board: Board, parameters: DeviceParameters
) -> Path:
    """The bitstream, Verilated, from the cache, built first if it is not there."""
    divisor = round(board.clock_hz / board.baud)
    recipe = UnpackedRecipe(parameters, divisor=divisor, bitstream=bitstream, board_pins=pins)
    return Cache(cache_folder() / "sim").obtain(
        recipe.key(), lambda folder: recipe.make(folder, _deaf), lambda: None
    )


def _deaf(_what: str, _done: int, _all: int) -> None:
    """Nobody waits at a progress bar."""


def _where(program: str) -> str | None:
    return shutil.which(program)


def _ports(text: str) -> list[str]:
    """The names of the pins in use."""
    found = _PORT.search(text)
    assert found is not None, "icebox_vlog was told to write the module top"
    return [port.split()[-1] for port in found[1].split(",")]


def _once(text: str) -> str:
    """The same without the wires that icebox_vlog declares once more for its ports."""
    ports = _ports(text)

    def declared(line: re.Match[str]) -> str:
        names = [name for name in line[1].split(", ") if name not in ports]
        return f"wire {', '.join(names)};" if names else ""

    return _WIRES.sub(declared, text)


def _around(text: str) -> str:
    """The module with the same ports on any board; nothing is counted here."""
    joined = []
    for name in _ports(text):
        for kind in ("clk", "rx", "tx", "led"):
            if kind in name:
                joined.append(f".{name}({kind})")
                break
        else:
            raise DeviceError(
                f"the bitstream uses the pin {name}, which is no clock, line or light: tell "
                "gibbsite_sim.netlist.unpacked what drives it"
            )
    return (
        "module gibbsite_routed(input clk, input rx, output tx, output "
        f"[{64 * MOST_TYPES - 1}:0] toggles);\n  assign toggles = 0;\n  wire led;\n"
        f"  top board({', '.join(joined)});\nendmodule\n"
    )


if __name__ == "__main__":
    given, places, out = (Path(word) for word in sys.argv[1:])
    out.write_text(unpacked_verilog(unpack(given), places), encoding="utf-8")

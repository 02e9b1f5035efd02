"""A device whose memories give a wrong word where it is read as it is written.

    python -m gibbsite_sim.collisions PARAMETERS.json OUT.v DIVISOR

Bitstreams are made of the promise that nothing uses such a word (`gibbsite_sim.netlist.flow`): on a
board it is the old one, the new one or neither. Here every bit of it is turned, so that whatever
uses it goes wrong.

    pins = Pins(collision_library(parameters))
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Cat, MemoryInstance, Module, Signal

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_sim.cache import Cache, cache_folder
from gibbsite_sim.elaborate import component_verilog
from gibbsite_sim.pins import PinsRecipe
from gibbsite_sim.pins_elaborate import TOP

__all__ = ["CollidingMemories", "CollisionRecipe", "collision_library"]


class CollidingMemories:
    """The platform to elaborate for."""

    def get_memory(self, memory: Any) -> Module:
        """What stands for an `amaranth.lib.memory.Memory`."""
        m = Module()
        m.submodules.cells = cells = MemoryInstance(data=memory.data)
        writes = {
            port: cells.write_port(domain=port.domain, addr=port.addr, data=port.data, en=port.en)
            for port in memory.write_ports
        }
        for number, port in enumerate(memory.read_ports):
            shown = tuple(writes[write] for write in port.transparent_for)
            out = Signal(len(Cat(port.data)), name=f"out{number}")
            cells.read_port(
                domain=port.domain, addr=port.addr, data=out, en=port.en, transparent_for=shown
            )
            hits = [
                write.en.any() & (write.addr == port.addr)
                for write in memory.write_ports
                if write not in port.transparent_for
            ]
            hit = Signal(name=f"hit{number}")
            if port.domain == "comb":  # a register stands behind it
                m.d.comb += hit.eq(Cat(hits).any())
            else:
                with m.If(port.en):
                    m.d[port.domain] += hit.eq(Cat(hits).any())
            m.d.comb += Cat(port.data).eq(out ^ hit.replicate(len(out)))
        return m


@dataclass(frozen=True, slots=True)
class CollisionRecipe(PinsRecipe):
    """The library of such a device on two pins."""

    def facts(self) -> list[str]:
        """What the library depends on besides sources and tools."""
        return [*PinsRecipe.facts(self), Path(__file__).read_text("utf-8")]

    def elaborate(self) -> list[str]:
        """The program that writes ``shell.v``, given ``parameters.json`` beside it."""
        module = "gibbsite_sim.collisions"
        return [sys.executable, "-m", module, "parameters.json", "shell.v", str(self.divisor)]


def collision_library(parameters: DeviceParameters) -> Path:
    """The compiled device from the cache, built first if it is not there."""
    recipe = CollisionRecipe(parameters)
    return Cache(cache_folder() / "sim").obtain(
        recipe.key(),
        lambda folder: recipe.make(folder, lambda _what, _done, _all: None),
        lambda: None,
    )


def _main(given: str, out: str, divisor: str) -> None:
    from gibbsite_hw.serial_device import SerialDevice

    engines = json.loads(Path(given).read_text("utf-8"))
    device = SerialDevice(DeviceParameters.from_engines(engines), float(divisor), 1)
    text = component_verilog(device, TOP, CollidingMemories())
    Path(out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])

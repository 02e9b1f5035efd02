"""The device: its engines' shells behind one word stream.

A device with one engine is that engine's shell. With more, whole packets are routed by the engine
that their header names; each shell keeps its own state, and all engines may run at the same time.

Twin: `gibbsite_models.golden.device`.
"""

from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from gibbsite_hw.device_router import PacketRouter
from gibbsite_hw.graph_shell import GraphShell
from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.packets import Engine
from gibbsite_hw.words import word_layout

__all__ = ["DeviceShell"]


class DeviceShell(wiring.Component):
    """A device behind a word stream: ``command`` in, ``response`` out.

    Both are Amaranth streams of ``word`` (32 bits) and ``last``. Every port may stall at any time.
    After reset every engine is EMPTY. Each answers IDENTIFY with the fingerprint of the device.
    """

    def __init__(self, build: Build | None = None) -> None:
        self._parameters = DeviceParameters.of(build)
        super().__init__(
            {
                "command": In(stream.Signature(word_layout)),
                "response": Out(stream.Signature(word_layout)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        shells = self._shells()
        for engine, shell in shells.items():
            m.submodules[engine.name.lower()] = shell
        if len(shells) == 1:
            (inside,) = shells.values()
        else:
            m.submodules.router = inside = PacketRouter(tuple(shells))
            for number, shell in enumerate(shells.values()):
                connect(m, inside.commands[number], shell.command)
                connect(m, shell.response, inside.responses[number])
        connect(m, flipped(self.command), inside.command)
        connect(m, inside.response, flipped(self.response))
        return m

    def _shells(self) -> dict[Engine, wiring.Component]:
        """The shell of every engine, in the order of the engines' numbers."""
        parameters, shells = self._parameters, {}
        fingerprint = parameters.fingerprint()
        if parameters.graph is not None:
            shells[Engine.GRAPH] = GraphShell(parameters.graph, fingerprint)
        if parameters.lattice is not None:
            from gibbsite_hw.lattice_shell import LatticeShell

            shells[Engine.LATTICE] = LatticeShell(parameters.lattice, fingerprint)
        if parameters.langevin is not None:
            from gibbsite_hw.langevin_shell import LangevinShell

            shells[Engine.LANGEVIN] = LangevinShell(parameters.langevin, fingerprint)
        return shells

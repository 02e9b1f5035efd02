"""The word stream of the compiled emulator: golden's shells around compiled engines.

Packets, checks, refusals and counters are golden's own; only what computes the draws is compiled.

Twin: `gibbsite_models.golden.device.GoldenStream`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gibbsite_hw.spec.device_parameters import Build, DeviceParameters
from gibbsite_hw.spec.errors import ToolMissing
from gibbsite_hw.spec.packets import Engine
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.graph_shell import GraphShell
from gibbsite_models.golden.lattice_shell import LatticeShell
from gibbsite_sim.fast.graph import FastGraphEngine
from gibbsite_sim.fast.host import Host, Stage, silent
from gibbsite_sim.fast.workers import Workers

if TYPE_CHECKING:
    from gibbsite_sim.fast.lattice import FastLatticeEngine

__all__ = ["FastStream"]


class FastStream(GoldenStream):
    """The emulator of a build; ``threads`` share the chains of a run, ``stage`` hears of compiling.

    ``target``: "cpu", or "cuda" for the lattice on a GPU. Raises `ToolMissing` where there is none.
    Every engine gets the stream's `Host` by ``.on(host)``.
    """

    def __init__(
        self,
        build: Build | None = None,
        *,
        uri: str = "fast:",
        threads: int = 1,
        target: str = "cpu",
        stage: Stage | None = None,
    ) -> None:
        self.host = Host(Workers(threads), stage or silent)
        parameters = DeviceParameters.of(build)
        # what the build does not hold is not even imported: that takes its time
        engines = Engines(graph=FastGraphEngine.on(self.host))
        if parameters.langevin is not None:
            from gibbsite_sim.fast.langevin import FastLangevinEngine

            engines = replace(engines, langevin=FastLangevinEngine.on(self.host))
        if target != "cpu":
            engines = replace(engines, lattice=_cuda_lattice(uri).on(self.host))
        elif parameters.lattice is not None:
            from gibbsite_sim.fast.lattice import FastLatticeEngine

            engines = replace(engines, lattice=FastLatticeEngine.on(self.host))
        super().__init__(build, uri, engines)

    def graph_engine(self) -> FastGraphEngine | None:
        """The graph engine with its program and conditions; None where none is ready to run."""
        shell = self._named.get(Engine.GRAPH)
        engine = shell.ready() if isinstance(shell, GraphShell) else None
        return engine if isinstance(engine, FastGraphEngine) else None

    def lattice_engine(self) -> FastLatticeEngine | None:
        """The lattice engine with its program and conditions; None where none is ready to run."""
        from gibbsite_sim.fast.lattice import FastLatticeEngine

        shell = self._named.get(Engine.LATTICE)
        engine = shell.ready() if isinstance(shell, LatticeShell) else None
        return engine if isinstance(engine, FastLatticeEngine) else None

    def close(self) -> None:
        """Give the stream and its threads back; closing twice is allowed."""
        super().close()
        self.host.workers.close()


def _cuda_lattice(uri: str) -> type[FastLatticeEngine]:
    """The lattice engine for a GPU. Raises `ToolMissing` where none can be used."""
    from gibbsite_sim.fast.lattice_cuda import CudaLatticeEngine, cuda_present

    if not cuda_present():
        raise ToolMissing(
            f"{uri} wants a CUDA GPU and none is present here, or the driver or toolkit of one is "
            "missing (pip install 'gibbsite[cuda]'): leave target=cuda out to run the same "
            "programs, with the same bits, on this machine's processor"
        )
    return CudaLatticeEngine

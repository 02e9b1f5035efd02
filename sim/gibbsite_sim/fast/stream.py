"""The word stream of the compiled emulator: golden's shells around compiled engines.

Packets, checks, refusals and counters are golden's own; only what computes the draws is compiled.

Twin: `gibbsite_models.golden.device.GoldenStream`.
"""

from gibbsite_hw.spec.device_parameters import Build
from gibbsite_hw.spec.errors import ToolMissing
from gibbsite_hw.spec.packets import Engine
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.graph_shell import GraphShell
from gibbsite_sim.fast.graph import FastGraphEngine
from gibbsite_sim.fast.host import Host, Stage, silent
from gibbsite_sim.fast.lattice import FastLatticeEngine
from gibbsite_sim.fast.workers import Workers

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
        if target == "cuda":
            # where a lattice engine for GPUs would be chosen
            raise ToolMissing(
                f"{uri} wants a CUDA GPU and none is present here: leave target=cuda out to run "
                "the same programs, with the same bits, on this machine's processor"
            )
        self.host = Host(Workers(threads), stage or silent)
        super().__init__(
            build,
            uri,
            Engines(
                graph=FastGraphEngine.on(self.host),
                lattice=FastLatticeEngine.on(self.host),
            ),
        )

    def graph_engine(self) -> FastGraphEngine | None:
        """The graph engine with its program and conditions; None where none is ready to run."""
        shell = self._named.get(Engine.GRAPH)
        engine = shell.ready() if isinstance(shell, GraphShell) else None
        return engine if isinstance(engine, FastGraphEngine) else None

    def close(self) -> None:
        """Give the stream and its threads back; closing twice is allowed."""
        super().close()
        self.host.workers.close()

"""The golden device with the graph engine, as a predictor of what the real one answers."""

from collections.abc import Callable, Sequence
from typing import Any

from gibbsite_hw.spec.packets import Response
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_models.golden.device import Engines, GoldenStream
from gibbsite_models.golden.graph import GraphEngine, PassCost
from gibbsite_sim.cosim.packet_predictor import Answered, Golden, PacketPredictor

__all__ = ["Answered", "Predictor"]

COUNTERS = ("cycles", "sweep_cycles", "terms", "updates", "sweeps", "reads")


class Predictor(PacketPredictor):
    """Of a device with the graph engine; ``golden`` replaces the golden device."""

    def __init__(
        self,
        parameters: GraphParameters,
        on_answer: Callable[[Answered], None],
        on_run: Callable[[Response], None],
        golden: Callable[[GraphParameters, type[GraphEngine]], GoldenStream] | None = None,
    ) -> None:
        self._parameters = parameters
        self._make = golden or (lambda p, engine: GoldenStream(p, engines=Engines(graph=engine)))
        self._cost: list[PassCost] = []
        super().__init__(on_answer, on_run)

    def golden(self) -> Golden:
        costs = self._cost

        class Watched(GraphEngine):
            """The golden engine, which also leaves what a pass costs."""

            def __init__(self, *arguments: Any) -> None:
                super().__init__(*arguments)
                costs.append(self.cost)

        return self._make(self._parameters, Watched)

    def check_aborted(self, counters: Sequence[int], draws: int) -> None:
        """Whole passes of some chains, and the draws sent."""
        cost = self._cost[-1]
        count = dict(zip(COUNTERS, counters, strict=True))
        sweeps = count["sweeps"]
        starting = count["cycles"] - count["sweep_cycles"]
        chains, rest = divmod(starting, cost.seeding + cost.cycles)
        wanted = (sweeps * cost.cycles, sweeps * cost.terms, sweeps * cost.updates)
        if (count["sweep_cycles"], count["terms"], count["updates"]) != wanted:
            raise AssertionError(f"{sweeps} sweeps cost {wanted}, and the counters say {count}")
        if rest or not chains or count["reads"] != draws:
            raise AssertionError(f"{draws} draws were seen, and the counters say {count}")

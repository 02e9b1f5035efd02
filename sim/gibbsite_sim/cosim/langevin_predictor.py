"""The golden shell of the Langevin engine, as a predictor of what the real one answers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinRequest
from gibbsite_hw.spec.langevin_timing import (
    moment_cycles,
    pass_cycles,
    seeding_cycles,
    start_cycles,
)
from gibbsite_hw.spec.packets import Response
from gibbsite_models.golden.langevin import LangevinDraws, LangevinEngine
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.golden.langevin_schedule import Schedule
from gibbsite_models.golden.langevin_shell import LangevinShell
from gibbsite_sim.cosim.dialects import LANGEVIN
from gibbsite_sim.cosim.packet_predictor import Answered, Golden, PacketPredictor

__all__ = ["LangevinPredictor"]

Run = tuple[Weights, LangevinRequest]


class LangevinPredictor(PacketPredictor):
    """Of the Langevin engine's shell; ``engine`` replaces the golden engine in tests of tests."""

    dialect = LANGEVIN

    def __init__(
        self,
        parameters: LangevinParameters,
        on_answer: Callable[[Answered], None],
        on_run: Callable[[Response], None],
        engine: type[LangevinEngine] = LangevinEngine,
    ) -> None:
        self._parameters = parameters
        self._engine = engine
        self._runs: list[Run] = []
        super().__init__(on_answer, on_run)

    def golden(self) -> Golden:
        runs = self._runs
        whole: Any = self._engine  # a planted fault may stand in for the engine

        class Watched(whole):
            """The golden engine, which also leaves what it was asked to run."""

            def __init__(self, parameters: LangevinParameters, weights: Weights) -> None:
                super().__init__(parameters, weights)
                self.weights = weights

            def run(self, request: LangevinRequest) -> Iterator[list[LangevinDraws]]:
                runs.append((self.weights, request))
                blocks: Iterator[list[LangevinDraws]] = super().run(request)
                return blocks

        fingerprint = DeviceParameters.of(self._parameters).fingerprint()
        return LangevinShell(self._parameters, fingerprint, Watched)

    def check_aborted(self, counters: Sequence[int], draws: int) -> None:
        """Whole passes up to pass p of chain c, whose step is made only as the next pass begins.

        Moments of that pass are added or left out.
        """
        cycles, products, updates, steps, reads, _ = counters
        if reads != draws:
            raise AssertionError(f"{draws} draws were seen, and the counters say {reads}")
        seen = [cycles, products, updates]
        wanted = [cost for place in self._places(steps) for cost in self._costs(*place)]
        if seen not in wanted:
            raise AssertionError(f"{steps} steps cost {seen} and should cost one of {wanted}")

    def _places(self, steps: int) -> Iterator[tuple[int, int]]:
        """Every (chain, pass) at which so many steps were made."""
        _, request = self._runs[-1]
        whole = Schedule(request).steps
        near = range(request.chains) if whole == 0 else (steps // whole, steps // whole - 1)
        for chain in near:
            if 0 <= chain < request.chains and steps - chain * whole <= whole:
                yield chain, steps - chain * whole

    def _costs(self, chain: int, last: int) -> Iterator[list[int]]:
        """Cycles, products and updates up to a pass of a chain, with its moments and without."""
        weights, request = self._runs[-1]
        schedule, p = Schedule(request), self._parameters
        n, m, coupled = len(weights.quadratic), len(weights.rows), weights.couplings is not None
        fixed = seeding_cycles(p, n) + start_cycles(n)
        one = pass_cycles(p, n, m, coupled)

        def cycles(end: int, added: int) -> int:
            moments = schedule.additions(added, request.moment_every)
            return fixed + (end + 1) * one + moments * moment_cycles(len(request.pairs))

        before = chain * cycles(schedule.steps, schedule.steps)
        passes = chain * (schedule.steps + 1) + last + 1
        products = passes * (2 * m * n + coupled * n * n)
        for added in (last, last - 1):
            updates = (chain * schedule.steps + last) * n
            yield [before + cycles(last, added), products, updates]

"""The golden shell of the lattice engine, as a predictor of what the real one answers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gibbsite_hw.spec.device_parameters import DeviceParameters
from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeRequest
from gibbsite_hw.spec.lattice_timing import seeding_cycles, sweep_cycles
from gibbsite_hw.spec.packets import Response
from gibbsite_models.golden.lattice import LatticeDraws, LatticeEngine
from gibbsite_models.golden.lattice_shell import LatticeShell
from gibbsite_sim.cosim.dialects import LATTICE
from gibbsite_sim.cosim.packet_predictor import Answered, Golden, PacketPredictor

__all__ = ["LatticePredictor"]


class LatticePredictor(PacketPredictor):
    """Of the lattice engine's shell; ``engine`` replaces the golden engine in tests of tests."""

    dialect = LATTICE

    def __init__(
        self,
        parameters: LatticeParameters,
        on_answer: Callable[[Answered], None],
        on_run: Callable[[Response], None],
        engine: type[LatticeEngine] = LatticeEngine,
    ) -> None:
        self._parameters = parameters
        self._engine = engine
        self._runs: list[tuple[int, LatticeRequest]] = []
        super().__init__(on_answer, on_run)

    def golden(self) -> Golden:
        runs = self._runs
        whole: Any = self._engine  # a planted fault may stand in for the engine

        class Watched(whole):
            """The golden engine, which also leaves what it was asked to run."""

            def run(self, request: LatticeRequest) -> Iterator[LatticeDraws]:
                runs.append((self.columns, request))
                blocks: Iterator[LatticeDraws] = super().run(request)
                return blocks

        fingerprint = DeviceParameters.of(self._parameters).fingerprint()
        return LatticeShell(self._parameters, fingerprint, Watched)

    def check_aborted(self, counters: Sequence[int], draws: int) -> None:
        """Whole sweeps of whole groups, and the draws sent."""
        p = self._parameters
        columns, request = self._runs[-1]
        cycles, swept, updates, sweeps, reads, waits = counters
        sweep = sweep_cycles(p, columns)
        if reads != draws:
            raise AssertionError(f"{draws} draws were seen, and the counters say {reads}")
        started, rest = divmod(cycles - swept - waits, seeding_cycles(p) + sweep)
        if rest or not 1 <= started <= -(-request.chains // p.banks):
            raise AssertionError(f"{cycles - swept - waits} cycles are no whole starts of groups")
        passed, rest = divmod(swept, sweep)
        if rest or updates != sweeps * columns * p.rows:
            raise AssertionError(f"{swept} cycles, {updates} sites are no whole sweeps")
        # all groups but the last one have as many chains as there are banks
        most = passed * min(p.banks, request.chains)
        if not passed <= sweeps <= most:
            raise AssertionError(f"{passed} sweeps of a group cannot be {sweeps} of chains")

"""The graph engine compiled: golden's draws, to the bit, of packs of chains side by side.

Chains run in packs whose numbers fit a near cache; packs are shared by threads. Runs are cut into
slices of compiled code of about a tenth of a second, so that Ctrl-C is heard.

Source: docs/graph-engine.md and docs/fast-device.md. Twin: ``gibbsite_models.golden.graph``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, Row, RunRequest
from gibbsite_models.golden.graph import Draws, GraphEngine
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast.host import Host
from gibbsite_sim.fast.workers import Job

if TYPE_CHECKING:
    from gibbsite_sim.fast.graph_kernels import Pack

__all__ = ["FastGraphEngine"]

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]

BLOCK_BYTES = 256 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

BLOCK_WORK = 4e9
"""Operations of a block for each thread, some seconds: so often are draws read."""

PACK_BYTES = 1 << 20
"""Bits and fields of a pack: about a core's second cache."""

MOST_CHAINS = 1 << 16
"""Chains of one block at most."""

VECTOR = 16
"""Numbers of 32 bits in a vector; packs are multiples of it where there are as many chains."""

LEAST_PACK, MOST_PACK = 64, 128
"""Chains of a pack where there are enough: fewer do not pay for what is done once a slot."""

MOST_PLACES = 1 << 16
"""Thresholds at one beta at most: 256 kB, so that they too stay in a near cache."""


class FastGraphEngine(GraphEngine):
    """One loaded program; subclasses made by `on` know their host.

    Programs whose rows depend on each other, which no driver loads, are left to golden.
    """

    host: ClassVar[Host]

    @classmethod
    def on(cls, host: Host) -> type[FastGraphEngine]:
        """The engine of a stream, as a shell takes it."""
        return type(cls.__name__, (cls,), {"host": host})

    def __init__(self, parameters: GraphParameters, rows: Sequence[Row], entries: UInt32) -> None:
        # late: a device that never draws compiles nothing and needs no compiler
        from gibbsite_sim.fast.graph_plan import Plan

        super().__init__(parameters, rows, entries)
        self._plan = Plan(parameters, rows, entries)
        self._conditioned: tuple[bytes, ...] = ()

    def condition(self, conditions: Conditions) -> None:
        """Take over biases and clamps."""
        from gibbsite_sim.fast.graph_passes import Passes
        from gibbsite_sim.fast.graph_thresholds import rises

        parts = (conditions.biases, conditions.clamps_on, conditions.clamps_off)
        given = tuple(part.tobytes() for part in parts)
        if given != self._conditioned:
            super().condition(conditions)
            most = MOST_PLACES if rises(self.parameters) else 0
            fields = self._plan.fields(conditions, most)
            self._passes = Passes(self.parameters, self._plan, fields)
            self._conditioned = given

    # --- runs -------------------------------------------------------------------------------------

    def run(self, request: RunRequest) -> Iterator[Draws]:
        """All draws in order of chain, then draw; computed as they are taken, in bounded memory."""
        if self._plan.dependent:
            yield from super().run(request)
            return
        self._warm()
        betas = [*request.betas, _last(request)]
        sweeps = len(request.betas) * request.sweeps_per_step + (request.draws - 1) * request.thin
        self._do([partial(self._passes.prepare, betas, request.chains * sweeps)])
        block = self._fitting(request, sweeps)
        for begin in range(0, request.chains, block):
            chains = np.arange(begin, min(begin + block, request.chains), dtype=np.uint64)
            numbers = (chains + np.uint64(request.first_chain)) % np.uint64(1 << 32)
            if numbers.size == 1:  # a chain on its own need not wait for its last draw
                yield from self._chain(numbers, request)
            else:
                yield self._chains(numbers, request)

    def replicas(
        self, seed: int, numbers: UInt64, betas: Int64, states: UInt32 | None, sweeps: int
    ) -> tuple[UInt32, Int64]:
        """States ``uint32[K, rows]`` and energies of chains that sweep at betas of their own.

        They start from ``states uint32[K, rows]``, as `accepts` wants them, or are drawn.
        """
        self._warm()
        passes, count = self._passes, numbers.size
        self._do([partial(passes.prepare, betas.tolist(), count * sweeps)])
        found = np.zeros((count, len(self._rows)), dtype=np.uint32)
        energies = np.zeros(count, dtype=np.int64)

        def job(part: slice) -> Iterator[None]:
            given = None if states is None else states[part]
            pack = passes.begin(seed, numbers[part], given, False)
            yield
            yield from passes.sweep_each(pack, betas[part], sweeps)
            energies[part] = pack.energy
            found[part] = passes.words(pack.bits)

        self._do([partial(job, part) for part in self._parts(count)])
        return found, energies

    def accepts(self, states: UInt32) -> bool:
        """Whether runs may start from each of ``states uint32[K, rows]``."""
        fits = states.ndim == 2 and states.shape[1] == len(self._rows)
        return fits and self._passes.first_refused(states) < 0

    # --- parts of the above -----------------------------------------------------------------------

    def _chain(self, numbers: UInt64, request: RunRequest) -> Iterator[Draws]:
        """The draws of one chain, each as soon as it is made."""
        pack = self._passes.begin(request.seed, numbers, _given(request, 1), request.best)
        for _ in self._passes.anneal(pack, request.betas, request.sweeps_per_step):
            pass
        for draw in range(request.draws):
            if draw:
                for _ in self._passes.anneal(pack, [_last(request)], request.thin):
                    pass
            out = self._empty(1, 1, request)
            self._record(pack, out, slice(0, 1), 0, request)
            yield out

    def _chains(self, numbers: UInt64, request: RunRequest) -> Draws:
        """All draws of some chains."""
        out = self._empty(numbers.size, request.draws, request)

        def job(part: slice) -> Iterator[None]:
            chains, passes = numbers[part], self._passes
            pack = passes.begin(request.seed, chains, _given(request, chains.size), request.best)
            yield
            yield from passes.anneal(pack, request.betas, request.sweeps_per_step)
            for draw in range(request.draws):
                if draw:
                    yield from passes.anneal(pack, [_last(request)], request.thin)
                self._record(pack, out, part, draw, request)

        self._do([partial(job, part) for part in self._parts(numbers.size)])
        return out

    def _empty(self, chains: int, draws: int, request: RunRequest) -> Draws:
        rows = len(self._rows)
        return Draws(
            np.zeros((chains, draws), dtype=np.int64),
            np.zeros((chains, draws, rows * request.samples), dtype=np.uint32),
            np.zeros((chains, draws), dtype=np.int64),
            np.zeros((chains, draws, rows * request.best), dtype=np.uint32),
        )

    def _record(self, pack: Pack, out: Draws, part: slice, draw: int, request: RunRequest) -> None:
        """Write a draw of a pack's chains where it belongs."""
        out.energies[part, draw] = pack.energy
        out.best_energies[part, draw] = pack.best_energy
        if request.samples:
            out.states[part, draw] = self._passes.words(pack.bits)
        if request.best:
            out.best_states[part, draw] = self._passes.words(pack.best_bits)

    def _warm(self) -> None:
        """Compile, or load, what every run needs, and say so."""
        from gibbsite_sim.fast.graph_passes import warm

        with self.host.compiling("graph"):
            warm(self.parameters)

    def _do(self, jobs: Sequence[Job]) -> None:
        self.host.workers.run(jobs)

    def _parts(self, chains: int) -> list[slice]:
        """Packs of chains: as large as a near cache allows, and enough of them for all threads."""
        fitting = min(max(LEAST_PACK, PACK_BYTES // (5 * self._plan.slots)), MOST_PACK)
        share = -(-chains // self.host.workers.threads)
        size = -(-min(fitting, share) // VECTOR) * VECTOR
        return [slice(begin, min(begin + size, chains)) for begin in range(0, chains, size)]

    def _fitting(self, request: RunRequest, sweeps: int) -> int:
        """Chains that fit `BLOCK_BYTES` and `BLOCK_WORK` together; at least one."""
        words = len(self._rows) * (request.samples + request.best) + 4
        pack = self._plan.slots * 10 + self.parameters.lanes * 16
        bytes_each = pack + 2 * 4 * words * request.draws
        work = BLOCK_WORK * self.host.workers.threads / (self._plan.work * (sweeps + 2))
        least = VECTOR * self.host.workers.threads
        return max(1, min(BLOCK_BYTES // bytes_each, max(least, int(work)), MOST_CHAINS))


def _last(request: RunRequest) -> int:
    """The beta code of sweeps between draws."""
    return request.betas[-1] if len(request.betas) else 0


def _given(request: RunRequest, chains: int) -> UInt32 | None:
    """The given state, once for every chain."""
    if request.state is None:
        return None
    return np.tile(np.array(request.state, dtype=np.uint32), (chains, 1))

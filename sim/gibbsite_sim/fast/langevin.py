"""The Langevin engine compiled: golden's bits, LANES chains at a time.

Twin: `gibbsite_models.golden.langevin.LangevinEngine`, whose program, schedule and draws it shares.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.langevin_parameters import LangevinParameters
from gibbsite_hw.spec.langevin_program import LangevinRequest
from gibbsite_hw.spec.langevin_tables import LANGEVIN_ENGINE
from gibbsite_models.golden.langevin import LangevinDraws, LangevinEngine
from gibbsite_models.golden.langevin_field import Weights
from gibbsite_models.golden.langevin_schedule import Schedule
from gibbsite_sim.fast.host import Host, silent
from gibbsite_sim.fast.langevin_machine import LANES
from gibbsite_sim.fast.langevin_noise import gaussian_lines
from gibbsite_sim.fast.langevin_pass import advance, start
from gibbsite_sim.fast.langevin_tail import Drawn
from gibbsite_sim.fast.langevin_terms import CompiledField, Plan, Terms, Tiles, plan, scratch, tiles
from gibbsite_sim.fast.noise import seed_streams
from gibbsite_sim.fast.workers import Job, Workers

__all__ = ["FastLangevinEngine"]

BLOCK_BYTES = 128 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""
SLICE = 1e8
"""Nanoseconds, about, after which compiled code comes back, so that Ctrl-C is heard."""
BLOCK_SLICES = 3
"""Slices of each thread that a block aims at, so that its draws come soon."""


class FastLangevinEngine(LangevinEngine):
    """One loaded program. Threads come from `on`; without it there is one."""

    host: ClassVar[Host] = Host(Workers(), silent)

    def __init__(self, parameters: LangevinParameters, weights: Weights) -> None:
        self.parameters = parameters
        self.field: CompiledField = CompiledField(weights)

    @classmethod
    def on(cls, host: Host) -> type[Self]:
        """The engine whose chains are shared by the threads of ``host``."""
        return type(cls.__name__, (cls,), {"host": host})

    def run(self, request: LangevinRequest) -> Iterator[list[LangevinDraws]]:
        """Draws of blocks of chains: all draws of a block, or one by one of a chain on its own."""
        terms, schedule = self.field.terms(), plan(request, self.field.units)
        block = self._chains_of_a_block(request, schedule)
        for begin in range(0, request.chains, block):
            count = min(block, request.chains - begin)
            run = _Block(self, request, terms, schedule, begin, count)
            if count == 1:
                yield from ([draw] for draws in run.in_parts() for draw in draws)
            else:
                yield run.draws(0, request.draws)

    def seeded(self, request: LangevinRequest, numbers: NDArray[np.uint64]) -> Tiles:
        """Tiles whose streams are seeded and whose states are not yet drawn."""
        field, count = self.field, len(numbers) // LANES
        room = tiles(count, field.units, field.constraints, len(request.pairs), request.best)
        seed, engine = (np.array([key], dtype=np.uint64) for key in (request.seed, LANGEVIN_ENGINE))
        for tile in range(count):
            own = numbers[tile * LANES : (tile + 1) * LANES]
            streams = room.streams[tile].view(np.uint32)
            seed_streams(seed, engine, own, streams)
        return room

    def cost(self) -> float:
        """About how long a pass of a tile takes: nanoseconds for products and for units."""
        words = sum(len(those.places) for those in self.field.panels)
        return LANES * (0.08 * words + 4.0 * self.field.units + 2.0 * self.field.constraints)

    def _chains_of_a_block(self, request: LangevinRequest, schedule: Plan) -> int:
        """Chains that fit `BLOCK_BYTES` and take a few slices; whole tiles where there are many."""
        units, constraints, threads = (
            self.field.units,
            self.field.constraints,
            self.host.workers.threads,
        )
        chain = 64 * units + 16 * constraints + 8 * len(request.pairs) + 32
        chain += 8 * request.draws * (units * (request.samples + request.best) + 8)
        fit = max(1, BLOCK_BYTES // chain)
        soon = int(BLOCK_SLICES * SLICE / (self.cost() * (schedule.steps + 1)))
        many = min(fit // LANES, max(1, soon) * threads)
        return max(1, many * LANES) if many else fit


class _Block:
    """Chains that go through the passes together."""

    def __init__(
        self,
        engine: FastLangevinEngine,
        request: LangevinRequest,
        terms: Terms,
        schedule: Plan,
        begin: int,
        count: int,
    ) -> None:
        self._engine, self._request, self._terms, self._plan = engine, request, terms, schedule
        self._count = count
        # lanes without a chain of their own repeat the last one
        chains = np.minimum(np.arange(-(-count // LANES) * LANES), count - 1)
        numbers = (request.first_chain + begin + chains) % (1 << 32)
        with engine.host.compiling("langevin"):
            self._tiles = engine.seeded(request, numbers.astype(np.uint64))
            room = scratch(engine.field.units, engine.field.constraints)
            start(terms, schedule, self._tiles, room, gaussian_lines())
            self._walk(0, 0, self._room(0, 0))
        self._done = 0

    def in_parts(self) -> Iterator[list[LangevinDraws]]:
        """All draws, as many at a time as fit memory and a few slices."""
        cost = self._engine.cost()
        units = self._engine.field.units * (self._request.samples + self._request.best)
        few = int(BLOCK_SLICES * SLICE / (cost * self._plan.thin))
        part = max(1, min(few, BLOCK_BYTES // (8 * units + 64)))
        for first in range(0, self._request.draws, part):
            yield self.draws(first, min(first + part, self._request.draws))

    def draws(self, first: int, last: int) -> list[LangevinDraws]:
        """Draws ``first .. last - 1``; those before were made."""
        drawn, schedule = self._room(first, last), self._plan
        end = schedule.first + (last - 1) * schedule.thin + 1
        self._walk(self._done, end, drawn)
        self._done = end
        return [self._draw(drawn, at, first + at) for at in range(last - first)]

    def _room(self, first: int, last: int) -> Drawn:
        shape, units = (last - first, self._count), self._engine.field.units
        energies, work, heat, best, saturations = np.zeros((5, *shape), dtype=np.int64)
        return Drawn(
            first=np.array([first], dtype=np.int64),
            energies=energies,
            work=work,
            heat=heat,
            best_energies=best,
            saturations=saturations,
            states=np.zeros((*shape, units * self._request.samples), dtype=np.int64),
            best_states=np.zeros((*shape, units * self._request.best), dtype=np.int64),
        )

    def _walk(self, begin: int, end: int, drawn: Drawn) -> None:
        """Passes ``begin .. end - 1`` of all tiles, shared by the threads."""
        count = len(self._tiles.z)
        workers = self._engine.host.workers
        parts = min(count, workers.threads)
        bounds = [count * part // parts for part in range(parts + 1)]
        workers.run([self._job(low, high, begin, end, drawn) for low, high in pairwise(bounds)])

    def _job(self, low: int, high: int, begin: int, end: int, drawn: Drawn) -> Job:
        """Passes of some tiles in slices: all passes of a few tiles, or some of one."""
        passes = max(1, int(SLICE / self._engine.cost()))
        together = max(1, passes // max(1, end - begin))

        def job() -> Iterator[None]:
            room = scratch(self._engine.field.units, self._engine.field.constraints)
            for tile in range(low, high, together):
                some = (tile, min(tile + together, high))
                for p in range(begin, max(end, begin + 1), passes):
                    slice_ = (p, min(p + passes, end))
                    advance(
                        self._terms, self._plan, self._tiles, drawn, room, gaussian_lines(),
                        some, slice_,
                    )  # fmt: skip
                    yield

        return job

    def _draw(self, drawn: Drawn, at: int, number: int) -> LangevinDraws:
        request, schedule = self._request, self._plan
        last = number == request.draws - 1
        moments = self._tiles.moments.transpose(0, 2, 1).reshape(
            len(self._tiles.z) * LANES, len(request.pairs)
        )
        step = schedule.first + number * schedule.thin
        return LangevinDraws(
            number=number,
            step=step,
            energies=drawn.energies[at],
            work=drawn.work[at],
            heat=drawn.heat[at],
            states=drawn.states[at],
            best_energies=drawn.best_energies[at],
            best_states=drawn.best_states[at],
            saturations=drawn.saturations[at],
            moments=moments[: self._count] if last else np.zeros((self._count, 0), dtype=np.int64),
            additions=Schedule(request).additions(step, request.moment_every),
        )

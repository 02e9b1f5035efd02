"""Passes of packs of chains in slices of compiled code, with thresholds where they pay.

Each method that sweeps yields after every slice, so that its caller can look for Ctrl-C.

Twin: `gibbsite_models.golden.graph.GraphEngine`'s `start` and `sweep`.
"""

from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, Row
from gibbsite_hw.spec.tables import GRAPH_ENGINE
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.fast.graph_kernels import Pack, start_pass, sweep_passes
from gibbsite_sim.fast.graph_plan import Fields, Plan
from gibbsite_sim.fast.graph_states import first_refused, pack_words, unpack_words
from gibbsite_sim.fast.graph_thresholds import NONE, ThresholdStore
from gibbsite_sim.fast.noise import seed_streams, shaping

__all__ = ["Passes", "warm"]

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
UInt64 = NDArray[np.uint64]

SLICE_WORK = 1e8
"""Operations in one call of compiled code, about a tenth of a second."""

FINDING = 60
"""What finding a threshold costs, in decisions by the score that it may save."""


class Passes:
    """What passes need: a plan, its fields under today's conditions, and thresholds of betas.

    `prepare` comes before the sweeps of every run.
    """

    def __init__(self, parameters: GraphParameters, plan: Plan, fields: Fields) -> None:
        self._parameters, self._plan, self._fields = parameters, plan, fields
        self._store = ThresholdStore(parameters, fields.values)
        self._noise = shaping(parameters)
        self._thresholds = NONE

    def prepare(self, betas: Sequence[int], passes: int) -> Iterator[None]:
        """Find the thresholds of these betas if ``passes`` sweeps of a chain at them repay it."""
        places = self._fields.values.size
        cost = FINDING * self._store.missing(betas) * places
        fits = places > 0 and len(set(betas)) <= self._store.most_levels
        self._thresholds = NONE
        if not fits or cost > self._plan.slots * passes:
            return
        yield from self._store.prepare(betas)
        self._thresholds = self._store.thresholds()

    def begin(self, seed: int, numbers: UInt64, states: UInt32 | None, best: bool) -> Pack:
        """Chains after their start pass, drawn or from ``states uint32[chains, rows]``."""
        plan, fields, chains = self._plan, self._fields, numbers.size
        slots = plan.slots
        pack = Pack(
            x=np.empty((slots, chains), dtype=fields.start_x.dtype),
            bits=np.zeros((slots, chains), dtype=np.int8),
            streams=np.empty((plan.lanes, 4, chains), dtype=np.uint32),
            energy=np.zeros(chains, dtype=np.int64),
            best_energy=np.zeros(chains, dtype=np.int64),
            best_bits=np.zeros((slots if best else 0, chains), dtype=np.int8),
        )
        seed_streams(_key(seed), _key(GRAPH_ENGINE), numbers, pack.streams)
        if states is not None:
            unpack_words(plan.layout.lane_slot, states, pack.bits)
        given = states is not None
        start_pass(plan.layout, plan.reads, plan.earlier, fields, self._noise, pack, given)
        return pack

    def anneal(self, pack: Pack, betas: Sequence[int], sweeps: int) -> Iterator[None]:
        """``sweeps`` sweeps at each of the betas in turn, the same for all chains."""
        codes = np.array(betas, dtype=np.int64)
        levels = self._levels(betas)
        total, step = len(betas) * sweeps, self._slice(pack)
        for begin in range(0, total, step):
            at = np.arange(begin, min(begin + step, total)) // sweeps
            self._sweep(pack, codes[at, None], levels[at, None])
            yield

    def sweep_each(self, pack: Pack, betas: Int64, sweeps: int) -> Iterator[None]:
        """``sweeps`` sweeps, every chain at a beta of its own."""
        levels = self._levels(betas.tolist())
        step = self._slice(pack)
        for begin in range(0, sweeps, step):
            count = min(step, sweeps - begin)
            self._sweep(pack, np.tile(betas, (count, 1)), np.tile(levels, (count, 1)))
            yield

    def first_refused(self, states: UInt32) -> int:
        """The first of ``states uint32[chains, rows]`` that no run may start from, or -1."""
        return int(first_refused(self._plan.layout, self._fields.held, states))

    def words(self, bits: NDArray[np.int8]) -> UInt32:
        """The states of bits, ``uint32[chains, rows]``."""
        lane_slot = self._plan.layout.lane_slot
        states = np.empty((bits.shape[1], lane_slot.shape[0]), dtype=np.uint32)
        pack_words(lane_slot, bits, states)
        return states

    def _levels(self, betas: Sequence[int]) -> Int32:
        if self._thresholds is NONE:
            return np.zeros(len(betas), dtype=np.int32)
        return np.array([self._store.level(beta) for beta in betas], dtype=np.int32)

    def _slice(self, pack: Pack) -> int:
        """Sweeps of one call."""
        return max(1, int(SLICE_WORK / (self._plan.work * pack.energy.size)))

    def _sweep(self, pack: Pack, betas: Int64, levels: Int32) -> None:
        sweep_passes(
            self._plan.layout,
            self._plan.turns,
            self._fields,
            self._noise,
            self._thresholds,
            pack,
            betas,
            levels,
            self._parameters.beta_shift,
        )


def _key(word: int) -> UInt64:
    """A key word of the seed hash, as compiled code takes it."""
    return np.array([word], dtype=np.uint64)


def warm(parameters: GraphParameters) -> None:
    """Let everything compile, or load, on one p-bit; what a run meets then is ready."""
    row = Row(length=1, fold=0, group=False, first=False, last=False, barrier=True, mask=1)
    plan = Plan(parameters, [row], np.zeros((1, parameters.lanes), dtype=np.uint32))
    none = array("I", [0])
    fields = plan.fields(Conditions(array("i", [0] * parameters.lanes), none, none), 1)
    passes = Passes(parameters, plan, fields)
    pack = passes.begin(0, np.zeros(1, dtype=np.uint64), np.zeros((1, 1), dtype=np.uint32), True)
    for work in (passes.prepare([1], 1 << 20), passes.anneal(pack, [1], 1)):
        for _ in work:
            pass
    passes.first_refused(passes.words(pack.bits))

"""Exact thresholds of p-bits: which uniforms set a bit at one beta, for every field that can occur.

    bit = 1  where  noise(u) > drift,     drift = beta_code * 2 f >> beta_shift

The noise does not fall as u grows, so this holds for all u above

    T = max {u : noise(u) <= drift},

found by bisection. A bit that is set whatever u has the mark ``always`` in T's place, a uniform
which is no T since the next one gives the same noise. Builds whose tables are so coarse that the
noise does fall somewhere (`rises` says) have no thresholds and decide by the score itself.

Twin: what `gibbsite_models.golden.graph.GraphEngine.score` does for one uniform.
"""

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.tables import FRACTION_BITS
from gibbsite_models.golden.noise import shape_noise
from gibbsite_sim.fast.compiled import compiled
from gibbsite_sim.fast.graph_kernels import Thresholds
from gibbsite_sim.fast.noise import NoiseTables, shape, shaping

__all__ = ["ThresholdStore", "mark_of_always", "rises"]

Int64 = NDArray[np.int64]
UInt32 = NDArray[np.uint32]

MOST_BYTES = 64 << 20
"""Memory of the tables that are kept."""

SLICE = 1 << 19
"""Thresholds found in one call of compiled code, some tenth of a second."""

NONE = Thresholds(np.zeros(0, dtype=np.uint32), 0, 0)
"""No thresholds: scores decide."""


@compiled
def _find(
    table: UInt32, values: Int64, beta: int, shift: int, noise: NoiseTables, always: int
) -> None:
    """``T`` for every field of ``values``."""
    for k in range(values.size):
        drift = beta * (2 * values[k]) >> shift
        low, high = np.int64(-1), np.int64(1 << 32)  # noise(low) <= drift < noise(high)
        while high - low > 1:
            middle = (low + high) >> 1
            code = shape(
                np.uint32(middle),
                False,
                noise.base,
                noise.slope,
                noise.shifts,
                noise.starts,
                noise.cut,
            )
            if code <= drift:
                low = middle
            else:
                high = middle
        table[k] = np.uint32(low) if low >= 0 else np.uint32(always)


class ThresholdStore:
    """Tables of one list of fields, made for a beta when it is first met and kept."""

    def __init__(self, parameters: GraphParameters, values: Int64) -> None:
        self._parameters = parameters
        self._values = values
        self._levels: dict[int, int] = {}
        self._table = np.zeros((0, values.size), dtype=np.uint32)

    @property
    def most_levels(self) -> int:
        """Betas whose tables may be kept at a time."""
        return max(1, MOST_BYTES // (4 * max(1, self._values.size)))

    def missing(self, betas: Sequence[int]) -> int:
        """Betas of these that were not met before."""
        return len(set(betas) - self._levels.keys())

    def prepare(self, betas: Sequence[int]) -> Iterator[None]:
        """Make what is missing, at most `most_levels` betas; yields after every slice of work."""
        wanted = sorted(set(betas) - self._levels.keys())
        if len(self._levels) + len(wanted) > self.most_levels:
            self._levels.clear()
            wanted = sorted(set(betas))
        needed = len(self._levels) + len(wanted)
        if needed > len(self._table):
            grown = np.zeros(
                (max(needed, min(2 * len(self._table), self.most_levels)), self._values.size),
                dtype=np.uint32,
            )
            grown[: len(self._table)] = self._table
            self._table = grown
        noise, always = shaping(self._parameters), mark_of_always(self._parameters)
        for beta in wanted:
            level = len(self._levels)
            for begin in range(0, self._values.size, SLICE):
                part = slice(begin, begin + SLICE)
                _find(
                    self._table[level, part],
                    self._values[part],
                    beta,
                    self._parameters.beta_shift,
                    noise,
                    always,
                )
                yield
            self._levels[beta] = level

    def thresholds(self) -> Thresholds:
        """All tables made so far."""
        always = mark_of_always(self._parameters)
        return Thresholds(self._table.ravel(), self._values.size, always)

    def level(self, beta: int) -> int:
        """Where the table of a beta is that was prepared."""
        return self._levels[beta]


@cache
def rises(parameters: GraphParameters) -> bool:
    """Whether logistic noise never falls as the uniform grows.

    Within a segment it is a floor of a line that rises; so what remains are the ends of segments
    and the middle.
    """
    noise = shaping(parameters)
    if int(noise.slope[: noise.starts[1, 0]].min()) < 0:  # before the Gumbel's
        return False
    ends = {1 << 31}
    for octave, shift in enumerate(noise.shifts.tolist()):
        segments = 1 << (31 - shift - FRACTION_BITS)
        for segment in range(segments):
            # numbers 2 v + 1 with this octave and segment begin here; v rounds up
            number = (1 << 31) + (segment << (31 - segments.bit_length() + 1))
            ends.add((number >> octave) + 1 >> 1)
    lower = np.array(sorted(ends), dtype=np.int64)
    upper = (1 << 32) - lower  # the mirror image: v of the upper half is inverted
    firsts = np.unique(np.concatenate([lower, upper]))
    firsts = firsts[(firsts > 0) & (firsts < 1 << 32)]
    before, after = _codes(parameters, firsts - 1), _codes(parameters, firsts)
    return bool(np.all(before <= after))


@cache
def mark_of_always(parameters: GraphParameters) -> int:
    """A uniform that is no threshold: the next one has the same noise."""
    for mark in range(1 << 31, (1 << 31) + (1 << 20)):
        pair = _codes(parameters, np.array([mark, mark + 1]))
        if pair[0] == pair[1]:
            return mark
    raise AssertionError("noise codes are fewer than uniforms")


def _codes(parameters: GraphParameters, uniforms: Int64) -> Int64:
    p = parameters
    bits = (p.noise_index_bits, p.noise_tail_bits)
    return shape_noise(uniforms.astype(np.uint32), False, p.score_frac, *bits)

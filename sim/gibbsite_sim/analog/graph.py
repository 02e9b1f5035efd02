"""The graph engine as stochastic comparators: p-bits and winner-take-all groups with mismatch.

    p-bit:  1 where  noise_L > slope_i beta 2 (f_i + C o_i),      P = 1/(1 + exp(slope beta dE))
    group:  the state with the largest  noise_G - slope_i beta (f_i + C o_i)
    f_i   = b_i + sum_j (1 + e_ij) w_ij v_j

Weights and biases stand behind DACs of their own reference, beta behind a logarithmic one; C is the
larger of the two references, o an offset in parts of it. Noise is logistic or Gumbel as in the
digital engine; its spread is part of the slope. Comparators decide colour class by colour class, as
rows are clocked. The host computes energies from the states that it reads, exactly.

Twin: ``gibbsite_models.golden.graph``, whose passes these are.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, Row, RunRequest
from gibbsite_models.golden.couplings import Entries
from gibbsite_models.golden.graph import Chains, Draws, GraphEngine
from gibbsite_models.golden.noise import UInt32
from gibbsite_sim.analog.chip import Chip
from gibbsite_sim.analog.converters import dac, log_dac

__all__ = ["AnalogGraphEngine"]

Int64 = NDArray[np.int64]
Floats = NDArray[np.float64]


class AnalogGraphEngine(GraphEngine):
    """One loaded program on a chip; subclasses made by `on` know which."""

    chip: Chip

    @classmethod
    def on(cls, chip: Chip) -> type["AnalogGraphEngine"]:
        """The engine of a chip, as a shell takes it."""
        return type(cls.__name__, (cls,), {"chip": chip})

    def __init__(self, parameters: GraphParameters, rows: Sequence[Row], entries: UInt32) -> None:
        super().__init__(parameters, rows, entries)
        taken = Entries.decode(parameters, entries)
        bits = self.chip.parameters.dac_bits
        weights = dac(taken.weight.astype(np.float64), bits)
        self._reference = float(np.abs(taken.weight).max(initial=0))
        self._terms: list[_Terms] = []
        word = 0
        for row in rows:
            words = slice(word, word + row.length)
            word += row.length
            parts = weights[words] * self.chip.synapse[words]
            self._terms.append(_Terms(row, taken.address[words], taken.state[words], parts))
        self._sensed: dict[int, Floats] = {}
        self._top_beta = 0

    def run(self, request: RunRequest) -> Iterator[Draws]:
        """All draws in order of chain, then draw; the schedule's largest beta is the reference."""
        self._top_beta = max(request.betas, default=0)
        yield from super().run(request)

    def condition(self, conditions: Conditions) -> None:
        """Take over biases and clamps."""
        super().condition(conditions)
        biases = np.array(conditions.biases, dtype=np.float64)
        largest = float(np.abs(biases).max(initial=0.0))
        offsets = max(largest, self._reference) * self.chip.comparator[: len(biases)]
        self._biases = dac(biases, self.chip.parameters.dac_bits) + offsets

    def field(self, row: Any, chains: Chains, start: bool) -> Int64:
        """The exact field, for the host's energies; what comparators sense waits for their score.

        In the start pass nothing is sensed, since beta is 0.
        """
        if not start:
            sums = self._terms[row.number].sums(chains.bits)
            self._sensed[row.number] = sums + self._biases[row.addresses, None]
        return super().field(row, chains, start)

    def score(self, row: Any, field: Int64, uniform: UInt32, beta_code: int) -> Int64:
        """``noise - slope beta dE`` of what was sensed, in the digital score's format."""
        p = self.parameters
        beta = log_dac(beta_code, self.chip.parameters.dac_bits, self._top_beta)
        if beta == 0:
            return super().score(row, np.zeros_like(field), uniform, 0)
        slope = beta * (1 if row.group else 2) / 2.0**p.beta_shift
        drift = (slope * self.chip.slope[row.addresses])[:, None] * self._sensed[row.number]
        score: Int64 = self.noise(uniform, row.group) - np.rint(drift).astype(np.int64)
        return score


class _Terms:
    """Couplings of one row as a circuit sums them: ``sum (1 + e) w v``, v = -1/+1 or 0/1."""

    def __init__(self, row: Row, address: Int64, state: NDArray[np.bool_], weights: Floats) -> None:
        lanes = [lane for lane in range(address.shape[1]) if row.mask >> lane & 1]
        slot_of_lane = np.full(address.shape[1], -1, dtype=np.intp)
        for number, lane in enumerate(lanes):
            slot_of_lane[lane : lane + (1 << row.fold)] = number
        slot = np.broadcast_to(slot_of_lane, address.shape)
        used = (slot >= 0) & (weights != 0)
        columns, place = np.unique(address[used], return_inverse=True)
        scaled = np.where(state[used], 1, 2) * weights[used]
        self._columns = columns.astype(np.intp)
        shape = (len(lanes), len(columns))
        self._matrix = sparse.coo_array((scaled, (slot[used], place)), shape=shape).tocsr()
        self._constant = np.zeros(len(lanes))
        np.subtract.at(self._constant, slot[used], np.where(state[used], 0, weights[used]))

    def sums(self, bits: NDArray[np.uint8]) -> Floats:
        """``float64[slots of the row, chains]`` from ``bits[all slots, chains]``."""
        product: Floats = self._matrix @ bits[self._columns].astype(np.float64)
        return product + self._constant[:, None]

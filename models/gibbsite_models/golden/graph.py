"""The graph engine on arrays: Gibbs sweeps over p-bits and one-hot groups in exact integers.

    f = b + sum_j w_j v_j,    score = noise - (beta_code * dE >> beta_shift),    dE = 2 f or f

A p-bit becomes 1 where its score is above 0; the state of a group with the largest score wins. Many
chains go through one pass together; each has its own streams, so that its samples do not depend on
which chains go beside it. Arrays have the chain as their last axis: bits ``uint8[slots, chains]``,
energies ``int64[chains]``. Nothing here is rounded: sums are int64, which the constructor checks.

Source: the page docs/graph-engine.md, function by function.
Twin: ``gibbsite_hw.graph``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_hw.spec.parameters import GraphParameters
from gibbsite_hw.spec.program import Conditions, Row, RunRequest
from gibbsite_hw.spec.seeding import seeding_cycles
from gibbsite_models.golden.couplings import Entries
from gibbsite_models.golden.graph_rows import ReadyRow
from gibbsite_models.golden.noise import UInt32, seed_streams, shape_noise, step_streams

__all__ = ["BARRIER_CYCLES", "Chains", "Draws", "GraphEngine", "PassCost"]

BARRIER_CYCLES = 8
"""Cycles by which the first word after a barrier is issued later than otherwise."""

BLOCK_BYTES = 64 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

MOST_CHAINS = 8192
"""Chains of one block at most: more of them no longer pay for the caches they overflow."""

Int64 = NDArray[np.int64]
Bits = NDArray[np.uint8]


@dataclass(slots=True)
class Chains:
    """Chains side by side: streams ``uint32[4, lanes, chains]``, bits, energy, the best so far."""

    streams: UInt32
    bits: Bits
    energy: Int64
    best_bits: Bits | None
    best_energy: Int64


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws of neighbouring chains: index 0 is the chain, index 1 the draw.

    ``states`` and ``best_states`` are ``uint32[chains, draws, rows]``, one word a row, empty on the
    last axis if not asked for; energies ``int64[chains, draws]``.
    """

    energies: Int64
    states: UInt32
    best_energies: Int64
    best_states: UInt32


@dataclass(frozen=True, slots=True)
class PassCost:
    """What one pass over the rows costs and counts, and what seeding a chain costs."""

    cycles: int
    seeding: int
    terms: int
    updates: int


class GraphEngine:
    """One loaded program. Rows and conditions must be such that the shell accepts them.

    ``entries`` are ``uint32[words, lanes]``. Raises `ProgramError` if the formats exceed int64.
    """

    def __init__(self, parameters: GraphParameters, rows: Sequence[Row], entries: UInt32) -> None:
        # the product with beta is taken in full before its lowest bits are dropped
        product_bits = parameters.field_bits + 1 + parameters.beta_bits
        if max(product_bits, parameters.score_bits, parameters.energy_bits) > 63:
            raise ProgramError(
                "the golden model computes in 64 bits, and these parameters need products of "
                f"{product_bits} and energies of {parameters.energy_bits}: choose narrower "
                "weights, biases or beta"
            )
        self.parameters = parameters
        self._rows: list[ReadyRow] = []
        self._classes: list[list[list[ReadyRow]]] = []
        word, terms = 0, 0
        colour: list[list[ReadyRow]] = []
        for number, row in enumerate(rows):
            words = entries[word : word + row.length]
            word += row.length
            terms += int(np.count_nonzero(Entries.decode(parameters, words).weight))
            ready = ReadyRow.of(parameters, number, row, words)
            self._rows.append(ready)
            if row.group and not row.first:
                colour[-1].append(ready)
            else:
                colour.append([ready])
            if row.barrier:
                self._classes.append(colour)
                colour = []
        self.cost = PassCost(
            cycles=word + BARRIER_CYCLES * len(self._classes),
            seeding=parameters.lanes * seeding_cycles(parameters.hash_rounds),
            terms=terms,
            updates=sum(row.mask.bit_count() for row in rows),
        )

    def condition(self, conditions: Conditions) -> None:
        """Take over biases and clamps."""
        biases = np.array(conditions.biases, dtype=np.int64)
        for number, row in enumerate(self._rows):
            row.condition(biases, conditions.clamps_on[number], conditions.clamps_off[number])

    # --- one pass, step by step -------------------------------------------------------------------

    def seed(self, seed: int, chain_numbers: NDArray[np.uint64], best: bool) -> Chains:
        """Fresh chains; every bit is 0, which the start pass reads nowhere."""
        count = chain_numbers.size
        bits = np.zeros((len(self._rows) * self.parameters.lanes, count), dtype=np.uint8)
        return Chains(
            streams=seed_streams(seed, chain_numbers, self.parameters.lanes),
            bits=bits,
            energy=np.zeros(count, dtype=np.int64),
            best_bits=bits.copy() if best else None,
            best_energy=np.zeros(count, dtype=np.int64),
        )

    def start(self, chains: Chains, state: Sequence[int] | None) -> None:
        """The start pass: the first state, drawn at beta = 0 or given, and its energy."""
        self._pass(chains, 0, start=True, state=state)
        chains.best_energy = chains.energy.copy()
        if chains.best_bits is not None:
            chains.best_bits[...] = chains.bits

    def sweep(self, chains: Chains, beta_code: int) -> None:
        """One sweep; the best state is the first of the lowest energy at the ends of sweeps."""
        self._pass(chains, beta_code, start=False, state=None)
        lower = chains.energy < chains.best_energy
        chains.best_energy = np.where(lower, chains.energy, chains.best_energy)
        if chains.best_bits is not None and lower.any():
            np.copyto(chains.best_bits, chains.bits, where=lower)

    def _pass(
        self, chains: Chains, beta_code: int, *, start: bool, state: Sequence[int] | None
    ) -> None:
        for colour in self._classes:
            commits: list[tuple[NDArray[np.intp], Bits]] = []
            for unit in colour:
                fields = [self.field(row, chains, start) for row in unit]
                scores = [
                    self.score(row, f, self.draw(chains)[row.lanes], beta_code)
                    for row, f in zip(unit, fields, strict=True)
                ]
                if state is not None:
                    new = [_given(row, state, chains) for row in unit]
                elif unit[0].group:
                    new = _decide_group(unit, scores)
                else:
                    new = [_decide_pbits(unit[0], scores[0])]
                for row, f, bits in zip(unit, fields, new, strict=True):
                    self._add_energy(row, chains, f, bits, start)
                    commits.append((row.addresses, bits))
            for addresses, bits in commits:
                chains.bits[addresses] = bits

    def field(self, row: ReadyRow, chains: Chains, start: bool) -> Int64:
        """Fields ``f = b + sum w v``; in the start pass over neighbours in earlier rows only."""
        couplings = row.earlier if start else row.all
        return couplings.sums(chains.bits) + row.biases[:, None]

    def draw(self, chains: Chains) -> UInt32:
        """One uniform of every lane, ``uint32[lanes, chains]``; all streams step, used or not."""
        return step_streams(chains.streams)

    def noise(self, uniform: UInt32, gumbel: bool) -> Int64:
        """Logistic noise for p-bits, Gumbel noise for states."""
        p = self.parameters
        return shape_noise(uniform, gumbel, p.score_frac, p.noise_index_bits, p.noise_tail_bits)

    def score(self, row: ReadyRow, field: Int64, uniform: UInt32, beta_code: int) -> Int64:
        """``noise - (beta_code * dE >> beta_shift)``."""
        difference = field if row.group else 2 * field
        drift = beta_code * difference >> self.parameters.beta_shift
        return self.noise(uniform, row.group) - drift

    def _add_energy(
        self, row: ReadyRow, chains: Chains, field: Int64, new: Bits, start: bool
    ) -> None:
        """Add ``v f`` in the start pass and ``f (v_new - v_old)`` in a sweep."""
        scale = 1 if row.group else 2
        turn = new.astype(np.int64)
        if not start:
            turn -= chains.bits[row.addresses]
        chains.energy += scale * (field * turn).sum(axis=0)
        if start and not row.group:
            chains.energy -= field.sum(axis=0)

    # --- a run ------------------------------------------------------------------------------------

    def run(self, request: RunRequest) -> Iterator[Draws]:
        """All draws in order of chain, then draw; computed as they are taken, in bounded memory."""
        block = self._block(request)
        for begin in range(0, request.chains, block):
            count = min(block, request.chains - begin)
            numbers = (request.first_chain + begin + np.arange(count)) % (1 << 32)
            chains = self.seed(request.seed, numbers.astype(np.uint64), request.best)
            self.start(chains, request.state)
            for beta_code in request.betas:
                for _ in range(request.sweeps_per_step):
                    self.sweep(chains, beta_code)
            yield from self._draws(chains, request)

    def _draws(self, chains: Chains, request: RunRequest) -> Iterator[Draws]:
        last = request.betas[-1] if len(request.betas) else 0
        pieces: list[Draws] = []
        for draw in range(request.draws):
            for _ in range(request.thin if draw else 0):
                self.sweep(chains, last)
            pieces.append(self._draw(chains, request))
            if chains.energy.size == 1:  # a chain on its own need not wait for its last draw
                yield pieces.pop()
        if pieces:
            yield Draws(
                np.stack([piece.energies[:, 0] for piece in pieces], axis=1),
                np.stack([piece.states[:, 0] for piece in pieces], axis=1),
                np.stack([piece.best_energies[:, 0] for piece in pieces], axis=1),
                np.stack([piece.best_states[:, 0] for piece in pieces], axis=1),
            )

    def _draw(self, chains: Chains, request: RunRequest) -> Draws:
        nothing = np.zeros((chains.energy.size, 1, 0), dtype=np.uint32)
        best = chains.best_bits
        return Draws(
            energies=chains.energy[:, None].copy(),
            states=self._words(chains.bits) if request.samples else nothing,
            best_energies=chains.best_energy[:, None].copy(),
            best_states=nothing if best is None else self._words(best),
        )

    def _words(self, bits: Bits) -> UInt32:
        """Bits packed into one word a row, lane 0 lowest: ``uint32[chains, 1, rows]``."""
        rows = bits.reshape(len(self._rows), self.parameters.lanes, -1)
        packed = np.packbits(rows, axis=1, bitorder="little").astype(np.uint32)
        words = np.zeros((rows.shape[0], rows.shape[2]), dtype=np.uint32)
        for byte in range(packed.shape[1]):
            words |= packed[:, byte] << np.uint32(8 * byte)
        return words.T[:, None, :]

    def _block(self, request: RunRequest) -> int:
        """Chains that fit `BLOCK_BYTES` together; at least one."""
        rows, lanes = len(self._rows), self.parameters.lanes
        widest = max(len(row.all.columns) for row in self._rows)
        words = rows * (request.samples + request.best) + 4
        chain = (
            rows * lanes * (3 if request.best else 2)  # bits now, new and best
            + 8 * widest  # neighbours of a row, as integers
            + 128 * lanes  # streams, noise and scores of a row
            + 2 * 4 * words * request.draws  # draws, once more while they are put together
        )
        fitting: int = BLOCK_BYTES // chain
        return max(1, min(MOST_CHAINS, fitting))


def _given(row: ReadyRow, state: Sequence[int], chains: Chains) -> Bits:
    """The bits of the STATE memory, the same for every chain."""
    bits = (state[row.number] >> row.lanes & 1).astype(np.uint8)
    return np.repeat(bits[:, None], chains.energy.size, axis=1)


def _decide_pbits(row: ReadyRow, score: Int64) -> Bits:
    """1 where the score is above 0; a clamp decides first."""
    free = (score > 0) & ~row.off[:, None]
    return (free | row.on[:, None]).astype(np.uint8)


def _decide_group(unit: list[ReadyRow], scores: list[Int64]) -> list[Bits]:
    """One-hot bits of the best free state; ties go to the earlier row, then the lower lane."""
    score = np.concatenate(scores)
    off = np.concatenate([row.off for row in unit])
    on = np.concatenate([row.on for row in unit])
    score[off] = np.iinfo(np.int64).min
    winner = np.full(score.shape[1], on.argmax()) if on.any() else score.argmax(axis=0)
    new = (np.arange(score.shape[0])[:, None] == winner).astype(np.uint8)
    return np.split(new, np.cumsum([len(row.lanes) for row in unit])[:-1])

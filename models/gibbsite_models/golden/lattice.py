"""The lattice engine on arrays: checkerboard Gibbs sweeps in exact integers.

    f = b + sum_k J_k s_k,      s = (f < 0) xor (u < T(|f|))

A sweep decides all sites of colour 0, then all of colour 1; colour is (row + column) mod 2. Many
chains go through one pass together; each has its own streams, so that its samples do not depend on
which chains go beside it. Bits are ``uint8[chains, rows, columns]``, energies ``int64[chains]``.

The lattice is bipartite, so the energy after a sweep is ``sum_A b s + sum_B f s`` over the colours
A = 0 and B = 1: what the lanes have at hand when they decide.

Source: the page docs/lattice-engine.md. Twin: ``gibbsite_hw.lattice``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeRequest
from gibbsite_hw.spec.lattice_tables import thresholds
from gibbsite_models.golden.lattice_noise import (
    lane_uniforms,
    seed_lattice_streams,
    step_lattice_streams,
)
from gibbsite_models.golden.noise import UInt32, UInt64

__all__ = ["LatticeChains", "LatticeDraws", "LatticeEngine", "pack_columns", "unpack_columns"]

BLOCK_BYTES = 64 << 20
"""Memory that the chains of one block may take, draws that wait to be read included."""

MOST_CHAINS = 1024
"""Chains of one block at most."""

Int64 = NDArray[np.int64]
Bits = NDArray[np.uint8]


@dataclass(slots=True)
class LatticeChains:
    """Chains side by side: streams ``uint64[2, chains, streams]``, bits, energy, the best."""

    streams: UInt64
    bits: Bits
    energy: Int64
    best_bits: Bits | None
    best_energy: Int64


@dataclass(frozen=True, slots=True)
class LatticeDraws:
    """Draws of a block of chains: index 0 is the chain, index 1 the draw.

    ``states`` and ``best_states`` are ``uint32[chains, draws, columns * words]``, empty on the last
    axis if not asked for; energies ``int64[chains, draws]``.
    """

    energies: Int64
    states: UInt32
    best_energies: Int64
    best_states: UInt32


class LatticeEngine:
    """One loaded program; ``couplings`` are ``int8[columns, rows, neighbours]``."""

    def __init__(self, parameters: LatticeParameters, couplings: NDArray[np.int8]) -> None:
        self.parameters = parameters
        self.columns = couplings.shape[0]
        # as whole lattices, one for each offset: [neighbours, rows, columns]
        self._couplings = np.ascontiguousarray(couplings.transpose(2, 1, 0)).astype(np.int64)
        row, column = np.indices((parameters.rows, self.columns))
        self._colour = (row + column) % 2
        self._lane = row // 2
        shape = (parameters.rows, self.columns)
        self._biases = np.zeros(shape, dtype=np.int64)
        self._on = np.zeros(shape, dtype=np.uint8)
        self._off = np.zeros(shape, dtype=np.uint8)

    def condition(self, conditions: LatticeConditions) -> None:
        """Take over biases and clamps."""
        rows = self.parameters.rows
        self._biases = np.array(conditions.biases, dtype=np.int64).reshape(-1, rows).T
        self._on, self._off = (
            unpack_columns(np.array(bits, dtype=np.uint32), rows)
            for bits in (conditions.clamps_on, conditions.clamps_off)
        )

    # --- one sweep, step by step ------------------------------------------------------------------

    def seed(self, seed: int, chain_numbers: UInt64, best: bool) -> LatticeChains:
        """Fresh chains; every bit is 0, which the start sweep reads nowhere that counts."""
        count = chain_numbers.size
        bits = np.zeros((count, self.parameters.rows, self.columns), dtype=np.uint8)
        return LatticeChains(
            streams=seed_lattice_streams(seed, chain_numbers, self.parameters.streams),
            bits=bits,
            energy=np.zeros(count, dtype=np.int64),
            best_bits=bits.copy() if best else None,
            best_energy=np.zeros(count, dtype=np.int64),
        )

    def start(self, chains: LatticeChains, state: Sequence[int] | None) -> None:
        """The start sweep: the first state, tossed or given, and its energy."""
        given = None
        if state is not None:
            given = unpack_columns(np.array(state, dtype=np.uint32), self.parameters.rows)
        chains.energy[...] = 0
        for colour in range(2):
            uniform, field = self.uniforms(chains), self.field(chains)
            new = (uniform < 1 << 15).astype(np.uint8) if given is None else given
            self._commit(chains, colour, field, new)
        chains.best_energy = chains.energy.copy()
        if chains.best_bits is not None:
            chains.best_bits[...] = chains.bits

    def sweep(self, chains: LatticeChains, beta_code: int) -> None:
        """One sweep; the best state is the first of the lowest energy at the ends of sweeps."""
        table = np.array(thresholds(beta_code, self.parameters.field_max), dtype=np.int64)
        chains.energy[...] = 0
        for colour in range(2):
            uniform, field = self.uniforms(chains), self.field(chains)
            self._commit(chains, colour, field, self.decide(field, uniform, table))
        lower = chains.energy < chains.best_energy
        chains.best_energy = np.where(lower, chains.energy, chains.best_energy)
        if chains.best_bits is not None:
            chains.best_bits[lower] = chains.bits[lower]

    def uniforms(self, chains: LatticeChains) -> NDArray[np.uint16]:
        """The uniforms of a pass at every site, those of the other colour included.

        Streams step once a column, in the order of the columns; a lane's two sites of a column
        never lie in the same pass.
        """
        words = np.stack([step_lattice_streams(chains.streams) for _ in range(self.columns)])
        lanes = lane_uniforms(words, self.parameters.lanes)  # [columns, chains, lanes]
        return lanes.transpose(1, 2, 0)[:, self._lane, np.arange(self.columns)]

    def field(self, chains: LatticeChains) -> Int64:
        """Fields ``f = b + sum J s`` of all sites, on the torus of rows and columns."""
        spins = 2 * chains.bits.astype(np.int64) - 1
        field = np.broadcast_to(self._biases, spins.shape).copy()
        for (row, column), coupling in zip(self.parameters.offsets, self._couplings, strict=True):
            field += coupling * np.roll(spins, (-row, -column), axis=(1, 2))
        return field

    def decide(self, field: Int64, uniform: NDArray[np.uint16], table: Int64) -> Bits:
        """``(f < 0) xor (u < T(|f|))`` of all sites."""
        return ((field < 0) ^ (uniform < table[np.abs(field)])).astype(np.uint8)

    def _commit(self, chains: LatticeChains, colour: int, field: Int64, new: Bits) -> None:
        """Set the sites of a colour, clamps first, and add their part of the energy."""
        new = (new & ~self._off) | self._on
        here = self._colour == colour
        chains.bits = np.where(here, new, chains.bits)
        part = field if colour else np.broadcast_to(self._biases, field.shape)
        chains.energy += (np.where(here, part, 0) * (2 * chains.bits.astype(np.int64) - 1)).sum(
            axis=(1, 2)
        )

    # --- a run ------------------------------------------------------------------------------------

    def run(self, request: LatticeRequest) -> Iterator[LatticeDraws]:
        """All draws, block of chains by block; a block is whole groups of banks."""
        block = self._block(request)
        for begin in range(0, request.chains, block):
            count = min(block, request.chains - begin)
            numbers = (request.first_chain + begin + np.arange(count)) % (1 << 32)
            chains = self.seed(request.seed, numbers.astype(np.uint64), request.best)
            self.start(chains, request.state)
            for beta_code in request.betas:
                for _ in range(request.sweeps_per_step):
                    self.sweep(chains, beta_code)
            last = request.betas[-1] if len(request.betas) else 0
            pieces: list[LatticeDraws] = []
            for draw in range(request.draws):
                for _ in range(request.thin if draw else 0):
                    self.sweep(chains, last)
                pieces.append(self._draw(chains, request))
            yield LatticeDraws(
                np.concatenate([piece.energies for piece in pieces], axis=1),
                np.concatenate([piece.states for piece in pieces], axis=1),
                np.concatenate([piece.best_energies for piece in pieces], axis=1),
                np.concatenate([piece.best_states for piece in pieces], axis=1),
            )

    def _draw(self, chains: LatticeChains, request: LatticeRequest) -> LatticeDraws:
        nothing = np.zeros((chains.energy.size, 1, 0), dtype=np.uint32)
        best = chains.best_bits
        return LatticeDraws(
            energies=chains.energy[:, None].copy(),
            states=pack_columns(chains.bits)[:, None] if request.samples else nothing,
            best_energies=chains.best_energy[:, None].copy(),
            best_states=nothing if best is None else pack_columns(best)[:, None],
        )

    def _block(self, request: LatticeRequest) -> int:
        """Chains that fit `BLOCK_BYTES` together, in whole groups of banks; one group at least."""
        sites = self.parameters.rows * self.columns
        chain = 48 * sites + sites // 4 * request.draws + 32 * request.draws
        fitting: int = min(MOST_CHAINS, BLOCK_BYTES // chain)
        banks = self.parameters.banks
        return max(banks, fitting // banks * banks)


def pack_columns(bits: Bits) -> UInt32:
    """Bits ``[..., rows, columns]`` as words ``uint32[..., columns * words]``, row 0 lowest."""
    *front, rows, columns = bits.shape
    words = -(-rows // 32)
    padded = np.zeros((*front, columns, 32 * words), dtype=np.uint8)
    padded[..., :rows] = np.swapaxes(bits, -1, -2)
    packed = np.packbits(padded, axis=-1, bitorder="little").view("<u4")
    return packed.reshape(*front, columns * words).astype(np.uint32)


def unpack_columns(words: UInt32, rows: int) -> Bits:
    """The bits ``uint8[..., rows, columns]`` that `pack_columns` packed."""
    *front, count = words.shape
    width = -(-rows // 32)
    columns = count // width
    data = np.ascontiguousarray(words).astype("<u4").view(np.uint8)
    bits = np.unpackbits(data.reshape(*front, columns, 4 * width), axis=-1, bitorder="little")
    return np.ascontiguousarray(np.swapaxes(bits[..., :rows], -1, -2))

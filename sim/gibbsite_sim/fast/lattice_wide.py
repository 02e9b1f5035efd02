"""Lattice sweeps of any program, chains side by side as numbers: one word a chain's stream.

The way of programs that do not slice (`lattice_sites`), and of replicas at different betas. Spins
are ``int8[sites, chains]``, -1 or +1; streams ``uint64[2, streams, chains]``;
``tables[beta][m]`` is T(m) at one of the betas at hand and ``beta[chain]`` says which.

Source: docs/lattice-engine.md. Twin: ``gibbsite_models.golden.lattice``.
"""

import numpy as np
from numpy.typing import NDArray

from gibbsite_sim.fast.compiled import bare, compiled, inlined

__all__ = ["start_wide", "wide_energies", "wide_sweeps"]

Spins = NDArray[np.int8]
Words = NDArray[np.uint64]
Ints = NDArray[np.int32]


@inlined
def _step(s0: Words, s1: Words) -> None:
    for chain in range(s0.shape[0]):
        a = s0[chain]
        x = a ^ s1[chain]
        s0[chain] = (a << np.uint64(24) | a >> np.uint64(40)) ^ x ^ (x << np.uint64(16))
        s1[chain] = x << np.uint64(37) | x >> np.uint64(27)


@inlined
def _add(field: Ints, spins: Spins, weight: int) -> None:
    for chain in range(field.shape[0]):
        field[chain] += weight * spins[chain]


@inlined
def _decide(out: Spins, field: Ints, s0: Words, shift: int, tables: Ints, beta: Ints) -> None:
    right = np.uint64(shift)
    for chain in range(out.shape[0]):
        f = field[chain]
        u = np.int32((s0[chain] >> right) & np.uint64(0xFFFF))
        below = u < tables[beta[chain], abs(f)]
        out[chain] = 1 if (f < 0) != below else -1


@bare
def wide_sweeps(
    sweeps: int,
    spins: Spins,
    streams: Words,
    rows: int,
    weight: Ints,
    neighbour: Ints,
    bias: Ints,
    held: Spins,
    tables: Ints,
    beta: Ints,
    field: Ints,
) -> None:
    """So many sweeps; ``weight`` and ``neighbour`` are ``[sites, neighbours]``.

    ``held[site]`` is the value of a clamped site, 0 elsewhere; ``field[chain]`` is room to work in.
    """
    columns = spins.shape[0] // rows
    for _ in range(sweeps):
        for colour in range(2):
            for column in range(columns):
                for stream in range(streams.shape[1]):
                    s0, s1 = streams[0, stream], streams[1, stream]
                    for part in range(4):
                        row = 2 * (4 * stream + part) + (column + colour) % 2
                        if row < rows:
                            site = column * rows + row
                            if held[site] != 0:
                                spins[site, :] = held[site]
                            else:
                                field[:] = bias[site]
                                for k in range(weight.shape[1]):
                                    if weight[site, k] != 0:
                                        _add(field, spins[neighbour[site, k]], weight[site, k])
                                _decide(spins[site], field, s0, 16 * part, tables, beta)
                    _step(s0, s1)


@compiled
def start_wide(
    spins: Spins, streams: Words, rows: int, held: Spins, given: NDArray[np.int8]
) -> None:
    """The start sweep; ``given[site, chain]`` is 0 or 1, or -1 where a coin is tossed."""
    sites, chains = spins.shape
    columns = sites // rows
    for colour in range(2):
        for column in range(columns):
            for stream in range(streams.shape[1]):
                s0, s1 = streams[0, stream], streams[1, stream]
                for part in range(4):
                    row = 2 * (4 * stream + part) + (column + colour) % 2
                    if row < rows:
                        site = column * rows + row
                        shift = np.uint64(16 * part + 15)
                        for chain in range(chains):
                            bit = 1 - np.int8((s0[chain] >> shift) & np.uint64(1))
                            if given[site, chain] >= 0:
                                bit = given[site, chain]
                            spins[site, chain] = 2 * bit - 1
                            if held[site] != 0:
                                spins[site, chain] = held[site]
                _step(s0, s1)


@compiled
def wide_energies(
    spins: Spins, rows: int, weight: Ints, neighbour: Ints, bias: Ints, energies: NDArray[np.int64]
) -> None:
    """Exact energies of all chains: ``sum_A b s + sum_B f s`` over colours A = 0 and B = 1.

    This is what the device adds up, also of couplings that differ at their ends.
    """
    chains = energies.shape[0]
    field = np.empty(chains, np.int32)
    energies[:] = 0
    for site in range(spins.shape[0]):
        field[:] = bias[site]
        if (site // rows + site % rows) % 2 == 1:
            for k in range(weight.shape[1]):
                if weight[site, k] != 0:
                    _add(field, spins[neighbour[site, k]], weight[site, k])
        for chain in range(chains):
            energies[chain] += field[chain] * spins[site, chain]

"""Passes of the lattice engine on a GPU, one chain a thread: a thread has one stream of one chain.

Any program, and betas and states of their own. Spins are ``int8[sites, chains]``, -1 or +1, flat,
sites in the order ``column * rows + row``; streams ``uint64[2, streams, chains]``.

Source: docs/lattice-engine.md. Twin: ``gibbsite_sim.fast.lattice_wide``.
"""

from typing import Any

from numba import cuda, int64, uint64

__all__ = ["wide_energies", "wide_pass"]


@cuda.jit
def wide_pass(
    spins: Any,
    streams: Any,
    chains: int,
    rows: int,
    columns: int,
    colour: int,
    toss: bool,
    given: Any,
    neighbours: int,
    weight: Any,
    neighbour: Any,
    bias: Any,
    held: Any,
    fields: int,
    tables: Any,
    beta: Any,
) -> None:
    """One pass, every chain by the one of the tables, ``fields`` long each, that ``beta`` gives it.

    With ``toss`` that of a start sweep: a coin where ``given[site, chain]`` is -1, else given.
    """
    chain, stream = cuda.grid(1), cuda.blockIdx.y
    if chain >= chains:
        return
    s0 = streams[uint64(0), uint64(stream), uint64(chain)]
    s1 = streams[uint64(1), uint64(stream), uint64(chain)]
    table = fields * beta[uint64(chain)]
    for column in range(columns):
        for part in range(4):
            row = 2 * (4 * stream + part) + (column + colour) % 2
            if row < rows:
                site = column * rows + row
                u = int64((s0 >> uint64(16 * part)) & uint64(0xFFFF))
                if held[uint64(site)] != 0:
                    value = held[uint64(site)]
                elif toss:
                    up = given[uint64(site * chains + chain)]
                    if up < 0:
                        up = 1 if u < 32768 else 0
                    value = 2 * up - 1
                else:
                    field = bias[uint64(site)]
                    for four in range(neighbours * site, neighbours * (site + 1), 4):
                        for k in range(4):  # written out, so that loads do not wait for each other
                            place = neighbour[uint64(four + k)] * chains + chain
                            field += weight[uint64(four + k)] * spins[uint64(place)]
                    below = u < tables[uint64(table + abs(field))]
                    value = 1 if (field < 0) != below else -1
                spins[uint64(site * chains + chain)] = value
        x = s0 ^ s1
        s0 = (s0 << uint64(24) | s0 >> uint64(40)) ^ x ^ (x << uint64(16))
        s1 = x << uint64(37) | x >> uint64(27)
    streams[uint64(0), uint64(stream), uint64(chain)] = s0
    streams[uint64(1), uint64(stream), uint64(chain)] = s1


@cuda.jit
def wide_energies(
    spins: Any,
    chains: int,
    rows: int,
    neighbours: int,
    weight: Any,
    neighbour: Any,
    bias: Any,
    energies: Any,
) -> None:
    """What a column adds to a chain's energy; see ``lattice_wide.wide_energies``."""
    chain, column = cuda.grid(1), cuda.blockIdx.y
    if chain >= chains:
        return
    energy = int64(0)
    for row in range(rows):
        site = column * rows + row
        field = bias[uint64(site)]
        if (column + row) % 2 == 1:
            for k in range(neighbours * site, neighbours * (site + 1)):
                place = neighbour[uint64(k)] * chains + chain
                field += weight[uint64(k)] * spins[uint64(place)]
        energy += field * spins[uint64(site * chains + chain)]
    cuda.atomic.add(energies, chain, energy)

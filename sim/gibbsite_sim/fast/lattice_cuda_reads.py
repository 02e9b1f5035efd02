"""What is read of sliced chains on a GPU: energies, states, and the best of each chain.

Spins are ``uint32[sites + 1, width]``, flat, chain ``32 w + t`` at bit t of word w.

Twins: ``gibbsite_sim.fast.lattice_energy``, ``lattice_bits``.
"""

from typing import Any

from numba import cuda, int64, uint32, uint64

__all__ = ["keep_lower", "lower_words", "sliced_energies", "sliced_states"]


@cuda.jit(device=True)
def _spin(spins: Any, place: Any, t: Any) -> Any:
    """-1 or +1: chain t of the word at this place."""
    return 2 * int64((spins[uint64(place)] >> t) & 1) - 1


@cuda.jit
def sliced_energies(
    spins: Any,
    chains: int,
    width: int,
    rows: int,
    neighbours: int,
    weight: Any,
    neighbour: Any,
    bias: Any,
    energies: Any,
) -> None:
    """What a column adds to a chain's energy: biases of colour 0 and fields of colour 1."""
    chain, column = cuda.grid(1), cuda.blockIdx.y
    if chain >= chains:
        return
    word, t = chain // 32, chain % 32
    energy = int64(0)
    for row in range(rows):
        site = column * rows + row
        field = int64(bias[uint64(site)])
        if (column + row) % 2 == 1:
            for k in range(neighbours * site, neighbours * (site + 1)):
                field += weight[uint64(k)] * _spin(spins, neighbour[uint64(k)] * width + word, t)
        energy += field * _spin(spins, site * width + word, t)
    cuda.atomic.add(energies, chain, energy)


@cuda.jit
def sliced_states(spins: Any, chains: int, width: int, rows: int, states: Any) -> None:
    """``states uint32[chains, columns * words]``: a thread has a chain's word of a column."""
    chain, place = cuda.grid(1), cuda.blockIdx.y
    if chain >= chains:
        return
    words = (rows + 31) // 32
    first = (place // words) * rows + 32 * (place % words)
    bits = uint32(0)
    for row in range(min(32, rows - 32 * (place % words))):
        one = (spins[uint64((first + row) * width + chain // 32)] >> (chain % 32)) & 1
        bits |= uint32(one << row)
    states[chain, place] = bits


@cuda.jit
def lower_words(energies: Any, best: Any, chains: int, lower: Any) -> None:
    """Bit t of ``lower[w]``: chain ``32 w + t`` is below its best, which is then its energy."""
    word = cuda.grid(1)
    if word >= (chains + 31) // 32:
        return
    bits = uint32(0)
    for t in range(min(32, chains - 32 * word)):
        energy = energies[uint64(32 * word + t)]
        if energy < best[uint64(32 * word + t)]:
            best[uint64(32 * word + t)] = energy
            bits |= uint32(1 << t)
    lower[uint64(word)] = bits


@cuda.jit
def keep_lower(spins: Any, best: Any, width: int, lower: Any) -> None:
    """The spins of the chains that ``lower`` names become their best; a thread has one word."""
    place = cuda.grid(1)
    if place >= spins.shape[0]:
        return
    where = lower[uint64(place % width)]
    if where:
        best[uint64(place)] = (spins[uint64(place)] & where) | (best[uint64(place)] & ~where)

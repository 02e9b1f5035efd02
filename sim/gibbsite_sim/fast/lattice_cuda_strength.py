"""Passes on a GPU of lattice programs without biases, of up to four neighbours and one strength.

Their fields are -4 to 4 of the strength, so that a decision needs two thresholds. Spins and streams
lie as in `lattice_cuda_sliced`.

Source: docs/lattice-engine.md. Twin: `decide_pairs` of ``gibbsite_sim.fast.lattice_decide``.
"""

from typing import Any

from numba import cuda, int32, uint32, uint64

from gibbsite_sim.fast.lattice_cuda_below import below2, choose, mask
from gibbsite_sim.fast.lattice_cuda_kernel import kernel_of
from gibbsite_sim.fast.lattice_cuda_streams import close_stream, home, open_stream, step

__all__ = ["one_strength_pass"]


@cuda.jit(device=True)
def _even(p: Any, q: Any, r: Any, s: Any, zero: Any, inner: Any, outer: Any) -> Any:
    """Four terms of one strength, fields -4 to 4 of it; see `lattice_decide.decide_pairs`."""
    one, other = p ^ q, r ^ s
    all_p, all_r = p & q, r & s
    mixed = one & other
    two = mixed | (all_p & ~(r | s)) | (all_r & ~(p | q))
    many = all_p | all_r | mixed
    return ~many ^ choose(one ^ other, inner, choose(two, zero, outer))


@cuda.jit(device=True)
def _odd(p: Any, q: Any, r: Any, s: Any, inner: Any, outer: Any) -> Any:
    """Three terms of one strength and one that is +1 and does not count: fields -3, -1, 1, 3."""
    one, other = p ^ q, r ^ s
    all_p, all_r = p & q, r & s
    all_four = all_p & all_r
    many = all_p | all_r | (one & other)  # two or more
    parity = one ^ other
    up = (parity & many) | all_four  # three or four
    return ~up ^ choose(all_four | (parity & ~many), outer, inner)


@cuda.jit(device=True)
def _of_one_strength(
    s0: Any, part: int, near: Any, m: Any, t1: Any, t2: Any, t3: Any, t4: Any
) -> Any:
    """The site of one lane; ``near[4 part + k]`` are its neighbours."""
    p = near[4 * part] ^ mask(m, 0)
    q = near[4 * part + 1] ^ mask(m, 1)
    r = near[4 * part + 2] ^ mask(m, 2)
    s = near[4 * part + 3] ^ mask(m, 3)
    if (m >> 6) & 1:
        inner, outer = below2(s0, 16 * part, t1, t3)
        out = _odd(p, q, r, s, inner, outer)
    else:
        inner, outer = below2(s0, 16 * part, t2, t4)
        out = _even(p, q, r, s, ~s0[16 * part + 15], inner, outer)
    return choose(mask(m, 4), mask(m, 5), out)


@kernel_of(registers=200)
def one_strength_pass(
    spins: Any,
    streams: Any,
    width: int,
    rows: int,
    columns: int,
    colour: int,
    t1: Any,
    t2: Any,
    t3: Any,
    t4: Any,
    neighbour: Any,
    signs: Any,
) -> None:
    """One pass of a program without biases, of up to four neighbours and one strength m.

    ``t1`` to ``t4`` are T(m) to T(4 m), each as sixteen masks, bit 0 first: arguments are constants
    to the assembler, which cost no operation. ``neighbour[4 site + k]`` is the site of zeros where
    there is none. Bits 0 to 3 of ``signs[site]``: what is turned, as negative couplings do;
    4: held, 5: on; 6: the number of neighbours is odd.
    """
    word, stream = cuda.grid(1), cuda.blockIdx.y
    if word >= width:
        return
    s0 = cuda.local.array(64, uint32)
    s1 = cuda.local.array(64, uint32)
    y = cuda.local.array(64, uint32)
    z = cuda.local.array(64, uint32)
    near = cuda.local.array(16, uint32)
    sign = cuda.local.array(4, int32)
    at_home = home(word, stream, cuda.gridDim.y)
    open_stream(s0, s1, streams, at_home)
    lanes = min(4, (rows - 8 * stream) // 2)
    for column in range(columns):
        first = column * rows + 8 * stream + (column + colour) % 2
        # all loads before all decisions, which take longer than memory does
        for part in range(4):
            site = first + 2 * min(part, lanes - 1)
            sign[part] = signs[uint64(site)]
            for k in range(4):
                place = neighbour[uint64(4 * site + k)]
                near[4 * part + k] = spins[uint64(place * width + word)]
        # by name, since the compiler writes out no loop of this length
        out0 = _of_one_strength(s0, 0, near, sign[0], t1, t2, t3, t4)
        out1 = _of_one_strength(s0, 1, near, sign[1], t1, t2, t3, t4)
        out2 = _of_one_strength(s0, 2, near, sign[2], t1, t2, t3, t4)
        out3 = _of_one_strength(s0, 3, near, sign[3], t1, t2, t3, t4)
        place = first * width + word
        spins[uint64(place)] = out0
        if lanes > 1:
            spins[uint64(place + 2 * width)] = out1
        if lanes > 2:
            spins[uint64(place + 4 * width)] = out2
        if lanes > 3:
            spins[uint64(place + 6 * width)] = out3
        step(s0, s1, y, z)
    close_stream(s0, s1, streams, at_home)

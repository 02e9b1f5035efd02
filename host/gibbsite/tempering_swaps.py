"""Which neighbours of a ladder exchange their states: Metropolis in exact integers.

    accept  <=>  u < exp(d / 2^frac) 2^64,        d = (beta_i - beta_j) (E_i - E_j)

with integer beta codes, integer energies and 64-bit uniforms u. d is exact and the exponential is
computed in integers with 128 fraction bits, so that the decision depends on no floating point: it
is the same on every machine and for every device. An acceptance differs from Metropolis' by less
than 2^-63.

The uniforms are a stream of their own, Threefry-2x64 with key (seed, SWAP_STREAM) and counter
(round, pair), of which the first output word is u; a pair's number is that of its hotter replica.

Source: K. Hukushima and K. Nemoto, Exchange Monte Carlo method, 1996, equation (5).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gibbsite_models.golden.noise import threefry2x64

__all__ = ["CLUSTER_STREAM", "SWAP_STREAM", "accepts", "acceptance", "uniforms"]

SWAP_STREAM: Final = 0x53_57_41_50
"""Second key word of the swaps' uniforms ("SWAP"); engines of devices have small numbers."""

CLUSTER_STREAM: Final = 0x43_4C_55_53
"""Second key word of the cluster moves' uniforms ("CLUS")."""

FRAC: Final = 128
ONE: Final = 1 << 64
LN2: Final = 0xB172_17F7_D1CF_79AB_C9E3_B398_03F2_F6AF
"""ln 2 with 128 fraction bits, rounded down."""

Uniforms: TypeAlias = NDArray[np.uint64]


def uniforms(seed: int, stream: int, round_number: int, count: int) -> Uniforms:
    """The uniforms of ``count`` pairs in one round, 64 bits each."""
    pairs = np.arange(count, dtype=np.uint64)
    rounds = np.full(count, round_number, dtype=np.uint64)
    return threefry2x64((seed, stream), (rounds, pairs))[0]


@lru_cache(maxsize=1 << 16)
def acceptance(loss: int, frac: int) -> int:
    """``floor(2^64 exp(-loss / 2^frac))`` for a loss above 0, within one unit; 2^64 otherwise.

    With ``loss / 2^frac = n ln 2 + r`` it is ``2^(64 - n) exp(-r)``, and exp(-r) Taylor's series.
    """
    if loss <= 0:
        return ONE
    halvings, rest = divmod(loss << (FRAC - frac), LN2)
    if halvings > 64:
        return 0
    term = total = 1 << FRAC
    for order in range(1, 40):  # 0.7^40 / 40! < 2^-160
        term = -((term * rest >> FRAC) // order)
        total += term
    return total >> (FRAC - 64 + halvings)


def accepts(uniform: int, hot: tuple[int, int], cold: tuple[int, int], frac: int) -> bool:
    """Whether two neighbours, each (beta code, energy code), exchange their states."""
    gain = (hot[0] - cold[0]) * (hot[1] - cold[1])
    return uniform < acceptance(-gain, frac)

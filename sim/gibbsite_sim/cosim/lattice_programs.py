"""Random lattice programs, for the tests of every lattice device."""

from array import array

import numpy as np
from numpy.typing import NDArray

from gibbsite_hw.spec.lattice_parameters import LatticeParameters
from gibbsite_hw.spec.lattice_program import LatticeConditions, LatticeProgram, LatticeRequest
from gibbsite_models.golden.lattice import pack_columns

__all__ = [
    "STYLES",
    "random_conditions",
    "random_couplings",
    "random_program",
    "random_request",
    "random_state",
]

STYLES = ("any", "one strength", "open", "sparse", "zero")
"""Kinds of couplings: any codes; +-m; +-m with missing bonds; few of any codes; none."""


def random_couplings(
    p: LatticeParameters, columns: int, rng: np.random.Generator, style: str
) -> NDArray[np.int8]:
    """Codes ``int8[columns, rows, neighbours]``, the same at both ends of a pair.

    Where a small torus joins two sites twice, only the first of these offsets is used.
    """
    codes = np.zeros((columns, p.rows, p.neighbours), dtype=np.int8)
    strength = int(rng.integers(1, p.coupling_max + 1))
    met: set[tuple[int, int]] = set()
    for k, (dr, dc) in enumerate(p.offsets):
        ends = {(dr % p.rows, dc % columns), (-dr % p.rows, -dc % columns)}
        if k % 4 > 1 or len(ends) < 2 or ends & met:
            continue
        met |= ends
        for column in range(columns):
            for row in range(p.rows):
                value = {
                    "any": int(rng.integers(-p.coupling_max, p.coupling_max + 1)),
                    "one strength": int(rng.choice([-strength, strength])),
                    "open": int(rng.choice([-strength, 0, strength])),
                    "sparse": int(rng.integers(-p.coupling_max, p.coupling_max + 1))
                    * int(rng.random() < 0.3),
                    "zero": 0,
                }[style]
                codes[column, row, k] = value
                codes[(column + dc) % columns, (row + dr) % p.rows, k + 2] = value
    return codes


def random_bits(
    p: LatticeParameters, columns: int, rng: np.random.Generator, share: float
) -> NDArray[np.uint8]:
    """Bits ``[rows, columns]``, each set with this probability."""
    return (rng.random((p.rows, columns)) < share).astype(np.uint8)


def random_conditions(
    p: LatticeParameters, columns: int, rng: np.random.Generator, *, biased: bool, clamped: float
) -> LatticeConditions:
    """Biases of any size, or none; clamps on and off with this probability each."""
    sites = columns * p.rows
    biases = rng.integers(-p.bias_max, p.bias_max + 1, sites) * biased
    on, off = (random_bits(p, columns, rng, clamped) for _ in range(2))
    off &= 1 - on
    return LatticeConditions(
        array("i", biases.tolist()),
        array("I", pack_columns(on).tolist()),
        array("I", pack_columns(off).tolist()),
    )


def random_program(
    p: LatticeParameters,
    columns: int,
    rng: np.random.Generator,
    *,
    style: str = "any",
    biased: bool = True,
    clamped: float = 0.05,
) -> LatticeProgram:
    """A program that the driver accepts."""
    codes = random_couplings(p, columns, rng, style)
    conditions = random_conditions(p, columns, rng, biased=biased, clamped=clamped)
    return LatticeProgram(columns, array("b", codes.ravel().tolist()), conditions)


def random_state(p: LatticeParameters, columns: int, rng: np.random.Generator) -> "array[int]":
    """The words of a state."""
    return array("I", pack_columns(random_bits(p, columns, rng, 0.5)).tolist())


def random_request(
    p: LatticeParameters, columns: int, rng: np.random.Generator, *, chains: int = 70
) -> LatticeRequest:
    """A run with betas from nothing to the largest, states given or not."""
    steps = int(rng.integers(0, 4))
    betas = [int(2.0 ** rng.uniform(8, 24)) for _ in range(steps)]
    return LatticeRequest(
        array("I", [min(beta, (1 << 24) - 1) for beta in betas]),
        seed=int(rng.integers(0, 1 << 63)),
        chains=int(rng.integers(1, chains + 1)),
        draws=int(rng.integers(1, 4)),
        first_chain=int(rng.choice([0, 5, (1 << 32) - 3])),
        sweeps_per_step=int(rng.integers(1, 4)),
        thin=int(rng.integers(1, 3)),
        samples=bool(rng.random() < 0.8),
        best=bool(rng.random() < 0.5),
        state=random_state(p, columns, rng) if rng.random() < 0.4 else None,
    )

"""What a lattice engine holds and is asked to do: program, conditions, a run and its result.

Sites lie at (row, column), ``row < rows`` of the build, ``column < columns`` of the program. Their
number is ``column * rows + row``: a column's sites follow each other. Energies are integers,

    E(s) = sum_i b_i s_i + sum_(i<j) J_ij s_i s_j,        s = -1/+1,

and a run draws from ``P(s) ~ exp(-beta E(s))`` with ``beta = beta_code / 2^BETA_FRAC``. The lattice
is a torus of rows and columns; an open edge, and a lattice smaller than the build's rows, are
couplings of zero. Bits of a column lie in ``words`` words, row r at bit r mod 32 of word r // 32.
"""

from array import array
from dataclasses import dataclass, field

__all__ = [
    "LatticeConditions",
    "LatticeCounters",
    "LatticeProgram",
    "LatticeRequest",
    "LatticeResult",
]


@dataclass(slots=True)
class LatticeConditions:
    """What changes without touching couplings.

    ``biases``      one code a site (type code ``i``)
    ``clamps_on``   bits of all columns (type code ``I``): sites held at +1
    ``clamps_off``  likewise: sites held at -1; no site is in both
    """

    biases: "array[int]"
    clamps_on: "array[int]"
    clamps_off: "array[int]"


@dataclass(slots=True)
class LatticeProgram:
    """A whole program: couplings and the first conditions.

    ``columns``    even, at most the build's
    ``couplings``  ``neighbours`` codes a site (type code ``b``), in the order of
                   `LatticeParameters.offsets`; a pair's coupling stands at both of its ends
    """

    columns: int
    couplings: "array[int]"
    conditions: LatticeConditions


@dataclass(slots=True)
class LatticeRequest:
    """One run: ``chains`` independent chains of ``draws`` draws each.

    A chain starts (every spin +1 or -1 by the toss of a coin, or ``state``), sweeps
    ``sweeps_per_step`` times at every beta of ``betas`` (codes), draws; then sweeps ``thin`` times
    at the last beta before each further draw. Randomness belongs to (seed, first_chain + chain,
    stream).
    """

    betas: "array[int]"
    seed: int = 0
    chains: int = 1
    draws: int = 1
    first_chain: int = 0
    sweeps_per_step: int = 1
    thin: int = 1
    samples: bool = True
    best: bool = False
    state: "array[int] | None" = None
    """Bits of all columns (type code ``I``): the state every chain starts from; clamps win."""


@dataclass(slots=True)
class LatticeCounters:
    """What the device counted over a run (units as in `lattice_registers`)."""

    cycles: int = 0
    sweep_cycles: int = 0
    updates: int = 0
    sweeps: int = 0
    reads: int = 0
    waits: int = 0


@dataclass(slots=True)
class LatticeResult:
    """What came back, in order of chain, then draw.

    ``states``, ``best_states``: type code ``I``, ``reads * columns * words`` words (empty if not
    asked for); ``energies``, ``best_energies``: type code ``q``, one code a read. ``words_in`` and
    ``words_out`` count the words that moved on the streams for this run.
    """

    reads: int = 0
    states: "array[int]" = field(default_factory=lambda: array("I"))
    energies: "array[int]" = field(default_factory=lambda: array("q"))
    best_states: "array[int]" = field(default_factory=lambda: array("I"))
    best_energies: "array[int]" = field(default_factory=lambda: array("q"))
    counters: LatticeCounters = field(default_factory=LatticeCounters)
    words_in: int = 0
    words_out: int = 0
    aborted: bool = False

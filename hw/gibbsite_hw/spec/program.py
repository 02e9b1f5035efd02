"""What a graph engine holds and is asked to do: the program, its conditions, a run and its result.

A *slot* is one p-bit or one state of a one-hot group, at address ``row * lanes + lane``. Its value
``v`` is -1/+1 for a p-bit and 0/1 for a state of a group. Energies are integers in code units,

    E(v) = sum_i b_i v_i + sum_(i<j) w_ij v_i v_j,

and a run draws from ``P(v) ~ exp(-beta E(v))`` with ``beta = beta_code / 2^beta_frac``.
"""

from array import array
from dataclasses import dataclass, field

from gibbsite_hw.spec.parameters import GraphParameters

__all__ = [
    "Conditions",
    "Counters",
    "GraphProgram",
    "Row",
    "RunRequest",
    "RunResult",
    "decode_entry",
    "encode_entry",
]


@dataclass(frozen=True, slots=True)
class Row:
    """One row: slots that are decided together.

    ``length``   coupling words of the row, 1 to max_degree; ``length << fold`` is at most
                 ``max_degree + lanes``
    ``fold``     log2 of the lanes that share one slot's list; the slot sits at the first of them
    ``group``    False: every slot is a p-bit; True: all slots are states of one one-hot group
    ``first``    first row of its group (False in rows of p-bits)
    ``last``     last row of its group (False in rows of p-bits)
    ``barrier``  last row of its colour class: the next row waits until this one is committed
    ``mask``     lanes that hold a slot; only multiples of ``2^fold``
    """

    length: int
    fold: int
    group: bool
    first: bool
    last: bool
    barrier: bool
    mask: int

    def encode(self) -> tuple[int, int]:
        """Descriptor and mask word as they travel in ROWS.

        Descriptor bits: 10:0 length, 13:11 fold, 14 group, 15 first, 16 last, 17 barrier.
        """
        flags = self.group << 14 | self.first << 15 | self.last << 16 | self.barrier << 17
        return self.length | self.fold << 11 | flags, self.mask

    @classmethod
    def decode(cls, descriptor: int, mask: int) -> "Row":
        """The row that `encode` gave."""
        return cls(
            length=descriptor & 0x7FF,
            fold=descriptor >> 11 & 7,
            group=bool(descriptor >> 14 & 1),
            first=bool(descriptor >> 15 & 1),
            last=bool(descriptor >> 16 & 1),
            barrier=bool(descriptor >> 17 & 1),
            mask=mask,
        )

    def fits(self, parameters: GraphParameters) -> bool:
        """Whether the row alone is one that ROWS accepts."""
        step = 1 << self.fold
        return (
            1 <= self.length <= parameters.max_degree
            and self.fold <= parameters.lane_bits
            and self.length << self.fold <= parameters.max_degree + parameters.lanes
            and 0 < self.mask < 1 << parameters.lanes
            and all(lane % step == 0 for lane in range(parameters.lanes) if self.mask >> lane & 1)
            and (self.group or not (self.first or self.last))
        )


def encode_entry(parameters: GraphParameters, address: int, weight: int, state: bool) -> int:
    """One neighbour entry: address, then weight (two's complement), then the value's kind.

    ``state``: the neighbour is a state of a group (0/1) and not a p-bit (-1/+1). Bits, from 0:
    ``address_bits`` of address, ``weight_bits`` of weight, 1 of state. Weight 0 is no coupling.
    """
    code = weight & ((1 << parameters.weight_bits) - 1)
    bits = parameters.address_bits
    return address | code << bits | state << (bits + parameters.weight_bits)


def decode_entry(parameters: GraphParameters, entry: int) -> tuple[int, int, bool]:
    """Address, weight and kind of an entry word."""
    bits = parameters.address_bits
    code = entry >> bits & ((1 << parameters.weight_bits) - 1)
    sign = 1 << (parameters.weight_bits - 1)
    weight = (code ^ sign) - sign
    return entry & ((1 << bits) - 1), weight, bool(entry >> (bits + parameters.weight_bits) & 1)


@dataclass(slots=True)
class Conditions:
    """What changes without touching couplings.

    ``biases``     one code a slot, ``rows * lanes`` of them (type code ``i``)
    ``clamps_on``  one mask a row: states that are pinned
    ``clamps_off`` one mask a row: states that are removed (a p-bit that is off is pinned to -1)
    """

    biases: "array[int]"
    clamps_on: "array[int]"
    clamps_off: "array[int]"


@dataclass(slots=True)
class GraphProgram:
    """A whole program: rows, coupling words in order of use, and the first conditions.

    ``entries``: type code ``I``, ``words * lanes`` of them; word w, lane l at ``w * lanes + l``.
    Row r uses the ``length`` words that follow those of row r - 1.
    """

    rows: list[Row]
    entries: "array[int]"
    conditions: Conditions


@dataclass(slots=True)
class RunRequest:
    """One run: ``chains`` independent chains of ``draws`` draws each.

    A chain starts (state drawn at beta = 0, or ``state``), sweeps ``sweeps_per_step`` times at
    every beta of ``betas`` (codes), draws; then sweeps ``thin`` times at the last beta before each
    further draw. Randomness belongs to (seed, first_chain + chain, lane).
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
    """One word a row (type code ``I``): the state every chain starts from."""


@dataclass(slots=True)
class Counters:
    """What the device counted over a run (units as in `registers`)."""

    cycles: int = 0
    sweep_cycles: int = 0
    terms: int = 0
    updates: int = 0
    sweeps: int = 0
    reads: int = 0


@dataclass(slots=True)
class RunResult:
    """What came back, in order of chain, then draw; all rows of one draw behind each other.

    ``states``, ``best_states``: type code ``I``, ``reads * rows`` words (empty if not asked for);
    ``energies``, ``best_energies``: type code ``q``, one code a read. ``words_in`` and
    ``words_out`` count the words that moved on the streams for this run.
    """

    reads: int = 0
    states: "array[int]" = field(default_factory=lambda: array("I"))
    energies: "array[int]" = field(default_factory=lambda: array("q"))
    best_states: "array[int]" = field(default_factory=lambda: array("I"))
    best_energies: "array[int]" = field(default_factory=lambda: array("q"))
    counters: Counters = field(default_factory=Counters)
    words_in: int = 0
    words_out: int = 0
    aborted: bool = False

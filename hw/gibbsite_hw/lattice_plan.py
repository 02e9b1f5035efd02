"""The order in which a lane adds up its field, and the cycles at which it needs what.

Couplings come in pairs: of couplings a and b memory holds ``P = a + b`` and ``M = a - b``, and the
pair's term is

    a s_a + b s_b = s_a (P or M, as s_a and s_b agree or not),

one choice and one negation, no sum. Negation is the complement, whose missing 1 enters the sum as
its carry. Sums have ``levels`` levels before the last one, where the spins one column behind come
in: these are the youngest there are.

    0         the column's addresses
    1, 2      words of memories, a register behind them
    2         rows are chosen, pairs compared (3 for pairs of the level after the first)
    3 ..      sums, a level a cycle
    last      the sum with the pair of the youngest spins
    field     the field is the address of the table
    field + 2 its entry is compared with the uniform
    spin      the spins are decided and go to memory
"""

from dataclasses import dataclass

from gibbsite_hw.spec.lattice_parameters import LatticeParameters

__all__ = ["LatticePlan", "Pair"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Offsets a and b (numbers in `LatticeParameters.offsets`), and the level that adds their term.

    The term enters at ``level``, counted from 1; its spins are chosen in cycle ``level + 1``.
    """

    a: int
    b: int
    level: int


_EARLY = {
    4: ((0, 1, 1),),
    8: ((0, 1, 1), (3, 4, 1), (5, 7, 1)),
    # offset 7 lies four columns behind: its spins come too late for level 1
    12: ((0, 1, 1), (3, 4, 1), (8, 9, 1), (10, 11, 2), (5, 7, 2)),
}
_LEVELS = {4: 1, 8: 2, 12: 3}
_LATE = {4: (3, 2), 8: (2, 6), 12: (2, 6)}


@dataclass(frozen=True, slots=True)
class LatticePlan:
    """The plan of a neighbourhood."""

    parameters: LatticeParameters

    @property
    def early(self) -> tuple[Pair, ...]:
        """Pairs of the levels, in the order of their terms."""
        return tuple(Pair(*pair) for pair in _EARLY[self.parameters.neighbours])

    @property
    def late(self) -> Pair:
        """The pair of the last sum; its b, and with 8 or 12 neighbours its a, are the youngest."""
        a, b = _LATE[self.parameters.neighbours]
        return Pair(a, b, self.levels + 1)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs, the late one last: the order in which memory holds them."""
        return (*self.early, self.late)

    @property
    def levels(self) -> int:
        """Levels of sums before the last one."""
        return _LEVELS[self.parameters.neighbours]

    @property
    def last(self) -> int:
        """Cycle of the last sum."""
        return 3 + self.levels

    @property
    def field(self) -> int:
        """Cycle in which the field is there."""
        return self.last + 1

    @property
    def spin(self) -> int:
        """Cycle in which the new spins are there."""
        return self.field + 3

    @property
    def tree(self) -> int:
        """Levels of the tree that adds up the lanes."""
        return (self.parameters.lanes - 1).bit_length()

    @property
    def energy(self) -> int:
        """Cycle in which a column's part of the energy is there."""
        return self.spin + self.tree

    @property
    def column_offsets(self) -> tuple[int, ...]:
        """Columns, relative to a site's, in which it has neighbours; 0 and 1 come first."""
        columns = {column for _, column in self.parameters.offsets}
        return (0, 1, *sorted(columns - {0, 1}))

    @property
    def pair_bits(self) -> int:
        """Bits of a pair in memory: P, then M."""
        return 2 * (self.parameters.coupling_bits + 1)

    @property
    def record_bits(self) -> int:
        """Bits of a site's couplings in memory: its pairs."""
        return len(self.pairs) * self.pair_bits

    @property
    def offset(self) -> int:
        """What stands in a sum beside the field: every code is held with half its range added, so
        that no sum needs a sign."""
        p = self.parameters
        return (1 << (p.bias_bits - 1)) + (len(self.pairs) << p.coupling_bits)

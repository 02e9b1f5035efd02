"""Build parameters of the lattice engine, and the neighbourhoods that it is built for.

A rule (a, b) joins a site with four others, at (row, column) offsets (a, b), (-b, a), (-a, -b),
(b, -a): the rule turned by quarters. Every rule here has a + b odd, so that the lattice has two
colours, (row + column) mod 2.

Source: the neighbourhoods G8 and G12 of Extropic's sampling hardware (Jelincic et al. 2025, "An
efficient probabilistic hardware architecture for diffusion-like models").
"""

from dataclasses import dataclass

from gibbsite_hw.spec.errors import ProgramError

__all__ = ["LATTICE_RULES", "LatticeParameters"]

LATTICE_RULES: dict[int, tuple[tuple[int, int], ...]] = {
    4: ((0, 1),),
    8: ((0, 1), (4, 1)),
    12: ((0, 1), (4, 1), (9, 10)),
}
"""The rules of a neighbourhood, by the neighbours that they give a site."""

_LIMITS = {
    "rows": (2, 512, "the bits of a column"),
    "columns": (2, 512, "the depth of the memories"),
    "coupling_bits": (2, 8, "a byte of a packet word"),
    "bias_bits": (2, 12, "the entries of the threshold table"),
    "banks": (1, 16, "chains side by side"),
    "schedule_steps": (1, 1 << 20, "what a simulation can hold"),
    "payload_words": (16, 4096, "the payload memory"),
    "hash_rounds": (1, 4, "the rounds between two keys"),
    "tables": (1, 2, "this step's thresholds and the next one's"),
}

FIELD_BITS_MOST = 12
"""Bits of a field up to which a lane's threshold table is built."""


@dataclass(frozen=True, slots=True)
class LatticeParameters:
    """Sizes of the lattice engine, fixed when it is built.

    ``rows``            sites of a column, even; a lane serves two of them
    ``columns``         most columns of a program
    ``neighbours``      4, 8 or 12: the rules of `LATTICE_RULES`
    ``coupling_bits``   signed couplings, ``-(2^(w-1)-1) .. 2^(w-1)-1``
    ``bias_bits``       signed biases, symmetric like the couplings
    ``banks``           chains that run side by side and share the reads of the couplings
    ``schedule_steps``  entries of the beta schedule
    ``payload_words``   most payload words in a command
    ``hash_rounds``     rounds of the seed hash done in a cycle: 1, 2, 4 (a divisor of 4)
    ``tables``          threshold tables of a lane: 2, so that a step's is computed during the one
                        before it, or 1, for half the block memories, and every step waits for it
    """

    rows: int = 64
    columns: int = 64
    neighbours: int = 4
    coupling_bits: int = 5
    bias_bits: int = 7
    banks: int = 1
    schedule_steps: int = 4096
    payload_words: int = 1024
    hash_rounds: int = 4
    tables: int = 2

    def __post_init__(self) -> None:
        for name, (least, most, why) in _LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ProgramError(
                    f"{name} must be a whole number in {least}..{most}, {why}, not {value}: choose "
                    "one of these"
                )
        for name in ("rows", "columns"):
            if getattr(self, name) % 2:
                raise ProgramError(
                    f"{name} must be even, so that two colours meet across the edge, not "
                    f"{getattr(self, name)}: add one and leave it unused"
                )
        if self.neighbours not in LATTICE_RULES:
            raise ProgramError(
                f"neighbours must be 4, 8 or 12, not {self.neighbours}: choose one of these"
            )
        if self.hash_rounds == 3:
            raise ProgramError("hash_rounds must be 1, 2 or 4, not 3: choose one of these")
        if self.field_bits > FIELD_BITS_MOST:
            raise ProgramError(
                f"a field needs {self.field_bits} bits and the threshold tables hold "
                f"{FIELD_BITS_MOST}: choose narrower couplings or biases"
            )

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """(row, column) offsets of the neighbours, four a rule; k and k + 2 are opposite."""
        return tuple(
            offset
            for a, b in LATTICE_RULES[self.neighbours]
            for offset in ((a, b), (-b, a), (-a, -b), (b, -a))
        )

    @property
    def lanes(self) -> int:
        """Sites that a bank decides in a cycle."""
        return self.rows // 2

    @property
    def streams(self) -> int:
        """Noise streams of a bank: one for four lanes."""
        return -(-self.lanes // 4)

    @property
    def words(self) -> int:
        """Packet words that hold the bits of a column."""
        return -(-self.rows // 32)

    @property
    def coupling_max(self) -> int:
        """Largest magnitude of a coupling code."""
        return (1 << (self.coupling_bits - 1)) - 1

    @property
    def bias_max(self) -> int:
        """Largest magnitude of a bias code."""
        return (1 << (self.bias_bits - 1)) - 1

    @property
    def field_max(self) -> int:
        """Largest magnitude of a field, ``f = b + sum J s``."""
        return self.neighbours * self.coupling_max + self.bias_max

    @property
    def field_bits(self) -> int:
        """Signed bits of a field: the address of a threshold table."""
        return self.field_max.bit_length() + 1

    @property
    def energy_bits(self) -> int:
        """Signed bits of an energy, and of every partial sum of it."""
        return (self.rows * self.columns * self.field_max).bit_length() + 1

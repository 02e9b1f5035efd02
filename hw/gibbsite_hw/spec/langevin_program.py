"""What a Langevin engine holds and is asked to do: program, conditions, schedule, run, result.

All numbers are codes of `langevin_formats`. With ``x = z`` rounded to operands, the device's force
terms (gradients, FORCE_FRAC fraction bits) are

    quadratic   round_shift(J2 x,         shifts.quadratic)       2 J2 z
    quartic     round_shift(J4 x^3,       shifts.quartic)         4 J4 z^3
    bias        round_shift(b 2^14,       shifts.bias)            b
    coupling    round_shift(sum J x,      shifts.coupling)        sum_j J_ij z_j
    constraint  round_shift(sum k m,      shifts.constraint)      sum_a 2 lambda_a rho_a k_ai
    force       round_shift(force 2^14,   shifts.force)           the driven linear term

    r = round_shift(sum k x, shifts.residual) - d,    rho = r or max(r, 0)
    m = round_shift(lambda rho, shifts.multiplier)                2 lambda rho
    constraint energy += round_shift(m rho, shifts.penalty)       lambda rho^2

so factors of two and the scales of the codes are all in the shifts.
"""

from array import array
from dataclasses import dataclass, field

__all__ = [
    "Constraint",
    "LangevinConditions",
    "LangevinCounters",
    "LangevinProgram",
    "LangevinRequest",
    "LangevinResult",
    "ScheduleEntry",
    "Shifts",
]


@dataclass(frozen=True, slots=True)
class Shifts:
    """Right shifts of a program, each 0 to SHIFT_MAX; see the module's equations."""

    quadratic: int = 0
    quartic: int = 0
    bias: int = 0
    coupling: int = 0
    constraint: int = 0
    force: int = 0
    residual: int = 0
    multiplier: int = 0
    penalty: int = 0

    def encode(self) -> list[int]:
        """Three words of BEGIN, a byte a shift, in the order of the fields."""
        values = [int(getattr(self, name)) for name in self.__slots__]
        values += [0] * (-len(values) % 4)
        return [
            sum(value << 8 * k for k, value in enumerate(values[at : at + 4]))
            for at in range(0, len(values), 4)
        ]

    @classmethod
    def decode(cls, words: "list[int] | tuple[int, ...]") -> "Shifts":
        """The shifts that `encode` gave."""
        values = [word >> 8 * k & 0xFF for word in words for k in range(4)]
        return cls(*values[: len(cls.__slots__)])


@dataclass(frozen=True, slots=True)
class Constraint:
    """A penalty ``lambda phi(k.z - d)``; phi is the square, or with ``hinge`` the hinge squared.

    ``weight`` is lambda's code (0 to COEFFICIENT_MAX), ``offset`` d's (RESIDUAL_FRAC). k stands in
    the program's weights.
    """

    hinge: bool
    weight: int
    offset: int


@dataclass(slots=True)
class LangevinConditions:
    """What changes without touching couplings.

    ``biases``       one code a unit (type code ``i``)
    ``constraints``  kind, lambda and d of every row
    ``clamps``       unit -> state code at which it is held
    """

    biases: "array[int]"
    constraints: list[Constraint] = field(default_factory=list)
    clamps: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class LangevinProgram:
    """A whole program of n units and m constraints.

    ``quadratic``, ``quartic``, ``force``: n codes each (type code ``i``).
    ``couplings``: n * n codes, row-major, symmetric, zero on the diagonal; empty: no couplings.
    ``rows``: m * n codes, row a is k_a.
    """

    quadratic: "array[int]"
    quartic: "array[int]"
    force: "array[int]"
    couplings: "array[int]"
    rows: "array[int]"
    shifts: Shifts
    conditions: LangevinConditions

    @property
    def units(self) -> int:
        """n."""
        return len(self.quadratic)

    @property
    def constraints(self) -> int:
        """m."""
        return len(self.conditions.constraints)

    def weight_words(self, multipliers: int) -> list[list[int]]:
        """Words of the coupling memory in the order in which a pass reads them.

        The rows k of all constraints; then for every unit its row of J (if there are couplings)
        and its column of k (if there are constraints). A row takes ``ceil(length / multipliers)``
        words, the last one filled up with zeros.
        """
        n, m = self.units, self.constraints
        rows = [self.rows[a * n : (a + 1) * n].tolist() for a in range(m)]
        for i in range(n):
            if len(self.couplings):
                rows.append(self.couplings[i * n : (i + 1) * n].tolist())
            if m:
                rows.append(self.rows[i::n].tolist())
        words: list[list[int]] = []
        for row in rows:
            row += [0] * (-len(row) % multipliers)
            words += [row[at : at + multipliers] for at in range(0, len(row), multipliers)]
        return words


@dataclass(frozen=True, slots=True)
class ScheduleEntry:
    """Settings of ``repeat`` steps.

    ``rate``      (mantissa, shift): ``mu dt = mantissa / 2^(shift + 16)``, in device units
    ``noise``     (mantissa, shift): ``sqrt(2 mu kT dt) = mantissa / 2^shift``
    ``strengths`` six codes (STRENGTH_FRAC), in the order of `langevin_formats.TERMS`
    ``measure``   whether work, heat and moments of these steps are accumulated
    """

    repeat: int
    rate: tuple[int, int]
    noise: tuple[int, int]
    strengths: tuple[int, int, int, int, int, int]
    measure: bool = True

    def encode(self) -> list[int]:
        """Nine words of SCHEDULE."""
        settings = [int(part[0]) | int(part[1]) << 18 for part in (self.rate, self.noise)]
        strengths = [int(code) & 0xFFFF_FFFF for code in self.strengths]
        return [int(self.repeat) | int(self.measure) << 31, *settings, *strengths]


@dataclass(slots=True)
class LangevinRequest:
    """One run: ``chains`` independent chains of ``draws`` draws each.

    A chain starts at ``state + start (mantissa / 2^shift) xi``, takes the steps of the schedule
    and sends draw 0; then it takes ``thin`` further steps of the last entry before each further
    draw. With ``trajectory`` draw 0 is the start and the others follow every ``thin`` steps,
    through the schedule. Randomness belongs to (seed, first_chain + chain, unit).
    """

    schedule: list[ScheduleEntry]
    seed: int = 0
    chains: int = 1
    draws: int = 1
    first_chain: int = 0
    thin: int = 1
    trajectory: bool = False
    samples: bool = True
    best: bool = False
    start: tuple[int, int] = (0, 0)
    state: "array[int] | None" = None
    """One state code a unit (type code ``i``); None: all 0."""
    pairs: list[tuple[int, int | None]] = field(default_factory=list)
    """Pairs (i, j) whose products z_i z_j are summed; j None: z_i alone."""
    moment_every: int = 1
    """Moments are taken after every so many measured steps."""


@dataclass(slots=True)
class LangevinCounters:
    """What the device counted over a run (units as in `langevin_registers`)."""

    cycles: int = 0
    products: int = 0
    updates: int = 0
    steps: int = 0
    reads: int = 0
    saturations: int = 0


@dataclass(slots=True)
class LangevinResult:
    """What came back, in order of chain, then draw.

    ``states``, ``best_states``: type code ``i``, ``reads * units`` (empty if not asked for).
    ``steps``: type code ``I``, the number of the step after which the draw was taken.
    ``energies``, ``best_energies``: type code ``q``, ENERGY_FRAC: V under the strengths in force,
    and the lowest V so far under the strengths of the schedule's end. ``work``, ``heat``: type code
    ``q``, HEAT_FRAC, since the chain's start. ``moments``: type code ``q``, for each chain one
    sum a pair, 2 OPERAND_FRAC fraction bits; ``moment_counts``: type code ``I``, one a chain.
    """

    reads: int = 0
    states: "array[int]" = field(default_factory=lambda: array("i"))
    steps: "array[int]" = field(default_factory=lambda: array("I"))
    energies: "array[int]" = field(default_factory=lambda: array("q"))
    work: "array[int]" = field(default_factory=lambda: array("q"))
    heat: "array[int]" = field(default_factory=lambda: array("q"))
    best_states: "array[int]" = field(default_factory=lambda: array("i"))
    best_energies: "array[int]" = field(default_factory=lambda: array("q"))
    moments: "array[int]" = field(default_factory=lambda: array("q"))
    moment_counts: "array[int]" = field(default_factory=lambda: array("I"))
    counters: LangevinCounters = field(default_factory=LangevinCounters)
    words_in: int = 0
    words_out: int = 0
    aborted: bool = False

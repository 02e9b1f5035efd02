"""Penalties as data: agents add rows to plans, not code.

What a penalty is called, in which sense it is meant, how strong it is by default and whether its
violation makes a plan infeasible stands in one table, `KINDS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gibbsite_hw.spec.errors import ProgramError
from gibbsite_models.energies.arguments import amounts, number

__all__ = ["KINDS", "Penalty", "PenaltyKind"]


@dataclass(frozen=True, slots=True)
class PenaltyKind:
    """What all penalties of a name share: ``sense`` is ``<=``, ``>=``, ``=`` or ``linear``."""

    sense: str
    hard: bool
    strength: float
    meaning: str


KINDS: Mapping[str, PenaltyKind] = MappingProxyType(
    {
        "no_overlap": PenaltyKind("<=", True, 10, "a task ends before the next one starts"),
        "resource_limit": PenaltyKind("<=", True, 10, "a task waits for what another one uses"),
        "precedence": PenaltyKind("<=", True, 10, "a task ends before its successor starts"),
        "deadline": PenaltyKind("<=", True, 10, "a task ends by a time"),
        "release": PenaltyKind(">=", True, 10, "a task starts no earlier than a time"),
        "capacity": PenaltyKind("<=", True, 10, "a resource gives no more than it has"),
        "demand": PenaltyKind("=", True, 10, "what is asked for is given"),
        "flow": PenaltyKind("=", True, 10, "what comes in goes out or is stored"),
        "lower": PenaltyKind(">=", True, 10, "a value is no lower than a bound"),
        "upper": PenaltyKind("<=", True, 10, "a value is no higher than a bound"),
        "preference": PenaltyKind("=", False, 0.1, "a wished value"),
        "balance": PenaltyKind("=", False, 0.1, "loads are alike"),
        "smoothness": PenaltyKind("=", False, 0.1, "neighbouring values are alike"),
        "target": PenaltyKind("=", False, 0.1, "a wished level at the end"),
        "cost": PenaltyKind("linear", False, 1, "a price a unit"),
    }
)
"""Every kind of penalty that energies may use."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """One row: ``k.v`` against ``bound`` in the sense of its kind, under a label of its own.

    ``strength`` is lambda (for a cost its weight), by default the kind's; ``learnable`` by default
    where the kind is hard.

    Raises: ProgramError for a kind, label, coefficients, bound and strength of another type or out
    of range; unknown kinds and variables are `ConstraintEnergy`'s to refuse.
    """

    kind: str
    label: str
    coefficients: Mapping[str, float]
    bound: float = 0.0
    strength: float | None = None
    learnable: bool | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.kind, str) and isinstance(self.label, str)):
            raise ProgramError(
                f"kind and label of a penalty must be strings and are {self.kind!r:.40} and "
                f"{self.label!r:.40}; give one of KINDS and a name"
            )
        label = repr(self.label)
        amounts(f"the coefficient in {label}", self.coefficients)
        number(f"the bound of {label}", self.bound)
        if self.strength is not None:
            number(f"the strength of {label}", self.strength, least=0)

    @property
    def rule(self) -> PenaltyKind:
        """The kind's entry in `KINDS`."""
        return KINDS[self.kind]

    @property
    def weight(self) -> float:
        """The strength, given or the kind's."""
        return self.rule.strength if self.strength is None else self.strength

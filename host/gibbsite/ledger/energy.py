"""Joules with their kind: measured, estimated or quoted. Kinds are classes, and `+` keeps to one.

    Measured("rapl") + Measured("rapl")          joules add
    Measured("rapl") + Quoted("extropic-z1")     refused by the type checker, and when it runs
    Quoted("extropic-z1") + Quoted("other")      refused when it runs: two sources are two totals

A null is not known: it stays null in every sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["AnyEnergy", "Energy", "Estimated", "KindError", "Measured", "Quoted", "totals"]


class KindError(GibbsiteError, TypeError):
    """Joules of two kinds, or of two sources, that somebody tried to add."""


class Energy(BaseModel):
    """Joules by one table (or one counter) of one kind; `Measured`, `Estimated` or `Quoted`.

    ``joules``    null if it cannot be known; ``reason`` then says why
    ``table``     the named table or counter behind the figure
    ``part``      what of the table was used, e.g. the digital or the analog sampler
    ``covers``, ``excludes``  what the figure is of, and what it leaves out
    ``error_factor``  an estimate may be off by this factor either way; null where none is stated

    Raises `KindError` when added to another kind, table, part or coverage.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: str
    joules: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None
    table: str
    part: str = ""
    covers: str
    excludes: str
    reason: str | None = None
    error_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None

    def __add__(self, other: Self) -> Self:
        if type(self) is not type(other):
            found = getattr(other, "kind", type(other).__name__)
            raise KindError(
                f"joules that are {self.kind} cannot be added to joules that are {found}: keep a "
                "total for each kind"
            )
        for name in ("table", "part", "covers", "excludes", "error_factor"):
            mine, yours = getattr(self, name), getattr(other, name)
            if mine != yours:
                raise KindError(
                    f"{self.kind} joules have one {name.replace('_', ' ')} in a sum, found "
                    f"{mine!r} and {yours!r}: keep a total for each"
                )
        known = self.joules is not None and other.joules is not None
        return self.model_copy(
            update={
                "joules": (self.joules or 0.0) + (other.joules or 0.0) if known else None,
                "reason": self.reason or other.reason,
            }
        )


class Measured(Energy):
    """Read from a counter while the work was done."""

    kind: Literal["measured"] = "measured"
    order: ClassVar[int] = 0


class Estimated(Energy):
    """Computed by a model of ours whose error is stated."""

    kind: Literal["estimated"] = "estimated"
    order: ClassVar[int] = 1


class Quoted(Energy):
    """Counts of ours times somebody else's published price: no statement about this machine."""

    kind: Literal["quoted"] = "quoted"
    order: ClassVar[int] = 2


AnyEnergy: TypeAlias = Annotated[Measured | Estimated | Quoted, Field(discriminator="kind")]
"""One of the three, told apart by ``kind``."""


def totals(energies: Iterable[AnyEnergy]) -> tuple[AnyEnergy, ...]:
    """One total for each kind, table and part, in this order; nothing is added across them."""
    found: dict[tuple[int, str, str], AnyEnergy] = {}
    for energy in energies:
        key = energy.order, energy.table, energy.part
        found[key] = _joined(found[key], energy) if key in found else energy
    return tuple(found[key] for key in sorted(found))


def _joined(one: AnyEnergy, two: AnyEnergy) -> AnyEnergy:
    if isinstance(one, Measured) and isinstance(two, Measured):
        return one + two
    if isinstance(one, Estimated) and isinstance(two, Estimated):
        return one + two
    assert isinstance(one, Quoted), "there are three kinds"
    assert isinstance(two, Quoted), "the key holds the kind"
    return one + two

"""The design documents' comparison: a language model alone, or one that formalizes for a sampler.

    alone   = tokens_alone x price of a token
    path    = tokens x price of a token + steps x price of a step
    saved   = 1 - path / alone

By the documents' figures (2,500 tokens alone; 700 tokens and 5,000 steps): 7.5 J, 3.6 J (52 %) with
a digital sampler, 2.15 J (71 %) with an analog one. The documents' own code takes
``0.1 x alone`` for formalizing instead of counted tokens, which gives 70 % and 89 %: `documented`.

Source: the design document after S. Whitelam, arXiv:2506.15121; prices of `design-documents`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from gibbsite.ledger.counts import Ledger
from gibbsite.ledger.prices import PriceError, PriceTable, price_table

__all__ = ["EnergySavings", "SamplerKind", "estimate_energy_savings", "savings_of"]

SamplerKind: TypeAlias = Literal["digital", "analog"]


class EnergySavings(BaseModel):
    """Quoted joules of both ways, and the share saved; null where no tokens were counted.

    ``alone_joules``      the language model alone
    ``path_joules``       formalizing by counted tokens, and the sampler's steps
    ``saved``             1 - path / alone; negative where the path costs more
    ``documented_joules``, ``documented_saved``   by the documents' formula, 0.1 x alone
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["quoted"] = "quoted"
    table: str
    sampler: SamplerKind
    llm_tokens: int | None
    langevin_steps: int | None
    alone_tokens: int
    alone_joules: float
    path_joules: float | None
    saved: float | None
    documented_joules: float | None
    documented_saved: float | None


def estimate_energy_savings(
    llm_tokens: int | None,
    langevin_steps: int | None,
    *,
    sampler: SamplerKind = "digital",
    alone_tokens: int | None = None,
    table: PriceTable | None = None,
) -> EnergySavings:
    """Compare both ways by quoted prices.

    ``llm_tokens``      counted tokens of formalizing; None: no language model was asked
    ``langevin_steps``  counted steps of the sampler; None: not known
    ``alone_tokens``    of the language model alone; None: what the table assumes

    Raises `PriceError` for negative counts, for none at all alone, and for a sampler that the table
    has no price of.
    """
    table = table or price_table("design-documents")
    for name, count in (("llm_tokens", llm_tokens), ("langevin_steps", langevin_steps)):
        if count is not None and count < 0:
            raise PriceError(f"{name} must be at least 0 and is {count}: give what was counted")
    if sampler not in ("digital", "analog"):
        raise PriceError(f"samplers are digital and analog, found {sampler!r}: use one of these")
    assumed = int(table.figures["llm_alone_tokens"].value)
    tokens = assumed if alone_tokens is None else alone_tokens
    if tokens < 1:
        raise PriceError(f"alone_tokens must be at least 1 and is {tokens}: give what it takes")
    of_token = table.figures["llm_token"].value
    alone = tokens * of_token
    steps = None
    if langevin_steps is not None:
        steps = langevin_steps * table.figures[f"{sampler}_step"].value
    path = None if llm_tokens is None or steps is None else llm_tokens * of_token + steps
    documented = None
    if path is not None and steps is not None:
        documented = table.figures["formalizing_share"].value * alone + steps
    return EnergySavings(
        table=table.name,
        sampler=sampler,
        llm_tokens=llm_tokens,
        langevin_steps=langevin_steps,
        alone_tokens=tokens,
        alone_joules=alone,
        path_joules=path,
        saved=None if path is None else 1 - path / alone,
        documented_joules=documented,
        documented_saved=None if documented is None else 1 - documented / alone,
    )


def savings_of(ledger: Ledger, sampler: SamplerKind = "digital") -> float | None:
    """The share that a run saved: `Result.energy_savings`; null where no tokens were counted."""
    return estimate_energy_savings(ledger.llm_tokens, ledger.langevin_steps, sampler=sampler).saved

"""From a sentence to a `Problem`: the `Formalizer` interface and the embedded formalizer.

`formalize(text)` gives the problem, `formalize_with_notes(text)` also the choices made where the
text left one open. What cannot be understood, or contradicts itself, raises `FormalizationError`.
"""

from __future__ import annotations

from gibbsite.formalizer.embedded import (
    MAX_LENGTH,
    EmbeddedFormalizer,
    Formalization,
    Formalizer,
)
from gibbsite.formalizer.refusal import FormalizationError
from gibbsite.problem import Problem

__all__ = [
    "MAX_LENGTH",
    "EmbeddedFormalizer",
    "Formalization",
    "FormalizationError",
    "Formalizer",
    "formalize",
    "formalize_with_notes",
]


def formalize(text: str) -> Problem:
    """The problem that a Polish or English request describes.

    Raises: `FormalizationError` with its reason, the words that caused it, and the next step.
    """
    return EmbeddedFormalizer().formalize(text)


def formalize_with_notes(text: str) -> Formalization:
    """The problem that a request describes, with a note for each choice that the text left open.

    Raises: `FormalizationError` with its reason, the words that caused it, and the next step.
    """
    return EmbeddedFormalizer().formalize_with_notes(text)

"""The formalizer's refusal: why a text gives no problem, and the words that caused it."""

from __future__ import annotations

from gibbsite.problem import ErrorDocument, Reason
from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["FormalizationError"]


class FormalizationError(GibbsiteError, ValueError):
    """A request that gives no problem document; carries its `reason` and the `words` behind it.

    `reason` is one of the format's reasons, `words` the part of the text that caused the refusal
    (empty when the text itself is), `document()` the error document that stands for the answer.
    """

    def __init__(self, reason: Reason, message: str, words: str = "") -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.words = words

    def document(self) -> ErrorDocument:
        """The `error` document of this refusal."""
        return ErrorDocument(reason=self.reason)

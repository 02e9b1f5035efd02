"""Arguments of a kind that has no meaning: the errors for them, and the checks of kinds.

A wrong kind is found before anything is compiled, opened or drawn.
"""

from __future__ import annotations

from typing import Any, Final

from gibbsite_hw.spec.errors import GibbsiteError

__all__ = ["ArgumentError", "ArgumentKindError", "refuse_no_functions", "refuse_no_model"]


class ArgumentError(GibbsiteError, ValueError):
    """An argument of a sampling call that has no meaning or contradicts another."""


class ArgumentKindError(ArgumentError, TypeError):
    """An argument of another kind than the call takes; a `TypeError` to those who look for one."""


TAKES: Final = {
    "interrupt_function": "nothing, True to end the run",
    "observer": "a round's number, states and energies",
    "progress": "how much is done and how much there is",
    "stop": "a round's number and the lowest energy code, True to end the run",
}
"""What functions that a caller may give are called with."""

CLASSES: Final = {
    "BinaryQuadraticModel": "sample",
    "DiscreteQuadraticModel": "sample_dqm",
    "ConstrainedQuadraticModel": "sample_cqm",
}
"""dimod's classes of models, and the method of `Sampler` that takes each."""


def refuse_no_functions(**given: object) -> None:
    """Raise `ArgumentKindError` for the first argument that is neither None nor a function."""
    for name, value in given.items():
        if value is not None and not callable(value):
            raise ArgumentKindError(
                f"{name} must be a function of {TAKES[name]}, not {value!r}: pass one, or leave "
                "it out"
            )


def refuse_no_model(model: object, wanted: type[Any], *, all_kinds: bool = False) -> None:
    """Raise `ArgumentKindError` for what is no model of the class ``wanted`` of dimod's.

    ``all_kinds``: the caller takes the other classes by other methods, which the sentence names.
    """
    if isinstance(model, wanted):
        return
    found = type(model).__name__
    step = f"pass a dimod.{wanted.__name__}"
    if all_kinds and found in CLASSES:
        step += f", or call {CLASSES[found]} with this one"
    raise ArgumentKindError(f"the model must be a dimod.{wanted.__name__}, not {found}: {step}")
